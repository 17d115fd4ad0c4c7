"""`guitu dna check FILE --kit KIT`: would this file be taken? Read on this machine, nothing is sent or stored."""

from __future__ import annotations

import mimetypes
from pathlib import Path
from typing import Annotated

import typer

from dna_intake.intake.files import read_file
from dna_intake.intake.plate import Judged, judge
from dna_intake.intake.sheet import BYTES_MAX, FileRefused, RowTrouble, shown


def check(
    file: Annotated[
        Path, typer.Argument(help="CODIS CMF XML, genotypes table or JSON.", exists=True, dir_okay=False)
    ],
    kit: Annotated[
        str | None, typer.Option(help="The kit, or several joined by ' + '; else as the file says.")
    ] = None,
) -> None:
    """Check a profile file as the service would before it looks at specimens: form, kit ladder, controls."""
    with file.open("rb") as opened:
        raw = opened.read(BYTES_MAX + 1)
    try:
        judged = judge(read_file(raw, mimetypes.guess_type(file.name)[0] or ""), kit)
    except FileRefused as error:
        for row in error.rows:
            typer.echo(_line(row), err=True)
        typer.echo(f"Refused: {len(error.rows)} to mend. 未通过:{len(error.rows)}处需改正。", err=True)
        raise typer.Exit(1) from None
    _tell(judged)


def _line(row: RowTrouble) -> str:
    where = " ".join(
        part for part in (f"line {row.line}" if row.line else "file", row.specimen, row.locus) if part
    )
    return f"{where}: {row.says_en} {row.says_zh} Mend: {row.mend}"


def _tell(judged: Judged) -> None:
    for sample, typed in judged.profiles:
        partial = ", partial" if typed.genotype.partial else ""
        three = f", left out of searches: {' '.join(typed.three)}" if typed.three else ""
        name = shown(sample.name) or "(sample)"
        typer.echo(f"line {sample.line} {name}: {typed.genotype.loci_typed} loci{partial}{three}")
    typer.echo(
        f"Sound: {len(judged.profiles)} profiles, {len(judged.controls)} controls, kit {judged.kit}. "
        "Nothing was sent. 检查通过,未提交任何数据。"
    )
