"""The first valid plan, at once: close as many exits for sure as the units in time allow.

How it goes: compute when anybody could be where, and when each unit could work where. Cut the exits off
from the origins with posts that some unit reaches in time (minimum cut), and match units to the cut
(assignment). Where the match fails, do without the post that has no unit; where no cut is left, do
without the exit. Then say what stays open, from an independent look at the finished plan.

It is greedy: it never claims too much, but it may close fewer exits than possible. An optimiser that does
better has the same form (`problem.Planner`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

from dispatch.domain.choke import UNCUTTABLE, Choke, Flow, flow_of
from dispatch.domain.problem import Exit, Plan, Problem
from dispatch.domain.situation import STANDING_BONUS_S, Situation, survey
from dispatch.domain.tables import Floats
from dispatch.domain.verdict import verdict

# A post with its own staff is cheap: up to three of them rather than one unit that must travel.
STAFFED_WEIGHT = 2
TRAVEL_WEIGHT = 6
# A post already ordered is a little cheaper: orders should not flicker.
STANDING_DISCOUNT = 1
# How often a cut is tried again without the posts that found no unit.
TRIES_MAX = 4
# More seconds than any real delay, so that the assignment leaves out as few posts as possible.
NEVER_S = 1e9

Match = dict[int, int]
"""Post -> unit, both as places in the situation's lists."""


def plan(problem: Problem) -> Plan:
    """Answer the problem with a valid plan; the order in which things are listed makes no difference.

    Raises: ProblemError, if the problem contradicts itself.
    """
    situation = survey(problem)
    if not situation.units:
        return verdict(situation, {})
    targets = _targets(situation)
    flow = flow_of(situation.choke, targets)
    sure = _close(situation, flow, targets)
    spare = _send_late(situation, flow, targets, sure) if problem.send_late else {}
    return verdict(situation, dict(situation.pinned.row_of) | sure | spare)


def _targets(situation: Situation) -> dict[int, list[Exit]]:
    """Vertices with exits that somebody can reach past the units that are already held or pinned.

    Exits that a neighbour mans in time need nobody of ours.
    """
    is_open = situation.choke.open_from_sources(situation.fixed_in_time)
    targets: dict[int, list[Exit]] = {}
    for way_out in situation.exits:
        vertex = int(situation.choke.vertex_of[way_out.node])
        reachable = np.isfinite(situation.exit_arrival_s[way_out.node])
        if vertex in is_open and reachable and way_out.exit_id not in situation.aided:
            targets.setdefault(vertex, []).append(way_out)
    return targets


def _close(situation: Situation, flow: Flow, targets: Mapping[int, Sequence[Exit]]) -> Match:
    """A match that closes as many targets as it can, tried in halves: all at once, or half, or a quarter."""
    weights = _weights(situation)
    usable = [post for post, weight in enumerate(weights) if weight < UNCUTTABLE]
    is_open = situation.choke.open_from_sources(usable)
    hopeful = _likeliest_first(situation, targets, [vertex for vertex in targets if vertex not in is_open])
    match: Match = {}
    closed: list[int] = []
    batches = [hopeful] if hopeful else []
    # Every batch is closed or halved, so twice as many tries as targets are enough.
    for _ in range(2 * len(hopeful)):
        if not batches:
            break
        batch = batches.pop()
        more = _match_cut(situation, flow, [*closed, *batch], weights)
        if more is not None:
            match, closed = more, [*closed, *batch]
        elif len(batch) > 1:
            half = (len(batch) + 1) // 2
            batches += [batch[half:], batch[:half]]
    return match


def _likeliest_first(
    situation: Situation, targets: Mapping[int, Sequence[Exit]], vertices: Sequence[int]
) -> list[int]:
    """Targets with many exits first, then those reached last, which leave the most units in time."""

    def rank(vertex: int) -> tuple[int, float, int]:
        exits = targets[vertex]
        soonest_s = min(float(situation.exit_arrival_s[way_out.node]) for way_out in exits)
        return -len(exits), -soonest_s, exits[0].exit_id.int

    return sorted(vertices, key=rank)


def _weights(situation: Situation) -> list[int]:
    """What each post costs in a cut; 0 if held or pinned in time, UNCUTTABLE if nobody is there in time."""
    in_time = situation.in_time
    staffed, anyone = np.any(in_time[situation.is_staff], axis=0), np.any(in_time, axis=0)
    ordered = np.any(in_time & situation.standing, axis=0)
    weights = []
    for post in range(len(situation.posts)):
        if post in situation.fixed_in_time:
            weights.append(0)
        elif post in situation.held or post in situation.pinned.row_of or not anyone[post]:
            weights.append(UNCUTTABLE)
        else:
            weight = STAFFED_WEIGHT if staffed[post] else TRAVEL_WEIGHT
            weights.append(weight - STANDING_DISCOUNT * int(ordered[post]))
    return weights


def _match_cut(
    situation: Situation, flow: Flow, vertices: Sequence[int], weights: Sequence[int]
) -> Match | None:
    """A cut of these vertices with a unit in time for each post, or None when none was found."""
    if not vertices:
        return {}
    allowed = list(weights)
    cost = np.where(situation.in_time, situation.ready_s - STANDING_BONUS_S * situation.standing, NEVER_S)
    for _ in range(TRIES_MAX):
        cuts = flow.cuts(vertices, allowed)
        if cuts is None:
            return None
        for posts in cuts:
            match = _assign(cost, posts)
            if len(match) == len(posts):
                return match
        for post in set(posts) - set(match):
            allowed[post] = UNCUTTABLE
    return None


def _assign(cost: Floats, posts: Sequence[int]) -> Match:
    """One unit a post at the least total cost, as many posts as possible."""
    if not posts or not len(cost):
        return {}
    rows, columns = linear_sum_assignment(cost[:, posts])
    pairs = zip(rows.tolist(), columns.tolist(), strict=True)
    return {posts[column]: row for row, column in pairs if cost[row, posts[column]] < NEVER_S}


def _send_late(situation: Situation, flow: Flow, targets: Mapping[int, Sequence[Exit]], sure: Match) -> Match:
    """Units that no sure closing needs, to posts near the exits still open and to where they were seen.

    Whoever travels slower than the fastest plausible may still be met there.
    """
    weights = [1] * len(situation.posts)
    commanded = situation.pinned.row_of
    for post in (*situation.seen_at, *situation.held, *commanded, *sure):
        weights[post] = UNCUTTABLE
    manned = (*situation.fixed_in_time, *sure)
    for post in manned:
        weights[post] = 0
    choke: Choke = situation.choke
    is_open = choke.open_from_sources(manned)
    beyond_help = choke.open_from_sources(
        [post for post, weight in enumerate(weights) if weight < UNCUTTABLE]
    )
    wanted = [vertex for vertex in targets if vertex in is_open and vertex not in beyond_help]
    cuts = flow.cuts(wanted, weights) if wanted else None
    posts = cuts[1] if cuts else ()
    origins = sorted(situation.seen_at - set(situation.held) - set(commanded))
    # A post to which only a command leads may be one where nobody can come.
    arrival_s = np.minimum(situation.post_arrival_s, NEVER_S)
    late_s = situation.ready_s + situation.problem.margin_s - arrival_s
    # Least lateness first; of units in time, the one that is there soonest.
    cost = np.where(late_s > 0, late_s, 0.0) + situation.ready_s * 1e-6
    cost = np.where(np.isfinite(situation.ready_s), cost - STANDING_BONUS_S * situation.standing, NEVER_S)
    cost[[*sure.values(), *commanded.values()]] = NEVER_S
    return _assign(cost, (*posts, *origins))
