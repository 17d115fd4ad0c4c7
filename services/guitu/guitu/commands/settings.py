"""`guitu settings`: every setting of every service, what it is for, whether it is set. No secrets."""

from __future__ import annotations

import importlib
import importlib.util
import os
from typing import Annotated

import typer
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from guitu.settings import Settings
from guitu.supervisor.members import MEMBERS

cli = typer.Typer(add_completion=False)


@cli.command()
def settings(
    only_set: Annotated[bool, typer.Option("--set", help="Only those that are set.")] = False,
) -> None:
    """List every setting with its help text, and whether it is set in this environment."""
    seen: set[str] = set()
    for title, kind in _all():
        fields = {
            f"{kind.model_config.get('env_prefix', '')}{name}".upper(): f
            for name, f in kind.model_fields.items()
        }
        new = {name: field for name, field in fields.items() if name not in seen}
        seen |= set(new)
        shown = {name: field for name, field in new.items() if name in os.environ or not only_set}
        if shown:
            typer.echo(f"\n{title}")
            for name, field in shown.items():
                typer.echo(
                    f"  {name:<34} {_state(name, field)}\n      {field.description or 'no description'}"
                )


def _all() -> list[tuple[str, type[Settings]]]:
    """The shared settings, then each service's own; a service without any has none to list."""
    found: list[tuple[str, type[Settings]]] = [("all services", Settings)]
    for each in MEMBERS:
        if importlib.util.find_spec(each.package) and importlib.util.find_spec(f"{each.package}.settings"):
            module = importlib.import_module(f"{each.package}.settings")
            kinds = [
                kind
                for kind in vars(module).values()
                if isinstance(kind, type) and issubclass(kind, Settings)
            ]
            found += [(each.name, kind) for kind in kinds if kind is not Settings]
    return found


def _state(name: str, field: FieldInfo) -> str:
    if field.annotation is SecretStr:
        return "set (secret)" if os.environ.get(name) else "not set (secret)"
    if name == "GUITU_DATABASE_URL":
        return "set (holds a password)" if os.environ.get(name) else "not set"
    return f"set: {os.environ[name]}" if os.environ.get(name) else f"default: {field.default or 'none'}"
