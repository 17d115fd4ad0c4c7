"""The broker's jars: fetched once by Maven coordinates, checked against committed checksums, then cached.

Maven Central is asked through jgo (pure Python, no Java needed). A machine whose Maven settings send Central
elsewhere is respected: its mirror is asked instead, by `mvn` itself where that is installed (it knows the
credentials), and `mvn` is also the second way when jgo's fails. Whoever delivers a jar, its checksum decides.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from guitu.embedded.progress import Progress
from guitu.embedded.trouble import NodeError

LOCK_FILE = Path(__file__).with_name("kafka_jars.lock")
KAFKA_VERSION = "4.4.0"
PARALLEL_DOWNLOADS = 6
TRIES = 3
RETRY_PAUSE_S = 1.5
HTTP_TIMEOUT_S = 30
MVN_TIMEOUT_S = 900.0

_Bar = Callable[[int], None]


@dataclass(frozen=True)
class Jar:
    """One pinned jar."""

    group: str
    artifact: str
    version: str
    size_bytes: int
    sha256: str

    @property
    def filename(self) -> str:
        """The name in the cache, as Maven calls it."""
        return f"{self.artifact}-{self.version}.jar"

    @property
    def coordinate(self) -> str:
        """The Maven coordinate."""
        return f"{self.group}:{self.artifact}:{self.version}"


_Source = Callable[[Sequence[Jar], Path, Path, _Bar], list[str]]


def locked_jars() -> list[Jar]:
    """Read the committed list of jars."""
    lines = (line for line in LOCK_FILE.read_text().splitlines() if line and not line.startswith("#"))
    return [_jar(line) for line in lines]


def _jar(line: str) -> Jar:
    coordinate, size_bytes, sha256 = line.split()
    group, artifact, version = coordinate.split(":")
    return Jar(group, artifact, version, int(size_bytes), sha256)


def user_cache_dir(fallback: Path) -> Path:
    """Return this user's cache directory for the node, or one inside `fallback` without a writable home."""
    home = os.environ.get("HOME", "")
    base = os.environ.get("XDG_CACHE_HOME", "") or (f"{home}/.cache" if home else "")
    if os.path.isabs(base):
        cache = Path(base) / "guitu"
        with contextlib.suppress(OSError):
            cache.mkdir(parents=True, exist_ok=True, mode=0o700)
            # Java code is loaded from here: a directory of somebody else would be somebody else's code.
            if cache.stat().st_uid == os.geteuid() and os.access(cache, os.W_OK | os.X_OK):
                return cache
    return fallback / "cache"


def jars_dir(cache: Path) -> Path:
    """Return where the jars of this version lie in a cache."""
    return cache / f"kafka-{KAFKA_VERSION}"


def missing_jars(directory: Path) -> list[Jar]:
    """Return the pinned jars that are absent or differ from their checksum (45 MB read, about 50 ms)."""
    return [jar for jar in locked_jars() if not _is_good(directory / jar.filename, jar)]


def classpath(directory: str) -> str:
    """Return the class path: exactly the pinned jars, whatever else lies in the directory."""
    return os.pathsep.join(f"{directory}/{jar.filename}" for jar in locked_jars())


def ensure_jars(directory: Path, progress: Progress) -> None:
    """Return when every pinned jar is in `directory` with its checksum.

    Several processes may do this at once. Raises: NodeError, with the mend, if the jars cannot be had.
    """
    missing = missing_jars(directory)
    if not missing:
        return
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=directory, prefix=".fetch-") as scratch:
            _fetch(missing, directory, Path(scratch), progress)
    except OSError as error:
        raise NodeError(
            f"Cannot keep the broker's jars in {directory}: {error}. Mend: free space or rights."
        ) from error


def _fetch(missing: Sequence[Jar], directory: Path, scratch: Path, progress: Progress) -> None:
    """Try the sources in turn until nothing is missing."""
    wanted = _take_from_maven_cache(missing, directory)
    reasons: list[str] = []
    for source in _sources():
        if not wanted:
            return
        with progress.download("Apache Kafka", sum(jar.size_bytes for jar in wanted)) as bar:
            reasons += source(wanted, directory, scratch, bar)
        wanted = [jar for jar in wanted if not _is_good(directory / jar.filename, jar)]
    if wanted:
        raise NodeError(_cannot_fetch(wanted, reasons))


def _cannot_fetch(wanted: Sequence[Jar], reasons: Sequence[str]) -> str:
    why = "; ".join(dict.fromkeys(reasons)) or "no reason given"
    return (
        f"{len(wanted)} jars of Apache Kafka {KAFKA_VERSION} could not be fetched "
        f"({wanted[0].coordinate}: {why[:240]}). Mend: check the network and the proxy or mirror settings "
        "(HTTPS_PROXY, ~/.m2/settings.xml) and start again; "
        "or use a broker of your own with GUITU_KAFKA=host:port."
    )


def _sources() -> list[_Source]:
    """Order the ways to fetch: the machine's own Maven first if it has settings for where Central is."""
    mvn = shutil.which("mvn")
    ways: list[_Source] = [_by_jgo]
    if mvn:
        ways.insert(0 if _mirror_of_central() else 1, _by_mvn)
    return ways


# -- The user's Maven cache ------------------------------------------------------------------------


def _maven_home() -> Path:
    return Path(os.environ.get("HOME") or "/nonexistent") / ".m2"


def _take_from_maven_cache(missing: Sequence[Jar], directory: Path) -> list[Jar]:
    """Copy what Maven already has on this machine; returns the jars that are still missing."""
    repository = Path(os.environ.get("M2_REPO") or _maven_home() / "repository")
    for jar in missing:
        held = repository.joinpath(*jar.group.split("."), jar.artifact, jar.version, jar.filename)
        if _is_good(held, jar):
            _keep(held, jar, directory)
    return [jar for jar in missing if not _is_good(directory / jar.filename, jar)]


def _is_good(path: Path, jar: Jar) -> bool:
    try:
        if path.stat().st_size != jar.size_bytes:
            return False
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest() == jar.sha256
    except OSError:
        return False


def _keep(found: Path, jar: Jar, directory: Path) -> bool:
    """Put a jar into the cache in one step, if its checksum is right."""
    if not _is_good(found, jar):
        return False
    with tempfile.NamedTemporaryFile(dir=directory, prefix=".jar-", delete=False) as copy:
        copy.write(found.read_bytes())
    os.replace(copy.name, directory / jar.filename)
    return True


def _mirror_of_central() -> str:
    """Return the address that the user's Maven settings put in Central's place, or nothing."""
    with contextlib.suppress(OSError, ElementTree.ParseError):
        for element in _own_maven_settings().iter():
            if element.tag.rpartition("}")[2] == "mirror":
                fields = {child.tag.rpartition("}")[2]: (child.text or "").strip() for child in element}
                if _covers_central(fields.get("mirrorOf", "")):
                    return fields.get("url", "").rstrip("/")
    return ""


def _own_maven_settings() -> ElementTree.ElementTree[ElementTree.Element]:
    # The user's own file, which their Maven obeys as well.
    return ElementTree.parse(_maven_home() / "settings.xml")  # noqa: S314


def _covers_central(pattern: str) -> bool:
    names = [name.strip() for name in pattern.split(",")]
    return "!central" not in names and any(name in ("*", "central", "external:*") for name in names)


# -- jgo -------------------------------------------------------------------------------------------


def _by_jgo(wanted: Sequence[Jar], directory: Path, scratch: Path, bar: _Bar) -> list[str]:
    """Fetch by jgo's resolver, several at a time; returns the reasons of failures."""
    with ThreadPoolExecutor(PARALLEL_DOWNLOADS, thread_name_prefix="jar") as pool:
        hopeless = threading.Event()
        reasons = pool.map(lambda jar: _one_by_jgo(jar, directory, scratch, bar, hopeless), wanted)
        return [reason for reason in reasons if reason]


def _one_by_jgo(jar: Jar, directory: Path, scratch: Path, bar: _Bar, hopeless: threading.Event) -> str:
    """Fetch one jar in a few tries; the first jar that fails them all tells the others not to begin."""
    reason = ""
    for attempt in range(TRIES):
        if hopeless.wait(RETRY_PAUSE_S * attempt):
            return reason
        # A folder a try: jgo takes a half-written file of an interrupted download for the whole.
        folder = scratch / f"{jar.artifact}-{attempt}"
        try:
            if _keep(_download(jar, folder, bar), jar, directory):
                return ""
            reason = f"{jar.coordinate} arrived with another checksum than the committed one"
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
    hopeless.set()
    return reason


def _download(jar: Jar, folder: Path, bar: _Bar) -> Path:
    # Imported here: jgo takes 0.2 s to import and is needed once in the life of a machine.
    from jgo.config import GlobalSettings
    from jgo.constants import MAVEN_CENTRAL_URL
    from jgo.maven import MavenContext, PythonResolver

    @contextlib.contextmanager
    def follow(_filename: str, _size_bytes: int) -> Iterator[_Bar]:
        yield bar

    repositories = {
        "central": _mirror_of_central() or MAVEN_CENTRAL_URL,
        **GlobalSettings.load().repositories,
    }
    context = MavenContext(
        resolver=PythonResolver(progress_callback=follow),
        repo_cache=folder,
        remote_repos=repositories,
        timeout=HTTP_TIMEOUT_S,
    )
    artifact = context.project(jar.group, jar.artifact).at_version(jar.version).artifact()
    return Path(artifact.resolve())


# -- mvn -------------------------------------------------------------------------------------------


def _by_mvn(wanted: Sequence[Jar], directory: Path, scratch: Path, bar: _Bar) -> list[str]:
    """Fetch by one run of the machine's own Maven with its own settings; returns the reasons of failures."""
    target = scratch / "mvn"
    pom = scratch / "pom.xml"
    pom.write_text(_pom(wanted))
    mvn = shutil.which("mvn") or "mvn"
    command = [
        mvn,
        "-B",
        "-q",
        "-f",
        str(pom),
        "dependency:copy-dependencies",
        f"-DoutputDirectory={target}",
    ]
    try:
        done = subprocess.run(  # noqa: S603 - the machine's Maven, pinned coordinates.
            command, capture_output=True, text=True, timeout=MVN_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return [f"mvn: {error}"]
    kept = [jar for jar in wanted if _keep(target / jar.filename, jar, directory)]
    bar(sum(jar.size_bytes for jar in kept))
    lines = [line for line in (done.stdout + done.stderr).splitlines() if "ERROR" in line]
    return [] if len(kept) == len(wanted) else [f"mvn: {(lines or ['some jars did not come'])[0]}"]


def _pom(wanted: Sequence[Jar]) -> str:
    """Write a project that depends on exactly these jars and on nothing they depend on."""
    dependencies = "".join(
        f"<dependency><groupId>{jar.group}</groupId><artifactId>{jar.artifact}</artifactId>"
        f"<version>{jar.version}</version><exclusions><exclusion><groupId>*</groupId>"
        "<artifactId>*</artifactId></exclusion></exclusions></dependency>"
        for jar in wanted
    )
    return (
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        "<groupId>guitu</groupId><artifactId>embedded-broker</artifactId><version>1</version>"
        f"<packaging>pom</packaging><dependencies>{dependencies}</dependencies></project>"
    )
