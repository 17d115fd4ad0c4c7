"""`guitu test`: pytest on the checkout. `./guitu test` installs the tests' own needs before it comes here."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import typer

from guitu.commands.shape import command_line
from guitu.embedded.trouble import NodeError

cli = command_line()
CHECKOUT = Path(__file__).parents[4]


@cli.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def test(context: typer.Context) -> None:
    """Run all tests, or those that the pytest arguments choose, on a Kafka and PostgreSQL of their own.

    ./guitu installs what tests need first (once). Everything after `test` goes to pytest.

    \b
    Examples:
      ./guitu test
      ./guitu test tests/story -k sighting
    """
    if importlib.util.find_spec("pytest") is None:
        raise NodeError("The tests' needs are not installed. Mend: run ./guitu test in the checkout.")
    os.chdir(CHECKOUT)
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *context.args])  # noqa: S606
