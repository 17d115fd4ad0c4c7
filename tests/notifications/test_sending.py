"""From queued to accepted, whatever the provider does, with never a second SMS."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest
import pytest_asyncio

from contracts.notice import NoticeAccepted, NoticeEscalated, NoticeFailed, NoticeQueued
from guitu.service import Runtime
from harness.ground import SettableClock, facts, react
from harness.notice_stories import (
    PHONES,
    Carrier,
    order_over,
    ordered,
    raised,
    stood_down,
    three_sites,
    updated,
)
from notifications import answers, escalating, looking_up
from notifications.agents import REACTIONS
from notifications.domain.delivery import Outcome
from notifications.outside import outgoing
from notifications.senders import Line
from notifications.sending import Sender
from notifications.service import sending_with
from notifications.settings import NotificationSettings

RuntimeFor = Callable[[str], Awaitable[Runtime]]


@dataclass
class Post:
    """A service with three sites, its sender, and the far side."""

    run: Runtime
    carrier: Carrier
    sender: Sender
    settings: NotificationSettings

    @property
    def line(self) -> Line:
        """The only sender."""
        return self.sender._senders.lines[0]

    async def send(self) -> None:
        """Everything that is due now goes out and is recorded."""
        while await self.sender.pump():
            await self.sender.drain()

    async def after(self, **amount: float) -> None:
        """Time goes by, then every timer runs once."""
        clock = self.run.clock
        assert isinstance(clock, SettableClock)
        clock.advance(**amount)
        await looking_up.close_leases(self.run)
        await looking_up.look_up_unknown(self.run)
        await escalating.escalate_unanswered(self.run)
        await self.send()

    async def states(self) -> list[str]:
        rows = await self.run.pool.fetch("select state from delivery order by priority, distance_km")
        return [row["state"] for row in rows]


@pytest_asyncio.fixture
async def post(runtime_for: RuntimeFor) -> AsyncIterator[Post]:
    run = await runtime_for("notifications")
    await three_sites(run)
    carrier = Carrier()
    settings = NotificationSettings(**{**run.settings.model_dump(), "sms_timeout_s": 0.5})
    async with AsyncExitStack() as stack:
        sender = await stack.enter_async_context(sending_with(run, carrier, settings))
        yield Post(run, carrier, sender, settings)


async def test_each_site_gets_one_sms_and_its_acceptance_is_said_once(post: Post) -> None:
    await react(post.run, REACTIONS, raised(post.run.clock.now()))

    await post.send()
    await post.send()

    assert [PHONES[1], PHONES[2]] == [sms.to for sms in post.carrier.accepted]
    assert len(await facts(post.run, NoticeAccepted)) == 2
    assert await post.states() == ["accepted", "accepted"]


async def test_a_lost_answer_is_looked_up_and_not_sent_again(post: Post) -> None:
    post.carrier.told[PHONES[1]] = "lost_answer"
    await react(post.run, REACTIONS, raised(post.run.clock.now()))
    await post.send()
    assert "unknown" in await post.states()

    await post.after(seconds=post.settings.grace_s + 1)

    assert len(post.carrier.texts_to(PHONES[1])) == 1
    assert len(await facts(post.run, NoticeAccepted)) == 2


async def test_a_lost_request_is_sent_again_only_after_the_grace(post: Post) -> None:
    post.carrier.told[PHONES[1]] = "lost_request"
    await react(post.run, REACTIONS, raised(post.run.clock.now()))
    await post.send()

    await post.after(seconds=post.settings.grace_s - 1)
    before = len(post.carrier.texts_to(PHONES[1]))
    await post.after(seconds=2)

    assert (before, len(post.carrier.texts_to(PHONES[1]))) == (0, 1)


async def test_a_provider_that_hangs_is_left_after_the_timeout_and_keeps_nobody_waiting(post: Post) -> None:
    post.carrier.told[PHONES[1]] = "hang"
    await react(post.run, REACTIONS, raised(post.run.clock.now()))

    await post.send()

    assert {"unknown", "accepted"} == set(await post.states())


async def test_a_busy_provider_is_asked_again_later(post: Post) -> None:
    post.carrier.told[PHONES[1]] = "busy"
    await react(post.run, REACTIONS, raised(post.run.clock.now()))
    await post.send()
    first = len(post.carrier.texts_to(PHONES[1]))

    await post.after(seconds=31)

    assert (first, len(post.carrier.texts_to(PHONES[1]))) == (0, 1)
    assert await facts(post.run, NoticeFailed) == []


async def test_a_refused_number_fails_at_once_and_the_next_contact_is_asked(post: Post) -> None:
    post.carrier.told[PHONES[1]] = "refused"
    await react(post.run, REACTIONS, raised(post.run.clock.now()))
    await post.send()

    await post.after(seconds=1)

    [failed] = await facts(post.run, NoticeFailed)
    [escalated] = await facts(post.run, NoticeEscalated)
    assert (failed.code, escalated.to) == ("21211", "next_contact")
    assert len(post.carrier.texts_to(PHONES[4])) == 1


async def test_a_sender_that_dies_between_commit_and_call_loses_and_doubles_nothing(post: Post) -> None:
    await react(post.run, REACTIONS, raised(post.run.clock.now()))
    claimed = await post.sender._claim(post.line, 10)
    assert len(claimed) == 2

    await post.after(seconds=post.settings.lease_s + 1)
    await post.after(seconds=post.settings.grace_s + 1)

    assert [len(post.carrier.texts_to(phone)) for phone in PHONES[1:3]] == [1, 1]


async def test_a_process_that_was_stopped_after_its_last_look_sends_nothing_when_it_wakes_up(
    post: Post,
) -> None:
    """Somebody else may have looked its attempts up by then, and sent them again."""
    await react(post.run, REACTIONS, raised(post.run.clock.now()))
    claimed = await post.sender._claim(post.line, 10)
    assert 2 == len(await post.sender._may_go(claimed))
    clock = post.run.clock
    assert isinstance(clock, SettableClock)
    clock.advance(seconds=post.settings.lease_s)

    for item in claimed:
        post.sender._begin(post.line, item)
    await post.sender.drain()

    assert [] == post.carrier.accepted
    await post.after(seconds=post.settings.grace_s)
    assert [len(post.carrier.texts_to(phone)) for phone in PHONES[1:3]] == [1, 1]


async def test_two_senders_never_take_the_same_delivery(post: Post) -> None:
    await react(post.run, REACTIONS, raised(post.run.clock.now()))
    other = Sender(post.run, post.settings, post.sender._senders)

    mine, theirs = await post.sender._claim(post.line, 1), await other._claim(post.line, 10)

    assert 2 == len({item.message.to for item in (*mine, *theirs)}) == len(mine) + len(theirs)


async def test_stop_beats_send_even_after_the_claim(post: Post) -> None:
    await react(post.run, REACTIONS, raised(post.run.clock.now()))
    claimed = await post.sender._claim(post.line, 10)

    await react(post.run, REACTIONS, stood_down(post.run.clock.now()))

    assert set() == await post.sender._may_go(claimed)
    await post.after(seconds=post.settings.lease_s + 1)
    assert [sms for sms in post.carrier.accepted if "走失" in sms.body] == []


async def test_stand_down_reaches_exactly_those_who_may_have_been_told(post: Post) -> None:
    post.carrier.told[PHONES[1]] = "lost_answer"
    post.carrier.told[PHONES[2]] = "refused"
    await react(post.run, REACTIONS, raised(post.run.clock.now()))
    await post.send()

    await react(post.run, REACTIONS, stood_down(post.run.clock.now()))
    await post.send()

    assert [PHONES[1]] == [sms.to for sms in post.carrier.accepted if "解除" in sms.body]


async def test_a_call_that_was_out_at_the_stand_down_is_stood_down_when_it_settles(post: Post) -> None:
    await react(post.run, REACTIONS, raised(post.run.clock.now()))
    claimed = await post.sender._claim(post.line, 1)
    await react(post.run, REACTIONS, stood_down(post.run.clock.now()))
    sent = await post.carrier.send(
        outgoing("http://127.0.0.1", claimed[0].message.to, claimed[0].message.body, "t")
    )

    post.sender._end(post.line, claimed[0].attempt_id, sent)
    await post.sender.record()
    await post.send()

    assert [PHONES[1]] == [sms.to for sms in post.carrier.accepted if "解除" in sms.body]


async def test_silence_past_the_deadline_escalates_to_the_next_contact_and_then_to_the_command_centre(
    post: Post,
) -> None:
    await react(post.run, REACTIONS, raised(post.run.clock.now(), radius_km=5))
    await post.send()

    await post.after(minutes=4)
    await post.after(minutes=4)
    await post.after(minutes=4)

    assert [fact.to for fact in await facts(post.run, NoticeEscalated)] == ["next_contact", "command_centre"]


async def test_a_unit_told_its_order_is_told_that_it_is_over(post: Post) -> None:
    await react(post.run, REACTIONS, ordered(post.run.clock.now()))
    await post.send()

    await react(post.run, REACTIONS, order_over(post.run.clock.now()))
    await post.send()

    order, over = post.carrier.texts_to(PHONES[5])
    assert order.endswith("/o/signed")
    assert "可撤离" in over


async def test_an_update_after_sending_is_one_more_sms_for_each_who_was_told(post: Post) -> None:
    await react(post.run, REACTIONS, raised(post.run.clock.now()))
    await post.send()

    await react(post.run, REACTIONS, updated(post.run.clock.now()))
    await post.send()

    assert [len(post.carrier.texts_to(phone)) for phone in PHONES[1:4]] == [2, 2, 0]
    assert len(await facts(post.run, NoticeQueued)) == 4


@pytest.mark.parametrize("status", ["delivered", "undelivered"])
async def test_a_callback_before_our_own_record_counts_once(post: Post, status: str) -> None:
    await react(post.run, REACTIONS, raised(post.run.clock.now(), radius_km=5))
    [claimed] = await post.sender._claim(post.line, 1)
    async with post.run.tx(actor="provider") as tx:
        outcome = Outcome("accepted", "SM1", status, code="30003" if status == "undelivered" else "")
        assert await answers.statuses_came(
            tx, [(claimed.message.client_ref, "event 1", outcome)], post.settings
        )

    post.sender._end(post.line, claimed.attempt_id, Outcome("accepted", "SM1", "queued", segments=1))
    await post.sender.record()

    assert len(await facts(post.run, NoticeAccepted)) == 1
    assert [{"delivered": "delivered", "undelivered": "failed"}[status]] == await post.states()
