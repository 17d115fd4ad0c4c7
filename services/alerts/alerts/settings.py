"""What an operator can set in this service; each with the help text that `guitu settings` prints."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import Field

from alerts.domain.rings import RingStep
from guitu.settings import Settings

PACKAGED_OUTLINES = Path(__file__).parent / "data" / "yunyang" / "outline.geojson"
PREFIX_ELSEWHERE = "GT"


class AlertSettings(Settings):
    """The ground's settings, and what a report and a ring may be."""

    case_prefixes: Annotated[
        dict[str, Annotated[str, Field(pattern=r"^[A-Z]{2}$")]],
        Field(description="Two letters a region's case codes start with, as JSON; elsewhere GT."),
    ] = Field(default_factory=lambda: {"500235": "CY"})
    area_outlines: Annotated[
        Path, Field(description="GeoJSON with an outline a region (property region_code), WGS-84.")
    ] = PACKAGED_OUTLINES
    area_margin_km: Annotated[
        float, Field(description="How far outside the region's outline a report may lie.", ge=0, le=2000)
    ] = 60.0
    future_tolerance_s: Annotated[
        float, Field(description="How far ahead of our clock a reported time may be.", ge=0, le=3600)
    ] = 120.0
    ring_radii_km: Annotated[
        tuple[Annotated[float, Field(gt=0, le=2000)], ...],
        Field(
            description="Radii of the rings, told 0, 1, 2, ... h after last seen.",
            min_length=1,
            max_length=10,
        ),
    ] = (100.0, 200.0, 300.0, 500.0)
    ring_batch: Annotated[int, Field(description="Cases widened in one transaction.", ge=1, le=500)] = 50
    publisher_zh: Annotated[str, Field(description="Who publishes posters, in Chinese.", max_length=40)] = (
        "云阳县公安局"
    )
    publisher_en: Annotated[str, Field(description="Who publishes posters, in English.", max_length=60)] = (
        "Yunyang County Public Security Bureau"
    )
    publication_phone: Annotated[
        str, Field(description="Whom posters say to call.", pattern=r"^[0-9+ -]{3,20}$")
    ] = "110"

    @property
    def future_tolerance(self) -> timedelta:
        """How far ahead of our clock a reported time may be."""
        return timedelta(seconds=self.future_tolerance_s)

    @property
    def ring_schedule(self) -> tuple[RingStep, ...]:
        """The rings by the hour."""
        return tuple(RingStep(n, timedelta(hours=n), radius) for n, radius in enumerate(self.ring_radii_km))

    def case_prefix(self, region_code: str) -> str:
        """The two letters of a region's case codes."""
        return self.case_prefixes.get(region_code, PREFIX_ELSEWHERE)


def alert_settings(settings: Settings) -> AlertSettings:
    """The service's own settings, whichever class the process was started with.

    A tool or a test may run the service with the ground's settings alone; then ours come from their defaults.
    """
    return settings if isinstance(settings, AlertSettings) else AlertSettings(**settings.model_dump())
