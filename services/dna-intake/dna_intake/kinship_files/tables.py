"""Which frequencies a case means: a table that ships, a file beside it, or those it writes out itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from dna_intake.kinship import FrequencyTable, TableRefused, load_table, shipped_tables
from dna_intake.kinship_files.case import Frequencies
from dna_intake.kinship_files.refused import CaseRefused, refused
from dna_intake.kinship_files.typings import canonical


def table_for(wanted: Frequencies, beside: Path | None) -> FrequencyTable:
    """The table; without `beside` no file may be named, as over HTTP.

    Raises: CaseRefused, naming the locus where one is wrong.
    """
    try:
        if wanted.loci is not None:
            name = wanted.name or "written out in the case"
            return FrequencyTable(name, wanted.source, wanted.loci, wanted.people)
        if wanted.file is not None:
            return _from_file(wanted.file, beside)
        return _shipped(wanted.table or "")
    except TableRefused as error:
        raise table_refused(error) from error


def table_refused(error: TableRefused) -> CaseRefused:
    """The library's refusal of a table, without the allele that it may name."""
    says = re.sub(
        r"Allele \S+ ",
        "An allele ",
        re.sub(r"'[^']*' is not an allele", "One of its alleles is none", error.says),
    )
    return refused(
        f"The frequency table can't be used: {says}",
        "频率表无法使用(请核对该基因座的频率之和与等位基因)。",
        "",
        locus=error.locus or "",
    )


def spelling_of(table: FrequencyTable) -> Mapping[str, str]:
    """Usual spelling of each locus -> how the table writes it. Raises: CaseRefused, if two are the same locus."""
    found: dict[str, str] = {}
    for written in table.loci:
        locus = canonical(written)
        if locus in found:
            raise refused(
                f"The table has it as {found[locus]!r} and as {written!r}.",
                "频率表中该基因座重复。",
                "Keep one of them.",
                locus=locus,
            )
        found[locus] = written
    return found


def _shipped(name: str) -> FrequencyTable:
    # Only names of our own: a path in this field would read any file of the machine over HTTP.
    if name not in shipped_tables():
        raise refused(
            f"No table {name!r} ships.",
            "没有该名称的频率表。",
            "Name one of " + ", ".join(shipped_tables()) + ", give a file, or write it out as loci.",
        )
    return load_table(name)


def _from_file(name: str, beside: Path | None) -> FrequencyTable:
    if beside is None:
        raise refused(
            "A table can't be a file here.",
            "此处不能引用文件。",
            "Name a table that ships, or write it out as loci.",
        )
    try:
        return load_table(beside / name)
    except (OSError, UnicodeDecodeError) as error:
        raise refused(
            f"The frequency file {name!r} can't be read: {error}.",
            "频率文件无法读取。",
            "Give a CSV, TSV or JSON file in UTF-8 beside the case.",
        ) from error
