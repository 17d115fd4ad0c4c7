"""Compile every loop before the first question comes.

The first use of a loop compiles it, which takes seconds; the result is kept on disk for later runs of the same
version. A service calls this at its start, so that the first search after an update is as quick as all others.
"""

from __future__ import annotations

from dna_intake.search.all_pairs import all_against_all
from dna_intake.search.couples import Couples, couples_of
from dna_intake.search.index import Index
from dna_intake.search.pair_tables import Kinship, Query
from dna_intake.search.search import parents_of


def prepare(kinship: Kinship) -> None:
    """Ask one invented person of a panel everything once."""
    panel = kinship.panel
    person = {
        name: (alleles[0], alleles[-1]) for name, alleles in zip(panel.loci, panel.alleles, strict=True)
    }
    batch = panel.encode([person])
    index, couples = Index(panel), Couples(panel)
    index.append(batch, [0])
    couples.append(batch, batch, [0])
    query = Query(person)
    for mismatches in (0, None):
        parents_of(index, kinship, query, mismatches=mismatches, complete=False)
    couples_of(couples, kinship, query)
    # With dropout a couple's general sum is used.
    couples_of(couples, kinship, Query(person, dropout=0.1))
    for _ in all_against_all(index, index, kinship):
        pass
