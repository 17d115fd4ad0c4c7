"""`guitu token`: a signed token for a person or an outside system of this node."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, cast

import typer

from guitu import auth
from guitu.clock import Clock
from guitu.settings import Settings

cli = typer.Typer(add_completion=False)


@cli.command()
def token(
    role: Annotated[str, typer.Argument(help=f"One of {', '.join(auth.ROLES)}.")],
    subject: Annotated[str, typer.Option(help="Who it is for: a login name, never a person's name.")] = "",
    region: Annotated[str, typer.Option(help="GB/T 2260 code, or * for all; this node's by default.")] = "",
    hours: Annotated[float, typer.Option(min=0.01, max=24 * 365, help="How long it is valid.")] = 12.0,
) -> None:
    """Print a token for `Authorization: Bearer`; an OIDC issuer makes them instead where one is set."""
    settings = Settings()
    if role not in auth.ROLES:
        raise typer.BadParameter(f"No role {role!r}; the roles are {', '.join(auth.ROLES)}.")
    if settings.oidc_issuer:
        raise typer.BadParameter("GUITU_OIDC_ISSUER is set: ask that issuer for a token.")
    known = cast(auth.Role, role)
    scope = region or settings.region_code
    typer.echo(
        auth.mint(settings, subject or f"demo-{role}", known, scope, Clock().now(), timedelta(hours=hours))
    )
