"""What the ground runs as dna-intake."""

from __future__ import annotations

from dna_intake import nightly
from dna_intake.agents import REACTIONS
from dna_intake.api import routers
from dna_intake.clocks import mark_specimens_overdue
from dna_intake.handlers import mark_overdue
from dna_intake.identity import move_plain_links
from dna_intake.matching.matcher import match, matcher, measure_backlog
from guitu.service import Service, Sweep

SERVICE = Service(
    name="dna-intake",
    title="Guitu DNA intake",
    routers=routers,
    reactions=REACTIONS,
    sweeps=(
        Sweep("samples_overdue", 5.0, mark_overdue),
        Sweep("specimens_overdue", 5.0, mark_specimens_overdue),
        Sweep("plain_links", 60.0, move_plain_links),
        Sweep("searches", 0.5, match, woken=True),
        Sweep("all_against_all", 5.0, nightly.go_on, woken=True),
        Sweep("search_backlog", 5.0, measure_backlog),
    ),
    start=matcher,
)
