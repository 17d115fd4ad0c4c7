"""Search of a national size: one child against ten million parents, couples, siblings, and all against all.

Everybody is drawn from the NIST 1036 Asian table at 23 loci, and half of the children truly have a parent in the
index, with mutation. Beside it, in the same run: a plain numpy scan, and what the memory's bandwidth alone would take.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from _figures import Figure, percentile, show
from dna_intake.kinship import Model, load_table, mutation_matrix
from dna_intake.search import (
    PARENT,
    Couples,
    Encoded,
    Index,
    Kinship,
    Query,
    all_against_all,
    couples_of,
    kinship_of,
    parents_of,
    siblings_of,
)
from dna_intake.search.panel import pairs
from dna_intake.search.search import LR_MIN

PARENTS = 10_000_000
PARENTS_QUICK = 1_000_000
COUPLES = 1_000_000
QUERIES = 120
ROUNDS = 7
CHILDREN_FOR_ALL_PAIRS = 2_048
LOCI = (
    *("CSF1PO", "D10S1248", "D12S391", "D13S317", "D16S539", "D18S51", "D19S433", "D1S1656", "D21S11"),
    *("D22S1045", "D2S1338", "D2S441", "D3S1358", "D5S818", "D6S1043", "D7S820", "D8S1179", "FGA"),
    *("Penta D", "Penta E", "TH01", "TPOX", "vWA"),
)
Codes = NDArray[np.uint8]


@dataclass(frozen=True)
class World:
    """The parents, children whose parents are among them or not, and what was measured on the way."""

    kinship: Kinship
    parents: Index
    codes: Codes
    children: list[Query]
    build_s: float


def figures(quick: bool = False) -> dict[str, Figure]:
    """All figures; `quick` has a tenth of the parents, and goals a tenth where time goes with the number."""
    world = _world(PARENTS_QUICK if quick else PARENTS, QUERIES)
    share = len(world.codes) / PARENTS
    floor_ms, filter_floor_ms = _bandwidth_ms(world)
    found = _one_child(world, share, floor_ms, filter_floor_ms)
    found |= _others(world, share, floor_ms)
    found["all_pairs_min"] = _all_pairs_min(world)
    found["bytes_per_profile"] = Figure(world.parents.bytes_per_profile, "B", 60.0)
    found["index_build_s"] = Figure(world.build_s, "s", 120.0 * share)
    return found


def _world(parents: int, children: int) -> World:
    table = load_table("nist1036_asian")
    kinship = kinship_of(table, Model(), LOCI)
    rng = np.random.default_rng(1)
    codes = _drawn(kinship, rng, parents)
    index = Index(kinship.panel)
    sexes = rng.integers(1, 3, parents).astype(np.uint8)
    begun = perf_counter()
    index.append(Encoded(codes), np.arange(parents), sexes)
    build_s = perf_counter() - begun
    young = []
    for place in range(children):
        related = place % 2 == 0
        parent = codes[rng.integers(parents)] if related else _drawn(kinship, rng, 1)[0]
        young.append(Query(_child(kinship, rng, parent, _drawn(kinship, rng, 1)[0])))
    return World(kinship, index, codes, young, build_s)


def _drawn(kinship: Kinship, rng: np.random.Generator, people: int) -> Codes:
    """Unrelated people in Hardy-Weinberg proportions."""
    panel = kinship.panel
    codes = np.empty((people, len(panel.loci)), np.uint8)
    for locus, name in enumerate(panel.loci):
        p = [kinship.frequencies[name][allele] for allele in panel.alleles[locus]]
        chances = np.array([p[i] * p[j] * (1 if i == j else 2) for i, j in pairs(len(p))])
        edges = np.cumsum(chances / chances.sum()).astype(np.float32)
        edges[-1] = 1.0
        codes[:, locus] = np.searchsorted(edges, rng.random(people, np.float32), side="right")
    return codes


def _child(
    kinship: Kinship, rng: np.random.Generator, father: Codes, mother: Codes
) -> dict[str, tuple[str, ...]]:
    """A child by Mendel's rules, with the default model's mutations."""
    panel, found = kinship.panel, {}
    for locus, name in enumerate(panel.loci):
        alleles = kinship.locus_model(locus, ()).alleles
        p = np.array([kinship.frequencies[name][allele] for allele in alleles])
        passed = []
        for parent, sex in ((father, "male"), (mother, "female")):
            mine = rng.choice(panel.alleles_of(locus, int(parent[locus])))
            chances = mutation_matrix(Model().mutation, alleles, p, sex)[alleles.index(mine)]
            passed.append(str(rng.choice(alleles, p=chances / chances.sum())))
        found[name] = (passed[0], passed[1])
    return found


def _bandwidth_ms(world: World) -> tuple[float, float]:
    """What reading all codes, and the two bitmap rows a locus of a query, takes at the memory's speed, on all cores."""
    view = world.parents.snapshot().views[0].segment
    words = view.codes.reshape(-1).view(np.uint64)
    from dna_intake.search.scan import spread

    def read(first: int, after: int) -> None:
        np.bitwise_or.reduce(words[first * 1024 : after * 1024])

    whole = _best_ms(lambda: spread(len(words) // 1024, read))
    filter_bytes = view.blocks * 1024 * 2 * len(LOCI)
    return whole, whole * filter_bytes / words.nbytes


def _best_ms(work: Callable[[], Any], rounds: int = ROUNDS) -> float:
    taken = []
    for _ in range(rounds):
        begun = perf_counter()
        work()
        taken.append((perf_counter() - begun) * 1000)
    return min(taken)


def _one_child(world: World, share: float, floor_ms: float, filter_floor_ms: float) -> dict[str, Figure]:
    """Filtered at two mismatches, filtered until nobody can be lost, and everybody computed."""
    parents_of(world.parents, world.kinship, world.children[0])
    taken: dict[str, list[float]] = {"two": [], "complete": [], "full": []}
    kept = [0, 0, 0]
    ways: dict[str, dict[str, Any]] = {
        "two": {"complete": False},
        "complete": {"complete": True},
        "full": {"mismatches": None},
    }
    for child in world.children:
        answers = {}
        for name, how in ways.items():
            # Rows of earlier queries are forgotten: each search pays for its own tables.
            world.kinship.forget()
            begun = perf_counter()
            answers[name] = parents_of(world.parents, world.kinship, child, leads_max=10_000, **how)
            taken[name].append((perf_counter() - begun) * 1000)
        rows = {name: {lead.row_id for lead in answer.leads} for name, answer in answers.items()}
        kept[0] += len(rows["full"])
        kept[1] += len(rows["full"] & rows["two"])
        kept[2] += len(rows["full"] & rows["complete"])
    assert kept[0] >= len(world.children) // 4, "There must be leads, or nothing is measured."
    plain = _numpy_ms(world)
    two, complete, full = taken["two"], taken["complete"], taken["full"]
    return {
        "search_ms_p50": Figure(percentile(two, 0.5), "ms", 50.0 * share, filter_floor_ms),
        "search_ms_p99": Figure(percentile(two, 0.99), "ms", 100.0 * share, filter_floor_ms),
        "complete_ms_p50": Figure(percentile(complete, 0.5), "ms", None, filter_floor_ms),
        "complete_ms_p99": Figure(percentile(complete, 0.99), "ms", None, filter_floor_ms),
        "kept_share": Figure(kept[1] / kept[0], "", 1.0),
        "kept_share_complete": Figure(kept[2] / kept[0], "", 1.0),
        "leads_of_full_scan": Figure(float(kept[0]), f"LR >= {LR_MIN:.0e}"),
        "full_scan_ms": Figure(percentile(full, 0.5), "ms", 300.0 * share, floor_ms),
        "full_scan_ms_p99": Figure(percentile(full, 0.99), "ms", None, floor_ms),
        "numpy_scan_ms": Figure(plain, "ms", None, floor_ms),
    }


def _numpy_ms(world: World) -> float:
    """The same sums by numpy alone, a locus at a time."""
    table = world.kinship.tables(world.children[0], PARENT).upper

    def scan() -> None:
        total = np.zeros(len(world.codes), np.float32)
        for locus in range(len(LOCI)):
            total += table[locus][world.codes[:, locus]]
        np.flatnonzero(total >= np.log10(LR_MIN))

    return _best_ms(scan, 2)


def _others(world: World, share: float, floor_ms: float) -> dict[str, Figure]:
    siblings, couples = [], []
    pool = _couples(world)
    couples_of(pool, world.kinship, world.children[0])
    siblings_of(world.parents, world.kinship, world.children[0])
    for child in world.children[: 3 * ROUNDS]:
        world.kinship.forget()
        begun = perf_counter()
        siblings_of(world.parents, world.kinship, child)
        siblings.append((perf_counter() - begun) * 1000)
        world.kinship.forget()
        begun = perf_counter()
        couples_of(pool, world.kinship, child)
        couples.append((perf_counter() - begun) * 1000)
    return {
        "couples_ms": Figure(percentile(couples, 0.5), "ms", 80.0 * pool.couples / COUPLES),
        "sibling_ms": Figure(percentile(siblings, 0.5), "ms", 600.0 * share, floor_ms),
    }


def _couples(world: World) -> Couples:
    count = min(COUPLES, len(world.codes) // 2)
    couples = Couples(world.kinship.panel)
    fathers, mothers = world.codes[:count], world.codes[-count:]
    couples.append(Encoded(fathers), Encoded(mothers), np.arange(count))
    return couples


def _all_pairs_min(world: World) -> Figure:
    """A million times a million, from the pairs a second of some thousand children against a million parents."""
    parents = Index(world.kinship.panel)
    parents.append(Encoded(world.codes[:1_000_000]), np.arange(min(1_000_000, len(world.codes))))
    children = Index(world.kinship.panel, "children")
    rng = np.random.default_rng(2)
    children.append(
        Encoded(_drawn(world.kinship, rng, CHILDREN_FOR_ALL_PAIRS)), np.arange(CHILDREN_FOR_ALL_PAIRS)
    )
    run = all_against_all(children, parents, world.kinship)
    # The first batch also computes the rows of every genotype, once a night.
    begun = perf_counter()
    next(run)
    first_s = perf_counter() - begun
    begun = perf_counter()
    done = sum(batch.pairs for batch in run)
    pairs_a_second = done / (perf_counter() - begun)
    return Figure((1e12 / pairs_a_second + first_s) / 60, "min", 20.0)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a million parents instead of ten")
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")
    options = parser.parse_args()
    show("dna_search", figures(options.quick), as_json=options.json)


if __name__ == "__main__":
    main()
