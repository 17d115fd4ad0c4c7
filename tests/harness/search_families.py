"""Invented people for the search's tests: drawn from the shipped table, with a seed, children by Mendel's rules."""

from __future__ import annotations

from functools import cache

import numpy as np

from dna_intake.kinship import FrequencyTable, Model, Mutation, load_table
from dna_intake.search import Kinship, kinship_of

_NAMES = """
CSF1PO, D10S1248, D12S391, D13S317, D16S539, D18S51, D19S433, D1S1656, D21S11, D22S1045, D2S1338, D2S441, D3S1358,
D5S818, D6S1043, D7S820, D8S1179, FGA, TH01, TPOX, vWA, Penta D, Penta E
"""
LOCI = tuple(name.strip() for name in _NAMES.split(","))
STRANGE = "5.3"
"""An allele that no table has at the loci where the tests use it."""
Profile = dict[str, tuple[str, ...]]


@cache
def table() -> FrequencyTable:
    return load_table("nist1036_asian")


@cache
def kinship(theta: float = 0.01, silent: float = 0.0, rate: float = 0.002) -> Kinship:
    mutation = Mutation("stepwise", rate, rate / 4, 1e-6) if rate else Mutation()
    return kinship_of(table(), Model(theta=theta, silent=silent, mutation=mutation), LOCI)


def person(rng: np.random.Generator) -> Profile:
    return {name: (_allele(rng, name), _allele(rng, name)) for name in LOCI}


def people(rng: np.random.Generator, count: int) -> list[Profile]:
    return [person(rng) for _ in range(count)]


def child_of(rng: np.random.Generator, father: Profile, mother: Profile, mutated: int = 0) -> Profile:
    """A child; at so many loci the father's allele has moved by one step."""
    found: Profile = {}
    moved = set(rng.choice(len(LOCI), mutated, replace=False).tolist())
    for place, name in enumerate(LOCI):
        if name in father and name in mother:
            mine = str(rng.choice(father[name]))
            if place in moved:
                whole, _, part = mine.partition(".")
                mine = f"{int(whole) + 1}" + (f".{part}" if part else "")
            found[name] = (mine, str(rng.choice(mother[name])))
    return found


def _allele(rng: np.random.Generator, locus: str) -> str:
    alleles = table().loci[locus]
    return str(rng.choice(list(alleles), p=np.array(list(alleles.values()))))
