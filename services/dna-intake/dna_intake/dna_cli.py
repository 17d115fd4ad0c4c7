"""`guitu dna`: kinship by DNA from files, without service or database; each command belongs to its own module."""

from __future__ import annotations

from dna_intake.intake.cli import check
from dna_intake.lr_cli import lr, schema
from dna_intake.search_cli import search
from guitu.commands.shape import command_line

cli = command_line(
    "Kinship by DNA on files of your own: weigh family hypotheses, search for relatives, check a file.",
    no_args_is_help=True,
    epilog="docs/lr_files.md, dna_search.md and profiles_in.md explain the forms; examples are in docs/examples.",
)
cli.command("lr")(lr)
cli.command("schema")(schema)
cli.command("search")(search)
cli.command("check")(check)
