"""What each fact changes in the picture: one function a kind of fact."""

from __future__ import annotations

from typing import Any

from console.projection import store_projection as store
from console.projection.progress import delivery_rank, order_rank
from contracts.alert import AlertBody, AlertStoodDown
from contracts.base import CaseFact
from contracts.dna import CustodyMoved, DnaFact, SampleRegistered
from contracts.notice import NoticeFact
from contracts.order import (
    CheckpointReported,
    InterceptionOrdered,
    MutualAidFact,
    MutualAidRequested,
    MutualAidWithdrawn,
    OrderFact,
    OrderOverdue,
    OrderStoodDown,
    PlanPublished,
)
from contracts.sighting import SightingAssessed, SightingReported
from guitu.tx import Tx

Json = dict[str, Any]
_ALERT_TOLD = ("version", "tier", "changed", "reason", "ring")
_AID_TOLD = frozenset({"request_id", "neighbour", "exit_id", "exit_name_zh", "exit_name_en", "reason"})
_NOTICE_TOLD = frozenset(
    {"delivery_id", "kind", "purpose", "site_id", "unit_id", "channel", "code", "to", "seen_nothing_until"}
)
_ORDER_STEPS = {
    "guitu.order.issued.v1": ("issued", "issued_at"),
    "guitu.order.overdue.v1": ("overdue", "overdue_at"),
    "guitu.order.accepted.v1": ("accepted", "accepted_at"),
    "guitu.order.in_position.v1": ("in_position", "in_position_at"),
    "guitu.order.stood_down.v1": ("stood_down", "stood_down_at"),
    "guitu.order.stand_down_acknowledged.v1": ("stand_down_acknowledged", "acknowledged_at"),
}
_NOTICE_STEPS = {
    "guitu.notice.queued.v1": ("queued", "queued_at"),
    "guitu.notice.accepted.v1": ("accepted", "accepted_at"),
    "guitu.notice.delivered.v1": ("delivered", "delivered_at"),
    "guitu.notice.opened.v1": ("opened", "opened_at"),
    "guitu.notice.acknowledged.v1": ("acknowledged", "acknowledged_at"),
    "guitu.notice.nil_reported.v1": ("acknowledged", "nil_at"),
    "guitu.notice.failed.v1": ("failed", "failed_at"),
    "guitu.notice.escalated.v1": ("queued", "escalated_at"),
}
"""An escalation says nothing of the delivery itself, so it moves it nowhere; its time is kept beside."""
_NOTICE_IN_TIMELINE = ("acknowledged_at", "nil_at", "failed_at", "escalated_at")
"""Ten thousand queued notices are a count, not a story."""


async def when_alerted(tx: Tx, fact: AlertBody) -> None:
    """A version of an alert: the newest is the case's head."""
    body = store.about(fact)
    store.fold_case(tx, fact, body)
    store.changed(tx, fact, "case", fact.case_id, fact.case_id)
    store.tell(tx, fact, fact.case_id, {name: body[name] for name in _ALERT_TOLD if name in body})


async def when_ended(tx: Tx, fact: AlertStoodDown) -> None:
    """A case is over; its line stays."""
    store.fold_end(tx, fact)
    store.changed(tx, fact, "case", fact.case_id, fact.case_id)
    store.tell(tx, fact, fact.case_id, store.about(fact, "case_code"))


async def when_planned(tx: Tx, fact: PlanPublished) -> None:
    """The newest plan says which exits are still open, and how good it is."""
    store.fold_plan(tx, fact, store.about(fact))
    store.changed(tx, fact, "plan", fact.case_id, fact.case_id)
    told = {"plan_number": fact.plan_number, "trigger": fact.trigger, "cause": fact.cause}
    counts = {"orders": len(fact.order_ids), "closed": fact.closed_exits, "open": len(fact.open_exits)}
    good = {"verdict": fact.figures.verdict, "intercepted": fact.figures.intercepted} if fact.figures else {}
    store.tell(tx, fact, fact.case_id, told | counts | good)


async def when_order_moved(tx: Tx, fact: OrderFact) -> None:
    """An order went one step on."""
    if not isinstance(fact, CheckpointReported) and fact.type_ not in _ORDER_STEPS:
        return await when_told(tx, fact)
    state, said = _order_step(fact)
    store.fold_order(tx, fact, state, order_rank(state), said)
    store.changed(tx, fact, "order", fact.order_id, fact.case_id)
    told: Json = {"order_id": str(fact.order_id), "unit_id": str(fact.unit_id), "state": state}
    more = {name: said[name] for name in ("stop", "outcome", "stood_down_reason", "cause") if said.get(name)}
    other = {"reassigned_to": str(said["reassigned_to"])} if said.get("reassigned_to") else {}
    store.tell(tx, fact, fact.case_id, told | more | other)


def _order_step(fact: OrderFact) -> tuple[str, Json]:
    """The state an order is in after a fact, and the columns that the fact sets."""
    if isinstance(fact, CheckpointReported):
        stop = fact.stop.model_dump(mode="json")
        return fact.outcome, {"reported_at": fact.occurred_at, "outcome": fact.outcome, "stop": stop}
    state, column = _ORDER_STEPS[fact.type_]
    said: Json = {column: fact.occurred_at}
    if isinstance(fact, InterceptionOrdered):
        # The page link lets its bearer answer as the unit, so it is not kept; nor is what the SMS says.
        said["issued"] = store.about(fact, "page_path", "child_summary", "order_id", "unit_id", "stop")
        said["stop"] = fact.stop.model_dump(mode="json")
    elif isinstance(fact, OrderOverdue):
        said["reassigned_to"] = fact.reassigned_to
    elif isinstance(fact, OrderStoodDown):
        said |= {"stood_down_reason": fact.reason, "cause": fact.cause}
    return state, said


async def when_aid_moved(tx: Tx, fact: MutualAidFact) -> None:
    """A neighbouring county was asked for help, or need not help any more."""
    said: Json = {}
    if isinstance(fact, MutualAidRequested):
        said = {"requested_at": fact.occurred_at, "asked": store.about(fact, "child_summary")}
    elif isinstance(fact, MutualAidWithdrawn):
        said = {"withdrawn_at": fact.occurred_at, "withdrawn_reason": fact.reason}
    store.fold_aid(tx, fact, said)
    store.changed(tx, fact, "aid", fact.request_id, fact.case_id)
    store.tell(tx, fact, fact.case_id, fact.model_dump(mode="json", include=set(_AID_TOLD)))


async def when_notice_moved(tx: Tx, fact: NoticeFact) -> None:
    """A delivery went one step on; a site's row of the matrix, or the unit's order, shows it."""
    if fact.type_ not in _NOTICE_STEPS:
        return await when_told(tx, fact)
    state, column = _NOTICE_STEPS[fact.type_]
    said: Json = {column: fact.occurred_at} | _notice_said(fact)
    store.fold_delivery(tx, fact, state, delivery_rank(state), said)
    if fact.site_id:
        store.changed(tx, fact, "site", fact.site_id, fact.case_id)
    elif fact.unit_id:
        store.changed(tx, fact, "unit", fact.unit_id, fact.case_id)
    if column in _NOTICE_IN_TIMELINE:
        told = fact.model_dump(mode="json", include=set(_NOTICE_TOLD), exclude_none=True)
        store.tell(tx, fact, fact.case_id, told)


def _notice_said(fact: NoticeFact) -> Json:
    """What a step says besides its time."""
    names = {
        "channel": "channel",
        "seen_nothing_until": "seen_nothing_until",
        "code": "failed_code",
        "reason": "failed_reason",
        "to": "escalated_to",
    }
    return {column: getattr(fact, name) for name, column in names.items() if hasattr(fact, name)}


async def when_sighted(tx: Tx, fact: SightingReported) -> None:
    """Somebody saw the child, perhaps."""
    store.fold_sighting(tx, fact, store.about(fact, "sighting_id"))
    store.changed(tx, fact, "sighting", fact.sighting_id, fact.case_id)
    if fact.site_id:
        store.changed(tx, fact, "site", fact.site_id, fact.case_id)
    told = fact.model_dump(mode="json", include={"sighting_id", "channel", "site_id", "unit_id", "mode"})
    place = {"place": fact.place.name} if fact.place.name else {}
    store.tell(tx, fact, fact.case_id, {k: v for k, v in told.items() if v} | place)


async def when_assessed(tx: Tx, fact: SightingAssessed) -> None:
    """A person judged a sighting."""
    store.fold_verdict(tx, fact)
    store.changed(tx, fact, "sighting", fact.sighting_id, fact.case_id)
    store.tell(tx, fact, fact.case_id, {"sighting_id": str(fact.sighting_id), "verdict": fact.verdict})


async def when_dna_moved(tx: Tx, fact: DnaFact) -> None:
    """The laboratory's line of a case, or where a specimen stands; no fact says both."""
    if fact.case_id is not None:
        common = {"region_code", "exercise", "occurred_at", "case_id"}
        details = fact.model_dump(mode="json", exclude=common, exclude_none=True)
        store.fold_dna(tx, fact, fact.case_id, details)
        store.changed(tx, fact, "dna", fact.type_, fact.case_id)
        store.tell(tx, fact, fact.case_id, details)
    elif isinstance(fact, SampleRegistered):
        store.fold_specimen(tx, fact, "registered", fact.category)
    elif isinstance(fact, CustodyMoved):
        store.fold_specimen(tx, fact, fact.to_state, None)


async def when_told(tx: Tx, fact: CaseFact) -> None:
    """A fact of a case that has no line of its own: its timeline says it."""
    store.tell(tx, fact, fact.case_id, store.about(fact))
