"""The second tier: lineage markers that a lead from the autosomal search should also agree on.

A Y chromosome goes from father to son, mitochondrial DNA from a mother to all her children. Neither names a person,
since every relative of the line shares it; but a true father whose Y differs at many loci is no father.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from dna_intake.domain.kin import Kind

Marker = Literal["y_str", "mtdna", "more_loci", "other_parent"]
Outcome = Literal["consistent", "inconclusive", "inconsistent"]

Y_LOCI_MIN = 10
"""Fewer shared Y-STR loci than this tell little (our own choice; the minimal haplotype has 9, Yfiler 17)."""
Y_MISMATCHES_INCONSISTENT = 3
"""As with autosomal loci (GB/T 37223-2018, by secondary sources): up to two may be mutations, three are not."""
MT_DIFFERENCES_INCONSISTENT = 2
"""SWGDAM interpretation guidelines for mitochondrial DNA: two or more differences exclude, one is inconclusive."""

_VARIANT = re.compile(r"[ACGT]?([1-9][0-9]{0,4})(?:\.[1-9])?([ACGTRYSWKMBDHVN]|DEL|-)", re.ASCII)
_LENGTH_TRACTS = (range(303, 316), range(16180, 16194))
"""Poly-C tracts of HV2 and HV1; length varies within one person, so indels there do not count (SWGDAM)."""
MT_LENGTH = 16_569
"""Bases of the revised Cambridge reference sequence."""


class LineageRefused(ValueError):
    """What was sent can't be compared; the message names the marker or position, never an allele."""


@dataclass(frozen=True)
class Compared:
    """How far two haplotypes agree."""

    outcome: Outcome
    compared: int
    mismatches: int


def compare_y(child: Mapping[str, Sequence[str]], father: Mapping[str, Sequence[str]]) -> Compared:
    """Compare Y-STR haplotypes at the loci both have; a duplicated locus has two alleles, which must both agree.

    Raises: LineageRefused, if too few loci are shared or a locus is empty.
    """
    shared = sorted(set(child) & set(father))
    if len(shared) < Y_LOCI_MIN:
        raise LineageRefused(f"The haplotypes share {len(shared)} Y-STR loci; {Y_LOCI_MIN} are the least.")
    for locus in shared:
        if not child[locus] or not father[locus]:
            raise LineageRefused(f"Y-STR locus {locus} has no allele; leave it out of both.")
    differ = sum(sorted(child[locus]) != sorted(father[locus]) for locus in shared)
    if differ >= Y_MISMATCHES_INCONSISTENT:
        return Compared("inconsistent", len(shared), differ)
    return Compared("consistent" if differ == 0 else "inconclusive", len(shared), differ)


def compare_mt(child: Sequence[str], mother: Sequence[str], first: int, last: int) -> Compared:
    """Compare mtDNA as differences from the revised Cambridge reference over the range both were sequenced.

    Variants outside [first, last] and in the length-variable tracts do not count. `compared` is in bases.
    Raises: LineageRefused, naming a variant's place in the list.
    """
    if not 1 <= first <= last <= MT_LENGTH:
        raise LineageRefused(f"The range {first}-{last} is not within 1-{MT_LENGTH}.")
    mine, hers = _variants(child, first, last), _variants(mother, first, last)
    positions = {position for position, _ in mine ^ hers}
    differ = len(positions)
    if differ >= MT_DIFFERENCES_INCONSISTENT:
        return Compared("inconsistent", last - first + 1, differ)
    return Compared("consistent" if differ == 0 else "inconclusive", last - first + 1, differ)


def _variants(told: Sequence[str], first: int, last: int) -> set[tuple[int, str]]:
    found: set[tuple[int, str]] = set()
    for place, variant in enumerate(told, start=1):
        matched = _VARIANT.fullmatch(variant.strip().upper())
        if matched is None or int(matched[1]) > MT_LENGTH:
            raise LineageRefused(
                f'Variant {place} of a list can\'t be read; write it like "16223T" or "315.1C".'
            )
        position = int(matched[1])
        changes_length = "." in variant or matched[2] in ("DEL", "-")
        if changes_length and any(position in tract for tract in _LENGTH_TRACTS):
            continue
        if first <= position <= last:
            found.add((position, variant.strip().upper().lstrip("ACGT")))
    return found


def markers_that_help(
    kinds: Sequence[Kind], child_sex: str | None, loci: int, *, both_parents_known: bool
) -> tuple[Marker, ...]:
    """Which second-tier markers could strengthen or refute a lead, in the order in which to ask for them.

    The other parent first: a couple leaves next to no strangers where a lone parent leaves many
    (docs/candidates.md). A child of unknown sex may be a son.
    """
    wanted: list[Marker] = []
    if set(kinds) <= {Kind.father, Kind.mother, Kind.parent} and not both_parents_known:
        wanted.append("other_parent")
    if child_sex != "female" and set(kinds) & {Kind.father, Kind.parent, Kind.paternal_grandfather}:
        wanted.append("y_str")
    if set(kinds) & {Kind.mother, Kind.parent, Kind.full_sibling, Kind.maternal_grandmother}:
        wanted.append("mtdna")
    if loci < LOCI_ENOUGH:
        wanted.append("more_loci")
    return tuple(wanted)


LOCI_ENOUGH = 30
"""With this many shared autosomal loci more of them are asked for last, and not by rule (our own choice)."""
