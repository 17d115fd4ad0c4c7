"""The service's plan stands whatever becomes of the solver: real processes, really killed and stopped."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from dispatch.planning.model import Solution
from dispatch.planning.prover import Prover
from dispatch.planning.solve import first, solve
from dispatch.planning.wire import pack_question, unpack_question
from harness.coverages import best_by_trying_all, coverage_of

LONG_S = 60.0
SHORT_S = 0.05
QUESTION = coverage_of(23, routes=40, places=6, units=3, bonus=True, pins=1)
HINT = first(QUESTION)


@pytest_asyncio.fixture
async def prover() -> AsyncIterator[Prover]:
    ready = Prover(grace_s=0.1)
    await ready.start()
    yield ready
    await ready.close()


def is_gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


async def test_the_process_proves_what_the_library_proves(prover: Prover) -> None:
    answer = await prover.prove(QUESTION, LONG_S, HINT, seed=0)

    assert solve(QUESTION, LONG_S, hint=HINT).place_of == answer.place_of
    assert (True, "") == (answer.proven, answer.trouble)
    assert answer.objective == pytest.approx(best_by_trying_all(QUESTION))


async def test_the_process_is_kept_for_the_next_question(prover: Prover) -> None:
    before = prover.pid

    for _ in range(3):
        assert (await prover.prove(QUESTION, LONG_S, HINT)).proven

    assert before == prover.pid


async def test_a_process_that_died_is_replaced_and_the_hint_stands(prover: Prover) -> None:
    died = prover.pid
    assert died is not None
    os.kill(died, signal.SIGSTOP)
    asking = asyncio.create_task(prover.prove(QUESTION, LONG_S, HINT))
    await asyncio.wait([asking], timeout=0)
    os.kill(died, signal.SIGKILL)

    answer = await asking

    assert (HINT.place_of, HINT.bound, "died") == (answer.place_of, answer.bound, answer.trouble)
    again = await prover.prove(QUESTION, LONG_S, HINT)
    assert (True, "") == (again.proven, again.trouble)
    assert prover.pid not in {died, None}


async def test_a_process_that_hangs_is_killed_and_replaced_and_the_hint_stands(prover: Prover) -> None:
    hung = prover.pid
    assert hung is not None
    os.kill(hung, signal.SIGSTOP)

    answer = await prover.prove(QUESTION, SHORT_S, HINT)

    assert (HINT.place_of, "hung") == (answer.place_of, answer.trouble)
    assert is_gone(hung)
    assert (await prover.prove(QUESTION, LONG_S, HINT)).proven


async def test_a_process_that_hangs_while_it_is_asked_much_blocks_nobody(prover: Prover) -> None:
    """The question is larger than a pipe holds, so that writing it can't end."""
    large = coverage_of(29, routes=2000, places=60, units=10)
    assert prover.pid is not None
    os.kill(prover.pid, signal.SIGSTOP)

    answer = await prover.prove(large, SHORT_S, first(large))

    assert "hung" == answer.trouble


async def test_who_waits_too_long_for_the_turn_keeps_the_hint(prover: Prover) -> None:
    assert prover.pid is not None
    os.kill(prover.pid, signal.SIGSTOP)
    long = asyncio.create_task(prover.prove(QUESTION, LONG_S, HINT))
    await asyncio.wait([long], timeout=0)

    answer = await prover.prove(QUESTION, SHORT_S, HINT)

    assert (HINT.place_of, "busy") == (answer.place_of, answer.trouble)
    os.kill(prover.pid, signal.SIGCONT)
    assert (await long).proven


async def test_a_question_that_is_given_up_leaves_no_answer_for_the_next(prover: Prover) -> None:
    other = coverage_of(31, routes=40, places=6, units=4)
    assert prover.pid is not None
    os.kill(prover.pid, signal.SIGSTOP)
    given_up = asyncio.create_task(prover.prove(other, LONG_S, first(other)))
    await asyncio.wait([given_up], timeout=0)

    given_up.cancel()
    await asyncio.wait([given_up])
    answer = await prover.prove(QUESTION, LONG_S, HINT)

    assert len(answer.place_of) == QUESTION.units
    assert answer.proven


async def test_a_process_that_is_not_ready_yet_is_left_to_start() -> None:
    prover = Prover(grace_s=0.0)

    answer = await prover.prove(QUESTION, 0.0, HINT)
    starting = prover.pid
    await prover.start()

    assert (HINT.place_of, "starting") == (answer.place_of, answer.trouble)
    assert starting == prover.pid
    await prover.close()


async def test_a_process_that_can_not_start_leaves_the_hint() -> None:
    prover = Prover(command=("false",))

    answer = await prover.prove(QUESTION, LONG_S, HINT)

    assert (HINT.place_of, "died") == (answer.place_of, answer.trouble)
    await prover.close()


async def test_closing_ends_the_process_even_one_that_is_stopped(prover: Prover) -> None:
    pid = prover.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)

    await prover.close()

    assert is_gone(pid)
    assert prover.pid is None


async def test_nothing_runs_until_it_is_needed() -> None:
    prover = Prover()

    assert prover.pid is None
    await prover.close()


def test_a_question_comes_out_of_the_bytes_as_it_went_in() -> None:
    coverage, deadline_s, hint, seed, work = unpack_question(pack_question(QUESTION, 1.25, HINT, 7, 0.5))

    assert (1.25, HINT, 7, 0.5) == (deadline_s, hint, seed, work)
    assert (QUESTION.pinned, QUESTION.margin_s) == (coverage.pinned, coverage.margin_s)
    for name in ("weights", "last_pass_s", "ready_s", "detection", "bonus"):
        assert (getattr(QUESTION, name) == getattr(coverage, name)).all()


def test_a_plan_that_never_ended_has_an_infinite_bound_on_the_other_side_too() -> None:
    hint = Solution((0, -1, 2), 0.25, 0.5, float("inf"), False)

    assert hint == unpack_question(pack_question(QUESTION, 1.0, hint, 0, None))[2]
