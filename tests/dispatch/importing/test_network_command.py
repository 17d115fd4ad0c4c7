"""`guitu network`: check, import, list, show, use; on a real database."""

from __future__ import annotations

import asyncio
import csv
import json
import shutil
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import pytest

from dispatch import counties, store_network
from dispatch.domain.rows import timetable_of
from dispatch.importing.sources import read_source, write_folder
from dispatch.models import County
from dispatch.network_files import YUNYANG, read_network
from dispatch.seed import seed
from guitu.cli import main
from guitu.migrate import migrate_now
from guitu.pg import open_pool
from guitu.settings import Settings
from harness import ground
from harness.osm_drawing import OsmDrawing

T = TypeVar("T")


class Office:
    """A person at the command line of a county whose database is there."""

    def __init__(self, url: str, capsys: pytest.CaptureFixture[str]) -> None:
        self.url, self._capsys = url, capsys

    def says(self, *words: str) -> tuple[int, str, str]:
        """Run `guitu network`; returns exit code, output, errors."""
        code = 0
        try:
            main(("network", *words))
        except SystemExit as leaving:
            code = int(leaving.code or 0)
        printed = self._capsys.readouterr()
        return code, printed.out, printed.err

    def told(self, *words: str) -> Any:
        """The JSON that a command prints."""
        return json.loads(self.says(*words, "--json")[1])

    def asks(self, question: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
        """Ask the database."""

        async def ask() -> T:
            pool = await open_pool(self.url, "dispatch", size=1)
            try:
                async with pool.acquire() as conn:
                    return await question(conn)
            finally:
                await pool.close()

        return asyncio.run(ask())

    def county(self) -> County | None:
        """The network that the service plans with."""
        return self.asks(lambda conn: counties.county_of(conn, "500235"))


@pytest.fixture
def office(settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Office:
    migrate_now(settings.database_url, ("dispatch",))
    asyncio.run(ground.truncate(settings.database_url, "dispatch"))
    monkeypatch.setenv("GUITU_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("GUITU_KAFKA", "127.0.0.1:9")
    monkeypatch.setenv("GUITU_SIGNING_KEY", "a-signing-key-of-more-than-32-bytes!")
    capsys.readouterr()
    return Office(settings.database_url, capsys)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(YUNYANG, tmp_path / "roads"))


def change(path: Path, line: int, column: str, value: str) -> None:
    rows = list(csv.reader(path.open(encoding="utf-8")))
    rows[line - 1][rows[0].index(column)] = value
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def test_check_needs_no_node_and_says_what_was_found(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path
):
    for name in ("GUITU_DATABASE_URL", "GUITU_KAFKA"):
        monkeypatch.delenv(name, raising=False)
    person = Office("", capsys)

    code, text, _ = person.says("check", str(folder), "--language", "zh")

    assert 0 == code
    assert "0 个错误,0 个警告:可用。" in text
    assert person.told("check", str(folder))["good"]


def test_an_import_is_planned_with_and_the_drawing_is_marked(office: Office, folder: Path):
    code, text, _ = office.says("import", str(folder), "--by", "duty-1", "--note", "roads of November")
    county = office.county()

    assert 0 == code
    assert "plans with" in text
    assert county is not None
    assert (read_network().version, True) == (county.version, county.schematic)
    expected = timetable_of(read_network().timetable, county.network)
    assert list(expected.depart_s) == list(county.timetable.depart_s)
    assert expected.line_of == county.timetable.line_of
    (shown,) = office.told("list")
    assert (True, True, "duty-1", "csv", "roads of November", 241) == (
        *(shown["in_use"], shown["schematic"], shown["imported_by"], shown["source_kind"]),
        *(shown["note"], shown["trips"]),
    )
    assert "SCHEMATIC" in office.says("list")[1]
    assert "SCHEMATIC" in office.says("show")[1]
    actions = office.asks(lambda conn: conn.fetch("select actor, action from audit"))
    assert [("duty-1", "network.imported")] == [tuple(row) for row in actions]


def test_a_dry_run_changes_nothing(office: Office, folder: Path):
    code, text, _ = office.says("import", str(folder), "--dry-run")

    assert 0 == code
    assert "Dry run, nothing was changed" in text
    assert [] == office.told("list")
    assert 0 == office.asks(lambda conn: conn.fetchval("select count(*) from audit"))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_bad_rows_are_told_and_nothing_is_imported(office: Office, folder: Path, language: str):
    change(folder / "edges.csv", 5, "length_m", "far")

    code, _, errors = office.says("import", str(folder), "--language", language)

    assert 1 == code
    assert ("edges.csv line 5: " if language == "en" else "edges.csv 第5行: ") in errors
    assert [] == office.told("list")
    assert not office.told("import", str(folder))["good"]


def test_a_network_with_errors_is_reported_and_not_imported(office: Office, folder: Path):
    change(folder / "edges.csv", 2, "length_m", "5")

    code, text, _ = office.says("import", str(folder))

    assert 1 == code
    assert "ERROR" in text
    assert [] == office.told("list")


def test_warnings_refuse_only_where_it_is_strict(office: Office, folder: Path):
    change(folder / "edges.csv", 2, "car_speed_kmh", "140")

    assert 1 == office.says("import", str(folder), "--strict")[0]
    assert [] == office.told("list")
    assert 0 == office.says("import", str(folder))[0]


def test_versions_are_kept_and_one_can_go_back(office: Office, folder: Path):
    office.says("import", str(folder))
    first = office.told("show")["version"]
    change(folder / "edges.csv", 2, "car_speed_kmh", "70")
    office.says("import", str(folder))
    second = office.told("show")["version"]

    code, text, _ = office.says("use", first)

    assert 0 == code
    assert first != second
    assert f"plans with {first} now" in text
    county = office.county()
    assert county is not None
    assert first == county.version
    assert [first, second] == [one["version"] for one in office.told("list")]
    assert second == office.told("show", second)["version"]
    assert 1 == office.says("use", "nowhere")[0]
    assert 1 == office.says("show", "nowhere")[0]


def test_importing_the_same_again_makes_no_version(office: Office, folder: Path):
    office.says("import", str(folder))

    again = office.told("import", str(folder))

    assert (True, False) == (again["imported"], again["is_new"])
    assert 1 == len(office.told("list"))


def test_a_network_on_which_units_have_no_base_is_refused(office: Office, folder: Path, tmp_path: Path):
    office.says("import", str(folder))
    extract = OsmDrawing().street(1, 6).road(9, 6, 999).write(tmp_path / "drawn.osm")

    code, _, errors = office.says("import", str(extract))

    assert 1 == code
    assert "54 units of the region have a base or post that this network does not have" in errors
    assert 1 == len(office.told("list"))


def test_an_extract_comes_with_units_by_position(office: Office, tmp_path: Path):
    extract = OsmDrawing().street(1, 6).road(9, 6, 999).write(tmp_path / "drawn.osm")
    rows = [(YUNYANG / "units.csv").read_text(encoding="utf-8").splitlines()[place] for place in (0, 1)]
    rows[1] = rows[1].replace(",shuangjiang,", ",,", 1)
    units = tmp_path / "mine.csv"
    units.write_text(f"{rows[0]},lon,lat\n{rows[1]},108.7001,30.9001\n", encoding="utf-8")

    told = office.told("import", str(extract), "--units", str(units))

    assert told["imported"]
    assert "units_snapped" in {one["code"] for one in told["findings"]}
    assert ["n1"] == office.asks(
        lambda conn: conn.fetchval("select array_agg(base_node) from unit where active")
    )
    assert ("osm", False) == (office.told("show")["source_kind"], office.told("show")["schematic"])


def test_an_extract_can_be_written_as_a_folder_edited_and_imported(office: Office, tmp_path: Path):
    extract = OsmDrawing().street(1, 6, name="滨江路").road(9, 6, 999).write(tmp_path / "drawn.osm")
    mine = tmp_path / "mine"

    assert 0 == office.says("check", str(extract), "--out", str(mine))[0]
    assert 0 == office.says("import", str(mine), "--schematic")[0]

    assert office.told("show")["schematic"]
    assert read_source(extract, "500235").network.version == read_network(mine).network.version


def test_a_folder_written_is_the_network_that_was_read(tmp_path: Path):
    write_folder(read_network(), tmp_path / "copy")

    copy = read_network(tmp_path / "copy")

    assert read_network().version == copy.version
    assert read_network().units == copy.units
    assert read_network().about == copy.about


def test_what_is_no_network_is_refused(office: Office, tmp_path: Path):
    (tmp_path / "roads.shp").write_text("no network", encoding="utf-8")

    code, _, errors = office.says("check", str(tmp_path / "roads.shp"))

    assert 1 == code
    assert "is neither a folder of CSV files" in errors
    assert 2 == office.says("check", str(YUNYANG), "--border", str(tmp_path / "roads.shp"))[0]
    assert 2 == office.says("check", str(YUNYANG), "--region", "12")[0]
    assert 2 == office.says("check", str(YUNYANG), "--language", "fr")[0]
    assert 2 == office.says("check", str(tmp_path / "nothing"))[0]


def test_seeding_describes_a_version_that_was_there(office: Office):
    """A database of before knew of no drawings; the next seed marks it."""
    asyncio.run(seed(office.url))
    owner = "update dispatch.network_version set schematic = false, note = ''"

    async def forget() -> None:
        conn = await ground.owner(office.url)
        await conn.execute(owner)
        await conn.close()

    asyncio.run(forget())
    asyncio.run(seed(office.url))

    (version,) = office.asks(lambda conn: store_network.versions(conn, "500235", 5))
    assert version.schematic
    assert version.loaded_at < datetime.now(UTC)
