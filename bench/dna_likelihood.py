"""Kinship ratios: how far from the references, and how many a second beside the plain sum.

References: the sum over every genotype of every person by hand (`tests/harness/kinship_by_hand`, which shares no code
with the engine) over 18 families under every model and over linked pairs, and closed forms of textbooks. Speed: 23
loci of the NIST table with the usual model, one process; the rival is the same sum by hand at the same loci (for an
uncle it would take days).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from math import log10
from pathlib import Path
from time import process_time

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import numpy as np

from _figures import Figure, show
from dna_intake.kinship import FrequencyTable, Model, Mutation, Typing, compare, load_table, simulate
from dna_intake.kinship.relations import RELATIONS, Pair
from harness.kinship_by_hand import FAMILIES, Locus, one_locus
from harness.kinship_by_hand import family as people_of
from harness.kinship_cases import MUTATIONS, Case, differences, every_case, linked_differences

LEFT_OUT = {"F13A01", "F13B", "FESFPS", "LPL", "Penta C", "SE33"}
"""Of the 29 loci of NIST 1036; the other 23 are those of the usual kits."""
SLOW = {"uncle", "cousins", "sibling and half sibling", "mixed: mother, uncle", "brother of the father"}
LINKED = ("duo", "trio", "full siblings", "half siblings", "grandparents", "three generations")
GOAL = 1e-6
RATES = ("duo", "trio", "full_siblings", "uncle_or_aunt")


def figures(quick: bool) -> dict[str, Figure]:
    """Agreement and speed; `quick` takes a twentieth of the cases of large families."""
    return agreement(quick) | closed_forms() | speed(20 if quick else 200)


def agreement(quick: bool) -> dict[str, Figure]:
    """Worst relative difference from the sum by hand, of both likelihoods and the ratio, at any locus."""
    apart, count = 0.0, 0
    for number, case in enumerate(every_case()):
        if quick and number % (20 if case.family in SLOW else 4):
            continue
        apart, count = max(apart, *(differences(case, seed=1) or (0.0,))), count + 1
    linked, linked_count = 0.0, 0
    for number, (case, share) in enumerate(linked_cases()):
        if quick and number % 12:
            continue
        linked, linked_count = (
            max(linked, *(linked_differences(case, share, seed=1) or (0.0,))),
            linked_count + 1,
        )
    return {
        "by_hand_cases": Figure(count, "cases"),
        "by_hand_worst": Figure(apart * 1e15, "1e-15", GOAL * 1e15),
        "linked_cases": Figure(linked_count, "cases"),
        "linked_worst": Figure(linked * 1e15, "1e-15", GOAL * 1e15),
    }


def linked_cases() -> Iterator[tuple[Case, float]]:
    """Linked pairs: families, mutation, theta and recombination; unclear genotypes where the sum stays short."""
    for family in LINKED:
        for mutation in MUTATIONS:
            for theta in (0.0, 0.03):
                for share in (0.01, 0.089):
                    yield Case(family, mutation, theta, 0.0, 0.0), share
            if family in ("duo", "trio", "grandparents"):
                yield Case(family, mutation, 0.01, 0.0, 0.2), 0.089
            if family == "duo":
                yield Case(family, mutation, 0.01, 0.02, 0.2), 0.089


def closed_forms() -> dict[str, Figure]:
    """Worst relative difference from formulas at one locus without mutation."""
    plain = Model(0.0, Mutation(), minimum_frequency=0)
    apart = 0.0
    for p in (0.001, 0.01, 0.05, 0.2, 0.5):
        table = FrequencyTable("t", "formula", {"L": {"10": p, "11": 1 - p}})
        forms = {
            "duo": 1 / p,
            "full_siblings": (1 + p) ** 2 / (4 * p * p),
            "half_siblings": (1 + 1 / p) / 2,
            "grandparent": (1 + 1 / p) / 2,
            "uncle_or_aunt": (1 + 1 / p) / 2,
            "cousins": 3 / 4 + 1 / (4 * p),
        }
        for name, ratio in forms.items():
            h1, h2 = RELATIONS[name]()
            found = compare(h1, h2, {who: Typing({"L": ("10",)}) for who in typed_in(h2.by_id)}, table, plain)
            apart = max(apart, abs(10 ** (found.log10_lr - log10(ratio)) - 1))
        theta = 0.03
        h1, h2 = RELATIONS["duo"]()
        both = {who: Typing({"L": ("10",)}) for who in h2.by_id}
        found = compare(h1, h2, both, table, Model(theta, Mutation(), minimum_frequency=0))
        ratio = (1 + 2 * theta) / (3 * theta + (1 - theta) * p)
        apart = max(apart, abs(10 ** (found.log10_lr - log10(ratio)) - 1))
    return {"closed_forms_worst": Figure(apart * 1e15, "1e-15", GOAL * 1e15)}


def typed_in(people: object) -> list[str]:
    """The people of a hypothesis who are meant to be typed."""
    return [person for person in people if not person.startswith("untyped:")]  # type: ignore[attr-defined]


def speed(pairs: int) -> dict[str, Figure]:
    """Ratios a second of processor time over 23 loci, warm; with theta 0.01 beside the sum by hand."""
    table = load_table("nist1036_asian")
    table = table.restricted(sorted(set(table.loci) - LEFT_OUT))
    rng = np.random.default_rng(11)
    found: dict[str, Figure] = {}
    for name in RATES:
        rival = by_hand_per_s(name, table, rng) if name != "uncle_or_aunt" else None
        found[f"{name}_per_s"] = Figure(
            rate(RELATIONS[name](), table, rng, 0.01, pairs), "LR/s", ceiling=rival
        )
        found[f"{name}_theta_0_per_s"] = Figure(rate(RELATIONS[name](), table, rng, 0.0, pairs), "LR/s")
    return found


def rate(pair: Pair, table: FrequencyTable, rng: np.random.Generator, theta: float, pairs: int) -> float:
    """Ratios a second for families drawn from H1."""
    model = Model(theta)
    drawn = [simulate.draw(pair[0], table, model, rng) for _ in range(pairs + 1)]
    typed = [{who: Typing(people[who]) for who in typed_in(pair[1].by_id)} for people in drawn]
    compare(*pair, typed[-1], table, model)
    begun = process_time()
    for each in typed[:-1]:
        compare(*pair, each, table, model)
    return pairs / (process_time() - begun)


def by_hand_per_s(relation: str, table: FrequencyTable, rng: np.random.Generator) -> float:
    """Ratios a second that the sum by hand makes at the same loci, of one family that the engine drew."""
    name = relation.replace("_", " ")
    people = FAMILIES[name][2].split()
    begun = process_time()
    for alleles in table.loci.values():
        pairs = rng.choice(list(alleles), (len(people), 2), p=list(alleles.values()))
        seen = {who: tuple(sorted(set(map(str, pair)))) for who, pair in zip(people, pairs, strict=True)}
        locus = Locus(alleles, seen, 0.0, 0.01, {}, "stepwise", 0.002, 0.0005, 1e-6)
        for hypothesis in FAMILIES[name][:2]:
            one_locus(people_of(hypothesis), locus)
    return 1 / (process_time() - begun)


def main() -> None:
    """All figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer cases and pairs")
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")
    options = parser.parse_args()
    show("dna_likelihood", figures(options.quick), as_json=options.json)


if __name__ == "__main__":
    main()
