"""How this laboratory works: its clocks, and the key of profiles and of the identity wall."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from dna_intake.settings import dna_settings
from guitu.settings import Settings
from guitu.vault import master_key


@dataclass(frozen=True)
class Practice:
    """What every step in the laboratory needs to know of the node; its text form hides the key."""

    master: bytes = field(repr=False)
    sample_due_after: timedelta


def practice_of(settings: Settings) -> Practice:
    """The practice that a node's settings describe. Raises: ValueError, with the mend, for a bad vault key."""
    return Practice(master_key(settings.vault_key), dna_settings(settings).sample_due_after)
