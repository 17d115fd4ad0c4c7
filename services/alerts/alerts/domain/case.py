"""The case (案件): how a report becomes one, and which moves its alert may make.

A case is open until it is stood down, and a stand-down is final. Every move makes the next version; nothing
else does.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import uuid5

from pydantic import BaseModel, ConfigDict

from alerts.domain.rings import DEFAULT_SCHEDULE, RingStep, first_step, ring_at
from contracts.alert import AlertRaised, AlertStoodDown, AlertUpdated, AreaWidened, Ring
from contracts.base import CaseId, Child, Moment, Place, RegionCode, ReportId, Tier, TravelMode
from contracts.report import ReportFiled

Circumstance = Literal["unknown", "lost", "runaway", "abduction"]
Outcome = Literal["found", "false_alarm", "merged", "exercise_over"]
CHILD_FIELDS = frozenset(Child.model_fields)


class Case(BaseModel):
    """A case as it stands: the newest picture, its version and, once closed, how it ended."""

    model_config = ConfigDict(frozen=True)

    id: CaseId
    region_code: RegionCode
    case_code: str
    exercise: bool
    report_id: ReportId
    state: Literal["open", "stood_down"] = "open"
    version: int = 1
    tier: Tier
    child: Child
    last_seen_place: Place
    last_seen_at: Moment
    circumstance: Circumstance
    suspected_mode: TravelMode
    vehicle: str
    companion: str
    note: str
    ring: Ring
    opened_at: Moment
    closed_at: Moment | None = None
    outcome: Outcome | None = None
    merged_into: CaseId | None = None
    close_reason: str = ""


class CaseClosed(Exception):
    """The alert was stood down; that is final."""


class OutcomeRefused(Exception):
    """This outcome does not fit the case; the text says why and what to do."""


def case_id_of(report_id: ReportId) -> CaseId:
    """The case of a report: the same report under another event id opens no second case."""
    return CaseId(uuid5(report_id, "case"))


def default_tier(circumstance: Circumstance) -> Tier:
    """An unknown circumstance counts as the worst: interception can be lowered, a lost hour can't be won back."""
    return Tier.search if circumstance in ("lost", "runaway") else Tier.interception


def open_case(
    report: ReportFiled,
    case_code: str,
    now: datetime,
    tier: Tier | None = None,
    schedule: Sequence[RingStep] = DEFAULT_SCHEDULE,
) -> Case:
    """A report becomes a case with an alert of version 1 and the ring that is due by now."""
    step = first_step(schedule, report.last_seen_at, now)
    center = report.last_seen_place.position
    return Case(
        id=case_id_of(report.report_id),
        region_code=report.region_code,
        case_code=case_code,
        exercise=report.exercise,
        report_id=report.report_id,
        tier=tier or default_tier(report.circumstance),
        child=report.child,
        last_seen_place=report.last_seen_place,
        last_seen_at=report.last_seen_at,
        circumstance=report.circumstance,
        suspected_mode=report.suspected_mode,
        vehicle=report.vehicle,
        companion=report.companion,
        note=report.note,
        ring=ring_at(step.step, step.radius_km, center, report.last_seen_at, now),
        opened_at=now,
    )


def with_tier(case: Case, tier: Tier) -> Case:
    """The next version with another tier; the same case if it has it already. Raises: CaseClosed."""
    _must_be_open(case)
    return case if tier == case.tier else next_version(case, tier=tier)


def with_fields(case: Case, fields: dict[str, Any], now: datetime) -> tuple[Case, tuple[str, ...]]:
    """The next version with these fields, and which of them changed; the same case if none did.

    Child's fields are named as in a report (`age_years`) and reported as `child.age_years`. A new place moves
    the ring's centre; the step it has reached stays. Raises: CaseClosed.
    """
    _must_be_open(case)
    child = case.child.model_copy(update={k: v for k, v in fields.items() if k in CHILD_FIELDS})
    rest = {name: value for name, value in fields.items() if name not in CHILD_FIELDS}
    draft = case.model_copy(update=rest | {"child": child})
    changed = changed_fields(case, draft, fields)
    if not changed:
        return case, ()
    ring = ring_at(
        case.ring.step, case.ring.radius_km, draft.last_seen_place.position, draft.last_seen_at, now
    )
    return next_version(draft, ring=ring), changed


def changed_fields(before: Case, after: Case, fields: dict[str, Any]) -> tuple[str, ...]:
    """Names of the fields that really differ, in order."""
    named = []
    for name in sorted(fields):
        if name in CHILD_FIELDS:
            if getattr(before.child, name) != getattr(after.child, name):
                named.append(f"child.{name}")
        elif getattr(before, name) != getattr(after, name):
            named.append(name)
    return tuple(named)


def widened(case: Case, step: int, radius_km: float, now: datetime) -> Case:
    """The next version with a wider ring. Raises: CaseClosed."""
    _must_be_open(case)
    center = case.last_seen_place.position
    return next_version(case, ring=ring_at(step, radius_km, center, case.last_seen_at, now))


def stood_down(
    case: Case, outcome: Outcome, reason: str, now: datetime, merged_into: CaseId | None = None
) -> Case:
    """The last version. The same end again changes nothing and gives the case back.

    Raises: CaseClosed for another end than the one it has; OutcomeRefused if the outcome does not fit.
    """
    if case.state == "stood_down" and (case.outcome, case.merged_into) == (outcome, merged_into):
        return case
    _must_be_open(case)
    if outcome == "exercise_over" and not case.exercise:
        raise OutcomeRefused("The case is real, not an exercise; end it as found or false_alarm.")
    return next_version(
        case,
        state="stood_down",
        outcome=outcome,
        merged_into=merged_into,
        close_reason=reason,
        closed_at=now,
    )


def next_version(case: Case, **changes: Any) -> Case:
    """The case, changed, one version on."""
    return case.model_copy(update=changes | {"version": case.version + 1})


def _must_be_open(case: Case) -> None:
    if case.state != "open":
        raise CaseClosed


def _picture(case: Case, now: datetime) -> dict[str, Any]:
    """What every alert but the last repeats."""
    return {
        "region_code": case.region_code,
        "exercise": case.exercise,
        "occurred_at": now,
        "case_id": case.id,
        "case_code": case.case_code,
        "version": case.version,
        "tier": case.tier,
        "child": case.child,
        "last_seen_place": case.last_seen_place,
        "last_seen_at": case.last_seen_at,
        "circumstance": case.circumstance,
        "suspected_mode": case.suspected_mode,
        "vehicle": case.vehicle,
        "ring": case.ring,
    }


def raised_fact(case: Case, now: datetime) -> AlertRaised:
    """Version 1, for everyone who starts to work from it."""
    return AlertRaised(**_picture(case, now), report_id=case.report_id)


def updated_fact(case: Case, changed: tuple[str, ...], reason: str, now: datetime) -> AlertUpdated:
    """A later version with what changed and why."""
    return AlertUpdated(**_picture(case, now), changed=changed, reason=reason)


def widened_fact(case: Case, now: datetime) -> AreaWidened:
    """A later version with the next ring."""
    return AreaWidened(**_picture(case, now))


def stood_down_fact(case: Case, now: datetime) -> AlertStoodDown:
    """The last version."""
    assert case.outcome is not None, "Only a closed case is stood down."
    return AlertStoodDown(
        region_code=case.region_code,
        exercise=case.exercise,
        occurred_at=now,
        case_id=case.id,
        case_code=case.case_code,
        version=case.version,
        outcome=case.outcome,
        merged_into=case.merged_into,
        reason=case.close_reason,
    )
