"""The registration gate (落户关): ask, decide, look again, close. One function a command.

Each takes an open transaction and saves request, decision, audit, fact and webhook in it. A decision is recorded
before it is told; what is told is judged once more at the moment of reading (`domain.gate.shown`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import asyncpg

from contracts.base import SpecimenId
from contracts.dna import GateDecided
from dna_intake import store, store_gate, store_search, store_webhooks
from dna_intake.domain.gate import (
    SAYS_EN,
    SAYS_ZH,
    SOON,
    Finding,
    decide,
    is_news,
    look_again_after,
    must_record,
    shown,
    shown_closed,
)
from dna_intake.domain.reference import personal_number
from dna_intake.gate_evidence import evidence_of
from dna_intake.gate_panel import table_of
from dna_intake.metrics_gate import GATE_DECISIONS, GATE_EXPIRED
from dna_intake.models import SpecimenRow
from dna_intake.models_gate import AskGate, CloseGate, Compared, DecisionRow, GateRow
from dna_intake.refusals import barcode_of_label, not_found
from dna_intake.settings import DnaSettings, dna_settings
from guitu.metrics import SWEEP_FAILURES
from guitu.pg import TRANSIENT
from guitu.problem import Problem
from guitu.service import Runtime
from guitu.tx import Tx

LOOKED_AT_MAX = 50
BEHIND_MAX = 500
LEASE = timedelta(seconds=30)
"""A batch of looks and how long it keeps them from others (our own choice: a look takes milliseconds)."""


@dataclass(frozen=True)
class Told:
    """A request with what may be told of it at this moment."""

    row: GateRow
    finding: Finding
    created: bool = False


async def ask(tx: Tx, asked: AskGate, settings: DnaSettings) -> Told:
    """Ask for a child, decide at once and remember; the same reference for the same specimen is the same request.

    Raises: Problem 404; 409 if the reference was used for another kind, or the subscription ended; 422 for the
    specimen of a parent, a misread label, or a reference that is a number of a person.
    """
    _check_reference(asked.office_reference)
    specimen = await _child(tx.conn, asked)
    before = await store_gate.lock_by_reference(tx.conn, specimen.id, asked.office_reference)
    if before is not None:
        return await _asked_before(tx, before, asked, settings)
    if asked.subscription_id is not None:
        await _check_subscription(tx.conn, asked.subscription_id, specimen.region_code)
    known, compared = await evidence_of(tx.conn, specimen.id)
    found = decide(known, settings.gate_clocks, tx.now)
    row = _new(tx, asked, specimen, found)
    if not await store_gate.add(tx.conn, row):
        # Somebody asked the same at the same time, and has committed by now.
        other = await store_gate.lock_by_reference(tx.conn, specimen.id, asked.office_reference)
        assert other is not None, "It was in the way a moment ago."
        return await _asked_before(tx, other, asked, settings)
    tx.audit("dna.gate_asked", subject=row.id, specimen_id=str(specimen.id), kind=row.kind)
    await _record(tx, row, found, compared, settings)
    return Told(row, found, created=True)


async def _child(conn: asyncpg.Connection, asked: AskGate) -> SpecimenRow:
    if (asked.specimen_id is None) == (asked.barcode is None):
        raise Problem(
            422,
            "which_specimen",
            "Name the specimen by specimen_id or by barcode, one of both.",
            "请填写检材编号或条码,二者选一。",
            "Send specimen_id, or the barcode on the label.",
        )
    if asked.specimen_id is not None:
        row = await store.specimen(conn, asked.specimen_id)
    else:
        row = await store.specimen_with_barcode(conn, barcode_of_label(asked.barcode or ""))
    if row is None:
        raise not_found("specimen", "检材")
    if row.category == "parent_of_missing_child":
        raise Problem(
            422,
            "not_a_child",
            "The gate is for children; this specimen is of a parent.",
            "落户核查针对儿童,该检材属于父母。",
            "Send the specimen of the child who is to be registered.",
        )
    return row


def _check_reference(reference: str) -> None:
    if personal_number(reference):
        raise Problem(
            422,
            "reference_is_personal",
            "The office reference looks like the identity or phone number of a person; nothing was stored.",
            "文号疑似身份证号或手机号,未保存。",
            "Send the number of your own file; never a number of a person.",
        )


async def _check_subscription(conn: asyncpg.Connection, subscription_id: UUID, region_code: str) -> None:
    subscription = await store_webhooks.subscription(conn, subscription_id)
    if subscription is None or subscription.region_code != region_code:
        raise not_found("subscription", "订阅")
    if subscription.ended_at is not None:
        raise Problem(
            409,
            "subscription_ended",
            "This subscription has ended; nobody would be told.",
            "该订阅已终止。",
            "Subscribe anew with POST /gate-subscriptions, or ask without a subscription.",
        )


def _new(tx: Tx, asked: AskGate, specimen: SpecimenRow, found: Finding) -> GateRow:
    return GateRow(
        id=tx.ids.new(),
        specimen_id=specimen.id,
        office_reference=asked.office_reference,
        region_code=specimen.region_code,
        exercise=specimen.exercise,
        kind=asked.kind,
        subscription_id=asked.subscription_id,
        asked_at=tx.now,
        asked_by=tx.actor,
        seq=1,
        decision=found.decision,
        reason=found.reason,
        generation=found.generation,
        deadline=found.deadline,
        valid_until=found.valid_until,
        lead=found.lead,
        decided_at=tx.now,
    )


async def _asked_before(tx: Tx, row: GateRow, asked: AskGate, settings: DnaSettings) -> Told:
    if (row.kind, row.subscription_id) != (asked.kind, asked.subscription_id):
        raise Problem(
            409,
            "reference_used",
            "Under this reference the same specimen was asked for with another kind or subscription.",
            "该文号已用于同一检材的另一类核查或另一订阅。",
            "Send the same kind and subscription, or a reference of its own.",
        )
    return await tell(tx, row, settings)


async def tell(tx: Tx, row: GateRow, settings: DnaSettings) -> Told:
    """What may be told of a request in this transaction."""
    return Told(row, await standing_of(tx.conn, row, settings, tx))


async def standing_of(
    conn: asyncpg.Connection, row: GateRow, settings: DnaSettings, at: Tx | Runtime
) -> Finding:
    """What may be told of a request at this moment; `clear` only if nothing has come since it was decided."""
    if row.closed_at is not None:
        return shown_closed(row.standing)
    known, _ = await evidence_of(conn, row.specimen_id)
    now = at.now if isinstance(at, Tx) else at.clock.now()
    return shown(row.standing, decide(known, settings.gate_clocks, now), now)


async def close(tx: Tx, request_id: UUID, wanted: CloseGate, settings: DnaSettings) -> Told:
    """End a request; `registered` is taken only while the gate says clear. Sent again, it changes nothing.

    Raises: Problem 404; 409 if it ended otherwise, or for `registered` if the gate does not say clear now.
    """
    row = await store_gate.lock(tx.conn, request_id)
    if row is None:
        raise not_found("gate request", "落户核查请求")
    if row.closed_at is None:
        return await _close(tx, row, wanted, settings)
    if row.outcome != wanted.outcome:
        raise Problem(
            409,
            "closed",
            f"This request was closed as {row.outcome}.",
            "该核查请求已按其他结果办结。",
            "Ask anew under a reference of its own.",
        )
    return Told(row, shown_closed(row.standing))


async def _close(tx: Tx, row: GateRow, wanted: CloseGate, settings: DnaSettings) -> Told:
    finding = await standing_of(tx.conn, row, settings, tx)
    if wanted.outcome == "registered" and finding.decision != "clear":
        refused = Problem(
            409,
            "not_clear",
            f"The gate says {finding.decision} now: {SAYS_EN[finding.reason]} The registration was not noted.",
            f"当前核查结论不是“可以办理”:{SAYS_ZH[finding.reason]}登记结果未保存。",
            "Do not register the child; if it was done already, tell the police of your county at once.",
        )
        refused.extra = {"decision": finding.decision, "reason": finding.reason}
        raise refused
    return await end(tx, row, wanted.outcome)


async def end(tx: Tx, row: GateRow, outcome: str) -> Told:
    """End a locked request; nobody looks at it any more, and what was still to be told of it is not."""
    await store_gate.close(tx.conn, row.id, tx.now, tx.actor, outcome)
    await store_webhooks.supersede(tx.conn, row.id, row.seq + 1, tx.now)
    tx.audit("dna.gate_closed", subject=row.id, outcome=outcome, seq=row.seq, decision=row.decision)
    closed = row.model_copy(update={"closed_at": tx.now, "outcome": outcome})
    return Told(closed, shown_closed(row.standing))


async def recheck(runtime: Runtime) -> int:
    """Look again at requests that are due; returns how many. Each in a transaction of its own.

    A crash on the way leaves a request to whoever looks after the lease; one that can't be looked at does not keep
    its neighbours from it.
    """
    actor, settings = f"guitu.{runtime.service}", dna_settings(runtime.settings)
    async with runtime.tx(actor=actor) as tx:
        newest = await store_search.parents_generation(tx.conn)
        behind = await store_gate.fall_behind(tx.conn, newest, tx.now, BEHIND_MAX)
        due = await store_gate.claim(tx.conn, tx.now, tx.now + LEASE, LOOKED_AT_MAX)
    GATE_EXPIRED.inc(behind)
    for request_id in due:
        try:
            async with runtime.tx(actor=actor) as tx:
                await look(tx, request_id, settings)
        except TRANSIENT:
            raise
        except Exception:
            SWEEP_FAILURES.labels(runtime.service, "gate_recheck").inc()
            runtime.log.error("gate.look_failed", request_id=str(request_id), exc_info=True)
    return len(due)


async def look(tx: Tx, request_id: UUID, settings: DnaSettings) -> None:
    """Decide anew for one request, and record what changed; a clear that can be renewed is."""
    row = await store_gate.lock(tx.conn, request_id)
    if row is None or row.closed_at is not None:
        return
    if tx.now > row.asked_at + timedelta(days=settings.gate_lapse_d):
        await end(tx, row, "lapsed")
        return
    known, compared = await evidence_of(tx.conn, row.specimen_id)
    found = decide(known, settings.gate_clocks, tx.now)
    if _is_in_grace(tx, row, found, settings):
        since = row.behind_since or tx.now
        await store_gate.look_again(tx.conn, row.id, tx.now + max(SOON, (tx.now - since) / 2))
        return
    if must_record(row.standing, found, tx.now):
        row = await _renew(tx, row, found, compared, settings)
    wait = look_again_after(row.standing, row.decided_at, tx.now, settings.gate_clocks)
    await store_gate.look_again(tx.conn, row.id, tx.now + wait)


def _is_in_grace(tx: Tx, row: GateRow, found: Finding, settings: DnaSettings) -> bool:
    """Is a clear only waiting for the comparison with families that came just now? Then nobody is told yet.

    Every family would else send each cleared office two messages within seconds. Who asks hears `hold` meanwhile.
    """
    if row.decision != "clear" or found.reason != "families_awaited":
        return False
    return tx.now < (row.behind_since or tx.now) + timedelta(seconds=settings.gate_grace_s)


async def _renew(tx: Tx, row: GateRow, found: Finding, compared: Compared, settings: DnaSettings) -> GateRow:
    if row.decision == "clear" and found.decision != "clear" and row.behind_since is None:
        GATE_EXPIRED.inc()
    after = row.model_copy(
        update={
            "seq": row.seq + 1,
            "decision": found.decision,
            "reason": found.reason,
            "generation": found.generation,
            "deadline": found.deadline,
            "valid_until": found.valid_until,
            "lead": found.lead,
            "decided_at": tx.now,
            "behind_since": None,
        }
    )
    await _record(tx, after, found, compared, settings, before=row.standing)
    return after


async def _record(
    tx: Tx,
    row: GateRow,
    found: Finding,
    compared: Compared,
    settings: DnaSettings,
    *,
    before: Finding | None = None,
) -> None:
    """Append a decision; if it is news, publish it and queue its webhook, in place of any that still waits."""
    table = await table_of(settings) if compared.searched_through is not None else None
    decision = DecisionRow(
        request_id=row.id,
        region_code=row.region_code,
        decided_at=tx.now,
        **{name: getattr(row, name) for name in _STANDING},
        **compared.model_dump(),
        table_sha256=table,
    )
    await store_gate.add_decision(tx.conn, decision)
    if before is not None:
        await store_gate.follow(tx.conn, decision)
    news = before is None or is_news(before, found)
    tx.audit(
        "dna.gate_decided",
        subject=row.id,
        seq=row.seq,
        decision=row.decision,
        reason=row.reason,
        generation=row.generation,
        renewed=not news,
    )
    GATE_DECISIONS.labels(row.decision, row.reason).inc()
    if news:
        _publish(tx, row)
        await _queue(tx, row, settings)


_STANDING = ("seq", "decision", "reason", "generation", "deadline", "valid_until", "lead")


def _publish(tx: Tx, row: GateRow) -> None:
    tx.publish(
        GateDecided(
            region_code=row.region_code,
            exercise=row.exercise,
            occurred_at=tx.now,
            specimen_id=SpecimenId(row.specimen_id),
            request_id=row.id,
            decision=row.decision,
            reason=SAYS_EN[row.reason],
            valid_until=row.valid_until,
        )
    )


async def _queue(tx: Tx, row: GateRow, settings: DnaSettings) -> None:
    if row.subscription_id is None:
        return
    await store_webhooks.supersede(tx.conn, row.id, row.seq, tx.now)
    await store_webhooks.queue(
        tx.conn,
        tx.ids.new(),
        row.subscription_id,
        row.id,
        row.seq,
        row.region_code,
        settings.gate_webhook_tries,
        tx.now,
    )
