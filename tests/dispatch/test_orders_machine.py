"""The life of an order against a small model of its own: duplicates, late words, and clocks that jump both ways."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from contracts.base import OrderId, UnitId
from dispatch.domain.orders import HELD_STATES, IllegalOrderMove, OrderState, is_due, issue, move
from dispatch.domain.problem import PlaceId
from harness.machines import play

START = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)

# The duties of a unit and of the command centre, in the words of the house: what may follow what.
AFTER = {
    "issued": "accepted overdue stood_down",
    "accepted": "in_position stood_down",
    "in_position": "nothing_seen intercepted stood_down",
    "nothing_seen": "intercepted stood_down",
    "intercepted": "stood_down",
    "overdue": "accepted reassigned stood_down",
    "reassigned": "stood_down",
    "stood_down": "stand_down_acknowledged",
    "stand_down_acknowledged": "",
}
ON_THE_ROAD = {"accepted", "in_position", "nothing_seen", "intercepted"}
MINUTES = st.integers(-45, 240)


class OrderLife(RuleBasedStateMachine):
    """A unit with a phone that repeats itself, a command centre with a radio, and a timer."""

    @initialize(answer_min=st.integers(0, 30))
    def is_issued(self, answer_min: int) -> None:
        self.now = START
        self.due = START + timedelta(minutes=answer_min)
        self.order = issue(
            OrderId(UUID(int=1)), UnitId(UUID(int=2)), PlaceId(UUID(int=3)), self.due, self.now
        )
        self.been: dict[str, datetime] = {"issued": self.now}
        self.at = "issued"
        self.sent: list[str] = []

    @rule(minutes=MINUTES)
    def the_clock_jumps(self, minutes: int) -> None:
        """Forward as time does, or back as a clock that is set right."""
        self.now += timedelta(minutes=minutes)

    @rule(word=st.sampled_from(sorted(AFTER)))
    def somebody_says(self, word: str) -> None:
        self.sent.append(word)
        self.hears(word)

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def an_old_word_comes_again(self, data: st.DataObject) -> None:
        self.hears(data.draw(st.sampled_from(self.sent)))

    @rule()
    def the_timer_looks(self) -> None:
        if is_due(self.order, self.now):
            self.hears("overdue")

    def hears(self, word: str) -> None:
        """What the model expects of a word, and what the order does."""
        before, refusal = self.order, None
        try:
            self.order = move(before, OrderState(word), self.now)
        except IllegalOrderMove as refused:
            refusal = refused
        may_follow = AFTER[self.at].split()
        if word in self.been:
            assert refusal is None
            assert self.order is before, "A repetition must change nothing."
        elif word in may_follow:
            assert refusal is None
            self.at, self.been[word] = word, self.now
        else:
            assert refusal is not None
            assert (self.at, word) == (refusal.state, refusal.target)
            assert f"next may be: {', '.join(sorted(may_follow)) or 'nothing'}." in str(refusal)

    @invariant()
    def it_stands_where_the_model_stands(self) -> None:
        assert self.at == self.order.state
        assert list(self.been.items()) == [(state.value, at) for state, at in self.order.history]

    @invariant()
    def it_remembers_when_it_came_where(self) -> None:
        for state in OrderState:
            assert self.been.get(state.value) == self.order.entered_at(state)

    @invariant()
    def it_is_due_only_while_nobody_answered(self) -> None:
        assert (self.at == "issued" and self.now >= self.due) == is_due(self.order, self.now)

    @invariant()
    def a_unit_on_the_road_is_held(self) -> None:
        assert (self.at in ON_THE_ROAD) == (self.order.state in HELD_STATES)


def test_an_order_lives_as_the_model_says_whatever_comes_when() -> None:
    play(OrderLife, runs=200, steps=30)
