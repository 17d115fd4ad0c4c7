"""Proofs beside an event loop that must never wait for them: a process of its own, with a hard deadline.

A solver may die, or hang where no limit of its own helps. Then it is killed by its process id, the plan it was given
stands with `trouble` saying what happened, and the next question gets a fresh process. There is one at a time, started
afresh (not forked: the service has threads and connections) when first needed, and kept for the next question.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from dataclasses import dataclass, field, replace

from dispatch.planning.model import Coverage, Solution
from dispatch.planning.wire import LENGTH_BYTES, framed, pack_question, unpack_plan

GRACE_S = 1.0
"""How much later than its deadline an answer may come: the solver looks at its clock every so often only."""
START_S = 30.0
"""A process that has not imported its solver by then hangs."""
KILLED_S = 5.0
"""A killed process is gone long before; one that the kernel holds is left to it."""
ANSWER_BYTES_MAX = 16 << 20


class Prover:
    """Proves one question at a time; the others wait, within their own deadlines."""

    def __init__(self, grace_s: float = GRACE_S, command: tuple[str, ...] | None = None) -> None:
        """`command` starts another process than the usual one."""
        self._command = command or (sys.executable, "-m", "dispatch.planning.prover_process")
        self._grace_s = grace_s
        self._worker: _Worker | None = None
        self._turn = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        """The process, if there is one."""
        return self._worker.process.pid if self._worker else None

    async def start(self) -> None:
        """Have the process ready, so that the first question doesn't wait for it; optional.

        Raises: TimeoutError or asyncio.IncompleteReadError, if it does not start.
        """
        async with self._turn:
            worker = await self._running()
            await asyncio.wait_for(worker.ready(), START_S)

    async def prove(
        self, coverage: Coverage, deadline_s: float, hint: Solution, seed: int = 0, work: float | None = None
    ) -> Solution:
        """The best plan by the deadline (and `grace_s`), from the hint on; else the hint with its `trouble`.

        "died": the process ended; "hung": it did not answer; "starting": it was not ready yet, and will be for a later
        question; "busy": others' questions took all the time. `work` as in `solve`.
        """
        loop = asyncio.get_running_loop()
        ends_at_s = loop.time() + deadline_s
        try:
            async with asyncio.timeout_at(ends_at_s):
                await self._turn.acquire()
        except TimeoutError:
            return replace(hint, trouble="busy")
        try:
            return await self._ask(coverage, ends_at_s, hint, seed, work)
        finally:
            self._turn.release()

    async def close(self) -> None:
        """End the process, also while it is at work; later questions start another."""
        if self._worker:
            await self._discard(self._worker)

    async def _ask(
        self, coverage: Coverage, ends_at_s: float, hint: Solution, seed: int, work: float | None
    ) -> Solution:
        loop = asyncio.get_running_loop()
        try:
            worker = await self._running()
        except OSError:
            return replace(hint, trouble="died")
        try:
            async with asyncio.timeout_at(ends_at_s + self._grace_s):
                await worker.ready()
                left_s = max(0.0, ends_at_s - loop.time())
                return await worker.ask(pack_question(coverage, left_s, hint, seed, work))
        except TimeoutError:
            if not worker.is_ready and loop.time() - worker.started_at_s < START_S:
                return replace(hint, trouble="starting")
            await self._discard(worker)
            return replace(hint, trouble="hung")
        except (asyncio.IncompleteReadError, ConnectionError):
            await self._discard(worker)
            return replace(hint, trouble="died")
        except BaseException:
            # Cancelled: the answer under way would be taken for the next question's.
            await self._discard(worker)
            raise

    async def _running(self) -> _Worker:
        if self._worker is None or self._worker.process.returncode is not None:
            # Its own session: an interrupt from the terminal is for the service, which ends its prover itself.
            process = await asyncio.create_subprocess_exec(
                *self._command, stdin=PIPE, stdout=PIPE, limit=ANSWER_BYTES_MAX, start_new_session=True
            )
            self._worker = _Worker(process, asyncio.get_running_loop().time())
        return self._worker

    async def _discard(self, worker: _Worker) -> None:
        if self._worker is worker:
            self._worker = None
        await worker.end()


@dataclass
class _Worker:
    """A process, and whether it has said that it is ready."""

    process: Process
    started_at_s: float
    is_ready: bool = False
    _starting: asyncio.Task[bytes] | None = field(default=None, repr=False)

    async def ready(self) -> None:
        """Returns once the process has imported its solver; may be given up and asked again."""
        if not self.is_ready:
            self._starting = self._starting or asyncio.create_task(self._frame())
            await asyncio.shield(self._starting)
            self.is_ready = True

    async def ask(self, question: bytes) -> Solution:
        """Its answer."""
        assert self.process.stdin is not None, "the prover's input is a pipe"
        self.process.stdin.write(framed(question))
        await self.process.stdin.drain()
        return unpack_plan(await self._frame())

    async def end(self) -> None:
        """Kill it, which also ends one that is stopped, and wait until it is gone."""
        if self.process.returncode is None:
            with suppress(ProcessLookupError):
                self.process.kill()
        with suppress(TimeoutError):
            await asyncio.wait_for(self.process.wait(), KILLED_S)
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.gather(self._starting, return_exceptions=True)
        if self.process.stdin is not None:
            self.process.stdin.close()

    async def _frame(self) -> bytes:
        assert self.process.stdout is not None, "the prover's output is a pipe"
        length = int.from_bytes(await self.process.stdout.readexactly(LENGTH_BYTES), "big")
        if length > ANSWER_BYTES_MAX:
            raise ConnectionError(
                f"The prover announces an answer of {length} bytes; its output is out of step."
            )
        return await self.process.stdout.readexactly(length)
