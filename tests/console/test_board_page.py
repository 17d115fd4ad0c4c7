"""The board as a page: everything of a case without JavaScript, for whom it is, and what opens from a row."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from console.board import rows as board_rows
from console.board.page import STORY_SHOWN
from console.board.rows import own_words
from console.words import words
from contracts import notice, order
from harness.console_desk import SITES_HEAD, Console, opened, seat_at, streaming
from harness.console_stories import CaseStory, RuntimeFor, told, told_at_once
from harness.ground import START

RINGS = [
    {
        "step": 0,
        "radius_km": 100.0,
        "due_at": "2026-03-01T06:00:00Z",
        "issued_at": "2026-03-01T06:00:00Z",
        "cancelled_at": None,
    },
    {
        "step": 1,
        "radius_km": 200.0,
        "due_at": "2026-03-01T07:00:00Z",
        "issued_at": None,
        "cancelled_at": None,
    },
]
SITE = CaseStory.id("site 1")
UNIT = CaseStory.id("unit 1")


def owners(request: httpx.Request) -> httpx.Response:
    """Every owner answers; one unit and one site have names."""
    path = request.url.path
    if path == "/units":
        names = {"name_zh": "双江派出所", "name_en": "Shuangjiang police station"}
        state = {"kind": "police", "on_duty": True, "status": "available", "lon": None, "lat": None}
        return httpx.Response(200, json=[{"unit_id": str(UNIT), "code": "YY01", **names, **state}])
    if path == "/directory/export":
        row = f"{SITE},bus_station,云阳汽车站,Yunyang bus station,500235001,108.7,30.9,500235,1\n"
        return httpx.Response(200, text=SITES_HEAD + row)
    if path.startswith("/cases/"):
        return httpx.Response(200, json={"rings": RINGS})
    return httpx.Response(404, json={"code": "none", "detail": "None.", "detail_zh": "无。"})


@pytest_asyncio.fixture
async def console(runtime_for: RuntimeFor) -> AsyncIterator[Console]:
    async with opened(await runtime_for("console"), owners) as desk:
        yield desk


@pytest_asyncio.fixture
async def story(console: Console) -> CaseStory:
    """A case with orders in several states, sites told, a sighting, a plan and the laboratory's line."""
    made = CaseStory(START)
    await told(
        console.run,
        made.raised(),
        made.planned(0.1, exits=2),
        made.ordered(0.2, "1"),
        made.ordered(0.2, "2"),
        made.moved(order.OrderAccepted, 1, "2"),
        made.told(notice.NoticeQueued, 0.3),
        made.told(notice.NoticeAccepted, 0.4),
        made.told(notice.NoticeAcknowledged, 1.5),
        made.told(notice.NoticeQueued, 0.3, "2"),
        made.told(notice.NoticeFailed, 0.6, "2"),
        made.seen(2),
        made.sample_due(0.1),
    )
    return made


async def board(console: Console, story: CaseStory, query: str = "", **seat: Any) -> httpx.Response:
    async with seat_at(console, **seat) as http:
        return await http.get(f"/cases/{story.case_id}{query}", headers={"Accept": "text/html"})


def ids(text: str, part: str) -> list[str]:
    return re.findall(rf'id="{part}-([^"]+)" data-part', text)


@pytest.mark.parametrize(
    ("cause", "said"), [("", "an update of the alert"), ("优化方案。Better plan.", "Better plan")]
)
async def test_a_plan_that_says_its_cause_is_not_called_an_update_of_the_alert(
    console: Console, cause: str, said: str
) -> None:
    story = CaseStory(START)
    await told(console.run, story.raised(), story.planned(0.1, trigger="update", cause=cause))

    text = (await board(console, story)).text

    assert [said] * 2 == re.findall(r"because of (Better plan|an update of the alert)(?=[;<\n])", text)


async def test_the_page_has_every_row_of_the_case_without_javascript(
    console: Console, story: CaseStory
) -> None:
    text = (await board(console, story)).text

    assert {str(story.id(f"{story.case_id} order {n}")) for n in "12"} == set(ids(text, "order"))
    assert {str(story.id(f"site {n}")) for n in "12"} == set(ids(text, "site"))
    assert [str(story.id(f"{story.case_id} sighting 1"))] == ids(text, "sighting")
    assert ["guitu.dna.sample_requested.v1"] == ids(text, "dna")
    assert 2 == len(re.findall(r'data-exit="', text))
    for said in (
        "Shuangjiang police station",
        "Yunyang bus station",
        "2 ways out open",
        "Landline or unreachable",
    ):
        assert said in text
    assert "<strong>200 km</strong>" in text


async def test_the_whole_story_is_the_whole_story_however_long_it_is(
    console: Console, story: CaseStory
) -> None:
    sites = [story.told(notice.NoticeAcknowledged, 3, str(n)) for n in range(3, 533)]
    await told_at_once(console.run, sites)
    known = await console.run.pool.fetchval("select count(*) from timeline")

    first, whole = (await board(console, story)).text, (await board(console, story, "?whole=1")).text

    assert STORY_SHOWN == len(ids(first, "timeline"))
    assert f"Show {known - STORY_SHOWN} earlier entries" in first
    assert known == len(ids(whole, "timeline"))
    assert "earlier entries" not in whole


async def test_orders_come_worst_first_and_what_is_late_before_all_else(
    console: Console, story: CaseStory
) -> None:
    first, second = (str(story.id(f"{story.case_id} order {n}")) for n in "12")

    # Order 2 was accepted, and its arrival is due after 15 minutes; order 1 has somebody, and nothing is due.
    await told(
        console.run,
        story.moved(order.CheckpointReported, 2, "1", outcome="intercepted", stop=story.stop("1")),
    )
    in_time = ids((await board(console, story)).text, "order")
    console.run.clock.advance(minutes=20)  # type: ignore[attr-defined]
    late = ids((await board(console, story)).text, "order")

    assert ([first, second], [second, first]) == (in_time, late)


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize(
    "query", ["", "?wall=1", "?order={order}", "?site={site}", "?sighting={sighting}", "?done=pin"]
)
async def test_every_view_speaks_both_languages(
    console: Console, story: CaseStory, language: str, query: str
) -> None:
    keys = {
        "order": story.id(f"{story.case_id} order 1"),
        "site": SITE,
        "sighting": story.id(f"{story.case_id} sighting 1"),
    }

    answer = await board(console, story, query.format(**keys), language=language)

    assert (200, f'<html lang="{language}">') == (
        answer.status_code,
        re.search(r"<html[^>]*>", answer.text)[0],
    )  # type: ignore[index]


async def test_an_exercise_is_marked_on_its_board_and_on_what_opens_from_it(console: Console) -> None:
    made = CaseStory(START, "drill", exercise=True)
    await told(console.run, made.raised(), made.ordered(1))

    pages = [
        await board(console, made, query) for query in ("", f"?order={made.id(f'{made.case_id} order 1')}")
    ]

    assert all("exercise-frame" in page.text for page in pages)


async def test_nobody_of_another_region_sees_the_board_or_a_row_of_it(
    console: Console, story: CaseStory
) -> None:
    queries = [
        "",
        f"?order={story.id(f'{story.case_id} order 1')}",
        "/rings",
        "/reach",
        "/reach.json",
        "/units.json",
    ]

    seen = [(await board(console, story, query, region="500236")).status_code for query in queries]

    assert [404] * len(queries) == seen


@pytest.mark.parametrize(
    ("role", "status", "acts"), [("operator", 200, True), ("auditor", 200, False), ("laboratory", 403, False)]
)
async def test_only_who_commands_is_offered_commands(
    console: Console, story: CaseStory, role: Any, status: int, acts: bool
) -> None:
    page = await board(console, story, role=role)
    row = await board(console, story, f"?order={story.id(f'{story.case_id} order 1')}", role=role)

    assert (status, acts) == (page.status_code, "/stand-down" in page.text)
    assert (status, acts) == (row.status_code, "/moves" in row.text)


async def test_a_row_offers_the_next_legal_answers_and_no_others(console: Console, story: CaseStory) -> None:
    detail = f"?order={story.id(f'{story.case_id} order 2')}"
    offered = re.compile(r'name="move" value="(\w+)"')

    accepted = offered.findall((await board(console, story, detail)).text)
    await told(console.run, story.moved(order.UnitInPosition, 2, "2"))
    standing = offered.findall((await board(console, story, detail)).text)

    assert (["in_position"], ["nothing_seen", "intercepted"]) == (accepted, standing)


async def test_a_row_that_the_case_does_not_have_is_refused_in_words(
    console: Console, story: CaseStory
) -> None:
    answer = await board(console, story, f"?site={CaseStory.id('nobody')}")

    assert (404, True) == (answer.status_code, "Go back to the board" in answer.text)


async def test_a_board_whose_owners_are_away_is_shown_all_the_same(runtime_for: RuntimeFor) -> None:
    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("away", request=request)

    made = CaseStory(START)
    async with opened(await runtime_for("console"), away) as console:
        await told(console.run, made.raised(), made.ordered(1))
        page = await board(console, made)

    assert 200 == page.status_code
    assert "dispatch, notifications does not answer" in page.text
    assert "When the next ring is due can&#39;t be said" in page.text


async def test_a_patch_has_the_very_row_that_the_page_has(console: Console, story: CaseStory) -> None:
    async with streaming(console, f"/cases/{story.case_id}/live?after=0") as stream:
        patch = await stream.next("patch")
    text = (await board(console, story)).text

    assert patch is not None
    rows = [row["html"] for row in patch.data["rows"]]
    assert {"order", "site", "sighting", "dna"} <= {row["part"] for row in patch.data["rows"]}
    assert all(html in text for html in rows)
    assert all(one["html"] in text for one in patch.data["timeline"])
    assert patch.data["head"] in text


async def test_what_a_person_wrote_is_shown_whole(console: Console, story: CaseStory) -> None:
    """A plate or a brand after Chinese words is no translation of them."""
    await told(console.run, story.updated(4, 2, reason="更正车牌:渝A12345"))

    assert "更正车牌:渝A12345" in (await board(console, story)).text


async def test_what_a_stranger_wrote_is_text_and_never_markup(console: Console, story: CaseStory) -> None:
    await told(
        console.run,
        story.seen(
            3,
            "2",
            note="<script>alert(1)</script>",
            place={"position": {"lon": 108.7, "lat": 30.9}, "name": '"><b>x'},
        ),
    )

    text = (await board(console, story)).text

    assert "<script>alert" not in text
    assert '"><b>x' not in text
    assert "&lt;script&gt;alert(1)" in text


@pytest.mark.parametrize(
    ("text", "zh", "en"),
    [
        ("没有警力能赶到。No unit is fast enough.", "没有警力能赶到。", "No unit is fast enough."),
        ("距离最近 The nearest one", "距离最近", "The nearest one"),
        ("最近", "最近", "最近"),
        ("Only English", "Only English", "Only English"),
        ("G42 往万州", "G42 往万州", "G42 往万州"),
    ],
)
def test_of_a_sentence_in_both_languages_the_page_says_its_own_half(text: str, zh: str, en: str) -> None:
    assert (zh, en) == (own_words(text, "zh-CN"), own_words(text, "en"))


def test_a_part_without_rows_is_refused() -> None:
    with pytest.raises(KeyError):
        board_rows.render("nothing", None, words("en"))  # type: ignore[arg-type]


@pytest.mark.parametrize(("share", "said"), [(1, "100"), (0.996, "99"), (0.55, "55"), (0.286, "29")])
async def test_only_what_is_whole_is_said_to_be_a_hundred_per_cent(
    console: Console, share: float, said: str
) -> None:
    figures = {"verdict": "probabilistic", "intercepted": share, "low": 0.2, "high": 1, "bound": 1, "gap": 0}
    made = CaseStory(START)
    await told(console.run, made.raised(), made.planned(0.1, figures=figures | {"proven": False}))

    assert f"<strong>{said} % met</strong>" in (await board(console, made)).text


async def test_who_acknowledged_after_the_alert_changed_is_said_to_answer_the_newest_notice(
    console: Console, story: CaseStory
) -> None:
    first = (await board(console, story)).text
    await told(console.run, story.stood_down(3))
    last = (await board(console, story)).text

    assert "sites acknowledged the newest notice" not in first
    assert "sites acknowledged the newest notice" in last
