"""One reading of a profile against its kit: what may be entered, what waits for a second typing, what is refused.

Stricter than `profiles`: the locus must be of the kit, the alleles on its ladder. An allele off the ladder is
taken only where the laboratory says that it typed the locus again and saw it again; so is a third allele, and
that locus is left out of searches, since no kinship formula here knows a person with three. What two people
read is compared here too. No message repeats an allele.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from dna_intake.domain.kits import Kit
from dna_intake.domain.packed import LENGTH, pack, unpack
from dna_intake.domain.profiles import (
    AMELOGENIN,
    LOCI_MIN,
    Genotype,
    ProfileRefused,
    Trouble,
    locus_named,
    looked_at,
    size_of,
    too_few,
    wrong_repeats,
)

THREE_ALLELES_MAX = 2
"""Three alleles at more loci than this are a mixture of people, not a rare one (our own choice)."""


@dataclass(frozen=True)
class Typed:
    """A sound reading. `three` are loci with three alleles, which no search sees; its text form hides alleles."""

    kit: str
    genotype: Genotype
    three: Mapping[str, tuple[str, ...]] = field(repr=False)
    three_confirmed: tuple[str, ...] = ()
    off_ladder: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()

    @property
    def three_unconfirmed(self) -> tuple[str, ...]:
        """The loci whose third allele nobody has typed a second time yet."""
        return tuple(locus for locus in self.three if locus not in self.three_confirmed)


def typed_with(
    kit: Kit,
    loci: Mapping[str, Sequence[str]],
    off_ladder_confirmed: Collection[str] = (),
    tri_allelic_confirmed: Collection[str] = (),
) -> Typed:
    """Check a reading against its kit.

    Raises: ProfileRefused, with every trouble at once.
    """
    retyped = {locus_named(name) or name for name in off_ladder_confirmed}
    confirmed = {locus_named(name) or name for name in tri_allelic_confirmed}
    ours = {sent: values for sent, values in loci.items() if not kit.leaves_out(sent)}
    three = _three_alleles(ours)
    genotype, troubles = looked_at({sent: v for sent, v in ours.items() if locus_named(sent) not in three})
    troubles += [t for locus, alleles in three.items() if (t := wrong_repeats(locus, alleles))]
    if len(three) > THREE_ALLELES_MAX:
        troubles.append(_mixture(len(three)))
    told = {trouble.locus for trouble in troubles}
    off: list[str] = []
    for locus, alleles in {**genotype.alleles, **three}.items():
        trouble = None if locus in told else _off(kit, locus, alleles, retyped, off)
        troubles += [trouble] if trouble else []
    if not troubles and genotype.loci_typed < LOCI_MIN:
        troubles.append(too_few(genotype.loci_typed))
    if troubles:
        raise ProfileRefused(troubles)
    ignored = tuple(sorted(set(loci) - set(ours)))
    return Typed(
        kit.name, genotype, three, tuple(sorted(confirmed & set(three))), tuple(sorted(off)), ignored
    )


def _three_alleles(loci: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """STR loci with three different alleles; a locus that is there twice is left for `looked_at` to refuse."""
    named = [(locus_named(sent), values) for sent, values in loci.items()]
    names = [name for name, _ in named]
    return {
        name: tuple(sorted(values, key=_order))
        for name, values in named
        if name and name != AMELOGENIN and names.count(name) == 1 and len(set(values)) == len(values) == 3
    }


def _order(allele: str) -> tuple[int, int]:
    try:
        return size_of(allele)
    except ValueError:
        return (0, 0)


def _off(
    kit: Kit, locus: str, alleles: Sequence[str], retyped: Collection[str], off: list[str]
) -> Trouble | None:
    if not kit.types(locus):
        mend = f"{kit.name} does not amplify it: name the right kit, or join two names by ' + '."
        return Trouble(locus, "The kit does not type this locus.", "该试剂盒不含此基因座。", mend)
    if all(kit.on_ladder(locus, allele) for allele in alleles):
        return None
    if locus in retyped:
        off.append(locus)
        return None
    mend = (
        "Type the locus again; if the allele is there again, send it with the locus in off_ladder_confirmed, "
        "else leave the locus out."
    )
    return Trouble(
        locus, "An allele is off the ladder of the kit.", "等位基因不在试剂盒阶梯(Ladder)内。", mend
    )


def _mixture(loci: int) -> Trouble:
    return Trouble(
        "profile",
        f"Three alleles at {loci} loci: this looks like a mixture of people.",
        f"{loci}个基因座出现三个等位基因,疑为混合样本。",
        "Extract and amplify again; if it stays so, reject the specimen and have a new one taken.",
    )


def differing(one: Typed, other: Typed) -> tuple[str, ...]:
    """The loci at which two readings differ, a locus that only one of them has among them; empty if they agree."""
    a, b = {**one.genotype.alleles, **one.three}, {**other.genotype.alleles, **other.three}
    loci = sorted(locus for locus in {*a, *b} if a.get(locus) != b.get(locus))
    return tuple(["kit"] * (one.kit != other.kit) + loci)


def as_bytes(reading: Typed) -> bytes:
    """A reading as it is sealed until both are in: the packed genotype, then the loci with three alleles."""
    rest = {
        "kit": reading.kit,
        "three": {locus: list(alleles) for locus, alleles in reading.three.items()},
        "three_confirmed": reading.three_confirmed,
        "off_ladder": reading.off_ladder,
    }
    return pack(reading.genotype) + json.dumps(rest, sort_keys=True).encode()


def from_bytes(sealed: bytes) -> Typed:
    """The reading that was sealed."""
    rest = json.loads(sealed[LENGTH:])
    return Typed(
        kit=rest["kit"],
        genotype=unpack(sealed[:LENGTH]),
        three={locus: tuple(alleles) for locus, alleles in rest["three"].items()},
        three_confirmed=tuple(rest["three_confirmed"]),
        off_ladder=tuple(rest["off_ladder"]),
    )
