"""`guitu console`: accounts, login links, and the projection."""

from __future__ import annotations

from console.door.account_cli import accounts, login_link
from console.picture_cli import rebuild_command, status_command
from guitu.commands.shape import command_line

cli = command_line("The staff console: accounts, login links, its picture built again, its age.")
cli.add_typer(accounts, name="account")
cli.command("login-link")(login_link)
cli.command("rebuild")(rebuild_command)
cli.command("status")(status_command)
