"""Broken, oversized and unknown messages on a real topic: set aside with their reason, no good neighbour lost."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError
from aiokafka.producer import message_accumulator, producer
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from asyncpg import Record

from contracts import wire
from contracts.base import EventId
from contracts.flow import REPORTS
from contracts.wire import BODY_BYTES_MAX
from guitu import dead_letters, outbox, stream
from guitu.service import Runtime
from harness.examples import report
from harness.ground import until
from toy import broken

SEEN = "select count(*) from seen where report_id = $1"
KEY = b"one-partition"
KIBI, MEBI = 1024, 1024 * 1024


@pytest_asyncio.fixture(scope="module")
async def outsider(toy: Runtime) -> AsyncIterator[AIOKafkaProducer]:
    """A system that writes to our topics whatever it likes, as large as it likes."""
    producer = AIOKafkaProducer(bootstrap_servers=toy.settings.kafka, max_request_size=8 * MEBI)
    await producer.start()
    yield producer
    await producer.stop()


def good() -> tuple[UUID, list[tuple[str, bytes]], bytes]:
    """A report as it should be: its id, headers and body."""
    fact = report()
    message = wire.encode(fact, EventId(uuid4()), "110")
    return fact.report_id, message.headers, message.value


def headers_of(event_id: UUID, **changed: bytes) -> list[tuple[str, bytes]]:
    """Good headers under this id, but for those that are changed."""
    headers = dict(good()[1]) | {"ce_id": str(event_id).encode()} | changed
    return list(headers.items())


async def letter(toy: Runtime, event_id: UUID) -> Record | None:
    """The dead letter of this event, once it is there."""
    await until(toy, "select count(*) from dead_letter where event_id = $1", event_id)
    return await toy.pool.fetchrow("select * from dead_letter where event_id = $1", event_id)


async def passes(outsider: AIOKafkaProducer, toy: Runtime) -> bool:
    """Whether a good report behind all that was sent with KEY has its effect."""
    report_id, headers, body = good()
    await outsider.send_and_wait(REPORTS.name, body, key=KEY, headers=headers)
    return bool(await until(toy, SEEN, report_id))


def spoilt(**changed: Any) -> bytes:
    return json.dumps(json.loads(good()[2]) | changed).encode()


BAD: dict[str, tuple[dict[str, bytes], bytes | None, str, str]] = {
    "an unknown version": ({"ce_type": b"guitu.report.filed.v9"}, good()[2], "unknown_type", "filed.v1"),
    "no type": ({"ce_type": b""}, good()[2], "unknown_type", "this topic carries"),
    "a fact of another topic": ({"ce_type": b"guitu.order.issued.v1"}, b"{}", "wrong_topic", "guitu.orders"),
    "no body": ({}, None, "empty", "send the fact as JSON"),
    "half a body": ({}, good()[2][:-9], "invalid", "Invalid JSON"),
    "no JSON": ({}, b"\x89PNG\r\n\x1a\n", "invalid", "Invalid JSON"),
    "a list": ({}, b"[]", "invalid", "object"),
    "endless nesting": ({}, b"[" * 60_000, "invalid", "Invalid JSON"),
    "another encoding": ({}, good()[2].decode().encode("utf-16"), "invalid", "Invalid JSON"),
    "a wrong type": ({}, spoilt(child=7), "invalid", "child"),
    "a naive time": ({}, spoilt(last_seen_at="2026-03-01T06:00:00"), "invalid", "last_seen_at"),
    "a time that can't be UTC": (
        {},
        spoilt(occurred_at="9999-12-31T23:59:59-12:00"),
        "invalid",
        "occurred_at",
    ),
    "a position beyond the poles": (
        {},
        spoilt(last_seen_place={"position": {"lon": 108, "lat": 91}}),
        "invalid",
        "lat",
    ),
    "a NUL": ({}, spoilt(note="a\x00b"), "invalid", "NUL"),
    "half a character": ({}, spoilt(note="@").replace(b"@", b"\\ud800"), "invalid", "body"),
    "a region of other digits": (
        {},
        spoilt(region_code="\uff15\uff10\uff10\uff12\uff13\uff15"),
        "invalid",
        "region_code",
    ),
    "a body over 64 KiB": ({}, good()[2] + b" " * BODY_BYTES_MAX, "too_large", str(BODY_BYTES_MAX)),
    "almost all that the broker takes": ({}, b"x" * 1000 * KIBI, "too_large", str(BODY_BYTES_MAX)),
}


@pytest.mark.parametrize(("headers", "body", "reason", "says"), BAD.values(), ids=BAD)
async def test_what_is_wrong_with_a_message_is_said_and_the_next_one_is_handled(
    toy: Runtime,
    outsider: AIOKafkaProducer,
    headers: dict[str, bytes],
    body: bytes | None,
    reason: str,
    says: str,
) -> None:
    event_id = uuid4()

    await outsider.send_and_wait(REPORTS.name, body, key=KEY, headers=headers_of(event_id, **headers))
    found = await letter(toy, event_id)

    assert found is not None
    assert (reason, True) == (found["reason"], says in found["detail"]), found["detail"]
    assert (body, KEY) == (found["value"], found["key"])
    assert await passes(outsider, toy)


async def test_a_message_of_two_megabytes_does_not_reach_the_topic_at_all(
    toy: Runtime, outsider: AIOKafkaProducer
) -> None:
    """An ordinary client refuses it by itself; one that tries all the same is refused by the broker."""
    two_megabytes, headers = b"x" * 2 * MEBI, headers_of(uuid4())
    ordinary = AIOKafkaProducer(bootstrap_servers=toy.settings.kafka)
    await ordinary.start()

    try:
        for producer in (ordinary, outsider):
            with pytest.raises(MessageSizeTooLargeError):
                await producer.send_and_wait(REPORTS.name, two_megabytes, key=KEY, headers=headers)
    finally:
        await ordinary.stop()

    assert await passes(outsider, toy)


async def test_a_header_without_a_value_stops_nobody(toy: Runtime, outsider: AIOKafkaProducer) -> None:
    """Kafka allows one; read again and again by a process that it ends, it would hold up its partition for good."""
    report_id, headers, body = good()
    event_id, nameless = uuid4(), [("ce_type", None)]

    await outsider.send_and_wait(REPORTS.name, body, key=KEY, headers=[*headers, ("x", None)])
    await outsider.send_and_wait(REPORTS.name, body, key=KEY, headers=[*headers_of(event_id), *nameless])
    found = await letter(toy, event_id)

    assert await until(toy, SEEN, report_id)
    assert found is not None
    assert "unknown_type" == found["reason"]


class NoText(str):
    """A header's name that is no UTF-8 on the wire, as no broker minds."""

    __slots__ = ()

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return b"\xff\xfe"


@pytest.mark.parametrize("compressed", [None, "gzip"])
async def test_a_header_whose_name_is_no_text_stops_nobody(
    toy: Runtime, monkeypatch: pytest.MonkeyPatch, compressed: str | None
) -> None:
    """aiokafka's reader dies of it, and with it every topic of the service; its own writer has to be talked into it."""
    for module in (message_accumulator, producer):
        monkeypatch.setattr(module, "DefaultRecordBatchBuilder", _DefaultRecordBatchBuilderPy)
    writer = AIOKafkaProducer(
        bootstrap_servers=toy.settings.kafka, compression_type=compressed, linger_ms=200
    )
    await writer.start()
    reports = [good() for _ in range(5)]
    for number, (_, headers, body) in enumerate(reports):
        named = [*headers, (NoText("x"), b"1")] if number in (1, 3) else headers
        await writer.send(REPORTS.name, body, key=KEY, headers=named)
    await writer.stop()

    for report_id, _, _ in reports:
        assert await until(toy, SEEN, report_id)
    once = "select count(*) from seen where report_id = any($1::uuid[])"
    assert len(reports) == await toy.pool.fetchval(once, [report_id for report_id, _, _ in reports])


@pytest.mark.parametrize("where", ["header", "many headers", "key"])
async def test_words_that_grow_when_they_are_copied_do_not_stop_the_relay(
    toy: Runtime, outsider: AIOKafkaProducer, where: str
) -> None:
    """Bytes that are no UTF-8 become three times as many as text; the broker would refuse the copy for ever."""
    event_id, large = uuid4(), b"\xff" * 600_000
    more = {"header": {"x": large}, "many headers": {f"x{n}": b"\xff" * 6_000 for n in range(100)}}
    headers = headers_of(event_id, ce_type=b"?", **more.get(where, {}))

    await outsider.send_and_wait(REPORTS.name, b"x", key=large if where == "key" else KEY, headers=headers)
    found = await letter(toy, event_id)
    async with toy.tx(actor="test") as tx:
        behind_it = tx.publish(report())

    assert found is not None
    sent = "select count(*) from outbox where id = any($1::uuid[]) and published_at is not null having count(*) = 2"
    assert 2 == await until(toy, f"select coalesce(({sent}), 0)", [found["id"], behind_it])


async def test_a_letter_that_would_not_fit_its_topic_again_stays_and_says_so(
    toy: Runtime, outsider: AIOKafkaProducer
) -> None:
    event_id = uuid4()
    headers = headers_of(event_id, ce_type=b"?", x=b"\xff" * 600_000)
    await outsider.send_and_wait(REPORTS.name, b"x", key=KEY, headers=headers)
    found = await letter(toy, event_id)
    assert found is not None

    async with toy.pool.acquire() as conn:
        with pytest.raises(dead_letters.TooLargeToReplay, match="Send it anew, smaller"):
            await dead_letters.replay(conn, found, uuid4(), toy.clock.now())

    assert (await letter(toy, event_id) or {})["replayed_at"] is None


async def test_our_own_code_can_not_queue_what_the_broker_would_refuse(toy: Runtime) -> None:
    row = outbox.row(report(), EventId(uuid4()), "test")
    large = outbox.Row(**(vars(row) | {"payload": b"x" * outbox.MESSAGE_BYTES_MAX}))

    async with toy.pool.acquire() as conn:
        with pytest.raises(AssertionError, match="is the most"):
            await outbox.insert(conn, [large])


@pytest.fixture
def exits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The codes that the process would have ended with."""
    codes: list[int] = []
    monkeypatch.setattr("os._exit", codes.append)
    return codes


MANY = stream.FAULTS_IN_A_ROW_MAX * 3


@pytest.mark.parametrize("fault", ["unreadable", "untrue"])
async def test_any_number_of_bad_messages_in_a_row_does_not_stop_the_reader(
    toy: Runtime, outsider: AIOKafkaProducer, exits: list[int], fault: str
) -> None:
    """It would come back, read the same, and stop again: nothing behind them would ever be handled."""
    ids = [uuid4() for _ in range(MANY)]
    body = b"{" if fault == "unreadable" else spoilt(note="untrue")

    for event_id in ids:
        await outsider.send(REPORTS.name, body, key=KEY, headers=headers_of(event_id))
    good_one_passes = await passes(outsider, toy)

    aside = "select count(*) from dead_letter where event_id = any($1::uuid[]) and reason = $2"
    reason = {"unreadable": "invalid", "untrue": "FactRefused"}[fault]
    assert (True, []) == (good_one_passes, exits)
    assert MANY == await toy.pool.fetchval(aside, ids, reason)


async def test_facts_that_our_handler_can_not_bear_one_after_the_other_stop_the_reader(
    toy: Runtime, outsider: AIOKafkaProducer, exits: list[int]
) -> None:
    """That is our bug: better a process that a person must look at than a topic full of dead letters."""
    broken["on"] = True
    for _ in range(MANY):
        await outsider.send(REPORTS.name, spoilt(note="unbearable"), key=KEY, headers=headers_of(uuid4()))

    await passes(outsider, toy)

    assert {stream.EXIT_OUR_FAULT} == set(exits)
