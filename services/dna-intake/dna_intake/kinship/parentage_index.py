"""Report mode `gbt37223`: parentage indices as Chinese laboratories report them, with their step formula.

It stands beside the full likelihood and never inside it: a locus that follows Mendel counts without mutation, one
that does not counts by the step formula, and this hard switch makes the index jump where the likelihood does not.

Source: **the text of GB/T 37223-2018 was not read.** Formula, rates and the choice of steps follow a public tool
that says "according to GB/T 37223-2018" (lxting12345/ForensicGeneticsTools); thresholds follow web pages that cite
GB/T 37223-2018, SF/Z JD0105001 and GA/T 965, none of them read. So these points are uncertain:
- the mutation rates, and that a lone mother takes 0.002 like a lone father (the tool does so);
- steps between alleles that do not differ by whole repeats: here they are counted in bases and rounded up to whole
  repeats, so that 9.3 to 10 is one step (ours: the tool takes 0.7 steps, which makes a mutation likelier);
- where several mutations would explain a locus, the fewest mutations and then the fewest steps count (ours: the
  tool takes one smallest step for both parents, which can leave nothing and give an index of zero);
- with an index of support and three inconsistent loci at once we say that nothing is decided (ours).
A laboratory that reports by the standard has to check them against its text.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from dna_intake.domain.profiles import LOCI
from dna_intake.kinship.refusals import TableRefused, TypingRefused

RATE_FATHER = 0.002
"""Mutations a transmission: of a father, and of either parent who is compared alone."""
RATE_MOTHER = 0.0005
"""Mutations a transmission: of a mother in a trio."""
LOG10_SUPPORT = 4.0
"""Support from a cumulative index of 10,000 on."""
LOG10_EXCLUSION = -4.0
"""Exclusion from a cumulative index of 0.0001 downwards."""
INCONSISTENT_EXCLUDE = 3
"""Exclusion from so many inconsistent loci on."""
LOG10_FURTHER_STEP = -1.0
"""Each step beyond the first is ten times rarer."""
_BASES = 4
"""Length of the repeat of most loci; `domain.profiles` knows the others."""

Opinion = Literal["support", "exclusion", "undecided"]
Sex = Literal["male", "female"]
Genotype = Sequence[str]
Frequencies = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Parent:
    """A parent with the genotype of one locus; `rate` is that of a mutation a transmission."""

    alleles: tuple[str, str]
    rate: float


@dataclass(frozen=True)
class LocusIndex:
    """The index of one locus; `inconsistent` is about the questioned parent, `other_inconsistent` about the known."""

    locus: str
    log10_pi: float
    inconsistent: bool
    other_inconsistent: bool
    formula: Literal["plain", "step"]


@dataclass(frozen=True)
class ParentageIndex:
    """All loci with their product as log10; `opinion` is the scale of this mode and of no other."""

    log10_cpi: float
    loci: tuple[LocusIndex, ...]
    opinion: Opinion
    inconsistent: tuple[str, ...]
    other_inconsistent: tuple[str, ...]


def duo(
    child: Mapping[str, Genotype],
    parent: Mapping[str, Genotype],
    frequencies: Frequencies,
    minimum_frequency: float,
) -> ParentageIndex:
    """Is this the child's parent, or is a stranger? Over the loci that both have typed and the table knows.

    A frequency below `minimum_frequency`, or of an unseen allele, counts as that. Raises: TypingRefused, if no
    locus is left; TableRefused naming the locus, if an allele was never seen and the minimum is 0.
    """
    loci = [locus for locus in child if locus in parent and locus in frequencies]
    indices = []
    for locus in loci:
        alleged = Parent(_both(parent[locus]), RATE_FATHER)
        share = _Shares(locus, frequencies[locus], minimum_frequency)
        indices.append(_duo_locus(locus, _both(child[locus]), alleged, share))
    return _cumulated(indices)


def trio(
    child: Mapping[str, Genotype],
    questioned: Mapping[str, Genotype],
    known: Mapping[str, Genotype],
    frequencies: Frequencies,
    minimum_frequency: float,
    *,
    questioned_sex: Sex = "male",
) -> ParentageIndex:
    """Is this the child's other parent, beside the known one? Over the loci that all three have typed.

    The known parent is taken for true on both sides of the index. Raises: as for a duo.
    """
    rates = {"male": (RATE_FATHER, RATE_MOTHER), "female": (RATE_MOTHER, RATE_FATHER)}[questioned_sex]
    loci = [locus for locus in child if locus in questioned and locus in known and locus in frequencies]
    indices = []
    for locus in loci:
        alleged = Parent(_both(questioned[locus]), rates[0])
        other = Parent(_both(known[locus]), rates[1])
        share = _Shares(locus, frequencies[locus], minimum_frequency)
        indices.append(_trio_locus(locus, _both(child[locus]), alleged, other, share))
    return _cumulated(indices)


def opinion_of(log10_cpi: float, inconsistent: int) -> Opinion:
    """What this mode says of a cumulative index and so many inconsistent loci; undecided asks for more loci."""
    supports, excludes = log10_cpi >= LOG10_SUPPORT, log10_cpi <= LOG10_EXCLUSION
    many = inconsistent >= INCONSISTENT_EXCLUDE
    if supports:
        return "undecided" if many else "support"
    return "exclusion" if excludes or many else "undecided"


def steps_between(locus: str, one: str, other: str) -> int:
    """How many repeats lie between two alleles, counted in bases and rounded up; 0 for the same allele."""
    bases = LOCI[locus].repeat_bases if locus in LOCI else _BASES
    return math.ceil(abs(_bases_of(one, bases) - _bases_of(other, bases)) / bases)


@dataclass(frozen=True, order=True)
class _Cost:
    """What an explanation takes: fewer mutations first, then fewer steps."""

    mutations: int
    steps: int


@dataclass(frozen=True)
class _Way:
    """One way to explain the child: what it takes, and how likely it is without the steps' own factor."""

    cost: _Cost
    probability: float


def _duo_locus(locus: str, child: tuple[str, str], parent: Parent, share: Mapping[str, float]) -> LocusIndex:
    ways = [
        _Way(cost, probability * share[rest])
        for passed, rest in _orders(child)
        for cost, probability in _transmissions(locus, parent, passed)
    ]
    least, log10_likelihood = _least(ways)
    log10_pi = log10_likelihood - math.log10(_stranger(child, share))
    mutated = least.mutations > 0
    return LocusIndex(locus, log10_pi, mutated, False, "step" if mutated else "plain")


def _trio_locus(
    locus: str, child: tuple[str, str], questioned: Parent, known: Parent, share: Mapping[str, float]
) -> LocusIndex:
    together: list[_Way] = []
    alone: list[_Way] = []
    for mine, theirs in _orders(child):
        for cost, probability in _transmissions(locus, known, theirs):
            alone.append(_Way(cost, probability * share[mine]))
            together += [
                _Way(_Cost(cost.mutations + more.mutations, cost.steps + more.steps), probability * passed)
                for more, passed in _transmissions(locus, questioned, mine)
            ]
    fewest, log10_likelihood = _least(together)
    fewest_alone, log10_stranger = _least(alone)
    # What the known parent can't explain alone is not held against the questioned one.
    inconsistent = fewest.mutations > fewest_alone.mutations
    formula: Literal["plain", "step"] = "step" if fewest.mutations else "plain"
    log10_pi = log10_likelihood - log10_stranger
    return LocusIndex(locus, log10_pi, inconsistent, fewest_alone.mutations > 0, formula)


def _transmissions(locus: str, parent: Parent, passed: str) -> list[tuple[_Cost, float]]:
    """How each of the parent's alleles becomes the one that was passed: as it is, or by so many steps."""
    found = []
    for allele in parent.alleles:
        steps = steps_between(locus, allele, passed)
        # Half of the mutations lead upwards, half downwards.
        found.append((_Cost(min(steps, 1), steps), 0.5 * parent.rate * 0.5 if steps else 0.5))
    return found


def _least(ways: Sequence[_Way]) -> tuple[_Cost, float]:
    """The cheapest explanation's cost, and log10 of the sum of all that cost as little."""
    least = min(way.cost for way in ways)
    probability = sum(way.probability for way in ways if way.cost == least)
    # Each step beyond the first of a mutation; apart, so that a hundred steps do not underflow.
    further = least.steps - least.mutations
    return least, math.log10(probability) + further * LOG10_FURTHER_STEP


def _orders(child: tuple[str, str]) -> list[tuple[str, str]]:
    """Which allele came from the questioned parent, and which from the other one; a homozygote has one order."""
    first, second = child
    return [(first, second)] if first == second else [(first, second), (second, first)]


def _stranger(child: tuple[str, str], share: Mapping[str, float]) -> float:
    first, second = child
    return share[first] * share[second] * (1 if first == second else 2)


class _Shares(dict[str, float]):
    """Frequencies of a locus, with the minimum for what is rarer or was never seen."""

    def __init__(self, locus: str, known: Mapping[str, float], minimum: float) -> None:
        super().__init__({allele: max(share, minimum) for allele, share in known.items()})
        self._locus = locus
        self._minimum = minimum

    def __missing__(self, allele: str) -> float:
        if self._minimum <= 0:
            raise TableRefused("An allele is not in the table; set a minimum frequency.", locus=self._locus)
        return self._minimum


def _cumulated(indices: Iterable[LocusIndex]) -> ParentageIndex:
    loci = tuple(indices)
    if not loci:
        raise TypingRefused(
            "No locus is typed in everybody and known to the table; type the same kit, or give another table."
        )
    log10_cpi = math.fsum(one.log10_pi for one in loci)
    inconsistent = tuple(one.locus for one in loci if one.inconsistent)
    other = tuple(one.locus for one in loci if one.other_inconsistent)
    return ParentageIndex(log10_cpi, loci, opinion_of(log10_cpi, len(inconsistent)), inconsistent, other)


def _both(genotype: Genotype) -> tuple[str, str]:
    return genotype[0], genotype[-1]


def _bases_of(allele: str, bases: int) -> int:
    whole, _, part = allele.partition(".")
    return int(whole) * bases + int(part or 0)
