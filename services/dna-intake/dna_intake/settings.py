"""What an operator can set in this service; each with the help text that `guitu settings` prints."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Annotated

from pydantic import Field

from dna_intake.matching.terms import Thresholds
from guitu.settings import Settings


class DnaSettings(Settings):
    """The ground's settings and the clock of the parents' sample."""

    sample_due_h: Annotated[
        float, Field(description="Hours after the alert in which the parents' blood is taken.", gt=0, le=720)
    ] = 2.0
    overdue_batch: Annotated[
        int, Field(description="Sample requests marked overdue in one transaction.", ge=1, le=1000)
    ] = 200

    frequency_table: Annotated[
        str,
        Field(
            description="Allele frequencies of the search: norstr_east_asia or nist1036_asian, or the path of a table "
            "(docs/kinship.md). A change holds from the next start of the matcher; every candidate names its table."
        ),
    ] = "norstr_east_asia"
    search_inconsistent_max: Annotated[
        int,
        Field(
            description="Loci at which a parent and a child may share no allele and still be a lead. Three exclude "
            "in GB/T 37223-2018 (by secondary sources), so two may be mutations.",
            ge=0,
            le=4,
        ),
    ] = 2
    search_lr_min: Annotated[
        float,
        Field(
            description="Least likelihood ratio of a lead. 10,000 supports a named pair (GB/T 37223-2018, by secondary "
            "sources); in a search it is a threshold for looking, and posteriors rank what it lets through.",
            ge=1,
            le=1e12,
        ),
    ] = 1e4
    leads_max: Annotated[
        int,
        Field(
            description="Candidates that one search may add, the most probable first (our own choice).",
            ge=1,
            le=1000,
        ),
    ] = 200
    reveals_a_day: Annotated[
        int,
        Field(
            description="Confirmed candidates that one person may have opened within 24 hours (our own choice).",
            ge=0,
            le=1000,
        ),
    ] = 20
    all_against_all_at: Annotated[
        str,
        Field(
            description="Beijing time of the nightly comparison of all children with all families, HH:MM.",
            pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$",
        ),
    ] = "02:00"

    @property
    def thresholds(self) -> Thresholds:
        """From what on a pair is a lead."""
        return Thresholds(self.search_inconsistent_max, self.search_lr_min, self.leads_max)

    @property
    def all_against_all_time(self) -> time:
        """When the nightly comparison begins, Beijing time."""
        return time.fromisoformat(self.all_against_all_at)

    @property
    def sample_due_after(self) -> timedelta:
        """How long after the alert the parents' sample is due."""
        return timedelta(hours=self.sample_due_h)


def dna_settings(settings: Settings) -> DnaSettings:
    """The service's own settings, whichever class the process was started with.

    A tool or a test may run the service with the ground's settings alone; then ours come from their defaults.
    """
    return settings if isinstance(settings, DnaSettings) else DnaSettings(**settings.model_dump())
