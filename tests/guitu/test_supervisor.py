"""The process group: started in order, restarted when it crashes, and gone when its supervisor is gone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from guitu.embedded.ports import PortClaims, free_port, is_free, next_free_port
from guitu.embedded.trouble import NodeError
from guitu.supervisor import ProcessSpec, Supervisor
from guitu.supervisor.keeper import RestartPolicy
from guitu.supervisor.log_pump import LINE_BYTES_MAX, Terminal
from guitu.supervisor.members import MEMBERS
from guitu.supervisor.status import read_status
from guitu.supervisor.supervisor import INTERRUPTED
from guitu.supervisor.system import ports_for

DEADLINE_S = 20.0
HASTY = RestartPolicy(first_pause_s=0.01, pause_max_s=0.02, failures_max=3)

# A service in miniature: notes when it begins and ends, answers /health/ready, obeys SIGTERM unless stubborn.
TOY = """
import http.server, os, signal, sys
name, port, diary, manner = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
def note(what):
    with open(diary, "a") as stream:
        stream.write(f"{name} {what}\\n")
def leave(*_):
    note("ended")
    os._exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN if manner == "stubborn" else leave)
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(503 if manner == "unwell" else 200)
        self.end_headers()
    def log_message(self, *_):
        pass
if manner == "broken":
    print("the road is closed")
    sys.exit(3)
if manner == "out of room":
    print("OSError: [Errno 28] No space left on device")
    sys.exit(3)
if manner == "wordy":
    print("x" * 200_000)
server = http.server.HTTPServer(("127.0.0.1", port), Answer)
note("began")
server.serve_forever()
"""


class Toys:
    """Makes specs of miniature services that share one diary."""

    def __init__(self, folder: Path) -> None:
        self._program = folder / "toy.py"
        self._program.write_text(TOY)
        self._diary = folder / "diary"
        self._diary.touch()

    def spec(
        self, name: str, manner: str = "good", ready_timeout_s: float = 20.0, stop_timeout_s: float = 10.0
    ) -> ProcessSpec:
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        argv = [sys.executable, str(self._program), name, str(port), str(self._diary), manner]
        return ProcessSpec(
            name,
            argv,
            dict(os.environ),
            f"{url}/health/ready",
            ready_timeout_s=ready_timeout_s,
            stop_timeout_s=stop_timeout_s,
            url=url,
            port=port,
        )

    def diary(self) -> list[str]:
        return self._diary.read_text().splitlines()


def eventually(condition: Callable[[], bool], what: str) -> None:
    """Wait until something is true; a bound for a broken machine, not a measure."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"not within {DEADLINE_S:.0f} s: {what}"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def toys(tmp_path: Path) -> Toys:
    return Toys(tmp_path)


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    group = Supervisor(tmp_path, Terminal(is_shown=False), HASTY)
    yield group
    group.stop(budget_s=3.0)


def test_next_phase_begins_when_the_one_before_is_ready_and_all_end_in_reverse(
    supervisor: Supervisor, toys: Toys
) -> None:
    supervisor.start_phase([toys.spec("broker")])
    supervisor.start_phase([toys.spec("alerts")])

    supervisor.stop()

    assert toys.diary() == ["broker began", "alerts began", "alerts ended", "broker ended"]


def test_process_that_ends_before_it_is_ready_is_reported_with_its_last_words(
    supervisor: Supervisor, toys: Toys
) -> None:
    with pytest.raises(
        NodeError, match=r"alerts ended with code 3 before it was ready[\s\S]*the road is closed"
    ):
        supervisor.start_phase([toys.spec("alerts", "broken")])


def test_trouble_that_is_known_is_reported_with_its_mend(supervisor: Supervisor, toys: Toys) -> None:
    with pytest.raises(NodeError, match=r"before it was ready\. The disk is full: free some space"):
        supervisor.start_phase([toys.spec("alerts", "out of room")])


def test_process_that_is_never_ready_is_reported_and_not_left_running(
    supervisor: Supervisor, toys: Toys
) -> None:
    with pytest.raises(NodeError, match=r"alerts was not ready within 1 s"):
        supervisor.start_phase([toys.spec("alerts", "unwell", ready_timeout_s=1.0)])

    assert not is_alive(supervisor.pid("alerts"))


def test_phase_that_begins_after_somebody_asked_to_stop_starts_nothing(
    supervisor: Supervisor, toys: Toys
) -> None:
    """The signal may come between two phases: waiting for the second would take as long as it does to fail."""
    supervisor.ask_to_stop()

    with pytest.raises(NodeError, match="alerts is being stopped"):
        supervisor.start_phase([toys.spec("alerts")])

    assert [] == toys.diary()


def test_killed_process_is_started_again_and_counted(
    supervisor: Supervisor, toys: Toys, tmp_path: Path
) -> None:
    supervisor.start_phase([toys.spec("alerts")])
    first_pid = supervisor.pid("alerts")

    os.kill(first_pid, signal.SIGKILL)
    eventually(
        lambda: [(each.restarts, each.state) for each in read_status(tmp_path)] == [(1, "ready")], "back"
    )

    (status,) = read_status(tmp_path)
    assert first_pid != status.pid
    assert is_alive(status.pid)


def test_process_that_starts_no_more_ends_the_group_with_code_1(
    supervisor: Supervisor, toys: Toys, tmp_path: Path
) -> None:
    supervisor.start_phase([toys.spec("alerts")])
    (tmp_path / "toy.py").write_text("raise SystemExit(4)")

    os.kill(supervisor.pid("alerts"), signal.SIGKILL)

    assert supervisor.wait() == 1
    assert supervisor.status()[0].state == "given up"
    assert HASTY.failures_max == supervisor.status()[0].restarts


def test_stubborn_process_is_killed_when_the_time_to_stop_is_used_up(
    supervisor: Supervisor, toys: Toys
) -> None:
    supervisor.start_phase([toys.spec("alerts", "stubborn", stop_timeout_s=0.2)])
    pid = supervisor.pid("alerts")

    supervisor.stop()

    assert not is_alive(pid)


def test_endless_line_is_cut_and_blocks_nobody(supervisor: Supervisor, toys: Toys, tmp_path: Path) -> None:
    supervisor.start_phase([toys.spec("alerts", "wordy")])

    log = tmp_path / "logs" / "alerts.log"

    eventually(lambda: log.stat().st_size >= 200_000, "whole output drained")
    assert LINE_BYTES_MAX < 200_000


def test_status_file_names_no_process_after_an_orderly_end(
    supervisor: Supervisor, toys: Toys, tmp_path: Path
) -> None:
    supervisor.start_phase([toys.spec("alerts")])
    assert [each.name for each in read_status(tmp_path)] == ["alerts"]

    supervisor.stop()

    assert read_status(tmp_path) == []


def test_taken_port_gives_way_to_the_next_free_one() -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", free_port()))
        taken.listen(1)
        port = taken.getsockname()[1]

        assert not is_free(port)
        assert port < next_free_port(port)


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="claims are names of Linux's abstract namespace"
)
def test_node_that_starts_at_the_same_moment_gets_other_ports() -> None:
    """Neither listens yet when the other one chooses."""
    base = next(base for base in range(12_000, 19_000, 10) if all(map(is_free, range(base, base + 30))))
    first, second = PortClaims(), PortClaims()

    ours, theirs = ports_for(MEMBERS, base, first), ports_for(MEMBERS, base, second)
    first.release()
    again = ports_for(MEMBERS, base, PortClaims())

    assert not set(ours.values()) & set(theirs.values())
    assert ours == again


def test_members_never_get_one_port_nor_the_usual_one_of_another() -> None:
    import socket

    base = next(base for base in range(12_000, 19_000, 10) if all(map(is_free, range(base, base + 20))))
    with socket.socket() as first, socket.socket() as second:
        for taken, port in ((first, base + 1), (second, base + 2)):
            taken.bind(("127.0.0.1", port))
            taken.listen(1)

        ports = ports_for(MEMBERS, base)

    assert {"alerts": base + 6, "dispatch": base + 7, "dna-intake": base + 3} == {
        name: ports[name] for name in ("alerts", "dispatch", "dna-intake")
    }
    assert len(MEMBERS) == len(set(ports.values()))


# -- A supervisor of its own, to be hurt ----------------------------------------------------------

GROUP = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from guitu.supervisor import ProcessSpec, Supervisor
folder, port = Path(sys.argv[2]), int(sys.argv[3])
argv = [sys.executable, str(folder / "toy.py"), "alerts", str(port), str(folder / "diary"), sys.argv[4]]
group = Supervisor(folder)
with group.stopping_on_signals():
    group.start_phase([ProcessSpec("alerts", argv, {}, f"http://127.0.0.1:{port}/health/ready")])
    print("up", flush=True)
    code = group.wait()
    group.stop(budget_s=2.0)
sys.exit(code)
"""


@pytest.fixture
def own_group(tmp_path: Path, toys: Toys) -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    (tmp_path / "group.py").write_text(GROUP)
    source = str(Path(__file__).parents[2] / "services" / "guitu")
    started: list[subprocess.Popen[str]] = []

    def start(manner: str) -> subprocess.Popen[str]:
        command = [
            sys.executable,
            str(tmp_path / "group.py"),
            source,
            str(tmp_path),
            str(free_port()),
            manner,
        ]
        group = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        started.append(group)
        assert group.stdout is not None
        assert any(line == "up\n" for line in group.stdout), "the group came up"
        return group

    yield start
    for group in started:
        group.kill()
        group.communicate()


def _child_pid(folder: Path) -> int:
    return int(json.loads((folder / "processes.json").read_text())["processes"]["alerts"]["pid"])


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks the Linux kernel")
def test_no_process_is_left_when_the_supervisor_is_killed(
    own_group: Callable[[str], subprocess.Popen[str]], tmp_path: Path
) -> None:
    group = own_group("stubborn")
    pid = _child_pid(tmp_path)
    assert is_alive(pid)

    group.kill()

    eventually(lambda: not is_alive(pid), "the child went with its supervisor")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_ends_supervisor_and_children_in_order(
    own_group: Callable[[str], subprocess.Popen[str]], tmp_path: Path, toys: Toys, number: signal.Signals
) -> None:
    group = own_group("good")
    pid = _child_pid(tmp_path)

    group.send_signal(number)

    assert group.wait(DEADLINE_S) == 0
    assert not is_alive(pid)
    assert toys.diary() == ["alerts began", "alerts ended"]


def test_terminal_that_says_twice_that_it_is_closed_is_obeyed_once(
    own_group: Callable[[str], subprocess.Popen[str]], toys: Toys
) -> None:
    group = own_group("good")
    assert group.stderr is not None

    group.send_signal(signal.SIGHUP)
    assert any("Stopping" in line for line in group.stderr)
    group.send_signal(signal.SIGHUP)

    assert group.wait(DEADLINE_S) == 0
    assert toys.diary() == ["alerts began", "alerts ended"]


def test_second_ctrl_c_ends_even_the_stubborn_at_once(
    own_group: Callable[[str], subprocess.Popen[str]], tmp_path: Path
) -> None:
    group = own_group("stubborn")
    pid = _child_pid(tmp_path)
    assert group.stderr is not None

    group.send_signal(signal.SIGINT)
    assert any("once more ends it at once" in line for line in group.stderr)
    group.send_signal(signal.SIGINT)

    assert group.wait(DEADLINE_S) == INTERRUPTED
    assert not is_alive(pid)
