"""`guitu token`: a signed token for a person or an outside system of this node."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, cast

import typer

from guitu import auth
from guitu.clock import Clock
from guitu.commands.attach import node_settings
from guitu.commands.shape import command_line

cli = command_line()


def _known_role(name: str) -> str:
    if name not in auth.ROLES:
        raise typer.BadParameter(f"No role {name!r}; the roles are {', '.join(auth.ROLES)}.")
    return name


def _region(code: str) -> str:
    if not re.fullmatch(r"(\d{6}|\*)?", code, re.ASCII):
        raise typer.BadParameter(f"{code!r} is no region: six digits, such as 500235, or * for all.")
    return code


@cli.command()
def token(
    role: Annotated[
        str, typer.Argument(metavar="ROLE", callback=_known_role, help=f"One of {', '.join(auth.ROLES)}.")
    ],
    subject: Annotated[
        str, typer.Option(help="Who it is for: a login name, never a person's name; demo-ROLE by default.")
    ] = "",
    region: Annotated[
        str, typer.Option(callback=_region, help="GB/T 2260 code, or * for all; this node's by default.")
    ] = "",
    hours: Annotated[float, typer.Option(min=0.01, max=24 * 365, help="How long it is valid.")] = 12.0,
) -> None:
    """Print a token for `Authorization: Bearer`; an OIDC issuer makes them instead where one is set.

    \b
    Example:
      TOKEN=$(./guitu token operator --subject duty-desk-1)
      curl -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8201/cases
    """
    settings = node_settings()
    if settings.oidc_issuer:
        raise typer.BadParameter("GUITU_OIDC_ISSUER is set: ask that issuer for a token.")
    known, scope = cast(auth.Role, role), region or settings.region_code
    now, valid_for = Clock(settings.clock_file).now(), timedelta(hours=hours)
    typer.echo(auth.mint(settings, subject or f"demo-{role}", known, scope, now, valid_for))
