"""Are the genotypes of a case sound? Names, number and notation of alleles, and whether they can be at their locus.

Every trouble is told at once, with person and locus, and never with the alleles: the same words go to a terminal,
into a log and over HTTP. Kits and their ladders belong to the intake of profiles; here an allele that is outside
the plausible range of a known locus is refused as off ladder.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from dna_intake.domain.profiles import AMELOGENIN, LOCI, locus_named
from dna_intake.kinship_files.case import CasePerson
from dna_intake.kinship_files.refused import CaseRefused, Trouble

Genotypes = dict[str, tuple[str, ...]]
_ALLELE = re.compile(r"([0-9]{1,3})(?:\.([0-9]))?", re.ASCII)


def sound_typings(people: Iterable[CasePerson]) -> dict[str, Genotypes]:
    """Everybody's genotypes by person and locus, loci in their usual spelling. Raises: CaseRefused."""
    troubles: list[Trouble] = []
    found: dict[str, Genotypes] = {}
    for person in people:
        if person.id in found:
            troubles.append(
                Trouble(
                    "The id is there twice.", "编号重复。", "Give each person an own id.", person=person.id
                )
            )
        found[person.id] = _of_one(person.id, person.genotypes, troubles)
    if troubles:
        raise CaseRefused(troubles)
    return found


def canonical(locus: str) -> str:
    """The usual spelling of a locus that we know; any other as it is written."""
    return locus_named(locus) or locus.strip()


def _of_one(person: str, written: Mapping[str, Sequence[str]], troubles: list[Trouble]) -> Genotypes:
    found: Genotypes = {}
    for name, alleles in written.items():
        locus = canonical(name)
        if locus in found:
            twice = "The locus is there twice, in two spellings."
            troubles.append(Trouble(twice, "基因座重复。", "Keep one of them.", person, locus))
            continue
        found[locus] = tuple(allele.strip() for allele in alleles)
        trouble = None if locus == AMELOGENIN else _trouble_with(person, locus, found[locus])
        if trouble is not None:
            troubles.append(trouble)
    return found


def _trouble_with(person: str, locus: str, alleles: Sequence[str]) -> Trouble | None:
    if not 1 <= len(alleles) <= 2:
        return Trouble(
            f"It has {len(alleles)} alleles, not one or two.",
            f"有{len(alleles)}个等位基因,应为一至两个。",
            "Type it again, or leave the locus out.",
            person,
            locus,
        )
    read = [_ALLELE.fullmatch(allele) for allele in alleles]
    if not all(read):
        return Trouble(
            "An allele is not a repeat number: off ladder, or empty.",
            "等位基因格式不正确(超出分型标准物或为空)。",
            'Write repeats such as "9" or "9.3"; leave out a locus that is off ladder.',
            person,
            locus,
        )
    known = LOCI.get(locus)
    sizes = [(int(match[1]), int(match[2] or 0)) for match in read if match]
    if known and any(
        part >= known.repeat_bases or not known.repeats_min <= whole <= known.repeats_max
        for whole, part in sizes
    ):
        return Trouble(
            "An allele is off ladder: outside what is plausible at this locus.",
            "等位基因超出该基因座的合理范围。",
            f"Plausible are {known.repeats_min} to {known.repeats_max} repeats and up to "
            f".{known.repeat_bases - 1}; compare with the electropherogram, or leave the locus out.",
            person,
            locus,
        )
    return None
