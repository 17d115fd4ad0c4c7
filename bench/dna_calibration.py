"""Are the likelihood ratios honest? Strangers rarely reach a ratio by chance, and true children nearly always do.

A ratio of t or more must come to strangers in 1/t of pairs at most, whatever the relation asked about (Royall, J Am
Stat Assoc 95, 2000). Strangers are drawn as the second hypothesis has them, theta included, and each pair is weighed
by the engine's own numbers: every pair of genotypes that occurs at a locus goes through `kinship.compare` once, into
a table; a million pairs are then look-ups in it. `false_x_t_*` is the share of strangers times t: 1 at most.

True duos and full siblings are drawn with mutation; `found` is the share with a ratio of 10,000 or more.

23 loci: CODIS 20, Penta D, Penta E and D6S1043. Calibration takes NIST 1036 (Asian, 97 people), the only table that
ships with all of them, and a minimum frequency of 0, since draws and ratios must rest on the same numbers. What users
find takes the library's default model on norSTR East Asia, the default table, with D6S1043 from NIST, as it lacks that
locus; `duo_nist` is the same on NIST alone, where 97 people show fewer alleles, so that each tells less.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from _figures import Figure, show
from dna_intake.kinship import FrequencyTable, Model, Pedigree, Typing, compare, load_table, relations
from dna_intake.kinship.simulate import Drawn, draw_many

LOCI = (
    *(
        "CSF1PO",
        "D10S1248",
        "D12S391",
        "D13S317",
        "D16S539",
        "D18S51",
        "D19S433",
        "D1S1656",
        "D21S11",
        "D22S1045",
    ),
    *("D2S1338", "D2S441", "D3S1358", "D5S818", "D6S1043", "D7S820", "D8S1179", "FGA", "Penta D", "Penta E"),
    *("TH01", "TPOX", "vWA"),
)
THRESHOLDS = (1e2, 1e3, 1e4, 1e5, 1e6)
LOG10_FOUND = 4.0
CHUNK = 50_000
SEED = 20_261_130
EXACT = Model(minimum_frequency=0.0)
USUAL = Model()
Array = NDArray[np.float64]


class Weigher:
    """log10 ratios of many pairs of people at all loci; each pair of genotypes is compared once by the engine."""

    def __init__(
        self, pair: tuple[Pedigree, Pedigree], people: tuple[str, str], table: FrequencyTable, model: Model
    ) -> None:
        self.h1, self.h2 = pair
        self.people = people
        self.model = model
        self.table = table
        self._alone: dict[str, FrequencyTable] = {locus: self.table.restricted([locus]) for locus in LOCI}
        self._known: dict[str, Array] = {}
        self.compared = 0

    def log10_lr(self, drawn: dict[str, Drawn]) -> Array:
        """Of each family, the sum over the loci."""
        return np.sum([self._at(locus, drawn[locus]) for locus in LOCI], axis=0, dtype=np.float64)

    def _at(self, locus: str, drawn: Drawn) -> Array:
        count = len(drawn.alleles)
        genotypes = count * (count + 1) // 2
        one, other = (_code(drawn.people[person]) for person in self.people)
        pairs = one * genotypes + other
        known = self._known.setdefault(locus, np.full(genotypes**2, np.nan))
        for pair in np.unique(pairs[np.isnan(known[pairs])]):
            known[pair] = self._compare(locus, drawn.alleles, *divmod(int(pair), genotypes))
        return known[pairs]

    def _compare(self, locus: str, alleles: Sequence[str], one: int, other: int) -> float:
        typed = {
            person: Typing({locus: tuple(alleles[at] for at in _decode(code))})
            for person, code in zip(self.people, (one, other), strict=True)
        }
        self.compared += 1
        return compare(self.h1, self.h2, typed, self._alone[locus], self.model).log10_lr


def _code(alleles: NDArray[np.intp]) -> NDArray[np.intp]:
    """Triangular index of each genotype."""
    low, high = alleles.min(axis=1), alleles.max(axis=1)
    return np.asarray(high * (high + 1) // 2 + low)


def _decode(code: int) -> tuple[int, int]:
    high = int((np.sqrt(8 * code + 1) - 1) // 2)
    return code - high * (high + 1) // 2, high


def drawn_lr(weigher: Weigher, family: Pedigree, families: int, rng: np.random.Generator, name: str) -> Array:
    """log10 ratios of so many families, drawn in chunks as `family` has them."""
    found: list[Array] = []
    begun = perf_counter()
    for first in range(0, families, CHUNK):
        drawn = draw_many(family, weigher.table, weigher.model, rng, min(CHUNK, families - first), LOCI)
        found.append(weigher.log10_lr(drawn))
    took = perf_counter() - begun
    print(f"  {name}: {families:,} pairs, {weigher.compared:,} comparisons, {took:.0f} s", flush=True)
    return np.concatenate(found)


def figures(quick: bool) -> dict[str, Figure]:
    """All figures; quick draws fewer."""
    rng = np.random.default_rng(SEED)
    strangers, duos, siblings = (2_000, 500, 100) if quick else (1_000_000, 10_000, 1_000)
    nist, east_asia = tables()
    duo, full, roles = relations.duo(), relations.full_siblings(), ("parent", "child")
    found = calibration(drawn_lr(Weigher(duo, roles, nist, EXACT), duo[1], strangers, rng, "strangers"))
    usual = Weigher(duo, roles, east_asia, USUAL)
    found |= sensitivity(drawn_lr(usual, duo[0], duos, rng, "duos"), "duo", goal=99.0)
    on_nist = Weigher(duo, roles, nist, USUAL)
    found |= sensitivity(drawn_lr(on_nist, duo[0], duos, rng, "duos, NIST alone"), "duo_nist")
    sibling = Weigher(full, ("one", "other"), east_asia, USUAL)
    found |= sensitivity(drawn_lr(sibling, full[0], siblings, rng, "full siblings"), "siblings")
    return found


def tables() -> tuple[FrequencyTable, FrequencyTable]:
    """NIST with all loci; and norSTR East Asia with the one locus that it lacks from NIST."""
    nist, norstr = load_table("nist1036_asian"), load_table("norstr_east_asia")
    loci = {locus: norstr.loci.get(locus, nist.loci[locus]) for locus in LOCI}
    return nist, FrequencyTable("norstr_east_asia, D6S1043 of nist1036_asian", norstr.source, loci)


def calibration(log10_lr: Array) -> dict[str, Figure]:
    """How often strangers reach each threshold, times the threshold; the largest of 1/t is the theorem's bound."""
    found = {"strangers": Figure(len(log10_lr), "pairs")}
    for t in THRESHOLDS:
        reached = int((log10_lr >= np.log10(t)).sum())
        share = reached / len(log10_lr)
        print(
            f"  P(LR >= {t:g} | strangers): {reached} of {len(log10_lr):,} = {share:.3g}, times t {share * t:.4f}"
        )
        found[f"false_x_t_1e{round(np.log10(t))}"] = Figure(share * t, "", goal=1.0)
    found["largest_lr_log10"] = Figure(float(log10_lr.max()), "")
    return found


def sensitivity(log10_lr: Array, name: str, goal: float | None = None) -> dict[str, Figure]:
    """The share of true relatives that reach 10,000."""
    share = float((log10_lr >= LOG10_FOUND).mean()) * 100
    middle = float(np.median(log10_lr))
    print(f"  {name}: {share:.2f} % at LR >= 10,000; median log10 LR {middle:.2f}")
    return {f"{name}_found": Figure(share, "%", goal=goal), f"{name}_median_log10": Figure(middle, "")}


def main(arguments: Sequence[str] | None = None) -> None:
    """All figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="2,000 strangers in place of a million")
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")
    options = parser.parse_args(arguments)
    show("dna_calibration", figures(options.quick), as_json=options.json)


if __name__ == "__main__":
    main()
