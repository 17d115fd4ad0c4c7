"""Frequency tables from files: the two that ship, and those of users in JSON, CSV, TSV or norSTR's blocks."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from dna_intake.kinship.frequencies import FrequencyTable
from dna_intake.kinship.refusals import TableRefused

SHIPPED = Path(__file__).parent / "tables"
BYTES_MAX = 8_000_000
"""The largest published table is some 100 kB."""
_ALLELE_COLUMN = {"allele", "alleles"}


def shipped_tables() -> list[str]:
    """Names of the tables that come with the library."""
    return sorted(path.stem for path in SHIPPED.glob("*.json"))


def load_table(name_or_path: str | Path) -> FrequencyTable:
    """A table that ships (`nist1036_asian`, `norstr_east_asia`), or a file of the user.

    JSON: {"name", "source", "people", "loci": {locus: {allele: frequency}}}, or the loci alone. CSV, TSV: columns
    locus, allele, frequency; or a column `Allele` and one a locus. Other text: a locus a block, then a line for
    each allele and its frequency.
    Raises: TableRefused, with file and mend.
    """
    path = SHIPPED / f"{name_or_path}.json"
    if not path.is_file():
        path = Path(name_or_path)
    if not path.is_file():
        raise TableRefused(
            f"No table {str(name_or_path)!r}; give a file, or one of {', '.join(shipped_tables())}."
        )
    if path.stat().st_size > BYTES_MAX:
        raise TableRefused(f"{path.name} is larger than {BYTES_MAX:,} bytes; is it a frequency table?")
    return table_of(path.read_text(encoding="utf-8-sig"), path.stem, path.suffix.lower())


def table_of(text: str, name: str, suffix: str) -> FrequencyTable:
    """The table in a text; `suffix` says which form it has.

    Raises: TableRefused.
    """
    if suffix == ".json":
        return table_of_json(text, name)
    if suffix in {".csv", ".tsv"}:
        return FrequencyTable(name, name + suffix, _of_rows(text, "\t" if suffix == ".tsv" else ","))
    return FrequencyTable(name, name + suffix, _of_blocks(text.splitlines()))


def table_of_json(text: str, name: str) -> FrequencyTable:
    """The table in a JSON text, with or without name and source."""
    try:
        found = json.loads(text)
    except ValueError as error:
        raise TableRefused(f"Table {name!r} is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise TableRefused(f"Table {name!r} must be an object of loci, each with alleles and frequencies.")
    bare = "loci" not in found
    loci: Any = found if bare else found["loci"]
    if not isinstance(loci, dict) or not all(isinstance(alleles, dict) for alleles in loci.values()):
        raise TableRefused(f"Table {name!r} must have an object of alleles and frequencies a locus.")
    if bare:
        return FrequencyTable(name, name, loci)
    return FrequencyTable(
        str(found.get("name", name)), str(found.get("source", name)), loci, found.get("people")
    )


def _of_rows(text: str, separator: str) -> Mapping[str, Mapping[str, float]]:
    rows = [
        row for row in csv.reader(io.StringIO(text), delimiter=separator) if any(cell.strip() for cell in row)
    ]
    if not rows:
        raise TableRefused("The table is empty; the first line names the columns.")
    head = [cell.strip() for cell in rows[0]]
    lower = [cell.lower() for cell in head]
    if {"locus", "allele", "frequency"} <= set(lower):
        at = [lower.index(column) for column in ("locus", "allele", "frequency")]
        return _gathered(tuple(_cell(row, i) for i in at) for row in rows[1:])
    if lower[0] not in _ALLELE_COLUMN:
        raise TableRefused("Name the columns: locus, allele, frequency; or Allele and one a locus.")
    return _gathered(
        (locus, _cell(row, 0), _cell(row, i))
        for row in rows[1:]
        for i, locus in enumerate(head)
        if i and locus
    )


def _of_blocks(lines: Iterable[str]) -> Mapping[str, Mapping[str, float]]:
    found: list[tuple[str, ...]] = []
    locus = ""
    for line in lines:
        cells = line.split("\t") if "\t" in line else line.rsplit(None, 1) if _is_pair(line) else [line]
        if len(cells) == 2:
            found.append((locus, *cells))
        elif line.strip():
            locus = line.strip()
    return _gathered(found)


def _is_pair(line: str) -> bool:
    return len(cells := line.split()) == 2 and all(cell.replace(".", "", 1).isdigit() for cell in cells)


def _gathered(rows: Iterable[tuple[str, ...]]) -> Mapping[str, Mapping[str, float]]:
    loci: dict[str, dict[str, float]] = {}
    for locus, allele, written in rows:
        if not written.strip():
            continue
        if allele in loci.setdefault(locus, {}):
            raise TableRefused(f"Allele {allele} is there twice; keep one.", locus=locus)
        try:
            loci[locus][allele] = float(written)
        except ValueError as error:
            raise TableRefused(
                f"{written!r} is not a frequency; give one from 0 to 1.", locus=locus
            ) from error
    return loci


def _cell(row: list[str], at: int) -> str:
    return row[at].strip() if at < len(row) else ""
