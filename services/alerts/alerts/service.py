"""What the ground runs as alerts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from alerts import photos
from alerts.agents import REACTIONS
from alerts.api import routers
from alerts.handlers import widen_rings
from alerts.photos import make_due
from guitu import vault
from guitu.service import Runtime, Service, Sweep


@asynccontextmanager
async def vault_ready(runtime: Runtime) -> AsyncIterator[None]:
    """Refuse to start without a vault key: a report with names would fail at the worst moment."""
    vault.master_key(runtime.settings.vault_key)
    try:
        yield
    finally:
        await photos.worker_of(runtime).close()


SERVICE = Service(
    name="alerts",
    title="Guitu alerts",
    routers=routers,
    reactions=REACTIONS,
    sweeps=(
        Sweep("rings_due", 0.5, widen_rings),
        Sweep("photos_due", 1.0, make_due),
    ),
    start=vault_ready,
)
