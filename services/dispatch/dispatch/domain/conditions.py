"""Roads as they are now: what is closed, and where traffic crawls.

A closed road is closed to everybody, whom we look for included: mark only what nobody can pass, not even on foot. Where
cars are stuck but people walk, say slow, not closed: a slow road delays our own units and makes no promise about them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import numpy as np

from dispatch.domain.network import Network
from dispatch.domain.problem import Place

TRAFFIC_MIN = 0.02
"""Below a fiftieth of design speed a road does not move at all; say so by the smallest factor."""

Kind = Literal["edge", "place"]


@dataclass(frozen=True)
class Condition:
    """What somebody reported of an edge, or of a place (a bridge, say): all edges that meet there."""

    kind: Kind
    subject: str
    closed: bool
    traffic_factor: float
    until: datetime | None = None
    note: str = ""

    def says_the_same(self, other: Condition) -> bool:
        """Whether planning can tell the two apart; a note alone changes no plan."""
        return (self.closed, self.traffic_factor) == (other.closed, other.traffic_factor)


@dataclass(frozen=True)
class RoadState:
    """Edges of one network version that are closed, and the share of design speed driven on others."""

    closed_edges: frozenset[int] = frozenset()
    traffic: Mapping[int, float] = field(default_factory=dict)


def edges_meant(network: Network, places: Sequence[Place], kind: Kind, subject: str) -> tuple[int, ...]:
    """The edges that a condition is about; none if this network does not have what it names."""
    if kind == "edge":
        return tuple(number for number, edge_id in enumerate(network.edges.ids) if edge_id == subject)
    node = next((place.node for place in places if str(place.place_id) == subject), None)
    if node is None:
        return ()
    meets = (network.edges.tail == node) | (network.edges.head == node)
    return tuple(np.flatnonzero(meets).tolist())


def road_state(
    network: Network, places: Sequence[Place], conditions: Sequence[Condition], now: datetime
) -> RoadState:
    """What holds now: of several conditions on one edge the worst. Expired ones count no more."""
    closed: set[int] = set()
    traffic: dict[int, float] = {}
    in_force = [one for one in conditions if one.until is None or one.until > now]
    named = {one.subject for one in in_force if one.kind == "edge"}
    edges_of: dict[str, list[int]] = {}
    # One pass over a hundred thousand ids, however many conditions there are.
    for number, edge_id in enumerate(network.edges.ids if named else ()):
        if edge_id in named:
            edges_of.setdefault(edge_id, []).append(number)
    for condition in in_force:
        if condition.kind == "edge":
            meant: Sequence[int] = edges_of.get(condition.subject, ())
        else:
            meant = edges_meant(network, places, "place", condition.subject)
        for edge in meant:
            if condition.closed:
                closed.add(edge)
            if condition.traffic_factor < 1.0:
                traffic[edge] = min(condition.traffic_factor, traffic.get(edge, 1.0))
    return RoadState(frozenset(closed), dict(sorted(traffic.items())))
