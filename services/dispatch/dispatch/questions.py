"""From what is stored to the question a planner answers; times become seconds after the child was last seen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

from contracts.alert import AlertBody
from contracts.base import SightingId
from dispatch.domain.orders import HELD_STATES, OrderState
from dispatch.domain.problem import MARGIN_S, Held, Problem
from dispatch.domain.reach import origin_at
from dispatch.domain.replan import Sighting, origins_after
from dispatch.domain.rows import units_of
from dispatch.models import County, OrderRow, Seen, UnitNow

BEIJING = timezone(timedelta(hours=8))


def question(
    county: County,
    alert: AlertBody,
    sightings: Sequence[Seen],
    units: Sequence[UnitNow],
    orders: Sequence[OrderRow],
    now: datetime,
) -> Problem:
    """Everything the planner must know; `units` are those that no other case has."""
    network, zero = county.network, min(alert.last_seen_at, now)
    places = {place.place_id for place in county.places}
    seen_at = alert.last_seen_place.position
    last_seen = origin_at(network, seen_at.lon, seen_at.lat, 0.0, alert.suspected_mode)
    known = [unit.row for unit in units if unit.row.base_node in network.index]
    local = now.astimezone(BEIJING)
    on_duty = units_of(known, network, local.hour * 60 + local.minute)
    return Problem(
        network=network,
        origins=origins_after(last_seen, _hypotheses(county, sightings, zero, now)),
        now_s=(now - zero).total_seconds(),
        places=county.places,
        exits=county.exits,
        units=on_duty,
        keep=tuple(_held(row, zero) for row in orders if row.state in HELD_STATES and row.place_id in places),
        excluded=frozenset(row.unit_id for row in orders if let_time_pass(row)),
        standing={row.unit_id: row.place_id for row in orders if row.state == OrderState.issued},
    )


def let_time_pass(row: OrderRow) -> bool:
    """A unit that did not answer this order gets no other one of the case."""
    return (
        row.order.entered_at(OrderState.overdue) is not None
        and row.order.entered_at(OrderState.accepted) is None
    )


def _hypotheses(
    county: County, sightings: Sequence[Seen], zero: datetime, now: datetime
) -> tuple[Sighting, ...]:
    """Sightings after the child was last seen; one from the future was seen now by a fast clock."""
    return tuple(
        Sighting(
            SightingId(seen.sighting_id),
            origin_at(
                county.network, seen.lon, seen.lat, (min(seen.seen_at, now) - zero).total_seconds(), seen.mode
            ),
            seen.verdict,
        )
        for seen in sightings
        if seen.seen_at >= zero
    )


def _held(row: OrderRow, zero: datetime) -> Held:
    """A unit on its way is sure to stand there after its margin; one in position does."""
    promised = row.unit_ready_at + timedelta(seconds=MARGIN_S)
    stands_at = row.order.entered_at(OrderState.in_position)
    manned_at = min(promised, stands_at) if stands_at else promised
    return Held(row.unit_id, row.place_id, (manned_at - zero).total_seconds())
