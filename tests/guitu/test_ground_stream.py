"""The stream wrapper on real Kafka and PostgreSQL: effects once, bad messages aside, good neighbours unharmed."""

from __future__ import annotations

from uuid import uuid4

from aiokafka import AIOKafkaProducer

from contracts import wire
from contracts.base import EventId
from contracts.flow import REPORTS
from guitu import audit, dead_letters, outbox
from guitu.embedded.node import Node
from guitu.service import Runtime
from harness import ground
from harness.examples import report
from harness.ground import until
from toy import broken

SEEN = "select count(*) from seen where report_id = $1"


async def test_a_published_fact_becomes_one_committed_effect(toy: Runtime) -> None:
    fact = report()

    async with toy.tx(actor="test") as tx:
        tx.publish(fact)

    assert await until(toy, SEEN, fact.report_id) == 1


def copy_of(row: outbox.Row, **changes: object) -> outbox.Row:
    """The row once more; its id is the outbox's own, the event's id is in the headers."""
    return outbox.Row(**(vars(row) | {"id": uuid4()} | changes))


async def test_the_same_event_twice_in_one_batch_has_one_effect(toy: Runtime) -> None:
    fact, last = report(), report()
    first = outbox.row(fact, EventId(uuid4()), "test")
    # One key, one partition: when the last is handled, the copy has been.
    after = copy_of(outbox.row(last, EventId(uuid4()), "test"), key=first.key, shard=first.shard)

    async with toy.pool.acquire() as conn:
        await outbox.insert(conn, [first, copy_of(first), after])

    assert await until(toy, SEEN, last.report_id) == 1
    assert await until(toy, SEEN, fact.report_id) == 1


async def test_the_same_event_long_afterwards_has_no_second_effect(toy: Runtime) -> None:
    """As after `guitu topics republish`, or a kill between an effect and its acknowledgement."""
    fact, last = report(), report()
    first = outbox.row(fact, EventId(uuid4()), "test")
    after = copy_of(outbox.row(last, EventId(uuid4()), "test"), key=first.key, shard=first.shard)
    async with toy.pool.acquire() as conn:
        await outbox.insert(conn, [first])
    assert await until(toy, SEEN, fact.report_id) == 1

    async with toy.pool.acquire() as conn:
        await outbox.insert(conn, [copy_of(first), after])

    assert await until(toy, SEEN, last.report_id) == 1
    assert await until(toy, SEEN, fact.report_id) == 1


async def test_a_bad_message_is_set_aside_and_its_neighbours_are_handled(toy: Runtime) -> None:
    before, after = report(), report()
    bad = outbox.row(report(), EventId(uuid4()), "test")
    bad = outbox.Row(**(vars(bad) | {"payload": b"{not json"}))

    async with toy.pool.acquire() as conn:
        rows = [outbox.row(before, EventId(uuid4()), "t"), bad, outbox.row(after, EventId(uuid4()), "t")]
        await outbox.insert(conn, rows)

    assert await until(toy, SEEN, before.report_id) == 1
    assert await until(toy, SEEN, after.report_id) == 1
    reason = "select count(*) from dead_letter where event_id = $1 and reason = 'invalid' and value = $2"
    assert await until(toy, reason, bad.id, b"{not json") == 1


async def test_a_failed_event_is_a_dead_letter_and_its_replay_keeps_the_event_id(toy: Runtime) -> None:
    fact = report("unbearable")
    async with toy.tx(actor="test") as tx:
        event_id = tx.publish(fact)
    where = "select count(*) from dead_letter where event_id = $1 and reason = 'LookupError'"
    assert await until(toy, where, event_id) == 1
    assert await toy.pool.fetchval(SEEN, fact.report_id) == 0

    broken["on"] = False
    async with toy.pool.acquire() as conn:
        letter = await conn.fetchrow("select * from dead_letter where event_id = $1", event_id)
        await dead_letters.replay(conn, letter, uuid4(), toy.clock.now())

    assert await until(toy, SEEN, fact.report_id) == 1
    assert await until(toy, "select count(*) from inbox where event_id = $1", event_id) == 1


async def test_audit_shows_a_row_that_was_changed_after_it_was_sealed(toy: Runtime, node: Node) -> None:
    async with toy.tx(actor="test") as tx:
        tx.audit("test.one")
        tx.audit("test.two")
    async with toy.pool.acquire() as conn:
        while await audit.seal(conn):
            pass
        await audit.verify(conn)
    owner = await ground.owner(node.env["GUITU_DATABASE_URL"])
    await owner.execute("update toy.audit set actor = 'else' where action = 'test.one'")
    await owner.close()

    broken_at = ""
    async with toy.pool.acquire() as conn:
        try:
            await audit.verify(conn)
        except audit.AuditBroken as error:
            broken_at = str(error)

    assert "changed after it was sealed" in broken_at


def test_wire_form_round_trips() -> None:
    fact, event_id = report(), EventId(uuid4())

    message = wire.encode(fact, event_id, "test")

    received = wire.decode(REPORTS, message.headers, message.value)
    assert (event_id, fact) == (received.event_id, received.fact)


async def test_a_message_that_postgresql_could_not_hold_is_set_aside_all_the_same(toy: Runtime) -> None:
    """A NUL in key or header must not kill the reader again and again."""
    after = report()
    bad = outbox.row(report(), EventId(uuid4()), "test")
    producer = AIOKafkaProducer(bootstrap_servers=toy.settings.kafka)
    await producer.start()
    headers = [("ce_id", str(bad.id).encode()), ("ce_type", b"\x00\xff")]
    await producer.send_and_wait("guitu.reports", b"x" * 900_000, key=b"\x00\xff", headers=headers)
    await producer.stop()

    async with toy.tx(actor="test") as tx:
        tx.publish(after)

    reason = "select count(*) from dead_letter where event_id = $1 and reason = 'unknown_type'"
    assert await until(toy, reason, bad.id) == 1
    assert await until(toy, SEEN, after.report_id) == 1
