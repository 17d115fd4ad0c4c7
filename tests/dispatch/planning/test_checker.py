"""The checker sees through results that claim too much; each test spoils one thing of a result that is right."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.planning import checker
from dispatch.planning.checker import check, examine
from dispatch.planning.checker_model import (
    CheckBound,
    CheckCertificate,
    CheckGuard,
    CheckInstance,
    CheckMovement,
    CheckOrder,
    CheckPlace,
    CheckResult,
    CheckUnit,
    CheckWay,
    Road,
    TimedRoute,
)
from dispatch.planning.duality import bound_certificate_of
from dispatch.planning.model import Coverage
from harness.escapes import coverage_of_case, draw_case, draw_routes, prices_as_told


def two_way(*roads: tuple[str, str, float]) -> list[Road]:
    return [road for a, b, seconds in roads for road in (Road(a, b, seconds), Road(b, a, seconds))]


ROADS = two_way(
    ("home", "bridge", 100.0), ("bridge", "east", 100.0), ("base", "bridge", 40.0), ("base", "pier", 30.0)
)
FLIGHT = CheckMovement(
    two_way(("home", "bridge", 100.0), ("bridge", "east", 100.0), ("home", "pier", 90.0)), [("home", 0.0)]
)
POLICE = CheckInstance(
    units=[
        CheckUnit("P1", "base", turnout_s=10.0),
        CheckUnit("P2", "base"),
        CheckUnit("clerk", "pier", places=frozenset({"Pier"})),
    ],
    places=[
        CheckPlace("Bridge", "bridge", setup_s=20.0),
        CheckPlace("Pier", "pier", detection=0.5),
        CheckPlace("East", "east"),
    ],
    roads=ROADS,
    movements=[FLIGHT],
    exits=["east", "pier"],
    routes=[
        TimedRoute(0.6, [("home", 0.0), ("bridge", 100.0), ("east", 200.0)]),
        TimedRoute(0.4, [("home", 0.0), ("pier", 50.0), ("pier", 90.0)]),
    ],
    delay_s=5.0,
    margin_s=1.0,
)
# P1 works at the bridge at 5 + 10 + 40 + 20 s, P2 at the pier at 5 + 30 s.
GOOD = CheckResult(
    orders=[CheckOrder("P1", "Bridge", 75.0, [(0, 100.0)]), CheckOrder("P2", "Pier", 35.0, [(1, 90.0)])],
    value=0.8,
    objective=0.8,
    bound=0.8,
    proven=True,
    bound_certificate=CheckBound([0.6, 0.0], {"P1": 0.0, "P2": 0.0, "clerk": 0.0}, {"Bridge": 0.6}),
    kind="guaranteed",
    guards=[CheckGuard("P1", "bridge", 75.0, 100.0), CheckGuard("P2", "pier", 35.0, 90.0)],
    flow_value=2,
    ways=[CheckWay(["home", "bridge", "east"]), CheckWay(["home", "pier"])],
    closed_at_s=75.0,
)


def test_a_good_result_is_verified_and_what_prices_do_not_show_is_trusted():
    findings = examine(POLICE, GOOD)

    assert [] == findings.wrong
    assert "No fewer than 2 units can close all ways out." in findings.verified
    assert "The value is 0.800000." in findings.verified
    assert "No plan exceeds 1.000000 (by prices that add up)." in findings.verified
    assert ["That no plan exceeds 0.800000 is the search's word."] == findings.trusted


def test_prices_that_add_up_to_the_bound_leave_nothing_to_trust():
    two_places = replace(POLICE, places=POLICE.places[:2])
    prices = CheckBound([0.6, 0.4], {"P1": 0.0}, {"Bridge": 0.6, "Pier": 0.2})

    findings = examine(two_places, replace(GOOD, bound_certificate=prices))

    assert ([], []) == (findings.wrong, findings.trusted)
    assert "No plan exceeds 0.800000 (by prices that add up)." in findings.verified


SPOILED = [
    ({"orders": [CheckOrder("P1", "Bridge", 70.0)]}, "works at Bridge at 75.000 s, not at 70.000 s"),
    ({"orders": [CheckOrder("P1", "Bridge"), CheckOrder("P1", "Pier")]}, "has two places"),
    ({"orders": [CheckOrder("P1", "Bridge"), CheckOrder("P2", "Bridge")]}, "has two units"),
    ({"orders": [CheckOrder("P9", "Bridge")]}, "names no unit"),
    ({"orders": [CheckOrder("clerk", "Bridge")]}, "may not or can't go"),
    ({"orders": [CheckOrder("P1", "Bridge", 75.0, [(1, 90.0)])]}, "Route 1 is not at Bridge"),
    ({"orders": [CheckOrder("P1", "Bridge", 75.0, [(0, 101.0)])]}, "Route 0 is not at Bridge"),
    ({"orders": [CheckOrder("P1", "Bridge", 75.0, [(0, 60.0)])]}, "after route 0 passed"),
    ({"orders": [CheckOrder("P1", "Bridge", 75.0, [(7, 60.0)])]}, "which there is not"),
    ({"value": 0.9}, "The value is 0.800000, not 0.900000"),
    ({"objective": 0.7}, "The objective is 0.800000, not 0.700000"),
    ({"bound": 0.7}, "above its bound"),
    ({"bound": 0.9}, "Called proven"),
    ({"bound_certificate": CheckBound([0.6], {}, {})}, "one price"),
    ({"bound_certificate": CheckBound([0.6, -0.4], {}, {})}, "one price of 0 or more"),
    ({"kind": "certain"}, "No verdict is called"),
    ({"guards": GOOD.guards[:1]}, "The exit pier stays open"),
    (
        {"guards": [CheckGuard("P1", "bridge", 74.0), GOOD.guards[1]]},
        "works at bridge at 75.000 s, not 74.000 s",
    ),
    ({"guards": [CheckGuard("P1", "bridge", 75.0, 101.0), GOOD.guards[1]]}, "before 101.000 s"),
    ({"guards": [GOOD.guards[1], CheckGuard("P2", "bridge")]}, "guards two nodes"),
    ({"guards": [*GOOD.guards, CheckGuard("clerk", "pier")]}, "Two units guard"),
    ({"guards": [*GOOD.guards, CheckGuard("nobody", "pier")]}, "is no unit"),
    ({"guards": [CheckGuard("clerk", "bridge"), GOOD.guards[1]]}, "can't stand"),
    ({"guards": [CheckGuard("P2", "bridge"), CheckGuard("clerk", "pier")]}, "No order sends"),
    ({"closed_at_s": 70.0}, "works at 75.000 s, not at 70.000 s"),
    ({"flow_value": 3}, "do not show that it takes 3"),
    ({"ways": [GOOD.ways[0], GOOD.ways[0]]}, "share a node"),
    ({"ways": [GOOD.ways[0], CheckWay(["home", "east"])]}, "is no way out"),
    ({"ways": [GOOD.ways[0], CheckWay(["home", "bridge"])]}, "is no way out"),
    ({"ways": [GOOD.ways[0], CheckWay(["bridge", "east"])]}, "is no way out"),
    ({"ways": [GOOD.ways[0], CheckWay(["home", "pier"], movement=1)]}, "no such movement"),
    ({"sooner": CheckCertificate([GOOD.ways[1]])}, "can stop"),
    ({"kind": "impossible"}, "there is no certificate"),
    ({"kind": "impossible", "certificate": CheckCertificate(GOOD.ways)}, "The ways carry 2.000000"),
    ({"kind": "impossible", "certificate": CheckCertificate()}, "The ways carry 0.000000"),
    (
        {"kind": "impossible", "certificate": CheckCertificate(branch_on=("P1", "pier"), branches=[])},
        "two branches",
    ),
]


@pytest.mark.parametrize(("spoiled", "said"), SPOILED, ids=[said for _, said in SPOILED])
def test_what_is_claimed_too_much_is_said(spoiled, said):
    wrong = check(POLICE, replace(GOOD, **spoiled))

    assert any(said in sentence for sentence in wrong), wrong


def test_a_certificate_is_checked_on_both_sides_of_a_split():
    """Without the clerk and P2, P1 can hold one of bridge and pier only."""
    alone = replace(POLICE, units=POLICE.units[:1])
    one_way = CheckCertificate([CheckWay(["home", "pier"])])
    other = CheckCertificate([CheckWay(["home", "bridge", "east"])])
    impossible = CheckResult(kind="impossible", certificate=CheckCertificate(GOOD.ways))
    split = replace(
        impossible, certificate=CheckCertificate((), ("P1", "bridge"), [one_way, CheckCertificate(GOOD.ways)])
    )
    wrong_side = replace(
        impossible, certificate=CheckCertificate((), ("P1", "bridge"), [other, CheckCertificate(GOOD.ways)])
    )

    assert [] == check(alone, impossible)
    assert [] == check(alone, split)
    assert [] != check(alone, wrong_side)


def test_a_certificate_that_never_ends_is_refused():
    certificate = CheckCertificate(GOOD.ways)
    for _ in range(300):
        certificate = CheckCertificate((), ("P1", "nowhere"), [certificate, certificate])

    wrong = check(
        replace(POLICE, units=POLICE.units[:1]), CheckResult(kind="impossible", certificate=certificate)
    )

    assert ["The certificate splits more than 200 deep."] == wrong


def test_a_guard_that_relies_on_another_is_verified_as_such():
    """P1 at the pass holds people up, so that P2, late at the ford, still comes first."""
    roads = [Road("home", "pass", 60.0), Road("pass", "ford", 60.0), Road("home", "ford", 600.0)]
    instance = CheckInstance(
        units=[CheckUnit("P1", ready_at={"pass": 30.0}), CheckUnit("P2", ready_at={"ford": 300.0})],
        places=[CheckPlace("Pass", "pass"), CheckPlace("Ford", "ford")],
        movements=[CheckMovement(roads, [("home", 0.0)])],
        exits=["ford"],
    )
    both = CheckResult(kind="guaranteed", guards=[CheckGuard("P1", "pass"), CheckGuard("P2", "ford")])

    findings = examine(instance, both)

    assert ([], 1) == (findings.wrong, len(findings.verified))
    assert "as the others hold people up" in findings.verified[0]
    assert [] != check(instance, replace(both, guards=both.guards[1:]))


def test_pinned_units_must_be_where_they_are_pinned():
    assert [] == check(replace(POLICE, pinned=[("P1", "Bridge")]), GOOD)
    assert ["The unit P1 is pinned to Pier and is not there."] == check(
        replace(POLICE, pinned=[("P1", "Pier")]), GOOD
    )


def test_a_road_of_negative_seconds_is_refused():
    with pytest.raises(ValueError, match="give 0 or more"):
        check(replace(POLICE, roads=[Road("a", "b", -1.0)]), GOOD)


def test_two_units_that_may_both_fail_to_notice_add_up_as_such():
    """Pier twice, at different nodes of one route: 1 - 0.5 * 0.5."""
    instance = CheckInstance(
        units=[CheckUnit("A", ready_at={1: 0.0}), CheckUnit("B", ready_at={2: 0.0})],
        places=[CheckPlace("x", 1, detection=0.5), CheckPlace("y", 2, detection=0.5)],
        routes=[TimedRoute(1.0, [(1, 5.0), (2, 9.0)])],
        bonus={("A", "x"): 0.1},
    )

    orders = [CheckOrder("A", "x"), CheckOrder("B", "y")]

    assert [] == check(instance, CheckResult(orders=orders, value=0.75, objective=0.85))


@given(st.integers(0, 2**32))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_prices_of_the_linear_program_are_confirmed_by_the_checker_and_bound_every_plan(seed):
    rng = np.random.default_rng(seed)
    case = draw_case(rng, nodes_max=7)
    case = replace(case, posts=tuple(dict.fromkeys(case.posts)))
    case = replace(case, setup_s=case.setup_s[: len(case.posts)])
    detection = tuple(float(share) for share in rng.choice([1.0, 0.8, 0.5], size=len(case.posts)))
    routes = draw_routes(rng, case, count=int(rng.integers(1, 8)))
    coverage = coverage_of_case(case, routes, detection)

    found = bound_certificate_of(coverage)

    best = best_value(coverage)
    assert best <= found.bound + 1e-9
    claim = CheckResult(bound=found.bound, bound_certificate=prices_as_told(found))
    findings = examine(case.instance(routes, detection), claim)
    assert ([], []) == (findings.wrong, findings.trusted)


def best_value(coverage: Coverage) -> float:
    """By trying every plan."""
    plans = [()]
    for unit in range(coverage.units):
        free = [p for p in range(coverage.places) if np.isfinite(coverage.ready_s[unit, p])]
        plans = [
            (*plan, place) for plan in plans for place in [None, *free] if place is None or place not in plan
        ]
    return max(value_of(coverage, plan) for plan in plans)


def value_of(coverage: Coverage, plan: tuple[int | None, ...]) -> float:
    unnoticed = np.ones(coverage.routes)
    for unit, place in enumerate(plan):
        if place is not None:
            unnoticed[coverage.meets(unit, place)] *= 1.0 - coverage.detection[place]
    return float(coverage.weights @ (1.0 - unnoticed))


def test_pins_and_bonuses_are_in_the_prices():
    coverage = Coverage(
        weights=np.array([0.5, 0.5]),
        last_pass_s=np.array([[9.0, -np.inf], [-np.inf, 9.0]]),
        ready_s=np.zeros((1, 2)),
        detection=np.ones(2),
        pinned=((0, 1),),
        bonus=np.array([[0.0, 0.1]]),
    )

    assert pytest.approx(0.6) == bound_certificate_of(coverage).bound


def test_prices_without_time_for_the_program_bound_all_the_same():
    coverage = Coverage(
        weights=np.array([0.5, 0.5]),
        last_pass_s=np.array([[9.0, 9.0], [9.0, -np.inf]]),
        ready_s=np.zeros((1, 2)),
        detection=np.ones(2),
    )

    assert 1.0 <= bound_certificate_of(coverage, deadline_s=0.0).bound <= 1.5


def test_the_checker_is_plain_python_that_knows_nothing_of_the_planner():
    allowed = {"__future__", "bisect", "collections", "dataclasses", "heapq", "itertools", "math", "typing"}
    rooms = sorted(Path(checker.__file__).parent.glob("checker*.py"))

    imported = {
        (node.module or "") if isinstance(node, ast.ImportFrom) else node.names[0].name
        for room in rooms
        for node in ast.walk(ast.parse(room.read_text(encoding="utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
    }

    assert len(rooms) >= 5
    others = {name for name in imported if name.split(".")[0] not in allowed}
    assert others == {name for name in others if name.startswith("dispatch.planning.checker")}
