"""Riders: on foot to a stop, by vehicles of the timetable, and on; as timed stops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from contracts.base import TravelMode
from dispatch.planning import assumptions
from dispatch.planning.courses import Course, Pair, courses, cut_pairs
from dispatch.planning.model import Flags, Floats, Indices
from dispatch.planning.timed_routes import MEANS, Paths, joined_paths
from dispatch.planning.timetable_scan import (
    BY_LINE,
    Connections,
    Footpaths,
    Journeys,
    connections_between,
    footpaths_between,
    scan,
)
from dispatch.planning.trees import Trees, walk_back
from dispatch.planning.world import World

BLOCK = 512  # Riders scanned at once: enough to be fast, few enough for little memory.
_WALK = MEANS.index(TravelMode.walking)


@dataclass(frozen=True, eq=False)
class Riders:
    """W riders of one mode: when each leaves, how fast each walks (1 = usual), and the node wanted (-1: any stop)."""

    mode: TravelMode
    leave_s: Floats
    pace: Floats
    to: Indices

    def block(self, begin: int) -> Riders:
        """Some of them."""
        part = slice(begin, begin + BLOCK)
        return Riders(self.mode, self.leave_s[part], self.pace[part], self.to[part])


@dataclass(frozen=True)
class _Move:
    """From stop to stop by the vehicle of connections `enter` to `leave`, or on foot (both -1)."""

    enter: int
    leave: int
    from_stop: int
    to_stop: int


def ride(world: World, walk: Trees, riders: Riders, rng: np.random.Generator) -> tuple[Paths, Flags]:
    """Paths of those who arrive within the horizon, and who they are (W,).

    `walk` is one tree of walks from the start. Each rider takes the earliest way, but leaves some vehicles alone;
    whoever is after a boat takes a coach to the pier, too.
    """
    if not len(riders.leave_s):
        return joined_paths(()), np.zeros(0, dtype=np.bool_)
    runs = connections_between(
        world.timetable,
        BY_LINE if riders.mode is TravelMode.ferry else frozenset({riders.mode}),
        float(riders.leave_s.min()),
        float(riders.leave_s.max()) + world.horizon_s,
        world.clock_s,
        cut_pairs(world.network, world.timetable, world.closed_edges),
    )
    footpaths = footpaths_between(world.network.nodes, runs.stops)
    came: list[Flags] = []
    parts: list[Paths] = []
    for begin in range(0, len(riders.leave_s), BLOCK):
        block = riders.block(begin)
        paths, arrived = _ride_block(world, walk, runs, footpaths, block, rng)
        came.append(arrived)
        parts.append(paths)
    return joined_paths(parts), np.concatenate(came)


def _ride_block(
    world: World,
    walk: Trees,
    runs: Connections,
    footpaths: Footpaths,
    riders: Riders,
    rng: np.random.Generator,
) -> tuple[Paths, Flags]:
    count = len(riders.leave_s)
    start_s = riders.leave_s + walk.perceived_s[0, runs.stops][:, None] / riders.pace
    boarding_s = rng.uniform(*assumptions.BOARDING_S, count)
    skipped = rng.random((runs.runs, count), dtype=np.float32) < assumptions.SKIPPED_SHARE
    journeys = scan(runs, footpaths, start_s, riders.pace, boarding_s, skipped)
    stop = _wanted(runs, journeys, riders, world.horizon_s, rng)
    arrived = np.flatnonzero(stop >= 0)
    trips = [_moves(runs, journeys, int(rider), int(stop[rider])) for rider in arrived]
    paths = _timed(world, walk, runs, footpaths, riders, arrived, trips)
    return paths, stop >= 0


def _wanted(
    runs: Connections, journeys: Journeys, riders: Riders, horizon_s: float, rng: np.random.Generator
) -> Indices:
    """(W,): the stop each rider ends at, -1 for who does not get there within the horizon."""
    number = len(runs.stops)
    if not number:
        return np.full(len(riders.to), -1, dtype=np.int64)
    in_time = journeys.arrive_s <= riders.leave_s + horizon_s
    place = np.searchsorted(runs.stops, riders.to)
    known = (place < number) & (runs.stops[np.minimum(place, number - 1)] == riders.to)
    stop = np.where(known, place, -1)
    # Whoever stays in the area gets off anywhere a vehicle takes them.
    lots = np.where(in_time & (journeys.enter >= 0), rng.random(in_time.shape), -1.0)
    anywhere = np.where(lots.max(axis=0) >= 0, lots.argmax(axis=0), -1)
    stop = np.where(riders.to < 0, anywhere, stop)
    there = (stop >= 0) & in_time[np.maximum(stop, 0), np.arange(len(stop))]
    return np.where(there, stop, -1)


def _moves(runs: Connections, journeys: Journeys, rider: int, stop: int) -> tuple[int, list[_Move]]:
    """The stop a rider walks to first, and the moves from there, each earlier than the next."""
    moves: list[_Move] = []
    for _ in range(2 * len(runs.stops) + 1):
        enter, leave, foot = (
            int(how[stop, rider]) for how in (journeys.enter, journeys.leave, journeys.foot)
        )
        if enter < 0 and foot < 0:
            return stop, moves[::-1]
        before = int(runs.tail[enter]) if enter >= 0 else foot
        moves.append(_Move(enter, leave, before, stop))
        stop = before
    raise AssertionError(f"Rider {rider} rides in a circle.")


def _timed(
    world: World,
    walk: Trees,
    runs: Connections,
    footpaths: Footpaths,
    riders: Riders,
    arrived: Indices,
    trips: Sequence[tuple[int, list[_Move]]],
) -> Paths:
    """Walks to the first stop all at once, then each rider's moves."""
    starts = runs.stops[np.array([start for start, _ in trips], dtype=np.int64)]
    first, vertex, after_s = walk_back(walk, np.zeros(len(starts), dtype=np.int64), starts)
    legs = _Legs(world, runs, {move for _, moves in trips for move in moves if move.enter >= 0})
    parts: list[Paths] = []
    for place, (rider, (_, moves)) in enumerate(zip(arrived, trips, strict=True)):
        part = slice(int(first[place]), int(first[place + 1]))
        at_s = riders.leave_s[rider] + after_s[part] / riders.pace[rider]
        stretches = [_walked(vertex[part], at_s)]
        for move in moves:
            if move.enter >= 0:
                # Whoever waits for the vehicle can be met at the stop until it leaves.
                stretches[-1].leave_s[-1] = runs.depart_s[move.enter]
                stretches.append(legs[move])
            else:
                walk_s = _between(footpaths, move) / riders.pace[rider]
                arrive_s = stretches[-1].arrive_s[-1:] + walk_s
                stretches.append(_walked(runs.stops[[move.to_stop]], arrive_s))
        parts.append(_one(stretches))
    return joined_paths(parts)


class _Legs:
    """Each ridden stretch as stops, made once for all who rode it."""

    def __init__(self, world: World, runs: Connections, moves: set[_Move]) -> None:
        ridden = {move: runs.ridden(move.enter, move.leave) for move in sorted(moves, key=_by_number)}
        by = {move: world.timetable.mode_of[runs.trip[ones[0]]] for move, ones in ridden.items()}
        self._made: dict[_Move, Paths] = {}
        for mode in sorted(set(by.values())):
            mine = {move: ones for move, ones in ridden.items() if by[move] is mode}
            ways = courses(world, mode, {pair for ones in mine.values() for pair in _pairs(runs, ones)})
            means = MEANS.index(mode)
            self._made |= {move: _stops(runs, ones, ways, means) for move, ones in mine.items()}

    def __getitem__(self, move: _Move) -> Paths:
        """A copy, for the rider changes its last moment when they wait for the next vehicle there."""
        made = self._made[move]
        return Paths(made.first, made.node, made.arrive_s, made.leave_s.copy(), made.means, made.line)


def _pairs(runs: Connections, ones: Indices) -> list[Pair]:
    return list(zip(runs.stops[runs.tail[ones]].tolist(), runs.stops[runs.head[ones]].tolist(), strict=True))


def _by_number(move: _Move) -> tuple[int, int, int, int]:
    return move.enter, move.leave, move.from_stop, move.to_stop


def _stops(runs: Connections, connections: Indices, ways: dict[Pair, Course], means: int) -> Paths:
    """Passing times between stops by the share of the way; at a stop until the vehicle leaves it."""
    nodes: list[Indices] = []
    arrive: list[Floats] = []
    leave: list[Floats] = []
    for place, one in enumerate(connections.tolist()):
        way = ways[int(runs.stops[runs.tail[one]]), int(runs.stops[runs.head[one]])]
        depart_s, arrive_s = float(runs.depart_s[one]), float(runs.arrive_s[one])
        passed_s = depart_s + way.shares * (arrive_s - depart_s)
        on_s = passed_s.copy()
        if place + 1 < len(connections):
            on_s[-1] = max(passed_s[-1], runs.depart_s[connections[place + 1]])
        nodes.append(way.nodes)
        arrive.append(passed_s)
        leave.append(on_s)
    node = np.concatenate(nodes)
    line = np.full(len(node), runs.trip[connections[0]], dtype=np.int64)
    arrived = np.concatenate(arrive)
    kind = np.full(len(node), means, dtype=np.int64)
    return Paths(np.array([0, len(node)]), node, arrived, np.concatenate(leave), kind, line)


def _walked(nodes: Indices, at_s: Floats) -> Paths:
    walking = np.full(len(nodes), _WALK, dtype=np.int64)
    alone = np.full(len(nodes), -1, dtype=np.int64)
    return Paths(np.array([0, len(nodes)]), nodes, at_s, at_s.copy(), walking, alone)


def _between(footpaths: Footpaths, move: _Move) -> float:
    begin, end = footpaths.first[move.from_stop], footpaths.first[move.from_stop + 1]
    place = int(np.flatnonzero(footpaths.to[begin:end] == move.to_stop)[0])
    return float(footpaths.seconds[begin + place])


def _one(stretches: Sequence[Paths]) -> Paths:
    """Stretches of one rider as one route."""
    whole = joined_paths(stretches)
    return Paths(
        np.array([0, len(whole.node)]), whole.node, whole.arrive_s, whole.leave_s, whole.means, whole.line
    )
