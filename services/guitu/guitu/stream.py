"""The one stream wrapper: from Kafka by Faust to a handler's committed effect, exactly once (rules 3 to 6).

Faust only dispatches. Events go into a bounded queue, are handled in batches of what is already there (one
transaction, never waiting for more), and are acknowledged in their order after the commit. No exception leaves
an agent: faust-streaming acknowledges the event of one that does, and the event is lost.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import faust
from faust.exceptions import ConsumerNotStarted
from structlog.contextvars import bound_contextvars

from contracts import wire
from contracts.base import Fact
from contracts.flow import TOPIC_BY_NAME, TOPIC_OF, Topic
from guitu import dead_letters, header_names, inbox, metrics
from guitu.logging import plain, told
from guitu.pg import TRANSIENT
from guitu.tx import Pending, Tx

if TYPE_CHECKING:
    from guitu.service import Reaction, Runtime

BATCH_EVENTS_MAX = 100
QUEUE_EVENTS_MAX = 400
ATTEMPTS_MAX = 40
PAUSE_S_MAX = 2.0
FAULTS_IN_A_ROW_MAX = 50
EXIT_STUCK = 70
EXIT_OUR_FAULT = 71


class FactRefused(Exception):
    """A handler's word for a fact that can't be acted on and is no fault of ours; the text says how to mend it."""


@dataclass(frozen=True)
class Arrived:
    """An event of Faust with what it says, or why it can't be read."""

    event: Any
    received: wire.Received | None
    trouble: wire.Unreadable | None = None


class Streams:
    """All topics that a service reads; one Faust agent a topic, at least once, in order."""

    def __init__(self, runtime: Runtime, reactions: Sequence[Reaction]) -> None:
        header_names.read_any()
        self._runtime = runtime
        self._reactions = {reaction.fact: reaction for reaction in reactions}
        self._queues: dict[str, asyncio.Queue[Any]] = {}
        self._names = f"guitu.{runtime.service}", f"guitu/{runtime.service}"
        self._faults_in_a_row = 0
        self.busy_since: float | None = None
        self.app = self._faust_app()
        for name in sorted({TOPIC_OF[reaction.fact].name for reaction in reactions}):
            self._read(TOPIC_BY_NAME[name])

    def _faust_app(self) -> faust.App:
        settings = self._runtime.settings
        datadir = settings.data_dir / "faust" / self._runtime.service
        datadir.mkdir(parents=True, exist_ok=True)
        return faust.App(
            f"guitu-{self._runtime.service}",
            broker=[f"kafka://{server}" for server in settings.kafka.split(",")],
            web_enabled=False,
            topic_disable_leader=True,
            topic_allow_declare=False,
            # The defaults leave a dead worker's partitions idle for a minute.
            broker_session_timeout=10.0,
            broker_heartbeat_interval=2.0,
            broker_commit_interval=0.5,
            broker_max_poll_records=500,
            stream_wait_empty=False,
            consumer_auto_offset_reset="earliest",
            store="memory://",
            datadir=str(datadir),
        )

    def _read(self, topic: Topic) -> None:
        queue: asyncio.Queue[Any] = asyncio.Queue(QUEUE_EVENTS_MAX)
        self._queues[topic.name] = queue
        source = self.app.topic(
            topic.name, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw"
        )

        async def dispatch(stream: Any) -> None:
            async for event in stream.noack().events():
                await queue.put(event)

        self.app.agent(source, name=f"{self._runtime.service}.{topic.name}")(dispatch)

    @property
    def group(self) -> str:
        """Under which name the broker keeps our offsets."""
        return str(self.app.conf.id)

    def assigned(self) -> list[tuple[str, int]]:
        """Topic and number of the partitions we read now; none while Faust is connecting."""
        try:
            return [(each.topic, each.partition) for each in self.app.consumer.assignment()]
        except ConsumerNotStarted:
            return []

    async def run(self) -> None:
        """Handle what the agents bring, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for name, queue in self._queues.items():
                group.create_task(self._work(TOPIC_BY_NAME[name], queue))

    async def _work(self, topic: Topic, queue: asyncio.Queue[Any]) -> None:
        loop = asyncio.get_running_loop()
        while True:
            events = [await queue.get()]
            while len(events) < BATCH_EVENTS_MAX and not queue.empty():
                events.append(queue.get_nowait())
            self.busy_since = loop.time()
            await self._handle(topic, events)
            for event in events:
                event.ack()
            self.busy_since = None

    async def _handle(self, topic: Topic, events: Sequence[Any]) -> None:
        arrived = [self._read_one(topic, event) for event in events if self._concerns_us(event)]
        good = [item for item in arrived if item.received]
        for item in arrived:
            if item.trouble:
                await self._refuse(topic, item, item.trouble.reason, item.trouble.detail)
        if not good:
            return
        try:
            await self._commit(topic, good)
        except Exception:
            for item in good:
                await self._commit_alone(topic, item)

    def _concerns_us(self, event: Any) -> bool:
        type_ = dict(_headers(event)).get("ce_type", b"").decode(errors="replace")
        known = {fact.type_ for fact in TOPIC_BY_NAME[event.message.topic].facts}
        return type_ not in known or any(fact.type_ == type_ for fact in self._reactions)

    def _read_one(self, topic: Topic, event: Any) -> Arrived:
        try:
            return Arrived(event, wire.decode(topic, _headers(event), event.message.value))
        except wire.Unreadable as trouble:
            return Arrived(event, None, trouble)

    async def _commit(self, topic: Topic, items: Sequence[Arrived]) -> None:
        """One transaction: inbox, effects, audit and outbox of all these events."""
        runtime, pending = self._runtime, Pending()
        now = runtime.clock.now()
        async with runtime.pool.acquire() as conn, conn.transaction():
            received = [item.received for item in items if item.received]
            new = await inbox.receive(conn, [r.event_id for r in received], now)
            fresh = _once(received, new)
            for item in fresh:
                await self._react(Tx(conn, now, runtime.ids, *self._names, item.event_id, pending), item)
            published = await Tx(conn, now, runtime.ids, *self._names, None, pending).flush()
        for item in fresh:
            case_id = getattr(item.fact, "case_id", None)
            told(runtime.log, "fact.handled", item.fact.type_, item.event_id, case_id)
        if published:
            await runtime.published(published)
        self._faults_in_a_row = 0
        self._count(topic, received, len(received))

    async def _react(self, tx: Tx, item: wire.Received) -> None:
        """One handler; whatever it logs carries the event and the case."""
        case_id = getattr(item.fact, "case_id", None)
        with bound_contextvars(event_id=str(item.event_id), case_id=str(case_id) if case_id else None):
            await self._reactions[type(item.fact)].handle(tx, item.fact)

    def _count(self, topic: Topic, received: Sequence[wire.Received], handled: int) -> None:
        metrics.EVENTS.labels(self._runtime.service, topic.name, "handled").inc(handled)
        metrics.BATCH.observe(handled)
        now = self._runtime.clock.now()
        for item in received:
            metrics.EFFECT_S.labels(self._runtime.service).observe(
                max(0.0, (now - item.time).total_seconds())
            )

    async def _commit_alone(self, topic: Topic, item: Arrived) -> None:
        """Transient trouble: try again, bounded, then stop consuming. Anything else: a dead letter."""
        assert item.received is not None
        pause_s = 0.05
        for _ in range(ATTEMPTS_MAX):
            try:
                return await self._commit(topic, [item])
            except TRANSIENT as error:
                self._runtime.log.warning("stream.waits", error=type(error).__name__, pause_s=pause_s)
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, PAUSE_S_MAX)
            except FactRefused as refused:
                return await self._refuse(topic, item, type(refused).__name__, plain(refused))
            except Exception as error:
                self._runtime.log.error(
                    "stream.failed",
                    error=type(error).__name__,
                    event_id=str(item.received.event_id),
                    exc_info=True,
                )
                self._count_fault()
                return await self._refuse(topic, item, type(error).__name__, plain(error))
        self._stop(EXIT_STUCK, "The database did not answer; the supervisor starts this process again.")

    async def _refuse(self, topic: Topic, item: Arrived, reason: str, detail: str) -> None:
        """Set the message aside with its reason and original bytes; only then may it be acknowledged.

        However many come, what others write wrongly never stops the reader: it would read the same again.
        """
        pause_s = 0.05
        for _ in range(ATTEMPTS_MAX):
            try:
                await dead_letters.bury(
                    self._runtime, topic, item.event.message, _headers(item.event), reason, detail
                )
                metrics.DEAD_LETTERS.labels(self._runtime.service, topic.name, reason).inc()
                return
            except TRANSIENT:
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, PAUSE_S_MAX)
        self._stop(EXIT_STUCK, "A dead letter could not be stored.")

    def _count_fault(self) -> None:
        """Handlers that fail for every fact are our bug: stop, before all that waits is set aside."""
        self._faults_in_a_row += 1
        if self._faults_in_a_row > FAULTS_IN_A_ROW_MAX:
            self._stop(EXIT_OUR_FAULT, f"{FAULTS_IN_A_ROW_MAX} facts in a row could not be handled.")

    def _stop(self, code: int, why: str) -> None:
        self._runtime.log.error("stream.stops", why=why, exit_code=code)
        os._exit(code)


def _once(received: Sequence[wire.Received], new: set[UUID]) -> list[wire.Received]:
    """The events that are new, in their order; one that comes twice in a batch counts the first time."""
    once: dict[UUID, wire.Received] = {}
    for item in received:
        if item.event_id in new:
            once.setdefault(item.event_id, item)
    return list(once.values())


def _headers(event: Any) -> list[tuple[str, bytes]]:
    headers = event.message.headers or []
    pairs = headers.items() if isinstance(headers, dict) else headers
    return [(str(name), bytes(value or b"")) for name, value in pairs]


def fact_types(reactions: Sequence[Reaction]) -> set[type[Fact]]:
    """The facts a service reacts to; the diagram's arrows."""
    return {reaction.fact for reaction in reactions}
