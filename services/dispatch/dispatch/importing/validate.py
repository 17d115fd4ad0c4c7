"""Looks at a whole network before anybody plans on it: parts, traps, speeds, lengths, lines, units.

Rows are right one by one when this begins (`assembling`). All of it is linear in the size of the network but for the
timetable, where one short search is made per stop of departure, and no more than `SEARCHES_MAX`.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, connected_components, dijkstra

from contracts.base import TravelMode
from dispatch.domain.graphs import matrix
from dispatch.domain.network import EARTH_RADIUS_M, Network
from dispatch.domain.tables import Flags, Floats, Indices
from dispatch.importing.assembling import NetworkFiles
from dispatch.importing.findings import Finding, Report, Severity, finding

SHARE_MIN = 0.9
"""Below this share of nodes in the largest part the source is broken, not the county."""
SHARE_WELL = 0.98
CROW_TOLERANCE = 0.995  # Coordinates of five digits are off by a metre; lengths are rounded.
CROW_BROKEN = 0.9
SPEEDS_KMH = {"car": (5.0, 130.0), "bus": (5.0, 120.0), "ferry": (3.0, 70.0)}
"""Design speeds outside these are mistakes: 120 km/h is the most on a road in China (Road Traffic Safety Law,
implementing regulation, article 78); fast ferries make 35 knots. `RAIL` classes may be faster."""
RAIL_MAX_KMH = 350.0  # The fastest trains in service.
MODES = ("walk", "car", "bus", "ferry")
SEARCHES_MAX = 5_000
MINUTE_S = 60.0  # Timetables are in whole minutes.
_WORST = ("error", "warning", "note")


def validate(files: NetworkFiles) -> Report:
    """Everything worth telling of a network, the worst first."""
    checks = (
        *(_about(files), _connectivity(files.network), _exits(files), _traps(files.network)),
        *(_speeds(files.network), _lengths(files.network), _lines(files), _trips(files), _units(files)),
    )
    found = sorted(itertools.chain(*checks), key=lambda one: _WORST.index(one.severity))
    return Report(files.version, summary_of(files), tuple(found))


def summary_of(files: NetworkFiles) -> dict[str, Any]:
    """How large a network is, and of what kinds."""
    edges = files.network.edges
    km: Counter[str] = Counter()
    for road_class, length_m in zip(edges.road_class, edges.length_m.tolist(), strict=True):
        km[road_class] += length_m / 1000
    return {
        "source_kind": files.about.source_kind,
        "source": files.about.source,
        "schematic": files.about.schematic,
        "nodes": files.network.size,
        "edges": len(edges.ids),
        "km": {name: round(length, 1) for name, length in sorted(km.items())},
        "places": _counts(place.kind for place in files.places),
        "staffed": sum(place.staffed for place in files.places),
        "exits": _counts(way_out.kind for way_out in files.exits),
        "units": len(files.units),
        "lines": len({row.line_id for row in files.timetable} | {line[0] for line in files.lines}),
        "trips": len({row.trip_id for row in files.timetable}),
    }


def crow_m(network: Network, tails: Indices, heads: Indices) -> Floats:
    """Great-circle metres between nodes, pair by pair."""
    lon, lat = np.radians(network.nodes.lon), np.radians(network.nodes.lat)
    half = np.sin((lat[heads] - lat[tails]) / 2) ** 2
    half += np.cos(lat[tails]) * np.cos(lat[heads]) * np.sin((lon[heads] - lon[tails]) / 2) ** 2
    straight: Floats = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.minimum(half, 1.0)))
    return straight


def _counts(kinds: Iterator[str]) -> dict[str, int]:
    return dict(sorted(Counter(kinds).items()))


def _about(files: NetworkFiles) -> Iterator[Finding]:
    if files.about.schematic:
        yield Finding("schematic", "note")
    for one in files.counted:
        yield Finding(one.code, "note", one.count, one.examples)
    if files.snapped:
        farthest = max(one.distance_m for one in files.snapped)
        told = (f"{one.code} {one.distance_m:.0f} m -> {one.base_node}" for one in files.snapped)
        yield from finding("units_snapped", "note", told, farthest_m=round(farthest))


def _connectivity(network: Network) -> Iterator[Finding]:
    edges, ids = network.edges, network.nodes.ids
    used = np.zeros(network.size, dtype=np.bool_)
    used[edges.tail] = True
    used[edges.head] = True
    yield from finding("isolated", "warning", _named(ids, ~used))
    count, main, share = _parts(network, np.ones(len(edges.ids), dtype=np.bool_))
    if count > 1:
        severity: Severity = "error" if share < SHARE_MIN else "warning"
        yield from finding(
            "disconnected", severity, _named(ids, used & ~main), parts=count, share=_percent(share)
        )
    for mode in MODES:
        count, _, share = _parts(network, getattr(edges, mode))
        if count:
            on_land = mode in ("walk", "car") and share < SHARE_WELL
            values = {"mode": mode, "parts": count, "share": _percent(share)}
            yield Finding("mode_parts", "warning" if on_land else "note", count, (), values)


def _parts(network: Network, chosen: Flags) -> tuple[int, Flags, float]:
    """Parts of the chosen edges, ways both: how many, the nodes of the largest, its share of all nodes on them."""
    tails, heads = network.edges.tail[chosen], network.edges.head[chosen]
    used = np.zeros(network.size, dtype=np.bool_)
    used[tails] = True
    used[heads] = True
    if not used.any():
        return 0, used, 0.0
    links = csr_array(
        (np.ones(len(tails), dtype=np.int8), (tails, heads)), shape=(network.size, network.size)
    )
    labels = connected_components(links, directed=False)[1]
    sizes = np.bincount(labels[used])
    main = used & (labels == int(np.argmax(sizes)))
    return int(np.count_nonzero(sizes)), main, float(main.sum() / used.sum())


def _exits(files: NetworkFiles) -> Iterator[Finding]:
    network = files.network
    if not files.exits:
        yield Finding("no_exits", "warning")
    graph = network.graphs[TravelMode.unknown]
    arcs = matrix(graph)
    layers: Flags = _reached(arcs, _core(arcs)).reshape(graph.layers, network.size)
    reached = np.logical_or.reduce(layers, axis=0)
    closed = [str(one.exit_id) for one in files.exits if not reached[network.index[one.node_id]]]
    severity: Severity = "error" if len(closed) == len(files.exits) else "warning"
    yield from finding("exit_unreachable", severity, closed)


def _traps(network: Network) -> Iterator[Finding]:
    """Where a car comes in and can't come out, or comes out of and can't come in; beyond the border it is no matter."""
    arcs = matrix(network.police)
    if not arcs.nnz:
        return
    core, outside = _core(arcs), np.flatnonzero(network.nodes.outside)
    starts = np.append(outside, core)
    into, out_of = _reached(arcs, *starts), _reached(arcs.T.tocsr(), *starts)
    inside = ~network.nodes.outside
    yield from finding("trap", "warning", _named(network.nodes.ids, inside & into & ~out_of))
    yield from finding("no_entry", "warning", _named(network.nodes.ids, inside & out_of & ~into))


def _core(arcs: csr_array) -> int:
    """A node of the largest part within which one comes from everywhere to everywhere."""
    labels = connected_components(arcs, directed=True, connection="strong")[1]
    return int(np.argmax(labels == int(np.argmax(np.bincount(labels)))))


def _reached(arcs: csr_array, *starts: int) -> Flags:
    """Which nodes one comes to from any of these, by one search from a node that leads to all of them."""
    size = arcs.shape[0]
    heads = np.append(arcs.indices, np.array(starts, dtype=arcs.indices.dtype))
    indptr = np.append(arcs.indptr, len(heads)).astype(arcs.indptr.dtype)
    with_root = csr_array((np.ones(len(heads)), heads, indptr), shape=(size + 1, size + 1))
    reached = np.zeros(size + 1, dtype=np.bool_)
    reached[breadth_first_order(with_root, size, return_predecessors=False)] = True
    return reached[:size]


def _speeds(network: Network) -> Iterator[Finding]:
    edges = network.edges
    is_rail = np.array([road_class.startswith("rail") for road_class in edges.road_class], dtype=np.bool_)
    for mode, allowed, kmh in edges.vehicles():
        low, high = SPEEDS_KMH[mode]
        wild = allowed & ((kmh < low) | (kmh > np.where(is_rail, RAIL_MAX_KMH, high)))
        yield from finding("speed_wild", "warning", _named(edges.ids, wild), mode=mode, low=low, high=high)


def _lengths(network: Network) -> Iterator[Finding]:
    edges = network.edges
    straight_m = crow_m(network, edges.tail, edges.head)
    short = edges.length_m + 1 < CROW_TOLERANCE * straight_m
    broken = short & (edges.length_m < CROW_BROKEN * straight_m)
    yield from finding("far_too_short", "error", _named(edges.ids, broken))
    yield from finding("too_short", "warning", _named(edges.ids, short & ~broken))
    loops = edges.tail == edges.head
    yield from finding("loop", "note", _named(edges.ids, loops))


def _lines(files: NetworkFiles) -> Iterator[Finding]:
    """Stations and piers where nothing is known to call."""
    if not files.timetable:
        yield Finding("no_timetable", "note")
    called = {row.node_id for row in files.timetable}
    called.update(itertools.chain.from_iterable(stops for _, _, stops in files.lines))
    for row in files.edges:
        if row.ferry or row.road_class in ("bus_line", "rail_line"):
            called.update((row.from_node, row.to_node))
    bare = (
        row.node_id
        for row in files.nodes
        if (row.pier or row.kind in ("bus_station", "rail_station", "pier")) and row.node_id not in called
    )
    yield from finding("no_line", "warning" if files.timetable else "note", bare)


def _trips(files: NetworkFiles) -> Iterator[Finding]:
    """Vehicles of the timetable that are faster than the network says is possible: its bound would not be sure."""
    network = files.network
    calls = sorted(files.timetable, key=lambda row: (row.trip_id, row.stop_sequence))
    fastest: dict[tuple[str, str, str], int] = {}
    for a, b in itertools.pairwise(calls):
        if a.trip_id == b.trip_id:
            hop = (a.mode, a.node_id, b.node_id)
            fastest[hop] = min(b.arrive_s - a.depart_s, fastest.get(hop, b.arrive_s - a.depart_s))
    arcs = {mode: matrix(network.graphs[TravelMode(mode)]) for mode in {hop[0] for hop in fastest}}
    early: list[str] = []
    by_start = itertools.groupby(sorted(fastest), key=lambda hop: hop[:2])
    for (mode, tail), group in itertools.islice(by_start, SEARCHES_MAX):
        hops = list(group)
        limit_s = MINUTE_S + max(fastest[hop] for hop in hops)
        sure_s = _seconds_from(arcs[mode], network, tail, limit_s)
        early += (
            f"{tail} -> {head}"
            for _, _, head in hops
            if fastest[mode, tail, head] + MINUTE_S < sure_s[network.index[head]]
        )
    yield from finding("trip_too_fast", "warning", early)


def _seconds_from(arcs: csr_array, network: Network, node_id: str, limit_s: float) -> NDArray[np.float64]:
    """(nodes,): the fewest seconds from a stop for whoever stands there or is aboard; inf beyond the limit."""
    starts = np.arange(network.index[node_id], arcs.shape[0], network.size)
    seconds = dijkstra(arcs, indices=starts, min_only=True, limit=limit_s)
    fewest: NDArray[np.float64] = seconds.reshape(-1, network.size).min(axis=0)
    return fewest


def _units(files: NetworkFiles) -> Iterator[Finding]:
    """Units that must drive and can't get anywhere; staff at their post go nowhere."""
    network = files.network
    arcs = matrix(network.police)
    if not files.units or not arcs.nnz:
        return
    out_of = _reached(arcs.T.tocsr(), _core(arcs))
    stuck = (
        unit.code
        for unit in files.units
        if unit.post_place_id is None and not out_of[network.index[unit.base_node]]
    )
    yield from finding("unit_stuck", "error", stuck)


def _named(ids: Sequence[str], chosen: Flags) -> Iterator[str]:
    return (ids[place] for place in np.flatnonzero(chosen).tolist())


def _percent(share: float) -> float:
    return round(100 * share, 1)
