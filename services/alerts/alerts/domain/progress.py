"""How far an order or a notice has come: a later step wins, whichever message arrives first."""

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

NOTICE_STATES = ("queued", "accepted", "failed", "delivered", "acknowledged")
"""A failure can be followed by a delivery: providers correct themselves, never the other way round."""


def order_rank(state: str) -> int:
    """Place in ORDER_STATES. Raises: ValueError for an unknown state."""
    return ORDER_STATES.index(state)


def notice_rank(state: str) -> int:
    """Place in NOTICE_STATES. Raises: ValueError for an unknown state."""
    return NOTICE_STATES.index(state)
