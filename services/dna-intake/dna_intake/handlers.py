"""One function a fact: load, decide, save state, audit and facts in the transaction that is given."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from contracts.alert import AlertBody, AlertStoodDown
from contracts.dna import ProfileAccepted
from dna_intake import store
from dna_intake.domain.requests import cross_match_after, waits_for
from dna_intake.models import CrossMatchRow, SampleRow
from dna_intake.requests import publish_cross_match, publish_sample_request
from dna_intake.settings import dna_settings
from guitu.service import Runtime
from guitu.tx import Tx


async def when_alert_stands(tx: Tx, alert: AlertBody, due_after: timedelta) -> None:
    """Ask for the parents' sample and the comparison, once a case.

    Every version of an alert repeats the whole picture, so any of them opens the requests if the first was
    lost; a case that has them, or was stood down, gets none. The clock starts when the alert was raised.
    Source: county plan, parents of missing children give blood.
    """
    sample = SampleRow(
        id=tx.ids.new(),
        case_id=alert.case_id,
        region_code=alert.region_code,
        exercise=alert.exercise,
        category="parent_of_missing_child",
        state="open",
        requested_at=tx.now,
        due_at=alert.occurred_at + due_after,
    )
    if not await store.open_sample_request(tx.conn, sample):
        return
    request = CrossMatchRow(
        id=tx.ids.new(),
        case_id=alert.case_id,
        region_code=alert.region_code,
        exercise=alert.exercise,
        state="waiting",
        waits_for=waits_for([]),
        requested_at=tx.now,
        changed_at=tx.now,
    )
    await store.open_cross_match(tx.conn, request)
    publish_sample_request(tx, sample)
    publish_cross_match(tx, request)
    tx.audit("dna.requests_opened", subject=alert.case_id, due_at=sample.due_at.isoformat())


async def when_stood_down(tx: Tx, fact: AlertStoodDown) -> None:
    """Cancel what nobody needs any more: a sample not taken yet, a comparison that lost its reason."""
    await store.remember_stand_down(tx.conn, fact.case_id, fact.outcome, fact.occurred_at)
    sample = await store.lock_sample_request(tx.conn, fact.case_id)
    request = await store.lock_cross_match(tx.conn, fact.case_id)
    if sample is None or request is None:
        return
    if sample.state == "open":
        await store.cancel_sample_request(tx.conn, sample.id, tx.now, fact.outcome)
        tx.audit("dna.sample_request_cancelled", subject=sample.id, outcome=fact.outcome)
    if request.state == "waiting" and cross_match_after(fact.outcome, sample.state) == "cancelled":
        await store.cancel_cross_match(tx.conn, request.id, tx.now)
        tx.audit("dna.cross_match_cancelled", subject=request.id, outcome=fact.outcome)


async def when_profile_accepted(tx: Tx, fact: ProfileAccepted) -> None:
    """Nothing to store: the profile and its search are rows already.

    We read our own topic because the partitions of it that a process is given say whose profiles it holds, and because
    the fact reaches the process that holds them, whichever process accepted the profile; its sweep does the rest.
    """


async def mark_overdue(runtime: Runtime) -> int:
    """Mark and audit samples that are late, each once; returns how many."""
    limit = dna_settings(runtime.settings).overdue_batch
    async with runtime.tx(actor=f"guitu.{runtime.service}") as tx:
        late = await store.mark_overdue(tx.conn, tx.now, limit)
        for row in late:
            _audit_overdue(tx, row["id"], row["case_id"])
    return len(late)


def _audit_overdue(tx: Tx, request_id: UUID, case_id: UUID) -> None:
    tx.audit("dna.sample_overdue", subject=request_id, case_id=str(case_id))
