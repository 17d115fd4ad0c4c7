"""A network as a folder of CSV files: timetables, staffed places, units by position, and words in two languages."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.base import TravelMode
from dispatch.domain.rows import TimetableRow, timetable_of
from dispatch.domain.timetables import no_timetable
from dispatch.network_files import YUNYANG, NetworkFileError, read_network


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(YUNYANG, tmp_path / "roads"))


def change(path: Path, line: int, **values: str) -> None:
    """Put values into one row; line 1 is the header. Columns that are not there yet are added."""
    rows = list(csv.DictReader(path.open(encoding="utf-8")))
    columns = [*rows[0], *(name for name in values if name not in rows[0])]
    rows[line - 2].update(values)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)


def refused(folder: Path) -> NetworkFileError:
    with pytest.raises(NetworkFileError) as refused:
        read_network(folder)
    return refused.value


def test_the_yunyang_network_is_marked_as_a_drawing():
    about = read_network().about

    assert about.schematic
    assert "示意图" in about.note


def test_every_station_and_landing_of_yunyang_is_on_a_line_of_its_timetable():
    files = read_network()

    stops = {row.node_id for row in files.timetable}

    stations = {n.node_id for n in files.nodes if n.kind in ("bus_station", "rail_station", "pier")}
    departures = {e.node_id for e in files.exits if e.kind.endswith("_departure")}
    assert stations | departures <= stops


def test_places_where_people_work_are_staffed():
    files = read_network()

    staffed = {place.kind for place in files.places if place.staffed}

    assert {"toll_gate", "bus_station", "rail_station", "ferry_terminal"} == staffed


def test_a_timetable_becomes_connections_in_order_of_departure():
    files = read_network()

    table = timetable_of(files.timetable, files.network)

    assert len(files.timetable) == len(table.trip) + len(table.mode_of)
    assert list(table.depart_s) == sorted(table.depart_s)
    assert (table.depart_s < table.arrive_s).all()
    assert {TravelMode.bus, TravelMode.ferry} == set(table.mode_of)


def test_a_line_of_the_weekend_does_not_run_on_tuesday():
    files = read_network()
    table = timetable_of(files.timetable, files.network)

    tuesday, sunday = (
        {table.line_of[trip] for trip in table.on(weekday).trip.tolist()} for weekday in (2, 7)
    )

    assert {"ferry-bayang-wanzhou"} == sunday - tuesday
    assert 0 == len(no_timetable().on(2).trip)


@given(st.permutations(range(12)))
def test_the_order_of_rows_does_not_matter_to_a_timetable(order: list[int]):
    files = read_small()
    rows = [files[place] for place in order]

    first, again = (timetable_of(given, NETWORK) for given in (files, rows))

    assert first.line_of == again.line_of
    for name in ("trip", "tail", "head", "depart_s", "arrive_s"):
        assert list(getattr(first, name)) == list(getattr(again, name))


NETWORK = read_network().network


def read_small() -> list[TimetableRow]:
    """Twelve calls of six trips."""
    stops = NETWORK.nodes.ids
    return [
        TimetableRow(
            f"l{trip % 2}", f"t{trip}", "bus", call, stops[trip + call], *(2 * [trip * 60 + call * 600]), "1"
        )
        for trip in range(6)
        for call in range(2)
    ]


def test_a_network_without_a_timetable_is_read(folder: Path):
    (folder / "timetable.csv").unlink()

    assert read_network(folder).timetable == ()
    assert read_network(folder).version != read_network().version


@pytest.mark.parametrize(
    ("line", "values", "en", "zh"),
    [
        (2, {"mode": "tram"}, "mode is 'tram'; give bus, ferry", "mode 为 'tram';可填 bus, ferry"),
        (2, {"depart": "7:5"}, "depart is '7:5'; give a time from 00:00 to 47:59", "depart 为 '7:5'"),
        (2, {"days": "89"}, "days is '89'; give digits from 1 (Monday)", "days 为 '89'"),
        (2, {"node_id": "atlantis"}, "node_id atlantis is not in nodes.csv", "node_id atlantis 在 nodes.csv"),
        (3, {"arrive": "05:00"}, "comes or leaves before its last time", "早于前一时间"),
        (3, {"stop_sequence": "1"}, "is already on line", "重复"),
        (3, {"days": "1"}, "days is not the same on all rows of trip", "各行的 days 不一致"),
        (2, {"node_id": "pier-panlong"}, "no bus stops there", "bus 不停靠"),
    ],
)
def test_a_bad_call_is_told_in_both_languages(
    folder: Path, line: int, values: dict[str, str], en: str, zh: str
):
    change(folder / "timetable.csv", line, **values)

    said = refused(folder)

    assert any(one.startswith("timetable.csv line ") and en in one for one in said.problems), said.problems
    assert any(one.startswith("timetable.csv 第") and zh in one for one in said.problems_zh)
    assert said.said("zh").startswith("没有导入任何内容")


def test_a_trip_of_one_stop_is_refused(folder: Path):
    change(folder / "timetable.csv", 2, trip_id="alone")

    assert any("trip alone has fewer than two stops" in one for one in refused(folder).problems)


def test_a_unit_may_be_given_by_its_position(folder: Path):
    change(folder / "units.csv", 2, base_node="", lon="108.7110", lat="30.9260")

    files = read_network(folder)

    assert "shuangjiang" == files.units[0].base_node
    assert ["YY01"] == [one.code for one in files.snapped]
    assert 0 < files.snapped[0].distance_m < 100


def test_a_unit_in_the_water_is_refused_with_its_distance(folder: Path):
    change(folder / "units.csv", 2, base_node="", lon="108.9700", lat="30.9600")

    found = refused(folder)

    assert "units.csv line 2: unit YY01 is " in found.problems[0]
    assert "m from the nearest road, more than 2000 m" in found.problems[0]
    assert "米" in found.problems_zh[0]


def test_station_staff_stand_at_their_post(folder: Path):
    rows = list(csv.DictReader((folder / "units.csv").open(encoding="utf-8")))
    line = next(number for number, row in enumerate(rows, start=2) if row["post_place_id"])
    change(folder / "units.csv", line, base_node="")

    files = read_network(folder)

    assert read_network().units[line - 2].base_node == files.units[line - 2].base_node


def test_a_unit_without_any_place_is_refused(folder: Path):
    change(folder / "units.csv", 2, base_node="")

    assert refused(folder).problems == ("units.csv line 2: base_node is empty; give it a value",)


def test_a_wrong_description_is_refused(folder: Path):
    (folder / "network.json").write_text(json.dumps({"schematic": "yes"}), encoding="utf-8")

    assert "network.json is not JSON of the documented form" in refused(folder).problems[0]
