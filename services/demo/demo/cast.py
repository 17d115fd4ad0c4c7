"""The people of the story: each does what that person does, over HTTP, and waits with a bound for what is due."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from demo.case import Case, Json
from demo.laboratory import Laboratory, Registry
from demo.paper import Page
from demo.phonebook import Phonebook, phonebook
from demo.stage import Refused, Stage
from demo.waiting import LOOK_DEADLINE_S, SENT_DEADLINE_S, eventually
from notifications.directory import SiteRow

_LINK = re.compile(r"https?://\S+")
STAND_DOWN_WORDS = ("协查解除", "Stand down", "指令解除", "order over")
MESSAGES_MAX = 10_000
NOT_FOUND = 404
UNITS_AT_ONCE = 8
ORDER_OVER = ("stood_down", "stand_down_acknowledged", "reassigned")


class CommandCentre:
    """An operator of the command centre (指挥中心)."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    async def raises_alert(
        self, place: SiteRow, *, minutes_ago: float = 15, key: str = "", **more: Any
    ) -> Case:
        """File a report of a child last seen at `place`; returns when the alert is stored."""
        at = self._stage.now()
        body = {
            "last_seen_place": {"position": {"lon": place.lon, "lat": place.lat}, "name": place.name_zh},
            "last_seen_at": (at - timedelta(minutes=minutes_ago)).isoformat(),
            "sex": "female",
            "age_years": 6,
            "height_cm": 116,
            "appearance": "红色羽绒服,蓝色书包,短发",
        } | more
        headers = {"Idempotency-Key": key or str(uuid4())}
        answer = await self._stage.ask(
            "alerts", "POST", "/reports", role="operator", json=body, headers=headers
        )
        return Case(answer["case_id"], answer["case_code"], at, answer)

    async def status(self, case: Case) -> Json:
        """The live status of the case."""
        return dict(await self._stage.ask("alerts", "GET", f"/cases/{case.case_id}", role="operator"))

    async def cases(self) -> list[Json]:
        """The newest cases of the region."""
        return list(await self._stage.ask("alerts", "GET", "/cases?limit=500", role="operator"))

    async def open_cases(self) -> list[Json]:
        """The region's cases that are not over."""
        return list(await self._stage.ask("alerts", "GET", "/cases?open=true&limit=500", role="operator"))

    async def stands_down(self, case: Case, outcome: str = "found", reason: str = "") -> Json:
        """End the alert."""
        path, body = f"/cases/{case.case_id}/stand-down", {"outcome": outcome, "reason": reason}
        return dict(await self._stage.ask("alerts", "POST", path, role="operator", json=body))

    async def orders(self, case: Case) -> list[Json]:
        """All orders of the case, whatever their state."""
        found = await self._stage.ask(
            "dispatch", "GET", "/orders", role="operator", params={"case_id": case.case_id}
        )
        return list(found["orders"])

    async def new_orders(self, case: Case) -> list[Json]:
        """Orders that wait for their unit's answer."""
        return [each for each in await self.orders(case) if each["state"] == "issued"]

    async def all_orders_over(self, case: Case) -> None:
        """Wait until no unit is bound by the case any more."""

        async def look() -> bool:
            return all(
                each["state"] in ORDER_OVER or each["stand_down_reason"] for each in await self.orders(case)
            )

        await eventually(look, f"end of all orders of {case.code}")

    async def plan(self, case: Case, *, at_least: int = 1, trigger: str = "") -> Json:
        """The newest plan, waiting until its number is `at_least` so much; with a trigger, the first since then."""

        async def look() -> Json | None:
            newest = await self._plan(case)
            if newest is None or newest["plan"]["plan_number"] < at_least:
                return None
            if not trigger:
                return newest
            for number in range(at_least, newest["plan"]["plan_number"] + 1):
                found = await self._plan(case, number)
                if found and found["plan"]["trigger"] == trigger:
                    return found
            return None

        return await eventually(look, f"plan {at_least} {trigger} of {case.code}".replace("  ", " "))

    async def weighed_plan(self, case: Case) -> Json:
        """The newest plan, once it had its second look: who was to be sent for it has an order."""

        async def look() -> Json | None:
            newest = await self._plan(case)
            return newest if newest and newest["plan"]["figures"] else None

        awaited = f"second look at the plan of {case.code}"
        return await eventually(look, awaited, deadline_s=LOOK_DEADLINE_S)

    async def _plan(self, case: Case, number: int | None = None) -> Json | None:
        params: Json = {"case_id": case.case_id} | ({"number": number} if number else {})
        try:
            return dict(await self._stage.ask("dispatch", "GET", "/plans", role="operator", params=params))
        except Refused as refused:
            if refused.status == NOT_FOUND:
                return None
            raise

    async def notices(self, case: Case) -> list[Json]:
        """Every delivery of the case, with its times."""
        params = {"case_id": case.case_id, "limit": MESSAGES_MAX}
        found = await self._stage.ask("notifications", "GET", "/notices", role="operator", params=params)
        return list(found["deliveries"])

    async def all_notices_sent(self, case: Case, kinds: tuple[str, ...], at_least: int = 1) -> list[Json]:
        """Wait until there are deliveries of each of these kinds and a provider has all of them.

        `at_least` is how many of the last kind there must be: orders become SMS one by one.
        """

        async def look() -> list[Json]:
            return [each for each in await self.notices(case) if each["kind"] in kinds]

        def is_sent(found: list[Json]) -> bool:
            count = Counter(each["kind"] for each in found)
            return (
                set(count) == set(kinds)
                and count[kinds[-1]] >= at_least
                and all(each["accepted_at"] or each["state"] == "cancelled" for each in found)
            )

        return await eventually(
            look,
            f"{', '.join(kinds)} SMS of {case.code} accepted",
            deadline_s=SENT_DEADLINE_S,
            is_there=is_sent,
        )


class Phones:
    """All phones of the story: what they got, and what their owners type."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    async def got(self, case: Case, phone: str = "") -> list[Json]:
        """Texts about a case, oldest first; `phone` narrows them to one."""
        params: dict[str, str | int] = {
            "containing": case.code,
            "limit": MESSAGES_MAX,
            "after_seq": self._stage.texts_before,
        }
        if phone:
            params["to"] = phone
        found = await self._stage.ask("sms-simulator", "GET", "/simulator/messages", params=params)
        return list(found["messages"])

    async def types(self, phone: str, text: str) -> None:
        """Send a text from a phone to whoever wrote to it last."""
        await self._stage.ask(
            "sms-simulator", "POST", "/simulator/inbound", json={"from": phone, "body": text}
        )


class Unit:
    """A police unit with an order on its phone (卡点警力)."""

    def __init__(self, stage: Stage, phone: str, link: str) -> None:
        self._stage = stage
        self.phone = phone
        self.link = link

    async def page(self) -> Page:
        """Follow the link of the SMS."""
        return await Page.open(self._stage.http, self.link)

    async def presses(self, button: str) -> Page:
        """Open the order page and press accept, in-position, nothing-seen, intercepted or stand-down-ack."""
        return await (await self.page()).press(button)


class Police:
    """All units of the county; they know of an order only what their phones say."""

    def __init__(self, stage: Stage, book: Phonebook) -> None:
        self._stage = stage
        self._phones = Phones(stage)
        self._book = book

    async def ordered(self, case: Case) -> list[Unit]:
        """The units whose phones have an order of the case, in the order the SMS came."""
        return [Unit(self._stage, sms["to"], link) for sms, link in await self._order_texts(case)]

    async def unit_with(self, case: Case, order: Json) -> Unit:
        """Wait until the ordered unit's phone has the SMS of this very order."""
        phone = self._book.phone_of_unit(UUID(order["unit_id"]))
        place = order["stop"]["name_zh"]

        async def look() -> Unit | None:
            texts = await self._order_texts(case, phone)
            return next(
                (Unit(self._stage, phone, link) for sms, link in reversed(texts) if place in sms["text"]),
                None,
            )

        return await eventually(look, f"order SMS of {case.code} for {place}")

    async def _order_texts(self, case: Case, phone: str = "") -> list[tuple[Json, str]]:
        found = []
        for sms in await self._phones.got(case, phone):
            link = _LINK.search(sms["text"])
            is_over = any(word in sms["text"] for word in STAND_DOWN_WORDS)
            if self._book.is_unit(sms["to"]) and link and "/o/" in link[0] and not is_over:
                found.append((sms, link[0]))
        return found


class Terminal:
    """Duty staff of one site: a bus station, ferry terminal or hotel (汽车站、航运码头、宾馆)."""

    def __init__(self, stage: Stage, site: SiteRow, phone: str) -> None:
        self._stage = stage
        self._phones = Phones(stage)
        self.site = site
        self.phone = phone

    async def expects_sms(self, case: Case, containing: str = "") -> str:
        """Wait for a text about the case; returns it."""

        async def look() -> str | None:
            texts = [sms["text"] for sms in await self._phones.got(case, self.phone)]
            return next((text for text in texts if containing in text), None)

        return await eventually(look, f"SMS of {case.code} at {self.site.name_en} containing {containing!r}")

    async def got(self, case: Case) -> list[str]:
        """All texts about the case so far."""
        return [sms["text"] for sms in await self._phones.got(case, self.phone)]

    async def replies(self, text: str) -> None:
        """Answer by SMS: `1` acknowledges, free words are a sighting."""
        await self._phones.types(self.phone, text)

    async def opens_notice(self, case: Case) -> Page:
        """Open the notice page of this site, once its SMS came.

        One segment of Chinese has no room for a loopback address, so the path is the one that staff see.
        """
        await self.expects_sms(case)

        async def look() -> str | None:
            notices = await CommandCentre(self._stage).notices(case)
            mine = [each for each in notices if each["site_id"] == str(self.site.site_id)]
            return str(mine[0]["page_path"]) if mine else None

        path = await eventually(look, f"notice page of {self.site.name_en} for {case.code}")
        return await Page.open(self._stage.http, f"{self._stage.urls['notifications']}{path}")


class Cast:
    """Everybody, on one stage."""

    def __init__(self, stage: Stage, book: Phonebook | None = None) -> None:
        self.stage = stage
        self.book = book or phonebook()
        self.command_centre = CommandCentre(stage)
        self.police = Police(stage, self.book)
        self.laboratory = Laboratory(stage)
        self.registry = Registry(stage)
        self.phones = Phones(stage)

    def terminal(self, name_en: str) -> Terminal:
        """The duty staff of a site by its English name."""
        site = self.book.site(name_en)
        return Terminal(self.stage, site, self.book.first_phone_of(site.site_id))

    async def told_and_stood_down(self, case: Case) -> tuple[set[str], set[str]]:
        """Phones that were told of the case, and phones that were told that it is over for them."""
        told: set[str] = set()
        over: set[str] = set()
        for sms in await self.phones.got(case):
            is_over = any(word in sms["text"] for word in STAND_DOWN_WORDS)
            (over if is_over else told).add(sms["to"])
        return told, over

    async def stand_down_reached_exactly_those_told(self, case: Case) -> set[str]:
        """Wait until all who were told know that it is over; returns them. Raises: NeverCame, AssertionError."""

        async def look() -> tuple[set[str], set[str]]:
            return await self.told_and_stood_down(case)

        told, over = await eventually(
            look,
            f"stand-down of {case.code} to all who were told",
            deadline_s=SENT_DEADLINE_S,
            is_there=lambda both: both[0] <= both[1],
        )
        assert not over - told, f"{len(over - told)} phones got a stand-down without having been told."
        return told

    async def units_acknowledge_stand_down(self, case: Case) -> int:
        """Every unit with a stand-down presses its button; returns how many did."""
        over = [each for each in await self.command_centre.orders(case) if each["state"] == "stood_down"]
        await self.units_press(case, over, "stand-down-ack")
        return len(over)

    async def units_press(self, case: Case, orders: list[Json], *buttons: str) -> None:
        """The units of these orders press buttons one after another, some units at the same time."""
        room = asyncio.Semaphore(UNITS_AT_ONCE)

        async def one(order: Json) -> None:
            async with room:
                unit = await self.police.unit_with(case, order)
                for button in buttons:
                    await unit.presses(button)

        await asyncio.gather(*(one(order) for order in orders))
