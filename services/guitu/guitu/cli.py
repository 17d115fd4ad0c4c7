"""The command line: a table of commands, each loaded only when it is called.

A module that owns a command exports a typer app; this file names it and its one-line help, so that
`guitu --help` needs none of them. Rules of a command belong to its module.
"""

from __future__ import annotations

import difflib
import importlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from io import TextIOWrapper
from typing import Any, NoReturn

import typer
import typer.main

from guitu.embedded.trouble import Interrupted, NodeError

FAILED = 1
USAGE_ERROR = 2
INTERRUPTED = 130


@dataclass(frozen=True)
class Command:
    """One command: where it lives and what it is for."""

    place: str
    summary: str


COMMANDS: dict[str, Command] = {
    "demo": Command("demo.cli:demo", "Start everything on the Yunyang data and run a scripted case."),
    "up": Command("guitu.commands.up:cli", "Start everything: broker, database, simulator, services."),
    "status": Command("guitu.commands.status:cli", "Show the processes of a running `up` or `demo`."),
    "doctor": Command(
        "guitu.commands.doctor:cli", "Check every need of this machine: PASS or the exact mend."
    ),
    "settings": Command(
        "guitu.commands.settings:cli", "List every setting, what it is for and whether it is set."
    ),
    "seed": Command("demo.cli:seed", "Load the Yunyang data, or files of your own, into a running node."),
    "network": Command("dispatch.network_cli:cli", "Check, import and switch the county's road network."),
    "token": Command("guitu.token_cli:cli", "Make a signed token for a person of this node."),
    "topics": Command("guitu.topics:cli", "Show and create the topics; write one again."),
    "dlq": Command("guitu.dlq:cli", "List, show and replay dead letters."),
    "migrate": Command("guitu.migrate:cli", "Bring the database schemas to their newest version."),
    "service": Command("guitu.commands.service:service", "Run one service in the foreground."),
    "sms-simulator": Command(
        "guitu.commands.service:simulator", "Run the simulator of Twilio's API in the foreground."
    ),
    "console": Command(
        "console.console_cli:cli",
        "The staff console: accounts, login links, its picture built again, its age.",
    ),
    "plan": Command(
        "dispatch.plan_cli:cli", "Plan an interception on an instance of your own; check a result."
    ),
    "dna": Command(
        "dna_intake.dna_cli:cli", "Kinship by DNA on files of your own: weigh hypotheses, search, check."
    ),
    "bench": Command("guitu.commands.bench:cli", "Measure one thing beside its ceiling."),
    "test": Command(
        "guitu.commands.test:cli", "Run the tests (through ./guitu, which installs what they need)."
    ),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; trouble that a person can mend ends with its message and code 1, no trace."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A terminal that has no Chinese shows question marks instead of a stack trace.
            stream.reconfigure(errors="replace")
    if words[:1] == ["help"]:
        # `guitu help demo` is `guitu demo --help`.
        words = [*words[1:2], "--help"]
    if not words or words[0] in ("-h", "--help"):
        print(overview())
    elif words[0] == "--version":
        print(f"guitu {version('guitu')}")
    elif words[0] not in COMMANDS:
        print(f"guitu: {advice(words[0])}", file=sys.stderr)
        sys.exit(USAGE_ERROR)
    else:
        _run(words[0], words[1:])


def overview() -> str:
    """The page of all commands, without importing any."""
    lines = [f"  {name:<14} {command.summary}" for name, command in COMMANDS.items()]
    return "\n".join(
        [
            "Guitu (归途): from one missing-child report to interception orders,",
            "notices and DNA intake.",
            "",
            "Usage: ./guitu COMMAND [options]",
            "",
            *lines,
            "",
            "./guitu COMMAND --help explains one. Start with ./guitu demo;",
            "./guitu doctor says what this machine lacks.",
        ]
    )


def advice(name: str) -> str:
    """Say that there is no such command, and which one may be meant."""
    if name.startswith("-"):
        return f"There is no option {name} without a command. ./guitu --help lists the commands."
    near = difflib.get_close_matches(name, COMMANDS, n=3, cutoff=0.5)
    hint = f"Did you mean {' or '.join(near)}?" if near else "./guitu --help lists them."
    return f"There is no command {name!r}. {hint}"


def _run(name: str, words: list[str]) -> None:
    try:
        load(name, COMMANDS[name])(args=words, prog_name=f"./guitu {name}")
    except NodeError as error:
        _leave(str(error), INTERRUPTED if isinstance(error, Interrupted) else FAILED)
    except KeyboardInterrupt:
        _leave("Interrupted. 已中断。", INTERRUPTED)
    except Exception as error:
        # Imported only now: whatever the trouble came from is loaded anyway.
        from guitu.commands.plainly import said_plainly

        plain = said_plainly(error)
        if not plain:
            raise
        _leave(plain)


def _leave(words: str, code: int = FAILED) -> NoReturn:
    print(f"guitu: {words}", file=sys.stderr)
    sys.exit(code)


def load(name: str, command: Command) -> Any:
    """Import a command and return what runs it; raises NodeError if this installation lacks its module."""
    module_name, _, attribute = command.place.partition(":")
    try:
        return typer.main.get_command(getattr(importlib.import_module(module_name), attribute))
    except ModuleNotFoundError as error:
        raise NodeError(
            f"The command {name} is not installed: no module {error.name}. "
            "Mend: run it by ./guitu in the checkout."
        ) from error
