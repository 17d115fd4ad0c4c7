"""Inbox, outbox and dead letters on real PostgreSQL under a machine that crashes, repeats and reorders everything.

The stream wrapper and the relay are the real ones; only the broker is a few lists, so that a message can be read
twice, a process can die between any two steps, and a consumer can be set back.
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid5

import asyncpg
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from contracts.alert import AlertStoodDown
from contracts.base import CaseId
from contracts.flow import REPORTS
from contracts.report import ReportFiled
from guitu import dead_letters, outbox, stream
from guitu.relay import Relay
from guitu.service import Reaction
from guitu.settings import Settings
from guitu.stream import Streams
from guitu.tx import Tx
from harness.examples import report
from harness.machines import World, play, world_of

PARTITIONS = 3
ANSWER = f"1:{AlertStoodDown.type_}"
WHICH = st.integers(0, 20)
"""One of those there are; drawn without looking, so that a run is the same whatever the ids are."""


class Killed(BaseException):
    """kill -9: nothing after it runs, and the database rolls back what was not committed."""


@dataclass
class Broker:
    """Topics as lists of partitions; a message is what a producer sent, with its place."""

    partitions: list[list[Any]] = field(default_factory=lambda: [[] for _ in range(PARTITIONS)])
    others: list[UUID] = field(default_factory=list)
    dies_after: int | None = None

    async def send(
        self, topic: str, value: bytes, *, key: bytes, headers: list[tuple[str, bytes]]
    ) -> Awaitable[None]:
        """As aiokafka's producer: what is returned is its acknowledgement, and only then the message is there."""
        return self.takes(topic, value, key, headers)

    async def takes(self, topic: str, value: bytes, key: bytes, headers: list[tuple[str, bytes]]) -> None:
        if self.dies_after is not None:
            self.dies_after -= 1
            if self.dies_after < 0:
                raise Killed
        if topic == REPORTS.name:
            self.append(sum(key) % PARTITIONS, key, headers, value)
        elif topic == "guitu.alerts":
            self.others.append(UUID(dict(headers)["ce_id"].decode()))

    def append(self, number: int, key: bytes, headers: Any, value: bytes) -> None:
        """At the end of a partition."""
        place = self.partitions[number]
        message = {"topic": REPORTS.name, "partition": number, "offset": len(place)}
        place.append(SimpleNamespace(**message, key=key, headers=headers, value=value))


class Ground(RuleBasedStateMachine):
    """A service that remembers each report once and answers it with one fact."""

    world: World

    @initialize()
    def starts(self) -> None:
        self.broker = Broker()
        self.read = [0] * PARTITIONS
        self.causes: dict[UUID, UUID] = {}
        self.unbearable: set[UUID] = set()
        self.dies_at, self.stumbles_at = -1, -1
        self.relay = Relay.__new__(Relay)
        self.world.does(self.a_process_starts())

    async def a_process_starts(self) -> None:
        self.streams = Streams(self.world.run, [Reaction(ReportFiled, self.answers)])
        self.relay = Relay(self.world.run)
        self.relay._shards = list(range(outbox.SHARDS))

    async def answers(self, tx: Tx, fact: ReportFiled) -> None:
        """The handler: an effect, an audit row and a fact."""
        self.dies_at, self.stumbles_at = self.dies_at - 1, self.stumbles_at - 1
        await tx.conn.execute("insert into seen (report_id, note) values ($1, '')", fact.report_id)
        tx.audit("report.seen", subject=fact.report_id)
        tx.publish(
            AlertStoodDown(
                region_code=fact.region_code,
                occurred_at=tx.now,
                case_id=CaseId(uuid5(fact.report_id, "case")),
                case_code="CY-0001",
                version=1,
                outcome="found",
            )
        )
        if self.dies_at == 0:
            raise Killed
        if self.stumbles_at == 0:
            raise asyncpg.SerializationError("could not serialize access")
        if fact.report_id in self.unbearable:
            raise LookupError("This report cannot be borne.")

    @rule(how_many=st.integers(1, 3), bearable=st.sampled_from([True, True, True, False]))
    def reports_are_accepted(self, how_many: int, bearable: bool) -> None:
        self.world.does(self.accepts([report() for _ in range(how_many)], bearable))

    async def accepts(self, facts: list[ReportFiled], bearable: bool) -> None:
        async with self.world.run.tx(actor="test") as tx:
            for fact in facts:
                self.causes[fact.report_id] = tx.publish(fact)
        if not bearable:
            self.unbearable |= {fact.report_id for fact in facts}

    @rule(dies_after=st.none() | st.integers(0, 3))
    def the_relay_carries(self, dies_after: int | None) -> None:
        """Killed before it could remember that the broker has them, it sends them once more."""
        self.broker.dies_after = dies_after
        self.world.does(self.carries())
        self.broker.dies_after = None

    async def carries(self) -> None:
        async with self.world.run.pool.acquire() as conn:
            try:
                await self.relay._publish_some(conn, self.broker)
            except Killed:
                await self.a_process_starts()

    @rule(
        number=st.integers(0, PARTITIONS - 1),
        how_many=st.integers(1, 6),
        fate=st.sampled_from(
            ["acknowledged", "acknowledged", "killed in a handler", "killed after the commit"]
        ),
        at=st.integers(1, 4),
        stumbles=st.booleans(),
    )
    def the_reader_reads(self, number: int, how_many: int, fate: str, at: int, stumbles: bool) -> None:
        self.dies_at = at if fate == "killed in a handler" else -1
        self.stumbles_at = at if stumbles else -1
        self.world.does(self.handles(number, how_many, fate))
        self.dies_at = self.stumbles_at = -1

    async def handles(self, number: int, how_many: int, fate: str) -> None:
        start = self.read[number]
        messages = self.broker.partitions[number][start : start + how_many]
        events = [SimpleNamespace(message=message) for message in messages]
        try:
            await self.streams._handle(REPORTS, events)
        except Killed:
            return await self.a_process_starts()
        if fate == "killed after the commit":
            return await self.a_process_starts()
        self.read[number] += len(messages)

    @rule(number=st.integers(0, PARTITIONS - 1), back=st.integers(1, 8))
    def the_consumer_is_set_back(self, number: int, back: int) -> None:
        self.read[number] = max(0, self.read[number] - back)

    @rule(number=st.integers(0, PARTITIONS - 1), to=st.integers(0, PARTITIONS - 1), which=WHICH)
    def a_message_is_there_twice(self, number: int, to: int, which: int) -> None:
        """Somebody mirrors the topic, or its partitions became more: the same event at another place."""
        place = self.broker.partitions[number]
        if place:
            same = place[which % len(place)]
            self.broker.append(to, same.key, same.headers, same.value)

    @rule()
    def the_bug_is_mended_and_letters_are_replayed(self) -> None:
        self.unbearable.clear()
        self.world.does(self.replays())

    async def replays(self) -> None:
        run = self.world.run
        async with run.pool.acquire() as conn:
            for row in await dead_letters.waiting(conn, None, False, 1000):
                letter = await dead_letters.show(conn, row["id"])
                assert letter is not None
                await dead_letters.replay(conn, letter, run.ids.new(), run.clock.now())

    @invariant()
    def effect_audit_answer_and_inbox_are_there_together_or_not_at_all(self) -> None:
        counts = self.world.does(self.counted())
        assert counts <= {(0, 0, 0, 0), (1, 1, 1, 1)}, counts

    async def counted(self) -> set[tuple[int, int, int, int]]:
        """How often each report's effect, audit row, answer and inbox row are there."""
        rows = await self.world.run.pool.fetch(
            """
            select (select count(*) from seen where report_id = r),
                (select count(*) from audit where subject = r),
                (select count(*) from outbox where id = a),
                (select count(*) from inbox where event_id = e)
            from unnest($1::uuid[], $2::uuid[], $3::uuid[]) as x (r, e, a)
            """,
            list(self.causes),
            list(self.causes.values()),
            [uuid5(event_id, ANSWER) for event_id in self.causes.values()],
        )
        return {tuple(row) for row in rows}

    def teardown(self) -> None:
        """When the storms are over, everything has happened exactly once, and every answer reached the broker."""
        self.the_bug_is_mended_and_letters_are_replayed()
        for _ in range(2):
            self.the_relay_carries(None)
            for number, place in enumerate(self.broker.partitions):
                self.read[number] = 0
                self.the_reader_reads(number, len(place) or 1, "acknowledged", 1, False)
        self.the_relay_carries(None)
        assert self.world.does(self.counted()) <= {(1, 1, 1, 1)}
        answers = {uuid5(event_id, ANSWER) for event_id in self.causes.values()}
        assert answers == set(self.broker.others)
        assert 0 == self.world.does(
            self.world.run.pool.fetchval("select count(*) from dead_letter where replayed_at is null")
        )


def test_every_effect_and_every_answer_is_there_exactly_once_whatever_breaks(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A handler that fails on purpose again and again must not end this process."""
    monkeypatch.setattr(stream, "FAULTS_IN_A_ROW_MAX", 10**9)
    with world_of("toy", settings) as world:
        Ground.world = world
        play(Ground, runs=30, steps=40)
