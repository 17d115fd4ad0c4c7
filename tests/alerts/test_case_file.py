"""The case file: written by the people of a case, told to the board without words, open until the child is found."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio

from contracts.case_file import CaseNoted, TaskChanged
from guitu.service import Runtime
from harness.alert_stories import CHILD_NAME, SEAT, Desk, desk, identity
from harness.ground import SettableClock, facts

RuntimeFor = Callable[[str], Awaitable[Runtime]]


@pytest_asyncio.fixture
async def command(runtime_for: RuntimeFor) -> AsyncIterator[Desk]:
    async with desk(await runtime_for("alerts")) as opened:
        yield opened


async def opened(command: Desk, **more: Any) -> str:
    return f"/cases/{(await command.reports(**more))['case_id']}"


async def put(command: Desk, path: str, body: dict[str, Any]) -> httpx.Response:
    return await command.http.put(path, json=body, headers=command.as_role("operator"))


async def file_of(command: Desk, path: str) -> dict[str, Any]:
    answer = await command.http.get(f"{path}/file", headers=command.as_role("auditor"))
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_a_note_is_kept_without_names_and_told_without_words(command: Desk) -> None:
    path = await opened(command, identity=identity())

    answer = await command.post(f"{path}/notes", {"words": f"{CHILD_NAME} was seen by Nobody"})

    note = (await file_of(command, path))["notes"][0]
    told = await facts(command.runtime, CaseNoted)
    rows = await command.runtime.pool.fetch("select payload from outbox")
    assert note["words"] == "child was seen by parent"
    assert [(fact.kind, str(fact.entry_id)) for fact in told] == [("note", answer.json()["entry_id"])]
    assert not [row for row in rows if b"was seen by" in bytes(row["payload"])]


async def test_nobody_s_name_of_the_family_gets_out_by_any_free_text(command: Desk) -> None:
    path, duplicate = await opened(command, identity=identity()), await opened(command)
    named = f"{CHILD_NAME} and Nobody"
    now = command.runtime.clock.now().isoformat()
    seen = {"seen_at": now, "place": SEAT | {"name": named}, "note": named}

    sighting = (await command.post(f"{path}/sightings", seen)).json()["sighting_id"]
    task = (await command.post(f"{path}/tasks", {"what": named, "who": named})).json()["entry_id"]
    said = [
        await command.post(
            f"{path}/sightings/{sighting}/assessment", {"verdict": "uncertain", "reason": named}
        ),
        await command.post(f"{path}/tasks/{task}", {"who": named}),
        await put(command, f"{path}/task-force", {"leader": named, "members": [named, "Zhao"]}),
        await command.post(f"{path}/hand-over", {"to": named, "words": named}),
        await command.post(f"{path}/tier", {"tier": "search", "reason": named}),
        await command.post(f"{duplicate}/merge", {"into": path.split("/")[-1], "reason": named}),
        await command.post(f"{path}/stand-down", {"outcome": "found", "reason": named}),
        await command.post(f"{path}/forget", {"reason": named}, role="case_leader"),
    ]

    assert {200, 201, 204} >= {answer.status_code for answer in said}
    for table in ("outbox", "audit", "case_file", "case_note", "case_task", "task_force_member", "sighting"):
        rows = str(await command.runtime.pool.fetch(f"select * from {table}"))
        assert (table, False, False) == (table, CHILD_NAME in rows, "Nobody" in rows)


async def test_a_vault_that_cannot_be_opened_holds_no_stand_down_up(command: Desk) -> None:
    path = await opened(command, identity=identity())
    await command.runtime.pool.execute("update case_identity set sealed = '\\x00'")

    answer = await command.post(f"{path}/stand-down", {"outcome": "found", "reason": f"{CHILD_NAME} is home"})

    assert ("stood_down", 200) == (answer.json().get("state"), answer.status_code)
    assert "" == await command.runtime.pool.fetchval("select close_reason from case_file")


async def test_the_same_key_adds_one_note(command: Desk) -> None:
    path = await opened(command)
    key = str(uuid4())

    answers = [
        (await command.post(f"{path}/notes", {"words": "w"}, Idempotency_Key=key)).json() for _ in range(2)
    ]

    assert answers[0] == answers[1]
    assert len((await file_of(command, path))["notes"]) == 1


async def test_a_task_goes_from_hand_to_hand_and_each_change_is_told_once(command: Desk) -> None:
    path = await opened(command)
    given = await command.post(f"{path}/tasks", {"what": "look at the cameras", "who": "Wang"})
    task = f"{path}/tasks/{given.json()['entry_id']}"

    for move in ({"who": "Zhao"}, {"state": "done"}, {"state": "done"}):
        await command.post(task, move)

    kept = (await file_of(command, path))["tasks"][0]
    told = [fact.state for fact in await facts(command.runtime, TaskChanged)]
    assert (kept["who"], kept["state"], kept["given_by"]) == ("Zhao", "done", "test-operator")
    assert told == ["open", "open", "done"]


async def test_open_tasks_come_first_and_the_one_due_soonest_before_the_others(command: Desk) -> None:
    path, now = await opened(command), command.runtime.clock.now()
    for what, due in (("later", 60), ("never", None), ("done", 1), ("sooner", 5)):
        at = (now + timedelta(minutes=due)).isoformat() if due else None
        given = await command.post(f"{path}/tasks", {"what": what, "due_at": at})
        if what == "done":
            await command.post(f"{path}/tasks/{given.json()['entry_id']}", {"state": "done"})

    assert [task["what"] for task in (await file_of(command, path))["tasks"]] == [
        "sooner",
        "later",
        "never",
        "done",
    ]


async def test_a_task_of_another_case_is_not_there(command: Desk) -> None:
    path, other = await opened(command), await opened(command)
    given = await command.post(f"{path}/tasks", {"what": "look"})

    answer = await command.post(f"{other}/tasks/{given.json()['entry_id']}", {"state": "done"})

    assert answer.status_code == 404


async def test_the_task_force_has_one_leader_and_the_same_again_changes_nothing(command: Desk) -> None:
    path = await opened(command)
    for _ in range(2):
        await put(command, f"{path}/task-force", {"leader": "Li", "members": ["Wang", "Li", "Zhao"]})
    before = await file_of(command, path)

    await put(command, f"{path}/task-force", {"leader": "Wang", "members": ["Zhao"]})

    after = await file_of(command, path)
    assert (before["leader"], sorted(before["members"])) == ("Li", ["Wang", "Zhao"])
    assert (after["leader"], after["members"]) == ("Wang", ["Zhao"])
    assert [fact.kind for fact in await facts(command.runtime, CaseNoted)] == ["task_force"] * 2


@pytest.mark.parametrize(("days", "status"), [(0, 204), (30, 204), (-1, 422)])
async def test_the_next_review_is_today_or_later(command: Desk, days: int, status: int) -> None:
    path = await opened(command)
    day = (command.runtime.clock.now() + timedelta(days=days)).date().isoformat()

    answer = await put(command, f"{path}/review", {"next_on": day})

    assert answer.status_code == status
    assert (await file_of(command, path))["next_review_on"] == (day if status == 204 else None)


async def test_the_file_of_a_case_stays_open_after_its_stand_down(command: Desk) -> None:
    path = await opened(command)
    await command.post(f"{path}/stand-down", {"outcome": "found"})

    answers = [
        (await command.post(f"{path}/notes", {"words": "the trial is in May"})).status_code,
        (await command.post(f"{path}/tasks", {"what": "visit the family"})).status_code,
    ]

    assert answers == [201, 201]


async def test_no_route_closes_an_unsolved_case(command: Desk) -> None:
    path = await opened(command)

    answers = [
        (await command.post(f"{path}/stand-down", {"outcome": outcome})).status_code
        for outcome in ("closed", "unsolved", "exercise_over")
    ]

    assert answers == [422, 422, 409]
    assert (await command.case(path.rpartition("/")[2]))["state"] == "open"


async def test_forgetting_the_identity_blanks_notes_and_tasks(command: Desk) -> None:
    path = await opened(command, identity=identity())
    await command.post(f"{path}/notes", {"words": "the grandmother lives in Fengjie"})
    await command.post(f"{path}/tasks", {"what": "ask the grandmother"})

    await command.post(f"{path}/forget", {"reason": "the family asked"}, "case_leader")

    file = await file_of(command, path)
    assert [note["words"] for note in file["notes"]] == [""]
    assert [task["what"] for task in file["tasks"]] == [""]
    assert file["identity"] == "forgotten"


async def test_the_sightings_of_all_open_cases_of_the_region_wait_in_one_list(command: Desk) -> None:
    first, second, closed = [await opened(command) for _ in range(3)]
    clock = command.runtime.clock
    assert isinstance(clock, SettableClock)
    for path in (first, closed, second):
        seen = {"seen_at": clock.now().isoformat(), "place": SEAT}
        await command.post(f"{path}/sightings", seen)
        clock.advance(seconds=1)
    await command.post(f"{closed}/stand-down", {"outcome": "found"})

    async def listed(query: str = "", region: str = "500235") -> list[str]:
        headers = command.as_role("operator", region)
        rows = (await command.http.get(f"/sightings{query}", headers=headers)).json()
        return [f"/cases/{row['case_id']}" for row in rows]

    assert await listed() == [second, first]
    assert await listed("?open=false") == [second, closed, first]
    assert await listed(region="500236") == []


async def test_a_change_of_the_identity_leaves_the_rest_as_it_is(command: Desk) -> None:
    path = await opened(command, identity=identity())

    changed = await command.http.patch(
        f"{path}/identity", json={"parent_names": ["Somebody"]}, headers=command.as_role("operator")
    )
    known = await command.http.get(
        f"{path}/identity?purpose=call_parents", headers=command.as_role("operator")
    )

    assert changed.status_code == 204
    assert known.json() == identity() | {"parent_names": ["Somebody"]}


@pytest.mark.parametrize("role", ["auditor", "unit", "site", "laboratory", "outside_system"])
async def test_other_roles_write_nothing_into_the_file(command: Desk, role: Any) -> None:
    path = await opened(command)

    answers = [
        (await command.post(f"{path}/{what}", {"words": "w", "what": "w"}, role)).status_code
        for what in ("notes", "tasks", "hand-over")
    ]

    assert answers == [403] * 3


@pytest.mark.parametrize(
    "table", ["case_note", "case_task", "task_force_member", "case_review", "case_photo", "publication"]
)
async def test_the_database_itself_hides_a_file_from_another_region(command: Desk, table: str) -> None:
    path = await opened(command, identity=identity())
    now = command.runtime.clock.now()
    await command.post(f"{path}/notes", {"words": "w"})
    await command.post(f"{path}/tasks", {"what": "w"})
    await put(command, f"{path}/task-force", {"leader": "Li"})
    await put(command, f"{path}/review", {"next_on": now.date().isoformat()})
    consent = {
        "consent_by": "mother",
        "consent_form": "written",
        "consented_at": now.isoformat(),
        "photo": True,
    }
    await put(command, f"{path}/publication", consent | {"police_case_number": "A500235"})

    async def seen(region: str) -> int:
        async with command.runtime.read(region=region) as conn:
            return int(await conn.fetchval(f"select count(*) from {table}"))

    assert (await seen("500235"), await seen("500236")) == (1, 0)
