"""`guitu console account ...` and `guitu console login-link`: who may sit at the screen, from the node's own shell.

Whoever can run these can read the database anyway; each is audited all the same, as done by `cli`.
"""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Annotated, Any, TypeVar, cast
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table

from console.door import passwords, store_accounts, store_sessions
from console.door.sessions import hash_of
from console.navigation import CONSOLE_ROLES
from console.settings import ConsoleSettings
from guitu.auth import Role
from guitu.clock import Clock, Ids
from guitu.commands.attach import DATABASE, node_settings
from guitu.commands.shape import command_line
from guitu.embedded.trouble import NodeError
from guitu.pg import open_pool
from guitu.settings import Settings
from guitu.supervisor.members import member
from guitu.tx import Tx

T = TypeVar("T")
LINK_LIVES = timedelta(minutes=15)
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{1,63}")
LOOPBACK = "http://127.0.0.1:8205"
BEIJING = ZoneInfo("Asia/Shanghai")
accounts = command_line("Accounts of this node: who may log in to the console by name and password.")


def _known_role(name: str) -> str:
    if name not in CONSOLE_ROLES:
        raise typer.BadParameter(
            f"No role {name!r} has a console; those that have: {', '.join(CONSOLE_ROLES)}."
        )
    return name


def _login_name(name: str) -> str:
    if name and not NAME.fullmatch(name):
        raise typer.BadParameter(
            "A login name has 2 to 64 of A-Z a-z 0-9 . _ @ - and is never a person's name."
        )
    return name


def _region(code: str) -> str:
    if not re.fullmatch(r"(\d{6}|\*)?", code, re.ASCII):
        raise typer.BadParameter(f"{code!r} is no region: six digits, such as 500235, or * for all.")
    return code


Name = Annotated[str, typer.Argument(metavar="NAME", callback=_login_name, help="Login name.")]
RoleName = Annotated[
    str, typer.Argument(metavar="ROLE", callback=_known_role, help=f"One of {', '.join(CONSOLE_ROLES)}.")
]
Region = Annotated[
    str, typer.Option(callback=_region, help="GB/T 2260 code, or * for all; this node's by default.")
]
FromStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from the first line of standard input.")
]


@accounts.command("add")
def add(name: Name, role: RoleName, region: Region = "", password_stdin: FromStdin = False) -> None:
    """Open an account; asks for its password, or prints one that it makes if you leave it empty."""
    settings = node_settings(DATABASE)
    password, shown = _password(name, password_stdin)
    kept = passwords.hashed(password)

    async def opened(tx: Tx) -> bool:
        scope = region or settings.region_code
        done = await store_accounts.add(tx.conn, name, role, scope, kept, tx.now)
        return _audited(tx, done, "account_added", account=name, role=role, region=scope)

    if not _run(settings, opened):
        raise NodeError(
            f"There is an account {name!r} already. Mend: another name, or change that one's password."
        )
    typer.echo(f"Account {name} is open as {role}.{shown}")


@accounts.command("list")
def list_accounts() -> None:
    """List accounts: role, region, sessions that are open now."""
    settings = node_settings(DATABASE)

    async def listed(tx: Tx) -> list[Any]:
        return await store_accounts.listed(tx.conn, tx.now)

    table = Table("name", "role", "region", "sessions", "since", "disabled", box=None)
    for row in _run(settings, listed):
        since, gone = _time(row["created_at"]), _time(row["disabled_at"])
        table.add_row(row["subject"], row["role"], row["region_code"], str(row["sessions"]), since, gone)
    Console(highlight=False).print(table)


@accounts.command("disable")
def disable(name: Name) -> None:
    """Close an account at once: its sessions end with their next request. A new password opens it again."""

    async def closed(tx: Tx) -> bool:
        await store_sessions.end_all(tx.conn, name, tx.now, "disabled")
        return _audited(
            tx, await store_accounts.disable(tx.conn, name, tx.now), "account_disabled", account=name
        )

    _must(_run(node_settings(DATABASE), closed), name)
    typer.echo(f"Account {name} is disabled; its sessions are over.")


@accounts.command("password")
def password(name: Name, password_stdin: FromStdin = False) -> None:
    """Give an account a new password; its sessions end, and a disabled account is open again."""
    settings = node_settings(DATABASE)
    chosen, shown = _password(name, password_stdin)
    kept = passwords.hashed(chosen)

    async def changed(tx: Tx) -> bool:
        await store_sessions.end_all(tx.conn, name, tx.now, "password")
        done = await store_accounts.new_password(tx.conn, name, kept, tx.now)
        return _audited(tx, done, "account_password", account=name)

    _must(_run(settings, changed), name)
    typer.echo(f"Account {name} has a new password; its sessions are over.{shown}")


@accounts.command("role")
def role(name: Name, role: RoleName, region: Region = "") -> None:
    """Give an account another role or region; its sessions end."""
    settings = node_settings(DATABASE)

    async def changed(tx: Tx) -> bool:
        scope = region or settings.region_code
        await store_sessions.end_all(tx.conn, name, tx.now, "role")
        done = await store_accounts.new_role(tx.conn, name, role, scope, tx.now)
        return _audited(tx, done, "account_role", account=name, role=role, region=scope)

    _must(_run(settings, changed), name)
    typer.echo(f"Account {name} is {role} now; its sessions are over.")


def login_link(
    role: RoleName,
    subject: Annotated[
        str, typer.Option(callback=_login_name, help="Who it is for; demo-ROLE by default.")
    ] = "",
    region: Region = "",
) -> None:
    """Print a link that logs somebody in to the console once, within 15 minutes.

    \b
    Example:
      ./guitu console login-link operator --subject duty-desk-1
    """
    settings = node_settings(DATABASE)
    typer.echo(asyncio.run(new_login_link(settings, _console_url(), cast(Role, role), subject, region)))


async def new_login_link(
    settings: Settings, console_url: str, role: Role, subject: str = "", region: str = ""
) -> str:
    """A link that logs somebody in once; only its hash is kept. Refused at use where an issuer is set."""
    if settings.oidc_issuer:
        raise NodeError(
            "GUITU_OIDC_ISSUER is set: the owners take its tokens only. Mend: log in by the issuer."
        )
    token, who, scope = secrets.token_urlsafe(24), subject or f"demo-{role}", region or settings.region_code
    async with _tx(settings) as tx:
        await store_sessions.add_link(tx.conn, hash_of(token), who, role, scope, tx.now + LINK_LIVES)
        tx.audit("login_link_made", account=who, role=role, region=scope)
    return f"{console_url.rstrip('/')}/login/link/{token}"


def _console_url() -> str:
    """Where staff's browsers find the console of this node."""
    return ConsoleSettings().console_public_url or os.environ.get(member("console").url_setting) or LOOPBACK


def _password(name: str, from_stdin: bool) -> tuple[str, str]:
    """The password to keep, and what to print of it: something only if it was made here."""
    if from_stdin:
        chosen = sys.stdin.readline().rstrip("\r\n")
    else:
        chosen = typer.prompt("Password (empty: make one)", default="", hide_input=True, show_default=False)
        if not chosen:
            made = secrets.token_urlsafe(12)
            return made, f"\nPassword: {made}"
        typer.prompt("Again", hide_input=True, value_proc=_same_as(chosen))
    try:
        passwords.check_strength(name, chosen)
    except passwords.TooWeak as weak:
        raise NodeError(f"{weak} Nothing was changed.") from None
    return chosen, ""


def _same_as(first: str) -> Callable[[str], str]:
    def check(second: str) -> str:
        if second != first:
            raise typer.BadParameter("The two are not the same.")
        return second

    return check


def _audited(tx: Tx, done: bool, action: str, **details: str) -> bool:
    """What was done goes into the log; what was not possible does not."""
    if done:
        tx.audit(action, subject=None, **details)
    return done


def _must(done: bool, name: str) -> None:
    if not done:
        raise NodeError(f"There is no open account {name!r}. Mend: ./guitu console account list.")


def _time(moment: datetime | None) -> str:
    return moment.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M") if moment else ""


def _run(settings: Settings, work: Callable[[Tx], Awaitable[T]]) -> T:
    async def inside() -> T:
        async with _tx(settings) as tx:
            return await work(tx)

    return asyncio.run(inside())


@asynccontextmanager
async def _tx(settings: Settings) -> AsyncIterator[Tx]:
    """One transaction in the console's schema, as its role."""
    pool = await open_pool(settings.database_url, "console", size=1)
    try:
        async with pool.acquire() as conn, conn.transaction():
            tx = Tx(conn, Clock(settings.clock_file).now(), Ids(), "cli", "guitu/console")
            yield tx
            await tx.flush()
    finally:
        await pool.close()
