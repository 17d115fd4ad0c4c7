"""Who a new profile may be confused with: the same person under another label, a member of staff, a wrong family.

Duplicates are found without opening the database: each profile leaves five keyed marks, HMAC-SHA256 over the
whole genotype and over four fixed sets of five loci that every common kit types. Two profiles of one person share
a mark even if each lacks loci or differs at one to three of them (as long as one set is whole and equal in both);
strangers share five loci about once in a million pairs, so only a handful is opened to be compared exactly.
A mark without the key is a random number; with it, it is no more than the sealed profile beside it.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping, Sequence

from dna_intake.domain.packed import pack
from dna_intake.domain.profiles import AMELOGENIN, Genotype

Alleles = Mapping[str, tuple[str, str]]
WHOLE = 0
SETS: tuple[tuple[str, ...], ...] = (
    ("D3S1358", "D8S1179", "D21S11", "D18S51", "FGA"),
    ("vWA", "D5S818", "D13S317", "D16S539", "D2S1338"),
    ("D7S820", "CSF1PO", "TPOX", "TH01", "D19S433"),
    ("D1S1656", "D2S441", "D10S1248", "D12S391", "D22S1045"),
)
"""Disjoint, so that three differing loci leave one set whole. Never change a set: marks are stored."""
MARK_BYTES = 16
COMPARED_MIN = 10
DIFFERING_MAX = 2
"""At this many loci typing errors may hide the same person; full siblings share all of 13 of 15 loci hardly ever."""
EXCLUDING_MIN = 3
"""So many inconsistent loci exclude a parent in Chinese practice (SF/Z JD0105001-2016 by secondary sources)."""

PARENT_OF: dict[str, tuple[str, ...]] = {
    "father": ("full_sibling",),
    "mother": ("full_sibling",),
    "paternal_grandfather": ("father",),
    "paternal_grandmother": ("father",),
    "maternal_grandfather": ("mother",),
    "maternal_grandmother": ("mother",),
}
"""Whose parent each relation of the missing child is; the child's full sibling has the same parents."""
MALE = frozenset({"father", "paternal_grandfather", "maternal_grandfather"})
FEMALE = frozenset({"mother", "paternal_grandmother", "maternal_grandmother"})


def marks(key: bytes, genotype: Genotype) -> list[tuple[int, bytes]]:
    """The keyed marks of a profile: the whole, and each set of which every locus is typed."""
    found = [(WHOLE, _mark(key, WHOLE, pack(genotype)))]
    for part, loci in enumerate(SETS, start=1):
        some = {locus: genotype.alleles[locus] for locus in loci if locus in genotype.alleles}
        if len(some) == len(loci):
            found.append((part, _mark(key, part, pack(Genotype(some)))))
    return found


def _mark(key: bytes, part: int, packed: bytes) -> bytes:
    return hmac.digest(key, bytes([part]) + packed, "sha256")[:MARK_BYTES]


def same_person(one: Alleles, other: Alleles) -> bool:
    """Are these two profiles of one person (or of identical twins), typing errors allowed?"""
    both = [locus for locus in one if locus in other and locus != AMELOGENIN]
    differing = sum(one[locus] != other[locus] for locus in both)
    return len(both) >= COMPARED_MIN and differing <= DIFFERING_MAX


def wrong_sex(alleles: Alleles, registered_sex: str | None, relation: str | None) -> bool:
    """Does amelogenin contradict the register, or what the person is to the child? False if either is unknown."""
    said = registered_sex or ("male" if relation in MALE else "female" if relation in FEMALE else None)
    typed = alleles.get(AMELOGENIN)
    return bool(said and typed) and ("Y" in (typed or ())) != (said == "male")


def excluded_as_parent(parent: Alleles, child: Alleles) -> list[str]:
    """The loci at which no allele of the child comes from the parent; a mutation makes one or two."""
    both = [locus for locus in child if locus in parent and locus != AMELOGENIN]
    return [locus for locus in both if not set(parent[locus]) & set(child[locus])]


def excluded_as_couple(father: Alleles, mother: Alleles, child: Alleles) -> list[str]:
    """The loci at which the child can't be of both together."""
    return [
        locus
        for locus, (a, b) in child.items()
        if locus in father and locus in mother and locus != AMELOGENIN
        if not ((a in father[locus] and b in mother[locus]) or (b in father[locus] and a in mother[locus]))
    ]


def contradictions(
    relation: str | None, new: Alleles, family: Sequence[tuple[str | None, Alleles]]
) -> Iterator[tuple[str, list[str]]]:
    """With which declared relatives the new profile can't be: their relation, and the inconsistent loci.

    Parents against their children only: between siblings, or uncle and nephew, nothing is ever excluded.
    """
    for other, alleles in family:
        loci: list[str] = []
        if other in PARENT_OF.get(relation or "", ()):
            loci = excluded_as_parent(new, alleles)
        elif relation in PARENT_OF.get(other or "", ()):
            loci = excluded_as_parent(alleles, new)
        if len(loci) >= EXCLUDING_MIN:
            yield str(other), loci
    yield from _of_couples(relation, new, family)


def _of_couples(
    relation: str | None, new: Alleles, family: Sequence[tuple[str | None, Alleles]]
) -> Iterator[tuple[str, list[str]]]:
    everybody = [*family, (relation, new)]
    by = {name: [alleles for said, alleles in everybody if said == name] for name in _COUPLE}
    for father in by["father"]:
        for mother in by["mother"]:
            for child in by["full_sibling"]:
                loci = excluded_as_couple(father, mother, child)
                if relation in _COUPLE and new in (father, mother, child) and len(loci) >= EXCLUDING_MIN:
                    yield "couple", loci


_COUPLE = ("father", "mother", "full_sibling")
