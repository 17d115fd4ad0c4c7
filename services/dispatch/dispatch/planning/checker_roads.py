"""The checker's own ways through a network: Dijkstra on a heap, nothing else.

Source: Dijkstra, "A note on two problems in connexion with graphs", 1959.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from heapq import heappop, heappush
from itertools import pairwise

from dispatch.planning.checker_model import (
    NEVER,
    TOLERANCE_S,
    CheckInstance,
    CheckMovement,
    CheckUnit,
    Name,
    Road,
)

Ahead = Mapping[Name, list[tuple[Name, float]]]


def ahead_of(roads: Iterable[Road]) -> dict[Name, list[tuple[Name, float]]]:
    """Where each node leads to, and in how many seconds. Raises: ValueError for a road of negative seconds."""
    ahead: dict[Name, list[tuple[Name, float]]] = {}
    for road in roads:
        if not road.seconds >= 0:
            raise ValueError(f"The road {road.tail}-{road.head} takes {road.seconds} s; give 0 or more.")
        ahead.setdefault(road.tail, []).append((road.head, road.seconds))
    return ahead


def earliest(
    ahead: Ahead,
    sources: Iterable[tuple[Name, float]],
    closed_from_s: Mapping[Name, float] | None = None,
) -> tuple[dict[Name, float], dict[Name, float]]:
    """When each node can be reached, and when people come to a closed one, which they don't pass.

    A node closes at its moment in `closed_from_s`, for good: whoever is there earlier passes, and being earlier never
    hurts, so that the earliest arrival decides. Both answers are node -> seconds, without nodes nobody comes to.
    """
    closes = closed_from_s or {}
    waiting: list[tuple[float, int, Name]] = []
    for count, (node, seconds) in enumerate(sources):
        heappush(waiting, (seconds, count, node))
    pushed = len(waiting)
    passed: dict[Name, float] = {}
    stopped: dict[Name, float] = {}
    while waiting:
        now, _, node = heappop(waiting)
        if node in passed or node in stopped:
            continue
        if closes.get(node, NEVER) <= now + TOLERANCE_S:
            stopped[node] = now
            continue
        passed[node] = now
        for head, seconds in ahead.get(node, ()):
            if head not in passed and head not in stopped and seconds < NEVER:
                pushed += 1
                heappush(waiting, (now + seconds, pushed, head))
    return passed, stopped


def along(movement: CheckMovement, ahead: Ahead, nodes: Iterable[Name]) -> list[float] | None:
    """When somebody who takes exactly this way is at each of its nodes; None if the movement can't.

    `ahead` is the movement's roads as `ahead_of` gives them.
    """
    way = list(nodes)
    starts = [seconds for node, seconds in movement.sources if way and node == way[0]]
    if not starts:
        return None
    times = [min(starts)]
    for tail, head in pairwise(way):
        seconds = [s for node, s in ahead.get(tail, ()) if node == head]
        if not seconds:
            return None
        times.append(times[-1] + min(seconds))
    return times if times[-1] < NEVER else None


class Readiness:
    """When each unit works at each node, recomputed from its start; each unit's drive is searched once."""

    def __init__(self, instance: CheckInstance) -> None:
        self._instance = instance
        self._ahead = ahead_of(instance.roads)
        self._at_node: dict[Name, dict[Name, float]] = {}
        self._drives: dict[Name, dict[Name, float]] = {}
        self.units = {unit.name: unit for unit in instance.units}
        self.places = {place.name: place for place in instance.places}

    def at_place(self, unit: CheckUnit, name: Name) -> float:
        """Seconds at which the unit works at the place; `NEVER` if it may not or can't."""
        place = self.places[name]
        if unit.places is not None and name not in unit.places:
            return NEVER
        if unit.ready_at is not None:
            return unit.ready_at.get(place.node, NEVER)
        return self._driven(unit).get(place.node, NEVER) + place.setup_s

    def at_nodes(self, unit: CheckUnit) -> dict[Name, float]:
        """Node -> seconds at which the unit works there, at the best of the node's places."""
        if unit.name not in self._at_node:
            found: dict[Name, float] = {}
            for place in self._instance.places:
                ready = self.at_place(unit, place.name)
                if ready < found.get(place.node, NEVER):
                    found[place.node] = ready
            self._at_node[unit.name] = found
        return self._at_node[unit.name]

    def _driven(self, unit: CheckUnit) -> dict[Name, float]:
        if unit.node is None:
            return {}
        cached = self._drives.get(unit.name)
        if cached is None:
            start = unit.free_s + self._instance.delay_s + unit.turnout_s
            times, _ = earliest(self._ahead, [(unit.node, 0.0)])
            cached = {node: start + unit.slower * seconds for node, seconds in times.items()}
            self._drives[unit.name] = cached
        return cached
