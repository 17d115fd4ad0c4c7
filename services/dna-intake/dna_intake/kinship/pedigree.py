"""Who is whose child: a family as one hypothesis has it, checked before anything is computed.

Everybody has both parents in the family or none; a parent of whom nothing is known is there too, untyped. That keeps
the convention plain: an untyped person stays in the likelihood.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from typing import Literal

from dna_intake.kinship.refusals import PedigreeRefused

PEOPLE_MAX = 200


@dataclass(frozen=True)
class Person:
    """A person of a family; both parents by id, or neither."""

    id: str
    sex: Literal["male", "female", "unknown"] = "unknown"
    father: str | None = None
    mother: str | None = None

    @property
    def founder(self) -> bool:
        """True if the parents are not in the family."""
        return self.father is None and self.mother is None


@dataclass(frozen=True)
class Pedigree:
    """A family, or several that are not related.

    Raises: PedigreeRefused naming the person, if somebody is there twice, is an own ancestor, has one parent or an
    unknown one, or if a father is female, a mother male.
    """

    name: str
    people: Sequence[Person]

    def __post_init__(self) -> None:
        """Check everything at once."""
        object.__setattr__(self, "people", tuple(self.people))
        if not self.people:
            raise self._refused("It has nobody; give the people whose genotypes are compared.")
        if len(self.people) > PEOPLE_MAX:
            raise self._refused(f"It has {len(self.people)} people, {PEOPLE_MAX} are the most; split it.")
        known: dict[str, Person] = {}
        for person in self.people:
            if person.id in known:
                raise self._refused("The id is there twice; give each person an own one.", person.id)
            known[person.id] = person
        for person in self.people:
            self._check_parents(person, known)
        self._check_order()

    @cached_property
    def by_id(self) -> dict[str, Person]:
        """Everybody by id."""
        return {person.id: person for person in self.people}

    @cached_property
    def order(self) -> tuple[str, ...]:
        """Ids, parents before children."""
        graph = {p.id: [parent for parent in (p.father, p.mother) if parent] for p in self.people}
        return tuple(TopologicalSorter(graph).static_order())

    def _check_parents(self, person: Person, known: dict[str, Person]) -> None:
        if (person.father is None) != (person.mother is None):
            raise self._refused(
                "Only one parent is named; add the other as an untyped person, or leave out both.", person.id
            )
        if person.father is None or person.mother is None:
            return
        for role, parent in (("father", person.father), ("mother", person.mother)):
            if parent not in known:
                raise self._refused(
                    f"The {role} {parent!r} is not in the family; add that person.", person.id
                )
        if person.father == person.mother:
            raise self._refused("Father and mother are the same person; mend one.", person.id)
        if known[person.father].sex == "female":
            raise self._refused(
                f"The father {person.father!r} is female; mend the sex, or swap parents.", person.id
            )
        if known[person.mother].sex == "male":
            raise self._refused(
                f"The mother {person.mother!r} is male; mend the sex, or swap parents.", person.id
            )
        if person.father in {other.mother for other in self.people}:
            raise self._refused(
                f"{person.father!r} is a father here and a mother elsewhere; mend one.", person.id
            )

    def _check_order(self) -> None:
        try:
            _ = self.order
        except CycleError as error:
            cycle = [str(each) for each in error.args[1]]
            raise self._refused(
                f"The person is an own ancestor ({' - '.join(cycle)}); mend the parents.", cycle[0]
            ) from error

    def _refused(self, says: str, person: str | None = None) -> PedigreeRefused:
        return PedigreeRefused(f"Hypothesis {self.name!r}: {says}", person=person)
