"""A plan that nobody was told of, as staff read it: prices of commands and previews of alerts show the same."""

from __future__ import annotations

from datetime import datetime, timedelta

from dispatch.domain.problem import Plan
from dispatch.domain.sentences import sentence
from dispatch.models import County
from dispatch.models_live import AssignmentOutline, ExitOutline, PlanOutline


def outline_of(plan: Plan, county: County, zero: datetime) -> PlanOutline:
    """What the plan would be worth; its times count from `zero`. The county has the places by hand."""
    return PlanOutline(
        closed_exits=len(plan.closed_exits),
        open_exits=_open_exits(plan, county, zero),
        assignments=_assignments(plan, county, zero),
        units_free=len(plan.free_units),
        intercepted=plan.value,
    )


def _open_exits(plan: Plan, county: County, zero: datetime) -> list[ExitOutline]:
    exits = {way_out.exit_id: way_out for way_out in county.exits}
    return [
        ExitOutline(
            exit_id=one.exit_id,
            name_zh=exits[one.exit_id].name_zh,
            name_en=exits[one.exit_id].name_en,
            earliest_arrival_at=zero + timedelta(seconds=one.earliest_arrival_s),
            reason_zh=sentence(one.reason, "zh"),
            reason_en=sentence(one.reason, "en"),
        )
        for one in sorted(plan.open_exits, key=lambda one: one.earliest_arrival_s)
    ]


def _assignments(plan: Plan, county: County, zero: datetime) -> list[AssignmentOutline]:
    places = {place.place_id: place for place in county.places}
    return [
        AssignmentOutline(
            unit_id=one.unit_id,
            place_id=one.place_id,
            place_zh=places[one.place_id].name_zh,
            place_en=places[one.place_id].name_en,
            ready_at=zero + timedelta(seconds=one.eta_s),
            in_time=one.in_time,
            reason_zh=sentence(one.reason, "zh"),
            reason_en=sentence(one.reason, "en"),
        )
        for one in plan.assignments
    ]
