"""Which frequency table the searches of this node are made with, as a decision of the gate states it."""

from __future__ import annotations

import asyncio
from functools import lru_cache

from dna_intake.settings import DnaSettings

_KNOWN_MAX = 8


async def table_of(settings: DnaSettings) -> str | None:
    """The SHA-256 of the table that is set now; None if it can't be read, which the matcher complains about.

    A table that is changed holds for searches from the matcher's next start; what was compared before is not compared
    again by itself.
    """
    return await asyncio.to_thread(_sha256_of, settings.frequency_table)


@lru_cache(_KNOWN_MAX)
def _sha256_of(name: str) -> str | None:
    # Read late and in a thread: the library takes half a second to load.
    from dna_intake.kinship import KinshipRefused, load_table

    try:
        return load_table(name).sha256
    except KinshipRefused:
        return None
