"""The combined answer: guarantee where there is one, optimum for the rest, and a valid plan whatever happens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.planning.answer import answer
from dispatch.planning.check_files import check_json
from dispatch.planning.instance_files import read_instance
from dispatch.planning.model import Coverage, Solution
from dispatch.planning.result import Result
from harness.contest_city import HEAD_START_S, SUSPECT_AT, contest_city
from harness.plan_instances import HERE, ask, bent

EXAMPLES = Path(__file__).resolve().parents[3] / "docs" / "examples" / "plan"

# Two ways out of a: over b and over c; d is a dead end where units wait.
FORK: dict[str, Any] = {
    "network": {
        "nodes": [["a", 0, 0], ["b", 0.02, 0.01], ["c", 0.02, -0.01], ["x", 0.04, 0.01], ["y", 0.04, -0.01]],
        "edges": [
            {"source": tail, "target": head, "length_m": 3000, "speed_kmh": 60, "both_ways": True}
            for tail, head in ("ab", "ac", "bx", "cy")
        ],
    },
    "exits": [{"id": "X", "node": "x"}, {"id": "Y", "node": "y"}],
    "places": [{"id": "B", "node": "b"}, {"id": "C", "node": "c"}],
    "units": [
        {"id": "U1", "node": "b"},
        {"id": "U2", "node": "c"},
        {"id": "U3", "node": "c", "turnout_s": 60},
    ],
}


def checked(written: dict[str, Any], result: Result) -> Result:
    """The result, after the independent checker found nothing wrong."""
    assert [] == check_json(written, json.loads(result.model_dump_json()), HERE).wrong
    return result


def test_where_all_ways_can_be_closed_the_guards_are_the_plan():
    written = bent(**FORK)

    result = checked(written, answer(ask(written)))

    assert "guaranteed" == result.verdict.kind
    assert (1.0, "proof") == (result.verdict.probability, result.verdict.basis)
    assert {("U1", "B", ("X",)), ("U2", "C", ("Y",))} == {
        (order.unit, order.place, tuple(order.closes)) for order in result.plan if order.guard
    }
    assert 2 == result.verdict.flow_value
    assert 10 == result.verdict.closed_at_s


def test_spare_unit_is_placed_for_the_routes():
    places = [*FORK["places"], {"id": "A2", "node": "a", "needs": "spare"}]
    units = [*FORK["units"][:2], {"id": "U3", "node": "a", "capabilities": ["spare"]}]
    routes = [{"stops": [["a", 500], ["b", 700]]}]
    written = bent(**FORK | {"places": places, "units": units}, routes=routes)

    result = checked(written, answer(ask(written)))

    assert "guaranteed" == result.verdict.kind
    assert {"U1", "U2"} == {order.unit for order in result.plan if order.guard}
    assert 1.0 == pytest.approx(result.value)


def test_where_units_are_too_few_it_is_proven_and_the_heavier_way_is_taken():
    routes = [
        {"weight": 3, "stops": [["a", 0], ["b", 400], ["x", 600]]},
        {"weight": 1, "stops": [["a", 0], ["c", 400], ["y", 600]]},
    ]
    written = bent(**FORK | {"units": [{"id": "U1", "node": "a"}]}, routes=routes)

    result = checked(written, answer(ask(written)))

    assert "impossible" == result.verdict.kind
    assert result.proof.certificate is not None
    assert [("U1", "B", [0])] == [(order.unit, order.place, order.meets) for order in result.plan]
    assert 0.75 == pytest.approx(result.verdict.probability)
    assert result.verdict.low < 0.75 < result.verdict.high
    assert [("X", 0.75)] == [(end.destination, end.weight) for end in result.plan[0].toward]


def test_without_exits_no_guarantee_is_asked_for():
    written = bent(exits=[], routes=[{"stops": [["a", 0], ["d", 900]]}])

    result = checked(written, answer(ask(written)))

    assert "probabilistic" == result.verdict.kind
    assert (1.0, True, 0.0) == (result.value, result.proven, result.gap)


def test_detection_counts_once_a_place():
    written = bent(exits=[], routes=[{"stops": [["a", 0], ["d", 900]]}], limits={"detection": 0.8})

    result = checked(written, answer(ask(written)))

    assert 0.8 == pytest.approx(result.value)
    assert 0.8 == pytest.approx(result.plan[0].only_here_weight)


def test_pinned_unit_stands_where_it_is_pinned_though_it_meets_nobody():
    places = [{"id": "P1", "node": "d"}, {"id": "P2", "node": "e"}]
    routes = [{"stops": [["a", 0], ["d", 900]]}]
    written = bent(exits=[], places=places, routes=routes, pins=[{"unit": "U1", "place": "P2"}])

    result = checked(written, answer(ask(written)))

    assert [("U1", "P2", 0.0)] == [(order.unit, order.place, order.met_weight) for order in result.plan]
    assert "Placed by hand." in result.plan[0].why.en


def test_same_instance_gives_the_same_answer_but_for_measured_times():
    def once() -> dict[str, Any]:
        return answer(ask(bent(**FORK))).model_dump(exclude={"stages"})

    assert once() == once()


def test_no_units_and_no_places_are_an_answer_too():
    written = bent(units=[], places=[])

    result = checked(written, answer(ask(written)))

    assert ([], 0.0, "impossible") == (result.plan, result.value, result.verdict.kind)


def dies(coverage: Coverage, deadline_s: float, hint: Solution, seed: int) -> Solution:
    raise RuntimeError("the worker is gone")


def lies(coverage: Coverage, deadline_s: float, hint: Solution, seed: int) -> Solution:
    """Everybody at the same place."""
    return Solution((0,) * coverage.units, 9.0, 9.0, 9.0, proven=True)


@pytest.mark.parametrize("prove", [dies, lies])
def test_solver_that_dies_or_lies_leaves_the_plan_that_stood_and_the_trouble_is_said(prove: Any):
    # Its first plan is not proven, so the solver is asked.
    file = EXAMPLES / "probabilistic.json"

    result = answer(read_instance(file), prove=prove)

    assert (
        [] == check_json(json.loads(file.read_text()), json.loads(result.model_dump_json()), EXAMPLES).wrong
    )
    assert result.value > 0.8
    assert result.trouble


@st.composite
def instances(draw: st.DrawFn) -> dict[str, Any]:
    """A small random town: possibly disconnected, one-way, with units and places anywhere."""
    size = draw(st.integers(2, 8))
    node = st.integers(0, size - 1)
    edge = st.fixed_dictionaries(
        {
            "source": node,
            "target": node,
            "length_m": st.integers(1, 40).map(lambda each: 100 * each),
            "speed_kmh": st.sampled_from([20, 50, 80]),
            "both_ways": st.booleans(),
        }
    )
    spine = [
        {"source": at, "target": at + 1, "length_m": 900, "speed_kmh": 50, "both_ways": True}
        for at in range(size - 1)
    ]
    units = draw(st.lists(st.fixed_dictionaries({"node": node, "turnout_s": st.integers(0, 90)}), max_size=4))
    places = draw(
        st.lists(st.fixed_dictionaries({"node": node, "detection": st.sampled_from([1.0, 0.7])}), max_size=5)
    )
    return {
        "format": "guitu.plan.instance.v1",
        "network": {
            "nodes": [[at, 0.008 * at, 0] for at in range(size)],
            "edges": spine + draw(st.lists(edge, max_size=10)),
        },
        "start": {"node": draw(node)},
        "report_s": draw(st.integers(0, 120)),
        "sure": {"modes": draw(st.sampled_from([["car"], ["unknown"], ["car", "walking"]]))},
        "units": [{"id": f"u{at}", **unit} for at, unit in enumerate(units)],
        "places": [{"id": f"p{at}", **place} for at, place in enumerate(places)],
        "exits": [{"id": f"x{at}", "node": at} for at in draw(st.sets(node, min_size=1, max_size=2))],
        "limits": {
            "routes": 20,
            "fresh_routes": 10,
            "deadline_s": 0.5,
            "margin_s": draw(st.sampled_from([0, 30])),
        },
    }


@given(instances())
@settings(max_examples=60, deadline=None)
def test_whatever_the_instance_the_checker_finds_nothing_wrong(written: dict[str, Any]):
    checked(written, answer(ask(written)))


@pytest.mark.parametrize(
    ("guards", "count", "closed_at_min"), [("soonest", 17, 2.8672), ("fewest", 11, None)]
)
def test_contest_city_gets_its_known_answers_with_proofs(
    guards: str, count: int, closed_at_min: float | None
):
    """CUMCM 2011-B, question 3; the reference answers are in the harness."""
    city = contest_city()
    roads = [
        {"source": a, "target": b, "travel_time_s": seconds, "speed_kmh": 60, "both_ways": True}
        for (a, b), seconds in zip(city.ends, city.seconds.tolist(), strict=True)
    ]
    written = {
        "format": "guitu.plan.instance.v1",
        "network": {
            "nodes": [[node, 0.001 * node, 0] for node in range(city.nodes)],
            "edges": roads,
        },
        "start": {"node": SUSPECT_AT - 1, "time_s": -HEAD_START_S},
        "report_s": 0,
        "sure": {"modes": ["car"], "car_factor": 1},
        "units": [{"id": f"platform {at}", "node": node} for at, node in enumerate(city.platforms)],
        "places": [{"id": node, "node": node} for node in range(city.nodes)],
        "exits": [{"id": node, "node": node} for node in city.exits],
        "limits": {"routes": 50, "fresh_routes": 0, "deadline_s": 3, "guards": guards},
    }

    result = checked(written, answer(ask(written)))

    assert ("guaranteed", count) == (result.verdict.kind, len(result.verdict.guards))
    assert result.verdict.closed_at_s is not None
    if closed_at_min is None:
        assert count == result.verdict.flow_value
    else:
        assert pytest.approx(closed_at_min, abs=5e-5) == result.verdict.closed_at_s / 60
        assert result.proof.sooner is not None
