"""What a search found becomes candidates, steps of custody and facts: in one transaction, once.

Each matcher answers for the partitions it holds. An answer counts for those that were still missing, under the lock
of the search's row; when none is missing, the answers are merged, ranked and written as candidates. Whatever dies
before that commit leaves the search as it was, and it is done again; whatever comes twice finds nothing missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from contracts.base import CaseId, SpecimenId
from contracts.dna import CandidateFound
from dna_intake import laboratory, store, store_candidates, store_search
from dna_intake.case_reference import reference_of
from dna_intake.domain import leads
from dna_intake.domain.custody import LEGAL, PaperState
from dna_intake.domain.kin import Kind, kind_of, partition_of, relations_of
from dna_intake.domain.lineage import Marker, markers_that_help
from dna_intake.identity import open_case
from dna_intake.models import SpecimenRow
from dna_intake.models_search import Answer, CandidateRow, Found, SearchRow, Terms
from dna_intake.practice import Practice
from dna_intake.requests import follow_case
from dna_intake.searching import PARTITIONS
from guitu.tx import Tx


async def record(
    tx: Tx, search_id: UUID, held: Sequence[int], answer: Answer, terms: Terms, practice: Practice, most: int
) -> int:
    """Add one matcher's answer to a search; returns how many new candidates came of it.

    `held` are the partitions the matcher answered for, `most` is how many leads of one search are kept. An answer
    from an index older than the search is no answer.
    """
    await _lock_people(tx, search_id, answer)
    search = await store_search.lock_search(tx.conn, search_id)
    if search is None or search.state != "waiting" or answer.generation < search.generation:
        return 0
    covered = sorted(set(held) & set(search.missing))
    if not covered:
        return 0
    found = [each for each in answer.found if _partition(search, each) in covered]
    compared = sum(count for partition, count in answer.compared.items() if partition in covered)
    await store_search.add_part(
        tx.conn, search_id, covered, answer.generation, compared, found, answer.took_ms, tx.now
    )
    missing = sorted(set(search.missing) - set(covered))
    await store_search.search_answered(
        tx.conn, search_id, missing, compared, len(found), answer.generation, tx.now
    )
    return 0 if missing else await _complete(tx, search_id, terms, practice, most)


async def _lock_people(tx: Tx, search_id: UUID, answer: Answer) -> None:
    """Specimens before the search's row, as whoever withdraws one locks them; all at once, in one order."""
    search = await store_search.search(tx.conn, search_id)
    if search is not None:
        found = [*await store_search.found_by(tx.conn, search_id), *answer.found]
        await store.lock_specimens(tx.conn, {search.specimen_id} | _people_of(found))


def _people_of(found: Sequence[Found]) -> set[UUID]:
    return {person for each in found for person in (each.child_id, *each.relatives)}


def _partition(search: SearchRow, found: Found) -> int:
    """Where the found person lies: the child, or the family's member; of a couple the first."""
    anchor = found.relatives[0] if search.kind is Kind.child else found.child_id
    return partition_of(anchor, PARTITIONS)


async def _complete(tx: Tx, search_id: UUID, terms: Terms, practice: Practice, most: int) -> int:
    search = await store_search.search(tx.conn, search_id)
    assert search is not None, "It is locked."
    assert search.compared_generation is not None, "Its parts have answered."
    # Who was asked for parents alone has not been compared with siblings: it is no search that the gate may count.
    whole = set(relations_of(search.kind)) <= set(search.relations)
    if whole:
        await store_search.profile_searched(tx.conn, search.specimen_id, search.compared_generation)
    found = await store_search.found_by(tx.conn, search_id)
    found.sort(key=lambda each: -each.log10_lr)
    added = await keep(
        tx, search_id, found[:most], search.compared, search.compared_generation, terms, practice
    )
    if whole:
        await _searched(tx, search.specimen_id, practice)
    log = await store_search.log_of(tx.conn, search_id)
    tx.audit(
        "dna.search_completed",
        subject=search.specimen_id,
        search_id=str(search_id),
        purpose=log["purpose"],
        asked_by=log["asked_by"],
        compared=search.compared,
        leads=len(found),
        generation=search.compared_generation,
    )
    return len(added)


async def keep(
    tx: Tx,
    search_id: UUID,
    found: Sequence[Found],
    compared: int,
    generation: int,
    terms: Terms,
    practice: Practice,
) -> list[UUID]:
    """Write leads as candidates; returns the ids of those that no search had found before.

    A lead about somebody who left the index since, or between an exercise and reality, is none.
    """
    added: list[UUID] = []
    # Who withdraws meanwhile waits for this commit, and then ends the lead; or is seen to be gone.
    await store.lock_specimens(tx.conn, _people_of(found))
    for each in sorted(found, key=lambda one: (str(one.child_id), str(one.relatives))):
        people = await store.specimens_by_id(tx.conn, [each.child_id, *each.relatives])
        if len(people) != 1 + len(each.relatives) or not _comparable(list(people.values())):
            continue
        row = _candidate(tx, search_id, each, people, compared, generation, terms)
        if await store_candidates.add_candidate(tx.conn, row):
            added.append(row.id)
            await _tell(tx, row, people[row.family_id], practice)
            for person in (each.child_id, *each.relatives):
                await _candidates_step(tx, person)
        else:
            await store_candidates.found_again(tx.conn, row)
    return added


def _comparable(people: Sequence[SpecimenRow]) -> bool:
    gone = {"withdrawn", "expunged", "rejected"}
    return len({each.exercise for each in people}) == 1 and not any(each.state in gone for each in people)


def _candidate(
    tx: Tx,
    search_id: UUID,
    each: Found,
    people: dict[UUID, SpecimenRow],
    compared: int,
    generation: int,
    terms: Terms,
) -> CandidateRow:
    child, family = people[each.child_id], people[each.relatives[0]]
    return CandidateRow(
        id=leads.candidate_id(each.child_id, each.relatives, each.relation),
        child_id=child.id,
        family_id=family.id,
        spouse_id=each.relatives[1] if len(each.relatives) > 1 else None,
        relation=each.relation,
        child_region=child.region_code,
        family_region=family.region_code,
        exercise=child.exercise,
        state="open",
        search_id=search_id,
        log10_lr=each.log10_lr,
        inconsistent=each.inconsistent,
        loci=each.loci,
        compared=compared,
        posterior=leads.posterior(each.log10_lr, compared),
        strangers_by_mismatch=None if each.chance is None else each.chance * compared,
        strangers_by_lr=leads.strangers_by_lr(each.log10_lr, compared),
        index_generation=generation,
        table_name=terms.table_name,
        table_sha256=terms.table_sha256,
        model=terms.model,
        markers=_markers(each, people),
        review_round=1,
        found_at=tx.now,
        changed_at=tx.now,
    )


def _markers(each: Found, people: dict[UUID, SpecimenRow]) -> tuple[Marker, ...]:
    family = [people[one] for one in each.relatives]
    kinds = [kind_of(one.category, one.relation, one.registered_sex) for one in family]
    child_sex = people[each.child_id].registered_sex
    return markers_that_help(kinds, child_sex, each.loci, both_parents_known=len(family) > 1)


async def _tell(tx: Tx, row: CandidateRow, family: SpecimenRow, practice: Practice) -> None:
    """The case hears that there is a lead, under a name that joins it to no specimen (`case_reference`)."""
    case_id = open_case(practice.master, family)
    request = await store.lock_cross_match(tx.conn, case_id) if case_id is not None else None
    tx.publish(
        CandidateFound(
            region_code=row.family_region,
            exercise=row.exercise,
            occurred_at=tx.now,
            case_id=CaseId(case_id) if case_id is not None and request is not None else None,
            specimen_id=None if request is not None else SpecimenId(family.id),
            candidate_id=reference_of(practice.master, row.id),
            request_id=request.id if request is not None else row.search_id,
        )
    )
    tx.audit("dna.candidate_found", subject=row.id, search_id=str(row.search_id), relation=row.relation)


async def _searched(tx: Tx, specimen_id: UUID, practice: Practice) -> None:
    """The specimen's own search is done; its case may have nothing left to wait for."""
    row = await _step(tx, specimen_id, "searched", only_from=("entered",))
    if row is None:
        return
    await _candidates_step(tx, specimen_id)
    case_id = open_case(practice.master, row) if row.of_a_family else None
    if case_id is not None:
        await follow_case(tx, case_id, practice)


async def _candidates_step(tx: Tx, specimen_id: UUID) -> None:
    """A specimen with an open lead is a candidate; one whose own search is not done waits for that."""
    if "open" in await store_candidates.states_of(tx.conn, specimen_id):
        await _step(tx, specimen_id, "candidate", only_from=("searched", "confirmed", "refuted"))


async def _step(
    tx: Tx, specimen_id: UUID, to_state: PaperState, *, only_from: Sequence[str] = ()
) -> SpecimenRow | None:
    """A step of custody on paper where it is legal; else nothing, since a lead moves no tube."""
    row = await store.lock_specimen(tx.conn, specimen_id)
    if row is None or (only_from and row.state not in only_from) or to_state not in LEGAL[row.state]:
        return row
    return await laboratory.step_on_paper(tx, row, to_state)


async def step_all(tx: Tx, specimens: Sequence[UUID], to_state: PaperState) -> None:
    """The same for all specimens of a candidate, in an order that can't deadlock."""
    for specimen_id in sorted(specimens):
        await _step(tx, specimen_id, to_state)
