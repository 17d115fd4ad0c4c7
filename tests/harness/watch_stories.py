"""What tests of tasks, alarms, the auditor and nil-reports begin with: a told case, its timers, and the desk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx

from guitu.auth import Role, mint
from guitu.service import Runtime
from harness.ground import SettableClock, react
from harness.notice_http import over_http
from harness.notice_stories import PHONES, Carrier, raised, three_sites
from notifications import alarms, answers, auditor, escalating, looking_up, planning, tasks
from notifications.agents import REACTIONS
from notifications.providers.protocol import InboundSms
from notifications.sending import Sender
from notifications.service import sending_with
from notifications.settings import NotificationSettings


@dataclass
class Watch:
    """A service with three sites, its sender, the far side, and what can be asked over HTTP."""

    run: Runtime
    carrier: Carrier
    sender: Sender
    http: httpx.AsyncClient

    @property
    def settings(self) -> NotificationSettings:
        """The settings that hold now."""
        found: NotificationSettings = self.run.state["settings"]
        return found

    def set(self, **values: Any) -> None:
        """Change settings for the sweeps from now on."""
        self.run.state["settings"] = NotificationSettings(**(self.settings.model_dump() | values))

    def advance(self, **amount: float) -> None:
        """Time goes by."""
        clock = self.run.clock
        assert isinstance(clock, SettableClock)
        clock.advance(**amount)

    async def raise_alert(self, radius_km: float = 5, **more: Any) -> None:
        """Tell the sites in the ring; with 5 km only the first."""
        await react(self.run, REACTIONS, raised(self.run.clock.now(), radius_km=radius_km, **more))
        await self.send()

    async def send(self) -> None:
        """Everything that is due now goes out and is recorded."""
        while await self.sender.pump():
            await self.sender.drain()

    async def after(self, **amount: float) -> None:
        """Time goes by, then every timer of notices runs once."""
        self.advance(**amount)
        await looking_up.close_leases(self.run)
        await looking_up.look_up_unknown(self.run)
        await looking_up.give_up_unknown(self.run)
        await planning.set_deadlines(self.run)
        await planning.expire(self.run)
        await escalating.escalate_unanswered(self.run)
        await tasks.call_about_failed_stops(self.run)
        await self.send()

    async def unheard(self) -> None:
        """Nobody answers until everybody was asked: the call goes to the command centre."""
        for _ in range(2):
            await self.after(seconds=self.settings.answer_within_s + 1)

    async def reply(self, text: str, number: int = 1, provider_id: str = "SM1") -> str:
        """An SMS comes in from the contact with this number."""
        async with self.run.tx(actor="provider") as tx:
            sms = InboundSms(provider_id, PHONES[number], "", text)
            return await answers.reply_came(tx, sms, self.settings)

    async def acknowledge(self, number: int = 1) -> None:
        """The contact with this number acknowledges its newest delivery, on its page."""
        delivery_id = await self.run.pool.fetchval(
            "select id from delivery where contact_id = $1 order by queued_at desc limit 1",
            UUID(int=1000 + number),
        )
        async with self.run.tx(actor="page") as tx:
            await answers.acknowledge(tx, delivery_id, "page")

    async def alarm_kinds(self) -> list[str]:
        """Look once, then say what is open."""
        await alarms.watch(self.run)
        rows = await self.run.pool.fetch("select kind from alarm where closed_at is null order by kind")
        return [row["kind"] for row in rows]

    async def faults(self) -> list[str | None]:
        """What an audit finds now."""
        async with self.run.tx(actor="test") as tx:
            _, found = await auditor.look(tx)
        return sorted(str(each["fault"]) for each in found)

    def staff(self, role: Role = "operator", region: str = "500235") -> dict[str, str]:
        """The header of somebody in this role."""
        token = mint(self.run.settings, "desk", role, region, self.run.clock.now(), timedelta(hours=1))
        return {"authorization": f"Bearer {token}"}

    async def get(self, path: str, role: Role = "operator", region: str = "500235") -> Any:
        """The answer's body."""
        return (await self.http.get(path, headers=self.staff(role, region))).raise_for_status().json()

    async def post(self, path: str, body: Any = None, role: Role = "operator") -> httpx.Response:
        """The answer."""
        return await self.http.post(path, json=body, headers=self.staff(role))


@asynccontextmanager
async def watching(run: Runtime) -> AsyncIterator[Watch]:
    """A service that is watched, with three sites and nothing told yet."""
    await three_sites(run)
    alarms.FORGERIES.waiting = 0
    carrier = Carrier()
    async with AsyncExitStack() as stack:
        sender = await stack.enter_async_context(sending_with(run, carrier))
        http = await stack.enter_async_context(over_http(run))
        yield Watch(run, carrier, sender, http)
