"""What tests of alerts begin with: a report of nobody, and the service's HTTP face on a test's runtime."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
from fastapi import FastAPI

from alerts.service import SERVICE
from contracts.base import Child, Place, Position, ReportId, Sex
from contracts.report import ReportFiled
from guitu import limits, problem
from guitu.auth import Role, mint
from guitu.service import Runtime

YUNYANG = "500235"
SEAT = {"lon": 108.69, "lat": 30.93}
JPEG = "/9j/4AAQSkZJRgABAQAAAQABAAD/2w=="
FAMILY_PHONE = "+12025550123"
CHILD_NAME = "Nobody's Child"


def report_body(last_seen_at: datetime, **more: Any) -> dict[str, Any]:
    """The five facts that suffice."""
    five = {
        "last_seen_place": {"position": SEAT, "name": "云阳汽车站"},
        "last_seen_at": last_seen_at.isoformat(),
        "sex": "female",
        "age_years": 6,
        "appearance": "red coat",
    }
    return five | more


def identity() -> dict[str, Any]:
    """Who the child would be; an invented name and a number reserved for fiction."""
    return {
        "child_name": CHILD_NAME,
        "parent_names": ["Nobody"],
        "phones": [FAMILY_PHONE],
        "photo_base64": JPEG,
    }


def outside_report(at: datetime, **more: Any) -> ReportFiled:
    """A report as an outside system writes it to the topic."""
    fields: dict[str, Any] = {
        "region_code": YUNYANG,
        "occurred_at": at,
        "report_id": ReportId(uuid4()),
        "child": Child(sex=Sex.male, age_years=6, appearance="blue cap"),
        "last_seen_place": Place(position=Position(**SEAT)),
        "last_seen_at": at,
        "source": "110",
    }
    return ReportFiled(**(fields | more))


@dataclass
class Desk:
    """A person at the service's HTTP face."""

    http: httpx.AsyncClient
    runtime: Runtime

    def as_role(self, role: Role, region: str = YUNYANG, subject: str = "") -> dict[str, str]:
        """Headers of somebody in that role."""
        token = mint(
            self.runtime.settings,
            subject or f"test-{role}",
            role,
            region,
            self.runtime.clock.now(),
            timedelta(hours=9),
        )
        return {"Authorization": f"Bearer {token}"}

    async def post(
        self, path: str, body: dict[str, Any], role: Role = "operator", **headers: str
    ) -> httpx.Response:
        """POST in a role; header names with underscores."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.post(path, json=body, headers=self.as_role(role) | named)

    async def reports(self, *, key: str = "", **more: Any) -> dict[str, Any]:
        """File a report that is accepted."""
        at = more.pop("last_seen_at", self.runtime.clock.now())
        answered = await self.post(
            "/reports", report_body(at, **more), "operator", Idempotency_Key=key or str(uuid4())
        )
        assert answered.status_code == 201, answered.text
        return dict(answered.json())

    async def case(self, case_id: UUID | str) -> dict[str, Any]:
        """The live status."""
        answered = await self.http.get(f"/cases/{case_id}", headers=self.as_role("operator"))
        assert answered.status_code == 200, answered.text
        return dict(answered.json())


@asynccontextmanager
async def desk(runtime: Runtime) -> AsyncIterator[Desk]:
    """The HTTP face of alerts on a test's runtime, as the ground builds it, without a socket."""
    app = FastAPI()
    app.state.runtime = runtime
    problem.install(app)
    app.add_middleware(limits.BodyLimit)
    for router in SERVICE.routers(runtime):
        app.include_router(router)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://alerts") as http:
        yield Desk(http, runtime)
