"""What the ground runs as dna-intake."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from dna_intake import gate, gate_counting, gate_sending, nightly
from dna_intake.agents import REACTIONS
from dna_intake.api import routers
from dna_intake.clocks import mark_specimens_overdue
from dna_intake.handlers import mark_overdue
from dna_intake.identity import move_plain_links
from dna_intake.matching.matcher import match, matcher, measure_backlog
from dna_intake.no_core import leave_no_core
from guitu.service import Runtime, Service, Sweep


@asynccontextmanager
async def start(runtime: Runtime) -> AsyncIterator[None]:
    """Open the matcher's index, and the session that calls offices' systems, before anything can be claimed."""
    leave_no_core()
    async with matcher(runtime), gate_sending.telling_offices(runtime):
        yield


SERVICE = Service(
    name="dna-intake",
    title="Guitu DNA intake",
    routers=routers,
    reactions=REACTIONS,
    start=start,
    sweeps=(
        Sweep("samples_overdue", 5.0, mark_overdue),
        Sweep("specimens_overdue", 5.0, mark_specimens_overdue),
        Sweep("plain_links", 60.0, move_plain_links),
        Sweep("searches", 0.5, match, woken=True),
        Sweep("all_against_all", 5.0, nightly.go_on, woken=True),
        Sweep("search_backlog", 5.0, measure_backlog),
        # Woken by every commit that may change a decision or queue a webhook; the interval is the fallback.
        Sweep("gate_recheck", 2.0, gate.recheck, woken=True),
        Sweep(gate_sending.SWEEP, 1.0, gate_sending.tell_due, woken=True),
        Sweep("gate_count", 10.0, gate_counting.count),
    ),
)
