"""What a person of the command centre does about one delivery: send it once more, ask the next contact, call.

All goes the way that time would have taken by itself (`escalating.py`), only now. A second SMS is made only where the
first is certainly not on its way any more, and nobody is told again who has answered or need not know any more.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from guitu.auth import Principal
from guitu.problem import Problem
from guitu.tx import Tx
from notifications import escalating, handlers, store_acting, store_escalating, tasks
from notifications.access import access_delivery
from notifications.domain import recipients
from notifications.domain.delivery import ALERT_KINDS
from notifications.store import STOP_KINDS, Row

CALLED_BY = Literal["voice", "person"]
RESENDABLE = frozenset({*ALERT_KINDS, "order", *STOP_KINDS})
"""Drills and nil-report rounds have rhythms of their own."""
PASSED_ON = frozenset({*ALERT_KINDS, "order"})
JUST_NOW = timedelta(seconds=10)
"""Two people see the same silence and press within it; each means the one next contact, not one each."""
ENDED = frozenset({"accepted", "sent", "delivered", "failed", "expired"})
"""Handed to a provider, or given up: no sender of ours holds it any more, so another one makes no double of it."""


async def resend(tx: Tx, principal: Principal, delivery_id: UUID) -> dict[str, Any]:
    """Send the same notice to the same contact once more; returns when it is queued.

    Raises: Problem 404 outside the region, 409 with the reason where it must not be sent.
    """
    row = await _standing(tx, principal, delivery_id, RESENDABLE)
    last = await store_acting.last_sending(tx.conn, row)
    if last["state"] not in ENDED:
        raise _on_its_way(last)
    if not row["tellable"]:
        raise _not_tellable()
    planned = await _again(tx, row, last["again"] + 1)
    if not await handlers.queue(tx, row["notice_id"], row["kind"], [planned]):
        # Somebody pressed at another sending of the same notice in this moment, and was first.
        raise _on_its_way(await store_acting.last_sending(tx.conn, row))
    await store_acting.asks_no_more(tx.conn, row["id"], sorted(ALERT_KINDS))
    tx.audit("notice.resent", subject=row["id"], next_delivery_id=str(planned[0]))
    return _done(row, "same_contact", planned[0])


async def ask_next_contact(tx: Tx, principal: Principal, delivery_id: UUID) -> dict[str, Any]:
    """Ask the next contact of the same site or unit now. Raises: Problem 404, 409."""
    row = await _standing(tx, principal, delivery_id, PASSED_ON)
    if await _is_asked_just_now(tx, row):
        raise _asked_just_now(row)
    asked = await escalating.pass_on(tx, row, "next_contact")
    if asked is None:
        raise Problem(
            409,
            "nobody_else",
            "Everybody of this site or unit who takes messages was asked about this notice.",
            "该单位能收通知的联系人都已通知过。",
            "Call them: POST /deliveries/{delivery_id}/call.",
        )
    tx.audit("notice.next_contact_asked", subject=row["id"], next_delivery_id=str(asked))
    return _done(row, "next_contact", asked)


async def call(
    tx: Tx, principal: Principal, delivery_id: UUID, by: CALLED_BY | None, *, voice: bool
) -> dict[str, Any]:
    """Have the site or unit called: by our voice, where there is a line and somebody takes calls, else by a person.

    A person's call becomes a task with the phones in it. `by` chooses one. Raises: Problem 404, 409.
    """
    row = await _standing(tx, principal, delivery_id, RESENDABLE)
    is_stop = row["kind"] in STOP_KINDS
    if by != "person" and voice and not is_stop:
        called = await escalating.pass_on(tx, row, "voice")
        if called is not None:
            tx.audit("notice.called", subject=row["id"], next_delivery_id=str(called))
            return _done(row, "voice", called)
    if by == "voice":
        raise _no_voice()
    await (tasks.call_sites(tx, [row["id"]]) if is_stop else escalating.pass_on(tx, row, "command_centre"))
    tx.audit("notice.call_by_person", subject=row["id"])
    return _done(row, "command_centre", None, await store_acting.task_of(tx.conn, row["id"]))


async def _is_asked_just_now(tx: Tx, row: Row) -> bool:
    """Was it passed on in this moment, by somebody else or by time, and is there yet another who could be asked?"""
    if row["escalated_at"] is None or tx.now - row["escalated_at"] >= JUST_NOW:
        return False
    return bool(await store_escalating.next_contacts(tx.conn, [row["id"]], tx.now))


def _done(row: Row, to: str, following: UUID | None, task_id: UUID | None = None) -> dict[str, Any]:
    return {
        "delivery_id": str(row["id"]),
        "to": to,
        "next_delivery_id": str(following) if following else None,
        "task_id": str(task_id) if task_id else None,
    }


async def _standing(tx: Tx, principal: Principal, delivery_id: UUID, kinds: frozenset[str]) -> Row:
    """The delivery, locked, if anything may be done about it at all."""
    row = access_delivery(principal, await store_acting.locked(tx.conn, delivery_id, sorted(ALERT_KINDS)))
    if row["kind"] not in kinds:
        raise _other_kind(row)
    if row["stood_down_at"] is not None and row["kind"] not in STOP_KINDS:
        raise _over("The case is over", "案件已解除")
    if row["order_is_over"]:
        raise _over("The order is over", "指令已解除")
    if row["answered"]:
        raise _answered()
    if row["replaced"] or row["state"] == "cancelled":
        raise _replaced()
    return row


async def _again(tx: Tx, row: Row, again: int) -> tuple[Any, ...]:
    is_stop = row["kind"] in STOP_KINDS or row["kind"] == "order"
    return handlers.delivery_row(
        tx,
        row["contact_id"],
        row["site_id"],
        row["unit_id"],
        recipients.ORDER_PRIORITY if is_stop else recipients.ESCALATION_PRIORITY,
        row["distance_km"],
        await store_acting.open_codes(tx.conn, row["contact_id"], tx.now),
        row["channel"],
        exercise=row["exercise"],
        again=again,
    )


def _over(en: str, zh: str) -> Problem:
    return Problem(
        409,
        "over",
        f"{en}; nobody is told to search any more.",
        f"{zh},不再发送协查信息。",
        "Stand-downs that failed can be sent again.",
    )


def _answered() -> Problem:
    return Problem(
        409,
        "answered_already",
        "This site or unit has acknowledged this notice.",
        "该单位已签收此通知。",
        "Nothing needs to be sent; the acknowledgement is in GET /deliveries/{delivery_id}.",
    )


def _replaced() -> Problem:
    return Problem(
        409,
        "replaced",
        "A newer notice took this one's place, or it was cancelled.",
        "此通知已被新通知取代或已取消。",
        "Act on the newest delivery to this contact; GET /notices?case_id= lists them.",
    )


def _asked_just_now(row: Row) -> Problem:
    return Problem(
        409,
        "asked_just_now",
        f"It was passed on at {row['escalated_at']:%H:%M:%S} UTC already, a moment ago.",
        "刚刚已通知下一联系人或已转人工。",
        f"Look at the newest delivery; press again in {JUST_NOW.seconds} s to ask one more.",
    )


def _on_its_way(last: Row) -> Problem:
    problem = Problem(
        409,
        "on_its_way",
        f"It is on its way (state {last['state']}, sending {last['again'] + 1}); another one now could be a double.",
        f"正在发送(第{last['again'] + 1}次),再发可能重复。",
        "Wait until it is accepted or has failed, ask the next contact, or call.",
    )
    problem.extra = {"on_its_way_delivery_id": str(last["id"])}
    return problem


def _not_tellable() -> Problem:
    return Problem(
        409,
        "contact_gone",
        "This contact is retired or wants no SMS any more.",
        "该联系人已停用或已退订短信。",
        "Ask the next contact: POST /deliveries/{delivery_id}/next-contact.",
    )


def _no_voice() -> Problem:
    return Problem(
        409,
        "nobody_takes_calls",
        "No voice line is set up, or everybody here who takes automatic calls was called about this notice.",
        "没有语音线路,或可自动呼叫的联系人都已呼叫过。",
        'Send {"by": "person"}: people of the command centre call.',
    )


def _other_kind(row: Row) -> Problem:
    return Problem(
        409,
        "not_for_this_kind",
        f"A notice of kind {row['kind']} is not sent again or passed on by hand.",
        "此类通知不支持该操作。",
        "POST /drills starts a new drill; nil-report rounds come by themselves.",
    )
