"""The comparisons of one person with the index: alone, as a couple, and as a further relative."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from dna_intake.domain.kin import PARENTS, Kind, SearchRelation, may_be_a_couple, relation_to_child
from dna_intake.domain.packed import STR_LOCI, allele_text
from dna_intake.kinship import VWA_D12S391, relations
from dna_intake.matching.index import GROUPS, GUESTS, Held, order_in_couple
from dna_intake.matching.terms import Thresholds
from dna_intake.models_search import Found, NewRatio
from dna_intake.search import (
    CHILD,
    FULL_SIBLING,
    PARENT,
    RELATIONS,
    Index,
    Kinship,
    Lead,
    Query,
    Relation,
    children_of_couple,
    relatives_of,
)
from dna_intake.search.index import SEXES, View

COUPLE_MISMATCHES = 3
"""Loci at which each parent of a couple may differ: one more than alone, since the two are computed together."""
COUPLE_LEADS_MAX = 50_000
COUPLE_LR_MIN = 1e-6
"""A true parent with three mutations is about there (23 loci: 10^7.8 of a median, less 10^3 for each, and room)."""

LINKED_GAIN_MAX = 4.0
"""A linked pair makes a ratio greater by no more: two people share both loci's copies from a common parent with at most
twice the chance of unlinked loci, and full siblings have two such parents."""

OF_CHILD: dict[SearchRelation, tuple[tuple[str, Relation], ...]] = {
    "parent": (("parents", PARENT),),
    "full_sibling": (("full_siblings", FULL_SIBLING),),
    "grandparent": (
        ("paternal_grandparents", RELATIONS["paternal_grandparent"]),
        ("maternal_grandparents", RELATIONS["maternal_grandparent"]),
    ),
    "uncle_aunt": (("uncles_aunts", RELATIONS["paternal_uncle_aunt"]),),
}
"""Groups that a child is compared with. Which side an uncle is of is not asked: only mutation rates differ."""
OF_FAMILY: dict[Kind, Relation] = {
    **dict.fromkeys(PARENTS, CHILD),
    Kind.full_sibling: FULL_SIBLING,
    Kind.paternal_grandfather: RELATIONS["paternal_grandchild"],
    Kind.paternal_grandmother: RELATIONS["paternal_grandchild"],
    Kind.maternal_grandfather: RELATIONS["maternal_grandchild"],
    Kind.maternal_grandmother: RELATIONS["maternal_grandchild"],
    Kind.uncle_aunt: RELATIONS["paternal_nephew_niece"],
}


@dataclass(frozen=True)
class Person:
    """Somebody in the clear; the text form hides the genotype."""

    id: UUID
    kind: Kind
    sex: str
    genotypes: Mapping[str, tuple[str, ...]] = field(repr=False)

    @classmethod
    def of(cls, specimen_id: UUID, kind: Kind, sex: int, alleles: NDArray[np.uint16]) -> Person:
        """From alleles in tenths, as they are unpacked."""
        typed = {
            locus: (allele_text(int(first)), allele_text(int(second)))
            for locus, (first, second) in zip(STR_LOCI, alleles[: len(STR_LOCI)], strict=True)
            if first
        }
        return cls(specimen_id, kind, SEXES[sex], typed)

    @property
    def query(self) -> Query:
        """As the search library takes it."""
        return Query(self.genotypes, self.sex)


Exact = Callable[[Person, Sequence[Person], SearchRelation], NewRatio]
"""The exact ratio of a child and its relatives."""


def all_relatives(wanted: Sequence[SearchRelation]) -> set[Kind]:
    """The kinds that a child is compared with for these relations."""
    groups = {group for each in wanted if each in OF_CHILD for group, _ in OF_CHILD[each]}
    found = {kind for group in groups for kind in GROUPS[group]}
    return found | PARENTS if "couple" in wanted else found


def child_leads(
    held: Held,
    kinship: Kinship,
    child: Person,
    wanted: Sequence[SearchRelation],
    terms: Thresholds,
    exact: Exact,
) -> Iterator[Found]:
    """Who may be the child's parents, alone or together, or its further relatives?"""
    for each in wanted:
        for group, relation in OF_CHILD.get(each, ()):
            for lead in leads_in(held.groups[group], kinship, child.query, relation, terms):
                relatives = (held.specimen(lead.row_id),)
                found = found_of(kinship, child, child.id, relatives, each, lead, relation)
                other = person_in(held, kinship, lead.row_id)
                yield from with_linkage(found, child, other, terms, exact)
    if "couple" in wanted:
        yield from _couples(held, kinship, child, terms, exact)


def leads_in(
    index: Index, kinship: Kinship, query: Query, relation: Relation, terms: Thresholds
) -> tuple[Lead, ...]:
    """The leads of one group, by the thresholds; none of an empty one.

    Where linkage matters they may be under `lr_min` by what a linked pair can add: `with_linkage` decides.
    """
    if not index.profiles or not set(query.genotypes) & set(kinship.panel.loci):
        return ()
    least = terms.lr_min if relation.exclusive else terms.lr_min / LINKED_GAIN_MAX
    return relatives_of(index, kinship, query, relation, terms.inconsistent_max, least, terms.leads_max).leads


def found_of(
    kinship: Kinship,
    asked: Person,
    child_id: UUID,
    relatives: tuple[UUID, ...],
    relation: SearchRelation,
    lead: Lead,
    how: Relation,
) -> Found:
    chance = None
    if how.exclusive:
        chance = chance_of(kinship, asked.genotypes, lead.compared, len(lead.inconsistent))
    return Found(child_id, relatives, relation, lead.log10_lr, len(lead.inconsistent), lead.compared, chance)


def with_linkage(
    found: Found, child: Person, relative: Person, terms: Thresholds, exact: Exact
) -> Iterator[Found]:
    """The lead with its linked loci weighed together, as far as it is one then.

    The index takes loci as independent. For a parent they are; siblings, grandparents, uncles and aunts share whole
    pieces of chromosomes, so where both are typed at both loci the exact ratio counts.
    """
    pair = {VWA_D12S391.first, VWA_D12S391.second}
    if found.relation != "parent" and pair <= child.genotypes.keys() & relative.genotypes.keys():
        found = replace(found, log10_lr=exact(child, (relative,), found.relation).log10_lr)
    if found.log10_lr >= np.log10(terms.lr_min):
        yield found


def chance_of(
    kinship: Kinship, genotypes: Mapping[str, tuple[str, ...]], compared: int, inconsistent: int
) -> float:
    """P(a stranger shares an allele at all but `inconsistent` of `compared` loci), Hardy-Weinberg, unlinked loci.

    Which loci a lead was compared at is not kept, so the least excluding ones are taken: rather too many strangers
    than too few. The sum is the Poisson-binomial distribution of the loci's chances.
    """
    excluding = sorted(
        max(0.0, 1.0 - sum(kinship.frequencies[locus].get(allele, 0.0) for allele in set(alleles))) ** 2
        for locus, alleles in genotypes.items()
        if locus in kinship.frequencies
    )[:compared]
    counts = np.zeros(inconsistent + 1)
    counts[0] = 1.0
    for share in excluding:
        counts[1:] = counts[1:] * (1 - share) + counts[:-1] * share
        counts[0] *= 1 - share
    return float(counts.sum())


def _couples(held: Held, kinship: Kinship, child: Person, terms: Thresholds, exact: Exact) -> Iterator[Found]:
    """Declared couples of whom each alone is possible, computed together."""
    alone: dict[int, float] = {}
    for group in ("parents", GUESTS):
        for lead in _possible(held.groups[group], kinship, child.query, PARENT):
            alone[lead.row_id] = lead.log10_lr
    # With few loci many couples are possible: those that are likelier alone are not to be lost to a bound.
    couples = sorted(held.couples_among(list(alone)), key=lambda both: -sum(alone[row] for row in both))
    for couple in couples[: terms.leads_max]:
        parents = [person_in(held, kinship, row) for row in couple]
        yield from joint(child, parents, terms, exact)


def _possible(index: Index, kinship: Kinship, query: Query, relation: Relation) -> tuple[Lead, ...]:
    if not index.profiles or not set(query.genotypes) & set(kinship.panel.loci):
        return ()
    return relatives_of(
        index,
        kinship,
        query,
        relation,
        COUPLE_MISMATCHES,
        COUPLE_LR_MIN,
        COUPLE_LEADS_MAX,
        complete=False,
    ).leads


def joint(child: Person, parents: Sequence[Person], terms: Thresholds, exact: Exact) -> Iterator[Found]:
    new = exact(child, parents, "couple")
    if new.log10_lr >= np.log10(terms.lr_min):
        people = tuple(parent.id for parent in parents)
        yield Found(child.id, people, "couple", new.log10_lr, new.inconsistent, new.loci, None)


def family_leads(
    held: Held,
    kinship: Kinship,
    person: Person,
    mates: Sequence[Person],
    wanted: Sequence[SearchRelation],
    terms: Thresholds,
    exact: Exact,
) -> Iterator[Found]:
    """Which children may be this person's, alone, with a declared spouse, or as a further relative's?"""
    children, how = held.groups["children"], OF_FAMILY[person.kind]
    relation = relation_to_child(person.kind)
    if relation in wanted:
        for lead in leads_in(children, kinship, person.query, how, terms):
            child = person_in(held, kinship, lead.row_id)
            found = found_of(kinship, person, child.id, (person.id,), relation, lead, how)
            yield from with_linkage(found, child, person, terms, exact)
    for mate in mates if "couple" in wanted else ():
        if may_be_a_couple(person.kind, mate.kind):
            yield from _children_of_couple(held, kinship, person, mate, terms)


def _children_of_couple(
    held: Held, kinship: Kinship, one: Person, other: Person, terms: Thresholds
) -> Iterator[Found]:
    """Every child here is weighed exactly against the two together."""
    children = held.groups["children"]
    typed = [set(each.genotypes) & set(kinship.panel.loci) for each in (one, other)]
    if not children.profiles or not all(typed):
        return
    parents = sorted((one, other), key=lambda each: order_in_couple(each.kind, each.id))
    found = children_of_couple(
        children,
        kinship,
        parents[0].query,
        parents[1].query,
        lr_min=terms.lr_min,
        leads_max=terms.leads_max,
    )
    for lead in found.leads:
        people = tuple(parent.id for parent in parents)
        child = held.specimen(lead.row_id)
        yield Found(child, people, "couple", lead.log10_lr, len(lead.inconsistent), lead.compared, None)


def person_in(held: Held, kinship: Kinship, row: int) -> Person:
    """Somebody of the index in the clear, from the codes. Raises: LookupError, if the row is not in it."""
    for index in held.groups.values():
        for view in index.snapshot().views:
            place = _place_of(view, row)
            if place is not None:
                typed = decoded(kinship, view.segment.codes[place], view.segment.rare.get(place, ()))
                sex = SEXES[int(view.segment.sexes[place])]
                return Person(held.specimen(row), held.kind(row), sex, typed)
    raise LookupError(f"Row {row} is not in the index.")


def _place_of(view: View, row: int) -> int | None:
    """Where somebody alive has this row.

    Rows are in order but for those that were overwritten by 0 on removal: these may mislead the look-up, then it is
    a scan, and they are nobody's, not even row 0's.
    """
    rows, alive = view.segment.row_ids[: view.count], view.segment.alive

    def lives(place: int) -> bool:
        return bool(int(alive[place // 64]) >> place % 64 & 1)

    place = int(np.searchsorted(rows, row))
    if place < len(rows) and rows[place] == row and lives(place):
        return place
    return next((each for each in np.flatnonzero(rows == row).tolist() if lives(each)), None)


def decoded(kinship: Kinship, codes: NDArray[np.uint8], rare: Iterable[Any]) -> dict[str, tuple[str, ...]]:
    """The genotypes behind a row of codes."""
    raw = {each.locus: each.alleles for each in rare}
    panel = kinship.panel
    typed: dict[str, tuple[str, ...]] = {}
    for locus, code in enumerate(codes.tolist()):
        if locus in raw:
            typed[panel.loci[locus]] = raw[locus]
        elif code < 254:
            typed[panel.loci[locus]] = panel.alleles_of(locus, code)
    return typed


def hypotheses(child: Person, relatives: Sequence[Person], relation: SearchRelation) -> relations.Pair:
    """The two hypotheses of a candidate, as the exact library takes them."""
    ids = [str(one.id) for one in relatives]
    first = relatives[0]
    sex: relations.ParentSex = "female" if first.sex == "female" else "male"
    maternal = first.kind in (Kind.maternal_grandfather, Kind.maternal_grandmother)
    match relation:
        case "couple":
            return relations.couple(str(child.id), *ids)
        case "full_sibling":
            return relations.full_siblings(str(child.id), ids[0])
        case "grandparent":
            return relations.grandparent(str(child.id), ids[0], sex, "female" if maternal else "male")
        case "uncle_aunt":
            return relations.uncle_or_aunt(str(child.id), ids[0])
        case _:
            return relations.duo(str(child.id), ids[0], sex)
