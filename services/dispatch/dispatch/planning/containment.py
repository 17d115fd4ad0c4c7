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
from dataclasses import replace

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
    clock = Clock(deadline_s)
    return contain_in(field_of(escape), clock, fewest=fewest)


def contain_in(field: Field, clock: Clock, *, fewest: bool, ways: bool = True) -> Containment:
    """The same for a field that is laid out; without `ways`, nothing is claimed about fewer guards."""
    earliest_s = field.earliest_s()
    if not np.isfinite(earliest_s[field.exits]).any():
        return Containment("guaranteed")
    in_time = _in_time(field, earliest_s)
    posting = _manned_cut(field, earliest_s, in_time)
    if posting is None and (left := field.ways_out(field.first_s())):
        return Containment("impossible", certificate=open_way(field, left[0]))
    if posting is None:
        searched = _searched(field, (), clock, fewest=fewest)
        return with_ways(field, searched, clock) if ways and searched.kind == "guaranteed" else searched
    apart = _ways_apart(field, _holdable(field, in_time), clock) if ways else ()
    stage = Stage("cut", clock.after_s, len(posting), len(apart))
    found = _closed(field, posting, earliest_s, apart, stage)
    if not fewest or (len(posting) == len(apart) and _are_apart(field, apart)):
        return found
    fewer = _searched(field, apart, clock, fewest=True)
    return fewer if fewer.kind == "guaranteed" else found


def with_ways(field: Field, found: Containment, clock: Clock) -> Containment:
    """A guarantee with ways out that show how many guards it takes at least, as many as there is time for."""
    in_time = _in_time(field, field.earliest_s())
    apart = _ways_apart(field, _holdable(field, in_time), clock)
    stage = Stage("ways", clock.after_s, len(found.guards), len(apart))
    ways = tuple((way.nodes, way.movement) for way in apart)
    return replace(found, flow_value=len(ways), ways=ways, stages=(*found.stages, stage))


def closed_by_cut(field: Field, clock: Clock) -> Containment | None:
    """The guarantee of a cut, quick; None decides nothing. What is closed anyway has guards of no use here."""
    earliest_s = field.earliest_s()
    posting = _manned_cut(field, earliest_s, _in_time(field, earliest_s))
    if posting is None:
        return None
    return _closed(field, posting, earliest_s, (), Stage("cut", clock.after_s, len(posting), 0.0))


def _in_time(field: Field, earliest_s: Floats) -> Flags:
    """(U, K): the unit works there before anybody can be there, and somebody can."""
    in_time: Flags = field.ready_s + field.margin_s <= earliest_s[field.posts] + SLACK_S
    return in_time & np.isfinite(earliest_s[field.posts])


def _searched(field: Field, ways: tuple[Way, ...], clock: Clock, *, fewest: bool) -> Containment:
    """What the search over all closures says."""
    searched = search(field, ways, clock, fewest=fewest)
    if searched.posting is not None:
        posting = searched.posting if fewest else _needed(field, searched.posting, clock)
        bound = len(posting) if fewest else len(ways)
        comes_s = _comes_s(field, ready_of(field, posting))
        return _closed(field, posting, comes_s, ways, Stage("search", clock.after_s, len(posting), bound))
    certificate = certificate_of(field, searched.ways, clock) if searched.exhausted else None
    stages = (Stage("search", clock.after_s, 0.0, 0.0),)
    if certificate is None:
        return Containment("probabilistic", stages=stages)
    return Containment("impossible", certificate=certificate, stages=stages)


def _comes_s(field: Field, ready_s: Floats) -> Floats:
    """(N,) before which moment nobody can be at a node, held up by these guards."""
    runs = list(field.runs(ready_s))
    for run in runs:
        is_open = np.isfinite(run.at_s[field.exits]) & ~run.closed[field.exits]
        assert not is_open.any(), "A closure must leave no exit open."
    comes_s: Floats = np.minimum.reduce([run.at_s for run in runs])
    return comes_s


def _closed(
    field: Field, posting: Posting, comes_s: Floats, ways: tuple[Way, ...], stage: Stage
) -> Containment:
    """The guarantee, with the moment before which nobody can be at each guard."""
    ready_s = ready_of(field, posting)
    nodes = {unit: int(field.posts[post]) for unit, post in sorted(posting.items())}
    return Containment(
        "guaranteed",
        guards=tuple(Guard(u, node, float(ready_s[node]), float(comes_s[node])) for u, node in nodes.items()),
        flow_value=len(ways),
        closed_at_s=max((float(ready_s[node]) for node in nodes.values()), default=None),
        stages=(stage,),
        ways=tuple((way.nodes, way.movement) for way in ways),
    )


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
    network = _network(field, arcs, np.isfinite(earliest_s), _holdable(field, in_time), field.walks)
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


def _ways_apart(field: Field, holdable: Flags, clock: Clock) -> tuple[Way, ...]:
    """As many ways out as share no node that a unit holds before anybody is there, one more than units at most.

    All in one movement, that with the most: what they show (no fewer guards) then holds for all movements together.
    Fewer, if the time ends before they are laid out.
    """
    number = 0
    if len(field.walks) > 1:
        cuts = [_network_of(field, walk, holdable).minimum_cut() for walk in field.walks]
        number = int(np.argmax([0 if cut is None else cut.value for cut in cuts]))
    ways = _ways_of(field, number, holdable, clock)
    for _ in range(CHANGES_MAX):
        if _are_apart(field, ways) or not clock.left_s:
            break
        # As many may exist that don't share a node which a unit could hold on the slower of them either.
        holdable = holdable | _shared(field, ways)
        others = _ways_of(field, number, holdable, clock)
        if len(others) < len(ways):
            break
        ways = others
    return ways


def _shared(field: Field, ways: tuple[Way, ...]) -> Flags:
    """(N,) nodes at which some unit would stop two of the ways."""
    first_s = field.first_s() + field.margin_s
    times = np.zeros(field.nodes, dtype=np.int64)
    for way in ways:
        nodes = np.array(way.nodes)
        times[nodes[first_s[nodes] <= way.at_s + SLACK_S]] += 1
    return times > 1


def _are_apart(field: Field, ways: tuple[Way, ...]) -> bool:
    return not _shared(field, ways).any()


def _ways_of(field: Field, number: int, holdable: Flags, clock: Clock) -> tuple[Way, ...]:
    """Ways of one movement that share none of these nodes, as many as there is time for."""
    walk = field.walks[number]
    cut = _network_of(field, walk, holdable).minimum_cut(ways_max=field.units + 1)
    ways: list[Way] = []
    for nodes in cut.within if cut is not None else ():
        if not clock.left_s:
            break
        ways.append(_way_within(field, number, nodes))
    return tuple(ways)


def _way_within(field: Field, number: int, within: Flags) -> Way:
    """The fastest way out over these nodes."""
    at_s, before = field.walks[number].arrivals(~within)
    ends = field.exits[within[field.exits]]
    end = int(ends[np.argmin(at_s[ends])])
    return Run(number, at_s, before, ~within).way_to(end)


def _network_of(field: Field, walk: Walk, holdable: Flags) -> CutNetwork:
    """What one movement reaches."""
    return _network(field, walk.arcs(), walk.reached(), holdable, (walk,))


def _network(
    field: Field, arcs: tuple[Indices, Indices], reached: Flags, holdable: Flags, walks: Sequence[Walk]
) -> CutNetwork:
    """What is reached at all, from where these movements begin to the exits."""
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
