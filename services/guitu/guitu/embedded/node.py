"""The embedded node: broker, database and keys in one data directory, and the environment telling of them.

A part that the operator has elsewhere (`GUITU_KAFKA`, `GUITU_DATABASE_URL`) is used instead of being started.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from guitu.embedded.account import name_of
from guitu.embedded.kafka import Kafka, knows_a_broker
from guitu.embedded.keys import node_keys
from guitu.embedded.lock import DataDirLock
from guitu.embedded.postgres import Postgres, takes_connections
from guitu.embedded.progress import Progress
from guitu.embedded.trouble import NodeError

NEEDED_DISK_BYTES = 512 * 1024 * 1024
EPHEMERAL_PREFIX = "guitu-ephemeral-"
ABANDONED_AFTER_S = 60.0


class Node:
    """Start the embedded parts together, in parallel, and end them together.

    Used as a context manager or by `start()` and `stop()`. `kafka` and `postgres` are None where an outside
    server takes their place. `outside` is where that is looked up; by default the process's environment.
    """

    def __init__(
        self,
        data_dir: Path | None = None,
        *,
        ephemeral: bool = False,
        kafka_port: int | None = None,
        postgres_port: int | None = None,
        proxy_port: int | None = None,
        outside: Mapping[str, str] | None = None,
        progress: Progress | None = None,
    ) -> None:
        self._outside = dict(os.environ if outside is None else outside)
        self._ephemeral = ephemeral
        self._progress = progress or Progress()
        self.data_dir = _new_ephemeral_dir() if ephemeral else _usable(data_dir or self._default_dir())
        self._lock = DataDirLock(self.data_dir)
        ports = _remembered_ports(self.data_dir)
        self.kafka = (
            None if self._outside.get("GUITU_KAFKA") else self._new_kafka(ports, kafka_port, proxy_port)
        )
        self.postgres = (
            None if self._outside.get("GUITU_DATABASE_URL") else self._new_postgres(ports, postgres_port)
        )

    def __enter__(self) -> Self:
        """Start the node."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the node, whatever happened."""
        self.stop()

    @property
    def env(self) -> dict[str, str]:
        """The settings that point a service at this node; outside values win. Secret: never print it."""
        own = node_keys(self.data_dir) | {"GUITU_DATA_DIR": str(self.data_dir)}
        if self.kafka is not None:
            own["GUITU_KAFKA"] = self.kafka.bootstrap
        if self.postgres is not None:
            own["GUITU_DATABASE_URL"] = self.postgres.url
        given = {name: value for name, value in self._outside.items() if name.startswith("GUITU_") and value}
        return own | {name: value for name, value in given.items() if name != "GUITU_DATA_DIR"}

    def is_up(self) -> bool:
        """Tell whether the parts run now, whoever started them: for commands beside a running node."""
        if self.postgres is not None:
            self.postgres.read_password()
        is_broker_up = self.kafka is None or (self.kafka.port > 0 and knows_a_broker(self.kafka.port))
        return is_broker_up and (
            self.postgres is None or (self.postgres.port > 0 and takes_connections(self.postgres.port))
        )

    def start(self) -> None:
        """Start what is not outside; returns when all of it is ready.

        Raises: NodeError, if the directory is in use or unusable, or a part cannot start; nothing is left
        running.
        """
        self._lock.acquire()
        try:
            self._check_disk()
            if self.postgres is not None:
                self.postgres.check_owner()
            node_keys(self.data_dir)
            self._start_parts()
            self._remember_ports()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop both parts in order (10 s at most each, in parallel) and remove an ephemeral directory."""
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda part: part.stop(), self._parts()))
        self._lock.release()
        if self._ephemeral:
            shutil.rmtree(self.data_dir, ignore_errors=True)

    def abort(self) -> None:
        """End both parts at once; a start that is under way in another thread fails then."""
        for part in self._parts():
            part.abort()

    # -- Details -----------------------------------------------------------------------------------

    def _default_dir(self) -> Path:
        return Path(self._outside.get("GUITU_DATA_DIR") or ".guitu")

    def _new_kafka(self, ports: Mapping[str, int], fixed_port: int | None, proxy_port: int | None) -> Kafka:
        kafka = Kafka(
            self.data_dir / "kafka",
            port=fixed_port,
            proxy_port=proxy_port,
            progress=self._progress,
        )
        kafka.port = kafka.port or ports.get("kafka", 0)
        kafka.controller_port = ports.get("controller", 0)
        return kafka

    def _new_postgres(self, ports: Mapping[str, int], fixed_port: int | None) -> Postgres:
        postgres = Postgres(self.data_dir / "postgres", port=fixed_port)
        postgres.port = postgres.port or ports.get("postgres", 0)
        return postgres

    def _parts(self) -> list[Kafka | Postgres]:
        return [part for part in (self.kafka, self.postgres) if part is not None]

    def _start_parts(self) -> None:
        """Start both at once: together they take as long as the slower one."""
        with ThreadPoolExecutor(2) as pool:
            started = [pool.submit(part.start) for part in self._parts()]
        for future in started:
            future.result()

    def _check_disk(self) -> None:
        free_bytes = shutil.disk_usage(self.data_dir).free
        if free_bytes < NEEDED_DISK_BYTES:
            raise NodeError(
                f"Only {free_bytes // 2**20} MiB are free for {self.data_dir}; the node needs "
                f"{NEEDED_DISK_BYTES // 2**20}. Mend: free some space or choose another --data-dir."
            )

    def _remember_ports(self) -> None:
        """Write down the ports, so that the next start has the same addresses if they are still free."""
        ports: dict[str, int] = {}
        if self.kafka is not None:
            ports |= {
                "kafka": self.kafka.port,
                "controller": self.kafka.controller_port,
            }
        if self.postgres is not None:
            ports |= {"postgres": self.postgres.port}
        (self.data_dir / "ports.json").write_text(json.dumps(ports))


def _remembered_ports(data_dir: Path) -> dict[str, int]:
    with contextlib.suppress(OSError, ValueError, AttributeError):
        return {
            str(name): int(port) for name, port in json.loads((data_dir / "ports.json").read_text()).items()
        }
    return {}


def _usable(data_dir: Path) -> Path:
    """Return the directory as an absolute path, made if need be; raises NodeError if we may not use it."""
    place = data_dir.expanduser().absolute()
    try:
        # Others may pass through (the database's account has to, when we are root) but not look around.
        place.mkdir(parents=True, exist_ok=True, mode=0o711)
    except OSError as error:
        raise NodeError(
            f"The data directory {place} cannot be made: {error.strerror}. "
            "Mend: choose another with --data-dir."
        ) from error
    owner_uid = place.stat().st_uid
    if owner_uid != os.geteuid() and os.geteuid() != 0:
        raise NodeError(
            f"The data directory {place} belongs to {name_of(owner_uid)}, you are {name_of(os.geteuid())}. "
            f"Mend: start Guitu as that user, make it yours (sudo chown -R $(id -u) '{place}'), "
            "or choose another with --data-dir."
        )
    return place


def _new_ephemeral_dir() -> Path:
    _remove_abandoned()
    place = Path(tempfile.mkdtemp(prefix=EPHEMERAL_PREFIX))
    place.chmod(0o711)
    return place


def _remove_abandoned() -> None:
    """Remove ephemeral directories whose node was killed before it could do so itself."""
    for place in Path(tempfile.gettempdir()).glob(f"{EPHEMERAL_PREFIX}*"):
        with contextlib.suppress(OSError, NodeError):
            status = (place / "node.lock").stat()
            if status.st_uid != os.geteuid() or time.time() - status.st_mtime < ABANDONED_AFTER_S:
                continue
            lock = DataDirLock(place)
            lock.acquire()
            shutil.rmtree(place, ignore_errors=True)
            lock.release()
