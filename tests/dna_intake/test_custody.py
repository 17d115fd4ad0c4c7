"""The chain of custody as pure rules: only legal moves, and a past that shows every change."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from dna_intake.domain.custody import (
    LEGAL,
    PAPER,
    ChainBroken,
    IllegalMove,
    Link,
    MoveOutOfTime,
    State,
    first_move,
    link,
    next_move,
    repeats,
    verify,
)

NOON = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)
TUBE = UUID(int=7)
STATES: list[State] = list(LEGAL)


def grown(*states: State) -> list[Link]:
    """A chain that went through these states after the registration, a minute each."""
    chain = [link(b"", TUBE, first_move(NOON, "lab", "500235"))]
    for number, state in enumerate(states, start=1):
        now = NOON + timedelta(minutes=number)
        move = next_move(
            chain[-1].move, state, at=None, now=now, actor="lab", seal=f"S-{number}00", location="Room 2"
        )
        chain.append(link(chain[-1].hash, TUBE, move))
    return chain


class Custody(RuleBasedStateMachine):
    """Any order of any moves: the legal ones lead on, the others are refused and change nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.chain = grown()

    @rule(to_state=st.sampled_from(STATES), minutes=st.integers(0, 90), actor=st.text(max_size=5))
    def moves(self, to_state: State, minutes: int, actor: str) -> None:
        self.now += timedelta(minutes=minutes)
        last = self.chain[-1].move
        try:
            move = next_move(last, to_state, at=None, now=self.now, actor=actor, seal="S-100", location="柜1")
        except IllegalMove as refused:
            legal = refused.legal
            assert to_state not in legal == LEGAL[last.to_state]
        else:
            assert to_state in LEGAL[last.to_state]
            self.chain.append(link(self.chain[-1].hash, TUBE, move))

    @invariant()
    def the_chain_holds_and_ends(self) -> None:
        verify(TUBE, self.chain[-1].move.to_state, len(self.chain), self.chain)
        tube = [found.move.to_state for found in self.chain if found.move.to_state not in PAPER]
        assert len(set(tube)) == len(tube) <= 11

    @invariant()
    def nothing_is_found_without_a_profile(self) -> None:
        visited = [found.move.to_state for found in self.chain]
        assert "entered" in visited or not set(visited) & set(PAPER)

    @invariant()
    def nothing_is_entered_without_the_quality_check(self) -> None:
        visited = [found.move.to_state for found in self.chain]
        assert "entered" not in visited or "quality_checked" in visited


TestCustody = Custody.TestCase


def test_every_specimen_can_be_withdrawn_or_rejected_until_it_is_gone() -> None:
    stuck = [
        s for s in STATES if s != "expunged" and not {"withdrawn", "rejected", "expunged"} & set(LEGAL[s])
    ]

    assert stuck == []
    assert LEGAL["expunged"] == ()


@pytest.mark.parametrize("field", ["actor", "seal", "location", "moved_at", "recorded_at", "to_state"])
def test_a_changed_move_breaks_the_chain_there(field: str) -> None:
    chain = grown("collected", "received", "rejected")
    move = chain[2].move
    other = {"moved_at": NOON, "recorded_at": NOON, "to_state": "withdrawn"}.get(field, "OTHER")
    chain[2] = Link(replace(move, **{field: other}), chain[2].hash)

    with pytest.raises(ChainBroken) as broken:
        verify(TUBE, "rejected", 4, chain)

    assert broken.value.seq == 3


@pytest.mark.parametrize(("missing", "seq"), [(0, 1), (1, 2), (3, 4)])
def test_a_missing_move_breaks_the_chain(missing: int, seq: int) -> None:
    chain = grown("collected", "received", "extracted")
    del chain[missing]

    with pytest.raises(ChainBroken) as broken:
        verify(TUBE, "extracted", 4, chain)

    assert seq == broken.value.seq


def test_the_chain_of_another_specimen_does_not_hold() -> None:
    with pytest.raises(ChainBroken):
        verify(UUID(int=8), "collected", 2, grown("collected"))


def test_blood_may_be_taken_before_its_label_is_registered() -> None:
    [first] = grown()
    at = NOON - timedelta(hours=1)

    move = next_move(first.move, "collected", at=at, now=NOON, actor="lab", seal="S-100", location="Room 2")

    assert at == move.moved_at


@pytest.mark.parametrize("minutes", [-10, 20])
def test_a_move_is_neither_before_the_last_one_nor_in_the_future(minutes: int) -> None:
    last = grown("collected")[-1].move

    with pytest.raises(MoveOutOfTime):
        next_move(
            last,
            "received",
            at=last.moved_at + timedelta(minutes=minutes),
            now=last.moved_at + timedelta(minutes=10),
            actor="lab",
            seal="S-100",
            location="Room 2",
        )


def test_only_the_same_move_counts_as_a_repeat() -> None:
    last = grown("collected")[-1].move

    assert repeats(last, "collected", at=None, seal="S-100", location="Room 2")
    assert repeats(last, "collected", at=last.moved_at, seal="S-100", location="Room 2")
    assert not repeats(last, "collected", at=None, seal="S-200", location="Room 2")
    assert not repeats(last, "collected", at=NOON, seal="S-100", location="Room 2")
    assert not repeats(last, "received", at=None, seal="S-100", location="Room 2")
