"""Every SQL statement of candidates: leads, second-tier results, reviews, and the reveal."""
# ruff: noqa: S608 - statements are put together from the column lists below, never from input.

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from dna_intake.domain.reviews import CandidateState, Verdict
from dna_intake.models_search import CandidateRow, ResultRow

_CANDIDATE = """
id, child_id, family_id, spouse_id, relation, child_region, family_region, exercise, state, search_id, log10_lr,
inconsistent, loci, compared, posterior, strangers_by_mismatch, strangers_by_lr, index_generation, table_name,
table_sha256, model, markers, review_round, found_at, changed_at
"""
_ADD = f"""
insert into candidate ({_CANDIDATE})
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21::text::jsonb,
    $22, $23, $24, $25)
on conflict (id) do nothing
"""
# Found again by a later search: the figures follow, a settled lead does not move.
_FOUND_AGAIN = """
update candidate set log10_lr = $2, inconsistent = $3, loci = $4, compared = $5, posterior = $6,
    strangers_by_mismatch = $7, strangers_by_lr = $8, index_generation = $9, table_name = $10, table_sha256 = $11,
    model = $12::text::jsonb, changed_at = $13
where id = $1 and state in ('open', 'second_tier', 'in_review') and index_generation < $9 and loci <= $4
    and log10_lr <> $2
"""
_BY_ID = f"select {_CANDIDATE} from candidate where id = $1"
_LOCK = f"select {_CANDIDATE} from candidate where id = $1 for update"
_LIST = f"""
select {_CANDIDATE} from candidate
where (cardinality($1::text[]) = 0 or state = any($1::text[])) and ($2::uuid is null or child_id = $2)
order by posterior desc, id limit $3
"""
_OF_SPECIMEN = f"""
select {_CANDIDATE} from candidate where child_id = $1 or family_id = $1 or spouse_id = $1
order by posterior desc, id limit $2
"""
_COUNT_OF = """
select count(*) from candidate
where (child_id = any($1::uuid[]) or family_id = any($1::uuid[]) or spouse_id = any($1::uuid[]))
    and state in ('open', 'second_tier', 'in_review', 'confirmed')
"""
_STATES_OF = "select state from candidate where child_id = $1 or family_id = $1 or spouse_id = $1"
_MOVE = "update candidate set state = $2, review_round = $3, changed_at = $4 where id = $1"
_LR = """
update candidate set log10_lr = $2, loci = $3, inconsistent = $4, posterior = $5, strangers_by_mismatch = $6,
    strangers_by_lr = $7, changed_at = $8
where id = $1
"""
_WITHDRAW = """
update candidate set state = 'withdrawn', changed_at = $2
where (child_id = $1 or family_id = $1 or spouse_id = $1) and state <> 'withdrawn'
"""
_EXPUNGE = """
update second_tier_result set wrapped_key = null, result_sealed = null
where candidate_id in (select id from candidate where child_id = $1 or family_id = $1 or spouse_id = $1)
"""
_ADD_RESULT = """
insert into second_tier_result (id, candidate_id, marker, outcome, compared, mismatches, log10_lr, wrapped_key,
    result_sealed, recorded_at, recorded_by)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""
_RESULTS = """
select id, candidate_id, marker, outcome, compared, mismatches, log10_lr, recorded_at, recorded_by
from second_tier_result where candidate_id = any($1::uuid[]) order by recorded_at, id
"""
_ADD_REVIEW = """
insert into review (candidate_id, round, reviewer, verdict, reviewed_at) values ($1, $2, $3, $4, $5)
"""
_REVIEWS = """
select candidate_id, round, reviewer, verdict from review
where candidate_id = any($1::uuid[]) order by reviewed_at, reviewer
"""
_ADD_REVEAL = """
insert into reveal (id, candidate_id, revealed_to, purpose, revealed_at) values ($1, $2, $3, $4, $5)
"""
_REVEALED = "select count(*) from reveal where revealed_to = $1 and revealed_at > $2"
# One reveal at a time a person, so that two requests at once can't pass the limit together.
_LOCK_PERSON = "select pg_advisory_xact_lock(7_205, hashtext($1))"
_CHILD_KNOWN = "select id from candidate where id = any($1::uuid[])"


async def add_candidate(conn: asyncpg.Connection, row: CandidateRow) -> bool:
    """Add a lead; False if it was found before, and then its figures follow the newer search."""
    status = await conn.execute(
        _ADD,
        row.id,
        row.child_id,
        row.family_id,
        row.spouse_id,
        row.relation,
        row.child_region,
        row.family_region,
        row.exercise,
        row.state,
        row.search_id,
        row.log10_lr,
        row.inconsistent,
        row.loci,
        row.compared,
        row.posterior,
        row.strangers_by_mismatch,
        row.strangers_by_lr,
        row.index_generation,
        row.table_name,
        row.table_sha256,
        json.dumps(row.model),
        list(row.markers),
        row.review_round,
        row.found_at,
        row.changed_at,
    )
    return bool(status == "INSERT 0 1")


async def found_again(conn: asyncpg.Connection, row: CandidateRow) -> None:
    """Let the figures of an open lead follow a later search that compared at least as many loci."""
    await conn.execute(
        _FOUND_AGAIN,
        row.id,
        row.log10_lr,
        row.inconsistent,
        row.loci,
        row.compared,
        row.posterior,
        row.strangers_by_mismatch,
        row.strangers_by_lr,
        row.index_generation,
        row.table_name,
        row.table_sha256,
        json.dumps(row.model),
        row.changed_at,
    )


async def candidate(conn: asyncpg.Connection, candidate_id: UUID) -> CandidateRow | None:
    """One lead, if it is visible."""
    record = await conn.fetchrow(_BY_ID, candidate_id)
    return CandidateRow.model_validate(dict(record)) if record else None


async def lock_candidate(conn: asyncpg.Connection, candidate_id: UUID) -> CandidateRow | None:
    """One lead, locked, so that two reviews at once count one after the other."""
    record = await conn.fetchrow(_LOCK, candidate_id)
    return CandidateRow.model_validate(dict(record)) if record else None


async def candidates(
    conn: asyncpg.Connection, states: Sequence[str], child_id: UUID | None, limit: int
) -> list[CandidateRow]:
    """Leads in these states, or in any; the most probable first."""
    records = await conn.fetch(_LIST, list(states), child_id, limit)
    return [CandidateRow.model_validate(dict(record)) for record in records]


async def candidates_of(conn: asyncpg.Connection, specimen_id: UUID, limit: int) -> list[CandidateRow]:
    """The leads of a specimen, whichever side it is on; the most probable first."""
    records = await conn.fetch(_OF_SPECIMEN, specimen_id, limit)
    return [CandidateRow.model_validate(dict(record)) for record in records]


async def count_candidates(conn: asyncpg.Connection, specimens: Sequence[UUID]) -> int:
    """How many leads of these specimens stand."""
    return int(await conn.fetchval(_COUNT_OF, list(specimens)))


async def known(conn: asyncpg.Connection, ids: Sequence[UUID]) -> set[UUID]:
    """Which of these leads have been found before."""
    return {record["id"] for record in await conn.fetch(_CHILD_KNOWN, list(ids))}


async def states_of(conn: asyncpg.Connection, specimen_id: UUID) -> list[CandidateState]:
    """The states of all leads of a specimen."""
    return [record["state"] for record in await conn.fetch(_STATES_OF, specimen_id)]


async def move_candidate(
    conn: asyncpg.Connection, candidate_id: UUID, state: CandidateState, review_round: int, now: datetime
) -> None:
    """Let a locked lead go on."""
    await conn.execute(_MOVE, candidate_id, state, review_round, now)


async def new_ratio(conn: asyncpg.Connection, row: CandidateRow, now: datetime) -> None:
    """Let a locked lead have the figures over more loci."""
    await conn.execute(
        _LR,
        row.id,
        row.log10_lr,
        row.loci,
        row.inconsistent,
        row.posterior,
        row.strangers_by_mismatch,
        row.strangers_by_lr,
        now,
    )


async def withdraw(conn: asyncpg.Connection, specimen_id: UUID, now: datetime) -> None:
    """End every lead of a specimen that leaves the index."""
    await conn.execute(_WITHDRAW, specimen_id, now)


async def expunge_results(conn: asyncpg.Connection, specimen_id: UUID) -> None:
    """Delete key and haplotypes of every second-tier result of a specimen."""
    await conn.execute(_EXPUNGE, specimen_id)


async def add_result(
    conn: asyncpg.Connection, row: ResultRow, wrapped_key: bytes, result_sealed: bytes
) -> None:
    """Record a second-tier result with its sealed haplotypes."""
    await conn.execute(
        _ADD_RESULT,
        row.id,
        row.candidate_id,
        row.marker,
        row.outcome,
        row.compared,
        row.mismatches,
        row.log10_lr,
        wrapped_key,
        result_sealed,
        row.recorded_at,
        row.recorded_by,
    )


async def results_of(conn: asyncpg.Connection, candidates_: Sequence[UUID]) -> list[ResultRow]:
    """The second-tier results of some leads."""
    return [ResultRow.model_validate(dict(r)) for r in await conn.fetch(_RESULTS, list(candidates_))]


async def add_review(
    conn: asyncpg.Connection, candidate_id: UUID, round_: int, reviewer: str, verdict: Verdict, now: datetime
) -> None:
    """Record a verdict in the round of a locked lead."""
    await conn.execute(_ADD_REVIEW, candidate_id, round_, reviewer, verdict, now)


async def reviews_of(
    conn: asyncpg.Connection, candidates_: Sequence[UUID]
) -> dict[tuple[UUID, int], dict[str, Verdict]]:
    """The verdicts of some leads, by lead and round."""
    found: dict[tuple[UUID, int], dict[str, Verdict]] = {}
    for r in await conn.fetch(_REVIEWS, list(candidates_)):
        found.setdefault((r["candidate_id"], r["round"]), {})[r["reviewer"]] = r["verdict"]
    return found


async def reveals_since(conn: asyncpg.Connection, revealed_to: str, since: datetime) -> int:
    """How many candidates a person has had revealed since; the person's next reveal waits for this commit."""
    await conn.execute(_LOCK_PERSON, revealed_to)
    return int(await conn.fetchval(_REVEALED, revealed_to, since))


async def add_reveal(
    conn: asyncpg.Connection,
    reveal_id: UUID,
    candidate_id: UUID,
    revealed_to: str,
    purpose: str,
    now: datetime,
) -> None:
    """Write down that the wall was opened, for whom and why."""
    await conn.execute(_ADD_REVEAL, reveal_id, candidate_id, revealed_to, purpose, now)
