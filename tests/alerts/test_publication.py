"""Photo and publication: nothing leaves the vault without consent, and nothing stays out after the end."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from io import BytesIO
from typing import Any

import httpx
import pytest
import pytest_asyncio
from PIL import Image

from alerts.photos import make_due, worker_of
from guitu.auth import Role
from guitu.service import Runtime
from guitu.worker import Worker
from harness.alert_stories import CHILD_NAME, FAMILY_PHONE, Desk, desk, identity
from harness.ground import SettableClock, until
from harness.pictures import bomb, photo

RuntimeFor = Callable[[str], Awaitable[Runtime]]
SHARE_BYTES_MAX = 250 * 1024


@pytest_asyncio.fixture
async def command(runtime_for: RuntimeFor) -> AsyncIterator[Desk]:
    runtime = await runtime_for("alerts")
    async with desk(runtime) as opened:
        yield opened
    await worker_of(runtime).close()


async def with_photo(command: Desk, **more: Any) -> str:
    """A case whose photo came with the report, and was made small."""
    known = identity() | {"photo_base64": base64.b64encode(photo()).decode()}
    case = await command.reports(identity=known, **more)
    assert await make_due(command.runtime) == 1
    return str(case["case_id"])


def consent(command: Desk, **more: Any) -> dict[str, Any]:
    """A consent as the operator records it."""
    given = {
        "police_case_number": "A5002350000002026030001",
        "consent_by": "mother",
        "consent_form": "written",
        "consented_at": command.runtime.clock.now().isoformat(),
        "photo": True,
    }
    return given | more


async def publish(command: Desk, case_id: str, **more: Any) -> dict[str, Any]:
    """Record the consent; gives the publication."""
    answered = await command.http.put(
        f"/cases/{case_id}/publication", json=consent(command, **more), headers=command.as_role("operator")
    )
    assert answered.status_code == 200, answered.text
    return dict(answered.json())


async def get(command: Desk, path: str, role: Role = "operator") -> httpx.Response:
    return await command.http.get(path, headers=command.as_role(role))


async def public(command: Desk, path: str) -> httpx.Response:
    return await command.http.get(path)


async def ends(command: Desk, case_id: str) -> None:
    await command.post(f"/cases/{case_id}/stand-down", {"outcome": "found"})


async def test_the_photo_is_released_by_consent_alone_and_gone_after_the_end(command: Desk) -> None:
    case_id = await with_photo(command)
    path = f"/cases/{case_id}/notice-photo"

    before = await get(command, path, "outside_system")
    await publish(command, case_id)
    released = await get(command, path, "outside_system")
    await ends(command, case_id)
    after = await get(command, path, "outside_system")

    assert [before.status_code, released.status_code, after.status_code] == [404, 200, 410]
    assert released.headers["content-type"] == "image/webp"
    assert released.headers["cache-control"] == "no-store"
    assert len(released.content) <= 14 * 1024


async def test_a_consent_without_the_photo_releases_no_photo(command: Desk) -> None:
    case_id = await with_photo(command)

    page = (await publish(command, case_id, photo=False))["public_url"]

    assert (await get(command, f"/cases/{case_id}/notice-photo")).status_code == 404
    assert "<img" not in (await public(command, page)).text
    assert (await public(command, f"{page}/photo")).status_code == 404
    assert b"/Subtype /Image" not in (await get(command, f"/cases/{case_id}/poster.pdf")).content


async def test_without_a_consent_there_is_no_poster(command: Desk) -> None:
    case_id = await with_photo(command)

    answers = [await get(command, f"/cases/{case_id}/{file}") for file in ("poster.pdf", "share.jpg")]

    assert [(each.status_code, each.json()["code"]) for each in answers] == [(409, "not_published")] * 2


@pytest.mark.parametrize(
    "missing", ["police_case_number", "consent_by", "consent_form", "consented_at", "photo"]
)
async def test_no_part_of_a_consent_is_made_up(command: Desk, missing: str) -> None:
    case_id = await with_photo(command)
    said = {name: value for name, value in consent(command).items() if name != missing}

    answer = await command.http.put(
        f"/cases/{case_id}/publication", json=said, headers=command.as_role("operator")
    )

    poster = await command.http.get(f"/cases/{case_id}/poster.pdf", headers=command.as_role("operator"))
    assert (422, 409) == (answer.status_code, poster.status_code)
    assert missing in answer.text


@pytest.mark.parametrize("number", ["----", "待补充案号", "    ", "(.) #"])
async def test_a_police_case_number_without_a_number_is_none(command: Desk, number: str) -> None:
    case_id = await with_photo(command)

    answer = await command.http.put(
        f"/cases/{case_id}/publication",
        json=consent(command, police_case_number=number),
        headers=command.as_role("operator"),
    )

    assert 422 == answer.status_code


async def test_poster_and_picture_are_drawn_within_their_bounds_and_each_is_audited(command: Desk) -> None:
    case_id = await with_photo(command)
    await publish(command, case_id)

    poster = await get(command, f"/cases/{case_id}/poster.pdf")
    share = await get(command, f"/cases/{case_id}/share.jpg")

    assert poster.content.startswith(b"%PDF-")
    assert b"/Subtype /Image" in poster.content
    assert len(poster.content) <= 500 * 1024
    with Image.open(BytesIO(share.content)) as opened:
        assert (opened.format, opened.size) == ("JPEG", (1080, 1440))
    assert len(share.content) <= SHARE_BYTES_MAX
    rows = await command.runtime.pool.fetch(
        "select details from audit where action = 'poster.drawn' order by id"
    )
    assert [row["details"] for row in rows] == [
        {"form": "poster", "photo": True, "name": False},
        {"form": "share", "photo": True, "name": False},
    ]


@pytest.mark.parametrize("named", [False, True])
async def test_the_name_is_public_only_if_the_consent_says_so(command: Desk, named: bool) -> None:
    case_id = await with_photo(command)

    page = await public(command, (await publish(command, case_id, name=named))["public_url"])

    assert ("Nobody&#39;s Child" in page.text) is named
    assert FAMILY_PHONE not in page.text


@pytest.mark.parametrize("form", ["poster.pdf", "share.jpg"])
async def test_a_poster_that_is_drawn_while_the_alert_ends_is_not_handed_out(
    command: Desk, form: str
) -> None:
    case_id = str((await command.reports(identity=identity()))["case_id"])
    await publish(command, case_id)

    drawing = asyncio.create_task(get(command, f"/cases/{case_id}/{form}"))
    assert await until(command.runtime, "select count(*) from audit where action = 'poster.drawn'")
    await ends(command, case_id)
    answered = await drawing

    assert (409, "application/problem+json") == (answered.status_code, answered.headers["content-type"])


async def test_a_consent_narrowed_while_the_poster_is_drawn_is_what_the_poster_shows(command: Desk) -> None:
    case_id = await with_photo(command)
    await publish(command, case_id, photo=True, name=True)

    drawing = asyncio.create_task(get(command, f"/cases/{case_id}/share.jpg"))
    assert await until(command.runtime, "select count(*) from audit where action = 'poster.drawn'")
    await publish(command, case_id, photo=False, name=False)
    answered = await drawing

    shown = await command.runtime.pool.fetch(
        "select details from audit where action = 'poster.drawn' order by id"
    )
    assert 200 == answered.status_code
    assert [(True, True), (False, False)] == [
        (row["details"]["photo"], row["details"]["name"]) for row in shown
    ]


async def test_the_public_page_says_thank_you_after_the_end_and_its_photo_is_gone(command: Desk) -> None:
    case_id = await with_photo(command)
    path = (await publish(command, case_id))["public_url"]

    open_page, open_photo = await public(command, path), await public(command, f"{path}/photo")
    await ends(command, case_id)
    over_page, over_photo = await public(command, path), await public(command, f"{path}/photo")

    assert (open_page.status_code, open_photo.status_code) == (200, 200)
    assert "red coat" in open_page.text
    assert (over_page.status_code, over_photo.status_code) == (200, 410)
    assert "谢谢" in over_page.text
    assert "red coat" not in over_page.text
    assert "<img" not in over_page.text


async def test_a_withdrawn_consent_takes_everything_back_and_can_be_given_again(command: Desk) -> None:
    case_id = await with_photo(command)
    path = (await publish(command, case_id))["public_url"]
    files = (f"/cases/{case_id}/notice-photo", f"/cases/{case_id}/poster.pdf")

    withdrawn = await command.http.delete(
        f"/cases/{case_id}/publication", headers=command.as_role("operator")
    )
    gone = [(await get(command, file)).status_code for file in files]
    page = (await public(command, path)).text
    again = await publish(command, case_id)

    assert withdrawn.status_code == 204
    assert gone == [404, 409]
    assert "谢谢" in page
    assert again["public_url"] == path
    assert (await public(command, f"{path}/photo")).status_code == 200


async def test_the_same_consent_again_changes_nothing(command: Desk) -> None:
    case_id = await with_photo(command)

    first, second = await publish(command, case_id), await publish(command, case_id)

    pool = command.runtime.pool
    assert first == second
    assert await pool.fetchval("select count(*) from audit where action = 'publication.recorded'") == 1


async def test_a_wrong_link_says_so_and_shows_nothing(command: Desk) -> None:
    page, picture = await public(command, "/p/nothing"), await public(command, "/p/nothing/photo")

    assert (page.status_code, picture.status_code) == (404, 404)


async def test_a_photo_that_comes_later_joins_the_identity(command: Desk) -> None:
    case = await command.reports(identity=identity() | {"photo_base64": None})
    path = f"/cases/{case['case_id']}"

    kept = await command.http.put(f"{path}/photo", content=photo(), headers=command.as_role("operator"))
    opened = await get(command, f"{path}/identity?purpose=call_parents")

    assert kept.status_code == 204
    assert base64.b64decode(opened.json()["photo_base64"]) == photo()
    assert opened.json()["child_name"] == CHILD_NAME


@pytest.mark.parametrize(
    ("taken", "code"), [(bomb(), "photo_too_many_pixels"), (b"text", "photo_unreadable")]
)
async def test_what_is_no_picture_is_refused_before_anything_is_stored(
    command: Desk, taken: bytes, code: str
) -> None:
    case = await command.reports()

    refused = await command.http.put(
        f"/cases/{case['case_id']}/photo", content=taken, headers=command.as_role("operator")
    )

    assert (refused.status_code, refused.json()["code"]) == (422, code)
    assert await command.runtime.pool.fetchval("select count(*) from case_identity") == 0


async def test_a_bad_photo_in_a_report_holds_no_alert_up_and_is_shown_as_refused(command: Desk) -> None:
    case = await command.reports(identity=identity())

    await make_due(command.runtime)

    file = (await get(command, f"/cases/{case['case_id']}/file")).json()
    assert file["photo"] == {"state": "refused", "reason": "unreadable"}


async def test_a_newer_photo_replaces_what_was_made_of_the_older(command: Desk) -> None:
    case_id = await with_photo(command)
    await publish(command, case_id)

    await command.http.put(
        f"/cases/{case_id}/photo", content=photo((600, 600)), headers=command.as_role("operator")
    )
    meanwhile = await get(command, f"/cases/{case_id}/notice-photo")
    await make_due(command.runtime)
    made = await get(command, f"/cases/{case_id}/notice-photo")

    assert (meanwhile.status_code, made.status_code) == (404, 200)
    with Image.open(BytesIO(made.content)) as opened:
        assert opened.width == opened.height


async def test_a_photo_whose_process_dies_each_time_is_tried_three_times_and_then_refused(
    command: Desk,
) -> None:
    await command.reports(identity=identity())
    command.runtime.state["pictures"] = Worker(0, "no_such_module")
    states = []

    for _ in range(4):
        states.append((await make_due(command.runtime), await photo_state(command)))
        advance(command, 61)

    assert states == [(1, "due"), (1, "due"), (1, "refused"), (0, "refused")]


async def test_a_photo_that_somebody_works_on_is_left_alone(command: Desk) -> None:
    await command.reports(identity=identity())
    command.runtime.state["pictures"] = Worker(0, "no_such_module")

    assert [await make_due(command.runtime), await make_due(command.runtime)] == [1, 0]


def advance(command: Desk, seconds: float) -> None:
    clock = command.runtime.clock
    assert isinstance(clock, SettableClock)
    clock.advance(seconds=seconds)


async def photo_state(command: Desk) -> str:
    return str(await command.runtime.pool.fetchval("select state from case_photo"))


async def test_forgetting_the_identity_takes_photo_and_publication_with_it(command: Desk) -> None:
    case_id = await with_photo(command)
    path = (await publish(command, case_id))["public_url"]

    await command.post(f"/cases/{case_id}/forget", {"reason": "the family asked"}, "case_leader")

    assert "谢谢" in (await public(command, path)).text
    assert await command.runtime.pool.fetchval("select count(*) from case_photo") == 0


async def test_no_rendition_is_stored_in_the_clear(command: Desk) -> None:
    await with_photo(command)

    row = await command.runtime.pool.fetchrow("select notice, poster from case_photo")

    assert b"WEBP" not in row["notice"][:40]
    assert not row["poster"].startswith(b"\xff\xd8")


async def test_other_regions_and_other_roles_get_no_photo_and_no_poster(command: Desk) -> None:
    case_id = await with_photo(command)
    await publish(command, case_id)
    elsewhere = command.as_role("operator", "500236")

    answers = [
        (await command.http.get(f"/cases/{case_id}/poster.pdf", headers=elsewhere)).status_code,
        (await command.http.get(f"/cases/{case_id}/notice-photo", headers=elsewhere)).status_code,
        (await get(command, f"/cases/{case_id}/notice-photo", "unit")).status_code,
        (await get(command, f"/cases/{case_id}/poster.pdf", "outside_system")).status_code,
    ]

    assert answers == [404, 404, 403, 403]
