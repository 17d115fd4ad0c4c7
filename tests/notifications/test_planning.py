"""Scarce capacity: the order in which things go, when, what a provider may hold, and what runs out of time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from contracts.notice import NoticeEscalated, NoticeFailed
from guitu.service import Runtime
from harness.ground import SettableClock, facts, react
from harness.notice_stories import CASE, Carrier, contact, fill, raised, site, stood_down
from notifications import escalating, planning
from notifications.agents import REACTIONS
from notifications.domain.pace import Spacing
from notifications.domain.recipients import urgency
from notifications.sending import Sender
from notifications.service import sending_with
from notifications.settings import NotificationSettings

SITES = 60
PER_S = 2


@dataclass
class Post:
    """Sixty sites and a sender of two segments a second."""

    run: Runtime
    carrier: Carrier
    sender: Sender
    settings: NotificationSettings

    async def for_s(self, seconds: int) -> None:
        """Send for so long."""
        assert isinstance(self.run.clock, SettableClock)
        for _ in range(seconds):
            await self.sender.pump()
            await self.sender.drain()
            self.run.clock.advance(seconds=1)


@pytest_asyncio.fixture
async def post(runtime_for: Callable[[str], Awaitable[Runtime]]) -> AsyncIterator[Post]:
    run = await runtime_for("notifications")
    sites = [site(n, 0.1 * n + 6) for n in range(1, SITES + 1)]
    await fill(run, sites, [contact(n, n) for n in range(1, SITES + 1)])
    settings = NotificationSettings(**(run.settings.model_dump() | {"sms_per_s": PER_S}))
    carrier = Carrier()
    async with sending_with(run, carrier, settings) as sender:
        sender._senders.lines[0].spacing = Spacing(0)  # The clock of the test is not the loop's.
        yield Post(run, carrier, sender, settings)


async def reports_all(post: Post) -> None:
    """The provider says of everything it took that it was sent."""
    await post.run.pool.execute("update attempt set status_rank = 4")


async def test_what_waits_for_its_turn_is_due_after_its_turn(post: Post) -> None:
    await react(post.run, REACTIONS, raised(post.run.clock.now()))
    assert isinstance(post.run.clock, SettableClock)
    post.run.clock.advance(seconds=20)
    now = post.run.clock.now()

    await planning.set_deadlines(post.run)

    rows = await post.run.pool.fetch("select answer_due_at from delivery order by distance_km")
    waits = [row["answer_due_at"] - now - timedelta(seconds=post.settings.answer_within_s) for row in rows]
    assert waits == [timedelta(seconds=place / PER_S) for place in range(1, SITES + 1)]
    await escalating.escalate_unanswered(post.run)
    assert await facts(post.run, NoticeEscalated) == []


async def test_the_plan_says_for_each_ring_how_far_it_is_and_when_its_last_one_goes(post: Post) -> None:
    await react(post.run, REACTIONS, raised(post.run.clock.now()))
    await post.for_s(5)
    await reports_all(post)

    plan = await planning.plan_of(post.run, CASE, "*")

    [ring] = plan["notices"]
    assert (ring["kind"], ring["ring_radius_km"], plan["segments_per_s"]) == ("raised", 100, {"sms": PER_S})
    assert (ring["accepted"], ring["planned"]) == (10, SITES - 10)
    assert ring["all_sent_at"] - plan["as_of"] == timedelta(seconds=(SITES - 10 - 1) / PER_S)


async def test_a_stand_down_overtakes_everything_that_waits(post: Post) -> None:
    await react(post.run, REACTIONS, raised(post.run.clock.now(), radius_km=6.15))
    await post.for_s(1)
    await reports_all(post)
    other = {"case_id": "00000000-0000-0000-0000-00000000abcd", "case_code": "CY-9999"}
    await react(post.run, REACTIONS, raised(post.run.clock.now(), **other))

    await react(post.run, REACTIONS, stood_down(post.run.clock.now()))
    await post.for_s(1)

    assert "解除" in post.carrier.accepted[1].body


async def test_a_provider_that_reports_holds_ten_seconds_worth_at_most(post: Post) -> None:
    await react(post.run, REACTIONS, raised(post.run.clock.now()))
    await post.for_s(1)
    await reports_all(post)

    await post.for_s(30)

    assert len(post.carrier.accepted) == PER_S + 10 * PER_S


async def test_a_provider_that_reports_nothing_is_not_waited_for(post: Post) -> None:
    await react(post.run, REACTIONS, raised(post.run.clock.now()))

    await post.for_s(SITES // PER_S + 1)

    assert len(post.carrier.accepted) == SITES


async def test_the_nearest_go_first_and_old_routine_goes_before_new_routine(post: Post) -> None:
    await react(post.run, REACTIONS, raised(post.run.clock.now()))

    await post.for_s(SITES // PER_S)

    sent = [int(sms.to[-2:]) for sms in post.carrier.accepted]
    assert sent == sorted(sent)


async def test_what_is_out_of_time_is_said_to_have_failed_and_somebody_else_is_asked(post: Post) -> None:
    await react(post.run, REACTIONS, raised(post.run.clock.now(), radius_km=6.15))
    clock = post.run.clock
    assert isinstance(clock, SettableClock)
    clock.advance(hours=7)

    await post.sender.pump()
    await planning.expire(post.run)
    await escalating.escalate_unanswered(post.run)

    assert post.carrier.accepted == []
    assert [fact.code for fact in await facts(post.run, NoticeFailed)] == ["expired"]
    assert [fact.to for fact in await facts(post.run, NoticeEscalated)] == ["command_centre"]


@given(st.integers(0, 5), st.integers(0, 5))
def test_an_exercise_never_goes_before_anything_real(real: int, drill: int) -> None:
    assert urgency(real, exercise=False) < urgency(drill, exercise=True) <= 9


@given(st.lists(st.floats(0, 0.2), min_size=1, max_size=300), st.integers(1, 200))
def test_spacing_never_lets_more_than_the_rate_go_within_a_second(pauses: list[float], per_s: int) -> None:
    spacing, now, went = Spacing(per_s), 0.0, list[float]()
    for pause in pauses:
        now += pause
        went.append(now + spacing.wait_s(now, 1))

    for first in went:
        within = sum(first <= at < first + 1 for at in went)
        assert within <= per_s * (1 + Spacing.TOLERANCE_S) + 1


@given(st.lists(st.floats(0, 0.2), min_size=1, max_size=300), st.integers(1, 200))
def test_spacing_never_begins_more_than_the_limit_within_a_second_however_late_its_turns_wake(
    pauses: list[float], per_s: int
) -> None:
    spacing, now, began = Spacing(per_s), 0.0, list[float]()
    for pause in pauses:
        now += pause
        while (hold_s := spacing.hold_s(now, 1)) > 0:
            now += hold_s
        began.append(now)

    for first in began:
        assert sum(first <= at < first + 1 for at in began) <= per_s


def test_a_text_of_more_segments_than_a_second_may_have_goes_alone() -> None:
    spacing = Spacing(2)

    assert [spacing.hold_s(0.0, 3), spacing.hold_s(0.5, 1) > 0, spacing.hold_s(1.1, 1)] == [0.0, True, 0.0]


def test_spacing_catches_up_after_a_short_pause() -> None:
    spacing = Spacing(100)
    at: datetime | float = 0.0
    for n in range(100):
        at = n * 0.0101  # Each a little late.
        wait = spacing.wait_s(at, 1)
    assert wait == 0.0
