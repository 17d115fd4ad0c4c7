"""The far side of drills: alerts, dispatch and notifications with one case, as careful about repetition as they are."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import httpx

from harness.ground import START

Json = dict[str, Any]
BEFORE = {"accepted": "issued", "in_position": "accepted", "stand_down_acknowledged": "stood_down"}
SITES = 6


def named(name: str) -> str:
    """The same id for the same name."""
    return str(uuid5(NAMESPACE_URL, name))


@dataclass
class DrillOwners:
    """One case that is raised by the first report; `after` is called after each command that was carried out."""

    cases: dict[str, Json] = field(default_factory=dict)
    orders: dict[str, str] = field(default_factory=dict)
    acknowledged: set[str] = field(default_factory=set)
    sightings: dict[str, Json] = field(default_factory=dict)
    plans: list[str] = field(default_factory=list)
    """What each plan followed from."""
    outcome: str | None = None
    commands: list[str] = field(default_factory=list)
    moves: list[tuple[str, str]] = field(default_factory=list)
    away: set[str] = field(default_factory=set)
    plan_after: int = 0
    replans: bool = True
    after: Callable[[str], None] = lambda _command: None

    def who(self, move: str) -> set[str]:
        """The orders that ever made this move."""
        return {order_id for order_id, made in self.moves if made == move}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer as the owner of that path does."""
        path = request.url.path
        if path.split("/")[1] in self.away:
            raise httpx.ConnectError("away", request=request)
        body = json.loads(request.content) if request.content else {}
        if request.method == "GET":
            return self._reads(path, request.url.params)
        answer = self._does(path, body, request.headers.get("idempotency-key", ""))
        self.commands.append(path)
        self.after(path)
        return answer

    def _reads(self, path: str, asked: httpx.QueryParams) -> httpx.Response:
        if path == "/plans":
            self.plan_after -= 1
            if self.plan_after >= 0 or not self.plans:
                return httpx.Response(404, json={"code": "not_found", "detail": "none", "detail_zh": "无"})
            number = int(asked.get("number", len(self.plans)))
            plan = {"plan_number": number, "trigger": self.plans[number - 1], "closed_exits": 2}
            plan["order_ids"] = list(self.orders)
            return httpx.Response(200, json={"plan": plan | {"open_exits": [{}]}})
        if path == "/orders":
            return httpx.Response(200, json={"orders": [self._order(one) for one in self.orders]})
        assert path == "/notices", f"Nobody answers GET {path}."
        return httpx.Response(200, json={"deliveries": self._deliveries()})

    def _does(self, path: str, body: Json, key: str) -> httpx.Response:
        kind, last = path.split("/")[1], path.rsplit("/", maxsplit=1)[-1]
        if path == "/reports":
            return self._raised(body, key)
        if kind == "orders":
            return self._moved(path.split("/")[2], body["move"])
        if last == "acknowledge":
            self.acknowledged.add(path.split("/")[2])
        elif last == "sightings" and self.outcome:
            return httpx.Response(409, json={"code": "case_closed", "detail": "over", "detail_zh": "已解除"})
        elif last == "sightings":
            self.plans += ["sighting"] if key not in self.sightings and self.replans else []
            self.sightings.setdefault(key, body)
            return httpx.Response(201, json={"sighting_id": named(key)})
        elif last == "assessment":
            self.plans += ["assessment"] if self.replans else []
        else:
            assert last == "stand-down", f"Nobody answers POST {path}."
            self.outcome = self.outcome or body["outcome"]
            self.orders = dict.fromkeys(self.orders, "stood_down")
        return httpx.Response(200, json={})

    def _raised(self, body: Json, key: str) -> httpx.Response:
        if key in self.cases and self.cases[key] != body:
            said = {"code": "idempotency_key_reused", "detail": "other body", "detail_zh": "内容不同"}
            return httpx.Response(422, json=said)
        self.cases[key] = body
        if not self.plans:
            self.plans, self.orders = ["alert"], {named(f"order {n}"): "issued" for n in range(5)}
        return httpx.Response(201, json={"case_id": named("case"), "case_code": "CY-0042"})

    def _moved(self, order_id: str, move: str) -> httpx.Response:
        state = self.orders[order_id]
        if state != move and BEFORE.get(move, "in_position") != state:
            said = {"code": "order_move_refused", "detail": "not now", "detail_zh": "不能"}
            return httpx.Response(409, json=said)
        self.orders[order_id] = move
        self.moves.append((order_id, move))
        return httpx.Response(200, json={})

    def _order(self, order_id: str) -> Json:
        stop = {"name_zh": "双江码头" if order_id == named("order 1") else "云阳收费站"}
        at = START.isoformat()
        return {"order_id": order_id, "state": self.orders[order_id], "issued_at": at, "stop": stop}

    def _deliveries(self) -> list[Json]:
        kinds = ("raised",) if self.outcome is None else ("raised", "stood_down")
        return [
            {
                "id": named(f"{kind} {site}"),
                "kind": kind,
                "site_id": named(f"site {site}"),
                "unit_id": None,
                "name_zh": f"云阳镇宾馆{site}",
                "accepted_at": START.isoformat(),
                "acknowledged_at": START.isoformat()
                if named(f"{kind} {site}") in self.acknowledged
                else None,
            }
            for kind in kinds
            for site in range(SITES)
        ]
