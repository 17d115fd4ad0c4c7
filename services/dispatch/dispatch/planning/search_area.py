"""A lost child on foot: where to search, in which order, and what an empty search says.

Rings hold the child with the shares that the distances of an age suggest; within a ring, stretches of ways, banks and
open ground share its probability. A search that found nothing lowers its segment and raises all others (Bayes), by
the probability that it would have found the child (Koopman, Search and Screening, 1946: 1 - exp(-coverage)).

The distances come from `assumptions.LOST_PROFILES`, which are assumed: the incident database they imitate is not
open.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np

from dispatch.domain.network import Network
from dispatch.planning import assumptions
from dispatch.planning.assumptions import LostProfile
from dispatch.planning.model import Flags, Floats, Indices
from dispatch.planning.plane import metres_at, metres_of

Kind = Literal["water", "way", "ground"]
SECTORS = 8
SEGMENTS_MAX = 20_000
_BEARINGS = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")


class SearchError(ValueError):
    """The search cannot be planned so; the message says what to mend."""


@dataclass(frozen=True)
class Ring:
    """Around where they were last seen: from one radius to the next, with the share of finds within."""

    inner_km: float
    outer_km: float
    probability: float


@dataclass(frozen=True)
class Segment:
    """What one team searches: a stretch of a way, a bank, or a sector of open ground.

    `edge` is the network's edge and `nodes` its ends (None and empty for ground). `from_share` and `to_share` say
    which part of the edge. `length_m` is the way to walk, and `area_m2` what it means to see. `lon`, `lat`: its
    middle.
    """

    key: str
    kind: Kind
    ring: int
    lon: float
    lat: float
    length_m: float
    area_m2: float
    probability: float
    edge: int | None = None
    nodes: tuple[int, ...] = ()
    from_share: float = 0.0
    to_share: float = 1.0

    @property
    def hours(self) -> float:
        """How long one team needs to search it once."""
        return self.length_m / 1000 / assumptions.SEARCH_KMH


@dataclass(frozen=True)
class SearchPlan:
    """Rings, and segments in the order to search them. `elsewhere` is the probability beyond the last ring.

    `found_by` tells how likely the child would have been found by what has been searched so far.
    """

    rings: tuple[Ring, ...]
    segments: tuple[Segment, ...]
    elsewhere: float
    water_first: bool
    found_by: float = 0.0

    def cumulative(self) -> tuple[float, ...]:
        """The probability that the child is in the first 1, 2, ... segments."""
        return tuple(np.cumsum([segment.probability for segment in self.segments]).tolist())


def search_plan(
    network: Network,
    lon: float,
    lat: float,
    age_years: int,
    *,
    profile: LostProfile | None = None,
    water: Sequence[tuple[float, float]] = (),
    closed_edges: frozenset[int] = frozenset(),
) -> SearchPlan:
    """Rings and segments around where a child was last seen.

    `water` are positions (lon, lat) of banks, ponds and wells; piers count as well. Where the profile says so (small
    children), water comes first, whatever else is likelier for its length; then what is likeliest for the time it
    takes.

    Raises: SearchError, if the position is not on earth or the profile's quantiles do not ascend.
    """
    if not (abs(lon) <= 180 and abs(lat) <= 90):
        raise SearchError(f"({lon}, {lat}) is nowhere on earth; give WGS-84 degrees.")
    known = profile or assumptions.lost_profile(age_years)
    rings = _rings(known)
    x, y = metres_at(network.nodes, np.array([lon]), np.array([lat]))
    stretches = _stretches(network, float(x[0]), float(y[0]), rings[-1].outer_km * 1000, closed_edges)
    wet = _near_water(network, stretches, water)
    pull = np.where(wet, assumptions.WATER_PULL if known.water_first else 1.0, 1.0)
    segments = [*_ground(rings, stretches, lon, lat), *_ways(network, rings, stretches, wet, pull)]
    total = sum(ring.probability for ring in rings)
    order = _ordered(segments, water_first=known.water_first)
    return SearchPlan(rings, order, max(0.0, 1 - total), known.water_first)


def detection_probability(
    segment: Segment, track_m: float, sweep_m: float = assumptions.SWEEP_WIDTH_M
) -> float:
    """How likely a search of so many metres of track finds a child who is in the segment.

    Coverage is swept area over the segment's area; random search gives 1 - exp(-coverage) (Koopman).
    """
    if not (track_m >= 0 and sweep_m > 0):
        raise SearchError(
            f"A track of {track_m} m at a sweep of {sweep_m} m is none; give 0 or more, above 0."
        )
    return -math.expm1(-track_m * sweep_m / segment.area_m2)


def after_search(plan: SearchPlan, detection: Mapping[str, float]) -> SearchPlan:
    """The plan after these segments (by key) were searched in vain, each with its probability of detection.

    Every other place becomes likelier, the world beyond the rings too; the order is made anew.
    Raises: SearchError, if a key is unknown, a probability is outside [0, 1], or nothing is left anywhere.
    """
    keys = {segment.key for segment in plan.segments}
    for key, share in detection.items():
        if key not in keys or not 0 <= share <= 1:
            raise SearchError(
                f"{key!r} searched with {share} fits no segment; give a key of the plan and 0 to 1."
            )
    left = [segment.probability * (1 - detection.get(segment.key, 0.0)) for segment in plan.segments]
    total = sum(left) + plan.elsewhere
    if total <= 0:
        raise SearchError("Every place was searched for sure and nothing was found; widen the rings.")
    segments = [
        replace(segment, probability=share / total)
        for segment, share in zip(plan.segments, left, strict=True)
    ]
    found_by = plan.found_by + (1 - plan.found_by) * (1 - total)
    order = _ordered(segments, water_first=plan.water_first)
    return SearchPlan(plan.rings, order, plan.elsewhere / total, plan.water_first, found_by)


@dataclass(frozen=True, eq=False)
class _Stretches:
    """Parts of ways within the rings: which of how many of an edge, its middle, length and distance."""

    edge: Indices
    part: Indices
    parts: Indices
    east_m: Floats
    north_m: Floats
    away_m: Floats
    length_m: Floats


def _rings(profile: LostProfile) -> tuple[Ring, ...]:
    shares, radii = (0.0, *profile.quantiles), (0.0, *profile.radii_km)
    rising = all(a < b for a, b in pairwise(shares))
    if not rising or not all(a < b for a, b in pairwise(radii)) or shares[-1] > 1:
        raise SearchError(f"{profile} does not ascend; give growing quantiles up to 1 and growing radii.")
    return tuple(
        Ring(radii[n], radii[n + 1], shares[n + 1] - shares[n]) for n in range(len(profile.quantiles))
    )


def _stretches(
    network: Network, x: float, y: float, radius_m: float, closed_edges: frozenset[int]
) -> _Stretches:
    """Walkable edges cut into equal parts; of two edges between the same nodes, the shorter."""
    edges = network.edges
    east, north = metres_of(network.nodes)
    walk = edges.walk.copy()
    walk[sorted(closed_edges)] = False
    chosen = _once(network, np.flatnonzero(walk))
    parts = np.clip(np.ceil(edges.length_m[chosen] / assumptions.STRETCH_M), 1, 1000).astype(np.int64)
    edge = np.repeat(chosen, parts)
    first = np.cumsum(parts) - parts
    part = np.arange(len(edge)) - np.repeat(first, parts)
    many = np.repeat(parts, parts)
    middle = (part + 0.5) / many
    tail, head = edges.tail[edge], edges.head[edge]
    mid_east = east[tail] + middle * (east[head] - east[tail])
    mid_north = north[tail] + middle * (north[head] - north[tail])
    away = np.hypot(mid_east - x, mid_north - y)
    length = edges.length_m[edge] / many
    kept = np.flatnonzero((away <= radius_m) & (length > 0))
    # The nearest, where a whole city lies within the rings.
    kept = np.sort(kept[np.argsort(away[kept], kind="stable")][:SEGMENTS_MAX])
    return _Stretches(
        edge[kept], part[kept], many[kept], mid_east[kept], mid_north[kept], away[kept], length[kept]
    )


def _once(network: Network, edges: Indices) -> Indices:
    """Both directions of a street are one way to search."""
    tail, head = network.edges.tail[edges], network.edges.head[edges]
    low, high = np.minimum(tail, head), np.maximum(tail, head)
    order = np.lexsort((network.edges.length_m[edges], high, low))
    new = np.ones(len(order), dtype=np.bool_)
    new[1:] = (low[order][1:] != low[order][:-1]) | (high[order][1:] != high[order][:-1])
    kept: Indices = np.sort(edges[order[new]])
    return kept


def _near_water(network: Network, stretches: _Stretches, water: Sequence[tuple[float, float]]) -> Flags:
    """Stretches that come within reach of a pier, a ferry's end or a named water."""
    east, north = metres_of(network.nodes)
    wet_east, wet_north = east[network.nodes.pier], north[network.nodes.pier]
    if water:
        named = np.array(water, dtype=np.float64)
        more_east, more_north = metres_at(network.nodes, named[:, 0], named[:, 1])
        wet_east, wet_north = np.append(wet_east, more_east), np.append(wet_north, more_north)
    wet = np.zeros(len(stretches.edge), dtype=np.bool_)
    reach_m = assumptions.WATER_NEAR_M + stretches.length_m / 2
    for x, y in zip(wet_east.tolist(), wet_north.tolist(), strict=True):
        wet |= np.hypot(stretches.east_m - x, stretches.north_m - y) <= reach_m
    return wet


def _ring_of(rings: Sequence[Ring], away_m: Floats) -> Indices:
    outer_m = np.array([ring.outer_km * 1000 for ring in rings])
    return np.minimum(np.searchsorted(outer_m, away_m), len(rings) - 1).astype(np.int64)


def _ground(rings: Sequence[Ring], stretches: _Stretches, lon: float, lat: float) -> list[Segment]:
    """Open ground by ring and sector; it holds all of a ring that no way crosses."""
    crossed = set(_ring_of(rings, stretches.away_m).tolist())
    segments = []
    for number, ring in enumerate(rings):
        share = ring.probability * (assumptions.GROUND_FINDS if number in crossed else 1.0) / SECTORS
        area_m2 = math.pi * (ring.outer_km**2 - ring.inner_km**2) * 1e6 / SECTORS
        middle_km = (ring.inner_km + ring.outer_km) / 2
        for sector, bearing in enumerate(_BEARINGS):
            angle = 2 * math.pi * sector / SECTORS
            north, east = middle_km * math.cos(angle), middle_km * math.sin(angle)
            segments.append(
                Segment(
                    key=f"ring {number + 1} {bearing}",
                    kind="ground",
                    ring=number,
                    lon=lon + east / (111.195 * max(0.01, math.cos(math.radians(lat)))),
                    lat=lat + north / 111.195,
                    length_m=area_m2 / assumptions.SWEEP_WIDTH_M,
                    area_m2=area_m2,
                    probability=share,
                )
            )
    return segments


def _ways(
    network: Network, rings: Sequence[Ring], stretches: _Stretches, wet: Flags, pull: Floats
) -> list[Segment]:
    """Stretches share what their ring leaves for ways, by length and pull."""
    ring = _ring_of(rings, stretches.away_m)
    mass = stretches.length_m * pull
    of_ring = np.bincount(ring, weights=mass, minlength=len(rings))
    on_ways = np.array([one.probability * (1 - assumptions.GROUND_FINDS) for one in rings])
    shares = mass * (on_ways / np.maximum(of_ring, 1e-12))[ring]
    edges, nodes = network.edges, network.nodes
    middle = (stretches.part + 0.5) / stretches.parts
    segments = []
    for place, edge in enumerate(stretches.edge.tolist()):
        tail, head = int(edges.tail[edge]), int(edges.head[edge])
        many, part, along = int(stretches.parts[place]), int(stretches.part[place]), float(middle[place])
        segments.append(
            Segment(
                key=f"{edges.ids[edge]} {part + 1}/{many}",
                kind="water" if wet[place] else "way",
                ring=int(ring[place]),
                lon=float(nodes.lon[tail] + along * (nodes.lon[head] - nodes.lon[tail])),
                lat=float(nodes.lat[tail] + along * (nodes.lat[head] - nodes.lat[tail])),
                length_m=float(stretches.length_m[place]),
                area_m2=float(stretches.length_m[place]) * assumptions.STRIP_M,
                probability=float(shares[place]),
                edge=edge,
                nodes=(tail, head),
                from_share=part / many,
                to_share=(part + 1) / many,
            )
        )
    return segments


def _ordered(segments: Sequence[Segment], *, water_first: bool) -> tuple[Segment, ...]:
    """Water first where asked; then by probability per hour of search, the nearer ring and the key deciding ties."""

    def rank(segment: Segment) -> tuple[bool, float, int, str]:
        # Stretches of a ring are equally likely by length: rounding must not decide between them.
        rate = float(f"{segment.probability / max(segment.hours, 1e-9):.6e}")
        return water_first and segment.kind != "water", -rate, segment.ring, segment.key

    return tuple(sorted(segments, key=rank))
