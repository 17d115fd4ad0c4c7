"""Sums over large tables: only what is still needed is kept, and what can't be done is refused before it begins."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from dna_intake.kinship import ComparisonTooLarge, contraction
from dna_intake.kinship.contraction import Factor, log10_sum


def lattice(width: int, length: int, states: int) -> list[Factor]:
    """Neighbours of a lattice share a table: each row is summed by a table over the whole width."""
    table = np.full((states, states), 1 / states)
    across = [
        Factor((row * width + at, row * width + at + 1), table)
        for row in range(length)
        for at in range(width - 1)
    ]
    along = [
        Factor((row * width + at, (row + 1) * width + at), table)
        for row in range(length - 1)
        for at in range(width)
    ]
    return [*across, *along]


def peak_bytes(factors: list[Factor]) -> int:
    log10_sum(factors, name="lattice")
    tracemalloc.start()
    try:
        log10_sum(factors, name="lattice")
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_longer_sum_needs_no_more_memory() -> None:
    short, long = (peak_bytes(lattice(4, length, 10)) for length in (6, 24))

    assert long < 2 * short


def test_a_sum_that_is_too_large_is_refused_before_its_first_step(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[object] = []
    monkeypatch.setattr(contraction, "_step", lambda *step: begun.append(step))

    with pytest.raises(ComparisonTooLarge, match="'lattice' needs a table of"):
        log10_sum(lattice(6, 6, 17), name="lattice")

    assert begun == []
