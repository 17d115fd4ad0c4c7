"""How far an order or a delivery has come: a later step wins, whichever message arrives first."""

from __future__ import annotations

ORDER_STATES = (
    "issued",
    "overdue",
    "accepted",
    "in_position",
    "nothing_seen",
    "intercepted",
    "stood_down",
    "stand_down_acknowledged",
)
"""In the order in which one replaces the other; an overdue order can still be accepted."""

DELIVERY_STATES = ("queued", "accepted", "failed", "delivered", "opened", "acknowledged")
"""A failure can be followed by a delivery: providers correct themselves, never the other way round."""


def order_rank(state: str) -> int:
    """Place in ORDER_STATES. Raises: ValueError for an unknown state."""
    return ORDER_STATES.index(state)


def delivery_rank(state: str) -> int:
    """Place in DELIVERY_STATES. Raises: ValueError for an unknown state."""
    return DELIVERY_STATES.index(state)
