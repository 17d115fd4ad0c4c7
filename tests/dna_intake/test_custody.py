"""The chain of custody as pure rules: only legal moves, and a past that shows every change."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
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
    Move,
    MoveOutOfTime,
    SealChange,
    SealRefused,
    State,
    first_move,
    link,
    next_move,
    repeats,
    seal_changes,
    verify,
)

NOON = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)
TUBE = UUID(int=7)
STATES: list[State] = list(LEGAL)


def grown(*states: State, seal: str = "S-100") -> list[Link]:
    """A chain that went through these states after the registration, a minute each, under one seal."""
    chain = [link(b"", TUBE, first_move(NOON, "lab", "500235"))]
    for number, state in enumerate(states, start=1):
        now = NOON + timedelta(minutes=number)
        move = next_move(chain[-1].move, state, at=None, now=now, actor="lab", seal=seal, location="Room 2")
        chain.append(link(chain[-1].hash, TUBE, move))
    return chain


def shortest_way(state: State) -> list[State]:
    """The states after the registration on a shortest legal way to `state`."""
    ways: dict[State, list[State]] = {"registered": []}
    waiting: list[State] = ["registered"]
    for here in waiting:
        for there in LEGAL[here]:
            if there not in ways:
                ways[there] = [*ways[here], there]
                waiting.append(there)
    return ways[state]


def on(last: Move, to_state: State, **fields: Any) -> Move:
    """The move after `last` a minute later, in the same room."""
    now = last.recorded_at + timedelta(minutes=1)
    usual = {"at": None, "now": now, "actor": "lab", "seal": "S-100", "location": "Room 2"}
    return next_move(last, to_state, **usual | fields)


@pytest.mark.parametrize("to_state", STATES)
@pytest.mark.parametrize("from_state", STATES)
def test_of_all_pairs_of_states_only_the_legal_ones_can_be_moved(from_state: State, to_state: State) -> None:
    last = grown(*shortest_way(from_state))[-1].move

    if to_state in LEGAL[from_state]:
        assert (last.seq + 1, to_state) == (on(last, to_state).seq, on(last, to_state).to_state)
    else:
        with pytest.raises(IllegalMove) as refused:
            on(last, to_state)
        assert refused.value.legal == LEGAL[from_state]


def test_a_confirmed_or_refuted_specimen_was_entered_and_a_candidate_first() -> None:
    """No way leads there that leaves one of them out, however long it is."""
    for goal, needed in (("confirmed", "candidate"), ("refuted", "entered"), ("entered", "quality_checked")):
        reached, waiting = {"registered"}, ["registered"]
        for here in waiting:
            fresh = [there for there in LEGAL[here] if there != needed and there not in reached]  # type: ignore[index]
            reached.update(fresh)
            waiting += fresh

        assert goal not in reached


class Custody(RuleBasedStateMachine):
    """Any order of any moves: the legal ones lead on, the others are refused and change nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.chain = grown()

    @rule(
        to_state=st.sampled_from(STATES),
        minutes=st.integers(0, 90),
        actor=st.text(max_size=5),
        seal=st.sampled_from(["", "S-100", "S-200"]),
        new_seal=st.sampled_from(["", "", "S-200", "S-300"]),
        reason=st.sampled_from(["", "seal_broken", "lost"]),
    )
    def moves(self, to_state: State, minutes: int, actor: str, seal: str, new_seal: str, reason: str) -> None:
        self.now += timedelta(minutes=minutes)
        last = self.chain[-1].move
        seals = {"seal": seal, "new_seal": new_seal, "reason": reason}
        try:
            move = next_move(last, to_state, at=None, now=self.now, actor=actor, location="柜1", **seals)
        except IllegalMove as refused:
            legal = refused.legal
            assert to_state not in legal == LEGAL[last.to_state]
        except SealRefused:
            assert seal != last.seal or new_seal == seal or not seal
        else:
            assert to_state in LEGAL[last.to_state]
            self.chain.append(link(self.chain[-1].hash, TUBE, move))

    @invariant()
    def every_change_of_the_seal_was_said(self) -> None:
        assert all(change.declared for change in seal_changes(self.chain))

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


@pytest.mark.parametrize(
    "field",
    ["actor", "seal", "location", "moved_at", "recorded_at", "to_state", "seal_found", "reason"],
)
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
    rejected = on(last, "rejected", seal="S-900", reason="seal_broken")
    opened = on(grown("collected", "received")[-1].move, "extracted", new_seal="S-200")

    assert repeats(rejected, "rejected", at=None, seal="S-900", location="Room 2", reason="seal_broken")
    assert not repeats(rejected, "rejected", at=None, seal="S-900", location="Room 2", reason="lost")
    assert repeats(opened, "extracted", at=None, seal="S-100", location="Room 2", new_seal="S-200")
    assert not repeats(opened, "extracted", at=None, seal="S-200", location="Room 2")
    assert repeats(last, "collected", at=None, seal="S-100", location="Room 2")
    assert repeats(last, "collected", at=last.moved_at, seal="S-100", location="Room 2")
    assert not repeats(last, "collected", at=None, seal="S-200", location="Room 2")
    assert not repeats(last, "collected", at=NOON, seal="S-100", location="Room 2")
    assert not repeats(last, "received", at=None, seal="S-100", location="Room 2")


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"seal": "S-200"}, "differs"),
        ({"seal": ""}, "missing"),
        ({"new_seal": "S-100"}, "reused"),
        ({"seal": "S-200", "new_seal": "S-300"}, "differs"),
        ({"seal": "S-200", "reason": "leaked"}, "differs"),
    ],
)
def test_a_seal_that_differs_from_the_recorded_one_is_refused(fields: dict[str, str], kind: str) -> None:
    last = grown("collected")[-1].move

    with pytest.raises(SealRefused) as refused:
        on(last, "received", **fields)

    assert (kind, "S-100" in str(refused.value)) == (refused.value.kind, False)


def test_a_move_that_breaks_the_seal_says_so_and_the_next_finds_the_new_one() -> None:
    chain = grown("collected", "received")
    opened = on(chain[-1].move, "extracted", new_seal="S-200")
    chain.append(link(chain[-1].hash, TUBE, opened))
    chain.append(link(chain[-1].hash, TUBE, on(opened, "quantified", seal="S-200")))

    verify(TUBE, "quantified", 5, chain)
    assert (opened.seal, opened.seal_found) == ("S-200", "S-100")
    assert [SealChange(4, "S-100", "S-200", declared=True)] == seal_changes(chain)


@pytest.mark.parametrize("found", ["S-900", ""])
def test_a_tube_under_another_seal_can_only_be_rejected_as_broken(found: str) -> None:
    chain = grown("collected")
    rejected = on(chain[-1].move, "rejected", seal=found, reason="seal_broken")
    chain.append(link(chain[-1].hash, TUBE, rejected))

    verify(TUBE, "rejected", 3, chain)
    assert (rejected.seal, rejected.reason) == (found, "seal_broken")
    assert [SealChange(3, "S-100", found, declared=True)] == seal_changes(chain)


def test_a_lost_tube_needs_no_seal_and_keeps_the_last_one_on_record() -> None:
    last = grown("collected")[-1].move

    assert on(last, "rejected", seal="", reason="lost").seal == "S-100"
    assert on(grown()[-1].move, "withdrawn", seal="").seal == ""


def test_a_seal_that_changed_without_a_word_shows_in_an_old_chain() -> None:
    """Before moves said what they broke, any seal was taken: such a chain holds, and says where it changed."""
    chain = grown("collected")
    silent = replace(on(chain[-1].move, "received"), seal="S-200")
    chain.append(link(chain[-1].hash, TUBE, silent))

    verify(TUBE, "received", 3, chain)
    assert [SealChange(3, "S-100", "S-200", declared=False)] == seal_changes(chain)


def test_a_move_without_breach_or_reason_has_the_hash_it_always_had() -> None:
    """Chains of the first version still verify: SHA-256 over nine fields, written down here by hand."""
    move = Move(1, None, "registered", NOON, NOON, "lab", "", "500235")

    body = f'["{TUBE}",1,null,"registered","2026-03-01T04:00:00+00:00","2026-03-01T04:00:00+00:00","lab","","500235"]'
    assert hashlib.sha256(body.encode()).digest() == link(b"", TUBE, move).hash
