"""Who of a site is asked: whoever is on duty first, and somebody in any case."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

from contracts.alert import AlertRaised
from guitu.service import Runtime
from guitu.tx import Tx
from harness.ground import SettableClock, react
from harness.notice_stories import contact, fill, ordered, raised, site, three_sites, updated, with_a_carrier
from notifications import answers, escalating
from notifications.agents import REACTIONS

RuntimeFor = Callable[[str], Awaitable[Runtime]]
# The tests begin on a Sunday at 14:00 in Beijing.
NOW, LATER, NEVER_NOW = "Sun 13:00-15:00", "Sun 15:00-16:00", "Mon 08:00-09:00"


async def asked(run: Runtime) -> list[int]:
    rows = await run.pool.fetch("select contact_id from delivery order by queued_at, id")
    return [row["contact_id"].int - 1000 for row in rows]


async def unanswered(run: Runtime, minutes: int = 4) -> None:
    """Nobody answers what was sent; the timer finds it."""
    await run.pool.execute("update delivery set answer_due_at = queued_at where escalated_at is null")
    assert isinstance(run.clock, SettableClock)
    run.clock.advance(minutes=minutes)
    while await escalating.escalate_unanswered(run):
        pass


async def test_the_first_on_duty_is_asked_before_those_who_are_not(runtime_for: RuntimeFor) -> None:
    run = with_a_carrier(await runtime_for("notifications"))
    off, on = contact(1, 1, 1, duty_hours=NEVER_NOW), contact(2, 1, 2, duty_hours=NOW)
    await fill(run, [site(1, 1)], [off, on, contact(3, 1, 3)])

    await react(run, REACTIONS, raised(run.clock.now()))

    assert [2] == await asked(run)


async def test_if_nobody_is_on_duty_the_first_is_asked_all_the_same(runtime_for: RuntimeFor) -> None:
    run = with_a_carrier(await runtime_for("notifications"))
    contacts = [contact(1, 1, 1, duty_hours=NEVER_NOW), contact(2, 1, 2, duty_hours=LATER)]
    await fill(run, [site(1, 1)], contacts)

    await react(run, REACTIONS, raised(run.clock.now()))

    assert [1] == await asked(run)


async def test_escalation_asks_those_on_duty_first_and_nobody_twice(runtime_for: RuntimeFor) -> None:
    """The first contact, off duty when the notice was new, is asked too: it comes on duty, or comes last."""
    run = with_a_carrier(await runtime_for("notifications"))
    contacts = [
        contact(1, 1, 1, duty_hours=NEVER_NOW),
        contact(2, 1, 2, duty_hours=NOW),
        contact(3, 1, 3, duty_hours=LATER),
    ]
    await fill(run, [site(1, 1)], contacts)
    await react(run, REACTIONS, raised(run.clock.now()))

    for minutes in (70, 4, 4, 4):
        await unanswered(run, minutes)

    assert [2, 3, 1] == await asked(run)


async def test_a_unit_is_asked_by_its_duty_hours_too(runtime_for: RuntimeFor) -> None:
    run = with_a_carrier(await runtime_for("notifications"))
    await fill(run, [], [contact(1, None, 1, duty_hours=NEVER_NOW), contact(2, None, 2)])

    await react(run, REACTIONS, ordered(run.clock.now()))

    assert [2] == await asked(run)


async def test_an_exercise_keeps_to_its_list_even_if_only_others_are_on_duty(runtime_for: RuntimeFor) -> None:
    run = with_a_carrier(await runtime_for("notifications"))
    contacts = [contact(1, 1, 1, duty_hours=NOW, exercise_list=False), contact(2, 1, 2, duty_hours=LATER)]
    await fill(run, [site(1, 1)], contacts)

    await react(run, REACTIONS, raised(run.clock.now(), exercise=True))

    assert [2] == await asked(run)


async def test_an_update_goes_to_the_present_contact_if_the_one_who_was_told_is_none_any_more(
    runtime_for: RuntimeFor,
) -> None:
    run = with_a_carrier(await runtime_for("notifications"))
    await three_sites(run)
    await react(run, REACTIONS, raised(run.clock.now(), radius_km=5))
    await run.pool.execute("update contact set retired_at = now() where contact_id = $1", UUID(int=1001))

    await react(run, REACTIONS, updated(run.clock.now()))

    assert [1, 4] == await asked(run)


async def _opts(run: Runtime, *numbers: int) -> None:
    async with run.tx(actor="test") as tx:
        for number in numbers:
            row = await run.pool.fetchrow(
                "update contact set opted_out_at = now() where contact_id = $1 returning *",
                UUID(int=1000 + number),
            )
            assert isinstance(tx, Tx)
            await answers.opted_out(tx, row)


async def test_who_opted_out_is_not_told_and_what_waited_goes_to_the_next_at_once(
    runtime_for: RuntimeFor,
) -> None:
    run = with_a_carrier(await runtime_for("notifications"))
    await three_sites(run)
    await react(run, REACTIONS, raised(run.clock.now(), radius_km=5))

    await _opts(run, 1)
    await escalating.escalate_unanswered(run)

    assert [1, 4] == await asked(run)
    states = {r["contact_id"].int: r["state"] for r in await run.pool.fetch("select * from delivery")}
    assert {1001: "cancelled", 1004: "queued"} == states
    await react(run, REACTIONS, _another(run))
    assert [1, 4, 4] == await asked(run)


def _another(run: Runtime) -> AlertRaised:
    return raised(
        run.clock.now() + timedelta(seconds=1), radius_km=5, case_id=UUID(int=7), case_code="CY-0007"
    )
