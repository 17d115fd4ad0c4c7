"""`guitu status`: which processes run, since when they were restarted, where they answer."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import psutil  # type: ignore[import-untyped]
import typer

from guitu.commands.shape import command_line
from guitu.commands.up import DataDir
from guitu.supervisor.status import read_status

cli = command_line()


@cli.command()
def status(
    data_dir: DataDir = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show every process of a running `up` or `demo`; ends with code 1 if none runs or one is down."""
    place = data_dir or Path(os.environ.get("GUITU_DATA_DIR") or ".guitu")
    processes = read_status(place)
    alive = {each.name: psutil.pid_exists(each.pid) for each in processes}
    if as_json:
        typer.echo(json.dumps({each.name: asdict(each) | {"alive": alive[each.name]} for each in processes}))
    elif not processes:
        typer.echo(f"Nothing runs in {place}. Start it with ./guitu up or ./guitu demo.")
    for each in [] if as_json else processes:
        state = each.state if alive[each.name] else "gone"
        typer.echo(f"{each.name:<14} {state:<10} pid {each.pid:<8} restarts {each.restarts:<4} {each.url}")
    if not processes or not all(alive.values()):
        raise typer.Exit(1)
