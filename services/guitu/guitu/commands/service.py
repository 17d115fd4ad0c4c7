"""`guitu service NAME` and `guitu sms-simulator`: one process of the group in the foreground."""

from __future__ import annotations

import os
import runpy
import sys
from typing import Annotated

import typer

from guitu.commands.attach import DATABASE, KAFKA, node_settings
from guitu.commands.shape import command_line
from guitu.embedded.ports import LOOPBACK, is_free, next_free_port
from guitu.embedded.trouble import NodeError
from guitu.supervisor.members import PORT_BASE, SERVICES, SIMULATOR, Member, member

service = command_line()
simulator = command_line()
NAMES = ", ".join(each.name for each in SERVICES)


def _known(name: str) -> str:
    try:
        return member(name).name
    except KeyError as error:
        raise typer.BadParameter(str(error.args[0])) from error


@service.command()
def run_service(
    name: Annotated[str, typer.Argument(metavar="NAME", callback=_known, help=f"One of: {NAMES}.")],
) -> None:
    """Run one service in the foreground, as a second copy beside `up` or alone on servers of your own.

    It uses the running node's broker and database, or those of GUITU_KAFKA and GUITU_DATABASE_URL. Its port
    is GUITU_PORT, or the usual one or the next free. Ctrl-C ends it.

    \b
    Example: GUITU_PORT=8301 ./guitu service alerts
    """
    node_settings(KAFKA, DATABASE)
    _run(member(name))


@simulator.command()
def run_simulator(
    ephemeral: Annotated[bool, typer.Option("--ephemeral", help="Keep no message on disk.")] = False,
) -> None:
    """Run the simulator of Twilio's API in the foreground; it needs no node. Ctrl-C ends it.

    It knows one account: GUITU_TWILIO_ACCOUNT_SID with GUITU_TWILIO_AUTH_TOKEN. Give the services the same
    two, and its address as GUITU_TWILIO_URL. Its port is GUITU_PORT, or the usual one or the next free.

    \b
    Example:
      export GUITU_TWILIO_ACCOUNT_SID=AC00000000000000000000000000000000
      export GUITU_TWILIO_AUTH_TOKEN=a-secret-of-yours
      GUITU_PORT=8309 ./guitu sms-simulator
    """
    _run(SIMULATOR, *(["--ephemeral"] if ephemeral else []))


def _run(chosen: Member, *words: str) -> None:
    """Become that process: the same start as under the supervisor."""
    given = os.environ.get("GUITU_PORT", "")
    if given.isdigit() and int(given) and not is_free(int(given)):
        raise NodeError(
            f"GUITU_PORT={given} is taken. Mend: stop the program that listens there "
            f"(ss -ltnp 'sport = :{given}'), or set another port."
        )
    if not given:
        os.environ["GUITU_PORT"] = str(next_free_port(PORT_BASE + chosen.port_offset))
    typer.echo(f"{chosen.name}: http://{LOOPBACK}:{os.environ['GUITU_PORT']}", err=True)
    sys.argv = [chosen.package, *words]
    runpy.run_module(chosen.package, run_name="__main__", alter_sys=True)
