"""Sightings at the command centre: the operator's own, and a person's judgement of any."""

from __future__ import annotations

from uuid import UUID

from alerts import live, store_status, vault
from alerts.domain.case import Case
from alerts.models import AssessmentIn, SightingIn
from alerts.refusals import case_closed, in_future, not_found
from alerts.settings import AlertSettings
from contracts.base import SightingId
from contracts.sighting import SightingAssessed, SightingReported
from guitu.tx import Tx


async def report(tx: Tx, case: Case, said: SightingIn, settings: AlertSettings) -> SightingId:
    """Keep and publish what somebody told the operator. Raises: Problem 409 for a closed case, 422 for the future."""
    if case.state != "open":
        raise case_closed(case)
    if said.seen_at > tx.now + settings.future_tolerance:
        raise in_future("seen_at", said.seen_at, tx.now)
    name, note = await vault.told(tx, settings, case, said.place.name, said.note)
    fact = SightingReported(
        region_code=case.region_code,
        exercise=case.exercise,
        occurred_at=tx.now,
        case_id=case.id,
        sighting_id=SightingId(tx.ids.new()),
        seen_at=said.seen_at,
        place=said.place.model_copy(update={"name": name}).as_place(),
        mode=said.mode,
        note=note,
        channel="operator",
    )
    await live.when_sighted(tx, fact)
    tx.publish(fact)
    tx.audit("sighting.reported", subject=case.id, sighting_id=str(fact.sighting_id))
    return fact.sighting_id


async def assess(
    tx: Tx, case: Case, sighting_id: UUID, judged: AssessmentIn, settings: AlertSettings
) -> None:
    """Keep and publish a judgement; the one that stands already changes nothing. Raises: Problem 404, 409."""
    found = await store_status.sighting(tx.conn, case.id, sighting_id, lock=True)
    if found is None:
        raise not_found("sighting", "线索")
    [reason] = await vault.told(tx, settings, case, judged.reason)
    if (found["verdict"], found["verdict_reason"]) == (judged.verdict, reason):
        return
    if case.state != "open":
        raise case_closed(case)
    fact = SightingAssessed(
        region_code=case.region_code,
        exercise=case.exercise,
        occurred_at=tx.now,
        case_id=case.id,
        sighting_id=SightingId(sighting_id),
        verdict=judged.verdict,
        reason=reason,
    )
    await live.when_assessed(tx, fact)
    tx.publish(fact)
    tx.audit("sighting.assessed", subject=case.id, sighting_id=str(sighting_id), verdict=judged.verdict)
