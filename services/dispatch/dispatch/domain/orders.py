"""The life of an interception order: what a unit and the command centre may do next, and what is refused.

    issued -> accepted -> in_position -> nothing_seen | intercepted
    issued -> overdue -> reassigned                 (overdue -> accepted: late, but nobody else has it yet)
    any of these -> stood_down -> stand_down_acknowledged

Phones repeat themselves: a move that an order has already made changes nothing and is no error.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from contracts.base import OrderId, UnitId
from dispatch.domain.problem import PlaceId


class OrderState(StrEnum):
    """Where an order stands; the values are kept in the database."""

    issued = "issued"
    accepted = "accepted"
    in_position = "in_position"
    nothing_seen = "nothing_seen"
    intercepted = "intercepted"
    overdue = "overdue"
    reassigned = "reassigned"
    stood_down = "stood_down"
    stand_down_acknowledged = "stand_down_acknowledged"


_NEXT: dict[OrderState, frozenset[OrderState]] = {
    OrderState.issued: frozenset({OrderState.accepted, OrderState.overdue, OrderState.stood_down}),
    OrderState.accepted: frozenset({OrderState.in_position, OrderState.stood_down}),
    OrderState.in_position: frozenset(
        {OrderState.nothing_seen, OrderState.intercepted, OrderState.stood_down}
    ),
    # A checkpoint that has seen nothing goes on looking.
    OrderState.nothing_seen: frozenset({OrderState.intercepted, OrderState.stood_down}),
    OrderState.intercepted: frozenset({OrderState.stood_down}),
    OrderState.overdue: frozenset({OrderState.accepted, OrderState.reassigned, OrderState.stood_down}),
    OrderState.reassigned: frozenset({OrderState.stood_down}),
    OrderState.stood_down: frozenset({OrderState.stand_down_acknowledged}),
    OrderState.stand_down_acknowledged: frozenset(),
}

HELD_STATES = frozenset(
    {OrderState.accepted, OrderState.in_position, OrderState.nothing_seen, OrderState.intercepted}
)
"""A unit in one of these stays where it is when the plan is made again."""

_MEND = {
    OrderState.stood_down: "The order is over; acknowledge the stand-down.",
    OrderState.stand_down_acknowledged: "The order is over; nothing is left to do.",
    OrderState.reassigned: "Another unit has it now; ask the command centre.",
    OrderState.issued: "Accept the order first.",
    OrderState.accepted: "Report in position first.",
}


class IllegalOrderMove(ValueError):
    """An order cannot go from where it stands to there; the message says what can be done."""

    def __init__(self, order: Order, target: OrderState) -> None:
        allowed = ", ".join(sorted(_NEXT[order.state])) or "nothing"
        mend = _MEND.get(order.state, "Reload the order page to see what is next.")
        super().__init__(
            f"Order {order.order_id} is {order.state} and cannot become {target}; "
            f"next may be: {allowed}. {mend}"
        )
        self.state, self.target = order.state, target


@dataclass(frozen=True)
class Order:
    """One unit, one place, until when an answer is due, and each state with when it was entered."""

    order_id: OrderId
    unit_id: UnitId
    place_id: PlaceId
    respond_by: datetime
    history: tuple[tuple[OrderState, datetime], ...]

    @property
    def state(self) -> OrderState:
        """Where the order stands now."""
        return self.history[-1][0]

    def entered_at(self, state: OrderState) -> datetime | None:
        """When the order last came into this state, or None."""
        return next((at for was, at in reversed(self.history) if was == state), None)


def issue(
    order_id: OrderId, unit_id: UnitId, place_id: PlaceId, respond_by: datetime, now: datetime
) -> Order:
    """A new order, waiting for its answer."""
    return Order(order_id, unit_id, place_id, respond_by, ((OrderState.issued, now),))


def move(order: Order, target: OrderState, now: datetime) -> Order:
    """The order after one step; the very same object if it has made that step already.

    Raises: IllegalOrderMove, if the step is not allowed from where the order stands.
    """
    if any(was == target for was, _ in order.history):
        return order
    if target not in _NEXT[order.state]:
        raise IllegalOrderMove(order, target)
    return replace(order, history=(*order.history, (target, now)))


def is_due(order: Order, now: datetime) -> bool:
    """Whether the unit has let its time to answer pass: the order should become overdue."""
    return order.state == OrderState.issued and now >= order.respond_by
