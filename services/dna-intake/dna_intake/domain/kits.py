"""A typing kit: which loci it types, and which alleles stand on its ladder.

Kits are data (`dna_intake/kits/*.json`, each with its sources); reading the files belongs to `intake.kits`.
A profile may come from two kits (a child with a mutation is typed with more loci): their names are joined by
" + ", and an allele is on the ladder if it is on either.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dna_intake.domain.profiles import AMELOGENIN

JOINED = " + "
KITS_JOINED_MAX = 3


class KitUnknown(ValueError):
    """No kit of that name; `known` are the ones there are."""

    def __init__(self, known: Sequence[str]) -> None:
        self.known = tuple(known)
        super().__init__(
            f"The kit is not known; known: {', '.join(self.known)}. Join two by '{JOINED.strip()}'."
        )


@dataclass(frozen=True)
class Kit:
    """What a kit can say; `left_out` are markers that it types and that are no part of a profile here."""

    name: str
    ladder: Mapping[str, frozenset[str]]
    left_out: frozenset[str]
    controls: tuple[str, ...]
    sources: tuple[str, ...]

    def types(self, locus: str) -> bool:
        """Does the kit amplify this locus?"""
        return locus in self.ladder

    def on_ladder(self, locus: str, allele: str) -> bool:
        """Does the allele stand on the kit's ladder?"""
        return allele in self.ladder[locus]

    def leaves_out(self, marker: str) -> bool:
        """Is this a marker of the kit that no profile holds: Y-STR, Y-indel, quality sensor?"""
        return key_of(marker) in self.left_out


def key_of(text: str) -> str:
    """How names are compared: case, spaces, hyphens, underscores and trademark signs do not matter."""
    return re.sub(r"[\s_\-™®()]", "", text).upper()


def kit_from(fields: Mapping[str, object]) -> tuple[Kit, tuple[str, ...]]:
    """The kit that a file describes, and the other names it goes by. Raises: KeyError, TypeError."""
    ladder, aliases, sources = fields["ladder"], fields["aliases"], fields["sources"]
    left_out, control = fields["left_out"], fields["control"]
    if not (isinstance(ladder, dict) and isinstance(aliases, list) and isinstance(sources, list)):
        raise TypeError("A kit file has ladder, aliases and sources.")
    kit = Kit(
        name=str(fields["name"]),
        ladder={str(locus): frozenset(str(alleles).split()) for locus, alleles in ladder.items()},
        left_out=frozenset(key_of(str(m)) for m in left_out) if isinstance(left_out, list) else frozenset(),
        controls=(str(control),) if control else (),
        sources=tuple(str(source) for source in sources),
    )
    return kit, tuple(str(alias) for alias in aliases)


def joined(kits: Sequence[Kit]) -> Kit:
    """The kits of one profile as one: every locus that any of them types."""
    if len(kits) == 1:
        return kits[0]
    loci = sorted({locus for kit in kits for locus in kit.ladder})
    return Kit(
        name=JOINED.join(kit.name for kit in kits),
        ladder={
            locus: frozenset[str]().union(*(kit.ladder.get(locus, frozenset()) for kit in kits))
            for locus in loci
        },
        left_out=frozenset[str]().union(*(kit.left_out for kit in kits)),
        controls=tuple(dict.fromkeys(name for kit in kits for name in kit.controls)),
        sources=tuple(source for kit in kits for source in kit.sources),
    )


def kit_named(text: str, kits: Mapping[str, Kit]) -> Kit:
    """The kit, or the kits joined by " + ", that a text names; `kits` by `key_of` their names.

    Raises: KitUnknown.
    """
    parts = [part for part in text.split("+") if part.strip()]
    found = [kits.get(key_of(part)) for part in parts]
    known = [kit for kit in found if kit is not None]
    if not parts or len(parts) > KITS_JOINED_MAX or len(known) != len(parts):
        raise KitUnknown(sorted({kit.name for kit in kits.values()}))
    return joined(_once(known))


def _once(kits: Iterable[Kit]) -> list[Kit]:
    return list({kit.name: kit for kit in kits}.values())


def str_loci(kit: Kit) -> list[str]:
    """The STR loci of a kit, without amelogenin."""
    return [locus for locus in kit.ladder if locus != AMELOGENIN]
