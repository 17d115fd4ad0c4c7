"""The second look at a case's plan: how likely it meets them, and whether another plan would do so better.

The first plan (`dispatch.domain.plan`) closes exits for sure and takes milliseconds. This one draws timed routes,
weighs them by what was seen and not seen, asks for a guarantee, and lets the optimiser prove or improve the plan.
An order that stands is worth something by itself, the more the further its unit has got: a better plan moves it
only if it gains more.

Pure: the same question gives the same answer, as long as the optimiser's own limit of work ends it and no clock does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import linear_sum_assignment

from contracts.base import TravelMode, UnitId
from dispatch.domain.graphs import Graph
from dispatch.domain.plan import NEVER_S
from dispatch.domain.problem import Assignment, Held, Plan, Problem, Reason
from dispatch.domain.reach import Origin
from dispatch.domain.situation import Situation, survey
from dispatch.domain.tables import Flags, Floats
from dispatch.domain.timetables import Timetable
from dispatch.domain.verdict import verdict
from dispatch.planning.beliefs import updated_routes
from dispatch.planning.containment import contain
from dispatch.planning.estimate import coverage_of, estimated, met_shares
from dispatch.planning.evidence import Evidence
from dispatch.planning.hypotheses import default_hypotheses
from dispatch.planning.model import NOWHERE, Containment, Coverage, Escape, Indices, Movement, Solution
from dispatch.planning.solve import solve
from dispatch.planning.timed_routes import Routes
from dispatch.planning.world import World

LOOK_AHEAD_MIN = (15, 30, 45, 60, 120)
"""Minutes after the plan for which it says how much is met, and how much has got away."""


@dataclass(frozen=True)
class Limits:
    """How much is drawn and searched. `work` is the solver's deterministic time; `deadline_s` only ends what hangs."""

    routes: int = 1000
    deadline_s: float = 2.0
    work: float | None = 1.0
    detection: float = 0.9
    sending_worth: float = 0.005
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Question:
    """A case as it is. `worth` is what keeping a unit where it is ordered counts, in shares of probability.

    Of the problem's kept units only those with a worth may be moved. `clock_s` is the time of day in Beijing at
    second 0.
    """

    problem: Problem
    timetable: Timetable
    clock_s: float
    last_seen: Origin
    mode: TravelMode
    age_years: int
    evidence: tuple[Evidence, ...]
    worth: Mapping[UnitId, float]
    limits: Limits = Limits()


@dataclass(frozen=True)
class Ahead:
    """By a moment: the share of probability that the plan has met, and the share that has left the county."""

    minutes: int
    met: float
    away: float


@dataclass(frozen=True, eq=False)
class Weighed:
    """The plan with its figures. `value` is estimated on routes that the plan was not chosen on, with its interval.

    `chosen_value` is what it has on the routes it was chosen on. What sending and moving units costs counted, no plan
    is better there by more than `bound - chosen_value`.
    `before` is what the orders that stood would meet. `meets` has each unit's share alone. `trouble` is why the
    search ended early, if it did.
    """

    plan: Plan
    containment: Containment
    value: float
    low: float
    high: float
    chosen_value: float
    bound: float
    proven: bool
    before: float
    meets: tuple[tuple[UnitId, float], ...]
    ahead: tuple[Ahead, ...]
    routes: int
    trouble: str = ""

    @property
    def gap(self) -> float:
        """How much better a plan could still be, as a share of this one."""
        return (
            0.0 if self.proven else max(0.0, self.bound - self.chosen_value) / max(self.chosen_value, 1e-12)
        )


@dataclass(frozen=True, eq=False)
class _Board:
    """Rows are units: first those of the situation, then kept ones that stay whatever comes; columns are its posts."""

    situation: Situation
    ready_s: Floats
    bonus: Floats
    ordered: Flags
    pinned: tuple[tuple[int, int], ...]
    movable: tuple[Held, ...]

    @property
    def nodes(self) -> Indices:
        """Of the columns."""
        return np.array(self.situation.posts, dtype=np.int64)


def weigh(asked: Question, *, change: bool = True) -> Weighed:
    """The best plan that is found, never worse than the orders that stand; without `change`, those orders themselves.

    Raises: HypothesisError, if nobody can travel on this network; EvidenceError; ProblemError.
    """
    board = _board(asked)
    chosen_on, judged_on = (_routes(asked, asked.limits.seed + extra) for extra in (0, 1))
    coverage = _coverage(asked, board, chosen_on)
    now = _as_ordered(asked, board)
    containment = contain(_escape(asked.problem, board), asked.limits.deadline_s)
    if containment.kind == "guaranteed" and change:
        coverage = replace(coverage, pinned=_with_guards(coverage.pinned, containment, board))
    found = _solved(coverage, now, asked.limits, change=change)
    if change:
        found = replace(found, place_of=_nearest(coverage, board, found.place_of))
    return _weighed(
        asked, board, containment, coverage, _coverage(asked, board, judged_on), judged_on, now, found
    )


def escape(asked: Question) -> Escape:
    """The question of the guarantee alone, for whoever checks its proof."""
    return _escape(asked.problem, _board(asked))


def _routes(asked: Question, seed: int) -> Routes:
    problem = asked.problem
    traffic = problem.network.driven_share(problem.traffic) if problem.traffic else None
    world = World(problem.network, asked.timetable, asked.clock_s, traffic, problem.closed_edges)
    exits = sorted(way_out.node for way_out in problem.exits)
    mix = default_hypotheses((asked.last_seen,), exits, asked.mode, problem.now_s, age_years=asked.age_years)
    return updated_routes(world, mix, asked.evidence, asked.limits.routes, seed)


def _board(asked: Question) -> _Board:
    problem = asked.problem
    movable = tuple(held for held in problem.keep if held.unit_id in asked.worth)
    fixed = tuple(held for held in problem.keep if held.unit_id not in asked.worth)
    situation = survey(replace(problem, keep=fixed))
    node_of = {place.place_id: place.node for place in problem.places}
    post_of = {node: post for post, node in enumerate(situation.posts)}
    row_of = {unit.unit_id: row for row, unit in enumerate(situation.units)}
    free, posts = situation.ready_s.copy(), len(situation.posts)
    ordered = np.zeros(free.shape, dtype=np.bool_)
    # One child must not take every patrol of the county: sending one more costs what it must at least gain.
    bonus = np.full_like(free, -asked.limits.sending_worth)
    for post, row in situation.pinned.row_of.items():
        bonus[row, post] = 0.0
    # From when a kept unit's place counts as manned has the margin in it already, which is added to every time here.
    there_from_s = {held.unit_id: held.manned_from_s - problem.margin_s for held in movable}
    orders = dict(problem.standing) | {held.unit_id: held.place_id for held in movable}
    for unit_id, place_id in sorted(orders.items(), key=lambda order: order[0].int):
        at, there = row_of.get(unit_id), post_of.get(node_of.get(place_id, -1))
        if at is None or there is None:
            continue
        ordered[at, there], bonus[at, there] = True, asked.worth.get(unit_id, 0.0)
        if unit_id in there_from_s:
            # On its way, or there: sooner than from its base.
            free[at, there] = there_from_s[unit_id]
    pinned = [(row, post) for post, row in sorted(situation.pinned.row_of.items())]
    rows = [free]
    for post, kept in sorted(situation.held.items()):
        stays = np.full((1, posts), np.inf)
        stays[0, post] = fixed[kept].manned_from_s - problem.margin_s
        pinned.append((sum(map(len, rows)), post))
        rows.append(stays)
    ready = np.concatenate(rows)
    for stays_at, post in pinned:
        ready[np.arange(len(ready)) != stays_at, post] = np.inf
    none = np.zeros((len(ready) - len(free), posts))
    marks = np.concatenate((ordered, none.astype(np.bool_)))
    return _Board(situation, ready, np.concatenate((bonus, none)), marks, tuple(pinned), movable)


def _coverage(asked: Question, board: _Board, routes: Routes) -> Coverage:
    problem = asked.problem
    coverage = coverage_of(routes, board.nodes, board.ready_s, asked.limits.detection, problem.margin_s)
    pinned = tuple((row, post) for row, post in board.pinned if np.isfinite(board.ready_s[row, post]))
    return replace(coverage, pinned=pinned, bonus=board.bonus)


def _as_ordered(asked: Question, board: _Board) -> tuple[int, ...]:
    """Where the units are ordered now."""
    place_of = [NOWHERE] * len(board.ready_s)
    for row in range(len(board.situation.units)):
        at = np.flatnonzero(board.ordered[row])
        if len(at) and np.isfinite(board.ready_s[row, at[0]]):
            place_of[row] = int(at[0])
    for row, post in board.pinned:
        place_of = [NOWHERE if at == post else at for at in place_of]
        place_of[row] = post
    return tuple(place_of)


def _solved(coverage: Coverage, now: Sequence[int], limits: Limits, *, change: bool) -> Solution:
    standing = Solution(tuple(now), 0.0, 0.0, np.inf, proven=False)
    if change:
        return solve(coverage, limits.deadline_s, standing, limits.seed, work=limits.work)
    value = float(met_shares(coverage, now) @ coverage.weights)
    return replace(standing, value=value, objective=value)


def _nearest(coverage: Coverage, board: _Board, place_of: tuple[int, ...]) -> tuple[int, ...]:
    """The same places, newly ordered units swapped so that all are there soonest: nobody is met less by it.

    A place is taken over by whoever meets there what was met before; who stands or is pinned stays.
    """
    held = {row for row, post in enumerate(place_of) if post != NOWHERE and board.ordered[row, post]}
    held |= {row for row, _ in coverage.pinned}
    sent = [row for row, post in enumerate(place_of) if post != NOWHERE and row not in held]
    free = [row for row in range(coverage.units) if row not in held and not board.ordered[row].any()]
    if not sent:
        return place_of
    posts = [place_of[row] for row in sent]
    latest_s = np.array([_latest_s(coverage, row, place_of[row]) for row in sent])
    rows = sorted({*free, *sent})
    ready_s = coverage.ready_s[np.ix_(rows, posts)]
    cost = np.where(ready_s <= latest_s, ready_s, NEVER_S)
    chosen, columns = linear_sum_assignment(cost)
    if cost[chosen, columns].max() >= NEVER_S:
        return place_of
    nearer = [NOWHERE if row in sent else post for row, post in enumerate(place_of)]
    for row, column in zip(chosen.tolist(), columns.tolist(), strict=True):
        nearer[rows[row]] = posts[column]
    return tuple(nearer)


def _latest_s(coverage: Coverage, row: int, post: int) -> float:
    """How late a unit may be there and still meet all that this one does."""
    met = coverage.meets(row, post)
    if not met.any():
        return float(coverage.ready_s[row, post])
    return float(coverage.last_pass_s[met, post].min() - coverage.margin_s)


# -- the guarantee ----------------------------------------------------------------------------------------------------


def _escape(problem: Problem, board: _Board) -> Escape:
    """All ways out at the speeds that nobody beats; exits that a neighbour mans in time are closed."""
    situation = board.situation
    exits = {out.node for out in situation.exits if out.exit_id not in situation.aided}
    movements = [
        _movement(problem.network.graph(origin.mode, problem.closed_edges), origin)
        for origin in problem.origins
    ]
    return Escape(
        nodes=problem.network.size,
        movements=tuple(movements),
        exits=tuple(sorted(exits)),
        posts=situation.posts,
        ready_s=board.ready_s,
        margin_s=problem.margin_s,
    )


def _movement(graph: Graph, origin: Origin) -> Movement:
    """Layers folded into one: whoever is aboard may alight anywhere, which makes nobody slower."""
    sources = tuple((entry.node, origin.seen_s + entry.access_s) for entry in origin.entries)
    return Movement(*graph.timed_arcs(), sources)


def _with_guards(
    pinned: tuple[tuple[int, int], ...], containment: Containment, board: _Board
) -> tuple[tuple[int, int], ...]:
    post_of = {node: post for post, node in enumerate(board.situation.posts)}
    guards = ((guard.unit, post_of[guard.node]) for guard in containment.guards)
    return tuple(sorted({*pinned, *guards}))


# -- the answer -------------------------------------------------------------------------------------------------------


def _weighed(
    asked: Question,
    board: _Board,
    containment: Containment,
    coverage: Coverage,
    judged: Coverage,
    routes: Routes,
    now: tuple[int, ...],
    found: Solution,
) -> Weighed:
    value, low, high = estimated(routes, judged, found.place_of)
    alone = _meets(board, judged, found.place_of)
    plan = _in_words(_plan(asked, board, found.place_of), alone)
    return Weighed(
        plan=replace(plan, value=value),
        containment=containment,
        value=value,
        low=low,
        high=high,
        chosen_value=found.value,
        bound=min(1.0, found.value + max(0.0, found.bound - found.objective)),
        proven=found.proven,
        before=estimated(routes, judged, now)[0],
        meets=tuple(sorted(alone.items(), key=lambda pair: pair[0].int)),
        ahead=_ahead(asked.problem.now_s, routes, judged, found.place_of),
        routes=coverage.routes,
        trouble=found.trouble,
    )


def _plan(asked: Question, board: _Board, place_of: Sequence[int]) -> Plan:
    """The plan of these places, looked at by `verdict` as any other; who keeps a place is kept."""
    situation = board.situation
    at = {unit.unit_id: place_of[row] for row, unit in enumerate(situation.units)}
    taken = {post for post in place_of if post != NOWHERE}
    post_of = {node: post for post, node in enumerate(situation.posts)}
    node_of = {place.place_id: place.node for place in asked.problem.places}

    def stays(held: Held) -> bool:
        post, sent = post_of.get(node_of[held.place_id], NOWHERE), at.get(held.unit_id, NOWHERE)
        return sent == post or (sent == NOWHERE and post not in taken)

    keep = tuple(held for held in asked.problem.keep if held not in board.movable or stays(held))
    final = survey(replace(asked.problem, keep=keep))
    posts = {node: post for post, node in enumerate(final.posts)}
    match = {
        posts[situation.posts[at[unit.unit_id]]]: row
        for row, unit in enumerate(final.units)
        if at[unit.unit_id] != NOWHERE
    }
    return verdict(final, dict(final.pinned.row_of) | match)


def _meets(board: _Board, judged: Coverage, place_of: Sequence[int]) -> dict[UnitId, float]:
    found = {}
    for row, unit in enumerate(board.situation.units):
        if place_of[row] != NOWHERE:
            met = judged.meets(row, place_of[row]) * judged.detection[place_of[row]]
            found[unit.unit_id] = float(met @ judged.weights)
    return found


def _in_words(plan: Plan, alone: Mapping[UnitId, float]) -> Plan:
    """Who closes nothing for sure stands there for what may come by: say how much that is."""
    return replace(
        plan, assignments=tuple(_reasoned(one, alone.get(one.unit_id)) for one in plan.assignments)
    )


def _reasoned(one: Assignment, share: float | None) -> Assignment:
    if share is None or one.reason.code not in ("narrows_exits", "late") or share < 0.005:
        return one
    parameters = (*one.reason.parameters, ("percent", round(100 * share)))
    return replace(one, reason=Reason("meets_routes", parameters))


def _ahead(now_s: float, routes: Routes, judged: Coverage, place_of: Sequence[int]) -> tuple[Ahead, ...]:
    """What is met and what is away by each moment: a route is met where it first passes a unit that stands in time."""
    missed, met_by = np.ones(judged.routes), {minutes: np.zeros(judged.routes) for minutes in LOOK_AHEAD_MIN}
    at = [(row, post) for row, post in enumerate(place_of) if post != NOWHERE]
    passes = [np.where(judged.meets(row, post), judged.last_pass_s[:, post], np.inf) for row, post in at]
    for passed_s, (_, post) in zip(passes, at, strict=True):
        meets = np.isfinite(passed_s)
        for minutes, met in met_by.items():
            in_time = meets & (passed_s <= now_s + 60 * minutes)
            met[in_time] = 1 - (1 - met[in_time]) * (1 - judged.detection[post])
        missed[meets] *= 1 - judged.detection[post]
    left_s = np.where(routes.away, routes.paths.leave_s[routes.paths.first[1:] - 1], np.inf)
    return tuple(
        Ahead(
            minutes,
            float(np.clip(met @ judged.weights, 0.0, 1.0)),
            float(np.clip(((left_s <= now_s + 60 * minutes) * missed) @ judged.weights, 0.0, 1.0)),
        )
        for minutes, met in met_by.items()
    )
