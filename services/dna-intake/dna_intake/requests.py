"""Requests follow their specimens: what a case waits for moves on, and back, with its samples."""

from __future__ import annotations

from uuid import UUID

from contracts.base import CaseId
from contracts.dna import CrossMatchCompleted, CrossMatchRequested, SampleRequested
from dna_intake import store, store_candidates, store_search
from dna_intake.domain.requests import CrossMatchState, Need, sample_state, waits_for
from dna_intake.identity import link_of
from dna_intake.models import CrossMatchRow, SampleRow
from dna_intake.practice import Practice
from guitu.tx import Tx

AGAIN: tuple[Need, ...] = ("kinship_search",)


async def follow_case(tx: Tx, case_id: UUID, practice: Practice) -> None:
    """Bring the requests of a case in line with its parents' specimens.

    A sample that is lost again (rejected, withdrawn) is asked for anew with a fresh clock, unless the case is
    over; then its requests end.
    """
    sample = await store.lock_sample_request(tx.conn, case_id)
    request = await store.lock_cross_match(tx.conn, case_id)
    if sample is None or request is None or sample.state == "cancelled":
        return
    parents = await store.parent_states(tx.conn, link_of(practice.master, case_id))
    state = sample_state(parents)
    if state == "open" and await store.stood_down_as(tx.conn, case_id):
        await _end(tx, sample, request)
        return
    if state != sample.state:
        await _sample_goes_on(tx, sample.model_copy(update={"state": state}), practice)
    if request.state != "cancelled":
        needs = waits_for(parents)
        # A profile that was typed at more loci is compared again, whatever state its specimen has come to.
        if not needs and await store_search.family_search_waits(tx.conn, link_of(practice.master, case_id)):
            needs = AGAIN
        await _comparison_follows(tx, request, needs, practice)


async def compare_again(tx: Tx, case_id: UUID) -> None:
    """More loci of a family's member were typed: a completed comparison waits for the search that follows."""
    await store.lock_sample_request(tx.conn, case_id)
    request = await store.lock_cross_match(tx.conn, case_id)
    if request is None or request.state != "completed":
        return
    await store.cross_match_follows(tx.conn, request.id, "waiting", AGAIN, tx.now)
    publish_cross_match(tx, request.model_copy(update={"waits_for": AGAIN}))


async def _comparison_follows(
    tx: Tx, request: CrossMatchRow, needs: tuple[Need, ...], practice: Practice
) -> None:
    """Completed when nothing is waited for any more; a new need of the family takes it back to waiting."""
    if needs == request.waits_for:
        return
    state: CrossMatchState = "waiting" if needs else "completed"
    await store.cross_match_follows(tx.conn, request.id, state, needs, tx.now)
    if needs:
        publish_cross_match(tx, request.model_copy(update={"waits_for": needs}))
    else:
        await _say_completed(tx, request, link_of(practice.master, request.case_id))


async def _say_completed(tx: Tx, request: CrossMatchRow, link: bytes) -> None:
    compared = await store_search.comparison_of_case(tx.conn, link)
    candidates = await store_candidates.count_candidates(tx.conn, compared["specimens"])
    tx.publish(
        CrossMatchCompleted(
            region_code=request.region_code,
            exercise=request.exercise,
            occurred_at=tx.now,
            case_id=CaseId(request.case_id),
            request_id=request.id,
            compared=compared["compared"],
            candidates=candidates,
            index_generation=compared["generation"],
        )
    )
    tx.audit("dna.cross_match_completed", subject=request.id, compared=compared["compared"])


async def _end(tx: Tx, sample: SampleRow, request: CrossMatchRow) -> None:
    await store.cancel_sample_request(tx.conn, sample.id, tx.now, "sample_lost_after_stand_down")
    await store.cancel_cross_match(tx.conn, request.id, tx.now)
    tx.audit("dna.requests_ended", subject=sample.case_id)


async def _sample_goes_on(tx: Tx, sample: SampleRow, practice: Practice) -> None:
    if sample.state == "open":
        again = {"due_at": tx.now + practice.sample_due_after, "overdue_at": None, "tries": sample.tries + 1}
        sample = sample.model_copy(update=again)
        publish_sample_request(tx, sample)
    await store.sample_follows(tx.conn, sample)
    tx.audit("dna.sample_request_moved", subject=sample.id, state=sample.state, tries=sample.tries)


def publish_sample_request(tx: Tx, sample: SampleRow) -> None:
    """Say that a sample is due."""
    tx.publish(
        SampleRequested(
            region_code=sample.region_code,
            exercise=sample.exercise,
            occurred_at=tx.now,
            case_id=sample.case_id,
            category=sample.category,
            due_at=sample.due_at,
        )
    )


def publish_cross_match(tx: Tx, request: CrossMatchRow) -> None:
    """Say what the comparison waits for; said again under the same request id when that changes."""
    tx.publish(
        CrossMatchRequested(
            region_code=request.region_code,
            exercise=request.exercise,
            occurred_at=tx.now,
            case_id=request.case_id,
            request_id=request.id,
            waits_for=request.waits_for,
        )
    )
