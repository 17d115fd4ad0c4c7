"""The DNA laboratory of the story (鉴定中心), and the office that asks before it registers a child."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from demo.case import Case, Json
from demo.stage import Stage
from demo.waiting import eventually

STEPS = ("collected", "received", "extracted", "quantified", "amplified", "typed", "quality_checked")
READERS = ("demo-reader-1", "demo-reader-2")
REVIEWERS = ("demo-reviewer-1", "demo-reviewer-2")
COMPARED_WITHIN_S = 60.0
"""A laptop's first search compiles its loops."""


class Laboratory:
    """The DNA laboratory (鉴定中心): two people read, two others review."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    async def _ask(self, method: str, path: str, *, subject: str = "", **more: Any) -> Json:
        return dict(
            await self._stage.ask("dna-intake", method, path, role="laboratory", subject=subject, **more)
        )

    async def requests(self, case: Case) -> Json:
        """Wait until the parents' sample and the cross-matching are asked for."""
        return await eventually(
            lambda: self._ask("GET", "/requests", params={"case_id": case.case_id}),
            f"sample and cross-matching request of {case.code}",
            is_there=lambda found: bool(found["sample_requests"] and found["cross_match_requests"]),
        )

    async def takes(self, category: str, **fields: Any) -> Json:
        """Register a specimen and bring its tube as far as the quality check; `fields` go into its registration."""
        region = self._stage.settings.region_code
        body = {"category": category, "region_code": region} | fields
        specimen = await self._ask("POST", "/specimens", json=body)
        seal = f"S-{uuid4().hex[:8].upper()}"
        for state in STEPS:
            step = {"to_state": state, "seal": seal, "location": "DNA 室"}
            await self._ask("POST", f"/specimens/{specimen['id']}/moves", json=step)
        return specimen

    async def reads(self, specimen: Json, kit: str, loci: Mapping[str, Sequence[str]]) -> Json:
        """Two people read the same profile; the second reading enters it."""
        body = {"kit": kit, "loci": {locus: list(alleles) for locus, alleles in loci.items()}}
        path = f"/specimens/{specimen['id']}/profile"
        for reader in READERS:
            answer = await self._ask("POST", path, subject=reader, json=body)
        return answer

    async def leads_on(self, child: Json) -> list[Json]:
        """Wait for leads on a child, whoever's profile came last."""

        async def look() -> Json:
            return await self._ask("GET", "/candidates", params={"child_id": child["id"]})

        found = await eventually(
            look,
            f"a lead on specimen {child['barcode']}",
            deadline_s=COMPARED_WITHIN_S,
            is_there=lambda answer: bool(answer["candidates"]),
        )
        return list(found["candidates"])

    async def reviews(self, lead: Json, verdict: str) -> Json:
        """Two people review a lead, neither knowing of the other."""
        path = f"/candidates/{lead['id']}/reviews"
        for reviewer in REVIEWERS:
            answer = await self._ask("POST", path, subject=reviewer, json={"verdict": verdict})
        return answer


class Registry:
    """The office that registers children (户籍)."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    async def asks_the_gate(self, child: Json, reference: str) -> Json:
        """May this child be registered?"""
        body = {
            "barcode": child["barcode"],
            "office_reference": reference,
            "kind": "household_registration",
        }
        return dict(await self._stage.ask("dna-intake", "POST", "/gate-requests", role="registry", json=body))

    async def hears(self, request: Json, decision: str) -> Json:
        """Wait until the gate says so."""

        async def look() -> Json:
            path = f"/gate-requests/{request['request_id']}"
            return dict(await self._stage.ask("dna-intake", "GET", path, role="registry"))

        return await eventually(
            look,
            f"{decision} of the gate for {request['office_reference']}",
            deadline_s=COMPARED_WITHIN_S,
            is_there=lambda found: found["decision"] == decision,
        )
