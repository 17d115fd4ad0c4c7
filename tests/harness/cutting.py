"""Cut the line between a browser and the console, as often as wanted: connections die and none get through."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from playwright.async_api import Page

from harness.board_facts import Checkpoints, Step
from harness.board_watch import shows_all
from harness.chaos.proxy import Proxy


@dataclass(frozen=True)
class Cuts:
    """What came of a series of cuts."""

    steps: Sequence[Step]
    resync_s: Sequence[float]
    """From the moment the line is whole again until the page shows everything that was said meanwhile."""


def port_of(url: str) -> int:
    """The port of an address of ours."""
    found = urlsplit(url).port
    assert found is not None, url
    return found


async def cut_again_and_again(
    proxy: Proxy, page: Page, checkpoints: Checkpoints, *, cuts: int, seed: int, per_cut: int = 6
) -> Cuts:
    """Cut the line so often, for 0.1 to 0.6 s each; facts go on all the time, before, during and after each cut."""
    chance, steps, resync_s, number = random.Random(seed), [], [], 0

    async def say(count: int) -> None:
        nonlocal number
        for _ in range(count):
            steps.append(await checkpoints.step(number))
            number += 1
        await checkpoints.producer.flush()

    for _ in range(cuts):
        await say(per_cut // 3)
        proxy.cut()
        await proxy.close()
        await say(per_cut // 3)
        await asyncio.sleep(chance.uniform(0.1, 0.6))
        proxy.heal()
        healed_s = time.perf_counter()
        await say(per_cut - 2 * (per_cut // 3))
        await shows_all(page, steps)
        resync_s.append(time.perf_counter() - healed_s)
    return Cuts(steps, resync_s)
