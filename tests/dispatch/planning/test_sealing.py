"""One unit at every access, the last as early as can be."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.planning.checker_sealing import examine_sealing
from dispatch.planning.sealing import seal
from harness.sealings import ready_as_told, sealing_as_told

NEVER = np.inf


def test_the_last_arrival_counts_before_the_sum():
    """The smallest sum, 1 + 9, would have the last arrive at 9."""
    ready = np.array([[1.0, 8.0], [8.0, 9.0]])

    sealed = seal(ready)

    assert ((1, 0), 8.0, 16.0) == (sealed.unit_of, sealed.last_s, sealed.total_s)


def test_accesses_that_too_few_units_reach_are_named():
    sealed = seal(np.array([[1.0, 1.0, 1.0], [NEVER, NEVER, 1.0], [NEVER, NEVER, 1.0]]))

    assert sealed.unit_of is None
    assert (0, 1) == sealed.short
    assert (
        []
        == examine_sealing(
            {0: {0: 1.0, 1: 1.0, 2: 1.0}, 1: {2: 1.0}, 2: {2: 1.0}}, sealing_as_told(sealed)
        ).wrong
    )


@pytest.mark.parametrize("ready", [np.zeros((0, 2)), np.zeros((1, 2)), np.full((2, 2), NEVER)])
def test_without_units_that_come_there_is_no_sealing(ready):
    assert seal(ready).unit_of is None


def test_nothing_to_seal_is_sealed():
    assert ((), None) == (seal(np.zeros((3, 0))).unit_of, seal(np.zeros((3, 0))).last_s)


def test_times_that_are_no_numbers_are_refused():
    with pytest.raises(ValueError, match="numbers"):
        seal(np.array([[np.nan]]))


@st.composite
def times(draw):
    units, accesses = draw(st.integers(1, 5)), draw(st.integers(1, 4))
    seconds = st.integers(0, 9).map(lambda s: NEVER if s == 9 else float(s))
    return np.array([[draw(seconds) for _ in range(accesses)] for _ in range(units)])


@given(times())
@settings(max_examples=200, deadline=None, derandomize=True)
def test_no_other_assignment_is_better_and_the_checker_agrees(ready):
    columns = range(ready.shape[1])
    every = [
        (max(chosen), sum(chosen))
        for units in itertools.permutations(range(len(ready)), ready.shape[1])
        if (chosen := [ready[unit, column] for unit, column in zip(units, columns, strict=True)])
        and max(chosen) < NEVER
    ]

    sealed = seal(ready)

    assert min(every, default=(None, None)) == (sealed.last_s, sealed.total_s)
    findings = examine_sealing(ready_as_told(ready), sealing_as_told(sealed))
    assert ([], []) == (findings.wrong, findings.trusted)
