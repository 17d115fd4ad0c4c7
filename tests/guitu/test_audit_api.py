"""The audit log over HTTP: newest first, for its auditors only, checked link by link, and reading it leaves a line."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from guitu import audit, audit_api, problem
from guitu.auth import Role, mint
from guitu.service import Runtime
from harness import ground


@dataclass
class Log:
    """A service's log, and people who ask for it."""

    run: Runtime
    http: httpx.AsyncClient

    async def writes(self, action: str, subject: UUID | None = None, actor: str = "desk-1") -> None:
        async with self.run.tx(actor=actor) as tx:
            tx.audit(action, subject=subject)

    async def is_sealed(self) -> None:
        async with self.run.pool.acquire() as conn:
            while await audit.seal(conn):
                pass

    async def asks(
        self, path: str, role: Role = "auditor", region: str = "500235", **query: Any
    ) -> httpx.Response:
        token = mint(self.run.settings, f"{role}-1", role, region, self.run.clock.now(), timedelta(hours=1))
        return await self.http.get(path, params=query, headers={"Authorization": f"Bearer {token}"})

    async def actions(self, **query: Any) -> list[str]:
        answer = await self.asks("/audit/entries", **query)
        assert 200 == answer.status_code, answer.text
        return [each["action"] for each in answer.json()["entries"]]


@pytest_asyncio.fixture
async def log(runtime_for: Callable[[str], Any]) -> AsyncIterator[Log]:
    run = await runtime_for("alerts")
    app = FastAPI()
    app.state.runtime = run
    problem.install(app)
    app.include_router(audit_api.router)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://alerts.test") as http:
        yield Log(run, http)


async def test_the_newest_entries_come_first_and_older_ones_on_request(log: Log) -> None:
    rows = [
        audit.Row(UUID(int=number), log.run.clock.now(), "desk-1", action, None, {})
        for number, action in enumerate(("test.one", "test.two", "test.three"))
    ]
    await audit.insert(log.run.pool, rows)

    first = (await log.asks("/audit/entries", limit=2, action="test.")).json()
    rest = await log.actions(before=first["next_before"], limit=2, action="test.")

    assert ["test.three", "test.two"] == [each["action"] for each in first["entries"]]
    assert ["test.one"] == rest


async def test_entries_are_found_by_who_what_and_about_what(log: Log) -> None:
    case = uuid4()
    await log.writes("identity.read", case)
    await log.writes("identity.read", uuid4(), actor="desk-2")
    await log.writes("alert.updated", case)

    assert ["identity.read"] == await log.actions(actor="desk-2")
    assert ["identity.read", "identity.read"] == await log.actions(action="identity.")
    assert {"alert.updated", "identity.read"} == set(await log.actions(subject=str(case)))


async def test_entries_are_found_by_time(log: Log) -> None:
    await log.writes("test.before")
    log.run.clock.advance(hours=2)  # type: ignore[attr-defined]
    at = log.run.clock.now()
    await log.writes("test.after")

    assert ["test.after"] == await log.actions(since=at.isoformat(), action="test.")
    assert ["test.before"] == await log.actions(until=at.isoformat(), action="test.")


async def test_that_somebody_read_the_log_is_in_the_log(log: Log) -> None:
    await log.actions(actor="desk-7")

    [line] = (await log.asks("/audit/entries")).json()["entries"]

    assert ("audit.read", "auditor-1") == (line["action"], line["actor"])
    assert {"entries": 0, "asked": {"actor": "desk-7", "limit": "100"}} == line["details"]


@pytest.mark.parametrize("role", ["operator", "case_leader", "laboratory", "registry", "unit", "site"])
async def test_who_is_no_auditor_is_refused(log: Log, role: Role) -> None:
    answers = [await log.asks(path, role) for path in ("/audit/entries", "/audit/check")]

    assert [403, 403] == [each.status_code for each in answers]


async def test_an_auditor_of_another_region_is_refused_and_told_whom_to_ask(log: Log) -> None:
    answer = await log.asks("/audit/entries", region="500236")

    assert (403, "region_refused") == (answer.status_code, answer.json()["code"])
    assert 200 == (await log.asks("/audit/entries", region="*")).status_code


async def test_a_whole_chain_holds_and_says_how_long_it_is(log: Log) -> None:
    for _ in range(3):
        await log.writes("test.sealed")
    await log.is_sealed()
    await log.writes("test.waits")

    found = (await log.asks("/audit/check")).json()

    assert (True, 3, 1, None) == (found["holds"], found["sealed"], found["unsealed"], found["broken_at"])


@pytest.mark.parametrize(
    ("damage", "at"),
    [
        (
            "update alerts.audit set actor = 'else' where id in (select audit_id from alerts.audit_seal where seq = 2)",
            2,
        ),
        ("delete from alerts.audit where id in (select audit_id from alerts.audit_seal where seq = 3)", 3),
    ],
)
async def test_a_changed_past_is_named_by_its_place(log: Log, damage: str, at: int) -> None:
    for _ in range(4):
        await log.writes("test.sealed")
    await log.is_sealed()
    owner = await ground.owner(log.run.settings.database_url)
    await owner.execute(damage)
    await owner.close()

    found = (await log.asks("/audit/check")).json()

    assert (False, at) == (found["holds"], found["broken_at"])
    assert f"Audit row {at} " in found["broken"]


async def test_a_chain_that_was_cut_off_no_longer_has_the_link_that_was_noted_down(log: Log) -> None:
    """A shorter chain holds by itself; the noted link is what shows the cut."""
    for _ in range(3):
        await log.writes("test.sealed")
    await log.is_sealed()
    noted = (await log.asks("/audit/check")).json()["head"]
    assert 3 == (await log.asks("/audit/check", known=noted)).json()["known_at"]
    owner = await ground.owner(log.run.settings.database_url)
    await owner.execute("delete from alerts.audit_seal where seq = 3")
    await owner.close()

    found = (await log.asks("/audit/check", known=noted)).json()

    assert (True, None) == (found["holds"], found["known_at"])


async def test_a_check_is_itself_in_the_log(log: Log) -> None:
    await log.asks("/audit/check")

    assert ["audit.checked"] == await log.actions()
