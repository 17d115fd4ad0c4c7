"""Reading a road network: everything or nothing, and each bad row by its line."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dispatch.domain.rows import exits_of, places_of, units_of
from dispatch.network_files import YUNYANG, NetworkFileError, read_network

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(YUNYANG, tmp_path / "roads"))


def change(path: Path, line: int, column: str, value: str) -> None:
    """Put a value into one field; line 1 is the header."""
    rows = list(csv.reader(path.open(encoding="utf-8")))
    rows[line - 1][rows[0].index(column)] = value
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def problems_of(folder: Path) -> tuple[str, ...]:
    with pytest.raises(NetworkFileError) as refused:
        read_network(folder)
    return refused.value.problems


def test_yunyang_is_read_whole():
    files = read_network()

    assert 150 <= files.network.size <= 300
    assert 40 <= len(files.places) <= 60
    assert len(files.exits) == 33
    assert {"Wanzhou", "Kaizhou", "Fengjie", "Wuxi", "Lichuan"} == {
        row.neighbour.title() for row in files.exits
    }
    assert len(files.places) == len(places_of(files.places, files.network))
    assert len(files.exits) == len(exits_of(files.exits, files.network))


def test_at_night_the_landings_are_not_staffed():
    files = read_network()

    by_day, by_night = (units_of(files.units, files.network, minute) for minute in (12 * 60, 3 * 60))

    assert len(files.units) == len(by_day)
    assert 0 < len(by_night) < len(by_day)


@pytest.mark.parametrize(
    ("file", "line", "column", "value", "problem"),
    [
        (
            "edges.csv",
            12,
            "length_m",
            "long",
            "edges.csv line 12: length_m is 'long'; give a number of 0 or more",
        ),
        (
            "edges.csv",
            12,
            "length_m",
            "-5",
            "edges.csv line 12: length_m is '-5'; give a number of 0 or more",
        ),
        (
            "edges.csv",
            12,
            "length_m",
            "inf",
            "edges.csv line 12: length_m is 'inf'; give a number of 0 or more",
        ),
        ("edges.csv", 3, "oneway", "yes", "edges.csv line 3: oneway is 'yes'; give 0 or 1"),
        ("edges.csv", 3, "to_node", "atlantis", "edges.csv line 3: to_node atlantis is not in nodes.csv"),
        ("edges.csv", 2, "car_speed_kmh", "0", "edges.csv line 2: car is 1 but car_speed_kmh is 0"),
        ("edges.csv", 3, "edge_id", "e001", "edges.csv line 3: edge_id e001 is already on line 2"),
        ("nodes.csv", 5, "lat", "99", "nodes.csv line 5: lat is '99'; give a number from -90 to 90"),
        ("nodes.csv", 5, "node_id", "", "nodes.csv line 5: node_id is empty"),
        ("places.csv", 4, "place_id", "K12", "places.csv line 4: place_id is 'K12'; give a UUID"),
        ("exits.csv", 4, "node_id", "atlantis", "exits.csv line 4: node_id atlantis is not in nodes.csv"),
        ("units.csv", 6, "shift_start", "25:00", "units.csv line 6: shift_start is '25:00'; give a time"),
        ("units.csv", 6, "base_node", "atlantis", "units.csv line 6: base_node atlantis is not in nodes.csv"),
    ],
)
def test_a_bad_field_is_named_by_file_line_and_value(
    folder: Path, file: str, line: int, column: str, value: str, problem: str
):
    change(folder / file, line, column, value)

    assert any(found.startswith(problem) for found in problems_of(folder)), problems_of(folder)


def test_every_bad_row_is_told_at_once(folder: Path):
    change(folder / "edges.csv", 5, "length_m", "x")
    change(folder / "units.csv", 7, "turnout_s", "soon")

    found = problems_of(folder)

    assert [problem.split(":")[0] for problem in found] == ["edges.csv line 5", "units.csv line 7"]


def test_a_ferry_to_a_place_without_a_pier_is_refused(folder: Path):
    change(folder / "edges.csv", 4, "ferry", "1")
    change(folder / "edges.csv", 4, "ferry_speed_kmh", "20")

    assert problems_of(folder) == ("edges.csv line 4: ferry is 1 but an end has pier 0 in nodes.csv",)


def test_a_line_with_too_few_fields_is_refused(folder: Path):
    path = folder / "exits.csv"
    path.write_text(path.read_text(encoding="utf-8") + "only,three,fields\n", encoding="utf-8")

    assert "exits.csv line 35: the number of fields differs from the header's" in problems_of(folder)


def test_a_missing_column_is_named(folder: Path):
    path = folder / "nodes.csv"
    path.write_text(
        path.read_text(encoding="utf-8").replace("position_source", "source", 1), encoding="utf-8"
    )

    assert "nodes.csv line 1: column position_source is missing" in problems_of(folder)


def test_a_missing_file_and_a_wrong_encoding_are_named(folder: Path):
    (folder / "exits.csv").unlink()
    (folder / "units.csv").write_bytes("名".encode("gbk"))

    found = " ".join(problems_of(folder))

    assert "exits.csv is missing" in found
    assert "units.csv is not UTF-8" in found


def test_a_spreadsheets_byte_order_mark_does_no_harm(folder: Path):
    path = folder / "nodes.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())

    assert read_network().network.version == read_network(folder).network.version


def test_yunyang_can_be_drawn_again_to_the_same_bytes(tmp_path: Path):
    subprocess.run(
        [
            sys.executable,
            str(ROOT / "deploy/data/make_yunyang.py"),
            "--root",
            str(ROOT),
            "--out",
            str(tmp_path),
        ],
        check=True,
        timeout=60,
    )

    drawn = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*.csv"))
    assert len(drawn) == 8
    for path in drawn:
        assert (ROOT / path).read_bytes() == (tmp_path / path).read_bytes(), path


def test_inner_nodes_lie_inside_the_county_and_outer_ones_outside():
    outline = ROOT / "services/alerts/alerts/data/yunyang/outline.geojson"
    features = json.loads(outline.read_text(encoding="utf-8"))["features"]
    county = next(feature for feature in features if feature["properties"]["region_code"] == "500235")
    ring = county["geometry"]["coordinates"][0][0]

    for row in read_network().nodes:
        if row.kind != "border":
            assert row.outside != is_inside(row.lon, row.lat, ring), row.node_id


def is_inside(lon: float, lat: float, ring: list[list[float]]) -> bool:
    """Even-odd rule."""
    inside = False
    for (ax, ay), (bx, by) in zip(ring, [*ring[1:], ring[0]], strict=True):
        if (ay > lat) != (by > lat) and lon < (bx - ax) * (lat - ay) / (by - ay) + ax:
            inside = not inside
    return inside
