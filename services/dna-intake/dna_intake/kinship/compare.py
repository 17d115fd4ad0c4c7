"""The question itself: how much more likely are these genotypes under one family than under another?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import fsum, inf

from dna_intake.kinship.frequencies import FrequencyTable
from dna_intake.kinship.likelihood import log10_likelihood
from dna_intake.kinship.model import LinkedPair, Model
from dna_intake.kinship.network import linkage_matters
from dna_intake.kinship.observation import Typing, checked
from dna_intake.kinship.pedigree import Pedigree
from dna_intake.kinship.refusals import Impossible, PedigreeRefused, TypingRefused
from dna_intake.kinship.results import LikelihoodRatio, LocusRatio
from dna_intake.kinship.sites import Site, site_of

Genotypes = dict[str, dict[str, tuple[str, ...]]]
_USUAL = Model()


def compare(
    h1: Pedigree,
    h2: Pedigree,
    typed: Mapping[str, Typing],
    table: FrequencyTable,
    model: Model = _USUAL,
) -> LikelihoodRatio:
    """log10 of P(genotypes | H1) / P(genotypes | H2), locus by locus and in sum.

    Loci that fewer than two people were typed at are left out, and named, unless only one person is typed at all.
    Raises: KinshipRefused naming locus and person.
    """
    _check_people(h1, h2, typed)
    genotypes = {person: checked(person, typing) for person, typing in typed.items()}
    used, left_out = _loci(genotypes, table)
    units = _units(used, model, h1, h2, genotypes)
    loci = tuple(_ratio(h1, h2, unit, pair, genotypes, typed, table, model) for unit, pair in units)
    total = -inf if any(each.log10_lr == -inf for each in loci) else fsum(each.log10_lr for each in loci)
    minimum = table.minimum_frequency if model.minimum_frequency is None else model.minimum_frequency
    return LikelihoodRatio(total, loci, h1.name, h2.name, table.name, table.sha256, model, minimum, left_out)


def _check_people(h1: Pedigree, h2: Pedigree, typed: Mapping[str, Typing]) -> None:
    if not typed:
        raise TypingRefused("Nobody is typed; give the genotypes of at least one person.")
    for person in typed:
        for pedigree in (h1, h2):
            if person not in pedigree.by_id:
                raise PedigreeRefused(
                    f"Typed, but not in hypothesis {pedigree.name!r}; add the person there, alone if unrelated.",
                    person=person,
                )
        one, other = h1.by_id[person].sex, h2.by_id[person].sex
        if {one, other} == {"male", "female"}:
            raise PedigreeRefused(
                f"The person is {one} in {h1.name!r} and {other} in {h2.name!r}; mend one.", person=person
            )


def _loci(genotypes: Genotypes, table: FrequencyTable) -> tuple[list[str], dict[str, str]]:
    """Loci to compare, in the table's order, and why others are left out."""
    people: dict[str, list[str]] = {}
    for person, loci in genotypes.items():
        for locus in loci:
            people.setdefault(locus, []).append(person)
    used: list[str] = []
    left_out: dict[str, str] = {}
    for locus, carriers in sorted(people.items()):
        if locus not in table.loci:
            left_out[locus] = f"not in table {table.name}"
        elif len(carriers) < min(2, len(genotypes)):
            left_out[locus] = f"typed in {carriers[0]} only"
        else:
            used.append(locus)
    if not used:
        why = "; ".join(f"{locus} {reason}" for locus, reason in left_out.items()) or "no locus is typed"
        raise TypingRefused(
            f"No locus can be compared: {why}. Type common loci, or use a table that has them."
        )
    return used, left_out


def _units(
    used: Sequence[str], model: Model, h1: Pedigree, h2: Pedigree, genotypes: Genotypes
) -> list[tuple[tuple[str, ...], LinkedPair | None]]:
    """Loci to compute alone, or two together where linkage makes a difference under a hypothesis."""
    joint: dict[str, LinkedPair] = {}
    for pair in model.linked:
        both = (pair.first, pair.second)
        people = {person for person, loci in genotypes.items() if set(both) & set(loci)}
        if set(both) <= set(used) and any(linkage_matters(h, people) for h in (h1, h2)):
            joint |= dict.fromkeys(both, pair)
    units: list[tuple[tuple[str, ...], LinkedPair | None]] = []
    for locus in used:
        linked = joint.get(locus)
        if linked is None:
            units.append(((locus,), None))
        elif locus == linked.first:
            units.append(((linked.first, linked.second), linked))
    return units


def _ratio(
    h1: Pedigree,
    h2: Pedigree,
    loci: tuple[str, ...],
    pair: LinkedPair | None,
    genotypes: Genotypes,
    typed: Mapping[str, Typing],
    table: FrequencyTable,
    model: Model,
) -> LocusRatio:
    sites = [_site(locus, genotypes, typed, table, model) for locus in loci]
    recombination = pair.recombination if pair else 0.5
    one, other = (log10_likelihood(h, sites, model.theta, recombination) for h in (h1, h2))
    name = "+".join(loci)
    if other == -inf:
        which = "Both hypotheses make" if one == -inf else f"Hypothesis {h2.name!r} makes"
        raise Impossible(
            f"{which} the genotypes impossible, so there is no ratio; allow mutation, or check the genotypes of"
            f" {', '.join(sorted(p for p in genotypes if set(loci) & set(genotypes[p])))}.",
            locus=name,
        )
    return LocusRatio(name, one - other, one, other)


def _site(
    locus: str, genotypes: Genotypes, typed: Mapping[str, Typing], table: FrequencyTable, model: Model
) -> Site:
    seen = {p: (loci[locus], typed[p].dropout) for p, loci in genotypes.items() if locus in loci}
    return site_of(locus, seen, table, model)
