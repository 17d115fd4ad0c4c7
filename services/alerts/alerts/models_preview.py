"""HTTP bodies of a report's preview."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel

from alerts.models import DuplicateOut, ReportIn
from contracts.base import Child, LongText, Tier

NOT_SAID_YET = "…"
"""Stands for the appearance while the operator still types it: the preview need not wait for the last field."""


class ReportPreviewIn(ReportIn):
    """A report as far as it is typed: the same fields, and the appearance may still be empty."""

    appearance: LongText = ""

    def child(self) -> Child:
        """What may be said of the child by now."""
        said = self.appearance or NOT_SAID_YET
        return Child(sex=self.sex, age_years=self.age_years, height_cm=self.height_cm, appearance=said)


class RingOut(BaseModel):
    """A ring that would be told, when, and whether at once."""

    step: int
    radius_km: float
    due_at: datetime
    at_once: bool


class PreviewOut(BaseModel):
    """What the report would become. `told` is what others would read of it, without the family's names."""

    region_code: str
    tier: Tier
    ring: dict[str, Any]
    rings: list[RingOut]
    exercise: bool
    told: dict[str, Any]
    possible_duplicates: list[DuplicateOut]
