"""Alleles as text: repeats, and bases of an incomplete repeat after a point, as in "9.3".

Source of the notation: Bär et al., DNA recommendations of the ISFG on STR systems, Int J Legal Med 110, 1997.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from dna_intake.kinship.refusals import TypingRefused

_ALLELE = re.compile(r"0*([0-9]{1,3})(?:\.([0-9]))?", re.ASCII)


def allele_named(text: str, *, locus: str | None = None, person: str | None = None) -> str:
    """The allele in one spelling: no leading zeros, no ".0".

    Raises: TypingRefused, if the text is not repeats, or repeats, a point and bases ("9", "9.3").
    """
    found = _ALLELE.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None:
        raise TypingRefused(
            f"{text!r} is not an allele; write repeats as text, such as '9' or '9.3', and leave out what is"
            " off ladder.",
            locus=locus,
            person=person,
        )
    whole, bases = str(int(found[1])), found[2] or "0"
    return whole if bases == "0" else f"{whole}.{bases}"


def size_of(allele: str) -> tuple[int, int]:
    """Whole repeats and the bases of an incomplete one, of an allele in our spelling."""
    whole, _, bases = allele.partition(".")
    return int(whole), int(bases or 0)


def in_order(alleles: Iterable[str]) -> tuple[str, ...]:
    """The alleles from short to long, each once."""
    return tuple(sorted(set(alleles), key=size_of))


def steps_between(one: str, other: str) -> int | None:
    """How many whole repeats lie between two alleles; None if it is not a whole number."""
    (a, a_bases), (b, b_bases) = size_of(one), size_of(other)
    return abs(a - b) if a_bases == b_bases else None
