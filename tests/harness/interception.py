"""An independent check of interception plans: plain Python, a heap, and no code of the planner.

It walks states (node, way of travelling) one by one where the planner folds them into sparse matrices, so an error
in the folding shows up as a difference. Only the speed table is shared, for it is a fact and no method.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Collection, Iterator, Mapping

from contracts.base import TravelMode
from dispatch.domain import speeds
from dispatch.domain.network import Network
from dispatch.domain.problem import Assignment, Plan, Problem
from dispatch.domain.reach import Origin

LAYERS = {
    TravelMode.walking: ("walk",),
    TravelMode.car: ("car",),
    TravelMode.bus: ("walk", "bus"),
    TravelMode.ferry: ("walk", "ferry"),
    TravelMode.unknown: ("walk", "car", "bus", "ferry"),
}
Arcs = dict[int, list[tuple[int, str, float]]]


def arcs_of(network: Network, closed_edges: Collection[int] = ()) -> Arcs:
    """Node -> (next node, way of travelling, fastest plausible seconds), straight from the edge table."""
    arcs: Arcs = {node: [] for node in range(network.size)}
    edges = network.edges
    for edge in range(len(edges.ids)):
        if edge in closed_edges:
            continue
        tail, head, length_m = int(edges.tail[edge]), int(edges.head[edge]), float(edges.length_m[edge])
        both = not edges.oneway[edge]
        for layer, allowed, kmh in (
            ("walk", edges.walk[edge], speeds.WALK_KMH),
            ("car", edges.car[edge], float(edges.car_speed_kmh[edge]) * speeds.CAR_FACTOR),
            ("bus", edges.bus[edge], float(edges.bus_speed_kmh[edge]) * speeds.BUS_FACTOR),
            ("ferry", edges.ferry[edge], float(edges.ferry_speed_kmh[edge]) * speeds.FERRY_FACTOR),
        ):
            if allowed:
                arcs[tail].append((head, layer, length_m * 3.6 / kmh))
                if both or layer == "walk":
                    arcs[head].append((tail, layer, length_m * 3.6 / kmh))
    return arcs


def earliest(
    problem: Problem, manned_from_s: Mapping[int, float] | None = None, *, ends: Collection[int] = ()
) -> dict[int, float]:
    """Node -> the first moment anybody stands there unstopped, over all origins."""
    arcs = arcs_of(problem.network, problem.closed_edges)
    best: dict[int, float] = {}
    for origin in problem.origins:
        for node, at_s in _from_origin(problem.network, arcs, origin, manned_from_s or {}, ends).items():
            best[node] = min(at_s, best.get(node, math.inf))
    return best


def _from_origin(
    network: Network, arcs: Arcs, origin: Origin, manned_from_s: Mapping[int, float], ends: Collection[int]
) -> dict[int, float]:
    layers = LAYERS[origin.mode]
    passed = {entry.node for entry in origin.entries if entry.access_s == 0}
    waiting = [
        (origin.seen_s + entry.access_s, entry.node, layer) for entry in origin.entries for layer in layers
    ]
    heapq.heapify(waiting)
    done: set[tuple[int, str]] = set()
    first: dict[int, float] = {}
    while waiting:
        at_s, node, layer = heapq.heappop(waiting)
        if (node, layer) in done:
            continue
        done.add((node, layer))
        if node not in passed and at_s >= manned_from_s.get(node, math.inf):
            continue
        first.setdefault(node, at_s)
        if node in ends and node not in passed:
            continue
        for following, by, seconds in arcs[node]:
            if by == layer:
                heapq.heappush(waiting, (at_s + seconds, following, layer))
        for other in _changes(network, node, layer):
            if other in layers:
                heapq.heappush(waiting, (at_s, node, other))
    return first


def _changes(network: Network, node: int, layer: str) -> Iterator[str]:
    """What somebody can change to: feet and car anywhere, a boat at a pier, a bus at a stop."""
    if layer in ("walk", "car"):
        yield from ("walk", "car")
    if network.nodes.pier[node]:
        if layer == "ferry":
            yield from ("walk", "car")
        elif layer != "bus":
            yield "ferry"
    if network.nodes.bus_stop[node]:
        yield from ("walk", "car") if layer == "bus" else ("bus",)


def driving_s(problem: Problem, base: int) -> dict[int, float]:
    """Node -> seconds a police car surely needs from its base."""
    edges, waiting, done = problem.network.edges, [(0.0, base)], {}
    roads: dict[int, list[tuple[int, float]]] = {}
    for edge in range(len(edges.ids)):
        if not edges.car[edge] or edge in problem.closed_edges:
            continue
        seconds = (
            float(edges.length_m[edge]) * 3.6 / (float(edges.car_speed_kmh[edge]) * speeds.POLICE_FACTOR)
        )
        tail, head = int(edges.tail[edge]), int(edges.head[edge])
        roads.setdefault(tail, []).append((head, seconds))
        if not edges.oneway[edge]:
            roads.setdefault(head, []).append((tail, seconds))
    while waiting:
        at_s, node = heapq.heappop(waiting)
        if node in done:
            continue
        done[node] = at_s
        for following, seconds in roads.get(node, ()):
            heapq.heappush(waiting, (at_s + seconds, following))
    return done


def check_plan(problem: Problem, plan: Plan) -> None:
    """Fail unless every assignment is possible and true to its times, and the open exits are exactly right."""
    places = {place.place_id: place for place in problem.places}
    free_s = earliest(problem)
    _check_each_once(problem, plan)
    for assignment in plan.assignments:
        _check_assignment(problem, assignment, free_s.get(places[assignment.place_id].node, math.inf))
    _check_exits(problem, plan)
    _check_closes(problem, plan)


def _check_each_once(problem: Problem, plan: Plan) -> None:
    units = [assignment.unit_id for assignment in plan.assignments]
    assert len(set(units)) == len(units), "A unit has two places."
    kept = {held.unit_id: held for held in problem.keep}
    for assignment in plan.assignments:
        if assignment.unit_id in kept:
            held = kept.pop(assignment.unit_id)
            assert (held.place_id, held.manned_from_s) == (assignment.place_id, assignment.eta_s)
            assert assignment.reason.code == "kept"
    assert not kept, "A unit that accepted is missing from the plan."
    held_places = {held.place_id for held in problem.keep}
    new = [assignment.place_id for assignment in plan.assignments if assignment.reason.code != "kept"]
    assert len(set(new)) == len(new), "A place has two new units."
    assert not held_places & set(new), "A place that is held got a second unit."
    assert not problem.excluded & {a.unit_id for a in plan.assignments if a.reason.code != "kept"}
    on_duty = (
        {unit.unit_id for unit in problem.units} - problem.excluded - {held.unit_id for held in problem.keep}
    )
    assert on_duty == set(plan.free_units) | (set(units) - {held.unit_id for held in problem.keep})


def _check_assignment(problem: Problem, assignment: Assignment, free_s: float) -> None:
    assert assignment.earliest_arrival_s == (None if math.isinf(free_s) else _near(free_s))
    if assignment.reason.code == "kept":
        return
    unit = next(unit for unit in problem.units if unit.unit_id == assignment.unit_id)
    place = next(place for place in problem.places if place.place_id == assignment.place_id)
    assert place.needs in unit.capabilities, "The unit cannot do what the place needs."
    assert unit.post in (None, place.place_id), "Station staff left their post."
    travel_s = 0.0 if unit.post else driving_s(problem, unit.node)[place.node]
    started_s = problem.now_s + problem.order_delivery_s + unit.turnout_s
    assert assignment.eta_s == _near(started_s + travel_s + place.setup_s)
    assert assignment.margin_s == _near(free_s - assignment.eta_s)
    if assignment.in_time:
        assert assignment.eta_s + problem.margin_s <= free_s + 1e-6, "Claimed in time, but it is not."
    if not problem.send_late:
        assert assignment.in_time


def _check_exits(problem: Problem, plan: Plan) -> None:
    ends = {way_out.node for way_out in problem.exits}
    reachable = earliest(problem, ends=ends)
    past = earliest(problem, manned_by(problem, plan), ends=ends)
    is_open = {out.exit_id: past[out.node] for out in problem.exits if out.node in past}
    assert set(is_open) == {out.exit_id for out in plan.open_exits}
    for out in plan.open_exits:
        assert out.earliest_arrival_s == _near(is_open[out.exit_id])
    assert set(plan.unreachable_exits) == {out.exit_id for out in problem.exits if out.node not in reachable}
    every = [*plan.closed_exits, *is_open, *plan.unreachable_exits]
    assert sorted(every) == sorted(out.exit_id for out in problem.exits)


def manned_by(problem: Problem, plan: Plan) -> dict[int, float]:
    """Node -> from when it is closed: kept units as they say, new ones a margin after they work there."""
    nodes = {place.place_id: place.node for place in problem.places}
    manned: dict[int, float] = {}
    for assignment in plan.assignments:
        node = nodes[assignment.place_id]
        from_s = assignment.eta_s + (0 if assignment.reason.code == "kept" else problem.margin_s)
        manned[node] = min(from_s, manned.get(node, math.inf))
    return manned


def _check_closes(problem: Problem, plan: Plan) -> None:
    """Exactly those exits to which roads lead past all others that are in time, but not past this unit too."""
    nodes = {place.place_id: place.node for place in problem.places}
    reachable = earliest(problem, ends={way_out.node for way_out in problem.exits})
    exits = {way_out.exit_id: way_out.node for way_out in problem.exits if way_out.node in reachable}
    sure = [assignment for assignment in plan.assignments if assignment.in_time]
    with_all = _roads_lead_to(problem, {nodes[other.place_id] for other in sure})
    for assignment in plan.assignments:
        others = {nodes[other.place_id] for other in sure if other is not assignment}
        without = _roads_lead_to(problem, others) if assignment.in_time else with_all
        expected = {exit_id for exit_id, node in exits.items() if node in without and node not in with_all}
        assert set(assignment.closes) == expected
        assert expected <= set(plan.closed_exits)


def _roads_lead_to(problem: Problem, manned: Collection[int]) -> set[int]:
    """Nodes reached without passing a manned one or an exit, by any arc of any hypothesis, times left aside."""
    arcs = arcs_of(problem.network, problem.closed_edges)
    layers = {layer for origin in problem.origins for layer in LAYERS[origin.mode]}
    passed = {entry.node for origin in problem.origins for entry in origin.entries if entry.access_s == 0}
    ends = {way_out.node for way_out in problem.exits} - passed
    possible = set(earliest(problem))
    stopped = set(manned) - passed
    waiting = [
        entry.node for origin in problem.origins for entry in origin.entries if entry.node not in stopped
    ]
    seen = set(waiting)
    while waiting:
        node = waiting.pop()
        for following, by, _ in arcs[node] if node not in ends else ():
            if by in layers and following in possible and following not in seen | stopped:
                seen.add(following)
                waiting.append(following)
    return seen


def _near(value: float) -> object:
    import pytest

    return pytest.approx(value, abs=1e-4)
