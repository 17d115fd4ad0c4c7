"""A network drawn as GeoJSON: what the map says needs no property, and what is wrong is told by feature."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from dispatch.importing.assembling import NetworkFiles
from dispatch.importing.geojson import read_geojson
from dispatch.importing.problems import NetworkFileError
from dispatch.importing.validate import validate
from dispatch.network_files import YUNYANG, read_network

A, B, C = (108.70, 30.90), (108.71, 30.90), (108.71, 30.91)


@pytest.fixture
def geojson(tmp_path: Path):
    """Write features and read them as a network."""

    def read(*features: dict[str, Any], **more: Any) -> NetworkFiles:
        path = tmp_path / "roads.geojson"
        path.write_text(json.dumps({"type": "FeatureCollection", "features": features, **more}), "utf-8")
        return read_geojson(path, "500235")

    return read


def line(*points: tuple[float, float], **properties: Any) -> dict[str, Any]:
    geometry = {"type": "LineString", "coordinates": points}
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def point(at: tuple[float, float], **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "geometry": {"type": "Point", "coordinates": at}, "properties": properties}


def test_lines_that_end_together_meet_and_have_the_length_they_are_drawn_with(geojson):
    files = geojson(line(A, B, C, road_class="secondary"), line(C, A, road_class="motorway"))

    assert 2 == files.network.size
    assert 955 + 1112 == pytest.approx(files.edges[0].length_m, abs=3)
    assert (40, True, False) == (files.edges[0].car_speed_kmh, files.edges[0].walk, files.edges[0].oneway)
    assert (80, False, True) == (files.edges[1].car_speed_kmh, files.edges[1].walk, files.edges[1].oneway)
    assert "geojson" == files.about.source_kind


def test_properties_win_over_what_the_class_says(geojson):
    files = geojson(
        line(A, B, road_class="secondary", car_speed_kmh=55, bus=False, length_m=1500, edge_id="e")
    )

    edge = files.edges[0]
    assert ("e", 1500, 55, False, 0) == (
        *(edge.edge_id, edge.length_m, edge.car_speed_kmh, edge.bus, edge.bus_speed_kmh),
    )


def test_points_are_nodes_places_exits_and_units(geojson):
    unit = {
        "unit_id": "f2671331-3600-515c-8c87-bfb7e2c40834",
        "code": "YY01",
        "name_zh": "所",
        "name_en": "Station",
    }
    unit |= {"region_code": "500235", "kind": "police", "capabilities": "road", "turnout_s": 120}
    unit |= {"shift_start": "00:00", "shift_end": "24:00"}
    files = geojson(
        line(A, B, road_class="primary"),
        line(B, C, road_class="ferry"),
        point(A, node_id="a", outside=True),
        point(A, table="exit", name_zh="往万州", name_en="to Wanzhou", neighbour="wanzhou"),
        point(B, kind="toll_gate", name_zh="巴阳", name_en="Bayang"),
        point((108.7101, 30.9), **unit),
    )

    assert "a" == files.edges[0].from_node
    assert [("a", "wanzhou")] == [(row.node_id, row.neighbour) for row in files.exits]
    assert [("巴阳", "Bayang", True)] == [(p.name_zh, p.name_en, p.staffed) for p in files.places]
    assert files.places[0].node_id == files.units[0].base_node == files.edges[0].to_node
    assert files.edges[1].ferry
    assert {files.edges[1].from_node, files.edges[1].to_node} == {n.node_id for n in files.nodes if n.pier}
    assert 9 < files.snapped[0].distance_m < 11


def test_the_same_map_gives_the_same_version(geojson):
    features = (line(A, B, road_class="primary"), point(A, kind="bridge"))

    assert geojson(*features).version == geojson(*features).version
    assert geojson(*features, network={"schematic": True}).about.schematic


def test_yunyang_as_geojson_is_the_same_network(geojson):
    features = []
    at = {row.node_id: (row.lon, row.lat) for row in read_network().nodes}
    for table in ("nodes", "edges", "places", "exits", "units"):
        with (YUNYANG / f"{table}.csv").open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                if table == "edges":
                    features.append(line(at[row["from_node"]], at[row["to_node"]], **row))
                else:
                    features.append(point(at[row.get("node_id") or row["base_node"]], **row))

    files = geojson(*features)

    assert read_network().network.version == files.network.version
    assert read_network().places == files.places
    assert read_network().exits == files.exits
    assert read_network().units == files.units
    assert validate(files).is_good()


@pytest.mark.parametrize(
    ("feature", "en", "zh"),
    [
        ({"type": "Feature"}, "is no usable feature", "要素不可用"),
        (
            {"properties": {}, "geometry": {"type": "Polygon", "coordinates": []}},
            "Polygon is neither Point nor LineString",
            "要素不可用",
        ),
        (line(A, road_class="primary"), "a line of fewer than two points", "要素不可用"),
        (line(A, B), "road_class is empty", "road_class 为空"),
        (
            line(A, B, road_class="canyon", walk=1, car=1, bus=0),
            "car is 1 but car_speed_kmh is 0",
            "请填设计速度",
        ),
        (line(A, B, road_class="primary", oneway="maybe"), "oneway is 'maybe'; give 0 or 1", "请填 0 或 1"),
        (point((108.8, 30.9), kind="bridge"), "m from the nearest node, more than 100 m", "距最近节点"),
        (point(A, table="exit"), "name_zh is empty", "name_zh 为空"),
        (point(A, table="river"), "is no usable feature", "要素不可用"),
    ],
)
def test_a_bad_feature_is_told_by_its_number_in_both_languages(geojson, feature: Any, en: str, zh: str):
    with pytest.raises(NetworkFileError) as refused:
        geojson(line(A, C, road_class="primary"), feature)

    assert len(refused.value.found) == 1
    assert refused.value.problems[0].startswith("roads.geojson feature 2: ")
    assert en in refused.value.problems[0]
    assert refused.value.problems_zh[0].startswith("roads.geojson 第2个要素: ")
    assert zh in refused.value.problems_zh[0]


def test_what_is_no_geojson_is_refused(tmp_path: Path):
    path = tmp_path / "roads.geojson"
    path.write_text("[1, 2]", encoding="utf-8")

    with pytest.raises(NetworkFileError, match="is not JSON of the documented form"):
        read_geojson(path, "500235")
