"""An independent check of interception plans: plain Python, a heap, and no code of the planner.

It walks states (node, way of travelling) one by one where the planner folds them into sparse matrices, so an error
in the folding shows up as a difference. Only the speed table is shared, for it is a fact and no method.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Collection, Iterator, Mapping

from contracts.base import TravelMode, UnitId
from dispatch.domain import speeds
from dispatch.domain.network import Network
from dispatch.domain.problem import Assignment, Place, PlaceId, Plan, Problem, Unit
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
    """Node -> seconds a police car surely needs from its base, in the traffic there is."""
    edges, waiting, done = problem.network.edges, [(0.0, base)], {}
    roads: dict[int, list[tuple[int, float]]] = {}
    for edge in range(len(edges.ids)):
        if not edges.car[edge] or edge in problem.closed_edges:
            continue
        kmh = float(edges.car_speed_kmh[edge]) * speeds.POLICE_FACTOR * problem.traffic.get(edge, 1.0)
        seconds = float(edges.length_m[edge]) * 3.6 / kmh
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
    _check_commands(problem, plan)
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


def _check_commands(problem: Problem, plan: Plan) -> None:
    """Every pin is carried out, passed on, met by a kept unit or said to be unmet; nothing forbidden is used."""
    nodes = {place.place_id: place.node for place in problem.places}
    new = {a.unit_id: a for a in plan.assignments if a.reason.code != "kept"}
    kept_nodes = {nodes[held.place_id] for held in problem.keep}
    for unit_id, assignment in new.items():
        pairs = ((unit_id, assignment.place_id), (unit_id, None), (None, assignment.place_id))
        assert not set(pairs) & problem.forbidden, "The plan does what was forbidden."
        assert problem.pins.get(unit_id, assignment.place_id) == assignment.place_id, (
            "A pinned unit went astray."
        )
    manned = {nodes[a.place_id] for a in new.values() if a.reason.code.startswith("pinned")} | kept_nodes
    at_hand = {unit.unit_id for unit in problem.units} - problem.excluded
    for unit_id, place_id in problem.pins.items():
        if (unit_id, place_id) in plan.pins_unmet:
            why_not = _cannot(problem, unit_id, place_id) or nodes[place_id] in manned
            assert why_not, "A pin is said to be unmet, but it could be met."
        elif unit_id in at_hand and unit_id not in {held.unit_id for held in problem.keep}:
            assert new[unit_id].place_id == place_id
            assert new[unit_id].reason.code.startswith("pinned")
        else:
            assert nodes[place_id] in manned, "The place of a pin stays empty, and nobody says so."
    for assignment in new.values():
        if assignment.reason.code.startswith("pinned"):
            assert nodes[assignment.place_id] in {nodes[place_id] for place_id in problem.pins.values()}


def _cannot(problem: Problem, unit_id: UnitId, place_id: PlaceId) -> bool:
    """Whether the unit can't stand there, or, if it is not at hand, nobody without a pin of their own can."""
    place = next(place for place in problem.places if place.place_id == place_id)
    at_hand = {unit.unit_id: unit for unit in problem.units if unit.unit_id not in problem.excluded}
    kept = {held.unit_id for held in problem.keep}
    asked = (
        [at_hand[unit_id]]
        if unit_id in at_hand
        else [unit for unit in at_hand.values() if unit.unit_id not in (*problem.pins, *kept)]
    )
    others = sum(1 for pin in problem.pins if pin not in at_hand)
    able = [unit for unit in asked if _can(problem, unit, place)]
    # Of units that stand in for others, each can do so once.
    return len(able) < (1 if unit_id in at_hand else others)


def _can(problem: Problem, unit: Unit, place: Place) -> bool:
    pairs = {(unit.unit_id, place.place_id), (unit.unit_id, None), (None, place.place_id)}
    if pairs & problem.forbidden or place.needs not in unit.capabilities:
        return False
    if unit.post is not None:
        return unit.post == place.place_id
    return place.node in driving_s(problem, unit.node)


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
    by_command = assignment.reason.code.startswith("pinned")
    assert by_command or math.isfinite(free_s), "A unit is sent where nobody can come."
    assert assignment.margin_s == (None if math.isinf(free_s) else _near(free_s - assignment.eta_s))
    if assignment.in_time:
        assert assignment.eta_s + problem.margin_s <= free_s + 1e-6, "Claimed in time, but it is not."
    if by_command:
        assert assignment.in_time == (assignment.reason.code != "pinned_late")
    if not problem.send_late:
        assert assignment.in_time or by_command


def _check_exits(problem: Problem, plan: Plan) -> None:
    ends = {way_out.node for way_out in problem.exits}
    reachable = earliest(problem, ends=ends)
    past = earliest(problem, manned_by(problem, plan), ends=ends)
    is_open = {out.exit_id: past[out.node] for out in problem.exits if out.node in past}
    assert set(is_open) == {out.exit_id for out in plan.open_exits}
    for out in plan.open_exits:
        assert out.earliest_arrival_s == _near(is_open[out.exit_id])
    own = earliest(problem, manned_by(problem, plan, neighbours=False), ends=ends)
    assert set(plan.aided_exits) == {
        out.exit_id for out in problem.exits if out.node in own and out.node not in past
    }
    assert set(plan.unreachable_exits) == {out.exit_id for out in problem.exits if out.node not in reachable}
    every = [*plan.closed_exits, *is_open, *plan.unreachable_exits]
    assert sorted(every) == sorted(out.exit_id for out in problem.exits)


def manned_by(problem: Problem, plan: Plan, *, neighbours: bool = True) -> dict[int, float]:
    """Node -> from when it is closed: kept units and neighbours as they say, new ones a margin after they work."""
    nodes = {place.place_id: place.node for place in problem.places}
    manned: dict[int, float] = {}
    for assignment in plan.assignments:
        node = nodes[assignment.place_id]
        from_s = assignment.eta_s + (0 if assignment.reason.code == "kept" else problem.margin_s)
        manned[node] = min(from_s, manned.get(node, math.inf))
    for out in problem.exits if neighbours else ():
        from_s = min(problem.manned_exits.get(out.exit_id, math.inf), manned.get(out.node, math.inf))
        if from_s < math.inf:
            manned[out.node] = from_s
    return manned


def _check_closes(problem: Problem, plan: Plan) -> None:
    """Exactly those exits to which roads lead past all others that are in time, but not past this unit too."""
    nodes = {place.place_id: place.node for place in problem.places}
    reachable = earliest(problem, ends={way_out.node for way_out in problem.exits})
    passed = {entry.node for origin in problem.origins for entry in origin.entries if entry.access_s == 0}
    exits = {
        out.exit_id: out.node
        for out in problem.exits
        if out.node in reachable
        and (out.node in passed or problem.manned_exits.get(out.exit_id, math.inf) > reachable[out.node])
    }
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
