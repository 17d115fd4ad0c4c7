"""`guitu dna lr FILE` and `guitu dna schema`: a likelihood ratio on a case of your own, without service or database.

Ends with 0 when there is an answer, whatever it says; with 1 when the case can't be weighed, with a line a trouble.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from guitu.embedded.trouble import NodeError

if TYPE_CHECKING:
    from dna_intake.kinship_files.case import LrCase


def lr(
    case: Annotated[Path, typer.Argument(help="The case: .json, or a Familias .fam file.")],
    h1: Annotated[str | None, typer.Option("--h1", help="Of a .fam file: this pedigree first.")] = None,
    h2: Annotated[str | None, typer.Option("--h2", help="Of a .fam file: against this pedigree.")] = None,
    mode: Annotated[
        str | None, typer.Option("--mode", help="full or gbt37223, in place of the case's own.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write the result there, as JSON.")] = None,
    fam: Annotated[
        Path | None,
        typer.Option("--fam", help="Write the case there as a Familias .fam file, to check it elsewhere."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    language: Annotated[str, typer.Option("--lang", help="zh or en; by default that of the terminal.")] = "",
) -> None:
    """Weigh two family hypotheses: log10 likelihood ratio, locus by locus.

    \b
    Example: ./guitu dna lr docs/examples/lr/trio.json
    """
    from dna_intake.kinship_files.case_files import read_case
    from dna_intake.kinship_files.fam_writing import fam_text
    from dna_intake.kinship_files.refused import CaseRefused
    from dna_intake.kinship_files.resolve import question_of
    from dna_intake.kinship_files.weigh import weigh
    from dna_intake.kinship_files.words import summary

    try:
        asked = _in_mode(read_case(case, h1, h2), mode)
        question = question_of(asked, case.parent)
        result = weigh(question)
        if fam is not None:
            _write(fam, fam_text(question), "--fam")
    except CaseRefused as error:
        raise NodeError(str(error)) from error
    if out is not None:
        _write(out, result.model_dump_json() + "\n", "--out")
    if as_json:
        typer.echo(result.model_dump_json())
    elif out is None or sys.stdout.isatty():
        typer.echo(summary(result, language if language in ("zh", "en") else _language()))


def schema(of: Annotated[str, typer.Argument(help="case or result.")] = "case") -> None:
    """Print the JSON Schema of cases or of results.

    \b
    Example: ./guitu dna schema result
    """
    from dna_intake.kinship_files.schemas import text_of

    if of not in ("case", "result"):
        raise NodeError(f"There is no schema of {of!r}; there are: case, result.")
    typer.echo(text_of("result" if of == "result" else "case"), nl=False)


def _in_mode(case: LrCase, mode: str | None) -> LrCase:
    """The case in another mode. Raises: CaseRefused, as the case itself would be."""
    from pydantic import ValidationError

    from dna_intake.kinship_files.refused import refused

    if mode is None:
        return case
    try:
        return case.model_validate(case.model_dump(exclude_unset=True) | {"mode": mode})
    except ValidationError as error:
        says = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
        raise refused(f"--mode {mode}: {says}.", "该方式不适用。", "Use --mode full.") from error


def _write(out: Path, text: str, option: str) -> None:
    """The whole file or none: a reader never sees half a result."""
    half = out.with_name(f".{out.name}.part")
    try:
        half.write_text(text, encoding="utf-8", newline="")
        half.replace(out)
    except OSError as error:
        raise NodeError(
            f"{out} can't be written: {error.strerror}. Mend: give {option} a folder that is there."
        ) from error


def _language() -> str:
    words = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "zh" if words.lower().startswith("zh") else "en"
