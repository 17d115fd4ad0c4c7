"""What tests of the registration gate begin with: children at some step, families, and what the matcher found.

The matcher's rows are written as it writes them (migration 0005), so that every order of events can be tried.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from dna_intake.domain.barcode import barcode_of
from dna_intake.gate import recheck
from guitu.service import Runtime
from harness.dna_stories import YUNYANG

REFERENCE = "YY-2026-0012"


async def child(
    run: Runtime,
    state: str = "searched",
    *,
    loci: int | None = 23,
    region: str = YUNYANG,
    exercise: bool = False,
) -> UUID:
    """A child's specimen; with loci its profile is in the index, and from `searched` on it was compared."""
    return await _specimen(run, "adopted", state, loci, region, exercise, kind=0)


async def _specimen(
    run: Runtime, category: str, state: str, loci: int | None, region: str, exercise: bool, kind: int
) -> UUID:
    specimen_id = run.ids.new()
    await run.pool.execute(
        """
        insert into specimen (id, barcode, category, region_code, exercise, state, moves, registered_at)
        values ($1, $2, $3, $4, $5, $6, 1, $7)
        """,
        specimen_id,
        barcode_of(specimen_id.int),
        category,
        region,
        exercise,
        state,
        run.clock.now(),
    )
    if loci is not None:
        await types(run, specimen_id, loci, region, kind)
    if kind == 0 and loci is not None and state != "entered":
        await compared(run, specimen_id)
    return specimen_id


async def types(run: Runtime, specimen_id: UUID, loci: int, region: str = YUNYANG, kind: int = 0) -> None:
    """The profile is in, under a seal that nobody opens here, and in the index; its search waits."""
    await run.pool.execute(
        """
        insert into profile (specimen_id, region_code, kit, loci_typed, partial, wrapped_key, genotype_sealed,
            accepted_at, accepted_by, kind)
        values ($1, $2, 'K1', $3, $4, 'k', 's', $5, 'lab', $6)
        """,
        specimen_id,
        region,
        loci,
        loci < 19,
        run.clock.now(),
        kind,
    )
    await _into_index(run, specimen_id, region, kind)


async def _into_index(run: Runtime, specimen_id: UUID, region: str, kind: int) -> None:
    async with run.pool.acquire() as conn, conn.transaction():
        newest = await conn.fetchval(
            """
            insert into index_generation as g values (true, 1, case when $1 then 1 else 0 end)
            on conflict (id) do update set newest = g.newest + 1,
                newest_family = case when $1 then g.newest + 1 else g.newest_family end
            returning newest
            """,
            kind > 0,
        )
        await conn.execute("update profile set generation = $2 where specimen_id = $1", specimen_id, newest)
        search_id = run.ids.new()
        await conn.execute(
            """
            insert into search_log (id, asked_by, cause, purpose, specimen_id, asked_at)
            values ($1, 'lab', 'profile_entered', 'the first comparison', $2, $3)
            """,
            search_id,
            specimen_id,
            run.clock.now(),
        )
        await conn.execute(
            """
            insert into search (id, specimen_id, region_code, exercise, kind, relations, generation, state, missing,
                compared, leads, attempts, due_at, requested_at)
            values ($1, $2, $3, false, $4, '{parent}', $5, 'waiting', '{0}', 0, 0, 0, $6, $6)
            """,
            search_id,
            specimen_id,
            region,
            kind,
            newest,
            run.clock.now(),
        )


async def family(run: Runtime, *, region: str = YUNYANG) -> UUID:
    """A parent's profile comes in; its search waits."""
    return await _specimen(run, "parent_of_missing_child", "entered", 23, region, False, kind=1)


async def compared(run: Runtime, specimen_id: UUID) -> None:
    """The waiting search of a specimen is answered; a child that was only entered is searched now."""
    async with run.pool.acquire() as conn, conn.transaction():
        await conn.execute(
            "update search set state = 'completed', missing = '{}' where specimen_id = $1", specimen_id
        )
        await conn.execute(
            "update profile set searched_through = generation where specimen_id = $1", specimen_id
        )
        await conn.execute(
            "update specimen set state = 'searched' where id = $1 and state = 'entered' and category = 'adopted'",
            specimen_id,
        )


async def lead(
    run: Runtime, child_id: UUID, family_id: UUID, state: str = "open", region: str = YUNYANG
) -> UUID:
    """The matcher found a possible relation."""
    lead_id = run.ids.new()
    await run.pool.execute(
        """
        insert into candidate (id, child_id, family_id, relation, child_region, family_region, exercise, state,
            search_id, log10_lr, inconsistent, loci, compared, posterior, strangers_by_lr, index_generation,
            table_name, table_sha256, model, markers, review_round, found_at, changed_at)
        select $1, $2, $3, 'parent', $4, $4, false, $5, id, 6.0, 0, 23, 1, 0.9, 0.1, generation,
            'invented', 'ff', '{}', '{}', 1, $6, $6
        from search where specimen_id = $3 limit 1
        """,
        lead_id,
        child_id,
        family_id,
        region,
        state,
        run.clock.now(),
    )
    return lead_id


async def becomes(run: Runtime, lead_id: UUID, state: str) -> None:
    """The reviewers settled a lead, or asked for more markers."""
    await run.pool.execute("update candidate set state = $2 where id = $1", lead_id, state)


async def is_now(run: Runtime, specimen_id: UUID, state: str) -> None:
    """A specimen is at another step."""
    await run.pool.execute("update specimen set state = $2 where id = $1", specimen_id, state)


async def looked(run: Runtime, **later: float) -> None:
    """The sweep has looked at everything that is due after some time."""
    run.clock.advance(**(later or {"seconds": 3}))
    for _ in range(20):
        if not await recheck(run):
            return


def asking(specimen: UUID, **fields: Any) -> dict[str, Any]:
    """The body of a gate request."""
    body = {"specimen_id": str(specimen), "office_reference": REFERENCE, "kind": "household_registration"}
    return body | fields
