"""The far side of notifications: started once, and empty again for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio
from twilio.rest import Client

from harness import far_side
from harness.far_side import Ear
from sms_simulator.server import Simulator


@pytest_asyncio.fixture(scope="session")
async def lasting_simulator() -> AsyncIterator[Simulator]:
    """A simulator that all tests of this folder share."""
    async with far_side.simulator_running() as running:
        yield running


@pytest_asyncio.fixture(scope="session")
async def lasting_ear() -> AsyncIterator[Ear]:
    """A listener for webhooks that all tests of this folder share."""
    async with far_side.listening() as listener:
        yield listener


@pytest_asyncio.fixture
async def simulator(lasting_simulator: Simulator) -> AsyncIterator[Simulator]:
    """The simulator as freshly started; afterwards no call of this test is still under way."""
    lasting_simulator.carrier.reset()
    yield lasting_simulator
    lasting_simulator.carrier.reset()
    await far_side.settled(lasting_simulator)


@pytest_asyncio.fixture
async def client(simulator: Simulator) -> AsyncIterator[Client]:
    """The real twilio library, pointed at the simulator."""
    async with far_side.real_client(simulator) as real:
        yield real


@pytest_asyncio.fixture
async def ear(lasting_ear: Ear) -> Ear:
    """Somebody who takes webhooks and has heard nothing yet."""
    lasting_ear.forget()
    return lasting_ear
