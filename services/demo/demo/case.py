"""A case as the people of the story know it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """A case as its reporter knows it."""

    case_id: str
    code: str
    reported_at: datetime
    answer: Json
