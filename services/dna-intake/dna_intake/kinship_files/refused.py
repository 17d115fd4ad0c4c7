"""What is wrong with a case: a line a trouble, naming locus and person, in both languages; never an allele."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Trouble:
    """One thing to mend; `person` and `locus` are empty where it concerns none, `mend` where `says_en` has it."""

    says_en: str
    says_zh: str
    mend: str
    person: str = ""
    locus: str = ""

    def __str__(self) -> str:
        where = ", ".join(part for part in (self.person, self.locus) if part)
        mend = f" Mend: {self.mend}" if self.mend else ""
        return f"{where + ': ' if where else ''}{self.says_en}{mend}"


class CaseRefused(ValueError):
    """The case can't be weighed; `troubles` says why, all at once."""

    def __init__(self, troubles: Sequence[Trouble]) -> None:
        self.troubles = tuple(troubles)
        super().__init__("\n".join(str(trouble) for trouble in self.troubles))


def refused(says_en: str, says_zh: str, mend: str, *, person: str = "", locus: str = "") -> CaseRefused:
    """One trouble alone."""
    return CaseRefused([Trouble(says_en, says_zh, mend, person, locus)])
