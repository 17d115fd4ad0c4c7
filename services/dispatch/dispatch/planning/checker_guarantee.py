"""The checker's word on verdicts: closed for sure, or not closable, and why no sooner and no fewer.

GUARANTEED holds if somebody who moves as fast as any movement allows, and passes every node before its guard works,
comes to no exit. IMPOSSIBLE holds by weak duality: each unit stops at one node at most, so if the ways out carry more
than the units can stop, one each, some way stays open, wherever the units stand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from dispatch.planning.checker_model import (
    NEVER,
    TOLERANCE,
    TOLERANCE_S,
    CheckCertificate,
    CheckGuard,
    CheckInstance,
    CheckMovement,
    CheckResult,
    CheckWay,
    Findings,
    Name,
)
from dispatch.planning.checker_roads import Ahead, Readiness, ahead_of, along, earliest

BRANCHES_DEEP_MAX = 200
"""Splits inside splits; more is refused, because nobody could follow it."""


class TimedWay(NamedTuple):
    """A way out with the last moment at which somebody on it is at each node, and its flow."""

    at: Mapping[Name, float]
    flow: float


class _Movement(NamedTuple):
    movement: CheckMovement
    ahead: Ahead


class Verdicts:
    """The verdict of one result, checked against its instance; sentences go to `findings`."""

    def __init__(self, instance: CheckInstance, readiness: Readiness, findings: Findings) -> None:
        self._instance = instance
        self._readiness = readiness
        self._findings = findings
        self._movements = [_Movement(movement, ahead_of(movement.roads)) for movement in instance.movements]

    def check(self, result: CheckResult) -> None:
        """Check what the verdict claims; a probabilistic one claims nothing that could be wrong here."""
        match result.kind:
            case "guaranteed":
                self._check_guaranteed(result)
            case "impossible":
                self._check_impossible(result)
            case "probabilistic" | None:
                pass
            case other:
                self._findings.wrong.append(f"No verdict is called {other!r}.")

    # -- guaranteed --------------------------------------------------------------------------------------------

    def _check_guaranteed(self, result: CheckResult) -> None:
        faults = len(self._findings.wrong)
        ready_s = self._guards_ready_s(result.guards)
        if len(self._findings.wrong) > faults:
            return
        self._check_closed(result.guards, ready_s)
        self._check_orders_are_guards(result)
        last_s = max(ready_s.values(), default=None)
        if result.closed_at_s is not None and last_s is not None:
            self._check_closed_at(result.closed_at_s, last_s)
        if result.flow_value is not None:
            self._check_fewest(result)
        if result.sooner is not None:
            self._check_sooner(result, result.sooner)

    def _guards_ready_s(self, guards: Iterable[CheckGuard]) -> dict[Name, float]:
        """Node -> when its guard works by our own count; says what is wrong with a guard."""
        wrong = self._findings.wrong
        ready_s: dict[Name, float] = {}
        busy: set[Name] = set()
        for guard in guards:
            if guard.unit not in self._readiness.units:
                wrong.append(f"The guard {guard.unit} is no unit.")
                continue
            ready = self._ready_s(guard.unit).get(guard.node, NEVER)
            if guard.unit in busy:
                wrong.append(f"The unit {guard.unit} guards two nodes.")
            if guard.node in ready_s:
                wrong.append(f"Two units guard the node {guard.node}.")
            if ready == NEVER:
                wrong.append(f"The unit {guard.unit} can't stand at the node {guard.node}.")
            if guard.ready_s is not None and guard.ready_s < ready - TOLERANCE_S:
                wrong.append(
                    f"{guard.unit} works at {guard.node} at {ready:.3f} s, not {guard.ready_s:.3f} s."
                )
            busy.add(guard.unit)
            ready_s[guard.node] = ready
        return ready_s

    def _check_closed(self, guards: Iterable[CheckGuard], ready_s: Mapping[Name, float]) -> None:
        closed_from_s = {node: ready + self._instance.margin_s for node, ready in ready_s.items()}
        faults = len(self._findings.wrong)
        alone = True
        comes_s = dict.fromkeys(ready_s, NEVER)
        for number, (movement, ahead) in enumerate(self._movements):
            passed, stopped = earliest(ahead, movement.sources, closed_from_s)
            free, _ = earliest(ahead, movement.sources)
            for node in self._instance.exits:
                if node in passed:
                    self._findings.wrong.append(
                        f"The exit {node} stays open: movement {number} is there at {passed[node]:.3f} s."
                    )
            for node in ready_s:
                first_s = min(stopped.get(node, NEVER), passed.get(node, NEVER))
                comes_s[node] = min(comes_s[node], first_s)
                alone = alone and closed_from_s[node] <= free.get(node, NEVER) + TOLERANCE_S
        for guard in guards:
            if guard.arrival_s is not None and comes_s[guard.node] < guard.arrival_s - TOLERANCE_S:
                self._findings.wrong.append(
                    f"Somebody can be at {guard.node} at {comes_s[guard.node]:.3f} s, before {guard.arrival_s:.3f} s."
                )
        if len(self._findings.wrong) == faults:
            how = "in place before anybody can be there" if alone else "in time, as the others hold people up"
            self._findings.verified.append(
                f"{len(ready_s)} guards, each {how}, leave no way from any source to any exit."
            )

    def _check_orders_are_guards(self, result: CheckResult) -> None:
        """A guarantee that the orders don't carry out is none."""
        if not result.orders:
            return
        places = self._readiness.places
        ordered = {(order.unit, places[order.place].node) for order in result.orders if order.place in places}
        for guard in result.guards:
            if (guard.unit, guard.node) not in ordered:
                self._findings.wrong.append(f"No order sends {guard.unit} to its node {guard.node}.")

    def _check_closed_at(self, claimed_s: float, last_s: float) -> None:
        if abs(claimed_s - last_s) > TOLERANCE_S:
            self._findings.wrong.append(f"The last guard works at {last_s:.3f} s, not at {claimed_s:.3f} s.")
        else:
            self._findings.verified.append(f"All ways are closed at {last_s:.3f} s.")

    # -- no fewer, no sooner -------------------------------------------------------------------------------------

    def _check_fewest(self, result: CheckResult) -> None:
        claimed = result.flow_value
        if not result.ways:
            if claimed:
                self._findings.trusted.append(
                    f"That no fewer than {claimed} units can do has no ways to show it."
                )
            return
        if claimed != len(result.ways):
            self._findings.wrong.append(f"{len(result.ways)} ways do not show that it takes {claimed} units.")
            return
        timed = self._timed(result.ways)
        if timed is None:
            return
        until_s = NEVER if result.sooner is None or result.closed_at_s is None else result.closed_at_s
        first_s = self._first_ready_s(until_s + TOLERANCE_S)
        which = "" if until_s == NEVER else f", of those that work by {until_s:.3f} s,"
        if not _share(timed, lambda node, at_s: first_s.get(node, NEVER) <= at_s):
            self._findings.verified.append(f"No fewer than {claimed} units{which} can close all ways out.")
            return
        earliest_s = [earliest(ahead, movement.sources)[0] for movement, ahead in self._movements]
        in_time = {
            node
            for node, ready in first_s.items()
            if ready <= min((times.get(node, NEVER) for times in earliest_s), default=NEVER)
        }
        if _share(timed, lambda node, _: node in in_time):
            self._findings.wrong.append("Two of the ways share a node that one unit could hold in time.")
            return
        self._findings.verified.append(
            f"No fewer than {claimed} units{which} can do, each in place before anybody can be there."
        )

    def _first_ready_s(self, until_s: float) -> dict[Name, float]:
        """Node -> the earliest moment from which any unit stops whoever comes, if it works by `until_s`."""
        first: dict[Name, float] = {}
        for name in self._readiness.units:
            for node, ready in self._ready_s(name).items():
                if ready <= until_s:
                    first[node] = min(first.get(node, NEVER), ready + self._instance.margin_s)
        return first

    def _check_sooner(self, result: CheckResult, certificate: CheckCertificate) -> None:
        if result.closed_at_s is None:
            self._findings.wrong.append("A proof of the earliest closing needs `closed_at_s`.")
            return
        before_s = result.closed_at_s - TOLERANCE_S
        ready_s = {
            name: {node: ready for node, ready in self._ready_s(name).items() if ready < before_s}
            for name in self._readiness.units
        }
        if self._stays_open(certificate, ready_s, 0):
            self._findings.verified.append(
                f"Units that work before {result.closed_at_s:.3f} s can't close all ways, wherever they stand."
            )

    # -- impossible ----------------------------------------------------------------------------------------------

    def _check_impossible(self, result: CheckResult) -> None:
        if result.certificate is None:
            self._findings.wrong.append("The verdict is impossible, but there is no certificate.")
            return
        ready_s = {name: self._ready_s(name) for name in self._readiness.units}
        if self._stays_open(result.certificate, ready_s, 0):
            self._findings.verified.append("Some way out stays open, wherever the units stand.")

    def _stays_open(
        self, certificate: CheckCertificate, ready_s: Mapping[Name, Mapping[Name, float]], deep: int
    ) -> bool:
        """Whether the certificate shows it for units that work at these nodes only (unit -> node -> seconds)."""
        if deep > BRANCHES_DEEP_MAX:
            self._findings.wrong.append(f"The certificate splits more than {BRANCHES_DEEP_MAX} deep.")
            return False
        if certificate.branch_on is not None:
            return self._both_stay_open(certificate, ready_s, deep)
        timed = self._timed(certificate.ways)
        if timed is None:
            return False
        flow = sum(way.flow for way in timed)
        stopped = sum(self._most_stopped(timed, nodes) for nodes in ready_s.values())
        if flow <= stopped + TOLERANCE:
            self._findings.wrong.append(f"The ways carry {flow:.6f}, and the units can stop {stopped:.6f}.")
            return False
        return True

    def _both_stay_open(
        self, certificate: CheckCertificate, ready_s: Mapping[Name, Mapping[Name, float]], deep: int
    ) -> bool:
        assert certificate.branch_on is not None
        unit, node = certificate.branch_on
        if unit not in ready_s or len(certificate.branches) != 2:
            self._findings.wrong.append(f"The split on {unit} at {node} needs a known unit and two branches.")
            return False
        own = ready_s[unit]
        stands = {at: ready for at, ready in own.items() if at == node}
        elsewhere = {at: ready for at, ready in own.items() if at != node}
        return self._stays_open(
            certificate.branches[0], {**ready_s, unit: stands}, deep + 1
        ) and self._stays_open(certificate.branches[1], {**ready_s, unit: elsewhere}, deep + 1)

    def _most_stopped(self, ways: Iterable[TimedWay], ready_s: Mapping[Name, float]) -> float:
        """The most flow that one unit stops at any one of its nodes."""
        at_node: dict[Name, float] = {}
        for way in ways:
            for node, at_s in way.at.items():
                if ready_s.get(node, NEVER) + self._instance.margin_s <= at_s:
                    at_node[node] = at_node.get(node, 0.0) + way.flow
        return max(at_node.values(), default=0.0)

    def _timed(self, ways: Iterable[CheckWay]) -> list[TimedWay] | None:
        """The ways with their times; None, and a sentence, if one of them is no way out."""
        timed = []
        for way in ways:
            if not 0 <= way.movement < len(self._movements) or not way.nodes or not way.flow >= 0:
                self._findings.wrong.append("A way has no nodes, no such movement or a negative flow.")
                return None
            times = along(*self._movements[way.movement], way.nodes)
            if times is None or way.nodes[-1] not in self._instance.exits:
                self._findings.wrong.append(
                    f"{way.nodes[0]} to {way.nodes[-1]} is no way out: {list(way.nodes)}."
                )
                return None
            timed.append(TimedWay(dict(zip(way.nodes, times, strict=True)), way.flow))
        return timed

    def _ready_s(self, unit: Name) -> dict[Name, float]:
        return self._readiness.at_nodes(self._readiness.units[unit])


def _share(ways: Iterable[TimedWay], held: Callable[[Name, float], bool]) -> bool:
    """Whether two of the ways pass one node where a unit would stop both."""
    seen: set[Name] = set()
    for way in ways:
        for node, at_s in way.at.items():
            if held(node, at_s):
                if node in seen:
                    return True
                seen.add(node)
    return False
