"""Runs drills: a sweep takes the next due step under a lease, acts for it, and makes the one after it due.

Nothing of a run is in memory. A process that dies in the middle of a step leaves its lease; when that is over,
another takes the step again, with the same people and the same keys, so that nothing happens twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from console.door.sessions import Visitor
from console.drill import script, store_drill
from console.drill.acts import AWAY, Acted, Acting, act, pick
from console.drill.script import STEP, RaiseAlert, Scenario, StandDown, Step
from guitu.auth import Principal, Role, mint
from guitu.problem import Problem
from guitu.service import Runtime

LOOK_AGAIN = timedelta(seconds=1)
AT_ONCE = 4
RUNS_MAX = 3
TOKEN_LIVES = timedelta(minutes=2)
Row = Mapping[str, Any]


async def run_drills(runtime: Runtime) -> int:
    """Sweep: act for the steps that are due, a few runs at the same time; returns how many."""
    claimed = []
    async with runtime.tx(actor="guitu.console") as tx:
        for _ in range(AT_ONCE):
            row = await store_drill.claim(tx.conn, tx.now, runtime.ids.new())
            if row is None:
                break
            claimed.append(row)
    await asyncio.gather(*(_advance(runtime, row) for row in claimed))
    return len(claimed)


async def _advance(runtime: Runtime, row: Row) -> None:
    step = STEP.validate_python(row["step"])
    if row["run_state"] == "stopping" and not isinstance(step, RaiseAlert | StandDown):
        # A stop came while a crashed process held the step. Only an alert is looked after: it may have been raised.
        await _end(runtime, row, "skipped", Acted("done", {"code": "stopped"}))
        return
    try:
        acted = await _act(runtime, row, step)
    except Problem as problem:
        acted = _refused(problem)
    if acted is None:
        return
    late = runtime.clock.now() - row["began_at"] > timedelta(seconds=step.within_s)
    if acted.state == "waits" and not late:
        async with runtime.tx(actor=row["started_by"]) as tx:
            again_at = tx.now + LOOK_AGAIN
            await store_drill.look_again(
                tx.conn, row["run_id"], row["number"], row["lease"], again_at, acted.happened
            )
        return
    await _end(runtime, row, "missed" if late and acted.state in ("waits", "done") else acted.state, acted)


def _refused(problem: Problem) -> Acted:
    """An owner that is away is waited for; one that says no is believed."""
    happened = {"code": "refused", "zh": problem.detail_zh, "en": problem.detail_en}
    return Acted("waits" if problem.status in AWAY else "refused", happened)


async def _act(runtime: Runtime, row: Row, step: Step) -> Acted | None:
    """None, if the lease has gone to somebody else meanwhile."""
    acting = Acting(
        upstream=runtime.state["upstream"],
        who=_who(runtime, row),
        run_id=row["run_id"],
        number=row["number"],
        began_at=row["began_at"],
        now=runtime.clock.now(),
        case_id=row["case_id"],
        memory=row["memory"],
        picked=row["picked"] or [],
    )
    if row["picked"] is None:
        picked = await pick(acting, step)
        if picked:
            async with runtime.tx(actor=row["started_by"]) as tx:
                if not await store_drill.keep_picked(
                    tx.conn, row["run_id"], row["number"], row["lease"], picked
                ):
                    return None
        acting = replace(acting, picked=picked or [])
    return await act(acting, step)


def _who(runtime: Runtime, row: Row) -> Visitor:
    """The person who started the drill, as the owners see them."""
    who = Principal(row["started_by"], cast(Role, row["started_as"]), row["region_code"])
    now = runtime.clock.now()
    token = mint(runtime.settings, who.subject, who.role, who.region_code, now, TOKEN_LIVES)
    return Visitor(who, "", "zh-CN", token)


async def _end(runtime: Runtime, row: Row, state: str, acted: Acted) -> None:
    """The step is over: remember, make the next one due, or end the run."""
    run_id = row["run_id"]
    async with runtime.tx(actor=row["started_by"]) as tx:
        run = await store_drill.lock_run(tx.conn, run_id)
        assert run is not None, "A step has its run."
        if not await store_drill.end_step(
            tx.conn, run_id, row["number"], row["lease"], state, acted.happened, tx.now
        ):
            return
        await store_drill.remember(tx.conn, run_id, acted.case_id, acted.case_code, acted.memory)
        following = await store_drill.next_step(tx.conn, run_id)
        if row["number"] == 0 and acted.case_id is None:
            # Without an alert there is nothing to drill; the steps after it would ask about no case.
            await store_drill.stop_rest(tx.conn, run_id, tx.now)
            await store_drill.end_run(tx.conn, run_id, "failed", tx.now)
        elif following is None:
            over = "stopped" if run["state"] == "stopping" else "finished"
            await store_drill.end_run(tx.conn, run_id, over, tx.now)
            tx.audit("drill.ended", subject=run_id, state=over)
        else:
            wait_s = STEP.validate_python(following["step"]).wait_s / run["speed"]
            at = tx.now + timedelta(seconds=wait_s)
            await store_drill.make_due(tx.conn, run_id, following["number"], at)


async def start_drill(
    runtime: Runtime, who: Visitor, scenario: Scenario, speed: int, run_id: UUID, region_code: str
) -> None:
    """Store a run with its steps; the same id again is the same run. Raises: Problem 409."""
    if runtime.settings.oidc_issuer:
        raise Problem(
            409,
            "drill_needs_own_tokens",
            "Drills act in the name of who started them, with tokens of this node; the outside issuer "
            "(GUITU_OIDC_ISSUER) gives none for that.",
            "当前使用外部身份认证,演练推演无法代为操作。",
            "Run drills on a node without GUITU_OIDC_ISSUER.",
        )
    steps = [script.as_json(step) for step in scenario.steps]
    async with runtime.tx(actor=who.principal.subject, region=who.principal.region_code) as tx:
        if await store_drill.other_runs(tx.conn, region_code, run_id) >= RUNS_MAX:
            raise Problem(
                409,
                "too_many_drills",
                f"{RUNS_MAX} drills go on in this region already.",
                f"本辖区已有 {RUNS_MAX} 场演练在进行。",
                "Stop one of them first.",
            )
        run = (run_id, region_code, scenario.name, scenario.title.zh, scenario.title.en, speed)
        person = (who.principal.subject, who.principal.role, tx.now)
        if await store_drill.add_run(tx.conn, (*run, *person), steps):
            tx.audit("drill.started", subject=run_id, scenario=scenario.name, speed=speed)


async def stop_drill(runtime: Runtime, who: Visitor, run_id: UUID) -> bool:
    """Skip what is left and stand the alert down; False if the run was over. Raises: Problem 404."""
    async with runtime.tx(actor=who.principal.subject, region=who.principal.region_code) as tx:
        run = await store_drill.lock_run(tx.conn, run_id)
        if run is None:
            raise no_such_drill(run_id)
        if run["state"] != "running":
            return False
        await store_drill.stop(tx.conn, run, script.as_json(script.stop_step()), tx.now)
        tx.audit("drill.stopped", subject=run_id)
    return True


def no_such_drill(run_id: UUID) -> Problem:
    """404, also for a drill of another region."""
    return Problem(
        404,
        "not_found",
        f"There is no drill {run_id} in your region.",
        "您的辖区内没有这场演练。",
        "Look at the list of drills.",
    )
