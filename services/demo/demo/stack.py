"""Bring up everything with the county's data loaded: the same for `guitu demo`, the story tests and the benches."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dispatch.network_files import YUNYANG
from guitu.pg import open_pool
from guitu.settings import Settings
from guitu.supervisor.system import System, run_setup_step

PREFIX = "GUITU_"


def settings_of(env: Mapping[str, str]) -> Settings:
    """Settings as a service with this environment reads them."""
    values: dict[str, Any] = {
        name.removeprefix(PREFIX).lower(): value for name, value in env.items() if name.startswith(PREFIX)
    }
    return Settings(**values)


async def seed_yunyang(
    settings: Settings, network: Path | None = None, sites: Path | None = None
) -> dict[str, dict[str, int]]:
    """Load network, units, sites and contacts of Yunyang or of these folders; a second time changes nothing.

    Returns how many rows of each, by service. The outline and townships are part of the alerts package.
    """
    import dispatch.seed
    import notifications.seed

    counts: dict[str, dict[str, int]] = {
        "dispatch": await dispatch.seed.seed(settings.database_url, network or YUNYANG),
    }
    pool = await open_pool(settings.database_url, "notifications", size=1)
    try:
        counts["notifications"] = await notifications.seed.seed(pool, sites or notifications.seed.YUNYANG)
    finally:
        await pool.close()
    return counts


def start_seeded(system: System) -> Settings:
    """Start a system and load Yunyang; returns its settings.

    Raises: NodeError with the mend; nothing is left running then.
    """
    system.start()
    try:
        run_setup_step("demo.stack", "seed_yunyang", system.env)
        return settings_of(system.env)
    except BaseException:
        system.stop()
        raise
