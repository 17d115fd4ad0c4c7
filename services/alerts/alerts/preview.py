"""What a report would become, told before it is filed; nothing is stored, no number is drawn, nobody is told."""

from __future__ import annotations

from typing import Any

import asyncpg

from alerts.domain import case as cases
from alerts.domain.case import Case
from alerts.domain.rings import due_at
from alerts.handlers import check_report, likely_duplicates
from alerts.models import DuplicateOut
from alerts.models_preview import PreviewOut, RingOut
from alerts.settings import AlertSettings
from contracts.base import Tier
from contracts.report import ReportFiled

CODE_OF_NONE = "GT-0000"
"""A case that is not opened has no code; the domain wants one."""


async def of_report(
    conn: asyncpg.Connection, report: ReportFiled, tier: Tier | None, settings: AlertSettings
) -> PreviewOut:
    """Tier, ring, the rings to come and who may be the same child. Raises: Problem 422, as the report would."""
    check_report(report, settings, report.occurred_at)
    case = cases.open_case(report, CODE_OF_NONE, report.occurred_at, tier, settings.ring_schedule)
    return PreviewOut(
        region_code=case.region_code,
        tier=case.tier,
        ring=case.ring.model_dump(mode="json"),
        rings=_rings(case, settings),
        exercise=case.exercise,
        told=_told(case),
        possible_duplicates=[
            DuplicateOut(case_id=e.case.id, case_code=e.case.case_code, score=e.score, why=e.why)
            for e in await likely_duplicates(conn, case)
        ],
    )


def _rings(case: Case, settings: AlertSettings) -> list[RingOut]:
    return [
        RingOut(
            step=each.step,
            radius_km=each.radius_km,
            due_at=due_at(each, case.last_seen_at),
            at_once=each.step <= case.ring.step,
        )
        for each in settings.ring_schedule
    ]


def _told(case: Case) -> dict[str, Any]:
    """What the others would read: the family's names are replaced in it already."""
    return {
        "child": case.child.model_dump(mode="json"),
        "last_seen_place": case.last_seen_place.model_dump(mode="json"),
        "last_seen_at": case.last_seen_at,
        "vehicle": case.vehicle,
    }
