"""`guitu bench NAME`: run one of the checkout's benches; each prints its figures beside their ceiling."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import typer

from guitu.embedded.trouble import NodeError

cli = typer.Typer(add_completion=False)
BENCH_DIR = Path(__file__).parents[4] / "bench"


@cli.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def bench(
    context: typer.Context,
    name: str = typer.Argument("", help="Which bench; without it, the list of them."),
) -> None:
    """Run bench/NAME.py; options such as --quick and --json go to it."""
    names = sorted(path.stem for path in BENCH_DIR.glob("*.py") if not path.stem.startswith("_"))
    if not name:
        typer.echo("\n".join(names) or f"There are no benches in {BENCH_DIR}.")
        return
    if name not in names:
        raise NodeError(f"There is no bench {name!r}; there are: {', '.join(names) or 'none'}.")
    sys.argv = [str(BENCH_DIR / f"{name}.py"), *context.args]
    sys.path.insert(0, str(BENCH_DIR))
    runpy.run_path(sys.argv[0], run_name="__main__")
