"""The laboratory's worklist over HTTP: what to do next, the most overdue first."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel

from dna_intake import store_worklist
from dna_intake.access import Reader
from dna_intake.domain.clocks import MISSING_EN, MISSING_ZH, NEXT_EN, NEXT_ZH, SEAL_EN, SEAL_ZH
from dna_intake.domain.custody import State
from dna_intake.models import SpecimenShown
from dna_intake.shown import shown
from guitu.service import Runtime

TimedState = Literal[
    "registered",
    "collected",
    "received",
    "extracted",
    "quantified",
    "amplified",
    "typed",
    "quality_checked",
    "rejected",
    "withdrawn",
]


class WorkItem(SpecimenShown):
    """A specimen with what to do next; `late_min` counts minutes after its clock ran out, else 0."""

    overdue: bool
    late_min: int
    held_by_shipment: UUID | None
    next_en: str
    next_zh: str


class StepCount(BaseModel):
    """How many specimens wait in a state, and how many of them too long."""

    state: State
    waiting: int
    overdue: int


class Worklist(BaseModel):
    """What waits for the laboratory at a moment."""

    at: AwareDatetime
    steps: list[StepCount]
    specimens: list[WorkItem]


def worklist_router(runtime: Runtime) -> APIRouter:
    """What to do next."""
    router = APIRouter(tags=["worklist"])

    @router.get("/worklist")
    async def worklist(
        p: Reader,
        state: TimedState | None = None,
        overdue_only: bool = False,
        limit: Annotated[int, Query(ge=1, le=500)] = 200,
    ) -> Worklist:
        """The specimens that wait for a step, the most overdue first; counts are of the whole region."""
        now = runtime.clock.now()
        async with runtime.read(region=p.region_code) as conn:
            counts = await store_worklist.counts(conn, now)
            found = await store_worklist.waiting(conn, state, now, limit, overdue_only=overdue_only)
        order = {name: place for place, name in enumerate(NEXT_EN)}
        steps = [StepCount(**c._asdict()) for c in sorted(counts, key=lambda c: order[c.state])]
        return Worklist(at=now, steps=steps, specimens=[_item(waiting, now) for waiting in found])

    return router


def _item(waiting: store_worklist.Waiting, now: AwareDatetime) -> WorkItem:
    row = waiting.row
    assert row.due_at is not None, "What waits has a clock."
    late_s = max(0.0, (now - row.due_at).total_seconds())
    next_en, next_zh = _next(waiting)
    return WorkItem(
        **shown(row).model_dump(),
        overdue=row.due_at <= now,
        late_min=int(late_s // 60),
        held_by_shipment=waiting.held_by,
        next_en=next_en,
        next_zh=next_zh,
    )


def _next(waiting: store_worklist.Waiting) -> tuple[str, str]:
    match waiting.held_as:
        case "missing":
            return MISSING_EN, MISSING_ZH
        case "seal_refused":
            return SEAL_EN, SEAL_ZH
        case _:
            return NEXT_EN[waiting.row.state], NEXT_ZH[waiting.row.state]
