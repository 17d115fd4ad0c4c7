"""The drill page: start a scripted case as an exercise, watch what happens beside what was expected, stop it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import NAMESPACE_URL, UUID, uuid5

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from console.door.sessions import Visitor, visitor
from console.drill import runner, store_drill
from console.drill.script import SPEEDS, scenarios
from console.live import banner
from console.rendering import ENVIRONMENT, HEADERS, page
from console.words import words
from guitu.problem import Problem
from guitu.service import Runtime

RUNS_SHOWN = 20
Desk = Annotated[Visitor, Depends(visitor("operator", "case_leader"))]


def drill_router(runtime: Runtime) -> APIRouter:
    """`/drill`, its runs, and the two buttons."""
    router = APIRouter(include_in_schema=False)

    @router.get("/drill")
    async def drills(request: Request, who: Desk) -> Response:
        """The scenarios of the region and the newest runs."""
        home = _home(runtime, who)
        listed = [one for one in scenarios().values() if one.region_code == home]
        async with runtime.read(region=who.principal.region_code) as conn:
            runs = await store_drill.runs(conn, RUNS_SHOWN)
        real = await _real_cases(runtime, who)
        return page(request, "drill/list.html", who, scenarios=listed, runs=runs, speeds=SPEEDS, real=real)

    @router.post("/drill")
    async def start(
        who: Desk,
        scenario: Annotated[str, Form()],
        key: Annotated[str, Form()],
        speed: Annotated[int, Form()] = 1,
        anyway: Annotated[str, Form()] = "",
    ) -> Response:
        """Start a run; the same form again leads to the same run. While a real case is open, `anyway` must be said."""
        chosen, home = scenarios().get(scenario), _home(runtime, who)
        if chosen is None or chosen.region_code != home or speed not in SPEEDS:
            raise Problem(
                422,
                "no_such_scenario",
                f"There is no scenario {scenario} at x{speed} for region {home}.",
                f"本辖区没有剧本 {scenario}(速度 x{speed})。",
                "Choose one of the list.",
            )
        if not anyway and (real := await _real_cases(runtime, who)):
            raise _case_comes_first(real)
        run_id = uuid5(NAMESPACE_URL, f"urn:guitu:drill:{who.principal.subject}:{key}")
        await runner.start_drill(runtime, who, chosen, speed, run_id, home)
        return RedirectResponse(f"/drill/{run_id}", 303, HEADERS)

    @router.get("/drill/{run_id}")
    async def run(request: Request, who: Desk, run_id: UUID) -> Response:
        """A run, step by step."""
        found = await _found(runtime, who, run_id)
        return page(request, "drill/run.html", who, exercise=True, **found)

    @router.get("/drill/{run_id}/steps")
    async def steps(who: Desk, run_id: UUID) -> Response:
        """The part of the page that changes, for its script."""
        found = await _found(runtime, who, run_id)
        now, said = runtime.clock.now(), words(who.language)
        around = {"_": said, "language": who.language, "who": who, "now": now}
        html = ENVIRONMENT.get_template("drill/_steps.html").render(around | found)
        over = found["run"]["ended_at"] is not None
        return JSONResponse({"html": html, "over": over, "now": now.isoformat()}, headers=HEADERS)

    @router.post("/drill/{run_id}/stop")
    async def stop(who: Desk, run_id: UUID) -> Response:
        """End it: what is left is skipped, and everybody who was told is told that it is over."""
        await runner.stop_drill(runtime, who, run_id)
        return RedirectResponse(f"/drill/{run_id}", 303, HEADERS)

    return router


async def _real_cases(runtime: Runtime, who: Visitor) -> list[str]:
    """The codes of open cases that are no exercise: a unit that a drill has is not there for them."""
    return [case.code for case in (await banner.read(runtime, who.principal)).cases if not case.exercise]


def _case_comes_first(codes: list[str]) -> Problem:
    listed = ", ".join(codes[:3])
    return Problem(
        409,
        "real_case_open",
        f"A real case is open ({listed}); a drill would hold units that it may need.",
        f"有真实警情在办({listed}),演练会占用警力。",
        "Wait until it is over, or tick that the drill starts all the same.",
    )


def _home(runtime: Runtime, who: Visitor) -> str:
    region = who.principal.region_code
    return runtime.settings.region_code if region == "*" else region


async def _found(runtime: Runtime, who: Visitor, run_id: UUID) -> dict[str, Any]:
    """Raises: Problem 404."""
    async with runtime.read(region=who.principal.region_code) as conn:
        found = await store_drill.run_of(conn, run_id)
    if found is None:
        raise runner.no_such_drill(run_id)
    run, steps = found
    return {"run": run, "steps": [dict(step) | {"took_s": took_s(step)} for step in steps]}


def took_s(step: Mapping[str, Any]) -> float | None:
    """How long a step took to be done or seen; None while it goes on."""
    began, ended = step["began_at"], step["ended_at"]
    if not isinstance(began, datetime) or not isinstance(ended, datetime):
        return None
    return (ended - began).total_seconds()
