"""Why no units can stop all of some ways out: flows on them that exceed what all units can stop, or a split.

Each unit stops, at one node, the ways it meets there. Suppose flows on ways add up to more than the sum over units of
the most flow that the unit meets at any one node: then some way stays open. By linear duality such flows exist
exactly if the ways can't be stopped even by fractions of units. Where fractions could and whole units can't, the
question is split: a unit stands at a node, or it does not.

Background: weak duality; branch and bound (Land and Doig, 1960).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, eye_array, hstack, vstack

from dispatch.planning.clock import Clock
from dispatch.planning.escape_field import Field, Way
from dispatch.planning.linear_program import minimise
from dispatch.planning.model import Certificate, Flags, Floats, Indices

SURPLUS_MIN = 1e-5
"""Flow beyond what can be stopped; less could be rounding of the linear program."""

SPLITS_MAX = 400
DEEP_MAX = 190
"""The checker follows 200 splits inside each other."""

Stops = NDArray[np.bool_]
"""(W, U, K): the unit that stands at the post stops whoever takes the way."""


def open_way(field: Field, way: Way) -> Certificate:
    """The certificate of one way on which no unit is ever in time."""
    return Certificate(paths=((way.nodes, 1.0),), stops=(0.0,) * field.units, movements=(way.movement,))


def certificate_of(field: Field, ways: Sequence[Way], clock: Clock) -> Certificate | None:
    """Why these ways can't all be stopped; None if they can, or if neither was found in time."""
    if not ways:
        return None
    stops = np.stack([field.stops(way) for way in ways])
    anywhere: Flags = np.ones(stops.shape[1:], dtype=np.bool_)
    return _Split(ways, stops, field.posts, clock).prove(anywhere & stops.any(axis=0), 0)


@dataclass(frozen=True, eq=False)
class _Columns:
    """(unit, post) pairs that stop different ways; `stops` is (W, columns)."""

    units: Indices
    posts: Indices
    stops: Stops


@dataclass
class _Split:
    """Depth first: flows if they exist, else two questions."""

    ways: Sequence[Way]
    stops: Stops
    posts: Indices
    clock: Clock
    splits: int = 0

    def prove(self, allowed: Flags, deep: int) -> Certificate | None:
        """The certificate for units that stand at the allowed (U, K) only."""
        if not self.clock.left_s:
            return None
        columns = self._columns(allowed)
        surplus, flows, shares = _flows(columns, len(self.ways), allowed.shape[0], self.clock)
        if surplus > SURPLUS_MIN:
            return self._leaf(flows, allowed)
        self.splits += 1
        undecided = np.abs(shares - np.rint(shares))
        if not len(shares) or undecided.max() < 1e-6 or self.splits > SPLITS_MAX or deep > DEEP_MAX:
            return None
        return self._split(columns, int(undecided.argmax()), allowed, deep)

    def _split(self, columns: _Columns, column: int, allowed: Flags, deep: int) -> Certificate | None:
        """One certificate serves all posts at which the unit stops nothing else than at this one."""
        unit, post = int(columns.units[column]), int(columns.posts[column])
        own = self.stops[:, unit, :]
        no_better = np.flatnonzero(allowed[unit] & ~(own & ~own[:, [post]]).any(axis=0))
        there, elsewhere = allowed.copy(), allowed.copy()
        there[unit] = False
        there[unit, post] = True
        elsewhere[unit, no_better] = False
        deep += len(no_better)
        stands = self.prove(there, deep)
        rest = self.prove(elsewhere, deep) if stands is not None else None
        if stands is None or rest is None:
            return None
        for at in no_better.tolist():
            node = int(self.posts[at])
            rest = Certificate(branches=(stands, rest), branch_on=(unit, node))
        return rest

    def _leaf(self, flows: Floats, allowed: Flags) -> Certificate:
        used = np.flatnonzero(flows > 0)
        stopped = np.einsum("w,wuk->uk", flows[used], self.stops[used] & allowed)
        return Certificate(
            paths=tuple((self.ways[way].nodes, float(flows[way])) for way in used.tolist()),
            stops=tuple(stopped.max(axis=1, initial=0.0).tolist()),
            movements=tuple(self.ways[way].movement for way in used.tolist()),
        )

    def _columns(self, allowed: Flags) -> _Columns:
        """Of the posts at which a unit stops the same ways, the first."""
        units, posts = [], []
        for unit in np.flatnonzero(allowed.any(axis=1)).tolist():
            own = np.flatnonzero(allowed[unit])
            _, first = np.unique(np.packbits(self.stops[:, unit, own], axis=0), axis=1, return_index=True)
            units += [unit] * len(first)
            posts += own[np.sort(first)].tolist()
        at = (np.array(units, dtype=np.int64), np.array(posts, dtype=np.int64))
        return _Columns(*at, self.stops[:, at[0], at[1]])


def _flows(columns: _Columns, ways: int, units: int, clock: Clock) -> tuple[float, Floats, Floats]:
    """How much flow can't be stopped by fractions of units, the flow on each way, and the fractions.

    Ways left open are counted as shortfall and made as few as can be: the dual prices of that are the flows.
    """
    count = len(columns.units)
    stopped = hstack([csr_array(columns.stops.astype(np.float64)), eye_array(ways)], format="csr")
    one_each = csr_array((np.ones(count), (columns.units, np.arange(count))), shape=(units, count + ways))
    limits = np.concatenate((np.full(ways, -1.0), np.ones(units)))
    solved = minimise(
        np.concatenate((np.zeros(count), np.ones(ways))),
        vstack([-stopped, one_each], format="csr"),
        limits,
        time_limit_s=clock.left_s,
    )
    if solved is None:
        return 0.0, np.zeros(ways), np.zeros(0)
    flows = np.maximum(0.0, -solved.limit_prices[:ways])
    flows[flows < 1e-9] = 0.0
    return solved.cost, flows, solved.values[:count]


def as_plain(
    certificate: Certificate, node_names: Sequence[str | int], unit_names: Sequence[str | int]
) -> Mapping[str, object]:
    """The certificate as JSON takes it, with the names of the instance: what the checker reads."""
    if certificate.branch_on is not None:
        unit, node = certificate.branch_on
        return {
            "branch_on": {"unit": unit_names[unit], "node": node_names[node]},
            "branches": [as_plain(branch, node_names, unit_names) for branch in certificate.branches],
        }
    paths = zip(certificate.paths, certificate.movements, strict=True)
    return {
        "paths": [
            {"nodes": [node_names[node] for node in nodes], "flow": flow, "movement": movement}
            for (nodes, flow), movement in paths
        ],
        "stops": {unit_names[unit]: stop for unit, stop in enumerate(certificate.stops) if stop > 0},
    }
