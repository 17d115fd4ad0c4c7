"""What the service and the matcher's process say to each other, in a module that reads no library."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from typing import Any

ENGINE = "dna_intake.matching.engine"


@dataclass(frozen=True)
class Source:
    """Where the profiles lie, and the key that opens them; its text form hides both."""

    url: str = field(repr=False)
    role: str
    schema: str
    master: bytes = field(repr=False)
    held: tuple[int, ...]
    partitions: int


@dataclass(frozen=True)
class Thresholds:
    """From what on a pair is a lead; the settings name them with their sources.

    `inconsistent_max`: loci at which parent and child may differ. `lr_min`: the least ratio of a lead.
    `leads_max`: leads of one search and relation, the best first.
    """

    inconsistent_max: int = 2
    lr_min: float = 1e4
    leads_max: int = 200


@dataclass(frozen=True)
class Status:
    """How the index is, after a request that changed it."""

    generation: int
    profiles: int
    nbytes: int
    unreadable: int


def engine(request: str, *arguments: Any) -> Any:
    """Let the engine answer: called in the matcher's process, which alone reads the engine's libraries."""
    return getattr(importlib.import_module(ENGINE), request)(*arguments)
