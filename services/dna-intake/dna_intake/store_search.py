"""Every SQL statement of the kinship search: generations, changes of the index, searches and their parts."""
# ruff: noqa: S608 - statements are put together from the column lists below, never from input.

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
from pydantic import TypeAdapter

from dna_intake.domain.kin import Kind
from dna_intake.models_search import Cause, Change, Found, RunRow, SealedProfile, SearchRow

_FOUND = TypeAdapter(list[Found])

# The upsert locks the row, existing or new, until the commit.
_NEXT_GENERATION = """
insert into index_generation as g (id, newest, newest_family) values (true, 1, case when $1 then 1 else 0 end)
on conflict (id) do update set
    newest = g.newest + 1,
    newest_family = case when $1 then g.newest + 1 else g.newest_family end
returning newest
"""
_INTO_INDEX = """
update profile set generation = $2, kind = $3, key_hash = $4, case_link = $5, exercise = $6
where specimen_id = $1 and expunged_at is null
"""
_OUT_OF_INDEX = "update profile set generation = null, case_link = null where specimen_id = $1"
# Father, mother or grandmother tells relation and sex; what stays is on which side of a comparison somebody was.
_FORGET_KIND = (
    "update profile set kind = null where specimen_id = $1",
    "update profile_change set kind = 3 where specimen_id = $1 and kind <> 0",
    "update search set kind = 3 where specimen_id = $1 and kind <> 0",
)
_BEFORE = "select generation from profile where specimen_id = $1 and generation is not null"
_CHANGE = """
insert into profile_change (generation, specimen_id, region_code, change, kind, changed_at)
values ($1, $2, $3, $4, $5, $6)
"""
_LOG = """
insert into search_log (id, asked_by, cause, purpose, specimen_id, asked_at) values ($1, $2, $3, $4, $5, $6)
"""
_SEARCH = """
id, specimen_id, region_code, exercise, kind, relations, generation, state, missing, compared, leads,
compared_generation, attempts, due_at, requested_at, completed_at
"""
_ADD_SEARCH = """
insert into search (id, specimen_id, region_code, exercise, kind, relations, generation, state, missing, compared,
    leads, attempts, due_at, requested_at)
values ($1, $2, $3, $4, $5, $6, $7, 'waiting', $8, 0, 0, 0, $9, $9)
"""
# A search that fails again and again must not hold up those behind it: it comes after a growing pause. One that is
# due later than any pause was written by a clock that ran ahead, and is due now.
_WAITING = f"""
select {_SEARCH} from search
where state = 'waiting' and (due_at <= $2 or due_at > $2 + interval '10 minutes') and missing && $1::smallint[]
order by generation, requested_at limit $3
"""
_SEARCH_BY_ID = f"select {_SEARCH} from search where id = $1"
_NEWEST_SEARCHES = f"""
select {", ".join(f"s.{column.strip()}" for column in _SEARCH.split(","))}, l.cause, l.purpose, l.asked_by
from search s join search_log l on l.id = s.id
where ($1::text is null or s.state = $1) order by s.requested_at desc, s.id limit $2
"""
_LOCK_SEARCH = f"select {_SEARCH} from search where id = $1 for update"
_LOCK_WAITING = "select id from search where specimen_id = $1 and state = 'waiting' order by id for update"
_SEARCH_LOG = "select cause, purpose, asked_by from search_log where id = $1"
_ADD_PART = """
insert into search_part (search_id, partitions, generation, compared, found, took_ms, answered_at)
values ($1, $2, $3, $4, $5::text::jsonb, $6, $7)
"""
_PARTS = "select found::text as found from search_part where search_id = $1"
_OF_CASE = """
select coalesce(max(s.compared), 0) as compared, coalesce(min(s.compared_generation), 0) as generation,
    coalesce(array_agg(distinct s.specimen_id), '{}') as specimens
from search s join specimen p on p.id = s.specimen_id
where p.case_link = $1 and p.category = 'parent_of_missing_child' and s.state = 'completed'
"""
_FAMILY_WAITS = """
select exists (
    select from search s join specimen p on p.id = s.specimen_id join search_log l on l.id = s.id
    where p.case_link = $1 and p.category = 'parent_of_missing_child' and s.state = 'waiting'
        and p.state not in ('withdrawn', 'expunged') and l.cause in ('profile_entered', 'retyped'))
"""
_ANSWERED = """
update search set missing = $2, compared = compared + $3, leads = leads + $4,
    compared_generation = least(coalesce(compared_generation, $5), $5),
    state = case when cardinality($2::smallint[]) = 0 then 'completed' else state end,
    completed_at = case when cardinality($2::smallint[]) = 0 then $6::timestamptz end
where id = $1
"""
_SEARCHED_THROUGH = """
update profile set searched_through = greatest(coalesce(searched_through, 0), $2) where specimen_id = $1
"""
_FAILED = "update search set attempts = attempts + 1, due_at = $2 where id = $1"
_CANCEL = """
update search set state = 'cancelled', completed_at = $2 where specimen_id = $1 and state = 'waiting'
"""
_NEWEST = "select coalesce(max(newest), 0) as newest, coalesce(max(newest_family), 0) as family from index_generation"
_PROFILE = """
p.specimen_id, p.kind, p.key_hash, p.case_link, p.wrapped_key, p.genotype_sealed
"""
_CHANGES = f"""
select c.generation as step, c.specimen_id as who, p.generation as now, {_PROFILE}
from profile_change c left join profile p on p.specimen_id = c.specimen_id and p.generation is not null
where c.generation > $1 order by c.generation limit $2
"""
_IN_INDEX = (
    f"select {_PROFILE} from profile p where p.specimen_id = any($1::uuid[]) and p.generation is not null"
)
_FAMILY = f"""
select {_PROFILE} from profile p
where p.case_link in (select case_link from profile where specimen_id = any($1::uuid[]) and generation is not null)
    and p.kind in (1, 2, 3) and p.generation is not null
"""
_EXPLAINED = """
select exists (
    select from search
    where specimen_id = any($1::uuid[]) and (state = 'waiting' or (state = 'completed' and leads > $2)))
"""
_CHILDREN = f"""
select {_PROFILE} from profile p where p.key_hash % $2 = $1 and p.kind = 0 and p.generation is not null
"""
_ANY_PROFILE = "select exists (select from profile where generation is not null)"
_BACKLOG = """
select count(*) as waiting, min(requested_at) as oldest, coalesce(max(attempts), 0) as attempts
from search where state = 'waiting'
"""
_CHANGED_SINCE = "select min(changed_at) from profile_change where generation > $1"
# A child has been compared with every family up to the oldest family search that still waits; its own search
# covers all that was there before it.
_THROUGH = """
select case
    when p.searched_through is null then null
    when exists (select from search s where s.specimen_id = $1 and s.state = 'waiting') then null
    else greatest(p.searched_through, coalesce(
        (select min(s.generation) - 1 from search s where s.state = 'waiting' and s.kind <> 0),
        (select max(g.newest) from index_generation g)))
end
from profile p where p.specimen_id = $1 and p.generation is not null
"""
_OPEN_CANDIDATES = """
select id, state from candidate
where child_id = $1 and state in ('open', 'second_tier', 'in_review', 'confirmed') order by found_at, id
"""
_RUN = """
id, state, generation, steps, missing, compared, leads, missed, attempts, due_at, started_at,
completed_at
"""
_START_RUN = """
insert into all_against_all (id, state, generation, steps, missing, compared, leads, missed, attempts, due_at,
    started_at)
values ($1, 'running', $2, $3, $4, 0, 0, 0, 0, $5, $5)
on conflict (state) where state = 'running' do nothing
"""
_RUNNING = f"select {_RUN} from all_against_all where state = 'running'"
_LOCK_RUN = f"select {_RUN} from all_against_all where id = $1 for update"
_RUNS = f"select {_RUN} from all_against_all order by started_at desc limit $1"
_LAST_STARTED = "select max(started_at) from all_against_all where started_at < $1"
_STEP_DONE = """
update all_against_all set missing = $2, compared = compared + $3, leads = leads + $4, missed = missed + $5,
    state = case when cardinality($2::integer[]) = 0 then 'completed' else state end,
    completed_at = case when cardinality($2::integer[]) = 0 then $6::timestamptz end
where id = $1
"""
_RUN_FAILED = "update all_against_all set attempts = attempts + 1, due_at = $2 where id = $1"


async def next_generation(conn: asyncpg.Connection, *, family: bool) -> int:
    """The next generation of the index, locked until the caller commits."""
    return int(await conn.fetchval(_NEXT_GENERATION, family))


async def was_in_index(conn: asyncpg.Connection, specimen_id: UUID) -> bool:
    """Has this specimen a profile in the index?"""
    return await conn.fetchval(_BEFORE, specimen_id) is not None


async def put_into_index(
    conn: asyncpg.Connection,
    specimen_id: UUID,
    generation: int,
    kind: Kind,
    key_hash: int,
    case_link: bytes | None,
    exercise: bool,
) -> bool:
    """Let the index hold the specimen's profile from this generation on; False if there is no profile."""
    status = await conn.execute(
        _INTO_INDEX, specimen_id, generation, int(kind), key_hash, case_link, exercise
    )
    return bool(status == "UPDATE 1")


async def take_out_of_index(conn: asyncpg.Connection, specimen_id: UUID) -> None:
    """Let the index hold the specimen no more."""
    await conn.execute(_OUT_OF_INDEX, specimen_id)


async def forget_kind(conn: asyncpg.Connection, specimen_id: UUID) -> None:
    """Delete for good which relative an expunged specimen was; it is in no index any more."""
    for statement in _FORGET_KIND:
        await conn.execute(statement, specimen_id)


async def add_change(
    conn: asyncpg.Connection,
    generation: int,
    specimen_id: UUID,
    region_code: str,
    change: str,
    kind: Kind,
    at: datetime,
) -> None:
    """Record one step of the index."""
    await conn.execute(_CHANGE, generation, specimen_id, region_code, change, int(kind), at)


async def add_log(
    conn: asyncpg.Connection,
    log_id: UUID,
    asked_by: str,
    cause: Cause,
    purpose: str,
    specimen_id: UUID | None,
    at: datetime,
) -> None:
    """Write down who searches for what, and why."""
    await conn.execute(_LOG, log_id, asked_by, cause, purpose, specimen_id, at)


async def add_search(conn: asyncpg.Connection, row: SearchRow) -> None:
    """Let a search wait for the matchers; its line in the log is there already."""
    await conn.execute(
        _ADD_SEARCH,
        row.id,
        row.specimen_id,
        row.region_code,
        row.exercise,
        int(row.kind),
        list(row.relations),
        row.generation,
        list(row.missing),
        row.requested_at,
    )


async def waiting_searches(
    conn: asyncpg.Connection, partitions: Sequence[int], now: datetime, limit: int
) -> list[SearchRow]:
    """Searches that still need an answer of some of these partitions, the oldest generation first."""
    records = await conn.fetch(_WAITING, list(partitions), now, limit)
    return [SearchRow.model_validate(dict(record)) for record in records]


async def search(conn: asyncpg.Connection, search_id: UUID) -> SearchRow | None:
    """One search, if it is visible."""
    record = await conn.fetchrow(_SEARCH_BY_ID, search_id)
    return SearchRow.model_validate(dict(record)) if record else None


async def newest_searches(
    conn: asyncpg.Connection, state: str | None, limit: int
) -> list[tuple[SearchRow, asyncpg.Record]]:
    """The newest searches that are visible, each with cause, purpose and who asked."""
    records = await conn.fetch(_NEWEST_SEARCHES, state, limit)
    return [(SearchRow.model_validate(dict(record)), record) for record in records]


async def lock_search(conn: asyncpg.Connection, search_id: UUID) -> SearchRow | None:
    """One search, locked, so that each partition's answer counts once."""
    record = await conn.fetchrow(_LOCK_SEARCH, search_id)
    return SearchRow.model_validate(dict(record)) if record else None


async def lock_waiting(conn: asyncpg.Connection, specimen_id: UUID) -> None:
    """Wait until no answer to a search of this specimen is being written, and let none begin."""
    await conn.fetch(_LOCK_WAITING, specimen_id)


async def log_of(conn: asyncpg.Connection, search_id: UUID) -> asyncpg.Record:
    """Cause, purpose and who asked."""
    record = await conn.fetchrow(_SEARCH_LOG, search_id)
    assert record is not None, "The foreign key keeps every search's line."
    return record


async def add_part(
    conn: asyncpg.Connection,
    search_id: UUID,
    partitions: Sequence[int],
    generation: int,
    compared: int,
    found: Sequence[Found],
    took_ms: float,
    now: datetime,
) -> None:
    """Keep what one matcher answered for these partitions."""
    told = _FOUND.dump_json(list(found)).decode()
    await conn.execute(_ADD_PART, search_id, list(partitions), generation, compared, told, took_ms, now)


async def found_by(conn: asyncpg.Connection, search_id: UUID) -> list[Found]:
    """What all parts of a search found."""
    return [each for r in await conn.fetch(_PARTS, search_id) for each in _FOUND.validate_json(r["found"])]


async def comparison_of_case(conn: asyncpg.Connection, case_link: bytes) -> asyncpg.Record:
    """How far the family of a case has been compared: how many children, up to which generation, which specimens."""
    return await conn.fetchrow(_OF_CASE, case_link)


async def family_search_waits(conn: asyncpg.Connection, case_link: bytes) -> bool:
    """Does a search that the profile of a family's member set going wait for its answer?"""
    return bool(await conn.fetchval(_FAMILY_WAITS, case_link))


async def search_answered(
    conn: asyncpg.Connection,
    search_id: UUID,
    missing: Sequence[int],
    compared: int,
    leads: int,
    generation: int,
    now: datetime,
) -> None:
    """Add an answer to a locked search; with nothing missing it is completed."""
    await conn.execute(_ANSWERED, search_id, list(missing), compared, leads, generation, now)


async def profile_searched(conn: asyncpg.Connection, specimen_id: UUID, generation: int) -> None:
    """Remember up to which generation a specimen has been compared by its own searches."""
    await conn.execute(_SEARCHED_THROUGH, specimen_id, generation)


async def search_failed(conn: asyncpg.Connection, search_id: UUID, due_at: datetime) -> None:
    """Try a search again later."""
    await conn.execute(_FAILED, search_id, due_at)


async def cancel_searches(conn: asyncpg.Connection, specimen_id: UUID, now: datetime) -> None:
    """End the searches of a specimen that leaves the index."""
    await conn.execute(_CANCEL, specimen_id, now)


async def newest_generation(conn: asyncpg.Connection) -> int:
    """The generation of the newest change; 0 while there was none."""
    return int((await conn.fetchrow(_NEWEST))["newest"])


async def parents_generation(conn: asyncpg.Connection) -> int:
    """The generation of the newest profile of a family; 0 while there is none."""
    return int((await conn.fetchrow(_NEWEST))["family"])


async def searched_through(conn: asyncpg.Connection, specimen_id: UUID) -> int | None:
    """Up to which generation this child has been compared with every family; None if its own search waits."""
    through: int | None = await conn.fetchval(_THROUGH, specimen_id)
    return through


async def open_candidates(conn: asyncpg.Connection, specimen_id: UUID) -> list[tuple[UUID, str]]:
    """The leads of a child that are not refuted, with their state."""
    return [(r["id"], r["state"]) for r in await conn.fetch(_OPEN_CANDIDATES, specimen_id)]


async def changes_after(conn: asyncpg.Connection, generation: int, limit: int) -> list[Change]:
    """What changed since; a specimen that left the index meanwhile comes without its profile."""
    return [
        Change(r["step"], r["who"], _sealed(r) if r["specimen_id"] else None)
        for r in await conn.fetch(_CHANGES, generation, limit)
    ]


async def profiles_in_index(conn: asyncpg.Connection, ids: Sequence[UUID]) -> list[SealedProfile]:
    """The sealed profiles of some specimens, those that are in the index."""
    return [_sealed(record) for record in await conn.fetch(_IN_INDEX, list(ids))]


async def parents_beside(conn: asyncpg.Connection, ids: Sequence[UUID]) -> list[SealedProfile]:
    """The sealed profiles of all parents of the cases that these specimens belong to."""
    return [_sealed(record) for record in await conn.fetch(_FAMILY, list(ids))]


def _sealed(record: asyncpg.Record) -> SealedProfile:
    return SealedProfile(
        record["specimen_id"],
        Kind(record["kind"]),
        record["key_hash"],
        record["case_link"],
        record["wrapped_key"],
        record["genotype_sealed"],
    )


async def explained(conn: asyncpg.Connection, specimens: Sequence[UUID], most: int) -> bool:
    """Is there a reason that no search has told of a lead of these: one waits, or had more leads than are kept?"""
    return bool(await conn.fetchval(_EXPLAINED, list(specimens), most))


async def children_of_partition(
    conn: asyncpg.Connection, partition: int, partitions: int
) -> list[SealedProfile]:
    """The sealed profiles of one partition's children."""
    return [_sealed(record) for record in await conn.fetch(_CHILDREN, partition, partitions)]


async def has_profiles(conn: asyncpg.Connection) -> bool:
    """Is there anything to hold in memory at all?"""
    return bool(await conn.fetchval(_ANY_PROFILE))


async def backlog(conn: asyncpg.Connection) -> asyncpg.Record:
    """How many searches wait, since when, and how often the most unlucky one was tried."""
    return await conn.fetchrow(_BACKLOG)


async def changed_since(conn: asyncpg.Connection, generation: int) -> datetime | None:
    """When the first change after this generation was made; None if there is none."""
    moment: datetime | None = await conn.fetchval(_CHANGED_SINCE, generation)
    return moment


async def start_run(
    conn: asyncpg.Connection, run_id: UUID, generation: int, steps: int, now: datetime
) -> bool:
    """Begin a comparison of all with all; False if one is running."""
    status = await conn.execute(_START_RUN, run_id, generation, steps, list(range(steps)), now)
    return bool(status == "INSERT 0 1")


async def running(conn: asyncpg.Connection) -> RunRow | None:
    """The comparison of all with all that is not finished."""
    record = await conn.fetchrow(_RUNNING)
    return RunRow.model_validate(dict(record)) if record else None


async def lock_run(conn: asyncpg.Connection, run_id: UUID) -> RunRow | None:
    """One comparison of all with all, locked, so that each step counts once."""
    record = await conn.fetchrow(_LOCK_RUN, run_id)
    return RunRow.model_validate(dict(record)) if record else None


async def runs(conn: asyncpg.Connection, limit: int) -> list[RunRow]:
    """The latest comparisons of all with all."""
    return [RunRow.model_validate(dict(record)) for record in await conn.fetch(_RUNS, limit)]


async def last_run_started(conn: asyncpg.Connection, before: datetime) -> datetime | None:
    """When the latest comparison of all with all began, of those that began before a moment."""
    moment: datetime | None = await conn.fetchval(_LAST_STARTED, before)
    return moment


async def step_done(
    conn: asyncpg.Connection,
    run_id: UUID,
    missing: Sequence[int],
    compared: int,
    leads: int,
    missed: int,
    now: datetime,
) -> None:
    """Add steps to a locked run; with nothing missing it is completed."""
    await conn.execute(_STEP_DONE, run_id, list(missing), compared, leads, missed, now)


async def run_failed(conn: asyncpg.Connection, run_id: UUID, due_at: datetime) -> None:
    """Go on with a run later."""
    await conn.execute(_RUN_FAILED, run_id, due_at)
