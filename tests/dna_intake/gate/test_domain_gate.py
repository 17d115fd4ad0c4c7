"""The rules of the gate, as properties over any evidence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import get_args
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dna_intake.domain.custody import LEGAL, State
from dna_intake.domain.gate import (
    SAYS_EN,
    SAYS_ZH,
    SELDOM,
    SOON,
    Evidence,
    GateReason,
    Lead,
    decide,
    look_again_after,
    must_record,
    shown,
)
from dna_intake.domain.reference import personal_number
from dna_intake.settings import DnaSettings

NOW = datetime(2026, 3, 1, 6, tzinfo=UTC)
CLOCKS = DnaSettings().gate_clocks
STATES: list[State] = sorted(LEGAL)
LEADS = st.builds(
    Lead,
    st.uuids(version=4),
    st.sampled_from(["open", "in_review", "second_tier", "confirmed", "refuted", "withdrawn", "unheard_of"]),
)
ANY = st.builds(
    Evidence,
    specimen=st.sampled_from(STATES),
    loci_typed=st.none() | st.integers(15, 30),
    searched_through=st.none() | st.integers(0, 5),
    parents_generation=st.integers(0, 5),
    leads=st.lists(LEADS, max_size=3),
)
# Almost settled, so that what is about to tip is drawn as often as what is far from it.
NEARLY = st.builds(
    Evidence,
    specimen=st.just("searched"),
    loci_typed=st.sampled_from([18, 19, 23]),
    searched_through=st.sampled_from([2, 3, 4]),
    parents_generation=st.sampled_from([2, 3]),
    leads=st.just([]),
)
EVIDENCE = ANY | NEARLY


def settled(known: Evidence) -> bool:
    """Is everything that must be known known, and nothing open? Written apart from the rules."""
    return (
        known.specimen in ("searched", "candidate", "second_tier", "refuted")
        and known.loci_typed is not None
        and known.loci_typed >= 19
        and known.searched_through is not None
        and known.searched_through >= known.parents_generation
        and not [lead for lead in known.leads if lead.state not in ("refuted", "withdrawn")]
    )


@given(EVIDENCE)
def test_clear_is_said_exactly_when_all_is_settled(known: Evidence) -> None:
    found = decide(known, CLOCKS, NOW)

    assert settled(known) == (found.decision == "clear")
    assert (found.decision == "clear") == (found.valid_until is not None)


@given(EVIDENCE, EVIDENCE, st.integers(0, 200))
def test_what_was_recorded_is_told_as_clear_only_while_it_is_so(
    then: Evidence, now: Evidence, hours: int
) -> None:
    at = NOW + timedelta(hours=hours)
    recorded, found = decide(then, CLOCKS, NOW), decide(now, CLOCKS, at)

    told = shown(recorded, found, at)

    if told.decision == "clear":
        assert settled(then)
        assert settled(now)
        assert then.parents_generation == now.parents_generation
        assert hours < 72
    if found.decision != "clear":
        assert (told.decision, told.reason) == (found.decision, found.reason)


@given(EVIDENCE, EVIDENCE)
def test_after_recording_there_is_nothing_to_record(then: Evidence, now: Evidence) -> None:
    recorded, found = decide(then, CLOCKS, NOW), decide(now, CLOCKS, NOW)
    if must_record(recorded, found, NOW):
        recorded = found

    assert not must_record(recorded, found, NOW)
    told = shown(recorded, found, NOW)
    assert (found.decision, found.reason) == (told.decision, told.reason)


@given(EVIDENCE, st.integers(0, 10**6))
def test_every_request_is_looked_at_again_within_minutes(known: Evidence, seconds: int) -> None:
    found, now = decide(known, CLOCKS, NOW), NOW + timedelta(seconds=seconds)

    assert SOON <= look_again_after(found, NOW, now, CLOCKS) <= SELDOM


def test_a_lead_counts_before_whatever_is_missing_and_the_oldest_is_named() -> None:
    one, two = Lead(UUID(int=1), "open"), Lead(UUID(int=2), "second_tier")
    known = Evidence("withdrawn", None, None, 9, [two, one])

    found = decide(known, CLOCKS, NOW)

    assert ("blocked", "more_markers_awaited", one.id) == (found.decision, found.reason, found.lead)


def test_every_reason_is_said_in_both_languages() -> None:
    assert set(get_args(GateReason)) == set(SAYS_EN) == set(SAYS_ZH)
    assert max(len(text) for text in SAYS_EN.values()) <= 200


@pytest.mark.parametrize(
    "text", ["11010519491231002X", "ab11010519491231002xcd", "13912345678", "A-139-1234-5678"]
)
def test_a_persons_number_is_known(text: str) -> None:
    assert personal_number(text)


@pytest.mark.parametrize("text", ["110105194912310021", "YY-2026-0012", "20261388001234", "12912345678", ""])
def test_a_file_number_is_not_taken_for_one(text: str) -> None:
    assert not personal_number(text)
