"""The proof: CP-SAT on the reduced question, one worker, linearization level 2, a full hint.

Other settings were seen to leave gaps of 13 to 118 % where these proved the optimum within two seconds (measured on two
towns and grids). One worker and a fixed seed repeat the same search; how far it gets within a wall-clock limit is not
repeatable, within a deterministic one it is.

Worths are rounded up to whole multiples of 1/scale, so the solver's bound stays a bound. If all are multiples of one
1/n (as equal weights are), that is the scale and nothing is rounded: bounds then round down to the next multiple too.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from math import lcm

import numpy as np
from ortools.sat.python import cp_model
from scipy.sparse import csr_array

from dispatch.planning.linear import Linear
from dispatch.planning.model import GAP_PROVEN, Floats, Indices

SCALE = 10**10
DENOMINATOR_MAX = 100_000
UNITS_OF_A_ROUTE = 10_000
"""How finely the solver counts what is won of a route where detection differs; rounded up."""
UNITS_OF_A_SLOPE = 1000
"""And how finely the slopes; rounded up."""


@dataclass(frozen=True)
class Limits:
    """Wall-clock seconds; and the solver's own deterministic time, if the same plan is to come again on any machine."""

    wall_s: float
    work: float | None = None
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Found:
    """The best choice of pairs the solver knows, if any, and what no plan can exceed."""

    chosen: Indices | None
    bound: float
    ended: bool


def scale_of(model: Linear) -> int | None:
    """n, if every worth is a whole multiple of 1/n for a small n and nothing else counts; else nothing."""
    n = 1
    for worth in np.unique(np.concatenate([model.x_worth, model.y_worth])):
        n = lcm(n, Fraction(float(worth)).limit_denominator(DENOMINATOR_MAX).denominator)
        if n > DENOMINATOR_MAX:
            return None
    worths = np.concatenate([model.x_worth, model.y_worth]) * n
    whole = bool(np.abs(worths - np.rint(worths)).max(initial=0.0) < 1e-9)
    return n if whole and model.slack == 0.0 and model.stepped else None


def exact(
    model: Linear, hint: Indices, limits: Limits, on_choice: Callable[[Indices], None] | None = None
) -> Found:
    """The best pairs within the limits; each better choice is told as it is found."""
    ends_at_s = time.perf_counter() + limits.wall_s
    reduced, scale = model.reduced, scale_of(model) or SCALE
    size = 1 if model.stepped else UNITS_OF_A_ROUTE
    programme, x, y = _programme(model, size, ends_at_s)
    if time.perf_counter() > ends_at_s:
        return Found(None, np.inf, False)
    worth_x, worth_y = (_rounded_up(worth * scale) for worth in (model.x_worth, model.y_worth))
    programme.maximize(
        cp_model.LinearExpr.weighted_sum(x, (worth_x * size).tolist())
        + cp_model.LinearExpr.weighted_sum(y, worth_y.tolist())
    )
    _hint(programme, model, x, y, hint, size)
    solver = cp_model.CpSolver()
    left = replace(limits, wall_s=ends_at_s - time.perf_counter())
    _set_limits(solver, left, GAP_PROVEN * 0.1 * scale * size if scale == SCALE else 0.0)
    # Its presolve took all of the time where rows have thousands of different coefficients.
    solver.parameters.cp_model_presolve = model.stepped
    status = solver.solve(programme, _Listener(x, on_choice) if on_choice else None)
    bound = reduced.base + float(solver.best_objective_bound) / scale / size + model.slack
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        # Without a choice the solver's bound may be one it never set.
        return Found(None, np.inf, False)
    chosen = np.array([k for k in range(reduced.pairs) if solver.boolean_value(x[k])], dtype=np.int64)
    return Found(chosen, bound, status == cp_model.OPTIMAL)


def _programme(
    model: Linear, size: int, ends_at_s: float
) -> tuple[cp_model.CpModel, list[cp_model.IntVar], list[cp_model.IntVar]]:
    reduced, programme = model.reduced, cp_model.CpModel()
    x = [programme.new_bool_var("") for _ in range(reduced.pairs)]
    y = [programme.new_int_var(0, size, "") for _ in range(len(model.y_worth))]
    for u in range(reduced.units):
        if reduced.starts[u + 1] - reduced.starts[u] > 1:
            programme.add_at_most_one(x[reduced.starts[u] : reduced.starts[u + 1]])
    for row in range(model.exclusive_rows.shape[0]):
        programme.add_at_most_one([x[k] for k in _columns(model.exclusive_rows, row)])
    x_rows, y_rows = model.x_rows, model.y_rows
    for row in range(x_rows.shape[0]):
        if time.perf_counter() > ends_at_s:
            break
        won = [y[n] for n in _columns(y_rows, row)]
        by = [x[k] for k in _columns(x_rows, row)]
        if model.stepped and len(won) == 1:
            programme.add_bool_or([won[0].negated(), *by])
            continue
        times = UNITS_OF_A_SLOPE if (_values(y_rows, row) < 0.0).any() else 1
        left = cp_model.LinearExpr.weighted_sum(won, (-_rounded_up(-_values(y_rows, row) * times)).tolist())
        right = cp_model.LinearExpr.weighted_sum(
            by, _rounded_up(_values(x_rows, row) * times * size).tolist()
        )
        programme.add(left <= right + int(_rounded_up(model.rhs[row : row + 1] * times * size)[0]))
    return programme, x, y


def _hint(
    programme: cp_model.CpModel,
    model: Linear,
    x: list[cp_model.IntVar],
    y: list[cp_model.IntVar],
    chosen: Indices,
    size: int,
) -> None:
    """Every variable gets its value: with part of a hint the solver was seen to end below the plan it was given."""
    used = np.zeros(len(x))
    used[chosen] = 1.0
    for variable, use in zip(x, used, strict=True):
        programme.add_hint(variable, int(use))
    for variable, value in zip(y, _won(model, used, size), strict=True):
        programme.add_hint(variable, int(value))


def _won(model: Linear, used: Floats, size: int) -> Indices:
    """The largest y, in whole units, that the rows allow these x."""
    if model.stepped:
        met, values = np.rint(model.x_rows @ used), np.zeros(len(model.y_worth), dtype=np.int64)
        first = model.y_rows.indptr
        for row in range(len(model.rhs)):
            values[model.y_rows.indices[first[row] : first[row + 1]][: int(met[row])]] = 1
        return values
    routes = model.reduced.routes
    noticing = np.minimum(model.x_rows[:routes] @ used, 1.0)
    both = np.concatenate([np.zeros(routes), noticing])
    room = model.rhs[routes:] + model.x_rows[routes:] @ used - model.y_rows[routes:] @ both
    won = np.ones(routes)
    rows = model.y_rows[routes:].tocoo()
    of_route = rows.col < routes
    np.minimum.at(won, rows.col[of_route], room[rows.row[of_route]])
    floored: Indices = np.floor(np.concatenate([np.maximum(won, 0.0), noticing]) * size).astype(np.int64)
    return floored


def _rounded_up(values: Floats) -> Indices:
    """Whole numbers; what is whole but for the last bits stays what it is."""
    near = np.rint(values)
    whole: Indices = np.where(np.abs(values - near) < 1e-9, near, np.ceil(values)).astype(np.int64)
    return whole


def _columns(rows: csr_array, row: int) -> list[int]:
    found: list[int] = rows.indices[rows.indptr[row] : rows.indptr[row + 1]].tolist()
    return found


def _values(rows: csr_array, row: int) -> Floats:
    found: Floats = rows.data[rows.indptr[row] : rows.indptr[row + 1]]
    return found


def _set_limits(solver: cp_model.CpSolver, limits: Limits, gap: float) -> None:
    solver.parameters.num_workers = 1
    solver.parameters.linearization_level = 2
    solver.parameters.random_seed = limits.seed
    solver.parameters.max_time_in_seconds = max(0.01, limits.wall_s)
    solver.parameters.absolute_gap_limit = gap
    if limits.work is not None:
        solver.parameters.max_deterministic_time = limits.work


class _Listener(cp_model.CpSolverSolutionCallback):
    """Tells each better choice."""

    def __init__(self, x: list[cp_model.IntVar], on_choice: Callable[[Indices], None]) -> None:
        super().__init__()
        self._x, self._on_choice = x, on_choice

    def on_solution_callback(self) -> None:
        """Called by the solver, between two of its steps."""
        used = [k for k, variable in enumerate(self._x) if self.boolean_value(variable)]
        self._on_choice(np.array(used, dtype=np.int64))
