"""`guitu dna`: kinship by DNA from files, without service or database; each command belongs to its own module."""

from __future__ import annotations

from dna_intake.lr_cli import lr, schema
from guitu.commands.shape import command_line

cli = command_line(
    "Kinship by DNA on files of your own: weigh two family hypotheses.",
    no_args_is_help=True,
    epilog="docs/lr_files.md explains the forms; examples are in docs/examples/lr.",
)
cli.command("lr")(lr)
cli.command("schema")(schema)
