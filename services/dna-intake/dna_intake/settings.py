"""What an operator can set in this service; each with the help text that `guitu settings` prints."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Annotated

from pydantic import Field

from dna_intake.domain.custody import State
from dna_intake.matching.terms import Thresholds
from dna_intake.settings_gate import GateSettings
from guitu.settings import Settings

# How long a step may take is our own choice: a working day or two where people carry tubes, a shift where a
# machine works. A laboratory sets what its own rules say.
Hours = Annotated[float, Field(gt=0, le=8760)]


class DnaSettings(GateSettings):
    """The ground's settings, the gate's, the clock of the parents' sample, and those of the laboratory's steps."""

    sample_due_h: Annotated[
        float, Field(description="Hours after the alert in which the parents' blood is taken.", gt=0, le=720)
    ] = 2.0
    overdue_batch: Annotated[
        int, Field(description="Rows marked overdue in one transaction.", ge=1, le=1000)
    ] = 200

    step_registered_h: Annotated[Hours, Field(description="Hours from the label to the taken sample.")] = 24
    step_collected_h: Annotated[Hours, Field(description="Hours from the sample to the laboratory.")] = 48
    step_received_h: Annotated[Hours, Field(description="Hours until the DNA is extracted.")] = 24
    step_extracted_h: Annotated[Hours, Field(description="Hours until it is quantified.")] = 12
    step_quantified_h: Annotated[Hours, Field(description="Hours until it is amplified.")] = 12
    step_amplified_h: Annotated[Hours, Field(description="Hours until it is typed.")] = 24
    step_typed_h: Annotated[Hours, Field(description="Hours until the reading is checked.")] = 24
    step_quality_checked_h: Annotated[Hours, Field(description="Hours until the profile is entered.")] = 24
    step_rejected_h: Annotated[Hours, Field(description="Hours until a lost sample is taken again.")] = 48
    step_withdrawn_h: Annotated[Hours, Field(description="Hours until a withdrawn one is expunged.")] = 72
    missing_h: Annotated[
        Hours, Field(description="Hours to find a tube that its shipment list names and its box lacks.")
    ] = 4
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

    @property
    def step_due_after(self) -> dict[State, timedelta]:
        """How long a specimen may stay in each state that has a clock."""
        return {
            "registered": timedelta(hours=self.step_registered_h),
            "collected": timedelta(hours=self.step_collected_h),
            "received": timedelta(hours=self.step_received_h),
            "extracted": timedelta(hours=self.step_extracted_h),
            "quantified": timedelta(hours=self.step_quantified_h),
            "amplified": timedelta(hours=self.step_amplified_h),
            "typed": timedelta(hours=self.step_typed_h),
            "quality_checked": timedelta(hours=self.step_quality_checked_h),
            "rejected": timedelta(hours=self.step_rejected_h),
            "withdrawn": timedelta(hours=self.step_withdrawn_h),
        }


def dna_settings(settings: Settings) -> DnaSettings:
    """The service's own settings, whichever class the process was started with.

    A tool or a test may run the service with the ground's settings alone; then ours come from their defaults.
    """
    return settings if isinstance(settings, DnaSettings) else DnaSettings(**settings.model_dump())
