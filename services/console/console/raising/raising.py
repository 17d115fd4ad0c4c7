"""Raising an alert, as its owners do it: what would happen is asked of three services at once, and only alerts raises.

A service that does not answer leaves its part of the preview out and says so; the alert can be raised all the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf
from typing import Any
from uuid import UUID

from console.door.sessions import Visitor
from console.upstream import Upstream
from guitu.problem import Problem

UNDO_S = 30.0
UNDO_SLACK_S = 5.0
"""The page counts down by its own clock, and a tap in the last second takes a moment to arrive."""
CLOCKS_APART_S = 60.0
UNDONE = "录入后30秒内撤回 (taken back within 30 s)"
"""The reason that goes into the case file and to everybody who was told."""

Json = dict[str, Any]


@dataclass(frozen=True)
class Part:
    """What one owner says would happen; without it, why not. With neither, a field that it needs is still missing."""

    said: Json | None = None
    why: Problem | None = None


@dataclass(frozen=True)
class Preview:
    """What would happen, by who says it: dispatch, alerts and notifications."""

    plan: Part = Part()
    report: Part = Part()
    notices: Part = Part()


async def preview(upstream: Upstream, who: Visitor, body: Json) -> Preview:
    """Ask what this report would set going; nothing is stored and nobody is told."""
    plan, (report, notices) = await asyncio.gather(
        _part(_plan(upstream, who, body)), _told(upstream, who, body)
    )
    return Preview(plan, report, notices)


async def _plan(upstream: Upstream, who: Visitor, body: Json) -> Json | None:
    if "last_seen_place" not in body or "last_seen_at" not in body:
        return None
    asked = body["last_seen_place"]["position"] | {
        "last_seen_at": body["last_seen_at"],
        "suspected_mode": body["suspected_mode"],
    }
    return dict(await upstream.send(who, "dispatch", "POST", "/plans/preview", asked))


async def _told(upstream: Upstream, who: Visitor, body: Json) -> tuple[Part, Part]:
    """The ring comes from alerts, and whom it reaches from notifications."""
    report = await _part(_report(upstream, who, body))
    if report.said is None:
        return report, Part()
    return report, await _part(_notices(upstream, who, body, report.said))


async def _report(upstream: Upstream, who: Visitor, body: Json) -> Json | None:
    if not {"last_seen_place", "last_seen_at", "age_years"} <= body.keys():
        return None
    asked = {"sex": "unknown"} | {name: said for name, said in body.items() if name != "identity"}
    # Of the family only the names matter here, which are taken out of the text; a photo has none.
    identity = body.get("identity", {})
    if names := {name: identity[name] for name in ("child_name", "parent_names") if name in identity}:
        asked["identity"] = names
    return dict(await upstream.send(who, "alerts", "POST", "/reports/preview", asked))


async def _notices(upstream: Upstream, who: Visitor, body: Json, report: Json) -> Json:
    told = report["told"]
    ring = {name: report["ring"].get(name) for name in ("radius_km", "near_radius_km")}
    asked = {
        "position": told["last_seen_place"]["position"],
        "place": told["last_seen_place"]["name"],
        "ring": ring,
        "child": told["child"],
        "stage": "raised",
        "last_seen_at": body["last_seen_at"],
        "exercise": body["exercise"],
    }
    return dict(await upstream.send(who, "notifications", "POST", "/notices/preview", asked))


async def _part(asked: Awaitable[Json | None]) -> Part:
    try:
        return Part(await asked)
    except Problem as why:
        return Part(why=why)


async def raise_alert(upstream: Upstream, who: Visitor, body: Json, key: str) -> Json:
    """File the report; the same key and body again is the same alert. Raises: Problem, as alerts refused; 503."""
    return dict(await upstream.send(who, "alerts", "POST", "/reports", body, key))


async def take_back(upstream: Upstream, who: Visitor, case_id: UUID, now: datetime) -> None:
    """Stand the case down as a false alarm, while nobody can have gone far. Raises: Problem 409 when it is too late."""
    case = await upstream.get(who, "alerts", f"/cases/{case_id}")
    if case["outcome"] is None and seconds_left(case, now) <= -UNDO_SLACK_S:
        raise Problem(
            409,
            "too_late_to_undo",
            f"Alert {case['case_code']} is more than {UNDO_S:g} s old; it can only be stood down with a reason.",
            f"警情 {case['case_code']} 发布已超过 {UNDO_S:g} 秒,只能填写原因后解除。",
            "Stand it down on its board.",
        )
    said = {"outcome": "false_alarm", "reason": UNDONE}
    await upstream.send(who, "alerts", "POST", f"/cases/{case_id}/stand-down", said)


def seconds_left(case: Json, now: datetime) -> float:
    """How long the alert can still be taken back with one tap; negative when it is too late."""
    until = datetime.fromisoformat(case["opened_at"]) + timedelta(seconds=UNDO_S)
    left_s = (until - now).total_seconds()
    # Raised far in the future: a clock was set back, and nobody knows how long people have been on their way.
    return min(left_s, UNDO_S) if left_s <= UNDO_S + CLOCKS_APART_S else -inf
