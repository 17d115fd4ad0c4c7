"""A question for the planner in memory: the instance, its network, and every name resolved to a place in the
tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from dispatch.domain.graphs import matrix
from dispatch.domain.network import Network
from dispatch.domain.timetables import Timetable, no_timetable
from dispatch.planning.instance import Instance
from dispatch.planning.model import Flags, Floats, Indices

CELLS_MAX = 2_000_000
"""Bases times nodes that are searched in one go: 16 MB."""
ROUNDS_MAX = 50


@dataclass(frozen=True, eq=False)
class Question:
    """An instance with its network, ready to be planned on.

    `sources` are nodes where somebody may be, with the seconds after `start.time_s` they need to get there.
    `post_of` is a unit's place if it is staff, else -1. `usable` (U, P) says where a unit may stand: capability,
    post, forbidden pairs, pins. `notices` are sentences for whoever asked: snapped positions, units that get
    nowhere.
    """

    instance: Instance
    instance_sha256: str
    network: Network
    network_sha256: str
    closed_edges: frozenset[int]
    sources: tuple[tuple[int, float], ...]
    start_node: int
    unit_nodes: Indices
    place_nodes: Indices
    exit_nodes: Indices
    post_of: Indices
    usable: Flags
    detection: Floats
    pinned: tuple[tuple[int, int], ...]
    timetable: Timetable = field(default_factory=no_timetable)
    notices: tuple[str, ...] = field(default=())


def ready_s(question: Question, within_s: float = np.inf) -> Floats:
    """(U, P): when each unit works at each place, infinite where it can't or may not.

    Order read (report and delay), free, turned out, driven at the design speed of the roads times its own factor,
    set up. Drives longer than `within_s` count as endless: far cheaper on a large network when time is short.
    """
    instance = question.instance
    units = instance.units
    ready = np.full(question.usable.shape, np.inf)
    if not ready.size:
        return ready
    driving_s = _driving_s(question, within_s)
    setup_s = np.array([place.setup_s for place in instance.places])
    for row, unit in enumerate(units):
        free_s = max(instance.order_s, instance.order_s if unit.available_s is None else unit.available_s)
        travel_s = driving_s[row] / unit.speed_factor
        if question.post_of[row] >= 0:
            travel_s = np.where(np.arange(len(setup_s)) == question.post_of[row], 0.0, np.inf)
        ready[row] = free_s + unit.turnout_s + travel_s + setup_s
    ready[~question.usable] = np.inf
    return ready


def _driving_s(question: Question, within_s: float) -> Floats:
    """Seconds at the wheel at design speed; one search a base, however many units share it."""
    moving = question.post_of < 0
    bases = np.unique(question.unit_nodes[moving])
    driving = np.full(question.usable.shape, np.inf)
    if not len(bases):
        return driving
    fastest = max(unit.speed_factor for unit in question.instance.units)
    roads = matrix(question.network.police_graph(question.closed_edges))
    alive = _without_dead_ends(roads, [*bases, *question.place_nodes])
    at = np.cumsum(alive) - 1
    inner = roads[alive][:, alive]
    found = _distances(inner, at[bases].tolist(), at[question.place_nodes], within_s * fastest)
    driving[moving] = found[np.searchsorted(bases, question.unit_nodes[moving])]
    return driving


def _without_dead_ends(roads: csr_array, keep: Sequence[int]) -> Flags:
    """(nodes,): nodes that a drive between two of `keep` may lead through; dead ends are peeled off from outside.

    A third of a county's nodes go in a hundredth of a second, and each search needs half the time. Every round peels
    one node at least, and long dead ends are left after `ROUNDS_MAX`.
    """
    beside = (roads + roads.T).tocsr()
    degree = np.diff(beside.indptr).astype(np.int64)
    alive = np.ones(len(degree), dtype=np.bool_)
    needed = np.zeros_like(alive)
    needed[list(keep)] = True
    for _ in range(ROUNDS_MAX):
        ends = np.flatnonzero(alive & ~needed & (degree <= 1))
        if not len(ends):
            break
        alive[ends] = False
        degree -= np.bincount(beside[ends].indices, minlength=len(degree))
    return alive


def _distances(roads: csr_array, bases: Sequence[int], nodes: Indices, limit_s: float) -> Floats:
    """A row a base; some at a time, since whole rows of a large network are large."""
    together = max(1, CELLS_MAX // roads.shape[0])
    rows = [
        dijkstra(roads, directed=True, indices=list(bases[at : at + together]), limit=limit_s)[:, nodes]
        for at in range(0, len(bases), together)
    ]
    return np.vstack(rows)
