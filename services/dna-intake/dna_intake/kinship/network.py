"""A family at one locus, or at two linked ones, as a network of small tables.

Variables: of a typed person the ordered genotype; of an untyped one the paternal and the maternal allele; of a meiosis
whose origin matters, which of the two was passed on. Tables: founders' frequencies, what was seen, transmission with
mutation. Nobody is pruned who has a typed descendant: an untyped parent's allele comes from the population and may
mutate on its way. People without a typed descendant sum to 1 and are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dna_intake.kinship.contraction import Factor
from dna_intake.kinship.pedigree import Pedigree, Person
from dna_intake.kinship.sites import Array, Site

HALF = np.array([0.5, 0.5])


class Copy(NamedTuple):
    """One allele of a person: state i of the variable stands for allele `alleles[i]`."""

    variable: int
    alleles: NDArray[np.intp]


@dataclass
class Network:
    """Tables of a family; founders' untyped alleles are `free`, grouped by site and founder, without frequencies yet.

    `typed_founders` have their ordered genotypes as a variable, also without frequencies.
    """

    factors: list[Factor] = field(default_factory=list)
    free: list[list[tuple[int, ...]]] = field(default_factory=list)
    typed_founders: list[list[tuple[int, tuple[tuple[int, int], ...]]]] = field(default_factory=list)
    variables: int = 0

    def variable(self) -> int:
        """A new variable."""
        self.variables += 1
        return self.variables - 1


def relevant(pedigree: Pedigree, typed: set[str]) -> list[str]:
    """The typed people and their ancestors, parents before children."""
    kept: set[str] = set()
    for person in reversed(pedigree.order):
        if person in kept or person in typed:
            kept |= {person, *_parents(pedigree.by_id[person])}
    return [person for person in pedigree.order if person in kept]


def linkage_matters(pedigree: Pedigree, typed: set[str]) -> bool:
    """False if every parent is a founder with one child: then alleles at two loci are passed on independently.

    A founder's two haplotypes are independent of each other and of the phase, so one gamete of it tells nothing of
    recombination; only a second gamete, or a known origin of the haplotypes, does.
    """
    people = relevant(pedigree, typed)
    children = _children(pedigree, people)
    return any(children[p] > 1 or (children[p] and not pedigree.by_id[p].founder) for p in people)


def network_of(pedigree: Pedigree, sites: Sequence[Site], recombination: float = 0.5) -> Network:
    """The tables of a family over one site, or over two that recombine."""
    typed = {person for site in sites for person in site.seen}
    people = relevant(pedigree, typed)
    children = _children(pedigree, people)
    network = Network()
    copies = [_copies(network, pedigree, people, children, site) for site in sites]
    for person in (pedigree.by_id[each] for each in people):
        for maternal, parent in enumerate(_parents(person)):
            single = pedigree.by_id[parent].founder and children[parent] == 1
            switches = [] if single or len(sites) == 1 else [network.variable() for _ in sites]
            if switches:
                r = recombination
                network.factors.append(Factor(tuple(switches), np.array([[1 - r, r], [r, 1 - r]]) / 2))
            for at, site in enumerate(sites):
                matrix = site.maternal if maternal else site.paternal
                child = copies[at][person.id][maternal]
                _transmit(network, copies[at][parent], child, matrix, switches[at] if switches else None)
    return network


def _copies(
    network: Network, pedigree: Pedigree, people: list[str], children: Mapping[str, int], site: Site
) -> dict[str, tuple[Copy, ...]]:
    """The alleles of each person at a site, with what was seen of them; one for a founder who passes on one only."""
    every = np.arange(site.count)
    network.free.append([])
    network.typed_founders.append([])
    copies: dict[str, tuple[Copy, ...]] = {}
    for person in people:
        founder, seen = pedigree.by_id[person].founder, site.seen.get(person)
        if seen is not None and seen.pairs is not None:
            variable = network.variable()
            copies[person] = tuple(Copy(variable, np.array(side)) for side in zip(*seen.pairs, strict=True))
            network.factors.append(Factor((variable,), seen.weights))
            if founder:
                network.typed_founders[-1].append((variable, seen.pairs))
            continue
        one = founder and seen is None and children[person] == 1
        variables = tuple(network.variable() for _ in range(1 if one else 2))
        copies[person] = tuple(Copy(variable, every) for variable in variables)
        if seen is not None:
            network.factors.append(Factor(variables, seen.weights))
        if founder:
            network.free[-1].append(variables)
    return copies


def _transmit(
    network: Network, parent: tuple[Copy, ...], child: Copy, matrix: Array, switch: int | None
) -> None:
    """Tables for one allele on its way: of either parental copy by halves, or by a switch that linked loci share."""
    rows = [matrix[np.ix_(copy.alleles, child.alleles)] for copy in parent]
    variables = [copy.variable for copy in parent]
    if len(parent) == 1:
        network.factors.append(Factor((variables[0], child.variable), rows[0]))
    elif variables[0] == variables[1] and switch is None:
        network.factors.append(Factor((variables[0], child.variable), (rows[0] + rows[1]) / 2))
    elif variables[0] == variables[1] and switch is not None:
        network.factors.append(Factor((switch, variables[0], child.variable), np.stack(rows)))
    else:
        if switch is None:
            switch = network.variable()
            network.factors.append(Factor((switch,), HALF))
        ones = np.ones_like(rows[0])
        network.factors.append(Factor((switch, variables[0], child.variable), np.stack([rows[0], ones])))
        network.factors.append(Factor((switch, variables[1], child.variable), np.stack([ones, rows[1]])))


def _children(pedigree: Pedigree, people: Sequence[str]) -> dict[str, int]:
    found = dict.fromkeys(people, 0)
    for person in people:
        for parent in _parents(pedigree.by_id[person]):
            found[parent] += 1
    return found


def _parents(person: Person) -> tuple[str, ...]:
    return (person.father, person.mother) if person.father and person.mother else ()
