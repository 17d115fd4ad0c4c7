"""`guitu up` as its operator sees it: real broker and database, with services in miniature."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import psutil  # type: ignore[import-untyped]
import pytest

from guitu.cli import INTERRUPTED
from guitu.embedded.ports import LOOPBACK, is_free
from guitu.supervisor.members import MEMBERS, SERVICES

SOURCES = Path(__file__).parents[2] / "services"
DEADLINE_S = 60.0

# Answers /health/ready, and everything else with the settings it was given.
SERVICE = """
import http.server, json, os
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        given = {name: value for name, value in os.environ.items() if name.startswith("GUITU_")}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(given).encode())
http.server.HTTPServer(("127.0.0.1", int(os.environ["GUITU_PORT"])), Answer).serve_forever()
"""


class Operator:
    """Starts `guitu up`, reads its status file, and hurts it."""

    def __init__(self, folder: Path, port_base: int) -> None:
        self.data_dir = folder / "data"
        self.port_base = port_base
        own = {name: value for name, value in os.environ.items() if not name.startswith("GUITU_")}
        path = os.pathsep.join([str(folder), str(SOURCES / "guitu"), str(SOURCES / "contracts")])
        self._env = own | {"PYTHONPATH": path, "GUITU_PARTITIONS": "1"}
        self._output = folder / "output"
        self.process: subprocess.Popen[bytes] | None = None

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "guitu", *words, "--data-dir", str(self.data_dir)]

    def starts(self, until: str = "Guitu is up") -> None:
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                self.command("up", "--port-base", str(self.port_base)),
                env=self._env,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.waits_until(lambda: until in self.output(), until)

    def runs(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*words), env=self._env, capture_output=True, text=True, check=False
        )

    def output(self) -> str:
        return self._output.read_text()

    def processes(self) -> dict[str, dict[str, Any]]:
        body = json.loads((self.data_dir / "processes.json").read_text())
        return dict(body["processes"])

    def is_gone(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def left_behind(self) -> list[str]:
        """Command lines of processes that still work for this data directory."""
        mark = str(self.data_dir)
        lines = [" ".join(each.info["cmdline"] or []) for each in psutil.process_iter(["cmdline"])]
        return [line for line in lines if mark in line]

    def waits_until(self, condition: Callable[[], bool], what: str) -> None:
        assert self.process is not None
        deadline = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < deadline, f"not within {DEADLINE_S:.0f} s: {what}\n{self.output()}"
            assert self.process.poll() is None, f"ended with {self.process.poll()}:\n{self.output()}"
            time.sleep(0.05)


def lives(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def free_base() -> int:
    """A base whose ports of all members are free."""
    return next(
        base
        for base in range(12_000, 19_000, 10)
        if all(is_free(base + each.port_offset) for each in MEMBERS)
    )


def operator_in(folder: Path) -> Operator:
    folder.chmod(0o711)
    for each in MEMBERS:
        (folder / each.package).mkdir()
        (folder / each.package / "__init__.py").touch()
        (folder / each.package / "__main__.py").write_text(SERVICE)
    return Operator(folder, free_base())


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    someone = operator_in(tmp_path_factory.mktemp("up"))
    someone.starts()
    yield someone
    someone.is_gone()


@pytest.fixture
def newcomer(tmp_path: Path) -> Iterator[Operator]:
    """An operator of its own, who has not started yet."""
    someone = operator_in(tmp_path)
    yield someone
    someone.is_gone()


def test_all_services_answer_on_their_ports_and_know_each_other(operator: Operator) -> None:
    for each in SERVICES:
        port = operator.port_base + each.port_offset
        with urlopen(f"http://{LOOPBACK}:{port}/") as answer:
            given = json.load(answer)
        assert given["GUITU_PORT"] == str(port)
        assert given["GUITU_TWILIO_URL"] == f"http://{LOOPBACK}:{operator.port_base + 9}"
        assert all(other.url_setting in given for other in SERVICES)
        assert "GUITU_PUBLIC_URL" not in given
        # What a person types on the simulator's phone page comes to us, with nothing more to set.
        assert given["GUITU_SIMULATOR_INBOUND_URL"] == given["GUITU_NOTIFICATIONS_URL"] + "/twilio/inbound"


def test_status_shows_broker_database_and_every_service_ready(operator: Operator) -> None:
    done = operator.runs("status", "--json")

    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    assert set(shown) == {"kafka", "postgres"} | {each.name for each in MEMBERS}
    assert all(each["state"] == "ready" and each["alive"] for each in shown.values())


def test_second_up_on_the_same_data_is_told_who_has_it(operator: Operator) -> None:
    assert operator.process is not None

    done = operator.runs("up")

    assert done.returncode == 1
    assert f"is in use by process {operator.process.pid}. Mend:" in done.stderr
    assert operator.processes(), "the first one's status file is untouched"
    assert (operator.data_dir / "postgres" / "postgres.pid").exists()


@pytest.mark.parametrize("name", ["alerts", "postgres", "kafka"])
def test_whatever_is_killed_comes_back_on_its_port(operator: Operator, name: str) -> None:
    before = operator.processes()[name]

    os.kill(before["pid"], signal.SIGKILL)
    operator.waits_until(lambda: operator.processes()[name]["restarts"] > before["restarts"], "restarted")
    operator.waits_until(lambda: operator.processes()[name]["state"] == "ready", "ready again")

    assert operator.processes()[name]["port"] == before["port"]
    assert operator.processes()[name]["pid"] != before["pid"]


def test_no_password_is_in_the_output(operator: Operator) -> None:
    password = (operator.data_dir / "postgres" / "password").read_text()

    assert password not in operator.output()


def test_ctrl_c_ends_everything_and_leaves_no_process(operator: Operator) -> None:
    """Runs last: the other tests need it up."""
    assert operator.process is not None
    pids = [each["pid"] for each in operator.processes().values()]

    operator.process.send_signal(signal.SIGINT)

    assert operator.process.wait(DEADLINE_S) == 0
    assert not any(map(lives, pids))
    assert not (operator.data_dir / "processes.json").exists()


@pytest.mark.parametrize("moment", ["Starting Apache Kafka", "Bringing the schema"])
def test_ctrl_c_while_starting_ends_at_once_and_leaves_no_process(newcomer: Operator, moment: str) -> None:
    newcomer.starts(until=moment)
    assert newcomer.process is not None

    newcomer.process.send_signal(signal.SIGINT)

    assert newcomer.process.wait(DEADLINE_S) == INTERRUPTED
    assert "Interrupted while starting; everything that had started is stopped." in newcomer.output()
    assert newcomer.left_behind() == []


def test_node_killed_with_its_supervisor_starts_again_on_its_data(newcomer: Operator) -> None:
    newcomer.starts()
    assert newcomer.process is not None
    before = newcomer.processes()
    newcomer.process.kill()
    newcomer.process.wait()

    newcomer.starts()

    assert "The last run did not end in order" in newcomer.output()
    assert {name: each["port"] for name, each in newcomer.processes().items()} == {
        name: each["port"] for name, each in before.items()
    }
    assert not any(lives(each["pid"]) for each in before.values())
