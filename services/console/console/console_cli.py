"""`guitu console`: accounts, login links, and the projection."""

from __future__ import annotations

from console.account_cli import accounts, login_link
from guitu.commands.shape import command_line

cli = command_line("The staff console: accounts, login links.")
cli.add_typer(accounts, name="account")
cli.command("login-link")(login_link)
