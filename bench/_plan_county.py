"""A county of 100,000 junctions that nobody built: random points, roads as sparse as real ones, some classes of speed.

Pure and seeded. Towns are denser than the land between; roads are a spanning tree of the Delaunay graph and its
shortest further edges, up to a mean degree of 2.4, which is that of real road graphs; buses run on the faster roads.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra, minimum_spanning_tree
from scipy.spatial import Delaunay

from dispatch.domain.graphs import matrix
from dispatch.domain.network import Network, build_network
from dispatch.domain.tables import Edges, Nodes
from dispatch.planning.instance import Instance

SIDE_KM = 80.0
MEAN_DEGREE = 2.4
CLASSES_KMH = (30.0, 40.0, 60.0, 80.0)
CLASS_SHARES = (0.5, 0.3, 0.15, 0.05)
METRES_A_DEGREE = 111_195.0
DETOUR = 1.2


def county(junctions: int, seed: int) -> Network:
    """The network; the same arguments give the same arrays."""
    rng = np.random.default_rng(seed)
    towns = rng.uniform(0.1, 0.9, (40, 2))
    in_town = towns[rng.integers(0, 40, junctions * 6 // 10)] + rng.normal(0, 0.02, (junctions * 6 // 10, 2))
    points = np.vstack([in_town, rng.random((junctions - len(in_town), 2))]) * SIDE_KM * 1000
    tail, head, length_m = _roads(points)
    kind = rng.choice(len(CLASSES_KMH), len(tail), p=CLASS_SHARES)
    kmh = np.array(CLASSES_KMH)[kind]
    by_bus = kind >= 2
    no, yes = np.zeros(len(tail), dtype=np.bool_), np.ones(len(tail), dtype=np.bool_)
    stop = np.zeros(junctions, dtype=np.bool_)
    stop[np.concatenate((tail[by_bus], head[by_bus]))] = rng.random(2 * int(by_bus.sum())) < 0.3
    plain = np.zeros(junctions, dtype=np.bool_)
    nodes = Nodes(
        tuple(f"n{at}" for at in range(junctions)),
        points[:, 0] / METRES_A_DEGREE,
        points[:, 1] / METRES_A_DEGREE,
        bus_stop=stop,
        pier=plain,
        outside=plain.copy(),
    )
    edges = Edges(
        ids=tuple(f"e{at}" for at in range(len(tail))),
        road_class=tuple(f"{speed:g}" for speed in kmh),
        tail=tail,
        head=head,
        length_m=length_m * DETOUR,
        oneway=no,
        walk=yes,
        car=yes.copy(),
        bus=by_bus,
        ferry=no.copy(),
        car_speed_kmh=kmh,
        bus_speed_kmh=np.where(by_bus, kmh * 0.8, 0.0),
        ferry_speed_kmh=np.zeros(len(tail)),
    )
    return build_network(nodes, edges)


def case(network: Network, seed: int, units: int = 50, places: int = 500, routes: int = 1000) -> Instance:
    """A case on it: seen near the middle, exits around the rim, places where most shortest ways lead."""
    rng = np.random.default_rng([seed, units, places])
    ids, lon, lat = network.nodes.ids, network.nodes.lon, network.nodes.lat
    away = np.hypot(lon - lon.mean(), lat - lat.mean())
    start = int(rng.choice(np.argsort(away)[:2000]))
    sector = ((np.arctan2(lat - lat.mean(), lon - lon.mean()) / (2 * np.pi) + 0.5) * 30).astype(int) % 30
    exits = [int(np.flatnonzero(sector == s)[away[sector == s].argmax()]) for s in range(30)]
    busy = _busiest(network, start, exits)[:places]
    return Instance.model_validate(
        {
            "format": "guitu.plan.instance.v1",
            "network": {"folder": "."},
            "start": {"node": ids[start]},
            "report_s": 300,
            "delay_s": 30,
            "sure": {"modes": ["car", "bus", "walking"]},
            "hypotheses": [
                {"mode": "car", "departure_s": 0, "spread_s": 900, "weight": 6},
                {"mode": "bus", "departure_s": 0, "spread_s": 900, "weight": 3},
                {"mode": "walking", "departure_s": 0, "stays": True, "weight": 1},
            ],
            "units": [
                {"id": f"U{at}", "node": ids[int(node)], "turnout_s": 120}
                for at, node in enumerate(rng.integers(0, network.size, units))
            ],
            "places": [{"id": f"P{node}", "node": ids[node], "setup_s": 60} for node in busy],
            "exits": [{"id": f"X{at}", "node": ids[node]} for at, node in enumerate(exits)],
            "limits": {"routes": routes, "fresh_routes": 0, "seed": seed},
        }
    )


def _roads(points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    corners = Delaunay(points).simplices
    pairs = np.sort(np.vstack([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [2, 0]]]), axis=1)
    pairs = np.unique(pairs, axis=0).astype(np.int64)
    length_m = np.maximum(1.0, np.hypot(*(points[pairs[:, 0]] - points[pairs[:, 1]]).T))
    graph = csr_array((length_m, (pairs[:, 0], pairs[:, 1])), shape=(len(points), len(points)))
    tree = minimum_spanning_tree(graph).tocoo()
    key = pairs[:, 0] * len(points) + pairs[:, 1]
    low, high = np.minimum(tree.row, tree.col), np.maximum(tree.row, tree.col)
    in_tree = np.isin(key, low.astype(np.int64) * len(points) + high)
    wanted = int(MEAN_DEGREE * len(points) / 2) - int(in_tree.sum())
    rest = np.flatnonzero(~in_tree)
    # Of every hundred further edges the short ones, so that towns get blocks and the land gets some loops too.
    shuffled = np.argsort(length_m[rest] * (1 + np.arange(len(rest)) % 97), kind="stable")
    chosen = np.sort(np.concatenate((np.flatnonzero(in_tree), rest[shuffled[:wanted]])))
    return pairs[chosen, 0].astype(np.int64), pairs[chosen, 1].astype(np.int64), length_m[chosen]


def _busiest(network: Network, start: int, exits: list[int]) -> list[int]:
    """Nodes by how many shortest ways from the start to the exits, and to the land between, lead through them."""
    _, before = dijkstra(matrix(network.police), indices=start, return_predecessors=True)
    ends = [*exits, *range(0, network.size, max(1, network.size // 400))]
    traffic = np.zeros(network.size, dtype=np.int64)
    for end in ends:
        node = end
        for _ in range(network.size):
            if node < 0 or node == start:
                break
            traffic[node] += 1
            node = int(before[node])
    return [int(node) for node in np.argsort(-traffic, kind="stable")]
