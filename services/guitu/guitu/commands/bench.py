"""`guitu bench NAME`: run one of the checkout's benches; each prints its figures beside their ceiling."""

from __future__ import annotations

import ast
import runpy
import sys
from pathlib import Path
from textwrap import fill

import typer

from guitu.commands.shape import command_line
from guitu.embedded.trouble import NodeError

cli = command_line()
BENCH_DIR = Path(__file__).parents[4] / "bench"
TESTS_DIR = BENCH_DIR.parent / "tests"
"""Benches share pictures, browsers and counties with the tests (`harness`)."""


@cli.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def bench(
    context: typer.Context,
    name: str = typer.Argument("", metavar="NAME", help="Which bench; without it, the list of them."),
) -> None:
    """Measure one thing beside its ceiling from the same run; without a name, list what can be measured.

    --quick and --json go to the bench; with --json its last line is one object with all figures.

    \b
    Example: ./guitu bench story --quick
    """
    # Up to the first dot: `console.bench.py` can't be imported in place of the package `console`.
    benches = {
        path.name.partition(".")[0]: path
        for path in sorted(BENCH_DIR.glob("*.py"))
        if not path.name.startswith("_")
    }
    if not name:
        for each, path in benches.items():
            typer.echo(fill(_first_line(path), 79, initial_indent=f"{each:<10} ", subsequent_indent=" " * 11))
        return
    if name not in benches:
        raise NodeError(f"There is no bench {name!r}; there are: {', '.join(benches) or 'none'}.")
    sys.argv = [str(benches[name]), *context.args]
    sys.path[:0] = [str(BENCH_DIR), str(TESTS_DIR)]
    runpy.run_path(sys.argv[0], run_name="__main__")


def _first_line(path: Path) -> str:
    """What a bench says of itself, without running it."""
    said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return said.partition("\n")[0]
