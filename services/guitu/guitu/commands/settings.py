"""`guitu settings`: every setting of every service, what it is for, whether it is set. No secrets."""

from __future__ import annotations

import json
import os
from pathlib import Path
from textwrap import fill
from typing import Annotated

import typer
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from guitu.commands.shape import command_line
from guitu.supervisor.every_setting import fields_of, kinds

cli = command_line()
INDENT = " " * 6


@cli.command()
def settings(
    only_set: Annotated[bool, typer.Option("--set", help="Only those that are set.")] = False,
) -> None:
    """List every setting with its help text, and whether it is set in this environment.

    A setting is an environment variable: export it, or write it before the command.

    \b
    Example: GUITU_KAFKA=10.0.0.5:9092 ./guitu up
    """
    seen: set[str] = set()
    for title, kind in kinds():
        fields = fields_of(kind)
        new = {name: field for name, field in fields.items() if name not in seen}
        seen |= set(new)
        shown = {name: field for name, field in new.items() if name in os.environ or not only_set}
        if shown:
            typer.echo(f"\n{title}")
            for name, field in shown.items():
                typer.echo(f"  {name:<31} {_state(name, field)}")
                words = field.description or "no description"
                typer.echo(fill(words, 79, initial_indent=INDENT, subsequent_indent=INDENT))


def _state(name: str, field: FieldInfo) -> str:
    value = os.environ.get(name, "")
    if field.annotation is SecretStr:
        return "set (secret)" if value else "not set (secret)"
    if name == "GUITU_DATABASE_URL":
        return "set (holds a password)" if value else "not set"
    return f"set: {value}" if value else f"default: {_default(field)}"


def _default(field: FieldInfo) -> str:
    """As one writes it into the environment; a file of the product by its name only."""
    default = field.get_default(call_default_factory=True)
    if isinstance(default, Path) and default.is_absolute():
        return f"the product's {default.name}"
    if isinstance(default, dict | list | tuple):
        return json.dumps(default, ensure_ascii=False)
    return "none" if default in (None, "") else str(default)
