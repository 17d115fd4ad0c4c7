"""Which unit where, if no single cut will do: stop all ways out found so far, look for one more, again.

Exact for any number of movements and for units that only some guards make possible (whoever is held up on the short
way comes later by the long one). Each round solves a small integer program: every way found is stopped by some unit,
each unit at one node at most. If no way is left, the units are a closure; if the program has no solution, there is
none.

Background: cutting planes for hitting sets; HiGHS through scipy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from dispatch.planning.clock import Clock
from dispatch.planning.escape_field import Field, Way
from dispatch.planning.model import Flags, Floats

ROUNDS_MAX = 2_000
WAYS_A_ROUND = 24
WAYS_AT_ONCE = 6

Posting = dict[int, int]
"""Unit -> post (counted from 0 among the field's posts)."""


@dataclass(frozen=True)
class Searched:
    """A closure (`posting`), or ways that can't all be stopped (`posting` is None and `exhausted`), or neither in
    time."""

    posting: Posting | None
    ways: tuple[Way, ...]
    exhausted: bool = False


def search(field: Field, ways: Sequence[Way], clock: Clock, *, fewest: bool) -> Searched:
    """Look for units that close all ways out, starting from some ways; with `fewest`, as few as any can.

    Deterministic, apart from where the deadline ends it.
    """
    known = list(ways)
    stops = [field.stops(way) for way in known]
    for _ in range(ROUNDS_MAX):
        if not clock.left_s:
            break
        posting, infeasible = _posting(field, stops, clock, fewest=fewest)
        if infeasible:
            return Searched(None, tuple(known), exhausted=True)
        if posting is None:
            break
        found = _ways_left(field, posting)
        if not found:
            return Searched(posting, tuple(known))
        known += found
        stops += [field.stops(way) for way in found]
    return Searched(None, tuple(known))


def ready_of(field: Field, posting: Posting) -> Floats:
    """(N,) from when each node is held."""
    ready_s = np.full(field.nodes, np.inf)
    for unit, post in posting.items():
        node = int(field.posts[post])
        ready_s[node] = min(ready_s[node], float(field.ready_s[unit, post]))
    return ready_s


def _ways_left(field: Field, posting: Posting) -> list[Way]:
    """Ways that these units leave open; each is then held where anybody could, to find others."""
    ready_s = ready_of(field, posting)
    first_s = field.first_s()
    found: list[Way] = []
    while len(found) < WAYS_A_ROUND:
        ways = field.ways_out(ready_s, WAYS_AT_ONCE)
        if not ways:
            break
        found += ways
        for way in ways:
            nodes = np.array(way.nodes)
            holdable = first_s[nodes] + field.margin_s <= way.at_s
            if not holdable.any():
                return found
            # The last node that can be held: the way before it stays open, so that others through it are found.
            node = nodes[np.flatnonzero(holdable)[-1]]
            ready_s[node] = min(ready_s[node], first_s[node])
    return found


def _posting(
    field: Field, stops: Sequence[Flags], clock: Clock, *, fewest: bool
) -> tuple[Posting | None, bool]:
    """Units that stop all these ways, and whether there are none; (None, False) if time is up."""
    if not stops:
        return {}, False
    every = np.stack(stops)
    if not every.any(axis=(1, 2)).all():
        return None, True
    units, posts = np.nonzero(every.any(axis=0))
    columns = np.arange(len(units))
    stopped = csr_array(every[:, units, posts].astype(np.float64))
    one_each = csr_array((np.ones(len(units)), (units, columns)), shape=(field.units, len(units)))
    one_at = csr_array((np.ones(len(units)), (posts, columns)), shape=(len(field.posts), len(units)))
    ready_s = field.ready_s[units, posts]
    spread = float(ready_s.max() - ready_s.min())
    late = (ready_s - ready_s.min()) / (spread or 1.0) / (2.0 * (field.units + 1))
    solved = milp(
        1.0 + late,
        integrality=np.ones(len(units), dtype=np.int64),
        bounds=Bounds(0, 1),
        constraints=[
            LinearConstraint(stopped, 1, np.inf),
            LinearConstraint(one_each, -np.inf, 1),
            LinearConstraint(one_at, -np.inf, 1),
        ],
        options={"time_limit": max(0.01, clock.left_s), "mip_rel_gap": 1e-9 if fewest else 1.0},
    )
    if solved.status == 2:
        return None, True
    if solved.x is None or (fewest and solved.status != 0):
        return None, False
    chosen = np.flatnonzero(solved.x > 0.5)
    return {int(units[c]): int(posts[c]) for c in chosen}, False
