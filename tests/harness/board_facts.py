"""Facts of many checkpoints on the broker, at a pace: what a board has to keep up with.

The case is a real one; its checkpoints here are made up, with units that nobody knows, so no phone rings. What the
dispatch service would say of them is said in its place, since its own planner never moves 2,000 units at 50 a second.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4, uuid5

from aiokafka import AIOKafkaProducer

from contracts import wire
from contracts.base import EventId, Fact, Position
from contracts.order import (
    CheckpointReported,
    InterceptionOrdered,
    OrderAccepted,
    OrderFact,
    Stop,
    UnitInPosition,
)
from guitu.settings import Settings

SEAT = (108.69, 30.93)
_NAMES = UUID("6f0d4c52-7a2e-5b8e-9b58-3d2f0a00b0a2")


@dataclass(frozen=True)
class Step:
    """One fact of one checkpoint: how the board will show it, and when the broker was given it."""

    row: str
    state: str
    sent_ms: float

    @property
    def shown_as(self) -> str:
        """What `board_watch` sees on the page."""
        return f"{self.row} {self.state}"


@dataclass
class Checkpoints:
    """The made-up checkpoints of a case, on a grid around the county seat."""

    case_id: str
    case_code: str
    count: int
    producer: AIOKafkaProducer
    region_code: str = "500235"
    answer_within: timedelta = timedelta(minutes=3)
    steps: list[Step] = field(default_factory=list)

    async def are_ordered(self) -> None:
        """Every checkpoint has its order, sent as fast as the broker takes them."""
        for number in range(self.count):
            await self._send(number, self._order(number), "issued")
        await self.producer.flush()

    async def move(self, per_s: float, facts: int, first: int = 0) -> Sequence[Step]:
        """Let checkpoints accept, arrive and see nothing, one after another, so many facts a second."""
        begun_s, sent = time.perf_counter(), []
        for number in range(first, first + facts):
            await asyncio.sleep(max(0.0, begun_s + (number - first) / per_s - time.perf_counter()))
            sent.append(await self.step(number))
        await self.producer.flush()
        return sent

    async def step(self, number: int) -> Step:
        """The `number`-th fact: round after round through all checkpoints, at most three each."""
        kinds: tuple[tuple[type[OrderFact], str], ...] = (
            (OrderAccepted, "accepted"),
            (UnitInPosition, "in_position"),
            (CheckpointReported, "nothing_seen"),
        )
        kind, state = kinds[number // self.count]
        which = number % self.count
        more = {"outcome": state, "stop": self._stop(which)} if kind is CheckpointReported else {}
        return await self._send(which, kind(**self._common(which), **more), state)

    async def _send(self, number: int, fact: Fact, state: str) -> Step:
        message = wire.encode(fact, EventId(uuid4()), "guitu/test")
        at_ms = time.time() * 1000
        await self.producer.send(
            message.topic, value=message.value, key=message.key.encode(), headers=message.headers
        )
        step = Step(f"order-{self._id('order', number)}", state, at_ms)
        self.steps.append(step)
        return step

    def _id(self, what: str, number: int) -> UUID:
        return uuid5(_NAMES, f"{self.case_id} {what} {number}")

    def _common(self, number: int) -> dict[str, Any]:
        return {
            "region_code": self.region_code,
            "exercise": False,
            "occurred_at": datetime.now(UTC),
            "case_id": self.case_id,
            "order_id": self._id("order", number),
            "unit_id": self._id("unit", number),
        }

    def _stop(self, number: int) -> Stop:
        place = Position(lon=SEAT[0] + number % 50 * 0.008 - 0.2, lat=SEAT[1] + number // 50 * 0.008 - 0.16)
        names = {"name_zh": f"测试卡点{number}", "name_en": f"Test gate {number}"}
        return Stop(place_id=self._id("place", number), position=place, **names)

    def _order(self, number: int) -> InterceptionOrdered:
        now = datetime.now(UTC)
        return InterceptionOrdered(
            **self._common(number),
            plan_id=self._id("plan", 0),
            case_code=self.case_code,
            stop=self._stop(number),
            arrive_by=now + timedelta(minutes=15),
            unit_ready_at=now + timedelta(minutes=12),
            earliest_arrival_at=now + timedelta(minutes=20),
            margin_s=480.0,
            respond_by=now + self.answer_within,
            reason="测试",
            child_summary="测试",
            page_path="/o/nobody",
        )


@asynccontextmanager
async def checkpoints(
    settings: Settings, case_id: str, case_code: str, count: int
) -> AsyncIterator[Checkpoints]:
    """Checkpoints of a case that is open; nothing is sent yet."""
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka, linger_ms=0)
    await producer.start()
    try:
        yield Checkpoints(case_id, case_code, count, producer)
    finally:
        await producer.stop()
