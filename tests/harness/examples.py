"""Facts that tests publish; nobody in them exists."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

from contracts.base import Child, Place, Position, ReportId, Sex
from contracts.report import ReportFiled


def report(note: str = "") -> ReportFiled:
    """A fresh report of a fictional child at the county seat."""
    now = datetime.now(UTC)
    return ReportFiled(
        region_code="500235",
        occurred_at=now,
        report_id=ReportId(uuid4()),
        child=Child(sex=Sex.male, age_years=6, appearance="red coat"),
        last_seen_place=Place(position=Position(lon=108.7, lat=30.93)),
        last_seen_at=now,
        note=note,
    )
