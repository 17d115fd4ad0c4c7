"""The earliest moment at which roadblocks that close every way out can all stand, and why no earlier one.

Units that work by a moment close more, never less, the later the moment: a bottleneck, found by halving the moments
at which some unit becomes ready. Each probe is a containment of its own; the proof of the next smaller moment stays.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dispatch.planning.clock import Clock
from dispatch.planning.containment import closed_by_cut, contain_in, with_ways
from dispatch.planning.escape_field import SLACK_S, Field, field_of
from dispatch.planning.model import Certificate, Containment, Escape, Floats

DEADLINE_S = 5.0


def earliest_closing(escape: Escape, deadline_s: float = DEADLINE_S, fewest: bool = False) -> Containment:
    """The closure whose last unit works as early as possible; `sooner` proves that no other is ready before that.

    Without `sooner` the deadline came first: the closure stands, but an earlier one may exist. Impossible and
    probabilistic as in `contain`. `fewest` asks for the fewest units among those that make the earliest moment; with
    `sooner`, `flow_value` and `ways` are about units that work by then.

    Raises: ValueError, as `contain`.
    """
    clock = Clock(deadline_s)
    field = field_of(escape)
    best = contain_in(field, clock, fewest=False, ways=False)
    if best.kind != "guaranteed" or best.closed_at_s is None:
        return best
    moments = _moments(field, best.closed_at_s)
    low, high = _first_without_open_way(field, moments, clock), len(moments) - 1
    best, high = _soonest_cut(field, moments, best, low, clock)
    sooner: Certificate | None = None
    middle = max(low, high - 1)  # If there is none just before the soonest cut, that is the answer.
    while low < high and clock.left_s:
        probe = contain_in(_by(field, moments[middle]), clock, fewest=False, ways=False)
        if probe.kind == "guaranteed" and probe.closed_at_s is not None:
            best, high = probe, int(np.searchsorted(moments, probe.closed_at_s))
        else:
            sooner, low = probe.certificate, middle + 1
        middle = (low + high) // 2
    if sooner is None or low < high:
        sooner = contain_in(_before(field, best), clock, fewest=False, ways=False).certificate
    if sooner is None:
        return best
    by_then = _by(field, moments[high])
    fewer = contain_in(by_then, clock, fewest=True) if fewest else None
    if fewer is None or fewer.kind != "guaranteed":
        fewer = with_ways(by_then, best, clock)
    return replace(fewer, sooner=sooner)


def _soonest_cut(
    field: Field, moments: Floats, best: Containment, low: int, clock: Clock
) -> tuple[Containment, int]:
    """The soonest closure that a cut gives, by halving, and its moment: quick, and mostly the soonest of all."""
    high, middle = len(moments) - 1, low  # Often nothing but that first moment matters.
    while low < high and clock.left_s:
        probe = closed_by_cut(_by(field, moments[middle]), clock)
        if probe is not None and probe.closed_at_s is not None:
            best, high = probe, int(np.searchsorted(moments, probe.closed_at_s))
        else:
            low = middle + 1
        middle = (low + high) // 2
    return best, high


def _by(field: Field, moment_s: float) -> Field:
    return field.before(float(moment_s), included=True)


def _before(field: Field, closed: Containment) -> Field:
    assert closed.closed_at_s is not None, "A closure that is searched for has guards."
    return field.before(closed.closed_at_s, included=False)


def _moments(field: Field, until_s: float) -> Floats:
    """Sorted: when some unit becomes ready somewhere."""
    moments: Floats = np.unique(field.ready_s)
    return moments[moments <= until_s]


def _first_without_open_way(field: Field, moments: Floats, clock: Clock) -> int:
    """The first moment by which, on every way out, some unit could be in time: before it nothing closes, surely.

    Looked for first among units that are in time before anybody (quick), then among those for whom others gain time.
    """
    low, high = 0, _first_parted(field, moments)
    middle = max(0, high - 1)  # Others rarely gain that much time: then this one question settles it.
    while low < high and clock.left_s:
        by_then = _by(field, moments[middle])
        low, high = (middle + 1, high) if by_then.ways_out(by_then.first_s()) else (low, middle)
        middle = (low + high) // 2
    return low


def _first_parted(field: Field, moments: Floats) -> int:
    """The first moment by which the nodes that units hold before anybody is there part all sources from the exits."""
    earliest_s, first_s = field.earliest_s(), field.first_s()
    first_s[first_s + field.margin_s > earliest_s + SLACK_S] = np.inf
    low, high = 0, len(moments) - 1
    while low < high:
        middle = (low + high) // 2
        closed = first_s <= moments[middle]
        is_open = any((walk.reached(closed) & ~closed)[field.exits].any() for walk in field.walks)
        low, high = (middle + 1, high) if is_open else (low, middle)
    return low
