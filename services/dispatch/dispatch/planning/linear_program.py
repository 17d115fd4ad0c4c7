"""The one call of the linear solver: HiGHS through scipy, with its dual prices.

scipy's published types know no sparse matrices here; the gap is kept in this file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import linprog

from dispatch.planning.model import Floats


@dataclass(frozen=True, eq=False)
class Optimum:
    """The least cost, the variables, and what one more unit of each limit would change the cost by (0 or less)."""

    cost: float
    values: Floats
    limit_prices: Floats
    equal_prices: Floats


def minimise(
    cost: Floats,
    limited: Any,
    limits: Floats,
    *,
    equal: Any = None,
    equals: Floats | None = None,
    at_most: Floats | None = None,
    time_limit_s: float = 60.0,
) -> Optimum | None:
    """Minimise cost @ x with limited @ x <= limits, equal @ x = equals, 0 <= x <= at_most; None if not solved in time.

    `limited` and `equal` are matrices, dense or sparse.
    """
    equal_to: Any = equals
    most = np.full(len(cost), np.inf) if at_most is None else at_most
    bounds: Any = np.stack((np.zeros(len(cost)), most), axis=1)
    solved: Any = linprog(
        cost,
        A_ub=limited,
        b_ub=limits,
        A_eq=equal,
        b_eq=equal_to,
        bounds=bounds,
        options={"time_limit": max(0.01, time_limit_s)},
    )
    if solved.status != 0:
        return None
    return Optimum(float(solved.fun), solved.x, solved.ineqlin.marginals, solved.eqlin.marginals)
