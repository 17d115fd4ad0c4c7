"""What dispatch says about an order: one function a fact."""

from __future__ import annotations

from typing import Any

from contracts.base import SightingId
from contracts.order import (
    CheckpointReported,
    InterceptionOrdered,
    OrderAccepted,
    OrderStoodDown,
    StandDownAcknowledged,
    UnitInPosition,
)
from dispatch.domain.orders import OrderState
from dispatch.models import OrderRow
from dispatch.order_page import page_path
from dispatch.settings import DispatchSettings
from guitu.tx import Tx


def publish_order(tx: Tx, row: OrderRow, settings: DispatchSettings) -> None:
    """Order the unit to its place."""
    tx.publish(
        InterceptionOrdered(
            **_common(tx, row),
            plan_id=row.plan_id,
            case_code=row.case_code,
            stop=row.stop,
            arrive_by=row.arrive_by,
            unit_ready_at=row.unit_ready_at,
            earliest_arrival_at=row.earliest_arrival_at,
            margin_s=row.margin_s,
            respond_by=row.order.respond_by,
            closes=row.closes,
            reason=f"{row.reason_zh} {row.reason_en}"[:200],
            child_summary=row.child_summary,
            page_path=page_path(settings.signing_key, row.order_id, tx.now),
        )
    )


def publish_stand_down(
    tx: Tx, row: OrderRow, settings: DispatchSettings, sighting_id: SightingId | None = None
) -> None:
    """Tell the unit that its order is over; the link is fresh, so that it can still acknowledge."""
    assert row.stand_down_reason is not None, "A stand-down says why."
    path = page_path(settings.signing_key, row.order_id, tx.now)
    tx.publish(
        OrderStoodDown(
            **_common(tx, row),
            reason=row.stand_down_reason,
            case_code=row.case_code,
            page_path=path,
            sighting_id=sighting_id,
            cause=row.stand_down_cause,
        )
    )
    tx.audit("order.stood_down", subject=row.order_id, reason=row.stand_down_reason)


def publish_move(tx: Tx, row: OrderRow) -> None:
    """What the unit answered, after the order's state followed."""
    common = _common(tx, row)
    match row.state:
        case OrderState.accepted:
            tx.publish(OrderAccepted(**common))
        case OrderState.in_position:
            tx.publish(UnitInPosition(**common))
        case OrderState.nothing_seen:
            tx.publish(CheckpointReported(**common, outcome="nothing_seen", stop=row.stop))
        case OrderState.intercepted:
            tx.publish(CheckpointReported(**common, outcome="intercepted", stop=row.stop))
        case OrderState.stand_down_acknowledged:
            tx.publish(StandDownAcknowledged(**common))
        case _:
            raise AssertionError(f"No unit moves an order to {row.state}.")
    tx.audit(f"order.{row.state.value}", subject=row.order_id)


def _common(tx: Tx, row: OrderRow) -> dict[str, Any]:
    return {
        "region_code": row.region_code,
        "exercise": row.exercise,
        "occurred_at": tx.now,
        "case_id": row.case_id,
        "order_id": row.order_id,
        "unit_id": row.unit_id,
    }
