"""`guitu service NAME` and `guitu sms-simulator`: one process of the group in the foreground."""

from __future__ import annotations

import os
import runpy
from typing import Annotated

import typer

from guitu.embedded.ports import LOOPBACK, next_free_port
from guitu.supervisor.members import PORT_BASE, SERVICES, SIMULATOR, Member, member

service = typer.Typer(add_completion=False)
simulator = typer.Typer(add_completion=False)
NAMES = ", ".join(each.name for each in SERVICES)


@service.command()
def run_service(name: Annotated[str, typer.Argument(help=f"One of: {NAMES}.")]) -> None:
    """Run one service in the foreground; its port is GUITU_PORT, or the default one or the next free.

    It uses the running node's broker and database, or the outside ones that are set.
    """
    try:
        chosen = member(name)
    except KeyError as error:
        raise typer.BadParameter(str(error.args[0])) from error
    _run(chosen)


@simulator.command()
def run_simulator() -> None:
    """Run the simulator of Twilio's API in the foreground; port: GUITU_PORT, or the default or next free."""
    _run(SIMULATOR)


def _run(chosen: Member) -> None:
    """Become that process: the same start as under the supervisor."""
    if not os.environ.get("GUITU_PORT"):
        os.environ["GUITU_PORT"] = str(next_free_port(PORT_BASE + chosen.port_offset))
    typer.echo(f"{chosen.name}: http://{LOOPBACK}:{os.environ['GUITU_PORT']}", err=True)
    runpy.run_module(chosen.package, run_name="__main__", alter_sys=True)
