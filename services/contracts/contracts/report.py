"""The first word: a child is missing. Written by our own API or by an outside system."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from contracts.base import Child, Fact, LongText, Moment, Place, ReportId, ShortText, TravelMode


class ReportFiled(Fact):
    """A missing-child report: five facts suffice (place, time, sex, age, appearance), nothing else blocks.

    Carries no name, phone or photo: those go to the vault of alerts over HTTP and stay there.
    """

    type_: ClassVar[str] = "guitu.report.filed.v1"

    report_id: ReportId
    child: Child
    last_seen_place: Place
    last_seen_at: Moment
    circumstance: Literal["unknown", "lost", "runaway", "abduction"] = "unknown"
    suspected_mode: TravelMode = TravelMode.unknown
    vehicle: ShortText = ""
    companion: LongText = ""
    note: LongText = ""
    source: ShortText = Field(default="", description="Which system or desk filed it, e.g. '110'.")
