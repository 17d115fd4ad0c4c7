"""The flow itself: the script at its pace, what follows each report, and units that become free again."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from harness.chaos.desk import Desk, Feeder
from harness.chaos.promises import Accepted, Promises
from harness.chaos.script import Report

AT_ONCE = 48
TRICKLE_S = 1.0
FREE_EVERY_S = 3.0
FIRST_TEXT_S = 10.0
OK = 200
_CODE = re.compile(r"签收码([0-9A-Z]{4})")


class Load:
    """Plays a script; `slow` makes it trickle while faults lag behind it."""

    def __init__(
        self, script: Sequence[Report], per_s: float, desk: Desk, feeder: Feeder, promises: Promises
    ) -> None:
        self._script, self._pause_s = script, 1 / per_s
        self._desk, self._feeder, self._promises = desk, feeder, promises
        self._room = asyncio.Semaphore(AT_ONCE)
        self._follow_ups: set[asyncio.Task[None]] = set()
        self._news = asyncio.Event()
        self.slow_from = 1.0

    @property
    def progress(self) -> float:
        """The share of the reports that was accepted."""
        return len(self._promises.reports) / len(self._script)

    def newest_case(self) -> UUID | None:
        """The case that was accepted last, as far as whoever reported it was told."""
        known = (accepted.case_id for accepted in reversed(self._promises.reports.values()))
        return next((case_id for case_id in known if case_id), None)

    async def busy_cases(self) -> list[UUID]:
        """Cases that bind units now."""
        return list(await self._holders())

    async def reached(self, share: float) -> None:
        """Wait until so much was accepted; bounded by the patience of those who file."""
        while self.progress < share:
            self._news.clear()
            await self._news.wait()

    async def flow(self) -> None:
        """Everything: reports, what follows them, and in the end no unit bound any more."""
        freeing = asyncio.create_task(self._free_units())
        try:
            async with asyncio.TaskGroup() as group:
                for report in self._script:
                    await self._room.acquire()
                    group.create_task(self._file(report))
                    await asyncio.sleep(TRICKLE_S if self.progress >= self.slow_from else self._pause_s)
            await asyncio.gather(*self._follow_ups)
        finally:
            freeing.cancel()
            await asyncio.gather(freeing, return_exceptions=True)

    async def free_all_units(self) -> None:
        """Send everybody home, then stand down whatever still binds a unit: no order can become overdue later.

        Cases without units would else get those that are set free, one after the other.
        """
        _, units = await self._desk.ask("dispatch", "GET", "/units")
        for unit in units:
            path = f"/units/{unit['unit_id']}/status"
            status, answer = await self._desk.ask("dispatch", "PUT", path, {"status": "off_duty"})
            assert OK == status, answer
        for _ in range(100):
            holders = await self._holders()
            if not holders:
                return
            for case_id in holders:
                await self._stands_down(case_id)
            await asyncio.sleep(0.5)
        raise AssertionError("After 50 s of stand-downs units are still bound.")

    async def _file(self, report: Report) -> None:
        seen_at = datetime.now(UTC) - timedelta(minutes=report.minutes_ago)
        try:
            for turn in range(report.sends):
                await (self._over_http if report.way == "http" else self._by_topic)(report, seen_at, turn)
        finally:
            self._room.release()
            self._news.set()

    async def _by_topic(self, report: Report, seen_at: datetime, turn: int) -> None:
        """Doubles: the same event again, and the same report under another event id."""
        await self._feeder.feeds(report, seen_at, report.event_id)
        if turn:
            await self._feeder.feeds(report, seen_at, uuid4())
        self._promises.report(Accepted(report.report_id, None, report.lon, report.lat, seen_at))

    async def _over_http(self, report: Report, seen_at: datetime, turn: int) -> None:
        answer = await self._desk.files(report, seen_at)
        case_id = UUID(answer["case_id"])
        self._promises.report(Accepted(UUID(answer["report_id"]), case_id, report.lon, report.lat, seen_at))
        if report.then and not turn:
            task = asyncio.create_task(self._follow(report, case_id, str(answer["case_code"])))
            self._follow_ups.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Keep a failure until `flow` raises it."""
        if task.cancelled() or task.exception() is None:
            self._follow_ups.discard(task)

    async def _follow(self, report: Report, case_id: UUID, case_code: str) -> None:
        await asyncio.sleep(report.then_after_s)
        if report.then == "stand_down":
            await self._stands_down(case_id)
        elif report.then == "update":
            fields = {"fields": {"appearance": "绿色雨衣"}, "reason": "家属补充"}
            status, _ = await self._desk.ask("alerts", "POST", f"/cases/{case_id}/updates", fields)
            if status == OK:
                self._promises.updates.add(case_id)
        elif report.then == "sighting":
            await self._sees(report, case_id)
        elif report.then == "answer":
            await self._answers(case_code)

    async def _stands_down(self, case_id: UUID) -> None:
        path = f"/cases/{case_id}/stand-down"
        status, answer = await self._desk.ask("alerts", "POST", path, {"outcome": "found"})
        assert OK == status, answer
        self._promises.stand_downs.add(case_id)

    async def _sees(self, report: Report, case_id: UUID) -> None:
        """Somebody calls the command centre; refused if the case is over by now."""
        body = {
            "seen_at": datetime.now(UTC).isoformat(),
            "place": {"lon": report.lon + 0.01, "lat": report.lat},
            "note": "路边",
        }
        path = f"/cases/{case_id}/sightings"
        status, answer = await self._desk.ask("alerts", "POST", path, body, f"sighting-{report.key}")
        if status == 201:
            self._promises.sightings[UUID(answer["sighting_id"])] = case_id

    async def _answers(self, case_code: str) -> None:
        """The first hotel that got an SMS acknowledges it; there may be none in the ring."""
        for sms in await self._desk.texts(case_code, FIRST_TEXT_S):
            code = _CODE.search(sms["text"])
            if code:
                sid, status = await self._desk.types(sms["to"], code[1])
                if status == OK:
                    self._promises.answers[sid] = code[1]
                return

    async def _free_units(self) -> None:
        """One case after another that binds units: a unit accepts and is in position, then the child is found."""
        while True:  # Bounded by `flow`, which cancels it.
            await asyncio.sleep(FREE_EVERY_S)
            for case_id, orders in list((await self._holders()).items())[:1]:
                for move in ("accepted", "in_position"):
                    path = f"/orders/{orders[0]}/moves"
                    await self._desk.ask("dispatch", "POST", path, {"move": move})
                await self._stands_down(case_id)

    async def _holders(self) -> dict[UUID, list[str]]:
        """Cases that bind units, and the orders by which they do."""
        _, units = await self._desk.ask("dispatch", "GET", "/units")
        held: dict[UUID, list[str]] = {}
        for unit in units:
            if unit["busy_case_id"]:
                held.setdefault(UUID(unit["busy_case_id"]), []).append(unit["busy_order_id"])
        return held
