"""From an extract to points and stretches: cut by the border, stations and piers tied in, merged to junctions."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from shapely import STRtree
from shapely.geometry import LineString

from dispatch.importing.assembling import Counted
from dispatch.importing.borders import Border, box_border
from dispatch.importing.classes import FERRY_PLAUSIBLE_KMH
from dispatch.importing.findings import EXAMPLES_MAX
from dispatch.importing.graph import Stretch, haversine_m, largest_part, merge
from dispatch.importing.nearest import Nearest
from dispatch.importing.osm_reading import Extract, Spot, Way
from dispatch.importing.osm_tags import ACCESS, Use
from dispatch.importing.places import ON_WATER, PLACES, STATIONS

BOOTHS_TOGETHER_M = 60.0
"""Lanes of one toll plaza; the next plaza is kilometres away."""
STOP_NEAR_M, STATION_NEAR_M = 60.0, 300.0


@dataclass
class Drawing:
    """Points (OpenStreetMap ids; made ones are negative) and stretches, and what is special about a point."""

    positions: dict[int, tuple[float, float]]
    stretches: list[Stretch] = field(default_factory=list)
    kinds: dict[int, str] = field(default_factory=dict)
    names: dict[int, tuple[str, str]] = field(default_factory=dict)
    made: dict[int, str] = field(default_factory=dict)
    outside: set[int] = field(default_factory=set)
    leaves: dict[int, int] = field(default_factory=dict)
    bus_stops: set[int] = field(default_factory=set)
    stop_at: dict[int, int] = field(default_factory=dict)
    way_names: dict[int, tuple[str, str]] = field(default_factory=dict)
    counted: list[Counted] = field(default_factory=list)

    def mark(self, point: int, kind: str, names: tuple[str, str] = ("", "")) -> None:
        """Give a point a kind, unless it has a more telling one."""
        order = list(PLACES)
        if point not in self.kinds or order.index(kind) < order.index(self.kinds[point]):
            self.kinds[point] = kind
            self.names[point] = names

    def count(self, code: str, things: Iterable[object], *, at_least: int = 1) -> None:
        """Remember what was seen or left out, for the report."""
        found = [str(thing) for thing in things]
        if len(found) >= at_least:
            self.counted.append(Counted(code, len(found), tuple(found[:EXAMPLES_MAX])))


def draw(extract: Extract, border: Border | None, *, keep_all: bool = False) -> Drawing:
    """Everything of an extract that lies inside the border, merged to junctions."""
    drawing = Drawing(extract.positions)
    drawing.way_names = {way.way_id: way.names for way in extract.ways}
    cut = _stretch_out(extract, drawing)
    _clip(drawing, border or (box_border(*extract.box) if extract.box else None), cut)
    _mark_roads(extract, drawing)
    _join_booths(extract.spots, drawing)
    _tie(extract.spots, drawing)
    if not keep_all:
        _keep_largest(drawing)
    kept = {*drawing.kinds, *drawing.outside, *drawing.bus_stops}
    merged = merge(drawing.stretches, kept, drawing.positions)
    drawing.stretches = [one for one in merged if one.a != one.b]
    return drawing


def _stretch_out(extract: Extract, drawing: Drawing) -> set[int]:
    """Ways as stretches; returns the points beside which the extract was cut off."""
    cut: set[int] = set()
    points: set[int] = set()
    for way in extract.ways:
        known = [ref in drawing.positions for ref in way.refs]
        use = _use(way, drawing)
        for (a, has_a), (b, has_b) in itertools.pairwise(zip(way.refs, known, strict=True)):
            if has_a and has_b and a != b:
                tail, head = (b, a) if way.tags.is_reversed else (a, b)
                length_m = haversine_m(drawing.positions[a], drawing.positions[b])
                drawing.stretches.append(Stretch(tail, head, length_m, use, way.way_id))
                points.update((a, b))
            elif has_a != has_b and (use.car or use.ferry):
                cut.add(a if has_a else b)
    drawing.count("raw_roads", (f"n{point}" for point in sorted(points)))
    drawing.count("speed_tag_ignored", (f"w{way.way_id}" for way in extract.ways if way.tags.speed_ignored))
    drawing.count(
        "tunnels", (f"w{way.way_id}" for way in extract.ways if way.tags.tunnel and way.tags.use.car)
    )
    return cut & points


def _use(way: Way, drawing: Drawing) -> Use:
    """A ferry's speed follows from its duration, if that is plausible."""
    if way.tags.duration_s is None:
        return way.tags.use
    points = [drawing.positions.get(ref) for ref in way.refs]
    hops = (haversine_m(a, b) for a, b in itertools.pairwise(points) if a and b)
    kmh = round(sum(hops) / way.tags.duration_s * 3.6, 1)
    low, high = FERRY_PLAUSIBLE_KMH
    if not low <= kmh <= high:
        return way.tags.use
    return replace(way.tags.use, ferry_kmh=kmh, car_kmh=kmh if way.tags.use.car else 0.0)


def _clip(drawing: Drawing, border: Border | None, cut: set[int]) -> None:
    """Keep what lies inside; where cars or boats leave, the first point beyond is an exit, the last inside a place."""
    ids = sorted({point for one in drawing.stretches for point in (one.a, one.b)})
    inside = dict.fromkeys(ids, True)
    if border is not None:
        at = np.array([drawing.positions[point] for point in ids]).reshape(-1, 2)
        inside = dict(zip(ids, border.holds(at[:, 0], at[:, 1]).tolist(), strict=True))
    kept: list[Stretch] = []
    paths: list[str] = []
    beyond = 0
    for one in drawing.stretches:
        if inside[one.a] and inside[one.b]:
            kept.append(one)
        elif not (inside[one.a] or inside[one.b]):
            beyond += 1
        elif one.use.car or one.use.ferry:
            kept.append(one)
            outer, inner = (one.b, one.a) if inside[one.a] else (one.a, one.b)
            _leave(drawing, one, outer, inner)
        else:
            paths.append(f"w{one.way_id}")
    drawing.stretches = kept
    drawing.count("ways_outside", [""] * beyond)
    drawing.count("paths_leave", paths)
    _cut_ends(drawing, cut, inside)


def _leave(drawing: Drawing, one: Stretch, outer: int, inner: int) -> None:
    drawing.outside.add(outer)
    if one.use.oneway and one.a == outer:
        return  # Traffic only comes in here.
    drawing.leaves.setdefault(outer, one.way_id)
    if one.use.car and not one.use.ferry:
        drawing.mark(inner, "border", drawing.way_names.get(one.way_id, ("", "")))


def _cut_ends(drawing: Drawing, cut: set[int], inside: dict[int, bool]) -> None:
    """Roads that end because the extract does: their last point is the exit."""
    ends: dict[int, list[Stretch]] = {}
    for one in drawing.stretches:
        for end in (one.a, one.b):
            if end in cut and inside[end]:
                ends.setdefault(end, []).append(one)
    lone = {end: found for end, found in ends.items() if len(found) == 1}
    for end, found in sorted(lone.items()):
        inner = found[0].a if found[0].b == end else found[0].b
        _leave(drawing, found[0], end, inner)
    drawing.count("ends_cut", (f"n{end}" for end in sorted(lone)))


def _mark_roads(extract: Extract, drawing: Drawing) -> None:
    """Ramps where they meet a common road, and both heads of every bridge over water."""
    links, fast, common = set[int](), set[int](), set[int]()
    for way in extract.ways:
        if way.tags.use.car and not way.tags.use.ferry:
            (links if way.tags.link else fast if way.tags.fast else common).update(way.refs)
    on_roads = {point for one in drawing.stretches for point in (one.a, one.b)}
    for point in sorted(links & common & on_roads - drawing.outside):
        drawing.mark(point, "ramp")
    bridges = [way for way in extract.ways if way.tags.bridge and way.tags.use.car]
    drawing.count("bridges", (f"w{way.way_id}" for way in bridges))
    for group in _over_water(bridges, extract):
        ends = [end for way in group for end in (way.refs[0], way.refs[-1])]
        names = next((way.names for way in group if way.names[0]), ("", ""))
        for end in sorted({end for end in ends if ends.count(end) == 1} & on_roads - drawing.outside):
            drawing.mark(end, "bridge", names)


def _over_water(bridges: Sequence[Way], extract: Extract) -> Iterator[list[Way]]:
    """Bridges of one or more ways end to end, of which one crosses water."""
    waters = [line for refs in extract.waters if (line := _line(refs, extract)) is not None]
    tree = STRtree(waters)
    by_end: dict[int, list[int]] = {}
    for number, way in enumerate(bridges):
        for end in (way.refs[0], way.refs[-1]):
            by_end.setdefault(end, []).append(number)
    seen: set[int] = set()
    for number in range(len(bridges)):
        if number in seen:
            continue
        group, to_see = [], [number]
        while to_see:
            each = to_see.pop()
            if each not in seen:
                seen.add(each)
                group.append(bridges[each])
                to_see += by_end[bridges[each].refs[0]] + by_end[bridges[each].refs[-1]]
        lines = [line for way in group if (line := _line(way.refs, extract)) is not None]
        if any(len(tree.query(line, predicate="intersects")) for line in lines):
            yield group


def _line(refs: Iterable[int], extract: Extract) -> LineString | None:
    points = [extract.positions[ref] for ref in refs if ref in extract.positions]
    return LineString(points) if len(points) > 1 else None


def _join_booths(spots: Sequence[Spot], drawing: Drawing) -> None:
    """The booths of one plaza become one point, since one unit there sees all lanes."""
    on_roads = {point for one in drawing.stretches for point in (one.a, one.b)}
    gates = sorted(
        ((spot.node, spot) for spot in spots if spot.kind.startswith("toll_") and spot.node in on_roads),
        key=lambda pair: pair[1].spot_id,
    )
    first: dict[int, int] = {}
    heads: list[int] = []
    for node, spot in gates:
        assert node is not None, "Only nodes of the extract are on roads."
        at = drawing.positions[node]
        near = (head for head in heads if haversine_m(drawing.positions[head], at) <= BOOTHS_TOGETHER_M)
        head = first[node] = next(near, node)
        if head == node:
            heads.append(node)
        drawing.mark(head, spot.kind, spot.names)
    joined = {node: head for node, head in first.items() if node != head}
    turned = (
        replace(one, a=joined.get(one.a, one.a), b=joined.get(one.b, one.b)) for one in drawing.stretches
    )
    drawing.stretches = _measured(turned, drawing) if joined else drawing.stretches
    drawing.count("booths_merged", (f"n{node}" for node in sorted(joined)))


def _measured(stretches: Iterable[Stretch], drawing: Drawing) -> list[Stretch]:
    """Stretches whose ends were moved are no shorter than the crow flies."""
    return [
        replace(
            one, length_m=max(one.length_m, haversine_m(drawing.positions[one.a], drawing.positions[one.b]))
        )
        for one in stretches
        if one.a != one.b
    ]


def _tie(spots: Sequence[Spot], drawing: Drawing) -> None:
    """Tie boats, stations and piers to the nearest road by a spur, and put bus stops on it."""
    roads = [one for one in drawing.stretches if not one.use.ferry]
    walkable = _nearest((end for one in roads if one.use.walk for end in (one.a, one.b)), drawing)
    by_road = (one for one in roads if one.use.bus and one.use.walk)
    drivable = _nearest((end for one in by_road for end in (one.a, one.b)), drawing)
    lost = _tie_boats(drawing, walkable)
    landings = _nearest(_ferry_ends(drawing), drawing)
    for spot in sorted(spots, key=lambda one: one.spot_id):
        if spot.kind == "bus_stop":
            point = drivable.within((spot.lon, spot.lat), STOP_NEAR_M)
            if point is not None and point not in drawing.outside:
                drawing.bus_stops.add(point)
                _remember(drawing, spot, point)
        elif spot.kind in STATIONS and not _tie_station(spot, drawing, walkable, drivable, landings):
            lost.append(spot.spot_id)
    drawing.count("places_off", lost)


def _tie_station(
    spot: Spot, drawing: Drawing, walkable: Nearest[int], drivable: Nearest[int], landings: Nearest[int]
) -> bool:
    at = (spot.lon, spot.lat)
    landing = landings.within(at, STATION_NEAR_M) if spot.kind in ON_WATER else None
    if landing is not None:
        drawing.mark(landing, spot.kind, spot.names)
        _remember(drawing, spot, landing)
        return True
    roads = walkable if spot.kind in ON_WATER else drivable
    point = roads.within(at, STATION_NEAR_M)
    if point is None:
        point = walkable.within(at, STATION_NEAR_M)
    if point is None or point in drawing.outside:
        return False
    made = -len(drawing.made) - 1
    drawing.made[made] = f"s{spot.spot_id}"
    drawing.positions[made] = at
    drawing.mark(made, spot.kind, spot.names)
    by_road = spot.kind not in ON_WATER and drivable.has(point)
    use = ACCESS if by_road else replace(ACCESS, car=False, bus=False, car_kmh=0.0, bus_kmh=0.0)
    length_m = max(haversine_m(at, drawing.positions[point]), 1.0)
    drawing.stretches.append(Stretch(made, point, length_m, use, 0))
    if spot.kind in ("bus_station", "rail_station"):
        drawing.bus_stops.add(made)
    _remember(drawing, spot, made)
    return True


def _remember(drawing: Drawing, spot: Spot, point: int) -> None:
    if spot.node is not None:
        drawing.stop_at[spot.node] = point


def _ferry_ends(drawing: Drawing) -> set[int]:
    """Where a boat lands: the ends of ferry lines and where they touch a road."""
    count: dict[int, int] = {}
    ashore = {end for one in drawing.stretches if not one.use.ferry for end in (one.a, one.b)}
    for one in drawing.stretches:
        if one.use.ferry:
            for end in (one.a, one.b):
                count[end] = count.get(end, 0) + 1
    return {end for end, times in count.items() if times == 1 or end in ashore} - drawing.outside


def _tie_boats(drawing: Drawing, walkable: Nearest[int]) -> list[str]:
    """Ends of ferry lines that touch no road get a spur to the nearest; returns those without one near."""
    lost = []
    ashore = {end for one in drawing.stretches if not one.use.ferry for end in (one.a, one.b)}
    carries = {end: one.use.car for one in drawing.stretches if one.use.ferry for end in (one.a, one.b)}
    for end in sorted(_ferry_ends(drawing)):
        drawing.mark(end, "pier")
        if end in ashore:
            continue
        point = walkable.within(drawing.positions[end], STATION_NEAR_M)
        if point is None:
            lost.append(f"n{end}")
            continue
        use = replace(ACCESS, car=carries[end], bus=False, car_kmh=ACCESS.car_kmh * carries[end], bus_kmh=0.0)
        length_m = max(haversine_m(drawing.positions[end], drawing.positions[point]), 1.0)
        drawing.stretches.append(Stretch(end, point, length_m, use, 0))
    return lost


def _keep_largest(drawing: Drawing) -> None:
    main = largest_part(drawing.stretches)
    dropped = sorted({end for one in drawing.stretches for end in (one.a, one.b)} - main)
    drawing.stretches = [one for one in drawing.stretches if one.a in main]
    drawing.count("parts_dropped", (f"n{point}" for point in dropped))


def _nearest(points: Iterable[int], drawing: Drawing) -> Nearest[int]:
    return Nearest({point: drawing.positions[point] for point in points})
