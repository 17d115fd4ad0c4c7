"""A specimen that can't be registered is refused with the field and the mend, before the database sees it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from contracts.dna import SampleRegistered
from dna_intake.api import routers
from guitu import problem
from guitu.auth import mint
from guitu.service import Runtime
from harness.dna_stories import YUNYANG
from harness.ground import facts

RuntimeFor = Callable[[str], Awaitable[Runtime]]


@pytest_asyncio.fixture
async def laboratory(runtime_for: RuntimeFor) -> AsyncIterator[tuple[Runtime, httpx.AsyncClient]]:
    run = await runtime_for("dna-intake")
    app = FastAPI()
    app.state.runtime = run
    problem.install(app)
    for router in routers(run):
        app.include_router(router)
    token = mint(run.settings, "lab", "laboratory", "*", run.clock.now(), timedelta(hours=1))
    headers = {"Authorization": f"Bearer {token}"}
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://dna.test", headers=headers) as http:
        yield run, http


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"region_code": "５００２３５"}, "region_code"),
        ({"region_code": "50023"}, "region_code"),
        ({"region_code": 500235}, "region_code"),
        ({"category": "stranger"}, "category"),
        ({"case_id": "CY-0001"}, "case_id"),
        ({"exercise": "perhaps"}, "exercise"),
        ({"name": "Nobody"}, "name"),
        ({"relation": "mother"}, "relation is for category parent_of_missing_child only"),
        ({"category": "parent_of_missing_child", "relation": "neighbour"}, "relation"),
        ({"registered_sex": "unknown"}, "registered_sex"),
        ({"resample_of": "4Z8K2-M0QXT-7"}, "resample_of"),
    ],
    ids=str,
)
async def test_a_wrong_field_is_named_and_nothing_is_registered(
    laboratory: tuple[Runtime, httpx.AsyncClient], wrong: dict[str, Any], says: str
) -> None:
    run, http = laboratory
    body = {"category": "unknown_origin", "region_code": YUNYANG} | wrong

    answer = await http.post("/specimens", json=body)

    assert (422, True) == (answer.status_code, says in answer.json()["detail"])
    assert "Nobody" not in answer.text
    assert [] == await facts(run, SampleRegistered)


async def test_a_specimen_for_a_case_that_nobody_knows_is_not_registered(
    laboratory: tuple[Runtime, httpx.AsyncClient],
) -> None:
    run, http = laboratory
    body = {"category": "parent_of_missing_child", "region_code": YUNYANG, "case_id": str(uuid4())}

    answer = await http.post("/specimens", json=body)

    assert (404, "not_found") == (answer.status_code, answer.json()["code"])
    assert [] == await facts(run, SampleRegistered)
