"""The whole stack once for all stories: broker, database, simulator and the four services, with a clock to advance."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from demo.case import Case
from demo.cast import Cast
from demo.phonebook import Phonebook, phonebook
from demo.stack import start_seeded
from demo.stage import open_stage
from guitu.clock import advance_file
from guitu.embedded.ports import is_free
from guitu.pg import open_pool
from guitu.settings import Settings
from guitu.supervisor.members import MEMBERS
from guitu.supervisor.system import System
from notifications.seed import seed

NEIGHBOURS = Path(__file__).parent / "directory"
"""Two made-up hotels beyond the county: one in the second ring, one in none that is reached here."""


@dataclass(frozen=True)
class Stack:
    """What runs, and the clock of all of it."""

    system: System
    settings: Settings
    clock_file: Path

    def advance(self, *, minutes: float) -> None:
        """Let time pass for every service at once."""
        advance_file(self.clock_file, minutes * 60)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Everything, through the same code as `guitu demo`; nothing of it outlives the run."""
    clock_file = tmp_path_factory.mktemp("clock") / "offset"
    system = System(
        ephemeral=True,
        port_base=_free_base(),
        extra_env={"GUITU_CLOCK_FILE": str(clock_file), "GUITU_PARTITIONS": "4"},
        show_logs=False,
    )
    try:
        yield Stack(system, start_seeded(system), clock_file)
    finally:
        system.stop()


@pytest_asyncio.fixture(scope="session")
async def neighbours(stack: Stack) -> Phonebook:
    """The directory with the neighbours' hotels in it."""
    pool = await open_pool(stack.settings.database_url, "notifications", size=1)
    try:
        await seed(pool, NEIGHBOURS)
    finally:
        await pool.close()
    here, beyond = phonebook(), phonebook(NEIGHBOURS)
    return Phonebook(here.sites | beyond.sites, here.contacts | beyond.contacts)


@pytest_asyncio.fixture
async def cast(stack: Stack, neighbours: Phonebook) -> AsyncIterator[Cast]:
    """The people; at the end every case that is still open is stood down, so that the units are free again."""
    async with open_stage(stack.system.urls, stack.settings) as stage:
        people = Cast(stage, neighbours)
        yield people
        for each in await people.command_centre.open_cases():
            case = Case(str(each["case_id"]), str(each["case_code"]), stage.now(), {})
            await people.command_centre.stands_down(case, "false_alarm")
            await people.command_centre.all_orders_over(case)


@pytest.fixture
def advance(stack: Stack) -> Callable[..., None]:
    """`advance(minutes=60)`: time passes for all services."""
    return stack.advance


def _free_base() -> int:
    return next(
        base
        for base in range(24_000, 30_000, 10)
        if all(is_free(base + each.port_offset) for each in MEMBERS)
    )
