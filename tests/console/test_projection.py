"""What the console folds: every order of arrival gives the same picture, and later news wins."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import permutations
from typing import Any
from uuid import uuid4

import pytest_asyncio

from console.board.board import board_of
from console.board.lines import Board
from console.county.directory import Directory
from console.live.snapshots import snapshot
from console.projection.agents import REACTIONS
from contracts import notice, order
from contracts.dna import CustodyMoved, SampleRegistered
from guitu.service import Runtime
from harness.console_stories import YUNYANG, CaseStory, RuntimeFor, told, told_at_once
from harness.ground import START, owner, react


@pytest_asyncio.fixture
async def run(runtime_for: RuntimeFor) -> AsyncIterator[Runtime]:
    yield await runtime_for("console")


async def board(run: Runtime, story: CaseStory, region: str = "*") -> Board | None:
    async with snapshot(run, region) as conn:
        return await board_of(conn, story.case_id, Directory())


async def seen(run: Runtime, story: CaseStory) -> Board:
    found = await board(run, story)
    assert found is not None
    return found


async def test_a_case_shows_its_newest_version_whichever_comes_first(run: Runtime) -> None:
    story = CaseStory(START)

    await told(run, story.updated(5, 2, tier="cross_region"), story.raised())

    head = (await seen(run, story)).case
    assert ("cross_region", 2, START) == (head.tier, head.version, head.raised_at)


async def test_a_case_that_is_over_stays_with_its_outcome(run: Runtime) -> None:
    story = CaseStory(START)

    await told(run, story.raised(), story.stood_down(30))

    head = (await seen(run, story)).case
    assert ("stood_down", "found", "红色羽绒服") == (head.state, head.outcome, head.appearance)


async def test_an_end_before_its_alert_shows_nothing_until_the_alert_is_read(run: Runtime) -> None:
    story = CaseStory(START)
    await told(run, story.stood_down(30))
    before = await board(run, story)

    await told(run, story.raised())

    assert before is None
    assert "stood_down" == (await seen(run, story)).case.state


async def test_orders_may_be_read_in_any_order(run: Runtime) -> None:
    story, pictures = CaseStory(START), []
    steps = [
        story.ordered(1),
        story.moved(order.OrderAccepted, 2),
        story.moved(order.UnitInPosition, 9),
        story.moved(order.CheckpointReported, 12, outcome="nothing_seen", stop=story.stop()),
    ]
    await told(run, story.raised())

    for way in permutations(steps):
        await run.pool.execute("delete from order_line")
        await told(run, *way)
        pictures.append((await seen(run, story)).orders)

    assert 24 == len(pictures)
    assert 1 == len(set(pictures))
    line = pictures[0][0]
    assert ("nothing_seen", START + timedelta(minutes=9)) == (line.state, line.in_position_at)
    assert ("卡点1", 480.0) == (line.place_zh, line.margin_s)


async def test_the_worst_order_comes_first(run: Runtime) -> None:
    story = CaseStory(START)
    overdue = {"respond_by": START, "reassigned_to": None}

    await told(run, story.raised(), *(story.ordered(1, name) for name in "1234"))
    await told(
        run,
        story.moved(order.UnitInPosition, 5, "1"),
        story.moved(order.OrderOverdue, 5, "2", **overdue),
        story.moved(order.OrderAccepted, 5, "3"),
    )

    states = [line.state for line in (await seen(run, story)).orders]
    assert ["overdue", "issued", "accepted", "in_position"] == states


async def test_the_page_link_of_an_order_is_kept_nowhere(run: Runtime, postgres_url: str) -> None:
    story = CaseStory(START)

    await told(run, story.raised(), story.ordered(1))

    conn = await owner(postgres_url)
    for table in ("order_line", "timeline", "change"):
        rows = await conn.fetch(f"select t::text as line from console.{table} t")
        assert rows
        assert not [row for row in rows if "not-for-the-console" in row["line"]]
    await conn.close()


async def test_any_contact_of_a_site_answers_for_it(run: Runtime) -> None:
    story = CaseStory(START)
    await told(run, story.raised())

    await told(
        run,
        story.told(notice.NoticeQueued, 0),
        story.told(notice.NoticeAccepted, 1),
        story.told(notice.NoticeEscalated, 6),
        story.told(notice.NoticeQueued, 6, contact=2),
        story.told(notice.NoticeAcknowledged, 8, contact=2),
    )

    (site,) = (await seen(run, story)).sites
    assert ("acknowledged", 2, START + timedelta(minutes=8)) == (
        site.state,
        site.attempts,
        site.acknowledged_at,
    )


async def test_what_waits_when_its_case_ends_is_said_never_to_be_sent(run: Runtime) -> None:
    story = CaseStory(START)
    await told(run, story.raised())

    await told(
        run,
        story.told(notice.NoticeQueued, 0, "1"),
        story.told(notice.NoticeQueued, 0, "2"),
        story.told(notice.NoticeAccepted, 1, "2"),
        story.stood_down(2),
        story.told(notice.NoticeQueued, 2, "2", version=9, notice_kind="stood_down"),
    )

    found = await seen(run, story)
    states = {site.site_id: site.state for site in found.sites}
    assert {story.id("site 1"): "cancelled", story.id("site 2"): "queued"} == states
    assert {"cancelled": 1, "queued": 1} == found.counts.sites
    assert 1 == found.counts.sites_told


async def test_a_sample_that_is_asked_for_lapses_with_its_case(run: Runtime) -> None:
    story = CaseStory(START)
    await told(run, story.raised(), story.sample_due(0.1))

    (before,) = (await seen(run, story)).dna
    await told(run, story.stood_down(9))
    (after,) = (await seen(run, story)).dna

    assert (False, True) == (before.lapsed, after.lapsed)


async def test_a_new_version_is_to_be_acknowledged_anew(run: Runtime) -> None:
    story = CaseStory(START)
    await told(run, story.raised())

    await told(
        run,
        story.told(notice.NoticeAcknowledged, 2),
        story.told(notice.NoticeQueued, 9, version=2, notice_kind="updated"),
    )

    (site,) = (await seen(run, story)).sites
    assert ("queued", None) == (site.state, site.acknowledged_at)
    assert START + timedelta(minutes=2) == site.acknowledged_before


async def test_a_nil_report_shows_until_when_nothing_was_seen(run: Runtime) -> None:
    story = CaseStory(START)
    until = START + timedelta(minutes=30)
    await told(run, story.raised(), story.told(notice.NoticeAcknowledged, 2))

    nil = {"notice_kind": "nil_report", "seen_nothing_until": until, "channel": "sms"}
    await told(run, story.told(notice.NoticeNilReported, 31, **nil))

    (site,) = (await seen(run, story)).sites
    assert ("raised", "acknowledged", until) == (site.kind, site.state, site.seen_nothing_until)


async def test_a_plan_that_is_older_changes_nothing(run: Runtime) -> None:
    story = CaseStory(START)

    await told(run, story.raised(), story.planned(5, 2, exits=0), story.planned(1, 1, exits=3))

    plan = (await seen(run, story)).plan
    assert plan is not None
    assert (2, ()) == (plan.plan_number, plan.open_exits)


async def test_a_sighting_keeps_its_newest_verdict(run: Runtime) -> None:
    story = CaseStory(START)

    await told(run, story.raised(), story.judged(9, "credible"), story.seen(3), story.judged(5, "refuted"))

    (line,) = (await seen(run, story)).sightings
    assert ("credible", "云阳码头") == (line.verdict, line.place_name)


async def test_the_laboratory_s_line_counts_its_facts(run: Runtime) -> None:
    story = CaseStory(START)

    await told(run, story.raised(), story.sample_due(1), story.sample_due(2))

    (line,) = (await seen(run, story)).dna
    assert (2, START + timedelta(minutes=2)) == (line.times, line.at)


async def test_specimens_are_counted_and_belong_to_no_case(run: Runtime) -> None:
    specimen: dict[str, Any] = {"region_code": YUNYANG, "occurred_at": START, "specimen_id": uuid4()}

    await told(
        run,
        CustodyMoved(**specimen, from_state="registered", to_state="collected"),
        SampleRegistered(**specimen, category="unknown_origin"),
    )

    row = await run.pool.fetchrow("select category, state from specimen_line")
    assert "unknown_origin" == row["category"]
    assert 0 == await run.pool.fetchval("select count(*) from timeline")


async def test_another_region_s_case_is_not_there(run: Runtime) -> None:
    story = CaseStory(START)
    await told(run, story.raised(), story.ordered(1))

    assert await board(run, story, YUNYANG) is not None
    assert await board(run, story, "500236") is None
    async with run.read(region="500236") as conn:
        assert 0 == await conn.fetchval("select count(*) from order_line")


async def test_the_same_fact_twice_is_one_line_of_the_timeline(run: Runtime) -> None:
    story, event_id = CaseStory(START), uuid4()
    fact = story.raised()

    first = await react(run, REACTIONS, fact, event_id)
    second = await react(run, REACTIONS, fact, event_id)

    assert (True, False) == (first, second)
    assert 1 == len((await seen(run, story)).timeline)


async def test_many_facts_at_once_are_the_same_as_one_by_one(run: Runtime) -> None:
    story = CaseStory(START)
    facts = [story.raised(), story.ordered(1), story.moved(order.OrderAccepted, 2), story.planned(1)]
    await told(run, *facts)
    one_by_one = await seen(run, story)
    for table in ("case_line", "order_line", "plan_line", "timeline"):
        await run.pool.execute(f"delete from {table}")

    await told_at_once(run, facts)

    at_once = await seen(run, story)
    assert (one_by_one.case, one_by_one.orders, one_by_one.plan) == (
        at_once.case,
        at_once.orders,
        at_once.plan,
    )
    assert {line.type for line in one_by_one.timeline} == {line.type for line in at_once.timeline}


async def test_the_text_to_a_unit_is_shown_beside_its_order(run: Runtime) -> None:
    story = CaseStory(START)
    unit = {"site_id": None, "unit_id": story.id("unit 1")}
    await told(run, story.raised(), story.ordered(1))

    queued = story.told(notice.NoticeQueued, 1, notice_kind="order").model_copy(update=unit)
    delivered = story.told(notice.NoticeDelivered, 2, notice_kind="order").model_copy(update=unit)
    await told(run, queued, delivered)

    (line,) = (await seen(run, story)).orders
    assert ("delivered", START + timedelta(minutes=2)) == (line.sms, line.sms_at)
