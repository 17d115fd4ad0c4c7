"""A problem looked over once: sorted, checked, and with every time that planning needs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from dispatch.domain.choke import Choke, fold
from dispatch.domain.constraints import Pinned, check_commands, pinned, restricted
from dispatch.domain.problem import Exit, ExitId, Place, Problem, ProblemError, Unit
from dispatch.domain.reach import arrival_past_posts_s, earliest_arrival_s
from dispatch.domain.readiness import ready_s
from dispatch.domain.tables import Flags, Floats, Indices

# A post already ordered is worth this much delay: orders should not flicker.
STANDING_BONUS_S = 60.0


@dataclass(frozen=True, eq=False)
class Situation:
    """Posts are nodes with a place that somebody can reach; rows of the matrices are units, columns posts.

    `arrival_s` is per node and follows everybody everywhere; `exit_arrival_s` follows nobody beyond an
    exit, for whoever left by one needs no other. `best_place` is which place a unit would take at a post
    that has several. At a post of `seen_at` somebody was seen: they are past it, and nobody is there in
    time. `held` maps a post to its unit's place in `problem.keep`; `held_in_time` are those that stand
    before anybody can be there. `pinned` maps a post to the unit that a command sends there, and
    `fixed_in_time` are the posts, held or pinned, that stand in time whatever else is planned. Exits in `aided`
    a neighbour mans before anybody can be there.
    """

    problem: Problem
    places: tuple[Place, ...]
    exits: tuple[Exit, ...]
    units: tuple[Unit, ...]
    posts: tuple[int, ...]
    arrival_s: Floats
    exit_arrival_s: Floats
    post_arrival_s: Floats
    ready_s: Floats
    best_place: Indices
    in_time: Flags
    standing: Flags
    is_staff: Flags
    seen_at: frozenset[int]
    held: dict[int, int]
    held_in_time: tuple[int, ...]
    choke: Choke
    pinned: Pinned
    fixed_in_time: tuple[int, ...]
    aided: frozenset[ExitId]


def survey(problem: Problem) -> Situation:
    """Compute what planning needs. Units kept or excluded are not planned with again.

    Raises: ProblemError, if ids are double or a kept unit stands at a place that is not listed.
    """
    _check(problem)
    places = tuple(sorted(problem.places, key=lambda place: place.place_id.int))
    gone = problem.excluded | {held.unit_id for held in problem.keep}
    units = tuple(
        sorted(
            (unit for unit in problem.units if unit.unit_id not in gone), key=lambda unit: unit.unit_id.int
        )
    )
    arrival_s = earliest_arrival_s(problem.network, problem.origins, problem.closed_edges)
    passed = {entry.node for origin in problem.origins for entry in origin.entries if entry.access_s == 0.0}
    posts = _posts(problem, places, arrival_s)
    seen_at = frozenset(post for post, node in enumerate(posts) if node in passed)
    post_arrival_s = arrival_s[list(posts)]
    held = _held(problem, posts)
    standing = _standing(problem, units, places, posts)
    by_place_s = restricted(problem, ready_s(problem, units, places), units, places)
    commanded = pinned(problem, by_place_s, units, places, posts, held, standing, STANDING_BONUS_S)
    by_post, best_place = _fastest_place(_only_there(by_place_s, commanded), places, posts)
    in_time = (by_post + problem.margin_s <= post_arrival_s) & ~np.isin(np.arange(len(posts)), [*seen_at])
    held_in_time = tuple(
        post
        for post, kept in held.items()
        if post not in seen_at and problem.keep[kept].manned_from_s <= post_arrival_s[post]
    )
    exit_arrival_s = _exit_arrival_s(problem)
    return Situation(
        problem=problem,
        places=places,
        exits=tuple(sorted(problem.exits, key=lambda way_out: way_out.exit_id.int)),
        units=units,
        posts=posts,
        arrival_s=arrival_s,
        exit_arrival_s=exit_arrival_s,
        post_arrival_s=post_arrival_s,
        ready_s=by_post,
        best_place=best_place,
        in_time=in_time,
        standing=standing,
        is_staff=np.array([unit.post is not None for unit in units], dtype=np.bool_),
        seen_at=seen_at,
        held=held,
        held_in_time=held_in_time,
        choke=fold(_arcs(problem, passed), np.isfinite(arrival_s), posts, _entries(problem)),
        pinned=commanded,
        fixed_in_time=(
            *held_in_time,
            *(post for post, row in sorted(commanded.row_of.items()) if in_time[row, post]),
        ),
        aided=frozenset(
            way_out.exit_id
            for way_out in problem.exits
            if problem.manned_exits.get(way_out.exit_id, np.inf) <= exit_arrival_s[way_out.node]
            and way_out.node not in passed
        ),
    )


def _posts(problem: Problem, places: Sequence[Place], arrival_s: Floats) -> tuple[int, ...]:
    """Nodes with a place that somebody can reach, and those to which a command sends a unit all the same."""
    wanted = set(problem.pins.values())
    return tuple(
        sorted(
            {place.node for place in places if place.place_id in wanted or np.isfinite(arrival_s[place.node])}
        )
    )


def _exit_arrival_s(problem: Problem) -> Floats:
    """When anybody could leave, by node, if there were no post at all."""
    nobody = np.full(problem.network.size, np.inf)
    return arrival_past_posts_s(
        problem.network, problem.origins, nobody, problem.closed_edges, exit_nodes(problem)
    )


def _only_there(by_place_s: Floats, commanded: Pinned) -> Floats:
    """Whoever is sent by command has no other place, even where only another's pin was passed on."""
    only = by_place_s.copy()
    for post, row in commanded.row_of.items():
        only[row, np.arange(only.shape[1]) != commanded.place_of[post]] = np.inf
    return only


def _check(problem: Problem) -> None:
    if not problem.origins:
        raise ProblemError("The problem has no origin; give the place last seen or a sighting.")
    for kind, ids in (
        ("place", [place.place_id for place in problem.places]),
        ("exit", [way_out.exit_id for way_out in problem.exits]),
        ("unit", [unit.unit_id for unit in problem.units]),
        ("kept unit", [held.unit_id for held in problem.keep]),
    ):
        if len(set(ids)) != len(ids):
            raise ProblemError(f"One {kind} is listed twice among {len(ids)}; list each id once.")
    check_commands(problem)
    known = {place.place_id for place in problem.places}
    for held in problem.keep:
        if held.place_id not in known:
            raise ProblemError(
                f"Unit {held.unit_id} is kept at place {held.place_id}, which is not in the problem."
            )


def _fastest_place(
    by_place_s: Floats, places: Sequence[Place], posts: Sequence[int]
) -> tuple[Floats, Indices]:
    """Per unit and post: the soonest it works there, and at which place of the post (of equals the first)."""
    ready = np.full((len(by_place_s), len(posts)), np.inf)
    best = np.zeros((len(by_place_s), len(posts)), dtype=np.int64)
    columns: dict[int, list[int]] = {}
    for column, place in enumerate(places):
        columns.setdefault(place.node, []).append(column)
    for number, post in enumerate(posts):
        there = by_place_s[:, columns[post]]
        if len(there):
            ready[:, number] = there.min(axis=1)
            best[:, number] = np.array(columns[post])[there.argmin(axis=1)]
    return ready, best


def _standing(
    problem: Problem, units: Sequence[Unit], places: Sequence[Place], posts: Sequence[int]
) -> Flags:
    """Which unit already has an unanswered order to which post."""
    node_of = {place.place_id: place.node for place in places}
    number_of = {post: number for number, post in enumerate(posts)}
    standing = np.zeros((len(units), len(posts)), dtype=np.bool_)
    for row, unit in enumerate(units):
        place_id = problem.standing.get(unit.unit_id)
        post = number_of.get(node_of.get(place_id, -1)) if place_id is not None else None
        if post is not None:
            standing[row, post] = True
    return standing


def _held(problem: Problem, posts: Sequence[int]) -> dict[int, int]:
    """Post -> who is kept there; of two at one post the one that stands first."""
    node_of = {place.place_id: place.node for place in problem.places}
    number_of = {post: number for number, post in enumerate(posts)}
    held: dict[int, int] = {}
    order = sorted(range(len(problem.keep)), key=lambda kept: problem.keep[kept].manned_from_s)
    for kept in order:
        post = number_of.get(node_of[problem.keep[kept].place_id])
        if post is not None:
            held.setdefault(post, kept)
    return held


def exit_nodes(problem: Problem) -> frozenset[int]:
    """The nodes beyond which nobody is followed."""
    return frozenset(way_out.node for way_out in problem.exits)


def _arcs(problem: Problem, passed: Collection[int]) -> tuple[Indices, Indices]:
    """Every arc that somebody may take under any of the hypotheses before they have left by an exit."""
    modes = sorted({origin.mode for origin in problem.origins})
    parts = [problem.network.graph(mode, problem.closed_edges).arcs() for mode in modes]
    tails, heads = (np.concatenate(ends) for ends in zip(*parts, strict=True))
    has_left = np.zeros(problem.network.size, dtype=np.bool_)
    has_left[sorted(exit_nodes(problem) - set(passed))] = True
    return tails[~has_left[tails]], heads[~has_left[tails]]


def _entries(problem: Problem) -> set[int]:
    return {entry.node for origin in problem.origins for entry in origin.entries}
