"""What a look at a whole network finds, and how it is told."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from dispatch.importing.findings import Finding, Report
from dispatch.importing.report import SAYS, as_json, as_text, sentence
from dispatch.importing.validate import validate
from dispatch.network_files import YUNYANG, read_network

Row = dict[str, str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(YUNYANG, tmp_path / "roads"))


def edit(path: Path, change: Callable[[list[Row]], list[Row] | None]) -> None:
    """Change the rows of a table, in place or by returning new ones."""
    rows = list(csv.DictReader(path.open(encoding="utf-8")))
    columns = list(rows[0])
    rows = change(rows) or rows
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)


def found(folder: Path) -> dict[str, Finding]:
    return {one.code: one for one in validate(read_network(folder)).findings if one.code != "mode_parts"}


def node(node_id: str, **more: str) -> Row:
    plain = {
        "lon": "108.7",
        "lat": "30.95",
        "kind": "junction",
        "name_zh": "",
        "name_en": "",
        "bus_stop": "0",
    }
    return {"node_id": node_id, **plain, "pier": "0", "outside": "0", "position_source": "x"} | more


def edge(start: str, end: str, **more: str) -> Row:
    flags = {"oneway": "0", "walk": "1", "car": "1", "bus": "0", "ferry": "0"}
    kmh = {"car_speed_kmh": "40", "bus_speed_kmh": "0", "ferry_speed_kmh": "0"}
    plain = {"edge_id": f"{start}-{end}", "from_node": start, "to_node": end, "length_m": "9000"}
    return {**plain, "road_class": "county", **flags, **kmh} | more


def test_yunyang_is_sound_and_said_to_be_a_drawing():
    report = validate(read_network())

    assert report.is_good(strict=True)
    assert {"schematic", "mode_parts"} == {one.code for one in report.findings}
    assert (254, 305, 28, 54) == tuple(report.summary[key] for key in ("nodes", "edges", "staffed", "units"))


def test_a_node_on_no_road_is_told(folder: Path):
    edit(folder / "nodes.csv", lambda rows: [*rows, node("lonely")])

    assert ("lonely",) == found(folder)["isolated"].examples


def test_a_small_part_beside_is_a_warning_and_a_broken_network_an_error(folder: Path):
    edit(folder / "nodes.csv", lambda rows: [*rows, node("a"), node("b")])
    edit(folder / "edges.csv", lambda rows: [*rows, edge("a", "b")])
    beside = found(folder)["disconnected"]
    edit(folder / "nodes.csv", lambda rows: [*rows, *(node(f"c{k}") for k in range(60))])
    edit(folder / "edges.csv", lambda rows: [*rows, *(edge(f"c{k}", f"c{k + 1}") for k in range(59))])
    broken = found(folder)["disconnected"]

    assert ("warning", ("a", "b"), 2) == (beside.severity, beside.examples, beside.values["parts"])
    assert ("error", 62) == (broken.severity, broken.count)


def test_a_street_that_one_enters_and_never_leaves_is_a_trap(folder: Path):
    edit(folder / "nodes.csv", lambda rows: [*rows, node("trap"), node("source")])
    one_way = [edge("shuangjiang", "trap", oneway="1"), edge("source", "shuangjiang", oneway="1")]
    edit(folder / "edges.csv", lambda rows: [*rows, *one_way])

    told = found(folder)

    assert ("trap",) == told["trap"].examples
    assert ("source",) == told["no_entry"].examples


def test_a_road_that_only_leads_out_of_the_county_is_no_trap(folder: Path):
    edit(folder / "nodes.csv", lambda rows: [*rows, node("last"), node("beyond", outside="1")])
    one_way = [edge("shuangjiang", "last", oneway="1"), edge("last", "beyond", oneway="1")]
    edit(folder / "edges.csv", lambda rows: [*rows, *one_way])

    assert "trap" not in found(folder)


def test_wild_speeds_are_told_and_trains_may_be_fast(folder: Path):
    def faster(rows: list[Row]) -> None:
        rows[4]["car_speed_kmh"] = "200"
        next(row for row in rows if row["road_class"] == "rail_line")["bus_speed_kmh"] = "300"

    edit(folder / "edges.csv", faster)

    assert ("e005",) == found(folder)["speed_wild"].examples
    assert "car" == found(folder)["speed_wild"].values["mode"]


@pytest.mark.parametrize(
    ("share", "code", "severity"), [(0.5, "far_too_short", "error"), (0.97, "too_short", "warning")]
)
def test_an_edge_shorter_than_the_crow_flies_is_told(folder: Path, share: float, code: str, severity: str):
    edit(folder / "nodes.csv", lambda rows: [*rows, node("a"), node("b", lat="31.05")])
    short = edge("a", "b", length_m=str(0.1 * 111_195 * share))
    edit(folder / "edges.csv", lambda rows: [*rows, short, edge("a", "shuangjiang")])

    told = found(folder)

    assert (severity, ("a-b",)) == (told[code].severity, told[code].examples)


def test_an_exit_that_nobody_reaches_is_told(folder: Path):
    edit(folder / "nodes.csv", lambda rows: [*rows, node("island", outside="1"), node("shore", outside="1")])
    edit(folder / "edges.csv", lambda rows: [*rows, edge("island", "shore")])

    def moved(rows: list[Row]) -> None:
        rows[0]["node_id"] = "island"

    edit(folder / "exits.csv", moved)
    one = found(folder)["exit_unreachable"]
    edit(folder / "exits.csv", lambda rows: rows[:1])
    every = found(folder)["exit_unreachable"]

    assert ("warning", 1) == (one.severity, one.count)
    assert "error" == every.severity


def test_a_network_without_exits_is_told(folder: Path):
    (folder / "exits.csv").write_text("exit_id,node_id,kind,name_zh,name_en,neighbour\n", encoding="utf-8")

    assert "warning" == found(folder)["no_exits"].severity


def test_a_station_on_no_line_is_told(folder: Path):
    edit(folder / "timetable.csv", lambda rows: [row for row in rows if "shashi" not in row["node_id"]])

    assert ("station-shashi",) == found(folder)["no_line"].examples


def test_a_bus_faster_than_the_road_allows_is_told(folder: Path):
    def hurry(rows: list[Row]) -> None:
        rows[1]["arrive"] = rows[1]["depart"] = "06:35"

    edit(folder / "timetable.csv", hurry)

    assert ("station-shuangjiang -> out-bus-shuangjiang-wanzhou",) == found(folder)["trip_too_fast"].examples


def test_a_police_unit_that_cannot_drive_away_is_an_error(folder: Path):
    edit(folder / "nodes.csv", lambda rows: [*rows, node("yard"), node("shed")])
    edit(folder / "edges.csv", lambda rows: [*rows, edge("yard", "shed")])

    def moved(rows: list[Row]) -> None:
        rows[0]["base_node"] = "yard"

    edit(folder / "units.csv", moved)

    assert ("error", ("YY01",)) == (
        found(folder)["unit_stuck"].severity,
        found(folder)["unit_stuck"].examples,
    )


def test_a_snapped_unit_is_told_with_its_distance(folder: Path):
    text = (folder / "units.csv").read_text(encoding="utf-8").splitlines()
    head, first = text[0], text[1]
    moved = first.replace(",shuangjiang,", ",,", 1)
    (folder / "units.csv").write_text(
        "\n".join([f"{head},lon,lat", f"{moved},108.711,30.926", *(f"{row},," for row in text[2:])]), "utf-8"
    )

    told = found(folder)["units_snapped"]

    assert told.examples[0].startswith("YY01 ")
    assert told.examples[0].endswith(" m -> shuangjiang")
    assert 0 < told.values["farthest_m"] < 100


def test_every_finding_has_words_in_both_languages():
    words = {"farthest_m": 1, "parts": 2, "share": 99.0, "mode": "car", "low": 5.0, "high": 130.0}

    for code in SAYS:
        one = Finding(code, "note", 3, ("x",), words)

        assert sentence(one, "en") != sentence(one, "zh")
        assert any("\u4e00" <= letter <= "\u9fff" for letter in sentence(one, "zh")), code


def test_the_report_is_json_and_text():
    report = validate(read_network())

    told = json.loads(json.dumps(as_json(report)))

    assert report.version == told["version"]
    assert told["good"]
    assert any("plan no real" in one["says"].lower() for one in told["findings"])
    assert "0 error(s), 0 warning(s): good." in as_text(report, "en")
    assert "示意图" in as_text(report, "zh")
    assert "0 个错误,0 个警告:可用。" in as_text(report, "zh")


def test_warnings_count_only_where_it_is_strict():
    report = Report("v", {}, (Finding("isolated", "warning"),))

    assert report.is_good()
    assert not report.is_good(strict=True)
