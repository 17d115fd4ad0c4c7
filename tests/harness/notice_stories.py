"""What tests of notifications begin with: a small directory, facts of one case, a provider that does as told."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from contracts.alert import AlertRaised, AlertStoodDown, AlertUpdated, AreaWidened, Ring
from contracts.base import CaseId, Child, OrderId, Place, PlanId, Position, Sex, Tier, UnitId
from contracts.order import InterceptionOrdered, OrderStoodDown, Stop
from guitu.service import Runtime
from notifications import store_directory
from notifications.directory import ContactRow, Directory, SiteRow
from notifications.domain.delivery import Outcome
from notifications.providers.protocol import Callback, Capabilities, Channel, InboundSms, Outgoing, Thanks
from notifications.senders import one_sender
from notifications.service import settings_of

YUNYANG = "500235"
CASE = CaseId(UUID(int=0xCA5E))
UNIT = UnitId(UUID(int=0x0417))
SEAT = Position(lon=108.69, lat=30.93)
PHONES = [f"+4477009001{n:02}" for n in range(100)]


def site(number: int, km_north: float) -> SiteRow:
    """A made-up bus stop so many kilometres north of the county seat."""
    return SiteRow.model_validate(
        {
            "site_id": UUID(int=number),
            "category": "bus_station",
            "name_zh": f"{number}号站",
            "name_en": f"Stop {number}",
            "township_code": "500235001",
            "lon": SEAT.lon,
            "lat": SEAT.lat + km_north / 111.2,
            "region_code": YUNYANG,
            "exercise_ok": True,
        }
    )


def contact(number: int, site_number: int | None, order: int = 1, **more: Any) -> ContactRow:
    """A made-up contact with a reserved number of its own; of the unit if of no site."""
    fields = {
        "contact_id": UUID(int=1000 + number),
        "site_id": UUID(int=site_number) if site_number else None,
        "unit_id": None if site_number else UNIT,
        "role": "on_duty",
        "phone_e164": PHONES[number],
        "language": "zh",
        "order": order,
        "two_way": True,
        "url_ok": site_number is None,
        "voice": False,
        "exercise_list": True,
    }
    return ContactRow.model_validate(fields | more)


async def fill(run: Runtime, sites: list[SiteRow], contacts: list[ContactRow]) -> None:
    """Put a directory into an empty service."""
    async with run.pool.acquire() as conn, conn.transaction():
        await store_directory.put(conn, Directory(tuple(sites), tuple(contacts)), YUNYANG)


async def three_sites(run: Runtime) -> None:
    """Sites 1, 2, 3 at 1, 20 and 150 km, each with one contact; site 1 with a second; one unit."""
    await fill(
        run,
        [site(1, 1), site(2, 20), site(3, 150)],
        [contact(1, 1), contact(2, 2), contact(3, 3), contact(4, 1, 2), contact(5, None)],
    )


def with_a_carrier(run: Runtime) -> Runtime:
    """The service with one sender, for timers that ask whether anything can be sent at all."""
    run.state["senders"] = one_sender(Carrier(), settings_of(run))
    return run


def _body(at: datetime, version: int, radius_km: float, **more: Any) -> dict[str, Any]:
    return {
        "region_code": YUNYANG,
        "occurred_at": at,
        "case_id": CASE,
        "case_code": "CY-0472",
        "version": version,
        "tier": Tier.interception,
        "child": Child(sex=Sex.male, age_years=6, height_cm=115, appearance="红衣、蓝裤"),
        "last_seen_place": Place(position=SEAT, name="客运站"),
        "last_seen_at": at,
        "ring": Ring(step=0, center=SEAT, radius_km=radius_km, near_radius_km=5),
    } | more


def raised(at: datetime, radius_km: float = 100, **more: Any) -> AlertRaised:
    """The alert, version 1."""
    return AlertRaised(**_body(at, 1, radius_km, **more))


def widened(at: datetime, radius_km: float = 200, version: int = 2, **more: Any) -> AreaWidened:
    """The next ring."""
    return AreaWidened(**_body(at, version, radius_km, **more))


def updated(
    at: datetime, changed: tuple[str, ...] = ("child",), version: int = 2, **more: Any
) -> AlertUpdated:
    """A new picture."""
    child = Child(sex=Sex.male, age_years=6, height_cm=115, appearance="黄色雨衣")
    fields = _body(at, version, 100, **({"child": child} | more))
    return AlertUpdated(**fields, changed=changed, reason="a camera")


def stood_down(
    at: datetime, outcome: Literal["found", "false_alarm", "merged", "exercise_over"] = "found", **more: Any
) -> AlertStoodDown:
    """The end."""
    fields = {
        "region_code": YUNYANG,
        "occurred_at": at,
        "case_id": CASE,
        "case_code": "CY-0472",
        "version": 9,
        "outcome": outcome,
    }
    return AlertStoodDown(**(fields | more))


def ordered(at: datetime, order: int = 1) -> InterceptionOrdered:
    """An order to the unit."""
    stop = Stop(place_id=UUID(int=77), name_zh="北门卡点", name_en="North gate", position=SEAT)
    return InterceptionOrdered(
        region_code=YUNYANG,
        occurred_at=at,
        case_id=CASE,
        order_id=OrderId(UUID(int=order)),
        unit_id=UNIT,
        plan_id=PlanId(UUID(int=5)),
        case_code="CY-0472",
        stop=stop,
        arrive_by=at,
        unit_ready_at=at,
        earliest_arrival_at=at,
        margin_s=60,
        respond_by=at,
        reason="nearest",
        child_summary="男,6岁",
        page_path="/o/signed",
    )


def order_over(at: datetime, order: int = 1) -> OrderStoodDown:
    """The end of that order."""
    return OrderStoodDown(
        region_code=YUNYANG,
        occurred_at=at,
        case_id=CASE,
        order_id=OrderId(UUID(int=order)),
        unit_id=UNIT,
        reason="replanned",
        case_code="CY-0472",
        page_path="/o/signed",
    )


EVERYTHING = Capabilities(
    two_way=True,
    url_ok=True,
    client_ref=False,
    list_lookup=True,
    voice=False,
    template_only=False,
    max_segments=10,
    max_units=1600,
    visibility_lag_s=0,
    timeout_s=5,
)


@dataclass
class Carrier:
    """A far side in memory: keeps what it accepted and answers as the test tells it, `ok` if not told."""

    name: str = "carrier"
    channel: Channel = "sms"
    told: dict[str, Literal["ok", "lost_answer", "lost_request", "refused", "busy", "hang"]] = field(
        default_factory=dict
    )
    accepted: list[Outgoing] = field(default_factory=list)

    async def send(self, sms: Outgoing) -> Outcome:
        """Accept, or fail in the way the test chose for this number; each choice is used once."""
        how = self.told.pop(sms.to, "ok")
        if how == "hang":
            await asyncio.Event().wait()
        if how == "busy":
            return Outcome("rejected", code="20429", retry=True)
        if how == "refused":
            return Outcome("rejected", code="21211", reason="invalid number")
        if how == "lost_request":
            return Outcome("unknown", code="reset")
        self.accepted.append(sms)
        if how == "lost_answer":
            return Outcome("unknown", code="reset")
        return Outcome("accepted", self._id(sms), "queued", segments=1)

    async def lookup(self, sms: Outgoing, since: datetime, owned: Collection[str]) -> Outcome | None:
        """What is in the list is accepted; what is not is absent."""
        found = [item for item in self.accepted if (item.to, item.body) == (sms.to, sms.body)]
        return Outcome("accepted", self._id(found[0]), "sent", segments=1) if found else Outcome("absent")

    def capabilities(self, to: str) -> Capabilities:
        """Whatever is asked for."""
        return EVERYTHING

    def statuses(self, call: Callback) -> list[tuple[str, str, Outcome]]:
        """Callbacks go over HTTP tests with the real adapter."""
        raise NotImplementedError

    def inbound(self, call: Callback) -> list[InboundSms]:
        """Replies go over HTTP tests with the real adapter."""
        raise NotImplementedError

    def thanks(self, reply: str = "") -> Thanks:
        """Nobody hears it."""
        raise NotImplementedError

    def texts_to(self, phone: str) -> list[str]:
        """What this number got."""
        return [sms.body for sms in self.accepted if sms.to == phone]

    def _id(self, sms: Outgoing) -> str:
        return f"SM{self.accepted.index(sms):032x}"
