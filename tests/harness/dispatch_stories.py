"""Facts that dispatch reads, about nobody real, and a county to plan on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

from contracts.alert import AlertRaised, AlertStoodDown, AlertUpdated, Ring
from contracts.base import CaseId, Child, Place, Position, Sex, SightingId, Tier, TravelMode
from contracts.order import InterceptionOrdered
from contracts.sighting import SightingAssessed, SightingReported
from dispatch.agents import reactions
from dispatch.seed import seed
from dispatch.settings import DispatchSettings, dispatch_settings
from guitu.service import Runtime
from harness.ground import START, facts, react

COUNTY_SEAT = Position(lon=108.71044, lat=30.92624)
WEST = Position(lon=108.50, lat=30.95)
_IDS = UUID("6f1c2a0e-5f2b-4d0c-9b39-0a2f6c9f3d11")


def an_id(name: str) -> UUID:
    """The same id for the same name."""
    return uuid5(_IDS, name)


def raised(case: str = "one", kind: type[Any] = AlertRaised, **changed: Any) -> Any:
    """An alert about a fictional child, last seen at the county seat five minutes before the start."""
    fields: dict[str, Any] = {
        "region_code": "500235",
        "occurred_at": START,
        "case_id": CaseId(an_id(case)),
        "case_code": "YY-0001",
        "version": 1,
        "tier": Tier.interception,
        "child": Child(sex=Sex.female, age_years=6, height_cm=118, appearance="红色外套 red coat"),
        "last_seen_place": Place(position=COUNTY_SEAT),
        "last_seen_at": START - timedelta(minutes=5),
        "suspected_mode": TravelMode.unknown,
        "ring": Ring(step=0, center=COUNTY_SEAT, radius_km=100),
    }
    if kind is AlertUpdated:
        fields |= {"changed": (), "reason": "a drill of the tests"}
    return kind(**(fields | changed))


def stood_down(case: str = "one", **changed: Any) -> AlertStoodDown:
    """The case's end."""
    fields: dict[str, Any] = {
        "region_code": "500235",
        "occurred_at": START,
        "case_id": CaseId(an_id(case)),
        "case_code": "YY-0001",
        "version": 9,
        "outcome": "found",
    }
    return AlertStoodDown(**(fields | changed))


def sighting(name: str = "seen", case: str = "one", **changed: Any) -> SightingReported:
    """Somebody saw the child in the west, at the start."""
    fields: dict[str, Any] = {
        "region_code": "500235",
        "occurred_at": START,
        "case_id": CaseId(an_id(case)),
        "sighting_id": SightingId(an_id(name)),
        "seen_at": START,
        "place": Place(position=WEST),
        "channel": "sms",
    }
    return SightingReported(**(fields | changed))


def assessed(verdict: Any, name: str = "seen", case: str = "one") -> SightingAssessed:
    """What a person thinks of it."""
    return SightingAssessed(
        region_code="500235",
        occurred_at=START,
        case_id=CaseId(an_id(case)),
        sighting_id=SightingId(an_id(name)),
        verdict=verdict,
    )


class Dispatch:
    """The service on a real database, told facts as the stream wrapper tells them."""

    def __init__(self, run: Runtime) -> None:
        self.run = run
        self.reactions = reactions(lambda: dispatch_settings(run.settings))

    async def hears(self, *told: Any) -> None:
        """Facts arrive, each in a transaction of its own."""
        for fact in told:
            assert await react(self.run, self.reactions, fact)

    async def said(self, kind: type[Any]) -> list[Any]:
        """The facts of a kind that it published so far."""
        return await facts(self.run, kind)

    async def orders(self) -> list[InterceptionOrdered]:
        """The orders it gave."""
        return await self.said(InterceptionOrdered)

    async def states(self) -> dict[str, int]:
        """How many orders are in each state."""
        rows = await self.run.pool.fetch("select state, count(*) as n from interception_order group by state")
        return {row["state"]: row["n"] for row in rows}


async def dispatch_in_yunyang(runtime_for: Callable[[str], Awaitable[Runtime]]) -> Dispatch:
    """Dispatch with the schematic network of the county loaded."""
    run = await runtime_for("dispatch")
    # A test's clock stands still, and a second look would wait for it.
    run.settings = DispatchSettings(**run.settings.model_dump(), second_look_after_s=0)
    await seed(run)
    return Dispatch(run)
