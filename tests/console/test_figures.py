"""Key figures: computed from the facts' own times, silent where there are too few, each number with its cases."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
import pytest_asyncio

from console.figures.plots import LABELS, chain
from console.figures.values import Share, Spread, duration, spread
from console.words import words
from contracts import notice, order
from guitu.service import Runtime
from harness.console_http import at_the_desk
from harness.console_stories import CaseStory, RuntimeFor, told_at_once
from harness.ground import START


@pytest_asyncio.fixture
async def run(runtime_for: RuntimeFor) -> AsyncIterator[Runtime]:
    yield await runtime_for("console")


async def handled(run: Runtime, many: int, **common: object) -> list[CaseStory]:
    """So many cases on as many days; in the n-th everything takes n minutes."""
    stories = [CaseStory(START - timedelta(days=n), f"case {n}", **common) for n in range(1, many + 1)]
    for n, story in enumerate(stories, 1):
        await told_at_once(
            run,
            [
                story.raised(),
                story.ordered(n),
                story.moved(order.OrderAccepted, n + 1),
                story.moved(order.UnitInPosition, n + 10 * n),
                story.told(notice.NoticeQueued, 0),
                story.told(notice.NoticeDelivered, 0.1),
                story.told(notice.NoticeAcknowledged, 2 * n),
                story.stood_down(99, "false_alarm" if n == 1 else "found"),
            ],
        )
    return stories


async def asked(run: Runtime, path: str, **seat: str) -> httpx.Response:
    async with at_the_desk(run, **{"language": "en", **seat}) as http:  # type: ignore[arg-type]
        return await http.get(path)


async def table(run: Runtime, query: str = "") -> dict[tuple[str, str, str], dict[str, str]]:
    text = (await asked(run, f"/figures.csv{query}")).text.lstrip("\ufeff")
    rows = csv.DictReader(io.StringIO(text))
    return {(row["group"], row["key"], row["figure"]): row for row in rows}


async def test_medians_are_of_the_facts_own_times(run: Runtime) -> None:
    await handled(run, 9)

    rows = await table(run)

    first_order = rows["all", "", "first_order"]
    assert ("9", "300.0", "540.0") == (first_order["n"], first_order["p50_s"], first_order["p95_s"])
    assert "3000.0" == rows["all", "", "in_position"]["p50_s"]
    assert "600.0" == rows["all", "", "acknowledged"]["p50_s"]
    assert "6.0" == rows["all", "", "delivered"]["p95_s"]


async def test_fewer_than_five_are_counted_and_not_averaged(run: Runtime) -> None:
    await handled(run, 4)

    row = (await table(run))["all", "", "first_order"]
    page = (await asked(run, "/figures")).text

    assert ("4", "", "") == (row["n"], row["p50_s"], row["p95_s"])
    assert "4: too few to say" in page


async def test_the_fifth_makes_it_a_figure(run: Runtime) -> None:
    await handled(run, 5)

    assert "180.0" == (await table(run))["all", "", "first_order"]["p50_s"]


async def test_months_are_months_in_beijing(run: Runtime) -> None:
    last_evening = START.replace(day=28, month=2, hour=15, minute=59)
    next_morning = START.replace(day=28, month=2, hour=16, minute=0)
    await told_at_once(run, [CaseStory(last_evening, "a").raised(), CaseStory(next_morning, "b").raised()])

    rows = await table(run)

    assert {"2026-02", "2026-03"} == {key for group, key, _ in rows if group == "month"}


async def test_exercises_are_counted_apart(run: Runtime) -> None:
    await handled(run, 5, exercise=True)

    assert ("all", "", "cases") not in await table(run)
    assert "5" == (await table(run, "?exercise=yes"))["all", "", "cases"]["n"]


async def test_a_site_whose_second_contact_answers_is_one_site(run: Runtime) -> None:
    story = CaseStory(START - timedelta(hours=1))
    await told_at_once(
        run,
        [
            story.raised(),
            story.told(notice.NoticeQueued, 0),
            story.told(notice.NoticeQueued, 5, contact=2),
            story.told(notice.NoticeAcknowledged, 9, contact=2),
        ],
    )

    share = (await table(run))["all", "", "acknowledged_share"]

    assert ("1", "") == (share["n"], share["percent"])


async def test_a_merged_duplicate_is_the_same_case_from_its_first_report_on(run: Runtime) -> None:
    """The first report was merged into the second, and that into the third: one child, and one case."""
    first, second, third = (CaseStory(START - timedelta(hours=9 - n), f"report {n}") for n in range(3))
    await told_at_once(
        run,
        [
            *(story.raised() for story in (third, first, second)),
            first.ordered(30),
            first.told(notice.NoticeQueued, 1),
            second.merged(65, third),
            first.merged(61, second),
            third.ordered(1),
            third.moved(order.UnitInPosition, 11),
            third.told(notice.NoticeQueued, 1),
            third.told(notice.NoticeAcknowledged, 5),
            third.stood_down(90, "found"),
        ],
    )

    rows = await table(run)
    behind = (await asked(run, "/figures/cases?measure=first_order")).text

    assert ("1", "1") == (rows["all", "", "cases"]["n"], rows["all", "", "found_share"]["n"])
    assert "2" == rows["all", "", "acknowledged_share"]["n"], "Each notice was one."
    assert (third.code in behind, first.code in behind) == (True, False)
    assert "30 min" in behind


async def test_a_place_without_a_township_leads_to_its_own_cases(run: Runtime) -> None:
    from contracts.base import Place
    from harness.console_stories import SEAT

    nowhere, here = (CaseStory(START - timedelta(hours=n + 1), f"case {n}") for n in range(2))
    await told_at_once(run, [nowhere.raised(last_seen_place=Place(position=SEAT)), here.raised()])

    page = (await asked(run, "/figures")).text
    links = [part.split('"')[0] for part in page.split('href="') if "township=none" in part.split('"')[0]]
    behind = (await asked(run, links[0].replace("&amp;", "&"))).text.split("<main")[1]

    assert "Place without a township" in page
    assert (nowhere.code in behind, here.code in behind) == (True, False)


async def test_each_number_leads_to_its_cases(run: Runtime) -> None:
    stories = await handled(run, 6)
    page = (await asked(run, "/figures")).text
    link = "/figures/cases?" + page.split("/figures/cases?")[-1].split('"')[0].replace("&amp;", "&")

    behind = await asked(run, link)

    assert 200 == behind.status_code
    assert all(story.code in behind.text for story in stories)


async def test_the_longest_comes_first_among_the_cases_behind_a_number(run: Runtime) -> None:
    stories = await handled(run, 5)

    text = (await asked(run, "/figures/cases?measure=first_order")).text

    assert text.index(stories[4].code) < text.index(stories[0].code)


async def test_another_region_s_cases_count_nowhere(run: Runtime) -> None:
    await handled(run, 5)

    page = (await asked(run, "/figures", region="500236")).text

    assert "No case was reported in this period." in page


async def test_a_period_that_ends_before_it_begins_is_refused_with_both_days(run: Runtime) -> None:
    answer = await asked(run, "/figures?first=2026-03-02&last=2026-03-01")

    assert 422 == answer.status_code
    assert "2026-03-02" in answer.text


async def test_a_township_without_a_name_is_its_code(run: Runtime) -> None:
    from contracts.base import Place
    from harness.console_stories import SEAT

    place = Place(position=SEAT, township_code="500236101")
    await told_at_once(run, [CaseStory(START - timedelta(hours=1)).raised(last_seen_place=place)])

    assert "500236101" in (await asked(run, "/figures")).text


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(None, "–"), (0.24, "0.2 s"), (42.4, "42 s"), (600.0, "10 min"), (7_200.0, "2.0 h"), (99.6, "2 min")],
)
def test_durations_are_read_as_people_say_them(seconds: float | None, said: str) -> None:
    assert said == duration(seconds, words("en"))


@pytest.mark.parametrize(
    ("part", "whole", "percent"), [(0, 400, 0), (1, 400, 1), (399, 400, 99), (400, 400, 100), (4, 4, None)]
)
def test_all_and_none_are_said_only_of_all_and_none(part: int, whole: int, percent: int | None) -> None:
    assert percent == Share(part, whole).percent


def test_a_plot_shows_no_bar_of_too_few() -> None:
    plot = chain(["a", "b"], [spread(4, 10, 20), Spread(9, 10, 100)])

    assert (None, None) == (plot.bars[0].p50_x, plot.bars[0].p95_x)
    shown = plot.bars[1]
    assert shown.p50_x is not None
    assert shown.p95_x is not None
    assert LABELS < shown.p50_x < shown.p95_x < plot.width
