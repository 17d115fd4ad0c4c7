"""The checker's word on orders and their value: who is where when, whom they meet, and what no plan can exceed.

The bound needs no trust in a solver. With a price y a route, and prices for units and places such that
pi_unit + mu_place >= bonus + detection * (sum of y over the routes met there), every plan's objective is at most
sum max(0, weight - y) + sum pi + sum mu: the dual of the linear relaxation of maximum coverage. Where the prices of the
units given are too low, the checker raises them itself, so that what it states is a bound whatever it was told.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

from dispatch.planning.checker_model import (
    NEVER,
    TOLERANCE,
    TOLERANCE_S,
    CheckBound,
    CheckInstance,
    CheckOrder,
    CheckResult,
    Findings,
    Name,
)
from dispatch.planning.checker_roads import Readiness


class _Met(NamedTuple):
    """Of one node: sorted moments, and the sum of prices from each of them on (one entry more: 0)."""

    last_s: list[float]
    later: list[float]


class Plans:
    """The orders of one result, checked against its instance; sentences go to `findings`."""

    def __init__(self, instance: CheckInstance, readiness: Readiness, findings: Findings) -> None:
        self._instance = instance
        self._readiness = readiness
        self._findings = findings
        self._last_pass_s = [_last_pass_s(route.stops) for route in instance.routes]

    def check(self, result: CheckResult) -> None:
        """Check orders, then value, objective and bound, as far as the result claims them."""
        faults = len(self._findings.wrong)
        placed = self._placed(result)
        for unit, place in self._instance.pinned:
            if placed.get(unit) != place:
                self._findings.wrong.append(f"The unit {unit} is pinned to {place} and is not there.")
        if len(self._findings.wrong) > faults:
            return
        if result.orders:
            self._findings.verified.append(
                f"{len(placed)} orders: every unit can be where it is sent, in time."
            )
        value = self._value(placed)
        objective = value + sum(self._instance.bonus.get(pair, 0.0) for pair in placed.items())
        self._check_sum("value", result.value, value)
        self._check_sum("objective", result.objective, objective)
        self._check_bound(result, objective)

    def _placed(self, result: CheckResult) -> dict[Name, Name]:
        """Unit -> place of the orders that can be; says what is wrong with the others."""
        wrong = self._findings.wrong
        placed: dict[Name, Name] = {}
        for order in result.orders:
            if order.unit not in self._readiness.units or order.place not in self._readiness.places:
                wrong.append(
                    f"The order of {order.unit} to {order.place} names no unit or no place of the instance."
                )
                continue
            if order.unit in placed:
                wrong.append(f"The unit {order.unit} has two places.")
            if order.place in placed.values():
                wrong.append(f"The place {order.place} has two units.")
            self._check_order(order)
            placed[order.unit] = order.place
        return placed

    def _check_order(self, order: CheckOrder) -> None:
        wrong = self._findings.wrong
        ready = self._ready_s(order.unit, order.place)
        if ready == NEVER:
            wrong.append(f"The unit {order.unit} may not or can't go to {order.place}.")
            return
        if order.ready_s is not None and order.ready_s < ready - TOLERANCE_S:
            wrong.append(
                f"{order.unit} works at {order.place} at {ready:.3f} s, not at {order.ready_s:.3f} s."
            )
        node = self._readiness.places[order.place].node
        for route, passage_s in order.meets or ():
            if not 0 <= route < len(self._last_pass_s):
                wrong.append(f"{order.unit} is said to meet route {route}, which there is not.")
            elif passage_s > self._last_pass_s[route].get(node, -NEVER) + TOLERANCE_S:
                wrong.append(f"Route {route} is not at {order.place} at {passage_s:.3f} s or later.")
            elif ready + self._instance.margin_s > passage_s + TOLERANCE_S:
                wrong.append(
                    f"{order.unit} works at {order.place} at {ready:.3f} s, after route {route} passed."
                )

    def _value(self, placed: Mapping[Name, Name]) -> float:
        """The share of probability that these units meet and notice: one minus the chance that all fail to notice."""
        total = 0.0
        for number, route in enumerate(self._instance.routes):
            unnoticed = 1.0
            for unit, place in placed.items():
                if self._meets(unit, place, number):
                    unnoticed *= 1.0 - self._readiness.places[place].detection
            total += route.weight * (1.0 - unnoticed)
        return total

    def _meets(self, unit: Name, place: Name, route: int) -> bool:
        passage_s = self._last_pass_s[route].get(self._readiness.places[place].node, -NEVER)
        return self._ready_s(unit, place) + self._instance.margin_s <= passage_s + TOLERANCE_S

    def _ready_s(self, unit: Name, place: Name) -> float:
        return self._readiness.at_place(self._readiness.units[unit], place)

    def _check_sum(self, name: str, claimed: float | None, own: float) -> None:
        if claimed is None:
            return
        if abs(claimed - own) > TOLERANCE:
            self._findings.wrong.append(f"The {name} is {own:.6f}, not {claimed:.6f}.")
        else:
            self._findings.verified.append(f"The {name} is {own:.6f}.")

    def _check_bound(self, result: CheckResult, objective: float) -> None:
        if result.bound is None:
            return
        if result.bound < objective - TOLERANCE:
            self._findings.wrong.append(
                f"The plan is worth {objective:.6f}, above its bound {result.bound:.6f}."
            )
            return
        if result.proven and result.bound > objective + TOLERANCE:
            self._findings.wrong.append(
                f"Called proven, with {objective:.6f} below its bound {result.bound:.6f}."
            )
        own = sum(route.weight for route in self._instance.routes) + sum(self._instance.bonus.values())
        if result.bound_certificate is not None:
            own = min(own, self.bound_of(result.bound_certificate))
        if own <= result.bound + TOLERANCE:
            self._findings.verified.append(f"No plan exceeds {result.bound:.6f} (by prices that add up).")
            return
        self._findings.verified.append(f"No plan exceeds {own:.6f} (by prices that add up).")
        self._findings.trusted.append(f"That no plan exceeds {result.bound:.6f} is the search's word.")

    def bound_of(self, prices: CheckBound) -> float:
        """What no plan can exceed by these prices; `NEVER`, and a sentence, if they are no prices."""
        every = [*prices.routes, *prices.units.values(), *prices.places.values()]
        if len(prices.routes) != len(self._instance.routes) or not all(0 <= price < NEVER for price in every):
            self._findings.wrong.append("The bound needs one price of 0 or more for every route.")
            return NEVER
        uncaught = sum(
            max(0.0, route.weight - price)
            for route, price in zip(self._instance.routes, prices.routes, strict=True)
        )
        met = self._prices_met(prices.routes)
        units = sum(self._unit_price(unit, prices, met) for unit in self._readiness.units)
        return uncaught + units + sum(prices.places.values())

    def _prices_met(self, routes: Sequence[float]) -> dict[Name, _Met]:
        """Node -> when routes pass it for the last time, and the prices of those that pass from then on."""
        passing: dict[Name, list[tuple[float, float]]] = {}
        for last_s, price in zip(self._last_pass_s, routes, strict=True):
            for node, seconds in last_s.items():
                passing.setdefault(node, []).append((seconds, price))
        met = {}
        for node, passages in passing.items():
            passages.sort()
            later = list(accumulate((price for _, price in reversed(passages)), initial=0.0))
            met[node] = _Met([seconds for seconds, _ in passages], later[::-1])
        return met

    def _unit_price(self, unit: Name, prices: CheckBound, met: Mapping[Name, _Met]) -> float:
        """The unit's price, raised to what its best place earns beyond the place's own price."""
        price = prices.units.get(unit, 0.0)
        for name in self._open_to(unit):
            ready, place = self._ready_s(unit, name), self._readiness.places[name]
            if ready == NEVER:
                continue
            caught = 0.0
            if place.node in met:
                at_node = met[place.node]
                first = bisect_left(at_node.last_s, ready + self._instance.margin_s - TOLERANCE_S)
                caught = at_node.later[first]
            earned = place.detection * caught + self._instance.bonus.get((unit, name), 0.0)
            price = max(price, earned - prices.places.get(name, 0.0))
        return price

    def _open_to(self, unit: Name) -> list[Name]:
        """Places where the unit may stand in a plan that keeps the pins."""
        own = [place for name, place in self._instance.pinned if name == unit]
        taken = {place for _, place in self._instance.pinned}
        return own or [place for place in self._readiness.places if place not in taken]


def _last_pass_s(stops: Iterable[tuple[Name, float]]) -> dict[Name, float]:
    """Node -> the last moment at which somebody on the route is there."""
    last: dict[Name, float] = {}
    for node, seconds in stops:
        last[node] = max(last.get(node, -NEVER), seconds)
    return last
