"""Whatever a county has, by its kind: a folder of CSV files, an OpenStreetMap extract, GeoJSON; and back again."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from dispatch.importing.assembling import NetworkFiles, Tables
from dispatch.importing.borders import read_border
from dispatch.importing.geojson import read_geojson
from dispatch.importing.osm import read_osm
from dispatch.importing.problems import NetworkFileError, Where, problem
from dispatch.importing.row_readers import COLUMNS
from dispatch.network_files import ABOUT, read_network, read_table

OnCount = Callable[[str, int], None]
OSM_ENDINGS = (".osm.pbf", ".osm", ".osm.gz", ".osm.bz2")
GEOJSON_ENDINGS = (".geojson", ".json")


def read_source(
    path: Path,
    region: str,
    *,
    border: Path | None = None,
    units: Path | None = None,
    timetable: Path | None = None,
    keep_all: bool = False,
    on_count: OnCount | None = None,
) -> NetworkFiles:
    """Read a network of any kind; `units` and `timetable` are CSV files beside an extract or GeoJSON.

    `border` and `keep_all` are for extracts. Raises: NetworkFileError, with everything that is wrong.
    """
    if path.is_dir():
        return read_network(path, on_count)
    tables = Tables()
    for name, given in (("units.csv", units), ("timetable.csv", timetable)):
        if given is not None:
            read_table(given, name, tables)
    if path.name.endswith(OSM_ENDINGS):
        found = read_border(border, region) if border else None
        return read_osm(path, region, found, tables, on_count, keep_all=keep_all)
    if path.name.endswith(GEOJSON_ENDINGS):
        return read_geojson(path, region, tables, on_count)
    raise NetworkFileError([problem("kind_unknown", Where(path.name))])


def marked(files: NetworkFiles, *, schematic: bool | None = None, note: str = "") -> NetworkFiles:
    """The same network with what the person who imports it says of it."""
    about = files.about
    is_drawing = about.schematic if schematic is None else schematic
    return replace(files, about=replace(about, schematic=is_drawing, note=note or about.note))


def write_folder(files: NetworkFiles, folder: Path) -> None:
    """Write a network as a folder of CSV files, to be edited and imported again; what is there is replaced.

    Known lines without times go to `lines.csv`, a list to write a timetable from.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tables: dict[str, Iterable[dict[str, Any]]] = {
        "nodes.csv": map(asdict, files.nodes),
        "edges.csv": map(asdict, files.edges),
        "places.csv": map(asdict, files.places),
        "exits.csv": map(asdict, files.exits),
        "units.csv": (_unit(asdict(row)) for row in files.units),
        "timetable.csv": (_call(asdict(row)) for row in files.timetable),
    }
    more = {"places.csv": ("staffed",), "timetable.csv": ("days",)}
    for name, rows in tables.items():
        _write(folder / name, (*COLUMNS[name], *more.get(name, ())), rows)
    if files.lines:
        stops = (
            {"line_id": line_id, "mode": mode, "stop_sequence": place, "node_id": node_id}
            for line_id, mode, nodes in files.lines
            for place, node_id in enumerate(nodes, start=1)
        )
        _write(folder / "lines.csv", ("line_id", "mode", "stop_sequence", "node_id"), stops)
    about = {key: getattr(files.about, key) for key in ("schematic", "source", "note")}
    (folder / ABOUT).write_text(json.dumps(about, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _write(path: Path, columns: Sequence[str], rows: Iterable[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n", extrasaction="ignore")
        writer.writeheader()
        writer.writerows({name: _text(value) for name, value in row.items()} for row in rows)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return "" if value is None else str(value)


def _unit(row: dict[str, Any]) -> dict[str, Any]:
    shift = row["shift"]
    hours = {"shift_start": _clock(shift["start_min"]), "shift_end": _clock(shift["end_min"])}
    return row | hours | {"capabilities": ";".join(sorted(row["capabilities"]))}


def _call(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"arrive": _clock(row["arrive_s"] // 60), "depart": _clock(row["depart_s"] // 60)}


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
