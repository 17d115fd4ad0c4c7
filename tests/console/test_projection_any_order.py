"""Any order of arrival, with doubles, gives the same rows as the order in which things happened. GUITU_FAULT_SEED."""

from __future__ import annotations

import os
import random
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest_asyncio

from console.projection.agents import REACTIONS
from contracts import notice, order
from contracts.base import Fact
from contracts.dna import CustodyMoved, SampleRegistered
from guitu.service import Runtime
from harness.console_stories import YUNYANG, CaseStory, RuntimeFor
from harness.ground import START, react

SEED = int(os.environ.get("GUITU_FAULT_SEED", "20260307"))
WAYS = 40
TABLES = (
    *("case_line", "plan_line", "order_line", "aid_line", "delivery_line", "sighting_line", "dna_line"),
    *("specimen_line", "timeline"),
)


@pytest_asyncio.fixture
async def run(runtime_for: RuntimeFor) -> AsyncIterator[Runtime]:
    yield await runtime_for("console")


def happened() -> list[Fact]:
    """A case in which everything that can happen again happens again, in the order of its times."""
    story = CaseStory(START, "any order")
    until = {"notice_kind": "nil_report", "channel": "sms"}
    specimen: dict[str, Any] = {"region_code": YUNYANG, "specimen_id": story.id("specimen")}
    return [
        story.raised(),
        SampleRegistered(**specimen, occurred_at=START, category="parent_of_missing_child"),
        CustodyMoved(**specimen, occurred_at=START, from_state="registered", to_state="collected"),
        story.planned(1, 1, exits=3),
        story.ordered(1),
        story.told(notice.NoticeQueued, 1),
        story.told(notice.NoticeAccepted, 1.5),
        story.told(notice.NoticeFailed, 2, code="30003", reason="Unreachable"),
        story.told(notice.NoticeFailed, 3),
        story.told(notice.NoticeEscalated, 4),
        story.told(notice.NoticeEscalated, 5, to="command_centre"),
        story.moved(order.OrderOverdue, 5, respond_by=START, reassigned_to=None),
        story.moved(order.OrderAccepted, 6),
        story.told(notice.NoticeAcknowledged, 6.5),
        story.moved(order.UnitInPosition, 7),
        story.updated(8, 2),
        story.planned(9, 2, exits=1),
        story.seen(10),
        story.judged(11, "uncertain"),
        story.judged(12, "credible"),
        story.moved(order.CheckpointReported, 13, outcome="nothing_seen", stop=story.stop("1")),
        story.moved(order.CheckpointReported, 14, outcome="intercepted", stop=story.stop("1")),
        story.told(notice.NoticeNilReported, 20, seen_nothing_until=START + timedelta(minutes=20), **until),
        story.told(notice.NoticeNilReported, 30, seen_nothing_until=START + timedelta(minutes=30), **until),
        story.sample_due(21),
        story.sample_due(22),
        story.stood_down(40),
    ]


async def rows_after(run: Runtime, told: Sequence[tuple[Fact, UUID]]) -> dict[str, list[Any]]:
    """What all tables hold once the facts have come in that order, on empty tables."""
    for table in (*TABLES, "inbox", "change"):
        await run.pool.execute(f"delete from {table}")
    for fact, event_id in told:
        await react(run, REACTIONS, fact, event_id)
    return {table: await _rows(run.pool, table) for table in TABLES}


async def _rows(pool: asyncpg.Pool, table: str) -> list[Any]:
    rows = await pool.fetch(
        f"select to_jsonb(t) - 'seq' as line from {table} t order by (to_jsonb(t) - 'seq')::text"
    )
    return [row["line"] for row in rows]


async def test_any_order_with_doubles_gives_the_rows_of_the_right_order(run: Runtime) -> None:
    chance, in_order = random.Random(SEED), [(fact, uuid4()) for fact in happened()]
    right = await rows_after(run, in_order)

    for way in range(WAYS):
        told = in_order + chance.sample(in_order, len(in_order) // 3)
        chance.shuffle(told)
        assert right == await rows_after(run, told), f"GUITU_FAULT_SEED={SEED}, way {way}"

    assert all(right[table] for table in TABLES if table != "aid_line")
