"""What was seen, and what manned checkpoints did not see, as evidence for the sampled routes."""

from __future__ import annotations

from collections.abc import Iterator

from dispatch.case_now import CaseNow
from dispatch.domain.orders import OrderState
from dispatch.models import OrderRow
from dispatch.planning.assumptions import RELIABILITY
from dispatch.planning.beliefs import Evidence, Sighting, Unseen

_ENDS = (OrderState.intercepted, OrderState.stood_down, OrderState.reassigned)


def evidence_of(now: CaseNow, detection: float) -> tuple[Evidence, ...]:
    """Sightings after the child was last seen, as far as they are believed, and empty checkpoints while they stood."""
    seen = (
        Sighting(
            one.lon, one.lat, (min(one.seen_at, now.at) - now.zero).total_seconds(), RELIABILITY[one.verdict]
        )
        for one in now.sightings
        if one.seen_at >= now.zero
    )
    return (*seen, *_unseen(now, detection))


def _unseen(now: CaseNow, detection: float) -> Iterator[Unseen]:
    node_of = {place.place_id: place.node for place in now.county.places}
    for row in now.orders:
        node, stood = node_of.get(row.place_id), _stood(now, row)
        if node is not None and stood is not None and stood[1] > stood[0]:
            yield Unseen(node, *stood, detection)


def _stood(now: CaseNow, row: OrderRow) -> tuple[float, float] | None:
    """From when until when the unit stood there and nobody came."""
    from_at = row.order.entered_at(OrderState.in_position)
    if from_at is None:
        return None
    ends = [at for at in (row.order.entered_at(state) for state in _ENDS) if at is not None]
    until_at = min([now.at, *ends])
    return (from_at - now.zero).total_seconds(), (until_at - now.zero).total_seconds()
