"""Ready pairs of hypotheses: a relation against no relation, with the untyped people that belong to it.

Ids of untyped people begin with "untyped:". Under H2 everybody is a stranger to everybody, except that a couple's or a
mother's place in H2 is stated with each function.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from dna_intake.kinship.pedigree import Pedigree, Person

Pair = tuple[Pedigree, Pedigree]
Sex = Literal["male", "female", "unknown"]
ParentSex = Literal["male", "female"]


def duo(child: str = "child", parent: str = "parent", parent_sex: ParentSex = "male") -> Pair:
    """Parent and child; the other parent is untyped."""
    father, mother = (parent, _un("mother")) if parent_sex == "male" else (_un("father"), parent)
    people = [Person(father, "male"), Person(mother, "female"), Person(child, "unknown", father, mother)]
    return _against_strangers("duo", people, {child: "unknown", parent: parent_sex})


def trio(
    child: str = "child", father: str = "father", mother: str = "mother", sought: ParentSex = "male"
) -> Pair:
    """One parent is certain under both hypotheses; is the other one (`sought`) the child's?"""
    certain, asked = (mother, father) if sought == "male" else (father, mother)
    asked_sex: ParentSex = sought
    certain_sex: ParentSex = "female" if sought == "male" else "male"
    other = Person(_un("father" if sought == "male" else "mother"), asked_sex)
    known, stranger = Person(certain, certain_sex), Person(asked, asked_sex)
    h1 = [known, stranger, Person(child, "unknown", father, mother)]
    parents = (other.id, mother) if sought == "male" else (father, other.id)
    h2 = [known, stranger, other, Person(child, "unknown", *parents)]
    return Pedigree("trio", h1), Pedigree("trio: other parent", h2)


def couple(child: str = "child", father: str = "father", mother: str = "mother") -> Pair:
    """Both are the child's parents, or neither is: for couples that miss a child."""
    people = [Person(father, "male"), Person(mother, "female"), Person(child, "unknown", father, mother)]
    return _against_strangers("couple", people, {father: "male", mother: "female", child: "unknown"})


def full_siblings(one: str = "one", other: str = "other") -> Pair:
    """Both parents in common, untyped."""
    people = [
        *_couple("father", "mother"),
        _child(one, "father", "mother"),
        _child(other, "father", "mother"),
    ]
    return _against_strangers("full siblings", people, {one: "unknown", other: "unknown"})


def half_siblings(one: str = "one", other: str = "other", common: ParentSex = "male") -> Pair:
    """One parent in common; all three parents are untyped."""
    if common == "male":
        people = [
            Person(_un("father"), "male"),
            Person(_un("mother"), "female"),
            Person(_un("mother 2"), "female"),
        ]
        children = [_child(one, "father", "mother"), _child(other, "father", "mother 2")]
    else:
        people = [
            Person(_un("mother"), "female"),
            Person(_un("father"), "male"),
            Person(_un("father 2"), "male"),
        ]
        children = [_child(one, "father", "mother"), _child(other, "father 2", "mother")]
    return _against_strangers("half siblings", [*people, *children], {one: "unknown", other: "unknown"})


def grandparent(
    child: str = "child",
    grandparent: str = "grandparent",
    sex: ParentSex = "male",
    through: ParentSex = "male",
) -> Pair:
    """One grandparent, through the child's untyped father ("male") or mother."""
    pair = (grandparent, _un("grandmother")) if sex == "male" else (_un("grandfather"), grandparent)
    people = [*_grandparents(*pair), *_next_generation(child, *pair, through)]
    return _against_strangers("grandparent", people, {child: "unknown", grandparent: sex})


def grandparents(
    child: str = "child",
    grandfather: str = "grandfather",
    grandmother: str = "grandmother",
    through: ParentSex = "male",
) -> Pair:
    """Both parents of the child's untyped father ("male") or mother."""
    people = [
        *_grandparents(grandfather, grandmother),
        *_next_generation(child, grandfather, grandmother, through),
    ]
    strangers: dict[str, Sex] = {child: "unknown", grandfather: "male", grandmother: "female"}
    return _against_strangers("grandparents", people, strangers)


def uncle_or_aunt(child: str = "child", uncle: str = "uncle", through: ParentSex = "male") -> Pair:
    """A full sibling of the child's untyped father ("male") or mother."""
    pair = (_un("grandfather"), _un("grandmother"))
    people = [
        *_grandparents(*pair),
        Person(uncle, "unknown", *pair),
        *_next_generation(child, *pair, through),
    ]
    return _against_strangers("uncle or aunt", people, {child: "unknown", uncle: "unknown"})


def cousins(one: str = "one", other: str = "other") -> Pair:
    """Children of two full brothers; everybody else is untyped."""
    pair = (_un("grandfather"), _un("grandmother"))
    people = [*_grandparents(*pair)]
    for number, child in ((1, one), (2, other)):
        father, mother = _un(f"father {number}"), _un(f"mother {number}")
        people += [
            Person(father, "male", *pair),
            Person(mother, "female"),
            Person(child, "unknown", father, mother),
        ]
    return _against_strangers("cousins", people, {one: "unknown", other: "unknown"})


RELATIONS: Mapping[str, Callable[..., Pair]] = {
    "duo": duo,
    "trio": trio,
    "couple": couple,
    "full_siblings": full_siblings,
    "half_siblings": half_siblings,
    "grandparent": grandparent,
    "grandparents": grandparents,
    "uncle_or_aunt": uncle_or_aunt,
    "cousins": cousins,
}
"""All of them by name, with the ids of the typed people as arguments."""


def strangers(sexes: Mapping[str, Sex], name: str = "strangers") -> Pedigree:
    """A hypothesis in which nobody is related."""
    return Pedigree(name, [Person(person, sex) for person, sex in sexes.items()])


def _against_strangers(name: str, people: list[Person], typed: Mapping[str, Sex]) -> Pair:
    return Pedigree(name, people), strangers(typed, f"{name}: strangers")


def _un(role: str) -> str:
    return f"untyped:{role}"


def _couple(father: str, mother: str) -> list[Person]:
    return _grandparents(_un(father), _un(mother))


def _grandparents(grandfather: str, grandmother: str) -> list[Person]:
    return [Person(grandfather, "male"), Person(grandmother, "female")]


def _child(child: str, father: str, mother: str) -> Person:
    return Person(child, "unknown", _un(father), _un(mother))


def _next_generation(child: str, grandfather: str, grandmother: str, through: ParentSex) -> list[Person]:
    """The grandparents' untyped child, the partner, and their child."""
    father, mother = _un("father"), _un("mother")
    if through == "male":
        parents = [Person(father, "male", grandfather, grandmother), Person(mother, "female")]
    else:
        parents = [Person(father, "male"), Person(mother, "female", grandfather, grandmother)]
    return [*parents, Person(child, "unknown", father, mother)]
