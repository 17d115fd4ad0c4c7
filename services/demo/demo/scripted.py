"""The scripted case in Yunyang: from the report at the coach centre to everyone's stand-down.

Steps are yielded as they are reached, so that a person can watch; the timings come from the services' own
records, not from how fast we look.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from demo.case import Case, Json
from demo.cast import Cast
from demo.waiting import eventually

LAST_SEEN = "Yunyang coach centre"
WITNESS = "Shuangjiang ferry terminal"
SIGHTING = "刚才看到一个穿红色羽绒服背蓝书包的女孩跟人上了船"
CLEAR = "无异常"
DEMO_NOTE = "guitu demo 演示"
"""Marks the demo's own cases: what an earlier, interrupted demo left open is recognised by it, and nothing else is."""


@dataclass(frozen=True)
class Step:
    """One thing that happened, for people; `took_s` is how long it took to see it."""

    zh: str
    en: str
    took_s: float


@dataclass
class Timing:
    """One line of the closing table: seconds between two moments that the services recorded."""

    en: str
    zh: str
    seconds: float


@dataclass
class Script:
    """Play with `async for step in script.play()`; afterwards `timings` has the table."""

    cast: Cast
    timings: list[Timing] = field(default_factory=list)
    _began_s: float = field(default_factory=time.monotonic)

    async def play(self) -> AsyncIterator[Step]:
        """Play the case to its end. Raises: NeverCame, Refused or AssertionError where the story breaks."""
        cast, self._began_s = self.cast, time.monotonic()
        case = await cast.command_centre.raises_alert(cast.book.site(LAST_SEEN), note=DEMO_NOTE)
        yield self._step(f"报警受理,案件 {case.code}", f"Report accepted, case {case.code}")
        yield await self._orders_are_out(case)
        yield await self._plan_is_weighed(case)
        yield await self._notices_are_out(case)
        yield await self._dna_is_asked_for(case)
        yield await self._sites_acknowledge(case)
        yield await self._units_take_their_places(case)
        yield await self._terminal_sees_the_child(case)
        yield await self._new_units_take_their_places(case)
        yield await self._child_is_intercepted(case)
        async for step in self._everyone_stands_down(case):
            yield step

    def _step(self, zh: str, en: str) -> Step:
        now_s = time.monotonic()
        took_s, self._began_s = now_s - self._began_s, now_s
        return Step(zh, en, took_s)

    def _timed(self, en: str, zh: str, begin: datetime, end: datetime) -> None:
        self.timings.append(Timing(en, zh, (end - begin).total_seconds()))

    async def _orders_are_out(self, case: Case) -> Step:
        centre = self.cast.command_centre
        plan = (await centre.plan(case))["plan"]
        orders = await centre.orders(case)
        assert orders, "The plan has no order: are the units loaded?"
        first = min(_moment(order["issued_at"]) for order in orders)
        self._timed("report -> first order", "报警到首条指令", case.reported_at, first)
        count, closed, still_open = len(orders), plan["closed_exits"], len(plan["open_exits"])
        return self._step(
            f"方案 {plan['plan_number']}:{count} 条堵截指令,封控出口 {closed} 个,仍开放 {still_open} 个",
            f"Plan {plan['plan_number']}: {count} orders; {closed} exits closed, {still_open} open",
        )

    async def _plan_is_weighed(self, case: Case) -> Step:
        found = await self.cast.command_centre.weighed_plan(case)
        plan, figures = found["plan"], found["plan"]["figures"]
        self._timed(
            "report -> plan looked at again", "报警到方案复核", case.reported_at, _moment(found["made_at"])
        )
        share, low, high = (round(100 * figures[name]) for name in ("intercepted", "low", "high"))
        zh, en = ("已证明最优", "proven best") if figures["proven"] else ("未证明最优", "not proven best")
        return self._step(
            f"方案复核:预计拦截概率 {share}%({low}~{high}%),{zh};共 {len(plan['order_ids'])} 条指令",
            f"Second look: meets {share} % of the likely ways ({low} to {high}), {en}; {len(plan['order_ids'])} orders",
        )

    async def _notices_are_out(self, case: Case) -> Step:
        centre = self.cast.command_centre
        orders = await centre.new_orders(case)
        sent = await centre.all_notices_sent(case, ("raised", "order"), len(orders))
        accepted = [_moment(each["accepted_at"]) for each in sent if each["accepted_at"]]
        self._timed("report -> first SMS accepted", "报警到首条短信", case.reported_at, min(accepted))
        self._timed("report -> all SMS accepted", "报警到全部短信", case.reported_at, max(accepted))
        sites = sum(each["kind"] == "raised" for each in sent)
        return self._step(
            f"短信已发:站点 {sites},警力 {len(sent) - sites}",
            f"SMS accepted: {sites} sites, {len(sent) - sites} units",
        )

    async def _dna_is_asked_for(self, case: Case) -> Step:
        found = await self.cast.laboratory.requests(case)
        due = _moment(found["sample_requests"][0]["due_at"])
        waits = ", ".join(found["cross_match_requests"][0]["waits_for"]).replace("_", " ")
        hours = (due - case.reported_at).total_seconds() / 3600
        return self._step(
            f"父母检材 {hours:.1f} 小时内采集,比对已登记",
            f"Parents' sample due in {hours:.1f} h; cross-matching waits for {waits}",
        )

    async def _sites_acknowledge(self, case: Case) -> Step:
        by_sms = self.cast.terminal(LAST_SEEN)
        await by_sms.expects_sms(case)
        await by_sms.replies("1")

        async def look() -> list[Json]:
            return [each for each in await self.cast.command_centre.notices(case) if each["acknowledged_at"]]

        found = await eventually(look, f"acknowledgement of {case.code} by SMS")
        first = min(_moment(each["acknowledged_at"]) for each in found)
        self._timed("report -> first site answered", "报警到首个签收", case.reported_at, first)
        return self._step("汽车站短信签收", "The bus station acknowledged by SMS")

    async def _units_take_their_places(self, case: Case) -> Step:
        orders = await self.cast.command_centre.new_orders(case)
        await self.cast.units_press(case, orders, "accept", "in-position")
        unit = await self.cast.police.unit_with(case, orders[0])
        await unit.presses("nothing-seen")
        now = await self.cast.command_centre.orders(case)
        accepted = [_moment(at) for order in now for state, at in order["history"] if state == "accepted"]
        self._timed("report -> first unit answered", "报警到首个接令", case.reported_at, min(accepted))
        return self._step(
            f"{len(orders)} 个警力接令、到位;{orders[0]['stop']['name_zh']}{CLEAR}",
            f"{len(orders)} units accepted, in position; nothing seen at {orders[0]['stop']['name_en']}",
        )

    async def _terminal_sees_the_child(self, case: Case) -> Step:
        witness = self.cast.terminal(WITNESS)
        await witness.expects_sms(case)
        before = (await self.cast.command_centre.plan(case))["plan"]
        at = self.cast.stage.now()
        await witness.replies(SIGHTING)
        later = before["plan_number"] + 1
        newest = await self.cast.command_centre.plan(case, at_least=later, trigger="sighting")
        plan = newest["plan"]
        self._timed("sighting SMS -> new plan", "线索到新方案", at, _moment(newest["made_at"]))
        kept = len(set(before["order_ids"]) & set(plan["order_ids"]))
        return self._step(
            f"{witness.site.name_zh}报告线索,方案 {plan['plan_number']},保留指令 {kept} 条",
            f"{WITNESS} reports a sighting; plan {plan['plan_number']} keeps {kept} orders",
        )

    async def _new_units_take_their_places(self, case: Case) -> Step:
        await self.cast.command_centre.weighed_plan(case)
        new = await self.cast.command_centre.new_orders(case)
        await self.cast.units_press(case, new, "accept", "in-position")
        return self._step(f"新增 {len(new)} 条指令,均已到位", f"{len(new)} new orders, all in position")

    async def _child_is_intercepted(self, case: Case) -> Step:
        orders = await self.cast.command_centre.orders(case)
        in_position = [order for order in orders if order["state"] == "in_position"]
        assert in_position, "No unit is in position."
        finder = next((each for each in in_position if "码头" in each["stop"]["name_zh"]), in_position[0])
        await (await self.cast.police.unit_with(case, finder)).presses("intercepted")
        return self._step(f"{finder['stop']['name_zh']}拦截到", f"Intercepted at {finder['stop']['name_en']}")

    async def _everyone_stands_down(self, case: Case) -> AsyncIterator[Step]:
        centre, at = self.cast.command_centre, self.cast.stage.now()
        await centre.stands_down(case, reason="卡点民警已找到孩子")
        told = await self.cast.stand_down_reached_exactly_those_told(case)
        sent = await centre.all_notices_sent(case, ("stood_down", "order_stood_down"))
        last = max(_moment(each["accepted_at"]) for each in sent if each["accepted_at"])
        self._timed("stand-down -> all told", "解除到全部告知", at, last)
        yield self._step(
            f"警情解除,{len(told)} 部电话全部告知,无一多发",
            f"Stood down: exactly the {len(told)} phones that were told",
        )
        count = await self.cast.units_acknowledge_stand_down(case)
        left = [each for each in await centre.orders(case) if each["state"] == "stood_down"]
        assert not left, f"{len(left)} units have not acknowledged the stand-down."
        self._timed(
            "report -> everyone stood down", "报警到全部解除", case.reported_at, self.cast.stage.now()
        )
        yield self._step(f"{count} 个警力确认解除", f"{count} units acknowledged the stand-down")


async def stand_down_earlier(cast: Cast) -> int:
    """Stand down what an earlier demo left open, so that its units are free again; returns how many cases."""
    count = 0
    for each in await cast.command_centre.open_cases():
        case = Case(str(each["case_id"]), str(each["case_code"]), cast.stage.now(), {})
        if (await cast.command_centre.status(case))["note"] == DEMO_NOTE:
            await cast.command_centre.stands_down(case, "false_alarm", DEMO_NOTE)
            await cast.command_centre.all_orders_over(case)
            count += 1
    return count


def _moment(text: Any) -> datetime:
    return datetime.fromisoformat(str(text))


async def play_all(cast: Cast) -> tuple[list[Step], list[Timing]]:
    """Play without a watcher; returns what happened and the timings."""
    script = Script(cast)
    steps = [step async for step in script.play()]
    return steps, script.timings
