"""A label for a specimen: of a case, of nobody's case, or in the place of one that was lost.

It takes an open transaction and saves state, audit and facts in it; a refusal is a Problem.
"""

from __future__ import annotations

from uuid import UUID

from contracts.base import SpecimenId
from contracts.dna import SampleRegistered
from dna_intake import store
from dna_intake.domain.barcode import barcode_of
from dna_intake.domain.custody import LOSSES, first_move, link
from dna_intake.identity import link_of, open_case, seal_case
from dna_intake.laboratory import lock
from dna_intake.models import RegisterSpecimen, SampleRow, SpecimenRow
from dna_intake.practice import Practice
from dna_intake.refusals import not_found
from guitu.problem import Problem
from guitu.tx import Tx

BARCODES_TRIED_MAX = 3
TRIES_MAX = 20
"""How often a specimen is taken again before somebody must look into it (our own choice)."""


async def register(tx: Tx, wanted: RegisterSpecimen, practice: Practice) -> SpecimenRow:
    """Give a specimen its pseudonymous id and its barcode.

    One that is taken again inherits case, relation and sex from the lost one, and counts the tries.
    Raises: Problem 404 for a case or lost specimen that is not known here, 409 for one that needs no sample any
    more, 422 for another region than the case's.
    """
    lost = await _lost(tx, wanted.resample_of) if wanted.resample_of else None
    if lost is not None:
        wanted = _inherited(lost, wanted, practice)
    sample = await _request_served(tx, wanted) if wanted.case_id else None
    if sample is not None:
        wanted = wanted.model_copy(update={"exercise": sample.exercise})
    row = await _add(tx, wanted, practice, tries=lost.tries + 1 if lost else 1)
    first = link(b"", row.id, first_move(tx.now, tx.actor, row.region_code))
    await store.append_move(tx.conn, row, first, row.due_at)
    if lost is not None:
        if lost.state == "rejected":
            # A withdrawn one still waits for its tube and its profile to be destroyed.
            await store.stop_clock(tx.conn, lost.id)
        tx.audit("dna.specimen_taken_again", subject=row.id, lost=str(lost.id), tries=row.tries)
    _say(tx, row)
    return row


def _say(tx: Tx, row: SpecimenRow) -> None:
    tx.publish(
        SampleRegistered(
            region_code=row.region_code,
            exercise=row.exercise,
            occurred_at=tx.now,
            specimen_id=SpecimenId(row.id),
            category=row.category,
        )
    )
    consent = {"consent": True} if row.consent_at else {}
    tx.audit("dna.specimen_registered", subject=row.id, category=row.category, **consent)


async def _lost(tx: Tx, specimen_id: UUID) -> SpecimenRow:
    """The specimen to be taken again, locked, so that it gets one successor. Raises: Problem 404, 409."""
    lost = await lock(tx, specimen_id)
    if lost.state not in LOSSES:
        raise Problem(
            409,
            "not_lost",
            f"That specimen is {lost.state}; only one that was rejected or withdrawn is taken again.",
            f"该检材状态为{lost.state},只有已拒收或撤回的检材才可补采。",
            "Reject it first, with its reason; an expunged one is registered anew with its case_id.",
        )
    successor = await store.successor_of(tx.conn, lost.id)
    if successor is not None:
        problem = Problem(
            409,
            "taken_again_already",
            "That specimen has a successor.",
            "该检材已补采。",
            "Go on with the successor; if that one failed too, take the successor again.",
        )
        problem.extra = {"successor": str(successor)}
        raise problem
    if lost.tries >= TRIES_MAX:
        raise Problem(
            409,
            "too_many_tries",
            f"It was taken {lost.tries} times; something else is wrong.",
            f"已采集{lost.tries}次,请查明原因。",
            "Find out why; then register a new specimen without resample_of.",
        )
    return lost


def _inherited(lost: SpecimenRow, wanted: RegisterSpecimen, practice: Practice) -> RegisterSpecimen:
    case_id = open_case(practice.master, lost)
    same = (wanted.category, wanted.region_code) == (lost.category, lost.region_code)
    if not same or wanted.case_id not in (None, case_id):
        raise Problem(
            422,
            "resample_differs",
            "Category, region and case must be those of the specimen that is taken again.",
            "补采检材的类别、地区和案件须与原检材一致。",
            "Send category and region_code of the lost specimen, and leave case_id out: it is inherited.",
        )
    inherited = {
        "case_id": case_id,
        "exercise": lost.exercise,
        "relation": wanted.relation or lost.relation,
        "registered_sex": wanted.registered_sex or lost.registered_sex,
    }
    return wanted.model_copy(update=inherited)


async def _request_served(tx: Tx, wanted: RegisterSpecimen) -> SampleRow:
    assert wanted.case_id is not None
    sample = await store.lock_sample_request(tx.conn, wanted.case_id)
    if sample is None:
        raise not_found("case with a sample request", "有采样要求的案件")
    if sample.state == "cancelled":
        raise Problem(
            409,
            "sample_not_needed",
            f"The case needs no sample any more ({sample.cancelled_because}).",
            "该案件已无需采样。",
            "Take no sample; if one is needed for another reason, register it without case_id.",
        )
    if sample.region_code != wanted.region_code:
        raise Problem(
            422,
            "region_differs",
            f"The case belongs to region {sample.region_code}, not {wanted.region_code}.",
            f"案件属于{sample.region_code},不是{wanted.region_code}。",
            "Send the region_code of the case.",
        )
    return sample


async def _add(tx: Tx, wanted: RegisterSpecimen, practice: Practice, *, tries: int) -> SpecimenRow:
    for _ in range(BARCODES_TRIED_MAX):
        row = _row(tx, wanted, practice, tries)
        if await store.add_specimen(tx.conn, row):
            return row
    raise AssertionError(f"{BARCODES_TRIED_MAX} random barcodes of 50 bits in a row were taken.")


def _row(tx: Tx, wanted: RegisterSpecimen, practice: Practice, tries: int) -> SpecimenRow:
    specimen_id, case_id = tx.ids.new(), wanted.case_id
    return SpecimenRow(
        id=specimen_id,
        barcode=barcode_of(tx.ids.new().int),
        category=wanted.category,
        case_link=link_of(practice.master, case_id) if case_id else None,
        case_sealed=seal_case(practice.master, specimen_id, case_id) if case_id else None,
        relation=wanted.relation,
        registered_sex=wanted.registered_sex,
        region_code=wanted.region_code,
        exercise=wanted.exercise,
        state="registered",
        moves=1,
        registered_at=tx.now,
        resample_of=wanted.resample_of,
        tries=tries,
        due_at=practice.due("registered", tx.now),
        consent_at=tx.now if wanted.consent else None,
    )
