"""Deliveries against a small model: any order, loss and repetition of answers, callbacks and look-ups.

The far side may even lie about what it never got: a status never goes back, an acceptance is always believed and
never followed by another try, and one attempt at most is open.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from contracts.notice import NoticeAccepted, NoticeDelivered, NoticeFailed
from guitu.settings import Settings
from harness import ground, notice_stories
from harness.ground import facts, react
from harness.machines import World, play, world_of
from notifications import answers, looking_up, senders
from notifications.agents import REACTIONS
from notifications.domain.delivery import Outcome
from notifications.providers.protocol import Capabilities, Channel, Outgoing
from notifications.sending import Sender
from notifications.settings import NotificationSettings

# What Twilio may say of a message, each line further than the one before.
LADDER = ("accepted scheduled", "queued", "sending", "sent", "delivered undelivered failed canceled", "read")
SHOWN = {"sent": "sent", "delivered": "delivered", "read": "delivered"} | dict.fromkeys(
    ("undelivered", "failed", "canceled"), "failed"
)
FURTHER = ("accepted", "sent", "failed", "delivered")
"""Of two SMS that both were accepted, the one that reached the phone counts."""
WHICH = st.integers(0, 11)
"""One of those there are; drawn without looking, so that a run is the same whatever the ids are."""
WORDS = st.sampled_from([*" ".join(LADDER).split(), "teleported"])
ANSWERS = st.sampled_from(
    [
        Outcome("accepted", "", "queued", segments=1),
        Outcome("unknown", code="reset"),
        Outcome("rejected", code="21211", reason="invalid number"),
        Outcome("rejected", code="20429", retry=True),
        Outcome("rejected", code="20500", retry=True, not_now=True),
        Outcome("not_sent", code="no_bytes_sent", retry=True, not_now=True),
    ]
)


def shown_after(words: list[str]) -> str:
    """Where one SMS stands after these words, in the order in which they came."""
    height, stands = -1, "accepted"
    for word in words:
        step = next((n for n, line in enumerate(LADDER) if word in line.split()), -1)
        if step > height:
            height, stands = step, SHOWN.get(word, "accepted")
    return stands


@dataclass
class Paper:
    """A delivery on paper: the words of each attempt, and how many tries there were when the first came."""

    words: dict[str, list[str]] = field(default_factory=dict)
    tries: int | None = None

    @property
    def stands(self) -> str:
        """Where it stands, if somebody said that it was accepted."""
        return max(map(shown_after, self.words.values()), key=FURTHER.index)


@dataclass
class FarSide:
    """A provider that answers when the machine says so, if ever."""

    name: str = "far"
    channel: Channel = "sms"
    calls: dict[str, asyncio.Future[Outcome]] = field(default_factory=dict)
    says_of: Any = None

    async def send(self, sms: Outgoing) -> Outcome:
        """Wait for the machine."""
        self.calls[token_of(sms)] = asyncio.get_running_loop().create_future()
        return await self.calls[token_of(sms)]

    async def lookup(self, sms: Outgoing, since: datetime, owned: Collection[str]) -> Outcome | None:
        """What the machine lets it say."""
        return self.says_of(token_of(sms))  # type: ignore[no-any-return]

    def capabilities(self, to: str) -> Capabilities:
        """Whatever is asked for."""
        return notice_stories.EVERYTHING

    def statuses(self, *_: Any) -> Any:
        """Callbacks are given to the service as they are once their signature was checked."""
        raise NotImplementedError

    inbound = thanks = statuses


def token_of(sms: Outgoing) -> str:
    return sms.status_callback.rpartition("/")[2].partition("#")[0]


def sid_of(token: str) -> str:
    return f"SM-{token}"


class Deliveries(RuleBasedStateMachine):
    """Two sites are told; everything that can go wrong between us and the provider does."""

    world: World
    settings: NotificationSettings

    @initialize()
    def two_sites_are_told(self) -> None:
        run = self.world.run
        self.far = FarSide()
        self.papers: dict[UUID, Paper] = {}
        self.said: list[tuple[str, str, Outcome]] = []
        self.last: dict[UUID, str] = {}
        run.state.update(settings=self.settings, senders=senders.one_sender(self.far, self.settings))
        self.a_process_starts()
        self.world.does(ground.truncate(self.settings.database_url, "notifications"))
        self.world.does(self.is_filled())
        self.world.does(react(run, REACTIONS, notice_stories.raised(run.clock.now())))
        self.what_is_due_is_sent()

    async def is_filled(self) -> None:
        sites = [notice_stories.site(n, n) for n in (1, 2)]
        await notice_stories.fill(self.world.run, sites, [notice_stories.contact(n, n) for n in (1, 2)])

    def a_process_starts(self) -> None:
        self.sender = Sender(self.world.run, self.settings, self.world.run.state["senders"])
        self.hangs: set[str] = set(self.far.calls)

    def what_is_due_is_sent(self) -> None:
        self.world.does(self.sender.pump())
        self.world.does(settled_loop())

    @rule(which=WHICH, outcome=ANSWERS)
    def an_answer_comes(self, which: int, outcome: Outcome) -> None:
        waiting = [token for token in self.far.calls if token not in self.hangs]
        if not waiting:
            return
        token = waiting[which % len(waiting)]
        if outcome.kind == "accepted":
            outcome = Outcome("accepted", sid_of(token), "queued", segments=1)
            self.hears(token, "queued")
        self.far.calls.pop(token).set_result(outcome)
        self.world.does(settled_loop())
        self.world.does(self.sender.record())

    @rule()
    def the_process_is_killed(self) -> None:
        """Its calls are out there still; whatever they end with, nobody hears it."""
        self.a_process_starts()

    @rule(
        seconds=st.sampled_from([1, 31, 120, 120, 2000]), truth=st.sampled_from(["absent", "sent", "silence"])
    )
    def time_goes_by_and_every_timer_runs(self, seconds: int, truth: str) -> None:
        self.world.clock.advance(seconds=seconds)
        found: list[str] = []

        def says_of(token: str) -> Outcome | None:
            if truth == "silence":
                return None
            if truth == "absent":
                return Outcome("absent")
            found.append(token)
            return Outcome("accepted", sid_of(token), "sent", segments=1)

        self.far.says_of = says_of
        for timer in (
            looking_up.close_leases,
            looking_up.look_up_unknown,
            looking_up.give_up_unknown,
            looking_up.look_up_without_end,
        ):
            self.world.does(timer(self.world.run))
        for token in found:
            self.hears(token, "sent")
        self.what_is_due_is_sent()

    @rule(which=WHICH, word=WORDS, times=st.integers(1, 2))
    def a_callback_comes(self, which: int, word: str, times: int) -> None:
        """For any attempt that was ever made, the given-up ones too."""
        tokens = [row["token"] for row in self.attempts()]
        if tokens:
            token = tokens[which % len(tokens)]
            outcome = Outcome("accepted", sid_of(token), word, reason=word)
            self.said.append((token, f"{sid_of(token)}:{word}:", outcome))
            for _ in range(times):
                self.is_called_back(self.said[-1])

    @rule(which=WHICH)
    def an_old_callback_comes_again(self, which: int) -> None:
        if self.said:
            self.is_called_back(self.said[which % len(self.said)])

    def is_called_back(self, came: tuple[str, str, Outcome]) -> None:
        token, _, outcome = came
        self.hears(token, outcome.status)
        assert {token} == self.world.does(self.applied(came))

    async def applied(self, came: tuple[str, str, Outcome]) -> set[str]:
        async with self.world.run.tx(actor="provider") as tx:
            return await answers.statuses_came(tx, [came], self.settings)

    @rule()
    def the_case_is_stood_down(self) -> None:
        run = self.world.run
        self.world.does(react(run, REACTIONS, notice_stories.stood_down(run.clock.now())))

    def hears(self, token: str, word: str) -> None:
        """Put it on paper."""
        rows = self.attempts()
        delivery_id = next(row["delivery_id"] for row in rows if row["token"] == token)
        paper = self.papers.setdefault(delivery_id, Paper())
        if paper.tries is None:
            paper.tries = sum(row["delivery_id"] == delivery_id for row in rows)
        paper.words.setdefault(token, []).append(word)

    def attempts(self) -> list[Any]:
        sql = """
        select a.token, a.delivery_id, a.state from attempt a join delivery d on d.id = a.delivery_id
        order by d.kind, d.distance_km, a.n
        """
        return list(self.world.does(self.world.run.pool.fetch(sql)))

    @invariant()
    def each_stands_where_its_paper_says_and_is_tried_no_more(self) -> None:
        rows = self.world.does(self.world.run.pool.fetch("select id, state, accepted_at from delivery"))
        attempts = self.attempts()
        for row in rows:
            own = [each for each in attempts if each["delivery_id"] == row["id"]]
            assert 1 >= sum(each["state"] in ("posting", "unknown") for each in own)
            paper = self.papers.get(row["id"])
            if paper is None:
                assert (True, None) == (
                    row["state"] not in ("accepted", "sent", "delivered"),
                    row["accepted_at"],
                )
                continue
            assert paper.stands == row["state"]
            assert row["accepted_at"] is not None
            assert paper.tries == len(own), "Nobody may be sent a second SMS once the first was accepted."
            before = self.last.get(row["id"], "accepted")
            assert FURTHER.index(before) <= FURTHER.index(row["state"])
            self.last[row["id"]] = row["state"]

    def teardown(self) -> None:
        """Each fact was said once; then whoever still waits is let go."""
        said: dict[Any, list[UUID]] = {
            kind: [fact.delivery_id for fact in self.world.does(facts(self.world.run, kind))]
            for kind in (NoticeAccepted, NoticeDelivered, NoticeFailed)
        }
        for ids in said.values():
            assert len(ids) == len(set(ids))
        assert set(self.papers) == set(said[NoticeAccepted])
        assert {i for i, paper in self.papers.items() if paper.stands == "delivered"} == set(
            said[NoticeDelivered]
        )
        for call in self.far.calls.values():
            call.cancel()
        self.world.does(settled_loop())


async def settled_loop() -> None:
    """Let every task that can go on do so."""
    for _ in range(10):
        await asyncio.sleep(0)


def test_a_delivery_stands_where_the_words_of_the_provider_put_it_in_whatever_order(
    settings: Settings,
) -> None:
    with world_of("notifications", settings) as world:
        Deliveries.world = world
        Deliveries.settings = NotificationSettings(**(settings.model_dump() | {"sms_timeout_s": 60}))
        play(Deliveries, runs=30, steps=40)
