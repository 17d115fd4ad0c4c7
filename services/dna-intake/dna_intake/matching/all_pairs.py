"""A step of all against all: the children of one partition with all families here, by another way than searches go.

Parents go through the search library's batched comparison. Couples are computed where at least one of the two is a lead
alone; further relatives are looked up from their side, since they are few.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from dna_intake.domain.kin import PARENTS, Kind, relation_to_child
from dna_intake.matching.comparing import (
    OF_FAMILY,
    Exact,
    Person,
    chance_of,
    found_of,
    joint,
    leads_in,
    person_in,
    with_linkage,
)
from dna_intake.matching.index import Held
from dna_intake.matching.terms import Thresholds
from dna_intake.models_search import Found
from dna_intake.search import Index, Kinship, all_against_all
from dna_intake.search.index import SEXES

MISMATCHES_MAX = 3
"""The most that the batched comparison takes."""


def leads_of_children(
    held: Held, kinship: Kinship, children: Sequence[Person], terms: Thresholds, exact: Exact
) -> Iterator[Found]:
    """Every lead between these children and the families here."""
    if not children:
        return
    index = Index(kinship.panel, "children")
    batch = kinship.panel.encode([child.genotypes for child in children])
    sexes = np.array([SEXES.index(child.sex) for child in children], dtype=np.uint8)
    index.append(batch, np.arange(len(children)), sexes)
    yield from _parents(held, kinship, index, children, terms, exact)
    for kind in Kind:
        if kind is not Kind.child and kind not in PARENTS:
            yield from _relatives(held, kinship, index, children, kind, terms, exact)


def _parents(
    held: Held,
    kinship: Kinship,
    index: Index,
    children: Sequence[Person],
    terms: Thresholds,
    exact: Exact,
) -> Iterator[Found]:
    parents, most = held.groups["parents"], min(terms.inconsistent_max, MISMATCHES_MAX)
    if not parents.profiles:
        return
    rows: dict[int, list[int]] = defaultdict(list)
    for batch in all_against_all(index, parents, kinship, mismatches=most, lr_min=terms.lr_min):
        for lead in batch.leads:
            rows[lead.child].append(lead.parent)
            parent = person_in(held, kinship, lead.parent)
            yield _alone(kinship, children[lead.child], parent, lead.log10_lr)
    for place, leads in rows.items():
        mates = {mate for row in leads for mate in held.mates_of(row)}
        for couple in held.couples_among([*leads, *mates]):
            if set(couple) & set(leads):
                both = [person_in(held, kinship, row) for row in couple]
                yield from joint(children[place], both, terms, exact)


def _alone(kinship: Kinship, child: Person, parent: Person, log10_lr: float) -> Found:
    shared = child.genotypes.keys() & parent.genotypes.keys() & set(kinship.panel.loci)
    apart = sum(not set(child.genotypes[locus]) & set(parent.genotypes[locus]) for locus in shared)
    chance = chance_of(kinship, child.genotypes, len(shared), apart)
    return Found(child.id, (parent.id,), "parent", log10_lr, apart, len(shared), chance)


def _relatives(
    held: Held,
    kinship: Kinship,
    index: Index,
    children: Sequence[Person],
    kind: Kind,
    terms: Thresholds,
    exact: Exact,
) -> Iterator[Found]:
    for row in held.rows_of(kind).tolist():
        person = person_in(held, kinship, row)
        for lead in leads_in(index, kinship, person.query, OF_FAMILY[kind], terms):
            child, relation = children[lead.row_id], relation_to_child(kind)
            found = found_of(kinship, person, child.id, (person.id,), relation, lead, OF_FAMILY[kind])
            yield from with_linkage(found, child, person, terms, exact)
