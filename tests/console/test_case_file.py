"""The case file on screen: everything but the identity, which is shown for a purpose and hides itself."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable

import pytest

from alerts.photos import make_due
from guitu.service import Runtime
from harness.alert_stories import CHILD_NAME, FAMILY_PHONE, identity
from harness.case_desk import Room, room
from harness.console_http import csrf_of, submits
from harness.pictures import photo

RuntimeFor = Callable[[str], Awaitable[Runtime]]
PURPOSE = "call_parents"


async def opened(at: Room, **more: object) -> str:
    """A case with an identity; gives the path of its file."""
    case = await at.alerts.reports(identity=identity(), **more)
    return f"/cases/{case['case_id']}/file"


async def page(at: Room, path: str) -> str:
    answer = await at.browser.get(path)
    assert answer.status_code == 200, answer.text
    return answer.text


@pytest.mark.parametrize(("language", "said"), [("en", "What everybody is told"), ("zh-CN", "对外通报内容")])
async def test_the_file_is_told_in_both_languages_without_the_identity(
    runtime_for: RuntimeFor, language: str, said: str
) -> None:
    async with room(runtime_for, language=language) as at:
        text = await page(at, await opened(at))

    assert said in text
    assert "red coat" in text
    assert CHILD_NAME not in text
    assert FAMILY_PHONE not in text


async def test_the_identity_is_shown_for_a_purpose_and_leads_away_by_itself(runtime_for: RuntimeFor) -> None:
    async with room(runtime_for) as at:
        path = await opened(at)

        shown = await submits(at.browser, path.replace("/file", "/identity"), purpose=PURPOSE)
        audited = await at.alerts.runtime.pool.fetch(
            "select details from audit where action = 'identity.read'"
        )

    assert FAMILY_PHONE in shown.text
    assert shown.headers["refresh"] == f"60; url={path}"
    assert shown.headers["cache-control"] == "no-store"
    assert [row["details"] for row in audited] == [{"purpose": PURPOSE}]


async def test_without_a_purpose_the_identity_stays_shut_and_the_page_says_why(
    runtime_for: RuntimeFor,
) -> None:
    async with room(runtime_for) as at:
        path = await opened(at)

        shown = await submits(at.browser, path.replace("/file", "/identity"), purpose="")

    assert shown.status_code == 400
    assert "Say why the identity is read." in shown.text
    assert FAMILY_PHONE not in shown.text


async def test_an_auditor_reads_the_file_but_finds_no_form_and_no_identity(runtime_for: RuntimeFor) -> None:
    async with room(runtime_for, "auditor") as at:
        path = await opened(at)

        text = await page(at, path)
        refused = await submits(at.browser, path.replace("/file", "/identity"), purpose=PURPOSE)

    assert "/notes" not in text
    assert "/stand-down" not in text
    assert refused.status_code == 403


async def test_a_note_appears_without_the_family_s_names(runtime_for: RuntimeFor) -> None:
    async with room(runtime_for) as at:
        path = await opened(at)

        await submits(at.browser, path.replace("/file", "/notes"), words=f"{CHILD_NAME} likes trains")
        text = await page(at, path)

    assert "child likes trains" in text
    assert CHILD_NAME not in text


async def test_a_task_is_given_ticked_off_and_opened_again(runtime_for: RuntimeFor) -> None:
    async with room(runtime_for) as at:
        path = await opened(at)
        given = await submits(
            at.browser,
            path.replace("file", "tasks"),
            what="ask the bus drivers",
            who="Wang",
            due_at="2026-03-01T13:00",
        )
        task_id = await at.alerts.runtime.pool.fetchval("select id from case_task")
        states = []
        for state in ("done", "open", "dropped"):
            await submits(at.browser, path.replace("file", f"tasks/{task_id}"), state=state)
            states.append(await at.alerts.runtime.pool.fetchval("select state from case_task"))
        text = await page(at, path)

    assert given.status_code == 303
    assert states == ["done", "open", "dropped"]
    assert "ask the bus drivers" in text


async def test_an_overdue_task_says_so(runtime_for: RuntimeFor) -> None:
    async with room(runtime_for) as at:
        path = await opened(at)
        await submits(at.browser, path.replace("file", "tasks"), what="look", due_at="2026-03-01T13:59")
        before = await page(at, path)
        await submits(at.browser, path.replace("file", "tasks"), what="look", due_at="2026-03-01T14:01")
        after = await page(at, path)

    assert before.count("Overdue") == after.count("Overdue") == 1


async def test_a_hand_over_names_the_new_leader_and_keeps_the_other_people(runtime_for: RuntimeFor) -> None:
    async with room(runtime_for) as at:
        path = await opened(at)
        await submits(at.browser, path.replace("file", "task-force"), leader="Li", members="Wang\nZhao")
        await submits(
            at.browser, path.replace("file", "hand-over"), person="Zhao", words="the bus is being checked"
        )

        file = (await at.alerts.http.get(path, headers=at.alerts.as_role("operator"))).json()

    assert (file["leader"], sorted(file["members"])) == ("Zhao", ["Li", "Wang"])
    assert [(note["kind"], note["words"]) for note in file["notes"]] == [
        ("hand_over", "Zhao: the bus is being checked")
    ]


async def test_a_photo_is_chosen_kept_and_published_as_a_poster(runtime_for: RuntimeFor) -> None:
    async with room(runtime_for) as at:
        path = await opened(at)
        csrf = await csrf_of(at.browser)
        kept = await at.browser.post(
            path.replace("file", "photo"),
            data={"csrf": csrf},
            files={"photo": ("p.jpg", photo(), "image/jpeg")},
        )
        await make_due(at.alerts.runtime)
        published = await submits(
            at.browser,
            path.replace("file", "publication"),
            police_case_number="A5002350000002026030001",
            consent_by="mother",
            consent_form="written",
            photo="yes",
        )
        text = await page(at, path)
        poster = await at.browser.get(path.replace("file", "poster.pdf"))
        share = await at.browser.get(path.replace("file", "share.jpg"))
        withdrawn = await submits(at.browser, path.replace("file", "publication/withdraw"))
        gone = await at.browser.get(path.replace("file", "poster.pdf"))

    assert [kept.status_code, published.status_code, withdrawn.status_code] == [303, 303, 303]
    assert "http://127.0.0.1:8200/p/" in text
    assert poster.content.startswith(b"%PDF-")
    assert share.content.startswith(b"\xff\xd8")
    assert gone.status_code == 409
    assert "may not be published" in gone.text


async def test_the_photo_itself_stands_on_the_page_only_after_the_reveal(runtime_for: RuntimeFor) -> None:
    taken = base64.b64encode(photo((60, 80))).decode()
    async with room(runtime_for) as at:
        case = await at.alerts.reports(identity=identity() | {"photo_base64": taken})
        path = f"/cases/{case['case_id']}/file"

        before = await page(at, path)
        shown = await submits(at.browser, path.replace("/file", "/identity"), purpose=PURPOSE)

    assert taken[:60] not in before
    assert f"data:image/jpeg;base64,{taken[:60]}" in shown.text


async def test_only_the_case_leader_can_erase_an_identity(runtime_for: RuntimeFor) -> None:
    async with room(runtime_for) as at:
        path = await opened(at)
        offered = "/forget" in await page(at, path)
        refused = await submits(at.browser, path.replace("file", "forget"), reason="asked")

    assert (offered, refused.status_code) == (False, 403)


async def test_names_that_come_later_join_what_the_vault_holds(runtime_for: RuntimeFor) -> None:
    async with room(runtime_for) as at:
        path = await opened(at)
        await submits(at.browser, path.replace("file", "identity/keep"), phones="+1 (202) 555-0147")
        shown = await submits(at.browser, path.replace("/file", "/identity"), purpose=PURPOSE)

    assert "+12025550147" in shown.text
    assert "Nobody&#39;s Child" in shown.text


async def test_an_exercise_is_framed(runtime_for: RuntimeFor) -> None:
    async with room(runtime_for) as at:
        text = await page(at, await opened(at, exercise=True))

    assert "exercise-frame" in text


async def test_a_case_of_another_region_is_not_there(runtime_for: RuntimeFor) -> None:
    async with room(runtime_for, region="500236") as at:
        answer = await at.browser.get(await opened(at))

    assert answer.status_code == 404
