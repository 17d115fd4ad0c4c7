"""Who rides by the timetable: a scan over connections for many travellers at once, and what they rode.

Connection Scan (Dibbelt, Pajor, Strasser and Wagner, 2013): in order of departure, a connection can be taken by
whoever sits in its vehicle or stands at its stop in time. Here each traveller is a column of an array, with a pace
of their own.

Earliest arrivals by timetable are NOT the sure bound: a vehicle may leave early, a relief coach may run that no
timetable knows, and the sampled walker is no runner. Whatever is called guaranteed rests on `domain.reach` alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from contracts.base import TravelMode
from dispatch.domain.network import Network
from dispatch.domain.reach import Origin
from dispatch.domain.tables import Nodes
from dispatch.domain.timetables import DAY_S, Timetable
from dispatch.planning import assumptions
from dispatch.planning.courses import cut_pairs
from dispatch.planning.hypotheses import usual_entries
from dispatch.planning.model import Flags, Floats, Indices
from dispatch.planning.plane import metres_of
from dispatch.planning.usual import UsualGraph, usual_graph

BY_LINE = frozenset({TravelMode.bus, TravelMode.ferry})
DAYS_MAX = 8  # A search by timetable longer than a week is a mistake of the caller.
NEIGHBOURS_MAX = 8  # Stops to change to on foot; more than a few near ones add no way.


@dataclass(frozen=True, eq=False)
class Connections:
    """What runs in a stretch of time, by departure, on the caller's axis.

    `stops` (S,) are nodes in ascending order; `tail` and `head` (C,) are places in it. `run` (C,) numbers a trip of
    one day densely, `trip` (C,) the timetable's trip. `course` (C,) lists connections run by run in riding order,
    and `rank` (C,) is each connection's place in it.
    """

    stops: Indices
    tail: Indices
    head: Indices
    depart_s: Floats
    arrive_s: Floats
    run: Indices
    trip: Indices
    course: Indices
    rank: Indices

    @property
    def runs(self) -> int:
        """Number of vehicles' runs."""
        return int(self.run.max(initial=-1)) + 1

    def ridden(self, enter: int, leave: int) -> Indices:
        """The connections of one run from where it is boarded to where it is left."""
        between: Indices = self.course[self.rank[enter] : self.rank[leave] + 1]
        return between


@dataclass(frozen=True, eq=False)
class Footpaths:
    """Walks from stop to stop: `to` and `seconds` of stop s are those from first[s] to first[s + 1]."""

    first: Indices
    to: Indices
    seconds: Floats


@dataclass(frozen=True, eq=False)
class Journeys:
    """Per stop and traveller (S, W): earliest arrival, and how.

    `enter` and `leave` are the connections by which the last vehicle was boarded and left, -1 where the stop was
    reached on foot: from stop `foot`, or from the start where that is -1 too.
    """

    arrive_s: Floats
    enter: NDArray[np.int32]
    leave: NDArray[np.int32]
    foot: NDArray[np.int32]


def connections_between(
    timetable: Timetable,
    modes: frozenset[TravelMode],
    from_s: float,
    until_s: float,
    clock_s: float = 0.0,
    cut: frozenset[tuple[int, int]] = frozenset(),
) -> Connections:
    """Connections of these modes that leave in [from_s, until_s], without those between `cut` pairs of stops.

    `clock_s` is the time of day in Beijing, in seconds after midnight, at second 0 of the axis. Every day is the
    same. Raises: ValueError, if the stretch is longer than a week.
    """
    if until_s - from_s > (DAYS_MAX - 1) * DAY_S:
        raise ValueError(f"{from_s} to {until_s} s is longer than a week; ask for a shorter stretch.")
    is_mode = np.array([mode in modes for mode in timetable.mode_of], dtype=np.bool_)
    runs = is_mode[timetable.trip] if len(timetable.trip) else np.zeros(0, dtype=np.bool_)
    for tail, head in sorted(cut):
        runs &= (timetable.tail != tail) | (timetable.head != head)
    chosen = np.flatnonzero(runs)
    first_day = int(np.floor((from_s + clock_s) / DAY_S)) - 2  # Runs past midnight are listed up to 48 hours.
    last_day = int(np.floor((until_s + clock_s) / DAY_S))
    days = np.arange(first_day, last_day + 1)
    row, day_of = np.tile(chosen, len(days)), np.repeat(days, len(chosen))
    depart = timetable.depart_s[row] + (day_of * DAY_S - clock_s)
    now = (depart >= from_s) & (depart <= until_s)
    row, day_of, depart = row[now], day_of[now], depart[now]
    order = np.argsort(depart, kind="stable")
    return _numbered(timetable, row[order], day_of[order], depart[order])


def footpaths_between(nodes: Nodes, stops: Indices, limit_s: float = assumptions.TRANSFER_S) -> Footpaths:
    """Walks between stops as the crow flies times a detour, to the nearest few within `limit_s`."""
    if len(stops) < 2:
        none = np.zeros(0, dtype=np.int64)
        return Footpaths(np.zeros(len(stops) + 1, dtype=np.int64), none, np.zeros(0))
    east, north = metres_of(nodes)
    points = np.column_stack((east[stops], north[stops]))
    mps = assumptions.WALK_KMH / 3.6
    many = min(NEIGHBOURS_MAX + 1, len(stops))
    found = cKDTree(points).query(points, k=many, distance_upper_bound=limit_s * mps / assumptions.DETOUR)
    away_m, to = np.asarray(found[0], dtype=np.float64), np.asarray(found[1], dtype=np.int64)
    near = np.isfinite(away_m) & (to != np.arange(len(stops))[:, None])
    first = np.concatenate(([0], np.cumsum(near.sum(axis=1))))
    return Footpaths(first, to[near], away_m[near] * assumptions.DETOUR / mps)


def scan(
    connections: Connections,
    footpaths: Footpaths,
    start_s: Floats,
    pace: Floats,
    boarding_s: Floats,
    skipped: Flags | None = None,
) -> Journeys:
    """Earliest arrivals of W travellers who are at stop s at start_s[s, w] (inf: not at all).

    `pace` (W,) divides walking times, `boarding_s` (W,) is needed before a vehicle leaves, and `skipped` (runs, W)
    are vehicles that a traveller leaves alone.
    """
    arrive = start_s.copy()
    shape = arrive.shape
    enter, leave, foot = (np.full(shape, -1, dtype=np.int32) for _ in range(3))
    aboard = np.full((connections.runs, shape[1]), -1, dtype=np.int32)
    _walk_from_start(footpaths, arrive, foot, pace)
    columns = (
        connections.tail,
        connections.head,
        connections.run,
        connections.depart_s,
        connections.arrive_s,
    )
    rows = zip(*(column.tolist() for column in columns), strict=True)
    for number, (tail, head, run, depart_s, arrive_s) in enumerate(rows):
        boards = (aboard[run] < 0) & (arrive[tail] + boarding_s <= depart_s)
        if skipped is not None:
            boards &= ~skipped[run]
        aboard[run][boards] = number
        better = (aboard[run] >= 0) & (arrive_s < arrive[head])
        if not better.any():
            continue
        arrive[head][better] = arrive_s
        enter[head][better] = aboard[run][better]
        leave[head][better] = number
        foot[head][better] = -1
        for place in range(footpaths.first[head], footpaths.first[head + 1]):
            _change(
                arrive,
                (enter, leave, foot),
                head,
                int(footpaths.to[place]),
                footpaths.seconds[place] / pace,
                better,
            )
    return Journeys(arrive, enter, leave, foot)


def earliest_by_timetable(
    network: Network,
    timetable: Timetable,
    origins: Sequence[Origin],
    *,
    clock_s: float = 0.0,
    horizon_s: float = assumptions.HORIZON_S,
    closed_edges: frozenset[int] = frozenset(),
    boarding_s: float = assumptions.BOARDING_S[0],
) -> Floats:
    """(nodes,): the earliest arrival of a usual walker who takes buses and boats as the timetable has them.

    For "where are they by now" on the map, not for a guarantee: see the module. Infinite beyond `horizon_s`.
    """
    graph = usual_graph(network, TravelMode.walking, None, closed_edges)
    cut = cut_pairs(network, timetable, closed_edges)
    best = np.full(network.size, np.inf)
    for origin in origins:
        at_start = np.full(network.size, np.inf)
        for entry in usual_entries(origin, TravelMode.walking):
            at_start[entry.node] = min(at_start[entry.node], origin.seen_s + entry.access_s)
        on_foot = _walked(graph, at_start)
        until_s = origin.seen_s + horizon_s
        runs = connections_between(timetable, BY_LINE, origin.seen_s, until_s, clock_s, cut)
        ridden = scan(
            runs,
            footpaths_between(network.nodes, runs.stops),
            on_foot[runs.stops][:, None],
            np.ones(1),
            np.full(1, boarding_s),
        ).arrive_s[:, 0]
        on_foot[runs.stops] = np.minimum(on_foot[runs.stops], ridden)
        arrival = _walked(graph, on_foot)
        best = np.minimum(best, np.where(arrival <= until_s, arrival, np.inf))
    return best


def _numbered(timetable: Timetable, row: Indices, day: Indices, depart_s: Floats) -> Connections:
    """Dense numbers for stops and runs, and the course of each run."""
    tail, head, trip = timetable.tail[row], timetable.head[row], timetable.trip[row]
    stops = np.unique(np.concatenate((tail, head)))
    key = (day - day.min(initial=0)) * (len(timetable.mode_of) + 1) + trip
    run = np.unique(key, return_inverse=True)[1].reshape(-1).astype(np.int64)
    course = np.argsort(run, kind="stable")
    rank = np.empty(len(course), dtype=np.int64)
    rank[course] = np.arange(len(course))
    return Connections(
        stops=stops,
        tail=np.searchsorted(stops, tail),
        head=np.searchsorted(stops, head),
        depart_s=depart_s,
        arrive_s=depart_s + (timetable.arrive_s[row] - timetable.depart_s[row]),
        run=run,
        trip=trip,
        course=course,
        rank=rank,
    )


def _walk_from_start(footpaths: Footpaths, arrive: Floats, foot: NDArray[np.int32], pace: Floats) -> None:
    """Whoever stands at a stop may walk to the next before any vehicle; walks are direct, so one is enough."""
    begun = arrive.copy()
    for stop in range(len(arrive)):
        for place in range(footpaths.first[stop], footpaths.first[stop + 1]):
            to = int(footpaths.to[place])
            there_s = begun[stop] + footpaths.seconds[place] / pace
            sooner = there_s < arrive[to]
            arrive[to][sooner] = there_s[sooner]
            foot[to][sooner] = stop


def _change(
    arrive: Floats,
    how: tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]],
    stop: int,
    to: int,
    walk_s: Floats,
    came: Flags,
) -> None:
    """Those who just came to a stop walk on to another, where that is sooner."""
    enter, leave, foot = how
    there_s = arrive[stop] + walk_s
    sooner = came & (there_s < arrive[to])
    arrive[to][sooner] = there_s[sooner]
    enter[to][sooner] = leave[to][sooner] = -1
    foot[to][sooner] = stop


def _walked(graph: UsualGraph, at_s: Floats) -> Floats:
    """Arrivals after walking on from wherever somebody is at `at_s` (inf: nowhere)."""
    begun = np.flatnonzero(np.isfinite(at_s))
    if not len(begun):
        return at_s.copy()
    zero_s = at_s[begun].min()
    indptr = np.concatenate((graph.indptr, [len(graph.heads) + len(begun)])).astype(np.int32)
    heads = np.concatenate((graph.heads, begun)).astype(np.int32)
    seconds = np.concatenate((graph.seconds, at_s[begun] - zero_s))
    size = graph.size + 1
    matrix = csr_array((seconds, heads, indptr), shape=(size, size))
    arrival: Floats = zero_s + dijkstra(matrix, directed=True, indices=[graph.size])[0, : graph.size]
    return arrival
