"""Cases on which the kinship engine is held against the reference by hand: every family under every model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import log10
from random import Random

from dna_intake.kinship import FrequencyTable, LinkedPair, Model, Mutation, Pedigree, Person, Typing, compare
from harness.kinship_by_hand import FAMILIES, Locus, family, one_locus, two_loci

FREQUENCIES = {"9": 0.25, "9.3": 0.35, "10": 0.4}
FEWER = {"9": 0.4, "10": 0.6}
"""For families with so many untyped people that the sum by hand would take minutes."""
OTHER = {"12": 0.3, "13": 0.7}
NONE = Mutation()
MUTATIONS = {
    "none": NONE,
    "equal": Mutation("equal", 0.02, 0.005),
    "proportional": Mutation("proportional", 0.02, 0.005),
    "stepwise": Mutation("stepwise", 0.02, 0.005, 0.001, 0.1),
    "stabilised": Mutation("stepwise", 0.02, 0.005, 0.001, 0.1, True),
}
THETAS = (0.0, 0.01, 0.03)
SILENTS = (0.0, 0.02)
DROPOUTS = (0.0, 0.2)


@dataclass(frozen=True)
class Case:
    """A family, a model, and who is not typed though somebody usually is."""

    family: str
    mutation: str
    theta: float
    silent: float
    dropout: float
    partial: bool = False


def every_case(families: tuple[str, ...] = tuple(FAMILIES)) -> Iterator[Case]:
    """All families under all models; partial where at least three are typed."""
    for name in families:
        typed = FAMILIES[name][2].split()
        for mutation, theta, silent, dropout in product(MUTATIONS, THETAS, SILENTS, DROPOUTS):
            yield Case(name, mutation, theta, silent, dropout)
            if len(typed) > 2:
                yield Case(name, mutation, theta, silent, dropout, True)


def differences(case: Case, seed: int) -> tuple[float, float] | None:
    """Worst relative difference of either likelihood, and of the ratio; None where H2 is impossible by hand too."""
    random = Random(f"{case} {seed}")
    p = FREQUENCIES if _untyped(case) <= 4 else FEWER
    seen = _seen(case, random, tuple(p))
    model = Model(case.theta, MUTATIONS[case.mutation], case.silent, 0.0)
    dropout = {person: case.dropout for person in seen if person == "a"}
    hand = [one_locus(family(h), _locus(p, seen, case, dropout)) for h in FAMILIES[case.family][:2]]
    if hand[1] == 0:
        return None
    typed = {p: Typing({"L": alleles} if alleles else {}, dropout.get(p, 0.0)) for p, alleles in seen.items()}
    table = FrequencyTable("by hand", "none", {"L": p})
    h1, h2 = (pedigree(case.family, at) for at in (0, 1))
    found = compare(h1, h2, typed, table, model).loci[0]
    return _worst(hand, (found.log10_h1, found.log10_h2, found.log10_lr))


def linked_differences(case: Case, recombination: float, seed: int) -> tuple[float, float] | None:
    """The same for two linked loci of two alleles each."""
    random = Random(f"{case} {recombination} {seed}")
    loci = {"L": FEWER, "K": OTHER}
    seen = {locus: _seen(case, random, tuple(p)) for locus, p in loci.items()}
    dropout = {"a": case.dropout}
    places = [_locus(loci[locus], seen[locus], case, dropout) for locus in loci]
    hand = [two_loci(family(h), places[0], places[1], recombination) for h in FAMILIES[case.family][:2]]
    if hand[1] == 0:
        return None
    people = FAMILIES[case.family][2].split()
    typed = {p: Typing({locus: seen[locus][p] or () for locus in loci}, dropout.get(p, 0.0)) for p in people}
    pair = LinkedPair("L", "K", recombination)
    model = Model(case.theta, MUTATIONS[case.mutation], case.silent, 0.0, (pair,))
    h1, h2 = (pedigree(case.family, at) for at in (0, 1))
    found = compare(h1, h2, typed, FrequencyTable("by hand", "none", loci), model).loci
    sums = tuple(sum(getattr(x, name) for x in found) for name in ("log10_h1", "log10_h2", "log10_lr"))
    return _worst(hand, sums)


def pedigree(name: str, at: int) -> Pedigree:
    """Hypothesis 1 (0) or 2 (1) of a family for the engine; mothers are female, others male or unknown."""
    people = family(FAMILIES[name][at])
    mothers, fathers = {p[2] for p in people}, {p[1] for p in people}
    sexes = {p[0]: "female" if p[0] in mothers else "male" if p[0] in fathers else "unknown" for p in people}
    return Pedigree(f"{name} {at + 1}", [Person(i, sexes[i], f, m) for i, f, m in people])


def _untyped(case: Case) -> int:
    """People without a genotype, in the larger family."""
    h1, h2, typed = FAMILIES[case.family]
    return max(len(h1.split()), len(h2.split())) - len(typed.split()) + case.partial


def _seen(case: Case, random: Random, alleles: tuple[str, ...]) -> dict[str, tuple[str, ...] | None]:
    people = FAMILIES[case.family][2].split()
    seen: dict[str, tuple[str, ...] | None] = {
        person: tuple(sorted({random.choice(alleles), random.choice(alleles)})) for person in people
    }
    if case.partial:
        seen[people[0]] = None
    return seen


def _locus(
    p: dict[str, float], seen: dict[str, tuple[str, ...] | None], case: Case, dropout: dict[str, float]
) -> Locus:
    mutation = MUTATIONS[case.mutation]
    return Locus(
        p,
        seen,
        case.silent,
        case.theta,
        dropout,
        mutation.model,
        mutation.rate_male,
        mutation.rate_female,
        mutation.rate_microvariant,
        mutation.range,
        mutation.stabilised,
    )


def _worst(hand: list[float], found: tuple[float, ...]) -> tuple[float, float]:
    if hand[0] == 0:
        assert found[0] == found[2] == float("-inf"), found
        return abs(10 ** (found[1] - log10(hand[1])) - 1), 0.0
    apart = [abs(10 ** (value - log10(truth)) - 1) for value, truth in zip(found, hand, strict=False)]
    return max(apart), abs(10 ** (found[2] - log10(hand[0] / hand[1])) - 1)
