"""The county's table of units as a file: read with every row that is wrong, and written so that it reads back.

UTF-8 with or without the mark at its beginning, or GB18030, as a Chinese Excel saves a table. The columns are those of
`units.csv` in a network's folder (`docs/network.md`); `lon` and `lat` may stand for a base node.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from uuid import UUID

from dispatch.domain.network import Network
from dispatch.domain.rows import PlaceRow, UnitRow
from dispatch.importing.assembling import Lined, Tables, placed_units, unit_problems
from dispatch.importing.problems import NetworkFileError, Problem, Where, problem
from dispatch.importing.row_readers import COLUMNS, UnitDraft
from dispatch.network_files import read_rows

FILE = "units.csv"
ENCODINGS = ("utf-8-sig", "gb18030")
UNITS_MAX = 5_000
"""A county has some hundreds of patrols and posts; more in one file is a mistake."""
FORMULA = ("=", "+", "-", "@")
"""A spreadsheet runs what begins so, and the table is given back as a file (OWASP, CSV injection)."""
LONGEST = {"code": 20, "name_zh": 60, "name_en": 80, "kind": 40, "base_node": 80}
"""Characters: what an SMS, an order and a table's column can take."""


def read_units(content: bytes) -> Tables:
    """The rows of the file, and what is wrong with single ones."""
    tables = Tables()
    text = _decoded(content)
    if text is None:
        tables.problems.append(problem("not_utf8", Where(FILE)))
        return tables
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        missing = [column for column in COLUMNS[FILE] if column not in (reader.fieldnames or ())]
        if missing:
            tables.problems.append(problem("columns_missing", Where(FILE, 1), columns=", ".join(missing)))
        else:
            read_rows(FILE, _lines(reader, tables), tables)
    except csv.Error as error:
        tables.problems.append(problem("not_csv", Where(FILE), why=error))
    return tables


def checked_units(
    tables: Tables, region: str, network: Network, places: Sequence[PlaceRow], taken: Iterable[UUID]
) -> tuple[UnitRow, ...]:
    """The units of the file, each with its base. `taken` are ids of other counties' units.

    Raises: NetworkFileError, with everything that is wrong, in the order of the lines.
    """
    drafts = tables.of(FILE)
    node_ids, place_ids = frozenset(network.index), frozenset(place.place_id for place in places)
    found = [*tables.problems, *unit_problems(drafts, node_ids, place_ids), *_codes_twice(drafts)]
    found += _of_elsewhere(drafts, region, frozenset(taken))
    for lined in drafts:
        found += _unsayable(lined)
    if not drafts and not found:
        found.append(problem("empty", Where(FILE), column=FILE))
    if found:
        raise NetworkFileError(sorted(found, key=lambda one: one.where.number))
    return placed_units(drafts, network, places)[0]


def written(units: Iterable[UnitRow]) -> str:
    """The table as it can be read again, with the mark by which Excel knows UTF-8."""
    text = io.StringIO(newline="")
    text.write("\ufeff")
    writer = csv.DictWriter(text, COLUMNS[FILE], lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(_cells(unit) for unit in units)
    return text.getvalue()


def _cells(unit: UnitRow) -> Mapping[str, object]:
    return {
        "unit_id": unit.unit_id,
        "code": unit.code,
        "name_zh": unit.name_zh,
        "name_en": unit.name_en,
        "region_code": unit.region_code,
        "kind": unit.kind,
        "base_node": unit.base_node,
        "post_place_id": unit.post_place_id or "",
        "capabilities": ";".join(sorted(unit.capabilities)),
        "shift_start": clock(unit.shift.start_min),
        "shift_end": clock(unit.shift.end_min),
        "turnout_s": f"{unit.turnout_s:g}",
    }


def clock(minute: int) -> str:
    """Minutes after midnight as HH:MM, 1440 as 24:00."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _decoded(content: bytes) -> str | None:
    for encoding in ENCODINGS:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _lines(reader: csv.DictReader[str], tables: Tables) -> Iterator[tuple[Where, dict[str, str]]]:
    for count, fields in enumerate(reader):
        if count >= UNITS_MAX:
            tables.problems.append(problem("too_many_units", Where(FILE), most=UNITS_MAX))
            return
        yield Where(FILE, reader.line_num), fields


def _codes_twice(drafts: Sequence[Lined]) -> list[Problem]:
    """Units are called by their code on the radio: two of one name would both go, or neither."""
    first: dict[str, Where] = {}
    found = []
    for lined in drafts:
        code = _row(lined).code
        other = first.setdefault(code, lined.where)
        if other is not lined.where:
            others = {"other": other.said("en", file=False), "other_zh": other.said("zh", file=False)}
            found.append(problem("twice", lined.where, column="code", value=code, **others))
    return found


def _of_elsewhere(drafts: Sequence[Lined], region: str, taken: frozenset[UUID]) -> list[Problem]:
    found = []
    for lined in drafts:
        row = _row(lined)
        if row.region_code != region:
            values = {"value": row.region_code, "region": region}
            found.append(problem("region_row", lined.where, **values))
        elif row.unit_id in taken:
            found.append(problem("id_taken", lined.where, value=row.unit_id))
    return found


def _unsayable(lined: Lined) -> list[Problem]:
    """Texts that a screen, an SMS or a spreadsheet can't show as they are, or has no room for."""
    row, found = _row(lined), []
    texts = {name: getattr(row, name) for name in LONGEST} | {"capabilities": ";".join(row.capabilities)}
    for column, text in texts.items():
        most = LONGEST.get(column, 400)
        if not text.isprintable():
            found.append(problem("not_printable", lined.where, column=column))
        elif text.startswith(FORMULA):
            found.append(problem("formula", lined.where, column=column, value=text[:1]))
        elif len(text) > most:
            found.append(problem("too_long", lined.where, column=column, most=most))
    return found


def _row(lined: Lined) -> UnitRow:
    draft: UnitDraft = lined.row
    return draft.row
