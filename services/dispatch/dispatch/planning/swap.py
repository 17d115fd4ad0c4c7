"""A plan that no single change betters: units move one at a time, and push each other away, while that gains."""

from __future__ import annotations

import time

import numpy as np

from dispatch.planning.model import Indices
from dispatch.planning.presolve import Reduced
from dispatch.planning.standing import Standing

ROUNDS_MAX = 100
GAIN_MIN = 1e-12


def swap(reduced: Reduced, chosen: Indices, ends_at_s: float = np.inf) -> Indices:
    """At least as good a choice; it ends early, still valid, when `time.perf_counter()` passes `ends_at_s`."""
    standing = Standing(reduced, chosen)
    for _ in range(ROUNDS_MAX):
        better = False
        for unit in range(reduced.units):
            better |= _move(standing, unit) or _push(standing, unit)
            if time.perf_counter() > ends_at_s:
                return standing.chosen
        if not better:
            break
    return standing.chosen


def _move(standing: Standing, unit: int) -> bool:
    """Put the unit where it adds most, of the places that are open to it; whether that gained."""
    first, end = (int(n) for n in standing.reduced.starts[unit : unit + 2])
    if first == end:
        return False
    before = standing.free(unit)
    gains = standing.gains(first, end)
    had = gains[before - first] if before >= 0 else 0.0
    gains[standing.blocked(first, end)] = -np.inf
    best = int(gains.argmax())
    if gains[best] > had + GAIN_MIN:
        standing.put(first + best)
        return True
    if before >= 0:
        standing.put(before)
    return False


def _push(standing: Standing, unit: int) -> bool:
    """Put the unit where it would add most though another stands there, who goes elsewhere; whether that gained."""
    reduced = standing.reduced
    first, end = (int(n) for n in reduced.starts[unit : unit + 2])
    if first == end or not reduced.exclusive[first:end].any():
        return False
    before, was = standing.pair_of.copy(), standing.objective
    standing.free(unit)
    best = first + int(standing.gains(first, end).argmax())
    held = before >= 0
    held[unit] = False
    held[held] = reduced.place[before[held]] == reduced.place[best]
    holders = np.flatnonzero(held)
    for holder in holders:
        standing.free(int(holder))
    standing.put(best)
    for holder in holders:
        _move(standing, int(holder))
    if standing.objective > was + GAIN_MIN:
        return True
    for moved in (unit, *holders):
        standing.free(int(moved))
    for moved in (unit, *holders):
        if before[moved] >= 0:
            standing.put(int(before[moved]))
    return False
