"""Where this part says that somebody must look; how an alarm is kept and shown is decided elsewhere."""

from __future__ import annotations

from uuid import UUID

from guitu.tx import Tx


async def duty_number_opted_out(tx: Tx, contact_id: UUID) -> None:
    """A duty number refused our SMS: until it changes its mind, or is replaced, others are told instead."""
    tx.audit("alarm.duty_number_opted_out", subject=contact_id)
