"""The process that does long sums: what it answers, and that its death or sleep costs nobody more than the answer."""

from __future__ import annotations

import asyncio
import math
import os
import signal
import time
from collections.abc import AsyncIterator

import pytest

from guitu.worker import Worker, WorkerTrouble


@pytest.fixture
async def worker() -> AsyncIterator[Worker]:
    found = Worker()
    yield found
    await found.close()


async def test_it_answers_and_is_kept_for_the_next_request(worker: Worker) -> None:
    first = await worker.run(math.factorial, 20, deadline_s=30)
    pid = worker.pid

    again = await asyncio.gather(*(worker.run(math.factorial, n, deadline_s=30) for n in range(5)))

    assert (math.factorial(20), [1, 1, 2, 6, 24], pid) == (first, again, worker.pid)


async def test_what_fails_says_why_and_the_process_goes_on(worker: Worker) -> None:
    with pytest.raises(WorkerTrouble, match="failed: ValueError"):
        await worker.run(math.sqrt, -1, deadline_s=30)
    pid = worker.pid

    assert await worker.run(math.sqrt, 4, deadline_s=30) == 2.0
    assert pid == worker.pid


async def _meanwhile(worker: Worker, what: signal.Signals) -> None:
    """Strike the process once it works."""
    await worker.run(math.sqrt, 4, deadline_s=30)
    assert worker.pid is not None
    os.kill(worker.pid, what)


@pytest.mark.parametrize(("what", "word"), [(signal.SIGKILL, "died"), (signal.SIGSTOP, "hung")])
async def test_a_process_that_dies_or_hangs_is_replaced(
    worker: Worker, what: signal.Signals, word: str
) -> None:
    await _meanwhile(worker, what)
    struck = worker.pid

    # A process that died before it was asked is replaced at once, and its successor answers.
    outcome = await asyncio.gather(worker.run(math.sqrt, 4, deadline_s=0.2), return_exceptions=True)
    assert outcome == [2.0] or getattr(outcome[0], "reason", "") == word

    assert await worker.run(math.sqrt, 9, deadline_s=30) == 3.0
    assert worker.pid != struck
    with pytest.raises(ProcessLookupError):
        os.kill(struck or 0, 0)


async def test_a_sum_that_takes_too_long_is_given_up(worker: Worker) -> None:
    with pytest.raises(WorkerTrouble, match="hung"):
        await worker.run(time.sleep, 60, deadline_s=0.1)

    assert worker.pid is None


async def test_a_caller_that_gives_up_leaves_no_answer_for_the_next(worker: Worker) -> None:
    await worker.run(math.sqrt, 4, deadline_s=30)
    waiting = asyncio.create_task(worker.run(time.sleep, 60, deadline_s=60))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)

    assert await worker.run(math.sqrt, 16, deadline_s=30) == 4.0
