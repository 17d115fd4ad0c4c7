"""`guitu network import|check|list|show|use`: a county's own network, looked at before it is planned on."""

from __future__ import annotations

import asyncio
import getpass
import json
import re
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import asyncpg
import typer

from dispatch import store_network
from dispatch.importing.assembling import NetworkFiles
from dispatch.importing.findings import Report
from dispatch.importing.problems import Language, NetworkFileError
from dispatch.importing.report import as_json, as_text
from dispatch.importing.sources import OnCount, marked, read_source, write_folder
from dispatch.importing.validate import validate
from dispatch.models import NetworkVersion
from dispatch.network_versions import VERSIONS_MAX, import_version, use_version
from guitu.clock import Clock
from guitu.commands.attach import DATABASE, node_settings
from guitu.commands.shape import command_line
from guitu.pg import open_pool
from guitu.settings import Settings

cli = command_line(
    "The road, bus and ferry network of a county: check files, import, list and switch versions.",
    no_args_is_help=True,
)
REFUSED = 1


def _region(code: str) -> str:
    if not re.fullmatch(r"(\d{6})?", code, re.ASCII):
        raise typer.BadParameter(f"{code!r} is no region: give six digits, such as 500235.")
    return code


def _language(word: str) -> str:
    if word not in ("en", "zh"):
        raise typer.BadParameter(f"{word!r} is no language of the report: give en or zh.")
    return word


Source = Annotated[
    Path,
    typer.Argument(
        metavar="PATH",
        exists=True,
        help="Folder of CSV files, .osm.pbf, .osm, .geojson; see docs/network.md.",
    ),
]
Region = Annotated[
    str, typer.Option(callback=_region, help="GB/T 2260 code of the county; this node's by default.")
]
Border = Annotated[
    Path | None, typer.Option(exists=True, dir_okay=False, help="GeoJSON outline to cut an extract by.")
]
Units = Annotated[
    Path | None,
    typer.Option(exists=True, dir_okay=False, help="units.csv beside an extract; may have lon and lat."),
]
Times = Annotated[
    Path | None, typer.Option(exists=True, dir_okay=False, help="timetable.csv beside an extract or GeoJSON.")
]
Out = Annotated[
    Path | None,
    typer.Option(file_okay=False, help="Also write the network as a folder of CSV files to edit."),
]
KeepAll = Annotated[
    bool, typer.Option("--keep-all", help="Keep parts that are not connected to the largest.")
]
Strict = Annotated[bool, typer.Option("--strict", help="Refuse for warnings too.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
LanguageOption = Annotated[
    str, typer.Option("--language", callback=_language, help="Of the report: en or zh.")
]


@cli.command()
def check(
    path: Source,
    region: Region = "",
    border: Border = None,
    units: Units = None,
    timetable: Times = None,
    out: Out = None,
    keep_all: KeepAll = False,
    strict: Strict = False,
    as_object: Json = False,
    language: LanguageOption = "en",
) -> None:
    """Read a network and report what is wrong with it; needs no running node and changes nothing.

    Ends with 0 if it can be imported, 1 if not.

    \b
    Examples:
      ./guitu network check chongqing.osm.pbf --border yunyang.geojson --out my-county
      ./guitu network check my-county --language zh
    """
    with _refusing(as_object, language):
        code = region or Settings().region_code
        files, report = _looked_at(path, code, border, units, timetable, keep_all)
        _write(files, out)
        _tell(report, as_object, language, {"imported": False})
    raise typer.Exit(0 if report.is_good(strict=strict) else REFUSED)


@cli.command("import")
def import_(
    path: Source,
    region: Region = "",
    border: Border = None,
    units: Units = None,
    timetable: Times = None,
    out: Out = None,
    keep_all: KeepAll = False,
    schematic: Annotated[
        bool | None, typer.Option("--schematic/--no-schematic", help="Mark it as a drawing, or as none.")
    ] = None,
    note: Annotated[str, typer.Option(help="Kept with the version.")] = "",
    by: Annotated[str, typer.Option(help="Who imports it: a login name, never a person's name.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Do all of it and take it back.")] = False,
    strict: Strict = False,
    as_object: Json = False,
    language: LanguageOption = "en",
) -> None:
    """Check a network and make it the one that the county plans with, all of it or nothing.

    Earlier versions are kept, and a plan names its own. Without units in the files the county's units stay.

    \b
    Examples:
      ./guitu network import my-county --note "Roads of November"
      ./guitu network import chongqing.osm.pbf --border yunyang.geojson --units units.csv --dry-run
    """
    with _refusing(as_object, language):
        settings = node_settings(DATABASE)
        code = region or settings.region_code
        files, report = _looked_at(path, code, border, units, timetable, keep_all)
        files = marked(files, schematic=schematic, note=note)
        report = validate(files) if schematic is not None else report
        _write(files, out)
        if not report.is_good(strict=strict):
            _tell(report, as_object, language, {"imported": False})
            raise typer.Exit(REFUSED)
        is_new = asyncio.run(_import(settings, code, files, by or getpass.getuser(), dry_run))
        done = {"imported": not dry_run, "is_new": is_new, "region_code": code, "dry_run": dry_run}
        _tell(report, as_object, language, done)
        if not as_object:
            typer.echo(_done(report.version, code, is_new, dry_run, language))


@cli.command("list")
def list_(region: Region = "", as_object: Json = False) -> None:
    """List the network versions of a county, the one in use first; times are UTC.

    \b
    Example: ./guitu network list
    """
    settings = node_settings(DATABASE)
    found = asyncio.run(_list(settings, region or settings.region_code))
    if as_object:
        typer.echo(json.dumps([asdict(one) for one in found], ensure_ascii=False, default=str))
        return
    for one in found:
        marks = [
            word for word, is_so in (("in use", one.in_use), ("SCHEMATIC 示意图", one.schematic)) if is_so
        ]
        typer.echo(f"{one.version}  {one.loaded_at:%Y-%m-%d %H:%M:%S}  {one.source_kind}  {', '.join(marks)}")
        typer.echo(
            f"    {one.nodes} nodes, {one.edges} edges, by {one.imported_by or '-'}  {one.note}".rstrip()
        )
    if not found:
        typer.echo("No network yet. ./guitu network import PATH brings one in.")


@cli.command()
def show(
    version: Annotated[
        str, typer.Argument(metavar="VERSION", help="As list shows it; the one in use by default.")
    ] = "",
    region: Region = "",
    as_object: Json = False,
) -> None:
    """Show one network version: where it comes from, how large it is.

    \b
    Example: ./guitu network show
    """
    settings = node_settings(DATABASE)
    code = region or settings.region_code
    found = asyncio.run(_list(settings, code))
    one = next((each for each in found if each.version == version or (not version and each.in_use)), None)
    if one is None:
        typer.echo(
            f"There is no network {version} of region {code}; ./guitu network list shows them.", err=True
        )
        raise typer.Exit(REFUSED)
    if as_object:
        typer.echo(json.dumps(asdict(one), ensure_ascii=False, default=str))
        return
    for name, value in asdict(one).items():
        typer.echo(f"{name:<12} {value}")
    if one.schematic:
        typer.echo("SCHEMATIC 示意图: a drawing, no map; plan no real interception on it.")


@cli.command()
def use(
    version: Annotated[str, typer.Argument(metavar="VERSION", help="As list shows it.")],
    region: Region = "",
    by: Annotated[str, typer.Option(help="Who switches: a login name, never a person's name.")] = "",
    language: LanguageOption = "en",
) -> None:
    """Plan with an earlier network version from now on.

    \b
    Example: ./guitu network use f57c484fb379-f9c443e9
    """
    with _refusing(False, language):
        settings = node_settings(DATABASE)
        code = region or settings.region_code
        one = asyncio.run(_use(settings, code, version, by or getpass.getuser()))
        mark = " SCHEMATIC 示意图" if one.schematic else ""
        typer.echo(f"Region {code} plans with {one.version} now.{mark}")


def _looked_at(
    path: Path, region: str, border: Path | None, units: Path | None, timetable: Path | None, keep_all: bool
) -> tuple[NetworkFiles, Report]:
    if path.is_dir() and (border or units or timetable or keep_all):
        raise typer.BadParameter("A folder has its own units.csv and timetable.csv; give PATH alone.")
    with _progress() as on_count:
        more = {"border": border, "units": units, "timetable": timetable}
        files = read_source(path, region, **more, keep_all=keep_all, on_count=on_count)
        on_count("checks", 0)
        return files, validate(files)


@contextmanager
def _progress() -> Iterator[OnCount]:
    """Rows as they are read, on a terminal only; nothing of it is left when all is read."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("Reading 读取", total=None)
        yield lambda what, count: bar.update(task, description=f"Reading 读取 {what} {count or ''}".rstrip())


@contextmanager
def _refusing(as_object: bool, language: str) -> Iterator[None]:
    """Problems of the files end with their lines and code 1."""
    try:
        yield
    except NetworkFileError as refused:
        if as_object:
            found = zip(refused.problems, refused.problems_zh, strict=True)
            problems = [{"says": en, "says_zh": zh} for en, zh in found]
            typer.echo(
                json.dumps({"imported": False, "good": False, "problems": problems}, ensure_ascii=False)
            )
        else:
            typer.echo(refused.said(_of(language)), err=True)
        raise typer.Exit(REFUSED) from None


def _tell(report: Report, as_object: bool, language: str, done: dict[str, Any]) -> None:
    if as_object:
        typer.echo(json.dumps(as_json(report) | done, ensure_ascii=False))
    else:
        typer.echo(as_text(report, _of(language)))


def _done(version: str, region: str, is_new: bool, dry_run: bool, language: str) -> str:
    if language == "zh":
        age = "新版本" if is_new else "已有的版本"
        return f"{'试运行,未更改:' if dry_run else ''}区域 {region} 使用{age} {version}。"
    age = "a new version" if is_new else "a version that was there"
    would = "Dry run, nothing was changed: region" if dry_run else "Region"
    return f"{would} {region} {'would plan' if dry_run else 'plans'} with {version}, {age}."


def _of(language: str) -> Language:
    return "zh" if language == "zh" else "en"


def _write(files: NetworkFiles, out: Path | None) -> None:
    if out is not None:
        write_folder(files, out)


@asynccontextmanager
async def _connection(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    pool = await open_pool(settings.database_url, "dispatch", size=1)
    try:
        async with pool.acquire() as conn:
            yield conn
    finally:
        await pool.close()


async def _import(settings: Settings, region: str, files: NetworkFiles, by: str, dry_run: bool) -> bool:
    async with _connection(settings) as conn:
        return await import_version(
            conn, region, files, Clock(settings.clock_file).now(), by, dry_run=dry_run
        )


async def _list(settings: Settings, region: str) -> list[NetworkVersion]:
    async with _connection(settings) as conn:
        return await store_network.versions(conn, region, VERSIONS_MAX)


async def _use(settings: Settings, region: str, version: str, by: str) -> NetworkVersion:
    async with _connection(settings) as conn:
        return await use_version(conn, region, version, Clock(settings.clock_file).now(), by)
