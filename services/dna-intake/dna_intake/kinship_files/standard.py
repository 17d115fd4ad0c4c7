"""The pedigrees of a standard question, from `kinship.relations`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, assert_never

from dna_intake.kinship import Pedigree, relations
from dna_intake.kinship_files.fields import Sex
from dna_intake.kinship_files.refused import refused
from dna_intake.kinship_files.relations import (
    Couple,
    Duo,
    FullSiblings,
    Grandparent,
    Grandparents,
    HalfSiblings,
    Relation,
    Side,
    Trio,
    UncleAunt,
)

_SEX: Mapping[Side, Literal["male", "female"]] = {"father": "male", "mother": "female"}


def of_relation(relation: Relation, sexes: Mapping[str, Sex]) -> tuple[Pedigree, Pedigree]:
    """Both pedigrees; a parent and a grandparent need a sex, since men and women mutate differently.

    Raises: CaseRefused; PedigreeRefused, if one person has two roles.
    """
    _check_sexes(relation, sexes)
    match relation:
        case Duo():
            pair = relations.duo(relation.child, relation.parent, _known_sex(relation.parent, sexes))
        case Trio():
            sought = _SEX[relation.questioned]
            pair = relations.trio(relation.child, relation.father, relation.mother, sought)
        case Couple():
            pair = relations.couple(relation.child, relation.father, relation.mother)
        case FullSiblings():
            pair = relations.full_siblings(relation.first, relation.second)
        case HalfSiblings():
            pair = relations.half_siblings(relation.first, relation.second, _SEX[relation.shared])
        case Grandparent():
            sex, through = _known_sex(relation.grandparent, sexes), _SEX[relation.through]
            pair = relations.grandparent(relation.child, relation.grandparent, sex, through)
        case Grandparents():
            couple = (relation.grandfather, relation.grandmother)
            pair = relations.grandparents(relation.child, *couple, _SEX[relation.through])
        case UncleAunt():
            pair = relations.uncle_or_aunt(relation.child, relation.relative, _SEX[relation.through])
        case _:
            assert_never(relation)
    return pair


def _known_sex(person: str, sexes: Mapping[str, Sex]) -> Literal["male", "female"]:
    sex = sexes.get(person, "unknown")
    if sex == "unknown":
        raise refused(
            "The sex is not known, and fathers and mothers mutate differently.",
            "性别未知;父母的突变率不同。",
            'Give "sex" in people.',
            person=person,
        )
    return sex


def _check_sexes(relation: Relation, sexes: Mapping[str, Sex]) -> None:
    """A father in the relation who is a woman in people, or the other way round."""
    roles: tuple[tuple[str, Sex], ...] = (
        ("father", "male"),
        ("mother", "female"),
        ("grandfather", "male"),
        ("grandmother", "female"),
    )
    for role, sex in roles:
        person = getattr(relation, role, None)
        if person is not None and sexes.get(person, "unknown") not in ("unknown", sex):
            raise refused(
                f"The {role} is {sexes[person]} in people.",
                "角色与性别不一致。",
                "Mend the sex, or swap the roles.",
                person=person,
            )
