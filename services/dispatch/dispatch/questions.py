"""From what is stored to the question a planner answers; times become seconds after the child was last seen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from contracts.base import Place, SightingId, TravelMode
from dispatch.domain.orders import HELD_STATES, OrderState
from dispatch.domain.positions import units_now
from dispatch.domain.problem import MARGIN_S, ExitId, Held, Problem, Unit
from dispatch.domain.reach import origin_at
from dispatch.domain.replan import Sighting, origins_after
from dispatch.live import forbidden_of, manned_exits_s, pinned_again, pins_of, taken_back
from dispatch.models import County, OrderRow, Seen, UnitNow
from dispatch.models_live import Live
from dispatch.times import minute_of_day


class LastSeen(Protocol):
    """What a plan starts from: an alert that was raised, or one that somebody thinks of raising."""

    @property
    def last_seen_place(self) -> Place:
        """Where the child was last seen."""

    @property
    def last_seen_at(self) -> datetime:
        """When that was."""

    @property
    def suspected_mode(self) -> TravelMode:
        """How they are thought to travel."""


def question(
    county: County,
    alert: LastSeen,
    sightings: Sequence[Seen],
    units: Sequence[UnitNow],
    orders: Sequence[OrderRow],
    now: datetime,
    live: Live | None = None,
) -> Problem:
    """Everything the planner must know; `units` are those that no other case has.

    The county has the places by hand of the case's commands already (`live.with_places_by_hand`).
    """
    live = live or Live()
    network, zero = county.network, min(alert.last_seen_at, now)
    places = {place.place_id for place in county.places}
    seen_at = alert.last_seen_place.position
    last_seen = origin_at(network, seen_at.lon, seen_at.lat, 0.0, alert.suspected_mode)
    exits = frozenset(way_out.exit_id for way_out in county.exits)
    gone = taken_back(orders, county, units, live)
    stand = [row for row in orders if row.order_id not in gone]
    keep = tuple(_held(row, zero) for row in stand if row.state in HELD_STATES and row.place_id in places)
    kept_at = {held.unit_id: held.place_id for held in keep}
    pins = pins_of(live.commands, county.places)
    return Problem(
        network=network,
        origins=origins_after(last_seen, _hypotheses(county, sightings, zero, now)),
        now_s=(now - zero).total_seconds(),
        places=county.places,
        exits=county.exits,
        units=_units_now(county, units, now, live),
        keep=keep,
        excluded=frozenset(
            row.unit_id for row in orders if let_time_pass(row) and not pinned_again(row.order, live.commands)
        ),
        standing={row.unit_id: row.place_id for row in stand if row.state == OrderState.issued},
        closed_edges=live.roads.closed_edges,
        traffic=live.roads.traffic,
        # A unit that has intercepted stays with the child, whatever was commanded before.
        pins={unit_id: at for unit_id, at in pins.items() if kept_at.get(unit_id, at) == at},
        forbidden=forbidden_of(live.commands),
        manned_exits={ExitId(out): at_s for out, at_s in manned_exits_s(live, exits, zero).items()},
    )


def _units_now(county: County, units: Sequence[UnitNow], now: datetime, live: Live) -> tuple[Unit, ...]:
    return units_now(
        county.network,
        [unit.row for unit in units],
        live.states,
        now,
        minute_of_day(now),
        live.position_fresh_for,
        live.snap_max_m,
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
