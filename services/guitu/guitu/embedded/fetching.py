"""Fetching the broker's jars, once in the life of a machine.

Maven Central is asked through jgo (pure Python, no Java needed). A machine whose Maven settings send Central
elsewhere is respected: its mirror is asked instead, by `mvn` itself where that is installed (it knows the
credentials), and `mvn` is also the second way when jgo's fails.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree

from guitu.embedded.child import spawn
from guitu.embedded.jars import KAFKA_VERSION, Jar, is_good, missing_jars
from guitu.embedded.progress import Progress
from guitu.embedded.trouble import Interrupted, NodeError

PARALLEL_DOWNLOADS = 6
TRIES = 3
CAUSES_MAX = 10
RETRY_PAUSE_S = 1.5
POLL_S = 0.1
HTTP_TIMEOUT_S = 30
MVN_TIMEOUT_S = 900.0
ABANDONED_AFTER_S = 3600.0
FETCH_PREFIX = ".fetch-"
# Where systems keep the certificates that their administrator trusts: Debian, Red Hat, SUSE, Alpine.
SYSTEM_CERTIFICATES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)

_Bar = Callable[[int], None]


@dataclass(frozen=True)
class _Source:
    """One way to have the jars: what a person reads, and the function that fetches and says what failed."""

    title: str
    fetch: Callable[[Sequence[Jar], Path, Path, _Bar], list[str]]


def ensure_jars(directory: Path, progress: Progress, stop: threading.Event | None = None) -> None:
    """Return when every pinned jar is in `directory` with its checksum.

    Several processes may do this at once. Raises: NodeError, with the mend, if the jars cannot be had, or
    if `stop` was set meanwhile.
    """
    missing = missing_jars(directory)
    if missing:
        fetch_jars(missing, directory, progress, stop)


def fetch_jars(
    missing: Sequence[Jar], directory: Path, progress: Progress, stop: threading.Event | None = None
) -> None:
    """Fetch these jars into `directory`. Raises: NodeError, as `ensure_jars` does."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(directory)
        with tempfile.TemporaryDirectory(dir=directory, prefix=FETCH_PREFIX) as scratch:
            _fetch(missing, directory, Path(scratch), progress, stop or threading.Event())
    except OSError as error:
        raise NodeError(
            f"Cannot keep the broker's jars in {directory}: {error.strerror or error}. "
            "Mend: free some space there, or have the cache elsewhere with XDG_CACHE_HOME."
        ) from error


def _remove_abandoned(directory: Path) -> None:
    """Remove what a fetch left behind that was killed before it could tidy up."""
    for place in directory.glob(f"{FETCH_PREFIX}*"):
        with contextlib.suppress(OSError):
            if time.time() - place.stat().st_mtime > ABANDONED_AFTER_S:
                shutil.rmtree(place, ignore_errors=True)


def _fetch(
    missing: Sequence[Jar], directory: Path, scratch: Path, progress: Progress, stop: threading.Event
) -> None:
    """Try the sources in turn until nothing is missing. Raises: Interrupted, if `stop` is set."""
    wanted = _take_from_maven_cache(missing, directory)
    reasons: list[str] = []
    for source in _sources():
        if not wanted:
            return
        for reason in reasons[:1]:
            progress.say(f"  That did not work ({reason}); trying another way.")
        with progress.download(source.title, sum(jar.size_bytes for jar in wanted)) as bar:
            reasons += source.fetch(wanted, directory, scratch, _unless(stop, bar))
        wanted = [jar for jar in wanted if not is_good(directory / jar.filename, jar)]
    if wanted:
        raise NodeError(_cannot_fetch(wanted, reasons))


def _unless(stop: threading.Event, bar: _Bar) -> _Bar:
    """A bar that raises Interrupted as soon as somebody wants to stop; told 0 bytes, it only looks."""

    def follow(count_bytes: int) -> None:
        if stop.is_set():
            raise Interrupted("Interrupted while the broker's jars came; the next start fetches the rest.")
        bar(count_bytes)

    return follow


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
    ways = [_Source("Apache Kafka", _by_jgo)]
    if shutil.which("mvn"):
        ways.insert(0 if _mirror_of_central() else 1, _Source("Apache Kafka by mvn", _by_mvn))
    return ways


# -- The user's Maven cache ------------------------------------------------------------------------


def _maven_home() -> Path:
    return Path(os.environ.get("HOME") or "/nonexistent") / ".m2"


def _take_from_maven_cache(missing: Sequence[Jar], directory: Path) -> list[Jar]:
    """Copy what Maven already has on this machine; returns the jars that are still missing."""
    repository = Path(os.environ.get("M2_REPO") or _maven_home() / "repository")
    for jar in missing:
        held = repository.joinpath(*jar.group.split("."), jar.artifact, jar.version, jar.filename)
        if is_good(held, jar):
            _keep(held, jar, directory)
    return [jar for jar in missing if not is_good(directory / jar.filename, jar)]


def _keep(found: Path, jar: Jar, directory: Path) -> bool:
    """Put a jar into the cache in one step, if its checksum is right."""
    if not is_good(found, jar):
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
    pool = ThreadPoolExecutor(PARALLEL_DOWNLOADS, thread_name_prefix="jar")
    hopeless = threading.Event()
    with _trusting_as_this_machine_does(), pool:
        reasons = pool.map(lambda jar: _one_by_jgo(jar, directory, scratch, bar, hopeless), wanted)
        return [reason for reason in reasons if reason]


@contextlib.contextmanager
def _trusting_as_this_machine_does() -> Iterator[None]:
    """Check servers by the system's certificates, as pip does, unless the environment names others.

    The HTTP client that jgo uses brings a list of its own, so behind an office's inspecting proxy the
    packages would come and the jars would not.
    """
    system = next((path for path in SYSTEM_CERTIFICATES if os.path.exists(path)), "")
    if not system or {"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"} & os.environ.keys():
        yield
        return
    os.environ["REQUESTS_CA_BUNDLE"] = system
    try:
        yield
    finally:
        del os.environ["REQUESTS_CA_BUNDLE"]


def _one_by_jgo(jar: Jar, directory: Path, scratch: Path, bar: _Bar, hopeless: threading.Event) -> str:
    """Fetch one jar in a few tries; the first jar that fails them all tells the others not to begin."""
    reason = ""
    for attempt in range(TRIES):
        if hopeless.wait(RETRY_PAUSE_S * attempt):
            return reason
        bar(0)
        # A folder a try: jgo takes a half-written file of an interrupted download for the whole.
        folder = scratch / f"{jar.artifact}-{attempt}"
        try:
            if _keep(_download(jar, folder, bar), jar, directory):
                return ""
            reason = f"{jar.coordinate} arrived with another checksum than the committed one"
        except Interrupted:
            hopeless.set()
            raise
        except Exception as error:
            reason = _innermost(error)
    hopeless.set()
    return reason


def _innermost(error: BaseException) -> str:
    """What went wrong at the bottom, and with whom: HTTP clients wrap it in layers that say how they tried."""
    asked = urlsplit(str(getattr(getattr(error, "request", None), "url", ""))).hostname
    for _ in range(CAUSES_MAX):
        deeper = error.__cause__ or error.__context__
        if deeper is None:
            break
        error = deeper
    return f"{type(error).__name__}: {error}" + (f" when asking {asked}" if asked else "")


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
        words = _run_mvn(command, bar)
    except (OSError, subprocess.TimeoutExpired) as error:
        return [f"mvn: {error}"]
    kept = [jar for jar in wanted if _keep(target / jar.filename, jar, directory)]
    bar(sum(jar.size_bytes for jar in kept))
    lines = [line for line in words.splitlines() if "ERROR" in line]
    return [] if len(kept) == len(wanted) else [f"mvn: {(lines or ['some jars did not come'])[0]}"]


def _run_mvn(command: Sequence[str], bar: _Bar) -> str:
    """Run it to its end and return what it said. Raises: Interrupted; nothing of it runs on then."""
    deadline = time.monotonic() + MVN_TIMEOUT_S
    with tempfile.TemporaryFile() as output:
        child = spawn("mvn", command, output=output)
        try:
            while child.is_running():
                bar(0)
                if time.monotonic() > deadline:
                    raise subprocess.TimeoutExpired(list(command), MVN_TIMEOUT_S)
                time.sleep(POLL_S)
        finally:
            child.kill()
        output.seek(0)
        return output.read().decode("utf-8", "replace")


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
