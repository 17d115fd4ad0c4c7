"""A Familias `.fam` file line by line: each read says what it expects, and a surprise is refused with its line.

The format has no published grammar; its order of lines was learnt from files that Familias 3 wrote and from what
two programs read and write (magnusdv/pedFamilias, thoree/Familias). Whatever differs from that is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from dna_intake.kinship_files.refused import CaseRefused, refused

LINES_MAX = 200_000
TRUE, FALSE = "#TRUE#", "#FALSE#"


class FamLines:
    """The lines of one file, read once from top to bottom."""

    def __init__(self, text: str) -> None:
        self._lines: Sequence[str] = text.splitlines()
        self._at = 0
        if len(self._lines) > LINES_MAX:
            raise refused(
                f"The file has {len(self._lines)} lines.", "文件过长。", f"{LINES_MAX} lines are the most."
            )

    @property
    def line(self) -> int:
        """Number of the line that was read last, from 1."""
        return self._at

    @property
    def ended(self) -> bool:
        """Is nothing left but empty lines?"""
        return not any(line.strip() for line in self._lines[self._at :])

    def peek(self) -> str:
        """The next line without reading it; empty at the end."""
        return self._lines[self._at].strip() if self._at < len(self._lines) else ""

    def take(self, expected: str) -> str:
        """The next line, without blanks around it. Raises: CaseRefused, at the end of the file."""
        if self._at >= len(self._lines):
            raise refused(
                f"The file ends after line {self._at}, where {expected} was expected.",
                f"文件在第{self._at}行后中断。",
                "Save it once more with Familias, and send the whole file.",
            )
        self._at += 1
        return self._lines[self._at - 1].strip()

    def text(self, expected: str) -> str:
        """A text in quotation marks, without them."""
        line = self.take(expected)
        if len(line) < 2 or line[0] != '"' or line[-1] != '"':
            raise self.surprise(expected + " in quotation marks")
        return line[1:-1]

    def integer(self, expected: str, most: int) -> int:
        """A whole number from 0 to `most`."""
        line = self.take(expected)
        if not line.isdecimal() or not line.isascii() or len(line) > 9 or int(line) > most:
            raise self.surprise(f"{expected}, a whole number from 0 to {most}")
        return int(line)

    def number(self, expected: str) -> float:
        """A number from 0 to 1; Familias on Windows writes 1e-006."""
        line = self.take(expected)
        try:
            value = float(line)
        except ValueError:
            value = -1.0
        if not isfinite(value) or not 0.0 <= value <= 1.0:
            raise self.surprise(f"{expected}, a number from 0 to 1")
        return value

    def flag(self, expected: str) -> bool:
        """#TRUE# or #FALSE#."""
        line = self.take(expected)
        if line not in (TRUE, FALSE):
            raise self.surprise(f"{expected}, {TRUE} or {FALSE}")
        return line == TRUE

    def surprise(self, expected: str) -> CaseRefused:
        """The refusal of the line that was read last."""
        return refused(
            f"Line {self._at} is not {expected}.",
            f"第{self._at}行格式不符。",
            "Save the file once more with Familias 3, or write the case as JSON (docs/lr_files.md).",
        )

    def cannot(self, what: str, mend: str, *, person: str = "", locus: str = "") -> CaseRefused:
        """The refusal of something that is well-formed, and that we can't represent."""
        return refused(
            f"Line {self._at}: {what}", f"第{self._at}行:内容无法表示。", mend, person=person, locus=locus
        )
