"""Draws genotypes of a whole family under a model, for tests, calibration and demo data; the generator is given.

It follows the same assumptions as the likelihood, by another way: founders' alleles one after another (Balding and
Nichols), then each gamete with its origin, recombination between linked loci, and mutation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dna_intake.kinship.frequencies import FrequencyTable
from dna_intake.kinship.model import Model
from dna_intake.kinship.pedigree import Pedigree
from dna_intake.kinship.sites import Array, Site, site_of

Indices = NDArray[np.intp]


class Drawn(NamedTuple):
    """Many families at one locus: by person an array [family, 2] of indices into `alleles`; len(alleles) is silent."""

    alleles: tuple[str, ...]
    people: Mapping[str, Indices]


def draw(
    pedigree: Pedigree,
    table: FrequencyTable,
    model: Model,
    rng: np.random.Generator,
    loci: Iterable[str] | None = None,
) -> dict[str, dict[str, tuple[str, ...]]]:
    """Genotypes of every person by locus as a laboratory sees them; two silent alleles leave the locus out."""
    found: dict[str, dict[str, tuple[str, ...]]] = {person.id: {} for person in pedigree.people}
    for locus, drawn in draw_many(pedigree, table, model, rng, 1, loci).items():
        for person, indices in drawn.people.items():
            seen = tuple(drawn.alleles[i] for i in sorted(set(indices[0])) if i < len(drawn.alleles))
            if seen:
                found[person][locus] = seen
    return found


def draw_many(
    pedigree: Pedigree,
    table: FrequencyTable,
    model: Model,
    rng: np.random.Generator,
    families: int,
    loci: Iterable[str] | None = None,
) -> dict[str, Drawn]:
    """So many independent families at once, by locus; loci of the table in its order unless they are named."""
    wanted = list(table.loci if loci is None else table.restricted(loci).loci)
    sites = {locus: site_of(locus, {}, table, model) for locus in wanted}
    first_of = {pair.second: pair for pair in model.linked if {pair.first, pair.second} <= set(wanted)}
    origins: dict[str, dict[tuple[str, int], Indices]] = {}
    found: dict[str, Drawn] = {}
    for locus in sorted(wanted, key=lambda name: name in first_of):
        pair = first_of.get(locus)
        before = (origins[pair.first], pair.recombination) if pair else None
        origins[locus] = _origins(pedigree, rng, families, before)
        found[locus] = _drawn(pedigree, sites[locus], model.theta, rng, families, origins[locus])
    return {locus: found[locus] for locus in wanted}


def _origins(
    pedigree: Pedigree,
    rng: np.random.Generator,
    families: int,
    before: tuple[Mapping[tuple[str, int], Indices], float] | None,
) -> dict[tuple[str, int], Indices]:
    """Which of the parent's two copies each gamete carries, by child and parent (0 father, 1 mother)."""
    found: dict[tuple[str, int], Indices] = {}
    for person in pedigree.people:
        for side in () if person.founder else (0, 1):
            if before is None:
                found[person.id, side] = rng.integers(0, 2, families)
            else:
                crossed = rng.random(families) < before[1]
                found[person.id, side] = before[0][person.id, side] ^ crossed
    return found


def _drawn(
    pedigree: Pedigree,
    site: Site,
    theta: float,
    rng: np.random.Generator,
    families: int,
    origins: Mapping[tuple[str, int], Indices],
) -> Drawn:
    counts = np.zeros((families, site.count))
    n = 0
    people: dict[str, Indices] = {}
    for person in (pedigree.by_id[each] for each in pedigree.order):
        sides = []
        for side, parent in ((0, person.father), (1, person.mother)):
            if parent is None:
                chances = (theta * counts + (1 - theta) * site.frequencies) / (
                    1 + (n - 1) * theta if n else 1 - theta
                )
                allele = _pick(chances, rng)
                counts[np.arange(families), allele] += 1
                n += 1
            else:
                passed = people[parent][np.arange(families), origins[person.id, side]]
                allele = _pick((site.maternal if side else site.paternal)[passed], rng)
            sides.append(allele)
        people[person.id] = np.stack(sides, axis=1)
    return Drawn(site.alleles, people)


def _pick(chances: Array, rng: np.random.Generator) -> Indices:
    """One index a row, with the chances of that row."""
    cumulated = np.cumsum(chances, axis=1)
    drawn = rng.random(len(chances))[:, None] * cumulated[:, -1:]
    return np.asarray(np.minimum((cumulated <= drawn).sum(axis=1), chances.shape[1] - 1))
