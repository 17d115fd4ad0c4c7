"""A family that nobody is: genotypes drawn from published frequencies, as a kit can name them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from dna_intake.domain.kits import str_loci
from dna_intake.domain.profiles import AMELOGENIN
from dna_intake.intake.kits import kit
from dna_intake.kinship import Model, Mutation, Pedigree, Person, load_table
from dna_intake.kinship.simulate import draw

TABLE = "norstr_east_asia"
TRIO = Pedigree(
    "trio",
    [Person("father", "male"), Person("mother", "female"), Person("child", "unknown", "father", "mother")],
)
DRAWS_MAX = 1000
Loci = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class FamilyDrawn:
    """Father, mother and child, with every allele on the ladder of their kit."""

    people: Mapping[str, Loci]
    child_sex: str

    def of(self, person: str) -> dict[str, tuple[str, ...]]:
        """A person's profile, the sex marker included."""
        male = person == "father" or (person == "child" and self.child_sex == "male")
        return {**self.people[person], AMELOGENIN: ("X", "Y") if male else ("X",)}


def family_drawn(kit_name: str, rng: np.random.Generator) -> FamilyDrawn:
    """Draw locus by locus, and again where an allele has no rung on the kit's ladder."""
    ladder, table = kit(kit_name), load_table(TABLE)
    unmutated = Model(theta=0.0, mutation=Mutation("none", 0.0, 0.0))
    people: dict[str, dict[str, tuple[str, ...]]] = {person.id: {} for person in TRIO.people}
    for locus in (each for each in str_loci(ladder) if each in table.loci):
        for _ in range(DRAWS_MAX):
            drawn = draw(TRIO, table, unmutated, rng, [locus])
            if all(ladder.on_ladder(locus, allele) for one in drawn.values() for allele in one[locus]):
                break
        else:
            raise AssertionError(f"No family of {TABLE} fits the ladder of {kit_name} at {locus}.")
        for person, loci in drawn.items():
            people[person][locus] = loci[locus]
    return FamilyDrawn(people, str(rng.choice(["male", "female"])))
