"""How this laboratory works: its clocks, and the key of profiles and of the identity wall."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from dna_intake.domain.custody import State
from dna_intake.settings import dna_settings
from guitu.settings import Settings
from guitu.vault import master_key


@dataclass(frozen=True)
class Practice:
    """What every step in the laboratory needs to know of the node; its text form hides the key."""

    master: bytes = field(repr=False)
    sample_due_after: timedelta
    step_due_after: Mapping[State, timedelta]
    missing_due_after: timedelta

    def due(self, state: State, since: datetime) -> datetime | None:
        """When a specimen that came into a state should leave it; None where nothing is left to do."""
        after = self.step_due_after.get(state)
        return since + after if after else None


def practice_of(settings: Settings) -> Practice:
    """The practice that a node's settings describe. Raises: ValueError, with the mend, for a bad vault key."""
    own = dna_settings(settings)
    missing = timedelta(hours=own.missing_h)
    return Practice(master_key(settings.vault_key), own.sample_due_after, own.step_due_after, missing)
