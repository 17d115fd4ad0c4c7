"""Drills: scripted cases as exercises, step by step, never a step twice, stopped by one button."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

import httpx
import pytest

from console.door.sessions import Visitor
from console.drill import runner as drill_runner
from console.drill import store_drill
from console.drill.runner import run_drills, start_drill
from console.drill.script import RaiseAlert, scenarios
from console.drill.store_drill import LEASE
from guitu.auth import Principal
from guitu.problem import Problem
from guitu.service import Runtime
from harness.console_http import at_the_desk, submits
from harness.console_stories import CaseStory, told
from harness.drill_owners import DrillOwners, named
from harness.ground import START

RuntimeFor = Callable[[str], Awaitable[Runtime]]
ROUNDS_MAX = 400


@dataclass
class Hall:
    """A command centre that drills: its console, its owners, and the browser of an operator."""

    run: Runtime
    owners: DrillOwners
    http: httpx.AsyncClient

    async def starts(self, scenario: str = "ferry-escape", speed: int = 60, key: str = "k") -> str:
        """Press the button; returns the path of the run."""
        answer = await submits(self.http, "/drill", scenario=scenario, speed=speed, key=key)
        return str(answer.headers["location"])

    async def goes_on(self, seconds: float = 600) -> None:
        """Let the sweep act, second by second, until that much time has passed or nothing waits any more."""
        for _ in range(min(ROUNDS_MAX, int(seconds))):
            while await run_drills(self.run):
                pass
            if not await self.open_runs():
                return
            self.run.clock.advance(seconds=1)  # type: ignore[attr-defined]

    async def open_runs(self) -> int:
        return int(await self.run.pool.fetchval("select count(*) from drill_run where ended_at is null"))

    async def states(self) -> list[str]:
        rows = await self.run.pool.fetch("select state from drill_step order by number")
        return [row["state"] for row in rows]

    async def state(self) -> str:
        return str(await self.run.pool.fetchval("select state from drill_run"))


@pytest.fixture
async def hall(runtime_for: RuntimeFor) -> AsyncIterator[Hall]:
    run, owners = await runtime_for("console"), DrillOwners()
    async with at_the_desk(run, owners=owners) as http:
        yield Hall(run, owners, http)


@pytest.mark.parametrize("name", sorted(scenarios()))
def test_every_scenario_begins_with_an_alert_and_ends_it(name: str) -> None:
    scenario = scenarios()[name]

    assert {"ferry-escape", "hotel-tip", "false-alarm"} <= scenarios().keys()
    assert isinstance(scenario.steps[0], RaiseAlert)
    assert 1 == sum(step.do == "stand_down" for step in scenario.steps)


async def test_a_drill_runs_to_its_end_and_shows_what_happened_beside_what_was_expected(hall: Hall) -> None:
    path = await hall.starts()

    await hall.goes_on()

    page = (await hall.http.get(path)).text
    assert ("finished", {"done"}) == (await hall.state(), set(await hall.states()))
    assert "found" == hall.owners.outcome
    assert all(said in page for said in ("CY-0042", "至少 3 条指令", "方案 1:指令 5 条", "exercise-frame"))
    assert {named("order 1")} == hall.owners.who("intercepted"), "The landing, and nobody else."


async def test_only_exercises_are_raised(hall: Hall) -> None:
    await hall.starts()

    await hall.goes_on()

    assert [True] == [body["exercise"] for body in hall.owners.cases.values()]


async def test_the_same_button_twice_is_one_run(hall: Hall) -> None:
    paths = {await hall.starts(key="once") for _ in range(2)}

    assert 1 == len(paths)
    assert 1 == await hall.open_runs()


@pytest.mark.parametrize(("speed", "waits_s"), [(1, 60.0), (10, 6.0), (60, 1.0)])
async def test_the_waits_of_the_script_are_divided_by_the_speed(
    hall: Hall, speed: int, waits_s: float
) -> None:
    await hall.starts(speed=speed)
    for _ in range(3):
        await run_drills(hall.run)

    due = await hall.run.pool.fetchval("select due_at from drill_step where number = 3")

    assert waits_s == (due - hall.run.clock.now()).total_seconds()


async def test_what_does_not_come_in_real_time_is_missed_at_any_speed_and_the_drill_goes_on(
    hall: Hall,
) -> None:
    hall.owners.plan_after = 10**6
    await hall.starts("false-alarm")

    await hall.goes_on(200)

    assert ["done", "missed", "done"] == (await hall.states())[:3]
    took_s = await hall.run.pool.fetchval(
        "select extract(epoch from ended_at - began_at) from drill_step where number = 1"
    )
    assert 15 < took_s < 18
    assert "false_alarm" == hall.owners.outcome


async def test_what_is_done_after_its_time_is_not_said_to_be_as_expected(hall: Hall) -> None:
    hall.owners.after = lambda _command: hall.run.clock.advance(seconds=31)  # type: ignore[attr-defined]
    await hall.starts("false-alarm")

    await hall.goes_on()

    raised, stood_down = (await hall.states())[0], (await hall.states())[4]
    assert ("missed", "missed", "finished") == (raised, stood_down, await hall.state())


async def test_a_plan_that_was_only_weighed_anew_is_not_taken_for_one_that_follows_a_sighting(
    hall: Hall,
) -> None:
    hall.owners.replans = False
    hall.owners.after = lambda command: hall.owners.plans.append("update") if "moves" in command else None
    await hall.starts("ferry-escape")

    await hall.goes_on()

    assert "update" in hall.owners.plans
    assert {8} == {number for number, state in enumerate(await hall.states()) if state == "missed"}


async def test_an_owner_that_is_away_is_waited_for(hall: Hall) -> None:
    hall.owners.away = {"reports"}
    await hall.starts("false-alarm")
    await hall.goes_on(5)
    hall.owners.away.clear()

    await hall.goes_on()

    assert "finished" == await hall.state()
    assert 1 == len(hall.owners.cases)


async def test_an_alert_that_does_not_come_ends_the_drill(hall: Hall) -> None:
    hall.owners.away = {"reports"}
    await hall.starts("ferry-escape")

    await hall.goes_on(60)

    assert "failed" == await hall.state()
    assert ["missed", "skipped"] == sorted(set(await hall.states()))


async def test_a_drill_whose_case_somebody_ended_by_hand_goes_on_to_its_end(hall: Hall) -> None:
    await hall.starts("ferry-escape")
    await hall.goes_on(5)
    hall.owners.outcome = "exercise_over"

    await hall.goes_on()

    said = await hall.run.pool.fetchval("select happened ->> 'zh' from drill_step where number = 9")
    assert ("finished", "前一条线索未入库,无可研判。") == (await hall.state(), said)


async def test_an_alert_that_is_refused_ends_the_drill_with_the_reason(hall: Hall) -> None:
    await hall.starts("false-alarm")
    run_id = await hall.run.pool.fetchval("select id from drill_run")
    hall.owners.cases[f"drill-{run_id}-0"] = {"another": "body"}

    await hall.goes_on()

    page = (await hall.http.get(f"/drill/{run_id}")).text
    assert ("failed", "内容不同" in page) == (await hall.state(), True)
    assert {"refused", "skipped"} == set(await hall.states())


@pytest.mark.parametrize("seed", range(12))
async def test_a_process_that_dies_anywhere_does_no_step_twice(hall: Hall, seed: int) -> None:
    """A third of all commands are carried out, and the process is killed before it can write that down."""
    chance, killed = Random(seed), []

    def dies(command: str) -> None:
        if chance.random() < 0.3 and len(killed) < 40:
            killed.append(command)
            raise KilledError

    hall.owners.after = dies
    await hall.starts("ferry-escape")
    for _ in range(ROUNDS_MAX):
        try:
            while await run_drills(hall.run):
                pass
        except KilledError:
            hall.run.clock.advance(seconds=LEASE.total_seconds() + 1)  # type: ignore[attr-defined]
        if not await hall.open_runs():
            break
        hall.run.clock.advance(seconds=1)  # type: ignore[attr-defined]

    assert killed
    assert "finished" == await hall.state()
    assert (1, 1) == (len(hall.owners.cases), len(hall.owners.sightings))
    assert 6 == len(hall.owners.acknowledged)
    assert (2, 1) == (len(hall.owners.who("nothing_seen")), len(hall.owners.who("intercepted")))


class KilledError(BaseException):
    """`kill -9` between a command and the note that it was carried out."""


async def test_a_clock_that_is_set_back_holds_no_drill_up_and_one_set_forward_hurries_none(
    hall: Hall,
) -> None:
    await hall.starts(speed=1)
    await hall.goes_on(20)
    await claimed_by_the_dead(hall)
    before = await hall.states()

    hall.run.clock.advance(hours=-5)  # type: ignore[attr-defined]
    await hall.goes_on(30)
    after_back = await hall.states()
    hall.run.clock.advance(hours=9)  # type: ignore[attr-defined]
    while await run_drills(hall.run):
        pass
    after_forward = await hall.states()

    assert before.count("waiting") > after_back.count("waiting")
    assert 1 >= after_back.count("waiting") - after_forward.count("waiting")


async def claimed_by_the_dead(hall: Hall) -> None:
    """The next step is in the hands of a process that is gone, and was due in a while."""
    await hall.run.pool.execute(
        "update drill_step s set lease = gen_random_uuid(), leased_until = $1, due_at = $1, began_at = $1 "
        "where number = (select min(number) from drill_step where state = 'waiting')",
        hall.run.clock.now() + LEASE,
    )


async def test_two_processes_never_act_for_the_same_step(hall: Hall) -> None:
    await hall.starts("false-alarm")
    others: list[int] = []

    def meanwhile(command: str) -> None:
        others.append(len(hall.owners.commands))

    hall.owners.after = meanwhile
    first = await hall.run.pool.acquire()
    try:
        async with first.transaction():
            mine = await store_drill.claim(first, hall.run.clock.now(), hall.run.ids.new())
            theirs = await run_drills(hall.run)
    finally:
        await hall.run.pool.release(first)

    assert mine is not None
    assert (0, []) == (theirs, others)


async def test_who_lost_the_lease_writes_nothing(hall: Hall) -> None:
    await hall.starts("false-alarm")
    late = await claimed(hall)
    hall.run.clock.advance(seconds=LEASE.total_seconds() + 1)  # type: ignore[attr-defined]
    await hall.goes_on()
    before = await hall.states()

    await drill_runner._advance(hall.run, late)

    assert before == await hall.states()
    assert "finished" == await hall.state()


async def test_a_step_in_another_s_hands_is_not_ended_by_who_had_it_before(hall: Hall) -> None:
    await hall.starts("false-alarm")
    late = await claimed(hall)
    hall.run.clock.advance(seconds=LEASE.total_seconds() + 1)  # type: ignore[attr-defined]
    assert await claimed(hall)
    before = await hall.states()

    await drill_runner._advance(hall.run, late)

    assert before == await hall.states()


async def claimed(hall: Hall) -> Any:
    async with hall.run.tx(actor="another process") as tx:
        return await store_drill.claim(tx.conn, tx.now, hall.run.ids.new())


async def test_stop_skips_the_rest_and_stands_everybody_down(hall: Hall) -> None:
    path = await hall.starts(speed=1)
    await hall.goes_on(5)

    await submits(hall.http, f"{path}/stop")
    await hall.goes_on(5)

    assert ("stopped", "exercise_over") == (await hall.state(), hall.owners.outcome)
    assert {"done", "skipped"} == set(await hall.states())


async def test_stop_before_anything_was_raised_raises_nothing(hall: Hall) -> None:
    path = await hall.starts()

    await submits(hall.http, f"{path}/stop")
    await hall.goes_on(5)

    assert ("stopped", {}) == (await hall.state(), hall.owners.cases)


async def test_stop_while_a_dead_process_had_the_alert_in_hand_ends_that_alert(hall: Hall) -> None:
    path = await hall.starts()
    await claimed(hall)

    await submits(hall.http, f"{path}/stop")
    await hall.goes_on(5)
    before = hall.owners.outcome
    hall.run.clock.advance(seconds=LEASE.total_seconds())  # type: ignore[attr-defined]
    await hall.goes_on(5)

    assert (None, "exercise_over") == (before, hall.owners.outcome)
    assert "stopped" == await hall.state()


async def test_a_fourth_drill_at_the_same_time_is_refused_in_words(hall: Hall) -> None:
    for key in ("a", "b", "c"):
        await hall.starts(key=key)

    answer = await submits(hall.http, "/drill", scenario="false-alarm", speed=1, key="d")

    assert (409, 3) == (answer.status_code, await hall.open_runs())
    assert "已有 3 场演练" in answer.text


async def test_two_who_start_at_once_do_not_get_beyond_three(hall: Hall) -> None:
    who = Visitor(Principal("operator-1", "operator", "500235"), "", "zh-CN", "")
    runs = [hall.run.ids.new() for _ in range(5)]

    said = await asyncio.gather(
        *(start_drill(hall.run, who, scenarios()["false-alarm"], 1, run_id, "500235") for run_id in runs),
        return_exceptions=True,
    )

    assert (3, 2) == (await hall.open_runs(), sum(isinstance(each, Problem) for each in said))


async def test_a_drill_does_not_begin_over_a_real_case_unless_somebody_says_so(hall: Hall) -> None:
    asked = {"scenario": "false-alarm", "speed": 1, "key": "k"}
    await told(hall.run, CaseStory(START, "drill", exercise=True).raised())
    before = (await hall.http.get("/drill")).text
    real = CaseStory(START)
    await told(hall.run, real.raised())

    listed = (await hall.http.get("/drill")).text
    refused = await submits(hall.http, "/drill", **asked)
    started = await submits(hall.http, "/drill", anyway="yes", **asked)

    assert ('name="anyway"' in before, 'name="anyway" value="yes" required' in listed) == (False, True)
    assert (409, 303) == (refused.status_code, started.status_code)
    assert f"有真实警情在办({real.code})" in refused.text
    assert 1 == await hall.open_runs()


@pytest.mark.parametrize("asked", [{"scenario": "no-such"}, {"speed": 7}])
async def test_what_is_not_in_the_list_is_not_started(hall: Hall, asked: dict[str, Any]) -> None:
    answer = await submits(
        hall.http, "/drill", **({"scenario": "false-alarm", "speed": 1, "key": "k"} | asked)
    )

    assert (422, 0) == (answer.status_code, await hall.open_runs())


async def test_a_drill_of_another_region_is_not_to_be_seen_or_stopped(runtime_for: RuntimeFor) -> None:
    async with two_regions(await runtime_for("console")) as (here, there):
        path = await here.starts()

        seen = await there.http.get(path)
        stopped = await submits(there.http, f"{path}/stop")
        listed = (await there.http.get("/drill")).text

    assert (404, 404) == (seen.status_code, stopped.status_code)
    assert path not in listed
    assert not re.search("乘船外逃", listed)


@asynccontextmanager
async def two_regions(run: Runtime) -> AsyncIterator[tuple[Hall, Hall]]:
    owners = DrillOwners()
    async with AsyncExitStack() as stack:
        here = await stack.enter_async_context(at_the_desk(run, owners=owners))
        there = await stack.enter_async_context(at_the_desk(run, owners=owners, region="500112"))
        yield Hall(run, owners, here), Hall(run, owners, there)


async def test_who_started_and_who_stopped_is_in_the_audit_log(hall: Hall) -> None:
    path = await hall.starts()
    await submits(hall.http, f"{path}/stop")

    rows = await hall.run.pool.fetch(
        "select action, actor from audit where action like 'drill.%' order by at"
    )

    assert [("drill.started", "operator-1"), ("drill.stopped", "operator-1")] == [
        (row["action"], row["actor"]) for row in rows
    ]
