"""What was accepted, as those remember it who were told so: the auditor holds the services to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True)
class Accepted:
    """A report that was answered with 2xx, or that the broker acknowledged; `case_id` only over HTTP."""

    report_id: UUID
    case_id: UUID | None
    lon: float
    lat: float
    seen_at: datetime


@dataclass
class Promises:
    """Everything that was accepted, and where an answer contradicted an earlier one."""

    reports: dict[UUID, Accepted] = field(default_factory=dict)
    stand_downs: set[UUID] = field(default_factory=set)
    updates: set[UUID] = field(default_factory=set)
    sightings: dict[UUID, UUID] = field(default_factory=dict)
    """Sighting id to case id."""
    answers: dict[str, str] = field(default_factory=dict)
    """The provider's id of an SMS that came in, and the code it answered with."""
    contradictions: list[str] = field(default_factory=list)

    def report(self, accepted: Accepted) -> None:
        """Remember a report; a second answer must say the same."""
        before = self.reports.setdefault(accepted.report_id, accepted)
        if before.case_id != accepted.case_id:
            self.contradictions.append(f"Report {accepted.report_id}: {before.case_id}, {accepted.case_id}")
