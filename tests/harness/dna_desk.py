"""Somebody at DNA intake's API: the laboratory, a clerk, a leader, in a region."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
from fastapi import FastAPI

from dna_intake.api import routers
from guitu import problem
from guitu.auth import Role, mint
from guitu.service import Runtime
from harness.dna_stories import CASE, KIT, YUNYANG, profile

TO_QUALITY = ("collected", "received", "extracted", "quantified", "amplified", "typed", "quality_checked")


class Desk:
    """Somebody at the service's API, in a role and a region."""

    def __init__(
        self, run: Runtime, http: httpx.AsyncClient, role: Role, region: str, number: int = 1
    ) -> None:
        self.run, self.http, self.role, self.region = run, http, role, region
        token = mint(run.settings, f"{role}-{number}", role, region, run.clock.now(), timedelta(days=30))
        self.headers = {"Authorization": f"Bearer {token}"}

    def colleague(self, number: int = 2) -> Desk:
        """Somebody else in the same role and region."""
        return Desk(self.run, self.http, self.role, self.region, number)

    async def posts(self, path: str, body: Any, **headers: str) -> httpx.Response:
        """Send a body; whatever is answered."""
        return await self.http.post(path, json=body, headers=self.headers | headers)

    async def gets(self, path: str) -> Any:
        """What a GET that succeeds answers."""
        answer = await self.http.get(path, headers=self.headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def registers(self, **fields: Any) -> dict[str, Any]:
        """A new specimen, of a parent unless told otherwise."""
        body = {"category": "parent_of_missing_child", "region_code": YUNYANG} | fields
        answer = await self.posts("/specimens", body)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def moves(self, specimen_id: str, *states: str) -> httpx.Response:
        """Move a specimen through some states; the last answer."""
        assert states, "A move leads somewhere."
        for state in states:
            body = {"to_state": state, "seal": "S-0001", "location": "DNA室"}
            answer = await self.posts(f"/specimens/{specimen_id}/moves", body)
        return answer

    async def reads(
        self, specimen_id: str, loci: dict[str, list[str]] | None = None, **more: Any
    ) -> httpx.Response:
        """Give this person's reading: the sound profile, or another."""
        body = {"kit": KIT, "loci": loci or profile()} | more
        return await self.posts(f"/specimens/{specimen_id}/profile", body)

    async def enters(self, specimen_id: str, **loci: list[str]) -> httpx.Response:
        """Read the sound profile, changed at some loci, and let a colleague read the same; the last answer."""
        first = await self.reads(specimen_id, profile() | loci)
        if first.status_code != 202:
            return first
        return await self.colleague().reads(specimen_id, profile() | loci)

    async def waits_for(self) -> list[str]:
        """What the comparison of the case waits for."""
        found = await self.gets(f"/requests?case_id={CASE}")
        return list(found["cross_match_requests"][0]["waits_for"])

    async def sample_request(self) -> dict[str, Any]:
        """The sample request of the case."""
        return dict((await self.gets(f"/requests?case_id={CASE}"))["sample_requests"][0])

    async def sample_state(self) -> str:
        """How far the sample request of the case is."""
        return str((await self.sample_request())["state"])


@asynccontextmanager
async def desk(run: Runtime, role: Role = "laboratory", region: str = YUNYANG) -> AsyncIterator[Desk]:
    """The service's own routes on a runtime, and somebody at them."""
    app = FastAPI()
    app.state.runtime = run
    problem.install(app)
    for router in routers(run):
        app.include_router(router)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://dna.test") as http:
        yield Desk(run, http, role, region)
