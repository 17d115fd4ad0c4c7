"""What the ground runs as console."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from fastapi import APIRouter

from console.assets import assets_router
from console.audit.page import audit_router
from console.board.acts import acts_router
from console.board.command import command_router
from console.board.map import map_router
from console.board.page import board_router
from console.case_file.act_routes import case_acts_router
from console.case_file.page import case_file_page_router
from console.case_file.triage import sightings_router
from console.cases.page import cases_router
from console.county.roads import roads_router
from console.county.sites import sites_router
from console.county.units import units_router
from console.dna import dna_routers
from console.dna.gate import gate_router
from console.door.page import door_router
from console.door.sessions import forget_old
from console.drill.page import drill_router
from console.drill.runner import run_drills
from console.figures.page import figures_router
from console.live.age import age_router
from console.live.hub import forget_old_changes, open_hub
from console.live.stream import live_router
from console.messages.alarms import alarms_router
from console.messages.inbox import inbox_router
from console.messages.texts import texts_router
from console.places.page import places_router
from console.projection.agents import REACTIONS
from console.raising.page import raise_router
from console.raising.raised import raised_router
from console.refusals import dress
from console.rendering import HEADERS
from console.settings import console_settings
from console.shell import shell_router
from console.upstream import Upstream
from guitu.service import Runtime, Service, Sweep


def routers(runtime: Runtime) -> Sequence[APIRouter]:
    """Every page; each room brings its own router."""
    return (
        assets_router(HEADERS),
        door_router(runtime),
        audit_router(runtime),
        shell_router(runtime),
        *dna_routers(),
        gate_router(),
        sites_router(),
        roads_router(),
        units_router(),
        age_router(runtime),
        live_router(runtime),
        cases_router(runtime),
        figures_router(runtime),
        case_acts_router(runtime),
        case_file_page_router(runtime),
        sightings_router(runtime),
        board_router(runtime),
        acts_router(runtime),
        command_router(runtime),
        map_router(runtime),
        raise_router(runtime),
        raised_router(runtime),
        places_router(runtime),
        drill_router(runtime),
        texts_router(),
        inbox_router(),
        alarms_router(),
    )


@asynccontextmanager
async def start(runtime: Runtime) -> AsyncIterator[None]:
    """Open what lives as long as the process: the way to the other services, the hub of the live streams."""
    async with Upstream(console_settings(runtime.settings)) as upstream, open_hub(runtime):
        runtime.state["upstream"] = upstream
        yield


SERVICE = Service(
    name="console",
    title="Guitu console 指挥台",
    routers=routers,
    reactions=REACTIONS,
    sweeps=(
        Sweep("drills", 0.5, run_drills),
        Sweep("changes_old", 60.0, forget_old_changes),
        Sweep("old_sessions", 3_600, forget_old),
    ),
    start=start,
    dress=dress,
)
