"""The vault: who the child is stays there, sealed, and can be erased for good."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import pytest
import pytest_asyncio

from guitu.service import Runtime
from guitu.settings import Settings
from guitu.vault import Tampered
from harness.alert_stories import CHILD_NAME, FAMILY_PHONE, Desk, desk, identity

RuntimeFor = Callable[[str], Awaitable[Runtime]]
PURPOSE = "?purpose=call_parents"


@pytest_asyncio.fixture
async def command(runtime_for: RuntimeFor) -> AsyncIterator[Desk]:
    async with desk(await runtime_for("alerts")) as opened:
        yield opened


async def read(command: Desk, case_id: str, query: str = PURPOSE) -> tuple[int, dict[str, object]]:
    answered = await command.http.get(
        f"/cases/{case_id}/identity{query}", headers=command.as_role("operator")
    )
    return answered.status_code, answered.json()


async def audited(command: Desk, action: str) -> list[dict[str, object]]:
    rows = await command.runtime.pool.fetch("select details from audit where action = $1", action)
    return [row["details"] for row in rows]


async def test_an_identity_is_read_for_a_stated_purpose_and_the_reading_is_audited(command: Desk) -> None:
    case = await command.reports(identity=identity())

    refused, _ = await read(command, case["case_id"], "")
    status, opened = await read(command, case["case_id"])

    assert (refused, status) == (400, 200)
    assert opened == identity()
    assert await audited(command, "identity.read") == [{"purpose": "call_parents"}]


async def test_no_table_and_no_topic_holds_a_name_or_a_phone_number(
    command: Desk, settings: Settings
) -> None:
    await command.reports(identity=identity())

    conn = await asyncpg.connect(settings.database_url)
    try:
        tables = await conn.fetch("select tablename from pg_tables where schemaname = 'alerts'")
        found = {
            row["tablename"]: await conn.fetchval(
                f'select string_agg(t::text, $1) from alerts."{row["tablename"]}" t', "\n"
            )
            for row in tables
        }
    finally:
        await conn.close()

    assert found["outbox"]
    assert found["case_identity"]
    for text in found.values():
        for secret in (CHILD_NAME, FAMILY_PHONE):
            assert secret not in (text or "")
            assert secret.encode().hex() not in (text or "")


async def test_numbers_are_kept_in_international_form(command: Desk) -> None:
    case = await command.reports()
    path = f"/cases/{case['case_id']}/identity"

    kept = await command.http.put(
        path, json={"phones": ["+1 (202) 555-0123"]}, headers=command.as_role("operator")
    )
    _, opened = await read(command, case["case_id"])

    assert kept.status_code == 204
    assert opened["phones"] == [FAMILY_PHONE]


async def test_a_forgotten_identity_can_not_be_read_or_written_again(command: Desk) -> None:
    case = await command.reports(identity=identity(), note="said by a neighbour")
    path = f"/cases/{case['case_id']}"

    refused = await command.post(f"{path}/forget", {"reason": "the family asked"}, "operator")
    erased = await command.post(f"{path}/forget", {"reason": "the family asked"}, "case_leader")
    again = await command.post(f"{path}/forget", {"reason": "the family asked"}, "case_leader")
    status, _ = await read(command, case["case_id"])
    put = await command.http.put(f"{path}/identity", json=identity(), headers=command.as_role("operator"))

    assert [refused.status_code, erased.status_code, again.status_code] == [403, 200, 200]
    assert (status, put.status_code) == (410, 410)
    assert len(await audited(command, "identity.forgotten")) == 1
    assert (
        await command.runtime.pool.fetchval("select count(wrapped_key) + count(sealed) from case_identity")
        == 0
    )
    assert (await command.case(case["case_id"]))["note"] == ""


async def test_a_sealed_identity_moved_to_another_case_does_not_open(command: Desk) -> None:
    mine, other = await command.reports(identity=identity()), await command.reports(identity=identity())
    await command.runtime.pool.execute(
        """
        update case_identity c set wrapped_key = o.wrapped_key, sealed = o.sealed
        from case_identity o where c.case_id = $1 and o.case_id = $2
        """,
        mine["case_id"],
        other["case_id"],
    )

    with pytest.raises(Tampered):
        await read(command, mine["case_id"])


async def test_a_case_without_an_identity_says_so(command: Desk) -> None:
    case = await command.reports()

    assert (await read(command, case["case_id"]))[0] == 404
