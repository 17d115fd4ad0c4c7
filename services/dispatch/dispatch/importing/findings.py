"""What a look at a whole network finds, and how bad it is; words are in `report`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Severity = Literal["error", "warning", "note"]
EXAMPLES_MAX = 8


@dataclass(frozen=True)
class Finding:
    """One kind of thing found `count` times, with the first ids; `values` fill its sentence.

    An error keeps the network out; a warning is for a person to judge; a note only tells.
    """

    code: str
    severity: Severity
    count: int = 1
    examples: tuple[str, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """Everything found, the worst first, with the network's size and kinds."""

    version: str
    summary: Mapping[str, Any]
    findings: tuple[Finding, ...]

    def of(self, severity: Severity) -> tuple[Finding, ...]:
        """The findings of one severity."""
        return tuple(one for one in self.findings if one.severity == severity)

    def is_good(self, *, strict: bool = False) -> bool:
        """Nothing keeps the network out; with `strict` warnings do too."""
        return not self.of("error") and not (strict and self.of("warning"))


def finding(code: str, severity: Severity, ids: Iterable[str], **values: Any) -> list[Finding]:
    """A finding about these ids; none if there are none."""
    found = list(ids)
    return [Finding(code, severity, len(found), tuple(found[:EXAMPLES_MAX]), values)] if found else []
