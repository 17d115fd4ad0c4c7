"""Reads an instance and a result for the checker: plain JSON and CSV, none of the planner's own reading.

What the planner reads wrong must not be read wrong here too, so nothing is shared: not the models, not the network,
not the arithmetic of travel times. It is the other half of the independent checker.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from dispatch.planning.check_map import Map, beside_m, canonical, great_circle_m, map_of, roads_of
from dispatch.planning.checker import examine
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
    Findings,
    TimedRoute,
)

AT_NODE_M = 50.0
NEAR_M = 500.0
FILE_BYTES_MAX = 400 * 2**20
DEFAULT_SURE = {
    "modes": ["unknown"],
    "car_factor": 1.5,
    "bus_factor": 1.2,
    "ferry_factor": 1.2,
    "walk_kmh": 7.2,
}
KINDS = {
    "walking": ("walk",),
    "car": ("car",),
    "bus": ("walk", "bus"),
    "ferry": ("walk", "ferry"),
    "unknown": ("walk", "car", "bus", "ferry"),
}

Json = Mapping[str, Any]


def check_files(instance_file: Path, result_file: Path) -> Findings:
    """Check a result against its instance, both files.

    Raises: OSError, ValueError or KeyError, if a file can't be read or lacks a field that it must have.
    """
    instance, result = read_json(instance_file), read_json(result_file)
    return check_json(instance, result, instance_file.parent)


def check_json(instance: Json, result: Json, beside: Path) -> Findings:
    """The same from parsed JSON; paths in the instance are relative to `beside`."""
    ground = map_of(instance, beside)
    question = _instance(instance, result, ground)
    findings = examine(question, _result(instance, result))
    _check_hashes(instance, result, ground, findings)
    _check_order_notes(result, question, findings)
    _check_probability(instance, result, findings)
    return findings


def read_json(path: Path) -> dict[str, Any]:
    """One JSON object. Raises: OSError, ValueError."""
    if path.stat().st_size > FILE_BYTES_MAX:
        raise ValueError(f"{path} is larger than {FILE_BYTES_MAX // 2**20} MiB.")
    value = json.loads(path.read_text(encoding="utf-8-sig"))
    if not isinstance(value, dict):
        raise ValueError(f"{path} holds no JSON object.")
    return value


# -- the question --------------------------------------------------------------------------------------------------


def _instance(instance: Json, result: Json, ground: Map) -> CheckInstance:
    limits = instance.get("limits", {})
    sure = {**DEFAULT_SURE, **instance.get("sure", {})}
    places = [_place(place, ground, limits) for place in instance["places"]]
    ordered = {str(order["unit"]): str(order["place"]) for order in result["plan"] if order["guard"]}
    pins = {str(pin["unit"]): str(pin["place"]) for pin in instance.get("pins", [])}
    return CheckInstance(
        units=[_unit(unit, instance, ground, places) for unit in instance["units"]],
        places=places,
        roads=roads_of(ground, ["car"], {"car_factor": 1.0}),
        movements=[
            CheckMovement(roads_of(ground, KINDS[mode], sure), _sources(instance, ground, sure))
            for mode in dict.fromkeys(sure["modes"])
        ],
        exits=[_node(way, ground, limits) for way in instance.get("exits", [])],
        routes=_routes(instance, result),
        margin_s=float(limits.get("margin_s", 0.0)),
        pinned=sorted({**ordered, **pins}.items()),
    )


def _order_s(instance: Json) -> float:
    seen_s = float(instance["start"].get("time_s", 0.0))
    report_s = instance.get("report_s")
    return (seen_s if report_s is None else float(report_s)) + float(instance.get("delay_s", 0.0))


def _unit(unit: Json, instance: Json, ground: Map, places: Sequence[CheckPlace]) -> CheckUnit:
    """Where it starts and where it may go: capability, post, forbidden pairs and pins."""
    name, post = str(unit["id"]), unit.get("post")
    free_s = _order_s(instance)
    if unit.get("available_s") is not None:
        free_s = max(free_s, float(unit["available_s"]))
    turnout_s = float(unit.get("turnout_s", 0.0))
    allowed = frozenset(_allowed(unit, instance))
    if post is not None:
        place = next(one for one in places if one.name == str(post))
        ready = {place.node: free_s + turnout_s + place.setup_s}
        return CheckUnit(name, places=allowed & {place.name}, ready_at=ready)
    return CheckUnit(
        name=name,
        node=_node(unit, ground, instance.get("limits", {})),
        free_s=free_s,
        turnout_s=turnout_s,
        slower=1.0 / float(unit.get("speed_factor", 1.0)),
        places=allowed,
    )


def _allowed(unit: Json, instance: Json) -> set[str]:
    name = str(unit["id"])
    able = {str(one) for one in unit.get("capabilities", [])}
    pins = {str(pin["unit"]): str(pin["place"]) for pin in instance.get("pins", [])}
    allowed = set()
    for place in instance["places"]:
        at = str(place["id"])
        needs = place.get("needs")
        forbidden = any(
            pair.get("unit") in (None, unit["id"]) and pair.get("place") in (None, place["id"])
            for pair in instance.get("forbidden", [])
        )
        pinned_away = (name in pins and pins[name] != at) or (at in pins.values() and pins.get(name) != at)
        if (needs is None or str(needs) in able) and not forbidden and not pinned_away:
            allowed.add(at)
    return allowed


def _place(place: Json, ground: Map, limits: Json) -> CheckPlace:
    detection = place.get("detection")
    return CheckPlace(
        name=str(place["id"]),
        node=_node(place, ground, limits),
        setup_s=float(place.get("setup_s", 0.0)),
        detection=float(limits.get("detection", 1.0) if detection is None else detection),
    )


def _node(position: Json, ground: Map, limits: Json) -> str:
    """Its node, or the nearest one. Raises: ValueError, if it is unknown or too far away."""
    if position.get("node") is not None:
        node = str(position["node"])
        if node not in ground.nodes:
            raise ValueError(f"{node!r} is not a node of the network.")
        return node
    here = (float(position["lon"]), float(position["lat"]))
    node = min(ground.nodes, key=lambda each: great_circle_m(here, ground.nodes[each]))
    if great_circle_m(here, ground.nodes[node]) > float(limits.get("max_snap_m", 500.0)):
        raise ValueError(f"{here} is off the network.")
    return node


def _sources(instance: Json, ground: Map, sure: Json) -> list[tuple[str, float]]:
    """Where they may have been: the node, or both ends of every road near the position, at top speed from there."""
    start, limits = instance["start"], instance.get("limits", {})
    seen_s, node = float(start.get("time_s", 0.0)), _node(start, ground, limits)
    if start.get("node") is not None:
        return [(node, seen_s)]
    here = (float(start["lon"]), float(start["lat"]))
    if great_circle_m(here, ground.nodes[node]) <= AT_NODE_M:
        return [(node, seen_s)]
    top_kmh = float(sure["walk_kmh"])
    for one in ground.stretches:
        top_kmh = max([top_kmh, *(kmh * float(sure[f"{kind}_factor"]) for kind, kmh in one.kmh.items())])
    away = [(one, beside_m(here, ground.nodes[one.tail], ground.nodes[one.head])) for one in ground.stretches]
    nearest = min((away_m for _, away_m in away), default=0.0)
    ends = {node}
    for one, away_m in away:
        if away_m <= nearest + NEAR_M:
            ends |= {one.tail, one.head}
    return [(end, seen_s + great_circle_m(here, ground.nodes[end]) * 3.6 / top_kmh) for end in sorted(ends)]


def _routes(instance: Json, result: Json) -> list[TimedRoute]:
    """Those of the instance, scaled to sum 1, or those that the result was planned on."""
    given = instance.get("routes") or []
    routes = given or result.get("routes") or []
    total = sum(float(route.get("weight", 1.0)) for route in routes) or 1.0
    return [
        TimedRoute(
            float(route.get("weight", 1.0)) / (total if given else 1.0),
            [(str(node), float(at_s)) for node, at_s in route["stops"]],
        )
        for route in routes
    ]


# -- the answer ----------------------------------------------------------------------------------------------------


def _result(instance: Json, result: Json) -> CheckResult:
    verdict, proof = result["verdict"], result["proof"]
    guaranteed = verdict["kind"] == "guaranteed"
    passes = [_last_pass_s(route) for route in instance.get("routes") or result.get("routes") or []]
    prices = proof.get("bound_certificate")
    return CheckResult(
        orders=[_order(order, passes) for order in result["plan"]],
        value=float(result["value"]),
        bound=float(result["bound"]),
        proven=bool(result["proven"]),
        bound_certificate=None if prices is None else _prices(instance, prices),
        kind=str(verdict["kind"]),
        guards=[
            CheckGuard(str(guard["unit"]), str(guard["node"]), guard["ready_s"], guard["arrival_s"])
            for guard in verdict["guards"]
        ],
        flow_value=verdict.get("flow_value") if guaranteed else None,
        ways=[_way(way) for way in proof.get("ways", [])],
        closed_at_s=verdict.get("closed_at_s") if guaranteed else None,
        certificate=_certificate(proof.get("certificate")),
        sooner=_certificate(proof.get("sooner")) if guaranteed else None,
    )


def _last_pass_s(route: Json) -> dict[str, float]:
    last: dict[str, float] = {}
    for node, at_s in route["stops"]:
        last[str(node)] = max(float(at_s), last.get(str(node), float(at_s)))
    return last


def _order(order: Json, passes: Sequence[Mapping[str, float]]) -> CheckOrder:
    """Each route it is said to meet, at the last moment the route gives it; one that never passes there, at 0."""
    node = str(order["node"])
    meets = [
        (int(route), passes[route].get(node, 0.0) if 0 <= route < len(passes) else 0.0)
        for route in order["meets"]
    ]
    return CheckOrder(str(order["unit"]), str(order["place"]), order["ready_s"], meets)


def _prices(instance: Json, prices: Json) -> CheckBound:
    """By name; lists are in the order of the instance."""
    units, places = ([str(one["id"]) for one in instance[field]] for field in ("units", "places"))
    return CheckBound(
        routes=[float(price) for price in prices["routes"]],
        units=dict(zip(units, map(float, prices["units"]), strict=True)),
        places=dict(zip(places, map(float, prices["places"]), strict=True)),
    )


def _way(way: Json) -> CheckWay:
    return CheckWay([str(node) for node in way["nodes"]], int(way["movement"]), float(way["flow"]))


def _certificate(certificate: Json | None) -> CheckCertificate | None:
    if certificate is None:
        return None
    split = certificate.get("branch_on")
    branches = [_certificate(branch) for branch in certificate.get("branches", [])]
    return CheckCertificate(
        ways=[_way(path) for path in certificate.get("paths", [])],
        branch_on=None if split is None else (str(split["unit"]), str(split["node"])),
        branches=[branch for branch in branches if branch is not None],
    )


# -- what the file says besides ------------------------------------------------------------------------------------


def _check_hashes(instance: Json, result: Json, ground: Map, findings: Findings) -> None:
    """The result is of this instance and this network."""
    own = {"instance_sha256": sha256(canonical(instance)).hexdigest(), "network_sha256": ground.sha256}
    for field, value in own.items():
        if result[field] != value:
            findings.wrong.append(
                f"{field} is {result[field][:12]}..., but the files here have {value[:12]}..."
            )
        else:
            findings.verified.append(f"{field} is that of the files.")


def _check_order_notes(result: Json, question: CheckInstance, findings: Findings) -> None:
    """What stands beside the orders: nodes, guards, units that are free."""
    nodes = {place.name: place.node for place in question.places}
    guards = {str(guard["unit"]) for guard in result["verdict"]["guards"]}
    sent = [str(order["unit"]) for order in result["plan"]]
    for order in result["plan"]:
        if nodes.get(str(order["place"])) != str(order["node"]):
            findings.wrong.append(f"The place {order['place']} is not at the node {order['node']}.")
        if order["guard"] != (str(order["unit"]) in guards and result["verdict"]["kind"] == "guaranteed"):
            findings.wrong.append(f"{order['unit']} is called a guard in one part of the result only.")
    if sorted([*sent, *map(str, result["free_units"])]) != sorted(str(unit.name) for unit in question.units):
        findings.wrong.append("Units that are sent and units that are free are not all units, once each.")


def _check_probability(instance: Json, result: Json, findings: Findings) -> None:
    verdict = result["verdict"]
    stated, basis = float(verdict["probability"]), verdict["basis"]
    if not float(verdict["low"]) - 1e-9 <= stated <= float(verdict["high"]) + 1e-9:
        findings.wrong.append("The probability lies outside its own interval.")
    if basis == "proof" and (verdict["kind"] != "guaranteed" or stated != 1.0):
        findings.wrong.append("Only a guarantee is certain by proof.")
    elif basis == "planned_routes" and abs(stated - float(result["value"])) > 1e-6:
        findings.wrong.append(
            "The probability is said to be that of the routes planned on, but is not the value."
        )
    elif basis == "fresh_routes":
        findings.trusted.append("The probability was measured on fresh routes, which are not in the result.")
    if not (instance.get("routes") or []):
        findings.trusted.append("That the routes are what the hypotheses would give is the planner's word.")
