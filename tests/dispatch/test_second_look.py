"""Plans are looked at a second time: better ones come into force, and nothing that changed meanwhile is overwritten."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from contracts.alert import AlertUpdated
from contracts.base import Place
from contracts.order import InterceptionOrdered, OrderStoodDown, PlanPublished
from dispatch import store_second_look
from dispatch.domain.weighing import weigh
from dispatch.handlers import move_order
from dispatch.second_look import look_at_plans
from guitu.worker import Worker, WorkerTrouble
from harness.dispatch_stories import WEST, Dispatch, an_id, dispatch_in_yunyang, raised, sighting, stood_down


@pytest.fixture
async def dispatch(runtime_for: Any) -> AsyncIterator[Dispatch]:
    found = await dispatch_in_yunyang(runtime_for)
    found.run.state["weigher"] = Worker()
    yield found
    await found.run.state["weigher"].close()


async def answers(dispatch: Dispatch, order: InterceptionOrdered, *moves: Any) -> None:
    for target in moves:
        async with dispatch.run.tx(actor="unit") as tx:
            await move_order(tx, order.order_id, target)


async def test_the_second_look_says_how_good_the_plan_is_and_sends_whoever_makes_it_better(
    dispatch: Dispatch,
) -> None:
    await dispatch.hears(raised())
    before = {order.order_id for order in await dispatch.orders()}

    assert await look_at_plans(dispatch.run) == 1

    first, second = await dispatch.said(PlanPublished)
    assert first.figures is None
    assert second.figures is not None
    figures = second.figures
    assert 0 < figures.low <= figures.intercepted <= figures.high < 1
    assert (True, 0.0, "impossible", "") == (figures.proven, figures.gap, figures.verdict, figures.trouble)
    assert [one.met for one in figures.ahead] == sorted(one.met for one in figures.ahead)
    orders = await dispatch.orders()
    assert before < {order.order_id for order in orders}
    assert len(orders) == len({order.unit_id for order in orders})
    assert set(second.order_ids) == {order.order_id for order in orders}
    assert "Better plan" in second.cause
    assert await dispatch.said(OrderStoodDown) == []


async def test_a_plan_is_looked_at_once_until_something_happens(dispatch: Dispatch) -> None:
    await dispatch.hears(raised())
    assert await look_at_plans(dispatch.run) == 1

    assert await look_at_plans(dispatch.run) == 0
    await answers(dispatch, (await dispatch.orders())[0], "accepted")
    assert await look_at_plans(dispatch.run) == 1


async def test_a_new_plan_is_looked_at_at_once(dispatch: Dispatch) -> None:
    await dispatch.hears(raised())
    await look_at_plans(dispatch.run)

    await dispatch.hears(sighting(seen_at=dispatch.run.clock.now()))

    assert await look_at_plans(dispatch.run) == 1
    plans = await dispatch.said(PlanPublished)
    assert ["alert", "update", "sighting", "update"] == [plan.trigger for plan in plans]
    assert plans[1].figures != plans[3].figures


async def test_new_figures_alone_say_that_the_orders_stay(dispatch: Dispatch) -> None:
    await dispatch.hears(raised())
    await look_at_plans(dispatch.run)
    await dispatch.run.pool.execute("update plan set published = jsonb_set(published, '{figures}', 'null')")
    await answers(dispatch, (await dispatch.orders())[0], "accepted")

    assert await look_at_plans(dispatch.run) == 1

    newest = (await dispatch.said(PlanPublished))[-1]
    assert newest.figures is not None
    assert "the orders stay" in newest.cause


async def test_a_new_plan_waits_until_its_orders_are_out(dispatch: Dispatch) -> None:
    dispatch.run.settings = dispatch.run.settings.model_copy(update={"second_look_after_s": 1.0})
    await dispatch.hears(raised())

    assert await look_at_plans(dispatch.run) == 0
    dispatch.run.clock.advance(seconds=1)
    assert await look_at_plans(dispatch.run) == 1


async def test_time_alone_is_a_reason_to_look_again(dispatch: Dispatch) -> None:
    await dispatch.hears(raised())
    await look_at_plans(dispatch.run)

    dispatch.run.clock.advance(minutes=11)

    assert await look_at_plans(dispatch.run) == 1
    assert await look_at_plans(dispatch.run) == 0


async def test_what_a_second_look_found_is_on_record_with_its_plan(dispatch: Dispatch) -> None:
    await dispatch.hears(raised())
    await look_at_plans(dispatch.run)

    async with dispatch.run.read() as conn:
        row = await store_second_look.newest_proof(conn, an_id("one"))

    assert row is not None
    assert row["plan_number"] == 2
    assert row["proof"]["verdict"]["kind"] == "impossible"
    assert row["proof"]["verdict"]["certificate"]["paths"]


class Interrupted(Worker):
    """Something happens while the plan is weighed."""

    def __init__(self, meanwhile: Any) -> None:
        super().__init__()
        self._meanwhile = meanwhile

    async def run(self, function: Any, *arguments: Any, deadline_s: float) -> Any:
        found = function(*arguments)
        await self._meanwhile()
        return found


async def test_a_look_at_a_plan_that_was_replaced_meanwhile_changes_nothing(dispatch: Dispatch) -> None:
    await dispatch.hears(raised())
    await dispatch.run.state["weigher"].close()
    dispatch.run.state["weigher"] = Interrupted(lambda: dispatch.hears(sighting()))

    await look_at_plans(dispatch.run)

    assert ["alert", "sighting"] == [plan.trigger for plan in await dispatch.said(PlanPublished)]
    assert all(plan.figures is None for plan in await dispatch.said(PlanPublished))


async def test_a_look_at_orders_that_were_answered_meanwhile_is_made_again(dispatch: Dispatch) -> None:
    await dispatch.hears(raised())
    order = (await dispatch.orders())[0]
    await dispatch.run.state["weigher"].close()
    dispatch.run.state["weigher"] = Interrupted(lambda: answers(dispatch, order, "accepted"))

    assert await look_at_plans(dispatch.run) == 1
    assert len(await dispatch.said(PlanPublished)) == 1
    assert await look_at_plans(dispatch.run) == 1

    assert ["alert", "answer"] == [plan.trigger for plan in await dispatch.said(PlanPublished)]


async def test_a_case_that_ends_meanwhile_gets_no_more_orders(dispatch: Dispatch) -> None:
    await dispatch.hears(raised())
    await dispatch.run.state["weigher"].close()
    dispatch.run.state["weigher"] = Interrupted(lambda: dispatch.hears(stood_down()))
    orders = len(await dispatch.orders())

    await look_at_plans(dispatch.run)

    assert orders == len(await dispatch.orders())
    assert await look_at_plans(dispatch.run) == 0


async def test_answers_after_the_end_ask_for_nothing(dispatch: Dispatch) -> None:
    await dispatch.hears(raised())
    order = (await dispatch.orders())[0]
    await answers(dispatch, order, "accepted")
    await dispatch.hears(stood_down())

    await answers(dispatch, order, "stand_down_acknowledged")

    assert 0 == await dispatch.run.pool.fetchval("select count(*) from look_wish")


class Struck(Worker):
    """A process that dies each time."""

    async def run(self, function: Any, *arguments: Any, deadline_s: float) -> Any:
        raise WorkerTrouble("died", "struck by the test")


async def test_when_the_optimiser_dies_the_plan_in_force_stands_and_the_board_says_so(
    dispatch: Dispatch,
) -> None:
    await dispatch.hears(raised())
    orders = await dispatch.orders()
    dispatch.run.state["weigher"] = Struck()

    for _ in range(3):
        assert await look_at_plans(dispatch.run) == 1
        dispatch.run.clock.advance(seconds=3)

    first, second = await dispatch.said(PlanPublished)
    assert set(first.order_ids) == set(second.order_ids)
    assert orders == await dispatch.orders()
    assert ("The second look died" in second.cause, second.figures) == (True, None)
    assert await look_at_plans(dispatch.run) == 0


async def test_a_unit_that_accepted_is_moved_only_with_a_reason_on_its_order(
    dispatch: Dispatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    await dispatch.hears(raised())
    for order in await dispatch.orders():
        await answers(dispatch, order, "accepted")
    # Nobody else is on duty.
    await dispatch.run.pool.execute(
        "update unit set active = false where unit_id not in (select unit_id from interception_order)"
    )
    # The child is seen far away, credibly, and what an accepted order is worth is next to nothing.
    await dispatch.hears(raised(kind=AlertUpdated, version=2, last_seen_place=Place(position=WEST)))
    monkeypatch.setattr(
        "dispatch.second_look._worth", lambda now, settings: {row.unit_id: 1e-6 for row in now.orders}
    )

    await look_at_plans(dispatch.run)

    ended = await dispatch.said(OrderStoodDown)
    assert ended
    assert {"replanned"} == {fact.reason for fact in ended}
    assert all("Better plan" in fact.cause for fact in ended)
    open_units = await dispatch.run.pool.fetch(
        "select unit_id, count(*) as n from interception_order where state in ('issued', 'accepted') group by unit_id"
    )
    assert all(row["n"] == 1 for row in open_units)


async def test_the_same_case_is_weighed_alike_twice(dispatch: Dispatch) -> None:
    from dispatch import store, store_live
    from dispatch.case_now import case_now
    from dispatch.second_look import asked_of
    from dispatch.settings import dispatch_settings

    await dispatch.hears(raised())
    settings = dispatch_settings(dispatch.run.settings)
    async with dispatch.run.read() as conn:
        case = await store_live.case_as_it_is(conn, an_id("one"))
        assert case is not None
        orders = await store.orders_of_case(conn, case.case_id)
        now = await case_now(conn, case, orders, dispatch.run.clock.now(), settings)
    assert now is not None

    first, again = (weigh(asked_of(now, settings)) for _ in range(2))

    assert (first.plan, first.value, first.bound) == (again.plan, again.value, again.bound)
