"""The whole stack once for all stories: broker, database, simulator and the four services, with a clock to advance."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from demo.case import Case
from demo.cast import Cast
from demo.phonebook import Phonebook, phonebook
from demo.stage import open_stage
from guitu.pg import open_pool
from harness.whole_system import Stack, seeded_stack
from notifications.seed import seed

NEIGHBOURS = Path(__file__).parent / "directory"
"""Two made-up hotels beyond the county: one in the second ring, one in none that is reached here."""


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Everything, through the same code as `guitu demo`; nothing of it outlives the run."""
    with seeded_stack(tmp_path_factory.mktemp("clock")) as running:
        yield running


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
