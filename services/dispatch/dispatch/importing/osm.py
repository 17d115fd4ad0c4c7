"""An OpenStreetMap extract as a network: rows with stable ids, proposed places, exits at the border."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid5

from dispatch.domain.problem import ExitId, PlaceId
from dispatch.domain.rows import EdgeRow, ExitRow, NodeRow, PlaceRow
from dispatch.importing.assembling import About, Lined, NetworkFiles, Tables, assemble
from dispatch.importing.borders import OUTSIDE, Border
from dispatch.importing.graph import Stretch
from dispatch.importing.osm_network import Drawing, draw
from dispatch.importing.osm_reading import Extract, OnCount, read_extract
from dispatch.importing.places import ON_WATER, PLACES, place_names
from dispatch.importing.problems import NetworkFileError, Where, problem

NAMESPACE = UUID("0d9f3f5e-7a0b-5f0e-9a4e-6a8f2b1c7d10")
"""Ids of places and exits follow from region and node, so that a newer extract keeps them."""
SOURCE = "OpenStreetMap contributors, ODbL"


def read_osm(
    path: Path,
    region: str,
    border: Border | None = None,
    tables: Tables | None = None,
    on_count: OnCount | None = None,
    *,
    keep_all: bool = False,
) -> NetworkFiles:
    """Read an extract; `tables` may already hold units and a timetable of the county's own.

    Without a border the edge of the extract is taken. Only the largest connected part stays unless `keep_all`.
    Raises: NetworkFileError, if the file can't be read or holds no road, or the tables do not fit.
    """
    extract = read_extract(path, on_count)
    drawing = draw(extract, border, keep_all=keep_all)
    if not drawing.stretches:
        raise NetworkFileError([problem("no_roads", Where(path.name))])
    tables = tables or Tables()
    rows = _Rows(drawing, region, border, path.name)
    tables.rows |= {
        "nodes.csv": rows.lined(rows.nodes()),
        "edges.csv": rows.lined(rows.edges()),
        "places.csv": rows.lined(rows.places()),
        "exits.csv": rows.lined(rows.exits()),
    }
    files = assemble(tables, About("osm", f"{path.name}, {SOURCE}"))
    return replace(files, lines=rows.lines(extract), counted=tuple(drawing.counted))


class _Rows:
    """The rows of a drawing, in an order that depends on ids only."""

    def __init__(self, drawing: Drawing, region: str, border: Border | None, file: str) -> None:
        self._drawing, self._region, self._border, self._file = drawing, region, border, file
        self._points = sorted({end for one in drawing.stretches for end in (one.a, one.b)})
        on_water = (one for one in drawing.stretches if one.use.ferry)
        self._piers = {end for one in on_water for end in (one.a, one.b)}
        self._piers |= {point for point, kind in drawing.kinds.items() if kind in ON_WATER}

    def lined(self, rows: Iterator[object]) -> list[Lined]:
        """Rows with the extract as where they are from."""
        return [Lined(Where(self._file), row) for row in rows]

    def node_id(self, point: int) -> str:
        """The id of a point: that of OpenStreetMap's node, or of the station that was tied in."""
        return self._drawing.made.get(point, f"n{point}")

    def kind(self, point: int) -> str:
        """What a point is."""
        drawing = self._drawing
        if point in drawing.outside:
            return "outside"
        return drawing.kinds.get(point, "bus_stop" if point in drawing.bus_stops else "junction")

    def nodes(self) -> Iterator[NodeRow]:
        """One row a point."""
        drawing = self._drawing
        for point in self._points:
            lon, lat = drawing.positions[point]
            zh, en = drawing.names.get(point, ("", ""))
            yield NodeRow(
                node_id=self.node_id(point),
                lon=round(lon, 7),
                lat=round(lat, 7),
                kind=self.kind(point),
                name_zh=zh,
                name_en=en,
                bus_stop=point in drawing.bus_stops,
                pier=point in self._piers,
                outside=point in drawing.outside,
                position_source="OpenStreetMap",
            )

    def edges(self) -> Iterator[EdgeRow]:
        """One row a stretch; parallel ones are numbered."""
        ordered = sorted(self._drawing.stretches, key=self._ends)
        for (a, b), group in itertools.groupby(ordered, key=lambda one: self._ends(one)[:2]):
            for number, one in enumerate(group, start=1):
                yield _edge(f"{a}-{b}" + (f"-{number}" if number > 1 else ""), a, b, one)

    def _ends(self, one: Stretch) -> tuple[str, str, float, int]:
        return self.node_id(one.a), self.node_id(one.b), one.length_m, one.way_id

    def places(self) -> Iterator[PlaceRow]:
        """Where a unit can stand: gates, ramps, bridge heads, stations, piers and the border."""
        for point in self._points:
            kind = PLACES.get(self.kind(point))
            if kind is None:
                continue
            node_id = self.node_id(point)
            zh, en = place_names(kind, self._drawing.names[point], node_id)
            yield PlaceRow(
                place_id=PlaceId(self._id("place", node_id)),
                node_id=node_id,
                kind=kind.kind,
                name_zh=zh,
                name_en=en,
                capacity=kind.capacity,
                setup_s=kind.setup_s,
                needs=kind.needs,
                staffed=kind.staffed,
            )

    def exits(self) -> Iterator[ExitRow]:
        """One row a way out, named after its road."""
        drawing = self._drawing
        by_boat = {end for one in drawing.stretches if one.use.ferry for end in (one.a, one.b)}
        for point in self._points:
            if point not in drawing.leaves:
                continue
            node_id, (lon, lat) = self.node_id(point), drawing.positions[point]
            neighbour = self._border.neighbour_at(lon, lat) if self._border else OUTSIDE
            zh, en = drawing.way_names.get(drawing.leaves[point], ("", ""))
            yield ExitRow(
                exit_id=ExitId(self._id("exit", node_id)),
                node_id=node_id,
                kind="ferry_departure" if point in by_boat else "road",
                name_zh=f"{zh or node_id} 出境" + ("" if neighbour == OUTSIDE else f"往{neighbour}"),
                name_en=f"{en or node_id} out" + ("" if neighbour == OUTSIDE else f" to {neighbour}"),
                neighbour=neighbour,
            )

    def lines(self, extract: Extract) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
        """Bus and ferry lines with those of their stops that are on the network."""
        drawing, here = self._drawing, set(self._points)
        found = []
        for line_id, mode, stops in extract.lines:
            points = (drawing.stop_at.get(stop, stop) for stop in stops)
            on_network = (self.node_id(point) for point in points if point in here)
            # A stop and its platform are the same node here.
            known = tuple(node for node, _ in itertools.groupby(on_network))
            if len(known) > 1:
                found.append((line_id, mode, known))
        return tuple(sorted(found))

    def _id(self, what: str, node_id: str) -> UUID:
        return uuid5(NAMESPACE, f"{self._region}/{what}/{node_id}")


def _edge(edge_id: str, a: str, b: str, one: Stretch) -> EdgeRow:
    use = one.use
    return EdgeRow(
        edge_id=edge_id,
        from_node=a,
        to_node=b,
        length_m=round(one.length_m, 1),
        road_class=use.road_class,
        oneway=use.oneway,
        walk=use.walk,
        car=use.car,
        bus=use.bus,
        ferry=use.ferry,
        car_speed_kmh=use.car_kmh,
        bus_speed_kmh=use.bus_kmh,
        ferry_speed_kmh=use.ferry_kmh,
    )
