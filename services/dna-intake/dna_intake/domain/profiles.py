"""Is a profile sound? Known loci, one or two alleles each, on the ladder's notation and in its range.

Every trouble of a profile is told at once, a line a locus with its mend; no message repeats an allele: an
error may end up in a log. The ladder of the kit is `domain.typed`; who it may be confused with, `domain.likeness`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


class Locus(NamedTuple):
    """A marker: smallest and largest plausible repeat number, and the length of its repeat in bases."""

    repeats_min: int
    repeats_max: int
    repeat_bases: int


# Autosomal STR loci of the common kits. The ranges are general knowledge and wide on purpose: they hold every
# allele of the norSTR and NIST 1036 tables and of the kits' ladders, as tests say; they catch typing errors, not
# rare people.
LOCI: dict[str, Locus] = {
    "CSF1PO": Locus(5, 17, 4),
    "D10S1248": Locus(7, 19, 4),
    "D12S391": Locus(13, 28, 4),
    "D13S317": Locus(5, 17, 4),
    "D16S539": Locus(4, 17, 4),
    "D18S51": Locus(7, 40, 4),
    "D19S433": Locus(5, 20, 4),
    "D1S1656": Locus(8, 21, 4),
    "D21S11": Locus(12, 44, 4),
    "D22S1045": Locus(7, 20, 3),
    "D2S1338": Locus(10, 31, 4),
    "D2S441": Locus(8, 17, 4),
    "D3S1358": Locus(6, 26, 4),
    "D5S818": Locus(4, 29, 4),
    "D6S1043": Locus(7, 26, 4),
    "D7S820": Locus(5, 17, 4),
    "D8S1179": Locus(5, 20, 4),
    "FGA": Locus(12, 52, 4),
    "Penta D": Locus(1, 19, 5),
    "Penta E": Locus(4, 32, 5),
    "SE33": Locus(3, 50, 4),
    "TH01": Locus(3, 14, 4),
    "TPOX": Locus(4, 16, 4),
    "vWA": Locus(10, 25, 4),
}
AMELOGENIN = "Amelogenin"
LOCI_MIN = 15
"""Fewer loci than this give too many chance hits to be entered: expected strangers by panel, docs/candidates.md."""
LOCI_WHOLE = 19
"""A profile with fewer loci is entered, but marked as partial."""

_ALLELE = re.compile(r"([1-9][0-9]?)(?:\.([1-9]))?", re.ASCII)
# THO1 and TP0X stand in the CODIS schema beside the right names (CMF-2017.xsd, LocusNameType).
_ALIASES = {"AMEL": AMELOGENIN, "AM": AMELOGENIN, "AMG": AMELOGENIN, "THO1": "TH01", "TP0X": "TPOX"}


@dataclass(frozen=True)
class Trouble:
    """What is wrong with one locus, and how to mend it; never which alleles."""

    locus: str
    says_en: str
    says_zh: str
    mend: str


class ProfileRefused(Exception):
    """The profile can't be entered; `troubles` has a line a locus."""

    def __init__(self, troubles: Sequence[Trouble]) -> None:
        self.troubles = tuple(troubles)
        super().__init__("Refused at " + ", ".join(trouble.locus for trouble in self.troubles) + ".")


@dataclass(frozen=True)
class Genotype:
    """A sound profile: two alleles a locus, in order; its text form hides them."""

    alleles: Mapping[str, tuple[str, str]] = field(repr=False)

    @property
    def loci_typed(self) -> int:
        """How many STR loci are typed; amelogenin does not count, it tells sex, not kinship."""
        return sum(1 for locus in self.alleles if locus != AMELOGENIN)

    @property
    def partial(self) -> bool:
        """True if a search with it will find more strangers than usual."""
        return self.loci_typed < LOCI_WHOLE


def genotype_of(loci: Mapping[str, Sequence[str]]) -> Genotype:
    """Check a profile as the laboratory sent it; one allele means both are the same.

    Raises: ProfileRefused, with every trouble at once.
    """
    genotype, troubles = looked_at(loci)
    if not troubles and genotype.loci_typed < LOCI_MIN:
        troubles.append(too_few(genotype.loci_typed))
    if troubles:
        raise ProfileRefused(troubles)
    return genotype


def looked_at(loci: Mapping[str, Sequence[str]]) -> tuple[Genotype, list[Trouble]]:
    """What is sound of a profile, and what is wrong with the rest; how many loci there are is not judged."""
    alleles: dict[str, tuple[str, str]] = {}
    troubles: list[Trouble] = []
    for sent, values in loci.items():
        name = locus_named(sent)
        trouble = _trouble_with(name, sent, values, alleles)
        if trouble is not None:
            troubles.append(trouble)
        elif name is not None:
            alleles[name] = _in_order(name, values)
    return Genotype({name: alleles[name] for name in sorted(alleles)}), troubles


def locus_named(sent: str) -> str | None:
    """The locus that is meant; case, spaces, hyphens and underscores do not matter. None if unknown."""
    key = _key(sent)
    return _ALIASES.get(key) or _BY_KEY.get(key)


def _key(name: str) -> str:
    return re.sub(r"[\s_-]", "", name).upper()


_BY_KEY = {_key(name): name for name in (*LOCI, AMELOGENIN)}


def _trouble_with(
    name: str | None, sent: str, values: Sequence[str], known: Mapping[str, tuple[str, str]]
) -> Trouble | None:
    if name is None:
        supported = ", ".join((*LOCI, AMELOGENIN))
        return Trouble(
            sent[:20], "The locus is not known.", "未知基因座。", f"Leave it out; known: {supported}."
        )
    if name in known:
        return Trouble(name, "The locus is there twice.", "基因座重复。", "Send each locus once.")
    if not 1 <= len(values) <= 2:
        mend = "Send one or two alleles; type a third one again, or leave the locus out."
        return Trouble(name, f"It has {len(values)} alleles.", f"有{len(values)}个等位基因。", mend)
    return _wrong_sex(values) if name == AMELOGENIN else wrong_repeats(name, values)


def _wrong_sex(values: Sequence[str]) -> Trouble | None:
    if set(values) <= {"X", "Y"} and "X" in values:
        return None
    mend = 'Send ["X"] or ["X", "Y"]; without X, type it again.'
    return Trouble(AMELOGENIN, "It must be X or X, Y.", "应为X或X、Y。", mend)


def wrong_repeats(name: str, values: Sequence[str]) -> Trouble | None:
    """What is wrong with the alleles of an STR locus, however many there are."""
    locus = LOCI[name]
    matches = [_ALLELE.fullmatch(value) for value in values]
    if not all(matches):
        mend = (
            'Send repeats as text, such as "9" or "9.3"; size "OL" between its neighbours, or leave it out.'
        )
        return Trouble(name, "An allele is not a repeat number.", "等位基因格式不正确。", mend)
    if any(int(m[2] or 0) >= locus.repeat_bases for m in matches if m):
        mend = f"The part after the point counts bases: .1 to .{locus.repeat_bases - 1} at this locus."
        return Trouble(name, "An allele has an impossible microvariant.", "等位基因的微变异不可能。", mend)
    if any(not locus.repeats_min <= int(m[1]) <= locus.repeats_max for m in matches if m):
        mend = f"Plausible are {locus.repeats_min} to {locus.repeats_max}; compare with the electropherogram."
        return Trouble(name, "An allele is out of range.", "等位基因超出范围。", mend)
    return None


def _in_order(name: str, values: Sequence[str]) -> tuple[str, str]:
    order = sorted(values, key=None if name == AMELOGENIN else size_of)
    return order[0], order[-1]


def size_of(allele: str) -> tuple[int, int]:
    """The order of alleles: repeats, then bases."""
    whole, _, part = allele.partition(".")
    return int(whole), int(part or 0)


def too_few(typed: int) -> Trouble:
    """A profile that finds too many strangers to be entered."""
    return Trouble(
        "profile",
        f"It has {typed} STR loci; {LOCI_MIN} are the least.",
        f"仅有{typed}个STR基因座,至少需要{LOCI_MIN}个。",
        "Amplify again, or reject the specimen and have a new one taken.",
    )
