"""What dispatch does about alerts, sightings, time passing, and units' answers; on a real database."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from contracts.alert import AlertUpdated, AreaWidened
from contracts.base import Place, Position
from contracts.order import (
    CheckpointReported,
    InterceptionOrdered,
    OrderAccepted,
    OrderOverdue,
    OrderStoodDown,
    PlanPublished,
    StandDownAcknowledged,
)
from dispatch.domain.orders import IllegalOrderMove
from dispatch.handlers import move_order
from dispatch.seed import seed
from dispatch.sweeps import pass_on_overdue, plan_waiting
from harness.dispatch_stories import (
    WEST,
    Dispatch,
    assessed,
    dispatch_in_yunyang,
    raised,
    sighting,
    stood_down,
)
from harness.ground import START


@pytest.fixture
async def dispatch(runtime_for: Any) -> Dispatch:
    return await dispatch_in_yunyang(runtime_for)


async def answers(dispatch: Dispatch, order: InterceptionOrdered, *moves: Any) -> None:
    for target in moves:
        async with dispatch.run.tx(actor="unit") as tx:
            await move_order(tx, order.order_id, target)


async def test_an_alert_becomes_a_plan_and_orders_that_name_their_margin(dispatch: Dispatch) -> None:
    await dispatch.hears(raised())

    (plan,) = await dispatch.said(PlanPublished)
    orders = await dispatch.orders()
    assert orders
    assert (1, "alert", {o.order_id for o in orders}) == (plan.plan_number, plan.trigger, set(plan.order_ids))
    assert plan.closed_exits > 0
    assert all(o.respond_by == START + timedelta(minutes=3) for o in orders)
    assert all(
        abs((o.earliest_arrival_at - o.unit_ready_at).total_seconds() - o.margin_s) < 0.01 for o in orders
    )
    assert all(o.margin_s >= 120 for o in orders if o.closes)
    assert len(orders) == len({o.unit_id for o in orders})


async def test_the_same_version_again_or_an_older_one_changes_nothing(dispatch: Dispatch) -> None:
    await dispatch.hears(raised(kind=AlertUpdated, version=2), raised(), raised(kind=AlertUpdated, version=2))

    assert len(await dispatch.said(PlanPublished)) == 1


async def test_only_changed_whereabouts_make_a_new_plan(dispatch: Dispatch) -> None:
    await dispatch.hears(raised(), raised(kind=AreaWidened, version=2), raised(kind=AlertUpdated, version=3))
    assert [plan.trigger for plan in await dispatch.said(PlanPublished)] == ["alert"]

    await dispatch.hears(raised(kind=AlertUpdated, version=4, last_seen_place=Place(position=WEST)))

    assert [plan.trigger for plan in await dispatch.said(PlanPublished)] == ["alert", "update"]


async def test_two_cases_never_share_a_unit(dispatch: Dispatch) -> None:
    await dispatch.hears(raised("one"), raised("two"), raised("three"))

    units = [order.unit_id for order in await dispatch.orders()]
    assert len(units) == len(set(units))


async def test_cases_raised_at_the_same_moment_never_share_a_unit(dispatch: Dispatch) -> None:
    await asyncio.gather(*(dispatch.hears(raised(f"case {number}")) for number in range(5)))

    units = [order.unit_id for order in await dispatch.orders()]
    assert len(await dispatch.said(PlanPublished)) == 5
    assert len(units) == len(set(units))


async def test_many_facts_of_a_case_at_once_leave_one_order_a_unit(dispatch: Dispatch) -> None:
    await dispatch.hears(raised())
    first, *_ = await dispatch.orders()

    await asyncio.gather(
        *(dispatch.hears(sighting(f"seen {number}")) for number in range(3)),
        *(answers(dispatch, first, "accepted") for _ in range(3)),
        return_exceptions=True,
    )

    numbers = [plan.plan_number for plan in await dispatch.said(PlanPublished)]
    assert numbers == [1, 2, 3, 4]
    assert len(await dispatch.said(OrderAccepted)) <= 1


async def test_a_sighting_in_the_next_county_moves_the_plan(dispatch: Dispatch) -> None:
    await dispatch.hears(raised(), sighting(region_code="500101"))

    assert [plan.trigger for plan in await dispatch.said(PlanPublished)] == ["alert", "sighting"]


async def test_an_exercise_is_marked_on_everything_it_causes(dispatch: Dispatch) -> None:
    await dispatch.hears(raised(exercise=True))

    caused = [*await dispatch.said(PlanPublished), *await dispatch.orders()]
    assert all(fact.exercise for fact in caused)


async def test_a_sighting_keeps_units_that_accepted_and_replaces_the_rest(dispatch: Dispatch) -> None:
    await dispatch.hears(raised())
    first, *others = await dispatch.orders()
    await answers(dispatch, first, "accepted")

    await dispatch.hears(sighting())

    stood_down_ids = {fact.order_id for fact in await dispatch.said(OrderStoodDown)}
    plan = (await dispatch.said(PlanPublished))[-1]
    assert plan.trigger == "sighting"
    assert first.order_id in plan.order_ids
    assert first.order_id not in stood_down_ids
    assert stood_down_ids <= {order.order_id for order in others}
    assert not stood_down_ids & set(plan.order_ids)


async def test_a_repeated_sighting_makes_no_second_plan(dispatch: Dispatch) -> None:
    await dispatch.hears(raised(), sighting(), sighting())

    assert len(await dispatch.said(PlanPublished)) == 2


async def test_a_refuted_sighting_no_longer_moves_the_plan(dispatch: Dispatch) -> None:
    await dispatch.hears(raised())
    before = (await dispatch.said(PlanPublished))[-1]
    await dispatch.hears(sighting())

    await dispatch.hears(assessed("refuted"))

    after = (await dispatch.said(PlanPublished))[-1]
    assert after.trigger == "assessment"
    assert before.closed_exits == after.closed_exits
    assert before.open_exits == after.open_exits


async def test_a_sighting_refuted_before_it_was_read_never_counts(dispatch: Dispatch) -> None:
    await dispatch.hears(assessed("refuted"), sighting(), raised())

    assert [plan.trigger for plan in await dispatch.said(PlanPublished)] == ["alert"]


async def test_an_order_that_nobody_answers_goes_to_another_unit(dispatch: Dispatch) -> None:
    await dispatch.hears(raised())
    silent, *others = await dispatch.orders()
    for order in others:
        await answers(dispatch, order, "accepted")
    dispatch.run.clock.advance(minutes=3)

    assert await pass_on_overdue(dispatch.run) == 1
    assert await pass_on_overdue(dispatch.run) == 0

    (overdue,) = await dispatch.said(OrderOverdue)
    new = (await dispatch.orders())[len(others) + 1 :]
    assert silent.order_id == overdue.order_id
    assert silent.unit_id not in {order.unit_id for order in new}
    if overdue.reassigned_to:
        (told,) = await dispatch.said(OrderStoodDown)
        assert (silent.order_id, "overdue") == (told.order_id, told.reason)


async def test_time_that_passes_for_everybody_ends_with_a_bound(dispatch: Dispatch) -> None:
    await dispatch.hears(raised())
    for _ in range(60):
        dispatch.run.clock.advance(minutes=3)
        if not await pass_on_overdue(dispatch.run):
            break

    orders = await dispatch.orders()
    assert await pass_on_overdue(dispatch.run) == 0
    assert len(orders) == len({order.unit_id for order in orders})
    assert len(orders) == len(await dispatch.said(OrderOverdue))


async def test_a_stand_down_ends_every_open_order_until_it_is_acknowledged(dispatch: Dispatch) -> None:
    await dispatch.hears(raised())
    first, *_ = orders = await dispatch.orders()
    await answers(dispatch, first, "accepted", "in_position", "intercepted")

    await dispatch.hears(stood_down(outcome="found"), stood_down(outcome="found"))

    told = await dispatch.said(OrderStoodDown)
    assert {order.order_id for order in orders} == {fact.order_id for fact in told}
    assert len(orders) == len(told)
    assert {"found"} == {fact.reason for fact in told}
    assert {"stood_down": len(orders)} == await dispatch.states()
    await answers(dispatch, first, "stand_down_acknowledged", "stand_down_acknowledged")
    assert len(await dispatch.said(StandDownAcknowledged)) == 1


async def test_a_stand_down_read_before_its_alert_means_no_order_ever(dispatch: Dispatch) -> None:
    await dispatch.hears(stood_down(), raised(), sighting(), raised(kind=AlertUpdated, version=12))
    await plan_waiting(dispatch.run)

    assert await dispatch.orders() == []


async def test_a_repeated_answer_is_one_fact(dispatch: Dispatch) -> None:
    await dispatch.hears(raised())
    first, *_ = await dispatch.orders()

    await answers(
        dispatch, first, "accepted", "accepted", "in_position", "accepted", "nothing_seen", "intercepted"
    )

    assert len(await dispatch.said(OrderAccepted)) == 1
    assert [fact.outcome for fact in await dispatch.said(CheckpointReported)] == [
        "nothing_seen",
        "intercepted",
    ]


async def test_a_step_that_skips_another_is_refused(dispatch: Dispatch) -> None:
    await dispatch.hears(raised())
    first, *_ = await dispatch.orders()

    with pytest.raises(IllegalOrderMove, match="Accept the order first"):
        await answers(dispatch, first, "intercepted")


async def test_a_case_raised_before_the_network_was_loaded_gets_its_plan_afterwards(runtime_for: Any) -> None:
    dispatch = Dispatch(await runtime_for("dispatch"))
    await dispatch.hears(raised())
    assert await plan_waiting(dispatch.run) == 0
    await seed(dispatch.run)

    assert await plan_waiting(dispatch.run) == 1
    assert await plan_waiting(dispatch.run) == 0

    assert await dispatch.orders()


async def test_a_place_far_outside_the_county_is_planned_with_all_the_same(dispatch: Dispatch) -> None:
    await dispatch.hears(raised(last_seen_place=Place(position=Position(lon=-170.0, lat=-80.0))))

    assert len(await dispatch.said(PlanPublished)) == 1


async def test_a_child_last_seen_in_the_future_by_a_fast_clock_is_planned_with(dispatch: Dispatch) -> None:
    await dispatch.hears(raised(last_seen_at=START + timedelta(minutes=4)))

    assert len(await dispatch.said(PlanPublished)) == 1


async def test_loading_the_county_again_changes_nothing(dispatch: Dispatch) -> None:
    before = await dispatch.run.pool.fetch("select version, loaded_seq from network_version")

    counts = await seed(dispatch.run)

    assert before == await dispatch.run.pool.fetch("select version, loaded_seq from network_version")
    assert counts["nodes"] == await dispatch.run.pool.fetchval("select count(*) from network_node")
    assert counts["units"] == await dispatch.run.pool.fetchval("select count(*) from unit where active")
