"""What the gate knows of a child at one moment, gathered from the specimen, its profile and the matcher.

The order of reading is the safeguard. How far the child was compared is read first and the leads only then: a search
commits its leads with its progress, so no search can be counted whose leads were not looked for. How many families
there are is read last, so that one who comes meanwhile counts against.
"""

from __future__ import annotations

from uuid import UUID

import asyncpg

from dna_intake import store, store_gate, store_search
from dna_intake.domain.gate import Evidence, Lead
from dna_intake.models_gate import Compared


async def evidence_of(conn: asyncpg.Connection, specimen_id: UUID) -> tuple[Evidence, Compared]:
    """What is known of the child of a specimen, in every region; and what it was compared by.

    Whoever asks must have been let through to the specimen before.
    """
    async with store_gate.all_regions(conn):
        through = await store_search.searched_through(conn, specimen_id)
        leads = await store_search.open_candidates(conn, specimen_id)
        specimen = await store.specimen(conn, specimen_id)
        profile = await store.profile(conn, specimen_id)
        newest = await store_search.parents_generation(conn)
    assert specimen is not None, "A request refers to its specimen."
    typed = profile.loci_typed if profile is not None and profile.expunged_at is None else None
    evidence = Evidence(
        specimen=specimen.state,
        loci_typed=typed,
        searched_through=through,
        parents_generation=newest,
        leads=[Lead(lead_id, state) for lead_id, state in leads],
    )
    kit = profile.kit if profile is not None and typed is not None else None
    return evidence, Compared(kit=kit, loci_typed=typed, searched_through=through)
