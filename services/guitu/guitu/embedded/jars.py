"""The broker's jars: pinned by Maven coordinates and committed checksums, kept in the user's cache.

How they get there is `fetching`'s business; whoever delivers a jar, its checksum decides.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

LOCK_FILE = Path(__file__).with_name("kafka_jars.lock")
KAFKA_VERSION = "4.4.0"


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
    return [jar for jar in locked_jars() if not is_good(directory / jar.filename, jar)]


def classpath(directory: str) -> str:
    """Return the class path: exactly the pinned jars, whatever else lies in the directory."""
    return os.pathsep.join(f"{directory}/{jar.filename}" for jar in locked_jars())


def is_good(path: Path, jar: Jar) -> bool:
    """Tell whether a file is exactly this jar."""
    try:
        if path.stat().st_size != jar.size_bytes:
            return False
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest() == jar.sha256
    except OSError:
        return False
