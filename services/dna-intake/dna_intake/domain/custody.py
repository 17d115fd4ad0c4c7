"""The chain of custody: which moves are legal, and how each move is chained to the one before.

One straight way of the tube from the label to the entered profile, with three ways out; then, on paper only,
what the search and the reviewers find. A step of the tube that failed is not undone: the specimen is rejected
and a new one is taken. On paper a specimen may be a candidate again and again, with every lead that comes up.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Literal, cast, get_args
from uuid import UUID

from contracts.dna import CustodyState

PaperState = Literal["searched", "candidate", "second_tier", "confirmed", "refuted"]
State = CustodyState | PaperState
"""Where a specimen is. Other services know the tube's states only; what a search finds has facts of its own."""
PAPER: tuple[PaperState, ...] = get_args(PaperState)
PROFILED: frozenset[State] = frozenset({"entered", *PAPER})
"""The profile is in: the tube has done its work."""

LEGAL: dict[State, tuple[State, ...]] = {
    "registered": ("collected", "rejected", "withdrawn"),
    "collected": ("received", "rejected", "withdrawn"),
    "received": ("extracted", "rejected", "withdrawn"),
    "extracted": ("quantified", "rejected", "withdrawn"),
    "quantified": ("amplified", "rejected", "withdrawn"),
    "amplified": ("typed", "rejected", "withdrawn"),
    "typed": ("quality_checked", "rejected", "withdrawn"),
    "quality_checked": ("entered", "rejected", "withdrawn"),
    "entered": ("searched", "withdrawn"),
    "searched": ("candidate", "withdrawn"),
    "candidate": ("second_tier", "confirmed", "refuted", "withdrawn"),
    # One lead may be settled while another of the same specimen is still open; and a child whose mother is
    # confirmed is compared with the father too.
    "second_tier": ("candidate", "confirmed", "refuted", "withdrawn"),
    "confirmed": ("candidate", "withdrawn"),
    "refuted": ("candidate", "withdrawn"),
    "rejected": ("expunged",),
    "withdrawn": ("expunged",),
    "expunged": (),
}
LossReason = Literal[
    "seal_broken",
    "label_unreadable",
    "leaked",
    "lost",
    "too_little",
    "contaminated",
    "degraded",
    "failed_control",
    "failed_typing",
    "mixed_up",
    "consent_withdrawn",
    "entered_in_error",
    "no_longer_needed",
]
"""Why a specimen was lost; the last three are for a withdrawal, the others for a rejection."""
WITHDRAWAL: frozenset[str] = frozenset({"consent_withdrawn", "entered_in_error", "no_longer_needed"})
LOSSES: frozenset[State] = frozenset({"rejected", "withdrawn"})
CLOCK_SKEW_MAX = timedelta(minutes=5)
"""How far a laboratory's clock may be ahead of ours (our own choice)."""


class IllegalMove(Exception):
    """The specimen may not go there from where it is; names the legal moves."""

    def __init__(self, from_state: State, to_state: State) -> None:
        self.from_state, self.to_state, self.legal = from_state, to_state, LEGAL[from_state]
        super().__init__(
            f"{from_state} -> {to_state} is not legal; legal: {', '.join(self.legal) or 'none'}."
        )


class MoveOutOfTime(Exception):
    """The stated moment lies in the future or before the move it follows."""


class SealRefused(Exception):
    """The stated seal can't be: `kind` is `differs`, `missing` or `reused`; the recorded one is not told."""

    def __init__(self, kind: Literal["differs", "missing", "reused"]) -> None:
        self.kind = kind
        super().__init__(f"The seal is refused: {kind}.")


class ChainBroken(Exception):
    """The stored chain does not hold; `seq` is the first move that differs."""

    def __init__(self, seq: int, says: str) -> None:
        self.seq, self.says = seq, says
        super().__init__(f"Custody move {seq}: {says}")


@dataclass(frozen=True)
class Move:
    """One link of the chain: who moved what, when, where, under which seal.

    `seal` is the one on the tube when the move is done. A move that broke a seal, or found another than it
    should, says which in `seal_found`.
    """

    seq: int
    from_state: State | None
    to_state: State
    moved_at: datetime
    recorded_at: datetime
    actor: str
    seal: str
    location: str
    seal_found: str = ""
    reason: str = ""


@dataclass(frozen=True)
class SealChange:
    """After move `seq` another seal is on the tube than before; was it said that one was broken?"""

    seq: int
    before: str
    after: str
    declared: bool


@dataclass(frozen=True)
class Link:
    """A move with its place in the chain."""

    move: Move
    hash: bytes


def first_move(now: datetime, actor: str, region_code: str) -> Move:
    """The registration: it begins the chain, before there is a tube to seal."""
    return Move(1, None, "registered", now, now, actor, "", region_code)


def next_move(
    last: Move,
    to_state: State,
    *,
    at: datetime | None,
    now: datetime,
    actor: str,
    seal: str,
    location: str,
    new_seal: str = "",
    reason: str = "",
) -> Move:
    """The move that follows `last`; `seal` is what was read on the tube, `new_seal` what replaced it.

    The moment may precede the registration, since blood is often taken before its label is registered; it may
    not precede the last move of the tube itself.
    Raises: IllegalMove, MoveOutOfTime, SealRefused.
    """
    if to_state not in LEGAL[last.to_state]:
        raise IllegalMove(last.to_state, to_state)
    moved_at = (at or now).astimezone(UTC)
    if moved_at > now + CLOCK_SKEW_MAX:
        raise MoveOutOfTime(f"{moved_at.isoformat()} lies in the future; it is {now.isoformat()}.")
    if last.from_state is not None and moved_at < last.moved_at:
        raise MoveOutOfTime(f"{moved_at.isoformat()} is before the last move at {last.moved_at.isoformat()}.")
    after, found = _seals(last.seal, to_state, seal, new_seal, reason)
    return Move(last.seq + 1, last.to_state, to_state, moved_at, now, actor, after, location, found, reason)


def _seals(before: str, to_state: State, seal: str, new_seal: str, reason: str) -> tuple[str, str]:
    """The seal after a move, and the one found if the two differ or should not be trusted.

    A tube keeps its seal until a move says that it broke it. One that bears another number was opened or
    swapped: it can only be rejected as `seal_broken`, with the number found, or none. Where the tube ends, its
    seal may be left out: it may be gone.
    """
    if to_state == "rejected" and reason == "seal_broken":
        return seal, seal
    ends = to_state in LOSSES or to_state == "expunged"
    if not seal and (new_seal or not ends):
        raise SealRefused("missing")
    if not before or not seal:
        return new_seal or seal or before, ""
    if seal != before:
        raise SealRefused("differs")
    if new_seal == seal:
        raise SealRefused("reused")
    return (new_seal, seal) if new_seal else (seal, "")


def repeats(
    last: Move,
    to_state: State,
    *,
    at: datetime | None,
    seal: str,
    location: str,
    new_seal: str = "",
    reason: str = "",
) -> bool:
    """Is this the last move, sent once more? Then it changes nothing and is answered the same."""
    same_moment = at is None or at.astimezone(UTC) == last.moved_at
    recorded = (last.to_state, last.seal, last.location, last.reason)
    found = last.seal_found or last.seal
    return recorded == (to_state, new_seal or seal, location, reason) and found == seal and same_moment


def as_told(state: State) -> CustodyState:
    """The state as other services know it: whatever happens on paper, the tube's way ended at `entered`."""
    return "entered" if state in PAPER else cast(CustodyState, state)


def link(before: bytes, specimen_id: UUID, move: Move) -> Link:
    """Chain a move: SHA-256 over the link before, the specimen and the move in a canonical form."""
    body = [
        str(specimen_id),
        move.seq,
        move.from_state,
        move.to_state,
        move.moved_at.astimezone(UTC).isoformat(),
        move.recorded_at.astimezone(UTC).isoformat(),
        move.actor,
        move.seal,
        move.location,
    ]
    if move.seal_found or move.reason:
        # Moves without either keep the form that they had before there were such.
        body += [move.seal_found, move.reason]
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Link(move, hashlib.sha256(before + text.encode()).digest())


def verify(specimen_id: UUID, state: State, moves: int, chain: Sequence[Link]) -> None:
    """Walk the chain; `state` and `moves` are what the specimen itself remembers.

    Raises: ChainBroken, at the first move that is missing, illegal or changed.
    """
    before, last = b"", None
    for seq, found in enumerate(chain, start=1):
        _check_order(seq, last, found.move)
        if link(before, specimen_id, found.move).hash != found.hash:
            raise ChainBroken(seq, "it was changed after it was recorded.")
        before, last = found.hash, found.move
    if last is None or (last.seq, last.to_state) != (moves, state):
        raise ChainBroken(len(chain) + 1, f"the specimen is {state} after {moves} moves, the chain is not.")


def seal_changes(chain: Sequence[Link]) -> list[SealChange]:
    """Where along the chain the seal became another one; the first seal of a tube is no change."""
    moves = [found.move for found in chain]
    return [
        SealChange(
            move.seq, last.seal, move.seal, declared=bool(move.seal_found or move.reason == "seal_broken")
        )
        for last, move in pairwise(moves)
        if last.seal and last.seal != move.seal
    ]


def _check_order(seq: int, last: Move | None, move: Move) -> None:
    if move.seq != seq:
        raise ChainBroken(seq, "it is missing.")
    came_from = last.to_state if last else None
    legal = LEGAL[last.to_state] if last else ("registered",)
    if move.from_state != came_from or move.to_state not in legal:
        raise ChainBroken(seq, f"{move.from_state} -> {move.to_state} is not legal there.")
