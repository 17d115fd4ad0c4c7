"""Positions beside the network: put on its nearest node with the distance said, or refused."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dispatch.domain.network import Network, distances_m
from dispatch.domain.tables import Flags

UNIT_REFUSE_BEYOND_M = 2_000.0
"""A police station is beside a road; farther away its position is a mistake (in the river, swapped degrees)."""


@dataclass(frozen=True)
class Snapped:
    """The node (its place in the node table) that stands for a position, and how far away it is."""

    node: int
    distance_m: float


class OffNetwork(ValueError):
    """A position is too far from every node; says how far the nearest is, so that a person sees the mistake."""

    def __init__(self, lon: float, lat: float, distance_m: float, refuse_beyond_m: float) -> None:
        self.distance_m, self.refuse_beyond_m = distance_m, refuse_beyond_m
        super().__init__(
            f"Position {lon:.5f}, {lat:.5f} is {distance_m:.0f} m from the network, more than {refuse_beyond_m:.0f} m; "
            "correct the position, or load a network that covers it."
        )


def snap(
    network: Network, lon: float, lat: float, refuse_beyond_m: float, among: Flags | None = None
) -> Snapped:
    """Put a position on the nearest node; of equal ones the first. `among` (nodes,) limits which nodes may be taken.

    Raises: OffNetwork, if that is farther than `refuse_beyond_m`, or the position is nowhere on earth.
    """
    if not (abs(lon) <= 180 and abs(lat) <= 90):
        raise OffNetwork(lon, lat, np.inf, refuse_beyond_m)
    away_m = distances_m(network, lon, lat)
    if among is not None:
        away_m = np.where(among, away_m, np.inf)
    node = int(np.argmin(away_m))
    if not away_m[node] <= refuse_beyond_m:
        raise OffNetwork(lon, lat, float(away_m[node]), refuse_beyond_m)
    return Snapped(node, float(away_m[node]))


def on_a_road(network: Network) -> Flags:
    """(nodes,): those inside the region that a police car can drive from or to."""
    edges, marked = network.edges, np.zeros(network.size, dtype=np.bool_)
    marked[edges.tail[edges.car]] = True
    marked[edges.head[edges.car]] = True
    return marked & ~network.nodes.outside
