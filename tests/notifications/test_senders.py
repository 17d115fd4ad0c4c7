"""Several senders: who takes what, what a refusal does, and that an unknown outcome never goes to another."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest
import pytest_asyncio
from pydantic import ValidationError

from contracts.notice import NoticeAccepted, NoticeEscalated, NoticeFailed
from guitu.service import Runtime
from harness.ground import SettableClock, facts, react
from harness.notice_stories import PHONES, Carrier, contact, fill, raised, site, stood_down, widened
from notifications import escalating, looking_up, planning
from notifications.agents import REACTIONS
from notifications.domain.breaker import FAILURES_MAX
from notifications.domain.delivery import Outcome
from notifications.domain.senders import SenderSpec, others
from notifications.providers.protocol import Outgoing
from notifications.senders import Line, Senders
from notifications.sending import Sender
from notifications.service import sending_with
from notifications.settings import NotificationSettings

SITES = 20
LISTED = json.dumps(
    [
        {"name": "first", "provider": "twilio", "address": "+12025550100"},
        {"name": "second", "provider": "twilio", "address": "+12025550101"},
        {"name": "voice", "provider": "twilio", "channel": "voice", "prefixes": ["+44"]},
    ]
)


@dataclass
class Way(Carrier):
    """A sender that fails with `always`, if given, until the test lets it work."""

    always: Outcome | None = None
    tried: list[str] = field(default_factory=list)

    async def send(self, sms: Outgoing) -> Outcome:
        """Fail as the test chose."""
        self.tried.append(sms.to)
        return self.always if self.always is not None else await super().send(sms)


@dataclass
class Post:
    """A service with two senders of SMS and one that calls."""

    run: Runtime
    ways: list[Way]
    sender: Sender
    settings: NotificationSettings

    async def send(self) -> None:
        """Everything that is due goes out and is recorded."""
        while await self.sender.pump():
            await self.sender.drain()

    def passes(self, **amount: float) -> None:
        """Time goes by."""
        assert isinstance(self.run.clock, SettableClock)
        self.run.clock.advance(**amount)

    async def states(self) -> dict[str, int]:
        rows = await self.run.pool.fetch("select state, count(*) as n from delivery group by state")
        return {row["state"]: row["n"] for row in rows}


@pytest_asyncio.fixture
async def post(runtime_for: Callable[[str], Awaitable[Runtime]]) -> AsyncIterator[Post]:
    run = await runtime_for("notifications")
    sites = [site(n, 0.1 * n) for n in range(1, SITES + 1)]
    await fill(run, sites, [contact(n, n, voice=True) for n in range(1, SITES + 1)])
    settings = NotificationSettings(**(run.settings.model_dump() | {"senders": LISTED, "sms_timeout_s": 0.5}))
    ways = [Way(), Way(), Way()]
    senders = Senders([Line(s, way) for s, way in zip(settings.sender_specs, ways, strict=True)])
    async with sending_with(run, senders, settings) as sender:
        yield Post(run, ways, sender, settings)


async def test_a_sender_that_is_down_is_left_alone_and_the_second_takes_everything_once(post: Post) -> None:
    post.ways[0].always = Outcome("not_sent", code="no_bytes_sent")

    await react(post.run, REACTIONS, raised(post.run.clock.now()))
    for _ in range(6):
        await post.send()
        post.passes(seconds=2)

    assert await post.states() == {"accepted": SITES}
    assert sorted(sms.to for sms in post.ways[1].accepted) == sorted(PHONES[1 : SITES + 1])
    assert len(await facts(post.run, NoticeAccepted)) == SITES
    assert len(post.ways[0].tried) <= post.settings.sms_in_flight + 2


async def test_after_its_rest_it_is_tried_with_one_message_and_works_again(post: Post) -> None:
    post.ways[0].always = Outcome("not_sent", code="no_bytes_sent")
    await react(post.run, REACTIONS, raised(post.run.clock.now(), radius_km=0.65))
    await post.send()
    post.passes(seconds=20)
    post.ways[0].always, tried = None, len(post.ways[0].tried)

    await react(post.run, REACTIONS, widened(post.run.clock.now(), radius_km=5))
    await post.sender.pump()

    assert len(post.ways[0].tried) - tried <= 1
    await post.sender.drain()
    assert post.sender._senders.lines[0].health.trips == 0


async def test_rest_is_known_to_other_processes(post: Post) -> None:
    post.ways[0].always = Outcome("rejected", code="20003", reason="permanent_config")
    await react(post.run, REACTIONS, raised(post.run.clock.now(), radius_km=0.15))
    await post.send()
    idle = Way()
    elsewhere = Senders([Line(post.settings.sender_specs[0], idle)])

    await elsewhere.learn(post.run)

    assert elsewhere.all_rest("sms", post.run.clock.now())


@pytest.mark.parametrize(
    "reason", ["permanent_sender", "permanent_route", "permanent_config", "transient_sender"]
)
async def test_what_only_this_sender_can_not_do_goes_to_the_other_at_once(post: Post, reason: str) -> None:
    post.ways[0].always = Outcome("rejected", code="21612", reason=reason)
    await react(post.run, REACTIONS, raised(post.run.clock.now(), radius_km=0.15))

    await post.send()

    assert [len(way.accepted) for way in post.ways] == [0, 1, 0]
    assert await post.run.pool.fetchval("select refused_by from delivery") == ["first"]


async def test_what_is_the_texts_or_the_numbers_fault_goes_nowhere_else(post: Post) -> None:
    post.ways[0].always = Outcome("rejected", code="21211", reason="permanent_recipient")
    await react(post.run, REACTIONS, raised(post.run.clock.now(), radius_km=0.15))

    await post.send()

    assert await post.states() == {"failed": 1}
    assert [fact.code for fact in await facts(post.run, NoticeFailed)] == ["21211"]


async def test_an_unknown_outcome_never_goes_to_another_sender_before_it_is_cleared_up(post: Post) -> None:
    post.ways[0].always = Outcome("unknown", code="timeout")
    await react(post.run, REACTIONS, raised(post.run.clock.now(), radius_km=0.15))

    for _ in range(10):
        await post.send()
        post.passes(seconds=1)

    assert await post.states() == {"unknown": 1}
    assert post.ways[1].tried == []


async def test_what_nobody_can_clear_up_is_sent_once_more_for_a_life_and_marked(post: Post) -> None:
    silent = Outcome("unknown", code="timeout")
    for way in post.ways:
        way.always = silent
        way.lookup = says_nothing  # type: ignore[method-assign]
    await react(post.run, REACTIONS, raised(post.run.clock.now(), radius_km=0.15))

    for _ in range(40):
        await post.send()
        await looking_up.close_leases(post.run)
        await looking_up.look_up_unknown(post.run)
        await looking_up.give_up_unknown(post.run)
        post.passes(seconds=30)

    tried = sum(len(way.tried) for way in post.ways)
    assert (tried, await post.states()) == (2, {"failed": 1})
    assert await post.run.pool.fetchval("select resent_blind from delivery")
    given_up = await post.run.pool.fetchval("select count(*) from attempt where state = 'given_up'")
    assert given_up == 2


async def says_nothing(*_: object) -> None:
    """A list that can't be read."""


async def test_a_number_is_served_only_by_senders_of_its_country_and_channel() -> None:
    home, anywhere = (
        SenderSpec(name="home", provider="x", prefixes=("+86",)),
        SenderSpec(name="b", provider="x"),
    )
    voice = SenderSpec(name="v", provider="x", channel="voice")

    assert others((home, anywhere, voice), "sms", "+8613800000000", ()) == (home, anywhere)
    assert others((home, anywhere, voice), "sms", PHONES[1], {"b"}) == ()
    assert others((home, anywhere, voice), "voice", PHONES[1], ()) == (voice,)


async def test_silence_goes_on_to_a_call_and_then_to_the_command_centre(post: Post) -> None:
    await react(post.run, REACTIONS, raised(post.run.clock.now(), radius_km=0.15))
    for _ in range(3):
        await post.send()
        post.passes(minutes=4)
        await escalating.escalate_unanswered(post.run)

    told = await facts(post.run, NoticeEscalated)
    assert [fact.to for fact in told] == ["voice", "command_centre"]
    assert [len(way.accepted) for way in post.ways] == [1, 0, 1]
    assert told[0].next_delivery_id is not None


async def test_while_every_sender_rests_nobody_is_escalated_and_afterwards_the_first_is_sent(
    post: Post,
) -> None:
    for way in post.ways[:2]:
        way.always = Outcome("not_sent", code="no_bytes_sent")
    await react(post.run, REACTIONS, raised(post.run.clock.now()))
    for _ in range(FAILURES_MAX):
        await post.send()
        await planning.set_deadlines(post.run)
        post.passes(minutes=1)
    await post.send()

    await escalating.escalate_unanswered(post.run)
    assert await facts(post.run, NoticeEscalated) == []

    for way in post.ways[:2]:
        way.always = None
    for _ in range(8):
        post.passes(minutes=2)
        await post.send()
    assert await post.states() == {"accepted": SITES}


async def test_a_stand_down_is_sent_by_whoever_works(post: Post) -> None:
    await react(post.run, REACTIONS, raised(post.run.clock.now(), radius_km=0.15))
    await post.send()
    post.ways[0].always = Outcome("rejected", code="20003", reason="permanent_config")

    await react(post.run, REACTIONS, stood_down(post.run.clock.now()))
    await post.send()

    assert "解除" in post.ways[1].accepted[0].body


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", "no list of senders"),
        ('[{"name": "a"}]', "provider"),
        ('[{"name": "a", "provider": "x", "prefixes": ["86"]}]', "prefixes"),
        ('[{"name": "a", "provider": "x"}, {"name": "a", "provider": "y"}]', "twice"),
        ('[{"name": "a", "provider": "x", "auth_token": 7}]', "auth_token"),
    ],
)
def test_a_list_of_senders_that_is_wrong_says_where(text: str, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        NotificationSettings(senders=text)
