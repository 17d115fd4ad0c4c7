"""What a profile sets going: the next generation of the index, and the searches that must follow.

The invariant: **every child is compared with every member of a family, whoever came first.** The argument:

1. A profile gets its generation from one row (`index_generation`), which is locked from that moment until the
   transaction commits. So generations are in the order of commits, without gaps among what is visible: whoever sees
   the change of generation g sees every change before it. A transaction that fails gives its number back.
2. The search of a profile is written in the same transaction and carries the profile's own generation g. It is
   answered only from an index that holds every change up to g (`matching.matcher` follows the changes first, and an
   answer states the generation it was worked out at).
3. Take a child x and a parent y, both entered. Their generations differ; say y's is the higher. Both changes are
   visible once y's search is (1), so y's search has compared y with x (2). If x's is the higher, the same holds
   with the roles exchanged. No order of commits, deaths or restarts leaves a pair without a comparison, because
   the search is a row that stays `waiting` until its answer is committed with it.

What leaves the index gets a generation too, so that "up to g" also means "without whom was withdrawn by g".

The counter is taken late: `profile_entered` should be the last thing a transaction does, for whoever enters a profile
next waits for its commit. Whoever locks specimens afterwards may meet a deadlock, which PostgreSQL ends and the
caller repeats.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from dna_intake import store_candidates, store_search
from dna_intake.domain.kin import Kind, SearchRelation, key_hash, kind_of, relations_of
from dna_intake.models import SpecimenRow
from dna_intake.models_search import Cause, SearchRow
from dna_intake.settings import DnaSettings
from guitu.tx import Tx

PURPOSES: dict[Cause, str] = {
    "profile_entered": "A new profile: compared with everybody of the other side (county plan: 亲子比对).",
    "retyped": "More loci were typed: compared again with everybody of the other side.",
}
"""Why the service searches by itself; a person states a purpose of their own."""


async def profile_entered(tx: Tx, row: SpecimenRow) -> int:
    """Put the specimen's profile into the index and let it be searched; returns the generation.

    The profile's row is there already. Called again for a specimen that was typed at more loci, everything is compared
    again, in both directions. Idempotent only through its caller, who enters a profile once.
    """
    kind = kind_of(row.category, row.relation, row.registered_sex)
    again = await store_search.was_in_index(tx.conn, row.id)
    generation = await store_search.next_generation(tx.conn, family=kind is not Kind.child)
    stored = await store_search.put_into_index(
        tx.conn, row.id, generation, kind, key_hash(row.id), row.case_link, row.exercise
    )
    assert stored, "The profile is entered before it is searched."
    cause: Cause = "retyped" if again else "profile_entered"
    change = "retyped" if again else "entered"
    await store_search.add_change(tx.conn, generation, row.id, row.region_code, change, kind, tx.now)
    await ask(tx, row, kind, relations_of(kind), generation, cause, PURPOSES[cause])
    return generation


async def profile_expunged(tx: Tx, row: SpecimenRow) -> None:
    """Take a specimen out of the index and close what was open about it; nothing happens if it is not in it.

    Called on withdrawal, at once, and on expunging, when nothing is left to do.
    """
    if not await store_search.was_in_index(tx.conn, row.id):
        return
    kind = kind_of(row.category, row.relation, row.registered_sex)
    generation = await store_search.next_generation(tx.conn, family=False)
    await store_search.take_out_of_index(tx.conn, row.id)
    await store_search.add_change(tx.conn, generation, row.id, row.region_code, "expunged", kind, tx.now)
    await store_search.cancel_searches(tx.conn, row.id, tx.now)
    await store_candidates.withdraw(tx.conn, row.id, tx.now)
    await store_candidates.expunge_results(tx.conn, row.id)
    tx.audit("dna.profile_left_index", subject=row.id, generation=generation)


async def ask(
    tx: Tx,
    row: SpecimenRow,
    kind: Kind,
    relations: Sequence[SearchRelation],
    generation: int,
    cause: Cause,
    purpose: str,
) -> UUID:
    """Log a search with its purpose, and let it wait for the matchers; returns its id.

    The only way to a search: the row's key is that of its line in the log, which the database keeps.
    """
    search_id = tx.ids.new()
    await store_search.add_log(tx.conn, search_id, tx.actor, cause, purpose, row.id, tx.now)
    wanted = SearchRow(
        id=search_id,
        specimen_id=row.id,
        region_code=row.region_code,
        exercise=row.exercise,
        kind=kind,
        relations=tuple(relations),
        generation=generation,
        state="waiting",
        missing=tuple(range(PARTITIONS)),
        compared=0,
        leads=0,
        compared_generation=None,
        attempts=0,
        due_at=tx.now,
        requested_at=tx.now,
        completed_at=None,
    )
    await store_search.add_search(tx.conn, wanted)
    tx.audit("dna.search_requested", subject=row.id, search_id=str(search_id), cause=cause, purpose=purpose)
    return search_id


PARTITIONS = DnaSettings().partitions
"""Of the topic guitu.dna: in how many parts a search is answered, whoever holds them."""
