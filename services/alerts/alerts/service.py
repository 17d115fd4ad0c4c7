"""What the ground runs as alerts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from alerts.agents import REACTIONS
from alerts.api import routers
from alerts.handlers import widen_rings
from guitu import vault
from guitu.service import Runtime, Service, Sweep


@asynccontextmanager
async def vault_ready(runtime: Runtime) -> AsyncIterator[None]:
    """Refuse to start without a vault key: a report with names would fail at the worst moment."""
    vault.master_key(runtime.settings.vault_key)
    yield


SERVICE = Service(
    name="alerts",
    title="Guitu alerts",
    routers=routers,
    reactions=REACTIONS,
    sweeps=(Sweep("rings_due", 0.5, widen_rings),),
    start=vault_ready,
)
