"""Who is told and who is not, on real PostgreSQL."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

from contracts.notice import NoticeQueued
from guitu.service import Runtime
from harness.ground import facts, react
from harness.notice_stories import (
    contact,
    fill,
    order_over,
    ordered,
    raised,
    site,
    stood_down,
    three_sites,
    updated,
    widened,
)
from notifications.agents import REACTIONS

RuntimeFor = Callable[[str], Awaitable[Runtime]]


async def told(run: Runtime) -> list[tuple[str, int]]:
    return [(fact.kind, fact.site_id.int if fact.site_id else 0) for fact in await facts(run, NoticeQueued)]


async def states(run: Runtime) -> list[tuple[str, str]]:
    rows = await run.pool.fetch("select kind, state from delivery order by kind, state")
    return [(row["kind"], row["state"]) for row in rows]


async def test_sites_in_the_ring_are_told_nearest_first_and_the_near_ones_more_urgently(
    runtime_for: RuntimeFor,
) -> None:
    run = await runtime_for("notifications")
    await three_sites(run)

    await react(run, REACTIONS, raised(run.clock.now()))

    assert await told(run) == [("raised", 1), ("raised", 2)]
    near, far = await facts(run, NoticeQueued)
    assert near.priority < far.priority


async def test_a_wider_ring_tells_only_the_sites_that_are_new_in_it(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("notifications")
    await three_sites(run)
    await react(run, REACTIONS, raised(run.clock.now()))

    await react(run, REACTIONS, widened(run.clock.now()))

    assert await told(run) == [("raised", 1), ("raised", 2), ("widened", 3)]


async def test_the_same_version_under_another_event_id_tells_nobody_twice(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("notifications")
    await three_sites(run)
    await react(run, REACTIONS, raised(run.clock.now()))

    await react(run, REACTIONS, raised(run.clock.now()))

    assert len(await told(run)) == 2


async def test_a_late_first_alert_still_tells_its_sites_with_the_newest_picture(
    runtime_for: RuntimeFor,
) -> None:
    run = await runtime_for("notifications")
    await three_sites(run)
    await react(run, REACTIONS, updated(run.clock.now()))

    await react(run, REACTIONS, raised(run.clock.now()))

    assert await told(run) == [("raised", 1), ("raised", 2)]
    content = await run.pool.fetchval("select content from notice where kind = 'raised'")
    assert content["child"]["appearance"] == "黄色雨衣"


async def test_an_update_replaces_what_still_waits_and_says_it_once(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("notifications")
    await three_sites(run)
    await react(run, REACTIONS, raised(run.clock.now()))

    await react(run, REACTIONS, updated(run.clock.now()))

    assert await states(run) == [("raised", "cancelled")] * 2 + [("updated", "queued")] * 2


async def test_a_change_that_does_not_matter_to_sites_is_not_texted(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("notifications")
    await three_sites(run)
    await react(run, REACTIONS, raised(run.clock.now()))

    await react(run, REACTIONS, updated(run.clock.now(), changed=("ring",)))

    assert await told(run) == [("raised", 1), ("raised", 2)]


async def test_stand_down_before_anything_was_sent_tells_nobody(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("notifications")
    await three_sites(run)
    await react(run, REACTIONS, raised(run.clock.now()))

    await react(run, REACTIONS, stood_down(run.clock.now()))

    assert await states(run) == [("raised", "cancelled")] * 2


async def test_an_alert_that_comes_after_its_stand_down_tells_nobody(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("notifications")
    await three_sites(run)
    await react(run, REACTIONS, stood_down(run.clock.now()))

    await react(run, REACTIONS, raised(run.clock.now()))
    await react(run, REACTIONS, ordered(run.clock.now()))

    assert await told(run) == []


async def test_an_exercise_reaches_only_the_exercise_list(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("notifications")
    listed, unlisted, only_second = contact(1, 1), contact(2, 2, exercise_list=False), contact(3, 3, 2)
    real_first = contact(4, 3, 1, exercise_list=False)
    await fill(run, [site(1, 1), site(2, 2), site(3, 3)], [listed, unlisted, only_second, real_first])

    await react(run, REACTIONS, raised(run.clock.now(), exercise=True))

    rows = await run.pool.fetch("select contact_id from delivery")
    assert {listed.contact_id, only_second.contact_id} == {row["contact_id"] for row in rows}


async def test_a_unit_is_texted_its_order_once(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("notifications")
    await three_sites(run)

    await react(run, REACTIONS, ordered(run.clock.now()))
    await react(run, REACTIONS, ordered(run.clock.now()))

    [queued] = await facts(run, NoticeQueued)
    assert (queued.kind, queued.priority) == ("order", 0)


async def test_an_order_that_was_over_before_it_was_sent_is_never_sent(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("notifications")
    await three_sites(run)
    await react(run, REACTIONS, ordered(run.clock.now(), order=1))

    await react(run, REACTIONS, order_over(run.clock.now(), order=1))
    await react(run, REACTIONS, order_over(run.clock.now(), order=2))
    await react(run, REACTIONS, ordered(run.clock.now(), order=2))

    assert await states(run) == [("order", "cancelled")]


async def test_codes_of_one_recipient_differ(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("notifications")
    await three_sites(run)
    for number in range(20):
        case_id = UUID(int=number + 1)
        await react(run, REACTIONS, raised(run.clock.now(), case_id=case_id))

    codes = await run.pool.fetch("select ack_code from delivery where site_id = $1", UUID(int=1))

    assert len({row["ack_code"] for row in codes}) == 20
