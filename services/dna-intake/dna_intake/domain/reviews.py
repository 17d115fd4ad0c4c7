"""What the reviewers' verdicts come to: two people look, the second without knowing what the first said.

Two equal verdicts settle a round. If they differ, a third person looks, and two of three settle it; three different
verdicts ask for more markers. After "more markers" a new round begins, with the new markers on the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Verdict = Literal["confirmed", "refuted", "more_markers"]
CandidateState = Literal["open", "second_tier", "in_review", "confirmed", "refuted", "withdrawn"]
OPEN: frozenset[CandidateState] = frozenset({"open", "second_tier", "in_review"})
REVIEWERS_MIN = 2
REVIEWERS_MAX = 3


class AlreadyReviewed(Exception):
    """The same person has given a verdict in this round."""


def verdict_of(verdicts: Mapping[str, Verdict]) -> Verdict | None:
    """What a round came to, from the verdicts by reviewer; None while another person must look."""
    given = list(verdicts.values())
    for verdict in given:
        if given.count(verdict) >= REVIEWERS_MIN:
            return verdict
    return "more_markers" if len(given) >= REVIEWERS_MAX else None


def after(verdict: Verdict | None) -> CandidateState:
    """The candidate's state when a round has come to this."""
    if verdict is None:
        return "in_review"
    return "second_tier" if verdict == "more_markers" else verdict


def may_review(verdicts: Mapping[str, Verdict], reviewer: str) -> None:
    """May this person give a verdict in this round? Raises: AlreadyReviewed."""
    if reviewer in verdicts:
        raise AlreadyReviewed(f"{reviewer} has reviewed this candidate in this round.")


def seen_by(verdicts: Mapping[str, Verdict], settled: bool) -> Mapping[str, Verdict]:
    """The verdicts that may be shown to anybody: none until the round is settled.

    Not even to the reviewer who gave one, and not how many there are: an account that two people use must not tell
    the second what the first saw.
    """
    return verdicts if settled else {}
