"""What every format is read into: samples with their loci, or a refusal with a line a trouble.

A parser judges form only; ladder, controls and specimens are judged later, for all formats alike. Nothing here
repeats an allele, nor a sample name that is neither a label nor an id: people write names into that column.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

BYTES_MAX = 4 * 1024 * 1024
"""The same bound as for every body; a plate of 384 samples with peak sizes and heights is about 1.5 MB."""
SAMPLES_MAX = 1_000
LOCI_MAX = 64
ALLELES_MAX = 8
"""As in the CODIS schema (CMF-2017.xsd: LOCUS and ALLELE, maxOccurs)."""
NAME_MAX = 80
ALLELE_MAX = 10
TROUBLES_MAX = 500

_SAFE = re.compile(
    r"[0-9A-Za-z*~$=]{5}-?[0-9A-Za-z]{5}-?[0-9A-Za-z*~$=]|[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
)


@dataclass(frozen=True)
class RowTrouble:
    """One thing to mend in a file: where, what, how; never an allele."""

    line: int | None
    specimen: str
    locus: str
    says_en: str
    says_zh: str
    mend: str


class FileRefused(ValueError):
    """The file can't be taken; `rows` has every trouble that was found, and nothing of it was taken."""

    def __init__(self, rows: Sequence[RowTrouble]) -> None:
        self.rows = tuple(rows[:TROUBLES_MAX])
        super().__init__(f"{len(rows)} troubles in the file.")


@dataclass(frozen=True)
class Sample:
    """One sample of a file: `name` is a barcode, a specimen id or a control; its text form hides the alleles."""

    line: int
    name: str
    loci: Mapping[str, tuple[str, ...]] = field(repr=False)
    retyped: tuple[str, ...] = ()
    """Loci that were typed again: an allele off the ladder, or a third one, was seen again."""
    kit: str | None = None


@dataclass(frozen=True)
class Sheet:
    """A file as it was read."""

    format: str
    kit: str | None
    samples: tuple[Sample, ...]


def shown(name: str) -> str:
    """A sample's name as an error may repeat it: a label or an id as it is, anything else not at all."""
    return name if _SAFE.fullmatch(name) else ""


def refused(says_en: str, says_zh: str, mend: str, line: int | None = None) -> FileRefused:
    """A file of which nothing can be read."""
    return FileRefused([RowTrouble(line, "", "", says_en, says_zh, mend)])


def too_many(what: str, most: int) -> FileRefused:
    """A file beyond a bound."""
    return refused(
        f"The file has more than {most} {what}.",
        f"文件超出上限({most})。",
        f"Split it: at most {SAMPLES_MAX} samples, {LOCI_MAX} loci each, {ALLELES_MAX} alleles a locus.",
    )


def row_trouble(
    sample: Sample | None, locus: str, says_en: str, says_zh: str, mend: str, line: int | None = None
) -> RowTrouble:
    """A trouble of a sample, at its line."""
    return RowTrouble(
        line if line is not None else (sample.line if sample else None),
        shown(sample.name) if sample else "",
        locus,
        says_en,
        says_zh,
        mend,
    )
