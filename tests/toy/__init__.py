"""A service of the tests' own: it reads guitu.reports and remembers what it saw, doubles included."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from contracts.report import ReportFiled
from guitu.service import Reaction, Service
from guitu.stream import FactRefused
from guitu.tx import Tx

broken = {"on": True}
"""While on, a report with the note "unbearable" can't be handled."""


async def remember(tx: Tx, fact: ReportFiled) -> None:
    """One row an effect: a second effect would show as a second row."""
    if fact.note == "unbearable" and broken["on"]:
        raise LookupError("This report cannot be borne.")
    if fact.note == "untrue":
        raise FactRefused("It can't be true. Ask who wrote it.")
    if fact.note == "slow":
        await pass_gate()
    await tx.conn.execute("insert into seen (report_id, note) values ($1, $2)", fact.report_id, fact.note)
    tx.audit("report.seen", subject=fact.report_id)


async def pass_gate() -> None:
    """Say that the handler is at work, and go on once the gate is open (20 s at most); files, since we are killed."""
    gate = Path(os.environ["TOY_GATE"])
    gate.with_suffix(".reached").touch()
    for _ in range(200):
        if gate.exists():
            return
        await asyncio.sleep(0.1)


TOY = Service("toy", "toy", lambda runtime: (), [Reaction(ReportFiled, remember)])
