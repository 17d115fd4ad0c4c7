"""What a finished match is worth: each assignment with its reason, and which exits are open after all.

The open exits come from a search of their own that lets nobody past a post once it is manned, not from
the cut that chose the posts.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dispatch.domain.problem import (
    Assignment,
    AssignmentReason,
    Exit,
    ExitId,
    OpenExit,
    OpenReason,
    Place,
    Plan,
    Reason,
)
from dispatch.domain.reach import arrival_past_posts_s
from dispatch.domain.situation import Situation, exit_nodes
from dispatch.domain.tables import Floats


def verdict(situation: Situation, match: Mapping[int, int]) -> Plan:
    """The plan that says what this match (post -> unit) does, kept units included."""
    problem = situation.problem
    own_s = _manned_from_s(situation, match)
    past_s = _past_s(situation, _with_neighbours(situation, own_s))
    past_own_s = _past_s(situation, own_s) if problem.manned_exits else past_s
    reachable = _reachable(situation)
    reachable_ids = {way_out.exit_id for way_out in reachable}
    is_open = [way_out for way_out in reachable if np.isfinite(past_s[way_out.node])]
    open_ids = {way_out.exit_id for way_out in is_open}
    aided = [out for out in reachable if out.exit_id not in open_ids and np.isfinite(past_own_s[out.node])]
    sent = set(match.values())
    return Plan(
        network_version=problem.network.version,
        assignments=_assignments(situation, match),
        closed_exits=tuple(way_out.exit_id for way_out in reachable if way_out.exit_id not in open_ids),
        open_exits=_open_exits(situation, is_open, past_s),
        unreachable_exits=tuple(out.exit_id for out in situation.exits if out.exit_id not in reachable_ids),
        free_units=tuple(unit.unit_id for row, unit in enumerate(situation.units) if row not in sent),
        aided_exits=tuple(way_out.exit_id for way_out in aided),
        pins_unmet=situation.pinned.unmet,
    )


def _past_s(situation: Situation, manned_from_s: Floats) -> Floats:
    problem = situation.problem
    return arrival_past_posts_s(
        problem.network, problem.origins, manned_from_s, problem.closed_edges, exit_nodes(problem)
    )


def _with_neighbours(situation: Situation, manned_from_s: Floats) -> Floats:
    """The same with the exits that neighbours man."""
    manned_s = manned_from_s.copy()
    for way_out in situation.exits:
        from_s = situation.problem.manned_exits.get(way_out.exit_id, np.inf)
        manned_s[way_out.node] = min(float(manned_s[way_out.node]), from_s)
    return manned_s


def _reachable(situation: Situation) -> list[Exit]:
    """The exits somebody could leave by if there were no post at all."""
    return [out for out in situation.exits if np.isfinite(situation.exit_arrival_s[out.node])]


def _manned_from_s(situation: Situation, match: Mapping[int, int]) -> Floats:
    """When each node is closed: a kept unit when it says, a new one its margin after it works there."""
    problem = situation.problem
    manned_s = np.full(problem.network.size, np.inf)
    for post, kept in situation.held.items():
        manned_s[situation.posts[post]] = problem.keep[kept].manned_from_s
    for post, row in match.items():
        manned_s[situation.posts[post]] = float(situation.ready_s[row, post]) + problem.margin_s
    return manned_s


def _assignments(situation: Situation, match: Mapping[int, int]) -> tuple[Assignment, ...]:
    in_time = [post for post, row in match.items() if situation.in_time[row, post]]
    manned = sorted({*situation.held_in_time, *in_time})
    closes = _closes(situation, manned)
    kept = [_kept(situation, number, closes) for number in range(len(situation.problem.keep))]
    new = [_new(situation, post, match[post], closes) for post in match]
    return tuple(sorted((*kept, *new), key=lambda assignment: assignment.unit_id.int))


def _closes(situation: Situation, manned: list[int]) -> dict[int, tuple[Exit, ...]]:
    """Per manned post, the reachable exits to which roads would lead without it."""
    choke = situation.choke
    reachable = [out for out in _reachable(situation) if out.exit_id not in situation.aided]
    is_open = choke.open_from_sources(manned)
    closes = {}
    for post in manned:
        opened = choke.opened_by(post, manned, is_open)
        closes[post] = tuple(out for out in reachable if int(choke.vertex_of[out.node]) in opened)
    return closes


def _kept(situation: Situation, number: int, closes: Mapping[int, tuple[Exit, ...]]) -> Assignment:
    held = situation.problem.keep[number]
    place = next(place for place in situation.places if place.place_id == held.place_id)
    arrival_s = float(situation.arrival_s[place.node])
    reached = bool(np.isfinite(arrival_s))
    post = next((post for post, kept in situation.held.items() if kept == number), None)
    return Assignment(
        unit_id=held.unit_id,
        place_id=held.place_id,
        eta_s=held.manned_from_s,
        earliest_arrival_s=arrival_s if reached else None,
        margin_s=arrival_s - held.manned_from_s if reached else None,
        in_time=held.manned_from_s <= arrival_s,
        reason=Reason("kept", (("place_zh", place.name_zh), ("place_en", place.name_en))),
        closes=_ids(closes.get(post, ())) if post is not None else (),
    )


def _new(situation: Situation, post: int, row: int, closes: Mapping[int, tuple[Exit, ...]]) -> Assignment:
    place = situation.places[int(situation.best_place[row, post])]
    eta_s = float(situation.ready_s[row, post])
    arrival_s = float(situation.post_arrival_s[post])
    reached = bool(np.isfinite(arrival_s))
    in_time = bool(situation.in_time[row, post])
    closed = closes.get(post, ())
    return Assignment(
        unit_id=situation.units[row].unit_id,
        place_id=place.place_id,
        eta_s=eta_s,
        earliest_arrival_s=arrival_s if reached else None,
        margin_s=arrival_s - eta_s if reached else None,
        in_time=in_time,
        reason=Reason(
            _code(situation, post, closed, in_time),
            _parameters(place, arrival_s - eta_s if reached else 0.0, closed),
        ),
        closes=_ids(closed),
    )


def _code(situation: Situation, post: int, closed: tuple[Exit, ...], in_time: bool) -> AssignmentReason:
    if post in situation.pinned.row_of:
        if not np.isfinite(situation.post_arrival_s[post]):
            return "pinned_unreached"
        return "pinned" if in_time else "pinned_late"
    if post in situation.seen_at:
        return "last_seen_here"
    if closed:
        return "closes_exits"
    return "narrows_exits" if in_time else "late"


def _parameters(place: Place, margin_s: float, closed: tuple[Exit, ...]) -> tuple[tuple[str, str | int], ...]:
    """What the sentence says: the place, whole minutes early or late, exits, the first of them by name."""
    parameters: list[tuple[str, str | int]] = [("place_zh", place.name_zh), ("place_en", place.name_en)]
    parameters += [("minutes", int(abs(margin_s) // 60)), ("exits", len(closed))]
    if closed:
        parameters += [("exit_zh", closed[0].name_zh), ("exit_en", closed[0].name_en)]
    return tuple(parameters)


def _ids(exits: tuple[Exit, ...]) -> tuple[ExitId, ...]:
    return tuple(way_out.exit_id for way_out in exits)


def _open_exits(situation: Situation, is_open: list[Exit], past_s: Floats) -> tuple[OpenExit, ...]:
    """Why each is open: no place at all, no unit fast enough, or none left."""
    choke = situation.choke
    posts = [post for post in range(len(situation.posts)) if post not in situation.seen_at]
    anyway = choke.open_from_sources(posts)
    someone = np.any(situation.in_time, axis=0)
    in_time = choke.open_from_sources(
        [
            post
            for post in posts
            if post in situation.fixed_in_time or (post not in situation.held and someone[post])
        ]
    )
    found = []
    for way_out in is_open:
        vertex = int(choke.vertex_of[way_out.node])
        code: OpenReason = "no_unit_left"
        if vertex in in_time:
            code = "no_unit_in_time"
        if vertex in anyway:
            code = "no_place_on_the_way"
        arrival_s = float(past_s[way_out.node])
        names = (("exit_zh", way_out.name_zh), ("exit_en", way_out.name_en))
        found.append(OpenExit(way_out.exit_id, arrival_s, Reason(code, names)))
    return tuple(found)
