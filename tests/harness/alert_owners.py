"""The far side of the page that raises alerts: alerts, dispatch and notifications as they answer, kept in memory."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

CASE = "0192f0c1-0000-7000-8000-000000000001"
Json = dict[str, Any]
SITES = {
    "sites": [
        {
            "site_id": "s1",
            "category": "bus_station",
            "name_zh": "云阳客运中心",
            "name_en": "Yunyang coach centre",
            "township_code": "500235001",
            "lon": 108.706,
            "lat": 30.93,
            "region_code": "500235",
        }
    ]
}
PLAN = {
    "closed_exits": 4,
    "open_exits": [
        {
            "exit_id": "e1",
            "name_zh": "G42 往万州",
            "name_en": "G42 to Wanzhou",
            "earliest_arrival_at": "2026-03-01T06:20:00+00:00",
        }
    ],
    "assignments": [
        {
            "place_zh": "云阳收费站",
            "place_en": "Yunyang toll gate",
            "ready_at": "2026-03-01T06:10:00+00:00",
            "in_time": True,
        },
        {
            "place_zh": "巴阳收费站",
            "place_en": "Bayang toll gate",
            "ready_at": "2026-03-01T06:05:00+00:00",
            "in_time": False,
        },
    ],
    "units_free": 40,
    "schematic": True,
}
NOTICES = {
    "sites": 37,
    "without_contact": 2,
    "texts": [
        {
            "language": "zh",
            "recipients": 30,
            "text": "协查:女6岁红衣,云阳客运中心",
            "segments": 1,
            "shortened": False,
        },
        {"language": "en", "recipients": 7, "refused": "The text is too long."},
    ],
}


@dataclass
class Owners:
    """What they were asked, in order; `away` are paths that do not answer, `refuses` those that say no."""

    opened_at: datetime
    asked: list[tuple[str, Json]] = field(default_factory=list)
    raised: dict[str, Json] = field(default_factory=dict)
    outcome: str | None = None
    away: set[str] = field(default_factory=set)
    refuses: dict[str, tuple[int, Json]] = field(default_factory=dict)
    duplicates: list[Json] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer as the owner of that path does."""
        path = request.url.path
        if path in self.away:
            raise httpx.ConnectError("away", request=request)
        body = json.loads(request.content) if request.content else {}
        self.asked.append((path, body))
        if path in self.refuses:
            status, said = self.refuses[path]
            return httpx.Response(status, json=said)
        return httpx.Response(200, json=self._answer(request, path, body))

    def bodies(self, path: str) -> list[Json]:
        """What came to this path."""
        return [body for at, body in self.asked if at == path]

    def _answer(self, request: httpx.Request, path: str, body: Json) -> Json:
        if path == "/sites":
            return SITES
        if path == "/networks/500235/map":
            return {"features": []}
        if path == "/plans/preview":
            return PLAN
        if path == "/reports/preview":
            return self._report(body)
        if path == "/notices/preview":
            return NOTICES
        if path == "/reports":
            key = request.headers["idempotency-key"]
            self.raised.setdefault(key, body)
            return {"case_id": CASE, "case_code": "CY-0001", "possible_duplicates": []}
        if path.endswith("/stand-down"):
            self.outcome = body["outcome"]
            return {}
        assert path == f"/cases/{CASE}", f"Nobody answers {path}."
        return {
            "case_id": CASE,
            "case_code": "CY-0001",
            "opened_at": self.opened_at.isoformat(),
            "outcome": self.outcome,
            "exercise": False,
            "ring": {"radius_km": 100.0},
            "possible_duplicates": self.duplicates,
        }

    def _report(self, body: Json) -> Json:
        child = {
            "sex": body["sex"],
            "age_years": body["age_years"],
            "appearance": body.get("appearance") or "…",
        }
        return {
            "ring": {"step": 0, "radius_km": 100.0, "near_radius_km": None},
            "told": {"child": child, "last_seen_place": body["last_seen_place"]},
            "possible_duplicates": self.duplicates,
        }
