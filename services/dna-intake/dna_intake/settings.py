"""What an operator can set in this service; each with the help text that `guitu settings` prints."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from guitu.settings import Settings


class DnaSettings(Settings):
    """The ground's settings and the clock of the parents' sample."""

    sample_due_h: Annotated[
        float, Field(description="Hours after the alert in which the parents' blood is taken.", gt=0, le=720)
    ] = 2.0
    overdue_batch: Annotated[
        int, Field(description="Sample requests marked overdue in one transaction.", ge=1, le=1000)
    ] = 200

    @property
    def sample_due_after(self) -> timedelta:
        """How long after the alert the parents' sample is due."""
        return timedelta(hours=self.sample_due_h)


def dna_settings(settings: Settings) -> DnaSettings:
    """The service's own settings, whichever class the process was started with.

    A tool or a test may run the service with the ground's settings alone; then ours come from their defaults.
    """
    return settings if isinstance(settings, DnaSettings) else DnaSettings(**settings.model_dump())
