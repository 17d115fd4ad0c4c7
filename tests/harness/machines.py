"""What Hypothesis' state machines on a real database stand on: a loop of their own, and the same runs every time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager
from typing import Any, TypeVar

import hypothesis
import structlog
from hypothesis import HealthCheck, Phase
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from guitu.migrate import migrate_now
from guitu.pg import schema_of
from guitu.service import Runtime
from guitu.settings import Settings
from harness import ground

T = TypeVar("T")


class World:
    """A service on a real database for all runs of a machine; each leaves it without open ends.

    `does` runs a coroutine to its end.
    """

    def __init__(self, runner: asyncio.Runner, service: str, settings: Settings) -> None:
        self._runner, self._stack = runner, AsyncExitStack()
        self.run: Runtime = self.opens(ground.runtime(service, settings))
        self.run.log = structlog.wrap_logger(
            None, wrapper_class=structlog.make_filtering_bound_logger("critical")
        )

    @property
    def clock(self) -> ground.SettableClock:
        """The time, which the machine moves."""
        assert isinstance(self.run.clock, ground.SettableClock)
        return self.run.clock

    def does(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run it to its end."""
        return self._runner.run(coroutine)

    def opens(self, context: Any) -> Any:
        """Enter an asynchronous context that ends with the world."""
        return self.does(self._stack.enter_async_context(context))

    def ends(self) -> None:
        """Close what is open."""
        self.does(self._stack.aclose())


@contextmanager
def world_of(service: str, settings: Settings) -> Iterator[World]:
    """The world of one service, on empty tables."""
    migrate_now(settings.database_url, (schema_of(service),))
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        world = World(runner, service, settings)
        try:
            yield world
        finally:
            world.ends()


def play(machine: Callable[[], RuleBasedStateMachine], *, runs: int, steps: int) -> None:
    """Let Hypothesis play a machine: so many runs of so many steps, the same every time.

    A run that fails is shown as it was: to make it shorter would take minutes on a real database.
    """
    how = hypothesis.settings(
        max_examples=runs,
        stateful_step_count=steps,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=how)  # type: ignore[no-untyped-call]
