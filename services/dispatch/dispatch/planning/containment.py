"""Can all ways out be closed for sure? With units and nodes if so, with a proof if not.

First the cheap answers, which are exact: a way on which no unit is ever in time (nothing can close it), and a minimum
cut among the nodes that some unit holds before anybody can be there, whose nodes are matched to units. If the
smallest cuts have no matching, `cover_search` looks at all closures, also those in which one guard gains time for
another.

What comes out in odd cases: no exits, or exits that nobody can reach, are closed without guards. A source at an exit
is a way out of one node: closed only by a unit that works there before it begins. A source at a post may be held like
any node. Units without a post never appear. Posts that nobody can reach are never manned.

Background: Menger (1927); Ford and Fulkerson (1956); Hopcroft and Karp (1973).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dispatch.planning.certificate import certificate_of, open_way
from dispatch.planning.clock import Clock
from dispatch.planning.cover_search import Posting, ready_of, search
from dispatch.planning.cuts import CutNetwork, cut_network
from dispatch.planning.escape_field import SLACK_S, Field, Run, Walk, Way, field_of
from dispatch.planning.model import Containment, Escape, Flags, Floats, Guard, Indices, Stage
from dispatch.planning.sealing import assignment, short_of

DEADLINE_S = 2.0

CHANGES_MAX = 5
"""How often other ways are looked for, so that no two share a node that could be held on a slower way."""

PRICES_MAX = 40
"""Rounds in which contended units become dearer."""

PRICE_FIRST = 16
PRICE_LAST = 100_000


def contain(escape: Escape, deadline_s: float = DEADLINE_S, fewest: bool = False) -> Containment:
    """Whether the units can close every way out, and where each stands; see `Containment` for the proofs.

    With `fewest`, as few units as possible: proven if the last stage's objective is its bound. Without, few (a
    minimum cut where one can be manned), the last of them as early as that cut allows. Deterministic unless the
    deadline ends it.

    Raises: ValueError, for an escape that makes no sense (nodes that are not there, times that are not numbers).
    """
    return contain_in(field_of(escape), Clock(deadline_s), fewest=fewest)


def contain_in(field: Field, clock: Clock, *, fewest: bool) -> Containment:
    """The same for a field that is laid out."""
    earliest_s = field.earliest_s()
    if not np.isfinite(earliest_s[field.exits]).any():
        return Containment("guaranteed")
    ways = field.ways_out(field.first_s())
    if ways:
        return Containment("impossible", certificate=open_way(field, ways[0]))
    in_time = field.ready_s + field.margin_s <= earliest_s[field.posts] + SLACK_S
    in_time &= np.isfinite(earliest_s[field.posts])
    shared = _ways_apart(field, earliest_s, in_time)
    posting = _manned_cut(field, earliest_s, in_time)
    if posting is not None:
        found = _closed(field, posting, shared, (Stage("cut", clock.after_s, len(posting), len(shared)),))
        if not fewest or (len(posting) == len(shared) and _apart(field, shared)):
            return found
        fewer = _searched(field, shared, clock, fewest=True)
        return fewer if fewer.kind == "guaranteed" else found
    return _searched(field, shared, clock, fewest=fewest)


def _searched(field: Field, ways: tuple[Way, ...], clock: Clock, *, fewest: bool) -> Containment:
    """What the search over all closures says."""
    searched = search(field, ways, clock, fewest=fewest)
    if searched.posting is not None:
        posting = searched.posting if fewest else _needed(field, searched.posting, clock)
        bound = len(posting) if fewest else len(ways)
        return _closed(field, posting, ways, (Stage("search", clock.after_s, len(posting), bound),))
    certificate = certificate_of(field, searched.ways, clock) if searched.exhausted else None
    stages = (Stage("search", clock.after_s, 0.0, 0.0),)
    if certificate is None:
        return Containment("probabilistic", stages=stages)
    return Containment("impossible", certificate=certificate, stages=stages)


def _closed(field: Field, posting: Posting, ways: tuple[Way, ...], stages: tuple[Stage, ...]) -> Containment:
    """The guarantee, with the moment before which nobody can be at each guard."""
    ready_s = ready_of(field, posting)
    runs = list(field.runs(ready_s))
    assert not any(_left_open(field, run).any() for run in runs), "A closure must leave no exit open."
    comes_s = np.minimum.reduce([run.at_s for run in runs])
    at = sorted(posting.items())
    guards = tuple(
        Guard(unit, (node := int(field.posts[post])), float(ready_s[node]), float(comes_s[node]))
        for unit, post in at
    )
    return Containment(
        "guaranteed",
        guards=guards,
        flow_value=len(ways),
        closed_at_s=max((guard.ready_s for guard in guards), default=None),
        stages=stages,
        ways=tuple((way.nodes, way.movement) for way in ways),
    )


def _left_open(field: Field, run: Run) -> Flags:
    is_open: Flags = np.isfinite(run.at_s[field.exits]) & ~run.closed[field.exits]
    return is_open


def _needed(field: Field, posting: Posting, clock: Clock) -> Posting:
    """Without the guards that the others make unnecessary; the latest are tried first."""
    kept = dict(posting)
    for unit in sorted(posting, key=lambda unit: (-float(field.ready_s[unit, posting[unit]]), unit)):
        without = {other: post for other, post in kept.items() if other != unit}
        if clock.left_s and not field.ways_out(ready_of(field, without)):
            kept = without
    return kept


# -- cuts -----------------------------------------------------------------------------------------------------------


def _manned_cut(field: Field, earliest_s: Floats, in_time: Flags) -> Posting | None:
    """A cut of all movements together, manned by units that are there before anybody, if one is found.

    First the smallest. Where too few units reach some of its nodes, those units are dearer in the next round, so that
    the cut moves to nodes that others reach (prices as in an auction: Bertsekas, 1988).
    """
    tails, heads = zip(*(walk.arcs() for walk in field.walks), strict=True)
    arcs = np.concatenate(tails), np.concatenate(heads)
    network = _network(field, arcs, earliest_s, _holdable(field, in_time), field.walks)
    posts = np.searchsorted(field.posts, network.held)
    price = np.full(field.units, PRICE_FIRST)
    for _ in range(PRICES_MAX):
        least = np.where(in_time[:, posts], price[:, np.newaxis], PRICE_LAST).min(axis=0, initial=PRICE_LAST)
        cut = network.minimum_cut(least)
        if cut is None:
            return None
        for nodes in dict.fromkeys((cut.near, cut.far)):
            at = np.searchsorted(field.posts, nodes)
            unit_of = assignment(np.where(in_time, field.ready_s, np.inf)[:, at])
            if unit_of is not None:
                return dict(zip(unit_of, at.tolist(), strict=True))
            wanted = in_time[:, at[list(short_of(in_time[:, at]))]].any(axis=1)
            price[wanted] = np.minimum(PRICE_LAST, price[wanted] + np.maximum(1, price[wanted] // 4))
    return None


def _ways_apart(field: Field, earliest_s: Floats, in_time: Flags) -> tuple[Way, ...]:
    """As many ways out as share no node that a unit holds before anybody is there, one more than units at most.

    All in one movement, that with the most: what they show (no fewer guards) then holds for all movements together.
    """
    best: tuple[Way, ...] = ()
    holdable = _holdable(field, in_time)
    for number in range(len(field.walks)):
        ways = _ways_of(field, number, holdable)
        best = ways if len(ways) > len(best) else best
    if _apart(field, best):
        return best
    return _further_apart(field, best, holdable)


def _further_apart(field: Field, ways: tuple[Way, ...], holdable: Flags) -> tuple[Way, ...]:
    """As many ways, if possible with no two that share a node that a unit could hold on the slower of them."""
    for _ in range(CHANGES_MAX):
        holdable = holdable | _shared(field, ways)
        others = _ways_of(field, ways[0].movement, holdable)
        if len(others) < len(ways):
            break
        ways = others
        if _apart(field, ways):
            break
    return ways


def _shared(field: Field, ways: tuple[Way, ...]) -> Flags:
    """(N,) nodes at which some unit would stop two of the ways."""
    first_s = field.first_s() + field.margin_s
    times = np.zeros(field.nodes, dtype=np.int64)
    for way in ways:
        nodes = np.array(way.nodes)
        times[nodes[first_s[nodes] <= way.at_s + SLACK_S]] += 1
    return times > 1


def _apart(field: Field, ways: tuple[Way, ...]) -> bool:
    return not _shared(field, ways).any()


def _ways_of(field: Field, number: int, holdable: Flags) -> tuple[Way, ...]:
    """Ways of one movement that share none of these nodes."""
    walk = field.walks[number]
    at_s, _ = walk.arrivals(np.zeros(field.nodes, dtype=np.bool_))
    network = _network(field, walk.arcs(), at_s, holdable, (walk,))
    cut = network.minimum_cut(ways_max=field.units + 1)
    if cut is None:
        return ()
    return tuple(_way_within(field, number, nodes) for nodes in cut.within)


def _way_within(field: Field, number: int, within: Flags) -> Way:
    """The fastest way out over these nodes."""
    at_s, before = field.walks[number].arrivals(~within)
    ends = field.exits[within[field.exits]]
    end = int(ends[np.argmin(at_s[ends])])
    return Run(number, at_s, before, ~within).way_to(end)


def _network(
    field: Field, arcs: tuple[Indices, Indices], at_s: Floats, holdable: Flags, walks: Sequence[Walk]
) -> CutNetwork:
    """What is reached at all, from where these movements begin to the exits."""
    reached = np.isfinite(at_s)
    tails, heads = arcs
    inside = reached[tails] & reached[heads]
    sources = np.zeros(field.nodes, dtype=np.bool_)
    for walk in walks:
        sources[walk.begins()] = True
    exits = np.zeros(field.nodes, dtype=np.bool_)
    exits[field.exits] = True
    return cut_network((tails[inside], heads[inside]), sources, exits & reached, holdable & reached)


def _holdable(field: Field, in_time: Flags) -> Flags:
    holdable = np.zeros(field.nodes, dtype=np.bool_)
    holdable[field.posts] = in_time.any(axis=0)
    return holdable
