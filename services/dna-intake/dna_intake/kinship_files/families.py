"""The two pedigrees of a case, from its own words; who is typed must be in both."""

from __future__ import annotations

from collections.abc import Collection

from dna_intake.kinship import KinshipRefused, Pedigree, Person
from dna_intake.kinship_files.case import Hypothesis, LrCase
from dna_intake.kinship_files.fields import Sex
from dna_intake.kinship_files.refused import CaseRefused, Trouble, refused
from dna_intake.kinship_files.standard import of_relation


def hypotheses(case: LrCase, typed: Collection[str]) -> tuple[Pedigree, Pedigree]:
    """Both pedigrees. Raises: CaseRefused, if one is contradictory, or somebody typed is in one only."""
    sexes: dict[str, Sex] = {person.id: person.sex for person in case.people}
    try:
        if case.relation is not None:
            pair = of_relation(case.relation, sexes)
        else:
            assert case.h1 is not None, "A case without a relation has both pedigrees."
            assert case.h2 is not None, "A case without a relation has both pedigrees."
            pair = (_pedigree(case.h1, "H1", sexes), _pedigree(case.h2, "H2", sexes))
    except KinshipRefused as error:
        raise pedigree_refused(error) from error
    _check_everybody_in_both(pair, typed)
    return pair


def pedigree_refused(error: KinshipRefused) -> CaseRefused:
    """The library's refusal of a family; it names people, never alleles."""
    return refused(
        f"The pedigree is contradictory: {error.says}",
        "谱系自相矛盾,请核对该人的父母与性别。",
        "",
        person=error.person or "",
    )


def _pedigree(hypothesis: Hypothesis, called: str, sexes: dict[str, Sex]) -> Pedigree:
    people = []
    for one in hypothesis.people:
        known = sexes.get(one.id, "unknown")
        if one.sex not in (None, "unknown", known) and known != "unknown":
            raise refused(
                f"Of sex {known} in people, of sex {one.sex} in {called}.",
                "性别前后不一致。",
                "Mend one of them, or leave it out of the hypothesis.",
                person=one.id,
            )
        sex = known if one.sex in (None, "unknown") else one.sex
        people.append(Person(one.id, sex or "unknown", one.father, one.mother))
    return Pedigree(hypothesis.name or called, tuple(people))


def _check_everybody_in_both(pair: tuple[Pedigree, Pedigree], typed: Collection[str]) -> None:
    troubles = []
    for person in typed:
        missing = [family.name for family in pair if person not in {one.id for one in family.people}]
        if missing:
            where = (
                "neither hypothesis" if len(missing) == 2 else f"one hypothesis only, not in {missing[0]!r}"
            )
            troubles.append(
                Trouble(
                    f"Typed, and in {where}.",
                    "已分型,但未同时出现在两个假设中。",
                    "Add the person to both, as a founder where not related; or take the genotypes out.",
                    person=person,
                )
            )
    if troubles:
        raise CaseRefused(troubles)
