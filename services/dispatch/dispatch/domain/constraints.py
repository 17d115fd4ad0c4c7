"""The commander's hand in planning: who must go where, and what must not be used.

A pin is an order about a place as much as about a unit. If its unit cannot be had (no answer, out of action), the
place goes to whoever else works there soonest, and the plan says so by name; only when nobody can is it unmet.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from contracts.base import UnitId
from dispatch.domain.problem import Place, PlaceId, Problem, ProblemError, Unit
from dispatch.domain.tables import Flags, Floats

Forbidden = Collection[tuple[UnitId | None, PlaceId | None]]


@dataclass(frozen=True)
class Pinned:
    """Who goes to which post by command (rows and posts are places in the situation's lists), and what cannot be.

    `place_of` is the column of the place at that post.
    """

    row_of: Mapping[int, int]
    place_of: Mapping[int, int]
    unmet: tuple[tuple[UnitId, PlaceId], ...]


def is_forbidden(forbidden: Forbidden, unit_id: UnitId, place_id: PlaceId) -> bool:
    """Whether this unit must not stand at this place, by itself, by the unit or by the place."""
    return bool({(unit_id, place_id), (unit_id, None), (None, place_id)} & set(forbidden))


def check_commands(problem: Problem) -> None:
    """Raises: ProblemError, if a pin names a place that is not listed, or moves a unit that is kept elsewhere."""
    known = {place.place_id for place in problem.places}
    kept = {held.unit_id: held.place_id for held in problem.keep}
    for unit_id, place_id in sorted(problem.pins.items(), key=lambda pin: pin[0].int):
        if place_id not in known:
            raise ProblemError(f"Unit {unit_id} is pinned to place {place_id}, which is not in the problem.")
        if kept.get(unit_id, place_id) != place_id:
            raise ProblemError(
                f"Unit {unit_id} is kept at {kept[unit_id]} and pinned to {place_id}; leave out one of the two."
            )


def restricted(
    problem: Problem, by_place_s: Floats, units: Sequence[Unit], places: Sequence[Place]
) -> Floats:
    """The same times with infinity where a command says no; a pinned unit has its own place only."""
    allowed = by_place_s.copy()
    column_of = {place.place_id: column for column, place in enumerate(places)}
    row_of = {unit.unit_id: row for row, unit in enumerate(units)}
    for unit_id, place_id in problem.forbidden:
        rows = slice(None) if unit_id is None else row_of.get(unit_id)
        columns = slice(None) if place_id is None else column_of.get(place_id)
        # A pair of nothing names nobody and no place: it forbids nothing rather than everything.
        if rows is not None and columns is not None and (unit_id, place_id) != (None, None):
            allowed[rows, columns] = np.inf
    for unit_id, place_id in problem.pins.items():
        if unit_id in row_of:
            elsewhere = np.arange(len(places)) != column_of[place_id]
            allowed[row_of[unit_id], elsewhere] = np.inf
    return allowed


def pinned(
    problem: Problem,
    by_place_s: Floats,
    units: Sequence[Unit],
    places: Sequence[Place],
    posts: Sequence[int],
    taken: Collection[int],
    standing: Flags,
    standing_bonus_s: float,
) -> Pinned:
    """Carry the pins out: first those whose own unit can, then those whose place goes to another.

    `taken` are posts where a kept unit stands; a pin there is met already for another's unit, and unmet for one of
    its own. One unit a post, and of two pins at one post that of the lower unit id: the other is unmet.
    """
    post_of = {node: post for post, node in enumerate(posts)}
    column_of = {place.place_id: column for column, place in enumerate(places)}
    row_of_unit = {unit.unit_id: row for row, unit in enumerate(units)}
    kept = {held.unit_id for held in problem.keep}
    row_of: dict[int, int] = {}
    place_of: dict[int, int] = {}
    unmet: list[tuple[UnitId, PlaceId]] = []
    pins = sorted(problem.pins.items(), key=lambda pin: (pin[0] not in row_of_unit, pin[0].int))
    for unit_id, place_id in pins:
        if unit_id in kept:
            continue
        column = column_of[place_id]
        post = post_of[places[column].node]
        own = row_of_unit.get(unit_id)
        if post in taken or post in row_of:
            if own is not None:
                unmet.append((unit_id, place_id))
            continue
        row = own
        if own is None:
            free = [row for row in range(len(units)) if units[row].unit_id not in problem.pins]
            free = [row for row in free if row not in row_of.values()]
            row = _soonest(by_place_s[:, column] - standing_bonus_s * standing[:, post], free)
        if row is None or not np.isfinite(by_place_s[row, column]):
            unmet.append((unit_id, place_id))
            continue
        row_of[post], place_of[post] = row, column
    return Pinned(row_of, place_of, tuple(unmet))


def _soonest(ready_s: Floats, rows: Sequence[int]) -> int | None:
    """Of these rows the one that is ready first; of equals the first; None if there is none."""
    return min(rows, key=lambda row: (float(ready_s[row]), row), default=None)
