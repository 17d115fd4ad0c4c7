"""Profiles from files for `guitu dna search`: CSV with a column a locus, or JSON lines; docs/dna_search.md has both.

Nothing is half read: every row that can't be used is told with its line, its specimen and its locus.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from dna_intake.search.refusals import SearchRefused

ROLES = ("child", "father", "mother", "parent", "sibling", "relative")
PARENTS = ("father", "mother", "parent")
SEXES = ("male", "female", "unknown")
TROUBLES_SHOWN = 20
LINE_MAX = 100_000
_ALLELE = re.compile(r"[0-9]{1,3}(\.[1-9])?", re.ASCII)
_SEPARATORS = re.compile(r"[/,;\s]+")
OffLadder = Callable[[str, Sequence[object]], str]
"""What is wrong with a locus' repeat numbers as a sentence; empty if nothing."""
_FIELDS = ("specimen", "role", "sex", "couple", "dropout")


@dataclass(frozen=True)
class Profile:
    """One row: `couple` joins a father and a mother who miss a child together; `dropout` marks low template."""

    specimen: str
    role: str
    sex: str = "unknown"
    couple: str = ""
    dropout: float = 0.0
    genotypes: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)


class RowsRefused(SearchRefused):
    """Rows that can't be used; the message has a line each, up to 20."""


@dataclass
class Reading:
    """What was read: profiles, and columns that are no locus of the panel and were left out."""

    profiles: list[Profile] = field(default_factory=list)
    left_out: set[str] = field(default_factory=set)
    troubles: list[str] = field(default_factory=list)


def anything_goes(_: str, __: Sequence[object]) -> str:
    """Of a caller that knows no ladders."""
    return ""


def read_profiles(
    paths: Sequence[Path], loci: Sequence[str], off_ladder: OffLadder = anything_goes
) -> Reading:
    """All profiles of these files, with loci by the panel's names; `off_ladder` judges the alleles of each.

    Raises: RowsRefused with file, line, specimen and locus of every row that can't be used; OSError.
    """
    reading = Reading()
    names = {_key(locus): locus for locus in loci}
    for path in paths:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = _of_lines(file) if path.suffix.lower() in (".jsonl", ".ndjson") else _of_csv(file)
            for line, row in rows:
                _take(reading, names, f"{path.name} line {line}", row, off_ladder)
    _refuse_twice(reading)
    if reading.troubles:
        shown = reading.troubles[:TROUBLES_SHOWN]
        more = len(reading.troubles) - len(shown)
        told = [*shown, f"and {more} more."] if more else shown
        raise RowsRefused("These rows can't be used; mend or leave them out:\n  " + "\n  ".join(told))
    return reading


def _of_csv(file: TextIO) -> Iterator[tuple[int, dict[str, Any] | str]]:
    reader = csv.DictReader(file)
    head = [name.strip() for name in reader.fieldnames or []]
    if not {"specimen", "role"} <= {name.lower() for name in head}:
        yield 1, "The first line must name the columns, specimen and role among them."
        return
    reader.fieldnames = head
    for row in reader:
        if None in row or None in row.values():
            specimen = next((value for name, value in row.items() if name and name.lower() == "specimen"), "")
            yield (
                reader.line_num,
                f"It has not the {len(head)} cells of the first line (specimen {specimen or 'not named'});"
                " a cell a column, empty where not typed.",
            )
            continue
        cells = {name: (value or "").strip() for name, value in row.items()}
        fields = {name.lower(): value for name, value in cells.items() if name.lower() in _FIELDS}
        loci = {name: value for name, value in cells.items() if name.lower() not in _FIELDS}
        typed = {name: [a for a in _SEPARATORS.split(value) if a] for name, value in loci.items() if value}
        yield reader.line_num, {**fields, "loci": typed}


def _of_lines(file: TextIO) -> Iterator[tuple[int, dict[str, Any] | str]]:
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        if len(line) > LINE_MAX:
            yield number, f"It is longer than {LINE_MAX} characters; one profile a line."
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            yield number, f"It is not JSON: {error}."
            continue
        if not isinstance(row, dict) or not isinstance(row.get("loci"), dict):
            yield number, 'It must be an object with "specimen", "role" and "loci".'
            continue
        yield number, row


def _take(
    reading: Reading, names: Mapping[str, str], where: str, row: dict[str, Any] | str, off_ladder: OffLadder
) -> None:
    if isinstance(row, str):
        reading.troubles.append(f"{where}: {row}")
        return
    specimen = str(row.get("specimen") or "").strip()
    at = f"{where}, specimen {specimen or '(none)'}"
    role, sex = str(row.get("role") or "").lower(), str(row.get("sex") or "").lower()
    sex = sex or {"father": "male", "mother": "female"}.get(role, "unknown")
    before = len(reading.troubles)
    reading.troubles += [f"{at}: {trouble}" for trouble in _troubles(specimen, role, sex)]
    dropout = _dropout(row.get("dropout"))
    if dropout is None:
        reading.troubles.append(f"{at}: dropout is {row.get('dropout')!r}; give 0 or more and less than 1.")
    genotypes: dict[str, tuple[str, ...]] = {}
    for column, alleles in row["loci"].items():
        locus = names.get(_key(str(column)))
        if locus is None:
            reading.left_out.add(str(column))
            continue
        trouble = _wrong(alleles) or off_ladder(locus, alleles)
        if locus in genotypes:
            trouble = "the locus is there twice; keep one."
        if trouble:
            reading.troubles.append(f"{at}, locus {locus}: {trouble}")
        else:
            genotypes[locus] = tuple(str(allele) for allele in alleles)
    if not genotypes and len(reading.troubles) == before:
        reading.troubles.append(f"{at}: no locus of the panel is typed; check the columns' names.")
    if len(reading.troubles) == before:
        couple = str(row.get("couple") or "").strip()
        reading.profiles.append(Profile(specimen, role, sex, couple, dropout or 0.0, genotypes))


def _troubles(specimen: str, role: str, sex: str) -> list[str]:
    found = [] if specimen else ["it has no specimen; give each row an id."]
    if role not in ROLES:
        found.append(f"role is {role!r}; use one of {', '.join(ROLES)}.")
    if sex not in SEXES:
        found.append(f"sex is {sex!r}; use one of {', '.join(SEXES)}.")
    if (role, sex) in (("father", "female"), ("mother", "male")):
        found.append(f"a {role} is {sex}; mend role or sex.")
    return found


def _wrong(alleles: object) -> str:
    """What is wrong with a locus; empty if nothing."""
    if not isinstance(alleles, list | tuple) or not 1 <= len(alleles) <= 2:
        count = len(alleles) if isinstance(alleles, list | tuple) else "no list of"
        return f"it has {count} alleles; give one or two, or leave the locus empty."
    wrong = [allele for allele in alleles if not _ALLELE.fullmatch(str(allele))]
    return (
        f"{wrong[0]!r} is no repeat number, such as 9 or 9.3; leave out what is off ladder." if wrong else ""
    )


def _dropout(value: object) -> float | None:
    if value in (None, ""):
        return 0.0
    try:
        found = float(str(value))
    except ValueError:
        return None
    return found if 0 <= found < 1 else None


def _refuse_twice(reading: Reading) -> None:
    seen: set[str] = set()
    for profile in reading.profiles:
        if profile.specimen in seen:
            reading.troubles.append(f"specimen {profile.specimen} is there twice; keep one row of it.")
        seen.add(profile.specimen)


def _key(name: str) -> str:
    return re.sub(r"[\s_-]", "", name).upper()
