"""The road, bus and ferry network as frozen arrays: nodes, edges, and one graph a way of travelling.

Reading files is not done here (`dispatch.network_files`), and neither is any question about time (`reach`).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contracts.base import TravelMode
from dispatch.domain.graphs import Graph, police_graph, travel_graph
from dispatch.domain.tables import Edges, Nodes

EARTH_RADIUS_M = 6_371_008.8  # Mean radius, IUGG.


class NetworkError(ValueError):
    """The arrays do not make a network; the message names the first row that is wrong."""


@dataclass(frozen=True, eq=False)
class Network:
    """Nodes, edges and the graphs made of them; `version` changes when any number in them does."""

    version: str
    nodes: Nodes
    edges: Edges
    index: Mapping[str, int]
    graphs: Mapping[TravelMode, Graph]
    police: Graph

    def __reduce__(self) -> tuple[Any, ...]:
        """Views that nobody can write to cannot be sent to another process; what they show can."""
        plain = (dict(self.index), dict(self.graphs))
        return _restored, (self.version, self.nodes, self.edges, *plain, self.police)

    @property
    def size(self) -> int:
        """Number of nodes."""
        return len(self.nodes.ids)

    def graph(self, mode: TravelMode, closed_edges: frozenset[int] = frozenset()) -> Graph:
        """How somebody travels in this mode; closed edges are closed to everybody, on foot too."""
        if not closed_edges:
            return self.graphs[mode]
        return _travel_graph(self, mode, closed_edges)

    def police_graph(
        self, closed_edges: frozenset[int] = frozenset(), traffic: Mapping[int, float] | None = None
    ) -> Graph:
        """How a police car travels; `traffic` is the share of design speed driven on an edge, in (0, 1]."""
        if not closed_edges and not traffic:
            return self.police
        return _police_graph(self, closed_edges, tuple(sorted((traffic or {}).items())))

    def driven_share(self, traffic: Mapping[int, float]) -> NDArray[np.float64]:
        """Share of design speed per edge, 1 where no traffic is known."""
        share = np.ones(len(self.edges.ids))
        share[list(traffic)] = list(traffic.values())
        return share


# One plan asks for the same few graphs many times, and so does the next one of the same moment.
@lru_cache(maxsize=16)
def _travel_graph(network: Network, mode: TravelMode, closed_edges: frozenset[int]) -> Graph:
    return travel_graph(network.nodes, network.edges, mode, closed_edges)


@lru_cache(maxsize=8)
def _police_graph(
    network: Network, closed_edges: frozenset[int], traffic: tuple[tuple[int, float], ...]
) -> Graph:
    return police_graph(network.edges, network.size, closed_edges, network.driven_share(dict(traffic)))


_known: OrderedDict[str, Network] = OrderedDict()
KNOWN_MAX = 4
"""Networks that came from another process and are kept: the same version again is the same network, graphs and all."""


def _restored(
    version: str,
    nodes: Nodes,
    edges: Edges,
    index: dict[str, int],
    graphs: dict[TravelMode, Graph],
    police: Graph,
) -> Network:
    if version not in _known:
        plain = (MappingProxyType(index), MappingProxyType(graphs))
        _known[version] = Network(version, nodes, edges, *plain, police)
    _known.move_to_end(version)
    while len(_known) > KNOWN_MAX:
        _known.popitem(last=False)
    return _known[version]


def build_network(nodes: Nodes, edges: Edges) -> Network:
    """Check the arrays and build every graph once.

    Raises: NetworkError, if an id is double, an edge ends nowhere, a length or speed is impossible, or a boat
    calls where there is no pier.
    """
    _check_nodes(nodes)
    _check_edges(nodes, edges)
    for array in (*nodes.arrays(), *edges.arrays()):
        array.setflags(write=False)
    graphs = {mode: travel_graph(nodes, edges, mode) for mode in TravelMode}
    return Network(
        version=_version(nodes, edges),
        nodes=nodes,
        edges=edges,
        index=MappingProxyType({node_id: place for place, node_id in enumerate(nodes.ids)}),
        graphs=MappingProxyType(graphs),
        police=police_graph(edges, len(nodes.ids)),
    )


def nearest_node(network: Network, lon: float, lat: float) -> tuple[int, float]:
    """The nearest node and its great-circle distance in metres; of equal ones the first."""
    away_m = distances_m(network, lon, lat)
    node = int(np.argmin(away_m))
    return node, float(away_m[node])


def distances_m(network: Network, lon: float, lat: float) -> NDArray[np.float64]:
    """Great-circle distance of every node from a position, in metres."""
    phi, phis = np.radians(lat), np.radians(network.nodes.lat)
    half = np.sin((phis - phi) / 2) ** 2
    half += np.cos(phi) * np.cos(phis) * np.sin(np.radians(network.nodes.lon - lon) / 2) ** 2
    away: NDArray[np.float64] = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(half))
    return away


def _check_nodes(nodes: Nodes) -> None:
    if not nodes.ids:
        raise NetworkError("The network has no node; load nodes.csv with at least one row.")
    if len(set(nodes.ids)) != len(nodes.ids):
        double = next(node for node in nodes.ids if nodes.ids.count(node) > 1)
        raise NetworkError(f"Node id {double!r} appears more than once; give every node its own id.")
    wild = ~(np.isfinite(nodes.lon) & np.isfinite(nodes.lat))
    wild |= (np.abs(nodes.lon) > 180) | (np.abs(nodes.lat) > 90)
    if wild.any():
        raise NetworkError(
            f"Node {nodes.ids[int(np.argmax(wild))]!r} is nowhere on earth; check lon and lat."
        )


def _check_edges(nodes: Nodes, edges: Edges) -> None:
    count = len(nodes.ids)
    lost = (edges.tail < 0) | (edges.tail >= count) | (edges.head < 0) | (edges.head >= count)
    _refuse(edges, lost, "ends at a node that does not exist")
    _refuse(edges, ~(np.isfinite(edges.length_m) & (edges.length_m >= 0)), "has an impossible length_m")
    for mode, allowed, speed_kmh in edges.vehicles():
        bad = allowed & ~(np.isfinite(speed_kmh) & (speed_kmh > 0))
        _refuse(edges, bad, f"allows {mode} but has no {mode}_speed_kmh above 0")
    ashore = edges.ferry & ~(nodes.pier[edges.tail] & nodes.pier[edges.head])
    _refuse(edges, ashore, "is a ferry between nodes that are not both marked as a pier")


def _refuse(edges: Edges, bad: NDArray[np.bool_], what: str) -> None:
    if bad.any():
        raise NetworkError(f"Edge {edges.ids[int(np.argmax(bad))]!r} {what}; mend that row and load again.")


def _version(nodes: Nodes, edges: Edges) -> str:
    """Twelve hex digits of a SHA-256 over everything that can change a plan."""
    digest = sha256("\n".join((*nodes.ids, *edges.ids, *edges.road_class)).encode())
    for array in (*nodes.arrays(), *edges.arrays()):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:12]
