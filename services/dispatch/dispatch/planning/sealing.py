"""One unit at every access, the last of them as early as can be: the bottleneck assignment, with its proof.

Background: Hopcroft and Karp (1973) for the matching at a moment, Hall (1935) for why there is none before it, and the
assignment problem's dual prices for the smallest sum.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from dispatch.planning.escape_field import SLACK_S
from dispatch.planning.linear_program import minimise
from dispatch.planning.model import Flags, Floats, Indices


@dataclass(frozen=True)
class Sealing:
    """`unit_of` has a unit for every access, or is None if no units can take them all.

    `last_s` is when the last works, `total_s` the sum. `short` are accesses that fewer units than they are reach before
    `last_s` (ever, if it can't be done). `access_prices` and `unit_prices` (0 or less) add up to `total_s`, and no unit
    that is at an access by `last_s` is there sooner than the two prices say: no sealing by then has a smaller sum.
    """

    unit_of: tuple[int, ...] | None
    last_s: float | None = None
    total_s: float | None = None
    short: tuple[int, ...] = ()
    access_prices: tuple[float, ...] = ()
    unit_prices: tuple[float, ...] = ()


def seal(ready_s: Floats) -> Sealing:
    """Assign units to accesses, the last arrival first and then the sum as small as can be; `ready_s` is (U, A).

    Without accesses nothing needs doing: an empty assignment, whose `last_s` is None.
    Raises: ValueError, for times that are not numbers (+inf is a unit that can't get there).
    """
    if np.isnan(ready_s).any():
        raise ValueError("Times must be numbers; +inf is for a unit that can't be at an access.")
    if not ready_s.shape[1]:
        return Sealing(unit_of=(), total_s=0.0)
    unit_of = assignment(ready_s)
    if unit_of is None:
        return Sealing(None, short=short_of(np.isfinite(ready_s)))
    columns = np.arange(len(unit_of))
    last_s = float(ready_s[list(unit_of), columns].max())
    access_prices, unit_prices = _prices(ready_s, last_s)
    return Sealing(
        unit_of=unit_of,
        last_s=last_s,
        total_s=float(ready_s[list(unit_of), columns].sum()),
        short=short_of(ready_s < last_s),
        access_prices=access_prices,
        unit_prices=unit_prices,
    )


def assignment(ready_s: Floats) -> tuple[int, ...] | None:
    """A unit for each column of (U, A), the last as early as can be, then the smallest sum; None if there is none."""
    if not ready_s.shape[1]:
        return ()
    moments = np.unique(ready_s[np.isfinite(ready_s)])
    if not len(moments) or not _matched(ready_s <= moments[-1]):
        return None
    low, high = 0, len(moments) - 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if _matched(ready_s <= moments[middle]) else (middle + 1, high)
    allowed = ready_s <= moments[low]
    beyond = float(np.abs(ready_s[allowed]).sum()) * 2 + 1.0
    columns, units = linear_sum_assignment(np.where(allowed, ready_s, beyond).T)
    assert allowed[units, columns].all(), (
        "A matching exists, so that no access may be without a unit in time."
    )
    return tuple(units.tolist())


def _partners(allowed: Flags) -> Indices:
    """(A,) the unit matched to each access, -1 for none."""
    return maximum_bipartite_matching(csr_array(allowed), perm_type="row").astype(np.int64)


def _matched(allowed: Flags) -> bool:
    return bool((_partners(allowed) >= 0).all())


def short_of(allowed: Flags) -> tuple[int, ...]:
    """Accesses that have fewer units than they are: what an access without partner reaches by alternating paths."""
    partner = _partners(allowed)
    access_of = {unit: access for access, unit in enumerate(partner.tolist()) if unit >= 0}
    waiting = [int(np.flatnonzero(partner < 0)[0])]
    short = set(waiting)
    while waiting:
        for unit in np.flatnonzero(allowed[:, waiting.pop()]).tolist():
            access = access_of[unit]
            if access not in short:
                short.add(access)
                waiting.append(access)
    return tuple(sorted(short))


def _prices(ready_s: Floats, last_s: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Dual prices of the assignment by `last_s`; those of units are 0 or less."""
    units, accesses = np.nonzero(ready_s <= last_s + SLACK_S)
    count, width = ready_s.shape
    pairs, ones = np.arange(len(units)), np.ones(len(units))
    each_access = csr_array((ones, (accesses, pairs)), shape=(width, len(pairs)))
    each_unit = csr_array((ones, (units, pairs)), shape=(count, len(pairs)))
    solved = minimise(
        ready_s[units, accesses], each_unit, np.ones(count), equal=each_access, equals=np.ones(width)
    )
    assert solved is not None, "The assignment has a solution, so that its prices exist."
    return tuple(solved.equal_prices.tolist()), tuple(np.minimum(0.0, solved.limit_prices).tolist())
