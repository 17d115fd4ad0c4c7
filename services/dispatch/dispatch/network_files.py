"""Reads a road network from a folder of CSV files: all of it, or nothing with every row that is wrong.

The columns are described in `data/yunyang/README.md` and `docs/network.md`. Files are UTF-8 with a header line; a
byte-order mark as spreadsheets write it is accepted, and so are more columns than asked for.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable
from pathlib import Path

from dispatch.importing.assembling import About, Lined, NetworkFiles, Tables, assemble
from dispatch.importing.fields import BadField, Fields
from dispatch.importing.problems import NetworkFileError, Where, problem
from dispatch.importing.row_readers import COLUMNS, READERS

__all__ = ["YUNYANG", "NetworkFileError", "NetworkFiles", "read_about", "read_network", "read_table"]

YUNYANG = Path(__file__).parent / "data" / "yunyang"
ROWS_MAX = 500_000  # More than the roads of a whole province; a larger file is a mistake.
OPTIONAL = ("timetable.csv",)
ABOUT = "network.json"
OnRows = Callable[[str, int], None]
"""Told a table's name and how many rows of it were read, now and then."""
ROWS_A_STEP = 5_000


def read_network(folder: Path = YUNYANG, on_rows: OnRows | None = None) -> NetworkFiles:
    """Read nodes, edges, places, exits, units, the timetable and `network.json` (both optional) from a folder.

    Raises: NetworkFileError, with every row that is wrong; then nothing was read.
    """
    tables = Tables()
    for name in COLUMNS:
        if name not in OPTIONAL or (folder / name).exists():
            read_table(folder / name, name, tables, on_rows)
    return assemble(tables, read_about(folder / ABOUT, tables))


def read_table(path: Path, table: str, tables: Tables, on_rows: OnRows | None = None) -> None:
    """Add all good rows of one CSV file to its table, and what is wrong with the others to the problems."""
    where = Where(path.name)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            missing = [column for column in COLUMNS[table] if column not in (reader.fieldnames or ())]
            if missing:
                line = Where(path.name, 1)
                tables.problems.append(problem("columns_missing", line, columns=", ".join(missing)))
                return
            lines = ((Where(path.name, reader.line_num), fields) for fields in reader)
            read_rows(table, lines, tables, on_rows)
    except FileNotFoundError:
        tables.problems.append(problem("file_missing", where))
    except UnicodeDecodeError:
        tables.problems.append(problem("not_utf8", where))
    except csv.Error as error:
        tables.problems.append(problem("not_csv", where, why=error))


def read_rows(
    table: str,
    rows: Iterable[tuple[Where, dict[str, str]]],
    tables: Tables,
    on_rows: OnRows | None = None,
) -> None:
    """Add rows to a table, wherever they came from."""
    parse, kept = READERS[table], tables.rows.setdefault(table, [])
    for count, (where, fields) in enumerate(rows, start=1):
        if len(kept) >= ROWS_MAX:
            tables.problems.append(problem("too_many", where, most=ROWS_MAX))
            break
        try:
            # A line with too many fields has the key None, one with too few has None as a value.
            if None in fields or None in fields.values():
                raise BadField("too_few_fields")
            kept.append(Lined(where, parse(Fields(fields))))
        except BadField as error:
            tables.problems.append(problem(error.code, where, **error.values))
        if on_rows and count % ROWS_A_STEP == 0:
            on_rows(table, count)


def read_about(path: Path, tables: Tables) -> About:
    """What `network.json` says of the network: `schematic`, `source`, `note`; without it a real network."""
    if not path.exists():
        return About(source=path.parent.name)
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        schematic, source, note = said.get("schematic", False), said.get("source", ""), said.get("note", "")
        if not (isinstance(schematic, bool) and isinstance(source, str) and isinstance(note, str)):
            raise ValueError("schematic must be true or false, source and note texts")
    except (ValueError, AttributeError, UnicodeDecodeError) as error:
        tables.problems.append(problem("not_json", Where(path.name), why=error))
        return About()
    return About("csv", source, schematic, note)
