"""The earliest moment at which roadblocks that close every way out can all stand, and why no earlier one.

Units that work by a moment close more, never less, the later the moment: a bottleneck, found by halving the moments
at which some unit becomes ready. Each probe is a containment of its own; the proof of the next smaller moment stays.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dispatch.planning.clock import Clock
from dispatch.planning.containment import contain_in
from dispatch.planning.escape_field import Field, field_of
from dispatch.planning.model import Containment, Escape, Floats

DEADLINE_S = 5.0


def earliest_closing(escape: Escape, deadline_s: float = DEADLINE_S, fewest: bool = False) -> Containment:
    """The closure whose last unit works as early as possible; `sooner` proves that no other is ready before that.

    Without `sooner` the deadline came first: the closure stands, but an earlier one may exist. Impossible and
    probabilistic as in `contain`. `fewest` asks for the fewest units among those that make the earliest moment; with
    `sooner`, `flow_value` and `ways` are about units that work by then.

    Raises: ValueError, as `contain`.
    """
    field, clock = field_of(escape), Clock(deadline_s)
    best = contain_in(field, clock, fewest=False)
    if best.kind != "guaranteed" or best.closed_at_s is None:
        return best
    moments = _moments(field, best.closed_at_s)
    low, high = _first_without_open_way(field, moments), len(moments) - 1
    middle = low  # Often nothing but that first moment matters; only then is the range halved.
    while low < high:
        probe = contain_in(field.before(float(moments[middle]), included=True), clock, fewest=False)
        if probe.kind == "guaranteed" and probe.closed_at_s is not None:
            best, high = probe, int(np.searchsorted(moments, probe.closed_at_s))
        else:
            low = middle + 1
        middle = (low + high) // 2
    return _settled(field, best, clock, fewest=fewest)


def _settled(field: Field, best: Containment, clock: Clock, *, fewest: bool) -> Containment:
    """The closure with the proof that there is none before it, as far as the time allows."""
    assert best.closed_at_s is not None, "A closure that is searched for has guards."
    before = contain_in(field.before(best.closed_at_s, included=False), clock, fewest=False)
    if fewest:
        fewer = contain_in(field.before(best.closed_at_s, included=True), clock, fewest=True)
        best = fewer if fewer.kind == "guaranteed" else best
    if before.certificate is None:
        # Without it, `ways` would be read as a claim about all units, not those that work by then.
        return replace(best, flow_value=0, ways=())
    return replace(best, sooner=before.certificate)


def _moments(field: Field, until_s: float) -> Floats:
    """Sorted: when some unit becomes ready somewhere."""
    moments: Floats = np.unique(field.ready_s)
    return moments[moments <= until_s]


def _first_without_open_way(field: Field, moments: Floats) -> int:
    """The first moment by which, on every way out, some unit could be in time: before it nothing closes, surely."""
    low, high = 0, len(moments) - 1
    while low < high:
        middle = (low + high) // 2
        by_then = field.before(float(moments[middle]), included=True)
        low, high = (middle + 1, high) if by_then.ways_out(by_then.first_s()) else (low, middle)
    return low
