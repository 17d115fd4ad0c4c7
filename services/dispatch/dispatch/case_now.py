"""A case with everything that its plan depends on, read in one place for the first look and for the second."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from contracts.base import OrderId
from dispatch import store
from dispatch.counties import county_of
from dispatch.domain.problem import Problem
from dispatch.domain.reach import Origin, origin_at
from dispatch.live import live_of, taken_back, with_places_by_hand
from dispatch.models import Case, County, OrderRow, Seen
from dispatch.questions import question
from dispatch.settings import DispatchSettings


@dataclass(frozen=True, eq=False)
class CaseNow:
    """`county` has the places by hand; `gone` are open orders that cannot stand, each with why."""

    case: Case
    county: County
    orders: tuple[OrderRow, ...]
    sightings: tuple[Seen, ...]
    problem: Problem
    gone: dict[OrderId, str]
    at: datetime

    @property
    def zero(self) -> datetime:
        """Second 0 of the problem's times: when the child was last seen, or now where a clock is ahead."""
        assert self.case.alert is not None, "Only a case with an alert is read here."
        return min(self.case.alert.last_seen_at, self.at)

    def last_seen(self) -> Origin:
        """The place and time that the alert names, in the way of travelling that it suspects."""
        assert self.case.alert is not None, "Only a case with an alert is read here."
        at = self.case.alert.last_seen_place.position
        return origin_at(self.county.network, at.lon, at.lat, 0.0, self.case.alert.suspected_mode)


async def case_now(
    conn: asyncpg.Connection,
    case: Case,
    orders: Sequence[OrderRow],
    now: datetime,
    settings: DispatchSettings,
) -> CaseNow | None:
    """Read it, with these orders; None if the region has no network yet."""
    assert case.alert is not None, "A case without an alert has nothing to plan."
    county = await county_of(conn, case.region_code)
    if county is None:
        return None
    units = await store.units_free_for(conn, case.region_code, case.case_id)
    sightings = await store.sightings(conn, case.case_id)
    live = await live_of(conn, case.case_id, case.region_code, county, now, settings)
    county = with_places_by_hand(county, live.commands)
    problem = question(county, case.alert, sightings, units, orders, now, live)
    gone = taken_back(orders, county, units, live)
    return CaseNow(case, county, tuple(orders), tuple(sightings), problem, gone, now)
