"""What the other services did, folded into the case's live status: one function a kind of fact."""

from __future__ import annotations

from alerts import store_status
from alerts.domain.progress import NOTICE_STATES, notice_rank, order_rank
from contracts.dna import DnaFact
from contracts.notice import (
    NoticeAccepted,
    NoticeAcknowledged,
    NoticeDelivered,
    NoticeEscalated,
    NoticeFact,
    NoticeFailed,
    NoticeNilReported,
    NoticeOpened,
    NoticeQueued,
)
from contracts.order import (
    CheckpointReported,
    InterceptionOrdered,
    MutualAidFact,
    OrderAccepted,
    OrderFact,
    OrderOverdue,
    OrderStoodDown,
    PlanPublished,
    StandDownAcknowledged,
    UnitInPosition,
)
from contracts.sighting import SightingAssessed, SightingReported
from guitu.tx import Tx

ORDER_STATE_OF: dict[type[OrderFact], str] = {
    InterceptionOrdered: "issued",
    OrderOverdue: "overdue",
    OrderAccepted: "accepted",
    UnitInPosition: "in_position",
    OrderStoodDown: "stood_down",
    StandDownAcknowledged: "stand_down_acknowledged",
}
NOTICE_STATE_OF: dict[type[NoticeFact], str] = {
    NoticeQueued: "queued",
    NoticeAccepted: "accepted",
    NoticeFailed: "failed",
    NoticeDelivered: "delivered",
    NoticeOpened: "delivered",
    NoticeAcknowledged: "acknowledged",
    NoticeNilReported: "acknowledged",
    NoticeEscalated: "queued",
}
"""An escalation says nothing of the delivery itself, so it moves it nowhere; it is counted beside.

Whoever opened the page has the notice, although no handset said so.
"""
NOTICES_IN_TIMELINE = (NoticeFailed, NoticeAcknowledged, NoticeNilReported, NoticeEscalated)
"""Ten thousand queued notices are a count, not a story."""
AID_DETAILS = frozenset(
    {"request_id", "neighbour", "exit_id", "exit_name_zh", "exit_name_en", "earliest_arrival_at", "reason"}
)
ORDER_DETAILS = frozenset(
    {"stop", "arrive_by", "respond_by", "earliest_arrival_at", "margin_s", "reassigned_to", "outcome"}
)
NOTICE_DETAILS = frozenset(
    {
        *("delivery_id", "kind", "purpose", "site_id", "unit_id"),
        *("channel", "code", "to", "seen_nothing_until"),
    }
)
DNA_NOT_SHOWN = frozenset({"region_code", "exercise", "occurred_at", "case_id"})


async def when_planned(tx: Tx, plan: PlanPublished) -> None:
    """The newest plan says which exits are still open."""
    details = {"plan_number": plan.plan_number, "trigger": plan.trigger, "open": len(plan.open_exits)}
    more = {"closed": plan.closed_exits, "orders": len(plan.order_ids)}
    why = {"cause": plan.cause} if plan.cause else {}
    good = {"verdict": plan.figures.verdict, "intercepted": plan.figures.intercepted} if plan.figures else {}
    store_status.fold_plan(tx, plan, details | more | why | good)


async def when_aid_moved(tx: Tx, fact: MutualAidFact) -> None:
    """A neighbouring county was asked for help, or need not help any more."""
    details = fact.model_dump(mode="json", include=set(AID_DETAILS))
    store_status.tell(tx, fact, fact.case_id, details)


async def when_order_moved(tx: Tx, fact: OrderFact) -> None:
    """An order went one step on."""
    state = fact.outcome if isinstance(fact, CheckpointReported) else ORDER_STATE_OF[type(fact)]
    details = fact.model_dump(mode="json", include=set(ORDER_DETAILS))
    if isinstance(fact, OrderStoodDown):
        details["stood_down_reason"] = fact.reason
    store_status.fold_order(tx, fact, state, order_rank(state), details)
    who = {"order_id": str(fact.order_id), "unit_id": str(fact.unit_id), "state": state}
    stop = {"stop": details["stop"]} if "stop" in details else {}
    store_status.tell(tx, fact, fact.case_id, who | stop)


async def when_notice_moved(tx: Tx, fact: NoticeFact) -> None:
    """A notice went one step on."""
    state = NOTICE_STATE_OF[type(fact)]
    assert state in NOTICE_STATES, f"{state} is no state of a notice."
    store_status.fold_notice(tx, fact, state, notice_rank(state), isinstance(fact, NoticeEscalated))
    if isinstance(fact, NOTICES_IN_TIMELINE):
        details = fact.model_dump(mode="json", include=set(NOTICE_DETAILS), exclude_none=True)
        store_status.tell(tx, fact, fact.case_id, details)


async def when_sighted(tx: Tx, fact: SightingReported) -> None:
    """Somebody saw the child, perhaps; the operator's own sightings are known already."""
    if await store_status.keep_sighting(tx.conn, fact):
        details = {"sighting_id": str(fact.sighting_id), "channel": fact.channel}
        store_status.tell(tx, fact, fact.case_id, details)


async def when_assessed(tx: Tx, fact: SightingAssessed) -> None:
    """A person judged a sighting; our own judgements are known already."""
    if await store_status.keep_verdict(tx.conn, fact):
        details = {"sighting_id": str(fact.sighting_id), "verdict": fact.verdict}
        store_status.tell(tx, fact, fact.case_id, details)


async def when_dna_moved(tx: Tx, fact: DnaFact) -> None:
    """The laboratory's line; a specimen without a case is nothing of ours."""
    if fact.case_id is None:
        return
    details = fact.model_dump(mode="json", exclude=set(DNA_NOT_SHOWN), exclude_none=True)
    store_status.fold_dna(tx, fact, fact.case_id, details)
    store_status.tell(tx, fact, fact.case_id, details)
