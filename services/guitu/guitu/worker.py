"""One process beside the service that does long sums: it may die or hang, and the service goes on.

`python -m guitu.worker` reads requests from its input and writes answers to its output, each pickled with
its length before it. Both ends are ours, on one machine, in one version. The process ends when its input does.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import pickle
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, BinaryIO, TypeVar, cast

T = TypeVar("T")

LENGTH_BYTES = 8
GRACE_S = 1.0
"""After the deadline of a request, before its process is killed: it may just be writing its answer."""
STARTS_WITHIN_S = 30.0
"""Libraries are read from the disk once; a machine that is busy takes its time."""
NICE = 19
"""Whoever tells people goes before whoever does long sums."""


class WorkerTrouble(Exception):
    """No answer came; `reason` is "died", "hung" or "failed", the text says more."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason


class Worker:
    """A process that is started at the first request, kept warm, and replaced when it dies or hangs.

    Requests wait for each other. `nice` is how far it steps back for other processes; `reads` is a module that the
    process imports at its start, so that the first request need not wait for it.
    """

    def __init__(self, nice: int = NICE, reads: str = "") -> None:
        self._nice, self._reads = nice, reads
        self._process: asyncio.subprocess.Process | None = None
        self._one_at_a_time = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        """Of the process, while there is one."""
        return self._process.pid if self._process else None

    async def warm(self) -> None:
        """Start the process before the first request needs it; if it can't, that request will say so."""
        with suppress(WorkerTrouble):
            async with self._one_at_a_time:
                await self._started()

    async def run(self, function: Callable[..., T], *arguments: Any, deadline_s: float) -> T:
        """What a module's function gives for these arguments.

        The deadline begins when the request is sent, not while it waits for others or for the process to start.
        Raises: WorkerTrouble; the next request gets a new process.
        """
        async with self._one_at_a_time:
            process = await self._started()
            fine = answered = False
            try:
                async with asyncio.timeout(deadline_s + GRACE_S):
                    await _send(process, (function, arguments))
                    fine, answer = await _receive(process)
                answered = True
            except TimeoutError:
                raise WorkerTrouble("hung", f"no answer within {deadline_s} s") from None
            except (EOFError, ConnectionError, asyncio.IncompleteReadError):
                raise WorkerTrouble("died", "the process ended before it had answered") from None
            finally:
                # Cancelled, too: an answer that comes later must not be taken for another's.
                if not answered:
                    await self._end()
        if not fine:
            raise WorkerTrouble("failed", str(answer))
        return cast(T, answer)

    async def close(self) -> None:
        """End the process, whatever it does."""
        async with self._one_at_a_time:
            await self._end()

    async def _started(self) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "guitu.worker",
                str(self._nice),
                self._reads,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                # An interrupt from the terminal is for the service, which ends this process itself.
                start_new_session=True,
            )
            try:
                async with asyncio.timeout(STARTS_WITHIN_S):
                    await _receive(self._process)
            except (TimeoutError, EOFError, ConnectionError, asyncio.IncompleteReadError):
                await self._end()
                raise WorkerTrouble("died", "the process did not start") from None
        return self._process

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            process.kill()  # Not terminate: a stopped process would never hear it.
        await process.wait()


async def _send(process: asyncio.subprocess.Process, value: Any) -> None:
    assert process.stdin is not None, "It was started with a pipe."
    words = pickle.dumps(value)
    process.stdin.write(len(words).to_bytes(LENGTH_BYTES))
    process.stdin.write(words)
    await process.stdin.drain()


async def _receive(process: asyncio.subprocess.Process) -> Any:
    assert process.stdout is not None, "It was started with a pipe."
    length = int.from_bytes(await process.stdout.readexactly(LENGTH_BYTES))
    # Written by our own process: as trusted as this one.
    return pickle.loads(await process.stdout.readexactly(length))  # noqa: S301


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer until the input ends. What a function raises is its answer, in words."""
    _write(answers, "ready")
    while length := requests.read(LENGTH_BYTES):
        function, arguments = pickle.loads(requests.read(int.from_bytes(length)))  # noqa: S301
        try:
            answer = (True, function(*arguments))
        except Exception as error:
            answer = (False, f"{type(error).__name__}: {error}")
        _write(answers, answer)


def _write(answers: BinaryIO, value: Any) -> None:
    words = pickle.dumps(value)
    answers.write(len(words).to_bytes(LENGTH_BYTES) + words)
    answers.flush()


if __name__ == "__main__":
    os.nice(int(sys.argv[1]))
    # Whatever a library prints must not get between the answers.
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    if sys.argv[2]:
        importlib.import_module(sys.argv[2])
    serve(sys.stdin.buffer, out)
