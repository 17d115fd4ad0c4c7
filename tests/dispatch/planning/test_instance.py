"""What an instance may say, what is made of it, and what is refused with its mend."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError
from scipy.sparse.csgraph import dijkstra

from dispatch.domain.graphs import matrix
from dispatch.network_files import YUNYANG
from dispatch.planning import schemas
from dispatch.planning.check_map import map_of
from dispatch.planning.escape_of import escape_of
from dispatch.planning.instance import Instance
from dispatch.planning.instance_files import read_instance
from dispatch.planning.network_source import InstanceError
from dispatch.planning.planned import planned_routes
from dispatch.planning.question import ready_s
from harness.plan_instances import STREET, ask, bent

EXAMPLES = sorted((Path(__file__).resolve().parents[3] / "docs" / "examples" / "plan").glob("*.json"))


def test_unit_works_when_told_turned_out_driven_and_set_up():
    units = [{"id": "U1", "node": "e", "turnout_s": 20, "speed_factor": 2.0}]
    places = [{"id": "P1", "node": "d", "setup_s": 5}]

    ready = ready_s(ask(bent(report_s=100, units=units, places=places)))

    # Reported at 100, read 10 later, turned out 20 later, 1 km at 120 km/h, set up in 5.
    assert [[pytest.approx(100 + 10 + 20 + 30 + 5)]] == ready.tolist()


def test_unit_is_not_sent_before_it_is_free():
    ready = ready_s(ask(bent(units=[{"id": "U1", "node": "d", "available_s": 500}])))

    assert 500 == ready[0, 0]


def test_staff_stand_at_their_post_only_and_drive_nowhere():
    places = [{"id": "P1", "node": "d", "setup_s": 7}, {"id": "P2", "node": "e"}]

    ready = ready_s(ask(bent(units=[{"id": "S", "post": "P1", "turnout_s": 3}], places=places)))

    assert [[10 + 3 + 7, np.inf]] == ready.tolist()


def test_unit_without_the_capability_can_not_stand_there():
    places = [{"id": "P1", "node": "d", "needs": "boat"}]
    units = [{"id": "U1", "node": "e"}, {"id": "U2", "node": "e", "capabilities": ["boat"]}]

    assert [[False], [True]] == np.isfinite(ready_s(ask(bent(places=places, units=units)))).tolist()


@pytest.mark.parametrize(
    ("forbidden", "able"),
    [
        ({"unit": "U1", "place": "P1"}, [[False, True], [True, True]]),
        ({"unit": "U1"}, [[False, False], [True, True]]),
        ({"place": "P2"}, [[True, False], [True, False]]),
    ],
)
def test_forbidden_pairs_units_and_places_are_left_out(forbidden: dict[str, str], able: list[list[bool]]):
    question = ask(bent(**TWO_BY_TWO, forbidden=[forbidden]))

    assert able == question.usable.tolist()


TWO_BY_TWO: dict[str, Any] = {
    "units": [{"id": "U1", "node": "e"}, {"id": "U2", "node": "c"}],
    "places": [{"id": "P1", "node": "d"}, {"id": "P2", "node": "b"}],
}


def test_pinned_unit_and_its_place_are_kept_for_each_other():
    question = ask(bent(**TWO_BY_TWO, pins=[{"unit": "U1", "place": "P2"}]))

    assert ((0, 1),) == question.pinned
    assert [[False, True], [True, False]] == question.usable.tolist()


def test_closed_edge_is_closed_to_units_and_to_everybody():
    question = ask(bent(closed=[["e", "d"]], exits=[{"id": "out", "node": "d"}]))

    movement = escape_of(question, ready_s(question)).movements[0]

    assert np.isinf(ready_s(question)[0, 0])
    assert not {(3, 4), (4, 3)} & set(zip(movement.tails.tolist(), movement.heads.tolist(), strict=True))


def test_position_beside_the_network_is_moved_to_it_and_the_distance_stated():
    question = ask(bent(units=[{"id": "U1", "lon": 0.036, "lat": 0.002}]))

    assert 4 == question.unit_nodes[0]
    assert ("units[0] was moved to the network, 222 m from the nearest node 'e'.",) == question.notices


def test_start_beside_a_road_may_be_at_either_end_of_it_as_fast_as_anybody_goes():
    question = ask(bent(start={"node": None, "lon": 0.0045, "lat": 0.0}, limits={"max_snap_m": 600}))

    sources = dict(question.sources)

    assert {0, 1} <= set(sources)
    assert pytest.approx(30, abs=0.5) == sources[0]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"units": [{"id": "U1", "lon": 5.0, "lat": 5.0}]},
            r"units\[0\].* off the network.*in the water.*max_snap_m",
        ),
        ({"units": [{"id": "U1", "node": "z"}]}, r"units\[0\].node 'z' is not a node"),
        ({"units": [{"id": "U1", "post": "Z"}]}, r"units\[0\].post 'Z' is not a place"),
        ({"places": [{"id": "P", "node": "d"}] * 2}, r"places\[1\].id 'P' is also that of places\[0\]"),
        ({"start": {"node": "z"}}, "start.node 'z' is not a node"),
        ({"closed": [["a", "b"]]}, "disconnected: from start 'a' 1 of 5 nodes can be reached.*Mend"),
        ({"closed": [["a", "d"]]}, r"closed\[0\]: no edge leads from 'a' to 'd'"),
        ({"pins": [{"unit": "U1", "place": "Z"}]}, r"pins\[0\].*no such unit or place"),
        ({"pins": [{"unit": "U1", "place": "P1"}] * 2}, "one unit is pinned twice"),
        (
            {"pins": [{"unit": "U1", "place": "P1"}], "forbidden": [{"place": "P1"}]},
            "'U1' at 'P1' is forbidden.*drop the pin",
        ),
        ({"routes": [{"stops": [["z", 1]]}]}, r"routes\[0\].stops\[0\] 'z' is not a node"),
        (
            {"network": {"edges": [{"source": "a", "target": "q", "speed_kmh": 5}]}},
            "'a' -> 'q' ends at an unknown node",
        ),
        (
            {"network": {"edges": [{"source": "a", "target": "b", "length_m": 9000, "travel_time_s": 1}]}},
            "'a' -> 'b' is driven at 32400 km/h; mend",
        ),
    ],
)
def test_what_can_not_be_planned_on_is_refused_with_the_mend(changes: dict[str, Any], said: str):
    with pytest.raises(InstanceError, match=said):
        ask(bent(**changes))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"start": {"time_s": 9}, "report_s": 3}, "a sighting cannot lie in the future"),
        ({"start": {"lon": 1.0}}, "give node, or lon and lat"),
        ({"hypotheses": [{"mode": "car", "departure_s": -5}]}, "before start.time_s"),
        ({"hypotheses": [{"mode": "rocket", "departure_s": 5}]}, "mode"),
        ({"routes": [{"stops": [["a", 5], ["b", 4]]}]}, "times run backwards"),
        ({"exits": []}, "nobody goes anywhere"),
        ({"units": [{"id": "U", "node": "e", "speed": 3}]}, "Extra inputs"),
        ({"units": [{"id": "U", "node": "e"}] * 501}, "at most 500"),
        ({"limits": {"deadline_s": 1e9}}, "less than or equal to 600"),
        ({"limits": {"routes": 0}}, "greater than or equal to 1"),
        ({"network": {"folder": "x"}}, "give one of"),
        ({"forbidden": [{}]}, "give unit, place or both"),
        ({"delay_s": float("nan")}, "delay_s"),
        ({"format": "guitu.plan.instance.v9"}, "format"),
    ],
)
def test_what_contradicts_itself_is_refused(changes: dict[str, Any], said: str):
    with pytest.raises(ValidationError, match=said):
        Instance.model_validate(bent(**changes))


def test_whole_numbers_are_names_too():
    written = bent(network={"nodes": [[0, 0, 0], [1, 0.009, 0]], "edges": []})
    written["network"]["edges"] = [{"source": 0, "target": 1, "travel_time_s": 60, "both_ways": True}]
    written |= {"start": {"node": 0}, "exits": [{"id": 1, "node": 1}], "places": [], "units": []}

    assert ("0", "1") == ask(written).network.nodes.ids


def test_of_length_time_and_speed_the_third_follows(tmp_path: Path):
    (tmp_path / "nodes.csv").write_text("node,lon,lat\n1,0,0\n2,0.01,0\n", encoding="utf-8")
    (tmp_path / "edges.csv").write_text(
        "source,target,length_m,travel_time_s,speed_kph\n"
        "1,2,1000,100,\n2,1,1000,,72\n1,2,,50,36\n2,1,,,36\n1,2,0,30,\n",
        encoding="utf-8",
    )
    written = bent(network=None, start={"node": "1"}, exits=[{"id": "x", "node": "2"}], units=[], places=[])
    written["network"] = {"nodes_csv": "nodes.csv", "edges_csv": "edges.csv"}

    edges = ask(written, tmp_path).network.edges

    assert [36, 72, 36, 36, 50] == [round(kmh) for kmh in edges.car_speed_kmh]
    assert [1000, 1000, 500, 1112, 417] == [round(metres) for metres in edges.length_m]


def test_rows_that_are_wrong_are_named_all_at_once(tmp_path: Path):
    (tmp_path / "nodes.csv").write_text("node,lon,lat\n1,0,0\n2,far,0\n", encoding="utf-8")
    (tmp_path / "edges.csv").write_text("source,target,length_m\n1,2,10\n", encoding="utf-8")
    written = bent(network=None)
    written["network"] = {"nodes_csv": "nodes.csv", "edges_csv": "edges.csv"}

    with pytest.raises(InstanceError) as caught:
        ask(written, tmp_path)

    assert "nodes.csv line 3: node, lon, lat are '2', 'far', '0'" in str(caught.value)
    assert "edges.csv line 2" in str(caught.value)


def test_missing_file_is_named(tmp_path: Path):
    written = bent(network=None)
    written["network"] = {"nodes_csv": "none.csv", "edges_csv": "none.csv"}

    with pytest.raises(InstanceError, match=r"none\.csv: No such file.*relative to the instance"):
        ask(written, tmp_path)


def test_county_folder_is_read_too_and_the_checker_reads_the_same():
    written = bent(
        network=None, start={"node": "shuangjiang"}, exits=[{"id": "w", "node": "out-wanzhou-g42"}]
    )
    written |= {"network": {"folder": "."}, "units": [], "places": []}

    question = ask(written, YUNYANG)

    assert question.network_sha256 == map_of(written, YUNYANG).sha256
    assert 254 == question.network.size


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_can_be_read_and_fit_the_schema(path: Path):
    question = read_instance(path)

    Draft202012Validator(schemas.schema("instance")).validate(json.loads(path.read_text(encoding="utf-8")))
    assert question.network_sha256 == map_of(json.loads(path.read_text(encoding="utf-8")), path.parent).sha256


def test_there_is_an_example_of_each_verdict():
    assert {"guaranteed", "probabilistic", "impossible"} == {path.stem for path in EXAMPLES}


@pytest.mark.parametrize("path", sorted(schemas.files()), ids=lambda path: path.stem)
def test_committed_schemas_are_those_of_the_models(path: Path):
    """Mend: python -m dispatch.planning.schemas."""
    assert schemas.files()[path] == path.read_text(encoding="utf-8")


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=True) | st.text(max_size=5), st.lists, max_leaves=5
    )
)
@settings(max_examples=100, deadline=None)
def test_any_junk_in_any_field_is_refused_or_read_but_never_a_crash(junk: Any):
    for field in STREET:
        written = {**STREET, field: junk}
        try:
            ask(written)
        except (ValidationError, InstanceError):
            continue


@given(
    st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11), st.integers(1, 9)), max_size=30),
    st.lists(st.integers(0, 11), min_size=1, max_size=3),
)
@settings(max_examples=60, deadline=None)
def test_drives_are_those_of_a_plain_search_though_dead_ends_are_left_out(
    arcs: list[tuple[int, int, int]], at: list[int]
):
    written = bent(exits=[{"id": "out", "node": 1}], start={"node": 0})
    written["network"] = {
        "nodes": [[node, 0.001 * node, 0] for node in range(12)],
        "edges": [
            {"source": a, "target": b, "travel_time_s": s, "length_m": 10} for a, b, s in [(0, 1, 9), *arcs]
        ],
    }
    written["units"] = [{"id": f"U{number}", "node": node} for number, node in enumerate(at)]
    written["places"] = [{"id": f"P{node}", "node": node} for node in range(0, 12, 3)]
    question = ask(written)

    plain = dijkstra(matrix(question.network.police), indices=at)[:, ::3]

    assert np.allclose(10 + plain, ready_s(question))


def test_timetable_of_a_county_is_used_when_the_time_of_day_is_known():
    written = bent(network=None, start={"node": "station-shuangjiang"}, units=[], exits=[])
    written["network"] = {"folder": "."}
    written["hypotheses"] = [{"mode": "bus", "departure_s": 0, "destination": "out-bus-shuangjiang-wanzhou"}]
    written["places"] = [{"id": "station", "node": "station-shuangjiang"}]

    # At 06:00 the first bus leaves in half an hour; until then they can be met at the station.
    question = ask({**written, "clock_s": 6 * 3600}, YUNYANG)
    passes = planned_routes(question, 20, 0).last_pass_s

    assert 1800 == pytest.approx(passes.min(), abs=1)
    assert not len(ask(written, YUNYANG).timetable.trip)
