"""The process that proves: reads questions from its input until that ends, and writes plans to its output.

Run by `prover` as a module of its own. It writes an empty frame once OR-Tools is imported: that
is the slow part of starting. Whatever else is printed goes to the error output, so that frames stay whole.
"""

from __future__ import annotations

import os
import sys
from typing import BinaryIO

from dispatch.planning import exact  # noqa: F401  # Imports OR-Tools before the first question.
from dispatch.planning.solve import solve
from dispatch.planning.wire import LENGTH_BYTES, framed, pack_plan, unpack_question

QUESTIONS_MAX = 1_000_000
"""After so many the process ends, and the next question starts a fresh one."""


def main() -> None:
    """Answer until the input ends."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    _send(answers, b"")
    for _ in range(QUESTIONS_MAX):
        length = int.from_bytes(sys.stdin.buffer.read(LENGTH_BYTES), "big")
        payload = sys.stdin.buffer.read(length)
        if not length or len(payload) < length:
            return
        coverage, deadline_s, hint, seed, work = unpack_question(payload)
        _send(answers, pack_plan(solve(coverage, deadline_s, hint=hint, seed=seed, work=work)))


def _send(answers: BinaryIO, payload: bytes) -> None:
    answers.write(framed(payload))
    answers.flush()


if __name__ == "__main__":
    main()
