"""Sealings in the checker's words."""

from __future__ import annotations

import numpy as np

from dispatch.planning.checker_sealing import CheckSealing
from dispatch.planning.model import Floats
from dispatch.planning.sealing import Sealing


def ready_as_told(ready_s: Floats) -> dict[str | int, dict[str | int, float]]:
    """Unit -> access -> seconds, without what can't be reached."""
    return {
        unit: {access: float(row[access]) for access in np.flatnonzero(np.isfinite(row)).tolist()}
        for unit, row in enumerate(ready_s)
    }


def sealing_as_told(sealed: Sealing) -> CheckSealing:
    """Units and accesses go by their numbers."""
    return CheckSealing(
        unit_of=None if sealed.unit_of is None else dict(enumerate(sealed.unit_of)),
        last_s=sealed.last_s,
        total_s=sealed.total_s,
        short=sealed.short,
        access_prices=dict(enumerate(sealed.access_prices)) if sealed.access_prices else None,
        unit_prices=dict(enumerate(sealed.unit_prices)) if sealed.unit_prices else None,
    )
