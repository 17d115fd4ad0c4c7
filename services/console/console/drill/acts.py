"""What the people of a drill do, over the owners' own interfaces, and what is looked for then.

Each act may be done twice with the effect of one: by keys that follow from run and step, by moves that owners take
once, and by whom it is about, which is written down before anybody acts (`pick`). Cases are exercises, always.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from console.door.sessions import Visitor
from console.drill import script
from console.upstream import Upstream
from guitu.problem import Problem

Json = dict[str, Any]
State = Literal["done", "waits", "missed", "refused"]
AWAY = (502, 503, 504)
READS_MAX = 10_000
PLANS_BACK_MAX = 20
FROM_STATES: dict[str, tuple[str, ...]] = {
    "accepted": ("issued",),
    "in_position": ("accepted",),
    "nothing_seen": ("in_position",),
    "intercepted": ("in_position", "nothing_seen"),
    "stand_down_acknowledged": ("stood_down",),
}
BOUND = ("issued", "accepted", "in_position", "nothing_seen", "intercepted", "overdue")


@dataclass(frozen=True)
class Acting:
    """A step in its run: who acts for whom, since when, and what is known of the case."""

    upstream: Upstream
    who: Visitor
    run_id: UUID
    number: int
    began_at: datetime
    now: datetime
    case_id: UUID | None
    memory: Json
    picked: list[str] = field(default_factory=list)

    @property
    def key(self) -> str:
        """The same for the same step of the same run, whoever does it after whatever crash."""
        return f"drill-{self.run_id}-{self.number}"

    @property
    def case_path(self) -> str:
        """The case at its owner."""
        assert self.case_id is not None, "The first step of every scenario raises the alert."
        return f"/cases/{self.case_id}"


@dataclass(frozen=True)
class Acted:
    """What happened, as a code and its figures; `memory` is for later steps."""

    state: State
    happened: Json
    memory: Json = field(default_factory=dict)
    case_id: UUID | None = None
    case_code: str | None = None


async def pick(acting: Acting, step: script.Step) -> list[str] | None:
    """Whom the step is about, chosen now and kept; None for a step that is about nobody in particular.

    An empty list is not kept: whoever is missing may still come.
    """
    if isinstance(step, script.UnitsAnswer):
        orders = await _orders(acting)
        found = [
            one["order_id"]
            for one in sorted(orders, key=lambda one: (one["issued_at"], one["order_id"]))
            if one["state"] in FROM_STATES[step.move] and step.at_place in one["stop"]["name_zh"]
        ]
        return found[: step.at_most]
    if isinstance(step, script.SitesAcknowledge):
        found = [
            one["id"]
            for one in await _deliveries(acting)
            if one["site_id"]
            and one["accepted_at"]
            and not one["acknowledged_at"]
            and step.at_site in (one["name_zh"] or "")
        ]
        return found[: step.at_most]
    return None


async def act(acting: Acting, step: script.Step) -> Acted:
    """Do it, or look whether it is there. Raises: Problem, if an owner does not answer."""
    return await _ACTS[step.do](acting, step)


async def _raise(acting: Acting, step: script.RaiseAlert) -> Acted:
    said = step.model_dump(mode="json", exclude={"do", "wait_s", "within_s", "title", "place", "minutes_ago"})
    body = {name: value for name, value in said.items() if value not in (None, "")} | {
        "last_seen_place": step.place.model_dump(mode="json"),
        "last_seen_at": (acting.began_at - timedelta(minutes=step.minutes_ago)).isoformat(),
        "exercise": True,
    }
    raised = await acting.upstream.send(acting.who, "alerts", "POST", "/reports", body, acting.key)
    happened = {"code": "raised", "case_code": raised["case_code"]}
    return Acted("done", happened, {}, UUID(raised["case_id"]), raised["case_code"])


async def _see_orders(acting: Acting, step: script.SeeOrders) -> Acted:
    seen = int(acting.memory.get("plan_number", 0))
    plan = await _plan(acting)
    if plan is None:
        return Acted("waits", {"code": "no_plan"})
    newest = int(plan["plan_number"])
    for number in range(max(seen + 1, newest - PLANS_BACK_MAX), newest + 1):
        plan = (await _plan(acting, number=number)) or plan
        if step.trigger in (None, plan["trigger"]) and len(plan["order_ids"]) >= step.at_least:
            return Acted("done", _figures(plan), {"plan_number": number})
    return Acted("waits", _figures(plan))


async def _plan(acting: Acting, **which: int) -> Json | None:
    """The newest plan of the case, or the one with that number; None if there is none."""
    try:
        found = await acting.upstream.get(
            acting.who, "dispatch", "/plans", case_id=str(acting.case_id), **which
        )
    except Problem as refused:
        if refused.status != 404:
            raise
        return None
    plan: Json = found["plan"]
    return plan


def _figures(plan: Json) -> Json:
    return {
        "code": "orders",
        "plan_number": plan["plan_number"],
        "orders": len(plan["order_ids"]),
        "closed": plan["closed_exits"],
        "open": len(plan["open_exits"]),
    }


async def _see_notices(acting: Acting, step: script.SeeNotices) -> Acted:
    told = [one for one in await _deliveries(acting) if one["site_id"]]
    taken = sum(bool(one["accepted_at"]) for one in told)
    happened = {"code": "notices", "taken": taken, "all": len(told)}
    return Acted("done" if taken >= step.at_least else "waits", happened)


async def _units_answer(acting: Acting, step: script.UnitsAnswer) -> Acted:
    body, refused = {"move": step.move}, 0
    for order_id in acting.picked:
        try:
            await acting.upstream.send(acting.who, "dispatch", "POST", f"/orders/{order_id}/moves", body)
        except Problem as problem:
            if problem.status in AWAY:
                raise
            refused += 1
    did = len(acting.picked) - refused
    happened = {"code": "answered", "units": did, "move": step.move, "refused": refused}
    return Acted("done" if did >= step.at_least else "waits", happened)


async def _sites_acknowledge(acting: Acting, step: script.SitesAcknowledge) -> Acted:
    for delivery_id in acting.picked:
        path = f"/deliveries/{delivery_id}/acknowledge"
        await acting.upstream.send(acting.who, "notifications", "POST", path)
    happened = {"code": "acknowledged", "sites": len(acting.picked)}
    return Acted("done" if len(acting.picked) >= step.at_least else "waits", happened)


async def _sighting(acting: Acting, step: script.Sighting) -> Acted:
    body = {
        "seen_at": (acting.began_at - timedelta(minutes=step.minutes_ago)).isoformat(),
        "place": step.place.model_dump(mode="json"),
        "mode": step.mode,
        "note": step.note,
    }
    path = f"{acting.case_path}/sightings"
    kept = await acting.upstream.send(acting.who, "alerts", "POST", path, body, acting.key)
    memory = {"sighting_id": kept["sighting_id"]}
    return Acted("done", {"code": "sighted", "place": step.place.name}, memory)


async def _assess(acting: Acting, step: script.Assess) -> Acted:
    if "sighting_id" not in acting.memory:
        raise _nothing_to_judge()
    path = f"{acting.case_path}/sightings/{acting.memory['sighting_id']}/assessment"
    body = {"verdict": step.verdict, "reason": step.reason}
    await acting.upstream.send(acting.who, "alerts", "POST", path, body)
    return Acted("done", {"code": "assessed", "verdict": step.verdict})


async def _stand_down(acting: Acting, step: script.StandDown) -> Acted:
    if acting.case_id is None:
        return Acted("done", {"code": "nothing_raised"})
    body = {"outcome": step.outcome, "reason": step.reason}
    try:
        await acting.upstream.send(acting.who, "alerts", "POST", f"{acting.case_path}/stand-down", body)
    except Problem as refused:
        if refused.status != 409:
            raise
        # Somebody has ended it by hand before, in another way: it is over all the same.
        return Acted("done", {"code": "was_over"})
    return Acted("done", {"code": "stood_down", "outcome": step.outcome})


async def _see_over(acting: Acting, step: script.SeeOver) -> Acted:
    bound = sum(one["state"] in BOUND for one in await _orders(acting))
    rows = await _deliveries(acting)
    over = {_whom(one) for one in rows if one["kind"].endswith("stood_down") and one["accepted_at"]}
    told = {_whom(one) for one in rows if not one["kind"].endswith("stood_down") and one["accepted_at"]}
    happened = {"code": "over", "bound": bound, "told": len(told), "know": len(told & over)}
    return Acted("done" if not bound and told <= over else "waits", happened)


def _nothing_to_judge() -> Problem:
    return Problem(
        409,
        "no_sighting",
        "The sighting before it was not kept, so there is nothing to judge.",
        "前一条线索未入库,无可研判。",
        "Start the drill again.",
    )


def _whom(delivery: Json) -> str:
    return str(delivery["site_id"] or delivery["unit_id"])


async def _orders(acting: Acting) -> list[Json]:
    found = await acting.upstream.get(acting.who, "dispatch", "/orders", case_id=str(acting.case_id))
    return list(found["orders"])


async def _deliveries(acting: Acting) -> list[Json]:
    query = {"case_id": str(acting.case_id), "limit": READS_MAX}
    found = await acting.upstream.get(acting.who, "notifications", "/notices", **query)
    return list(found["deliveries"])


_ACTS: dict[str, Callable[[Acting, Any], Awaitable[Acted]]] = {
    "raise_alert": _raise,
    "see_orders": _see_orders,
    "see_notices": _see_notices,
    "units_answer": _units_answer,
    "sites_acknowledge": _sites_acknowledge,
    "sighting": _sighting,
    "assess": _assess,
    "stand_down": _stand_down,
    "see_over": _see_over,
}
