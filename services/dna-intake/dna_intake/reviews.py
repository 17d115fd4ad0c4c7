"""Two people decide about a lead, each from the candidate alone; then a case leader may ask whose case it is.

The rule is `domain.reviews`. What makes the second look blind is that nothing anywhere tells of the first: no route
shows a verdict, a name or a count before a round is settled, and the candidate's state says `in_review` from the
moment it waits for reviewers, not from the first verdict.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from contracts.base import CaseId, SpecimenId
from contracts.dna import CandidateReviewed
from dna_intake import store, store_candidates
from dna_intake.case_reference import candidate_of, reference_of
from dna_intake.domain.custody import PaperState
from dna_intake.domain.reviews import OPEN, AlreadyReviewed, Verdict, after, may_review, verdict_of
from dna_intake.identity import open_case
from dna_intake.models_search import CandidateRow, RevealAnswer, ReviewAnswer
from dna_intake.practice import Practice
from dna_intake.refusals import not_found
from dna_intake.results import step_all
from guitu.problem import Problem
from guitu.tx import Tx

REVEALS_WITHIN = timedelta(days=1)


async def review(tx: Tx, candidate_id: UUID, verdict: Verdict, practice: Practice) -> ReviewAnswer:
    """Record a reviewer's verdict; the round is settled when two agree, or three have looked.

    Raises: Problem 404, 409 if the candidate is settled or the same person has reviewed it in this round.
    """
    await _lock_people(tx, candidate_id)
    row = await lock(tx, candidate_id)
    if row.state not in OPEN:
        raise _settled(row)
    verdicts = await _verdicts(tx, row)
    try:
        may_review(verdicts, tx.actor)
    except AlreadyReviewed:
        raise _twice() from None
    await store_candidates.add_review(tx.conn, row.id, row.review_round, tx.actor, verdict, tx.now)
    tx.audit("dna.candidate_reviewed", subject=row.id, round=row.review_round)
    came_to = verdict_of({**verdicts, tx.actor: verdict})
    if came_to is None:
        # The state must not tell that somebody has looked; so it moves when the round is over.
        return ReviewAnswer(candidate_id=row.id, recorded=True, settled=False, state=row.state, verdict=None)
    await _settle(tx, row, came_to, practice)
    return ReviewAnswer(
        candidate_id=row.id, recorded=True, settled=True, state=after(came_to), verdict=came_to
    )


async def lock(tx: Tx, candidate_id: UUID) -> CandidateRow:
    """The candidate, locked; the rest of the transaction acts in both its regions. Raises: Problem 404."""
    row = await store_candidates.lock_candidate(tx.conn, candidate_id)
    if row is None:
        raise not_found("candidate", "比对线索")
    await store.see_every_region(tx.conn)
    return row


async def _lock_people(tx: Tx, candidate_id: UUID) -> None:
    """Specimens before the candidate's row, as the matcher and the laboratory lock them. Raises: Problem 404."""
    row = await store_candidates.candidate(tx.conn, candidate_id)
    if row is None:
        raise not_found("candidate", "比对线索")
    await store.see_every_region(tx.conn)
    await store.lock_specimens(tx.conn, _people(row))


def _people(row: CandidateRow) -> list[UUID]:
    return [row.child_id, row.family_id, *([row.spouse_id] if row.spouse_id else [])]


async def _verdicts(tx: Tx, row: CandidateRow) -> dict[str, Verdict]:
    found = await store_candidates.reviews_of(tx.conn, [row.id])
    return found.get((row.id, row.review_round), {})


async def _settle(tx: Tx, row: CandidateRow, came_to: Verdict, practice: Practice) -> None:
    """The candidate, its specimens and its case follow the verdict."""
    again = came_to == "more_markers"
    round_ = row.review_round + 1 if again else row.review_round
    await store_candidates.move_candidate(tx.conn, row.id, after(came_to), round_, tx.now)
    await _specimens_follow(tx, row, came_to)
    family = (await store.specimens_by_id(tx.conn, [row.family_id])).get(row.family_id)
    case_id = open_case(practice.master, family) if family is not None else None
    tx.publish(
        CandidateReviewed(
            region_code=row.family_region,
            exercise=row.exercise,
            occurred_at=tx.now,
            case_id=CaseId(case_id) if case_id is not None else None,
            specimen_id=None if case_id is not None else SpecimenId(row.family_id),
            candidate_id=reference_of(practice.master, row.id),
            verdict=came_to,
        )
    )
    tx.audit("dna.candidate_settled", subject=row.id, verdict=came_to, round=row.review_round)


async def _specimens_follow(tx: Tx, row: CandidateRow, came_to: Verdict) -> None:
    """Custody says what is known of a specimen: confirmed by any lead, refuted only when no lead of it is open."""
    people = _people(row)
    step: dict[Verdict, PaperState] = {"confirmed": "confirmed", "more_markers": "second_tier"}
    if came_to in step:
        await step_all(tx, people, step[came_to])
        return
    states = {one: set(await _states(tx, one)) for one in people}
    free = [one for one in people if not states[one] & OPEN]
    await step_all(tx, [one for one in free if "confirmed" not in states[one]], "refuted")
    # Who was confirmed by an earlier lead became a candidate again by this one, and is what that lead says.
    await step_all(tx, [one for one in free if "confirmed" in states[one]], "confirmed")


async def _states(tx: Tx, specimen_id: UUID) -> list[str]:
    return [str(state) for state in await store_candidates.states_of(tx.conn, specimen_id)]


def _settled(row: CandidateRow) -> Problem:
    return Problem(
        409,
        "candidate_settled",
        f"The candidate is {row.state}; it takes no review.",
        f"该线索状态为{row.state},不再接受复核。",
        "Look at GET /candidates/{id}; a new finding is a new search.",
    )


def _twice() -> Problem:
    return Problem(
        409,
        "reviewed_twice",
        "You have reviewed this candidate; another person must.",
        "您已复核过该线索,须由另一人复核。",
        "Ask a colleague to review it from the candidate alone, without telling your verdict.",
    )


async def reveal(
    tx: Tx, wanted: UUID, purpose: str, practice: Practice, region: str, a_day: int
) -> RevealAnswer:
    """Open the identity wall for one confirmed candidate: whose case is it? Logged before it is answered.

    `wanted` is the candidate's id, or the reference that its case was told. Only a person of the child's or the
    family's region sees the candidate at all (row-level security); only a confirmed one is opened.
    Raises: Problem 404, 409 while it is not confirmed or for a family without a case, 429 over the limit of a day.
    """
    row = await store_candidates.candidate(tx.conn, wanted) or await store_candidates.candidate(
        tx.conn, candidate_of(practice.master, wanted)
    )
    if row is None:
        raise not_found("candidate", "比对线索")
    if row.state != "confirmed":
        raise _not_confirmed(row)
    # One of the two may be of another region than the person who asks, and the limit counts reveals of all regions.
    await store.see_every_region(tx.conn)
    if await store_candidates.reveals_since(tx.conn, tx.actor, tx.now - REVEALS_WITHIN) >= a_day:
        raise _too_many(a_day)
    answer = await _opened(tx, row, practice)
    await store_candidates.add_reveal(tx.conn, tx.ids.new(), row.id, tx.actor, purpose, tx.now)
    # Not the case: who reads the audit log shall not walk through the wall by it.
    tx.audit("dna.candidate_revealed", subject=row.id, purpose=purpose, region=region)
    return answer


async def _opened(tx: Tx, row: CandidateRow, practice: Practice) -> RevealAnswer:
    people = await store.specimens_by_id(tx.conn, [row.child_id, row.family_id])
    child, family = people[row.child_id], people[row.family_id]
    case_id = open_case(practice.master, family)
    if case_id is None:
        raise Problem(
            409,
            "no_case",
            "The family's specimen belongs to no case.",
            "该家庭检材未关联案件。",
            "Ask the laboratory that registered the specimen, by its barcode.",
        )
    return RevealAnswer(
        candidate_id=row.id,
        child_specimen_id=child.id,
        child_barcode=child.barcode,
        case_id=case_id,
        child_case_id=open_case(practice.master, child),
    )


def _not_confirmed(row: CandidateRow) -> Problem:
    return Problem(
        409,
        "not_confirmed",
        "Two reviewers have not confirmed this candidate; a lead opens no case.",
        "该线索尚未经两名复核人确认,不得关联案件。",
        "Wait for the reviews, or ask the laboratory to review it.",
    )


def _too_many(a_day: int) -> Problem:
    return Problem(
        429,
        "reveals_used_up",
        f"You have opened {a_day} candidates within a day; no more are opened for you.",
        f"您在一天内已查看{a_day}条线索的身份信息,不能再查看。",
        "Try tomorrow, or let the auditor raise GUITU_REVEALS_A_DAY.",
    )
