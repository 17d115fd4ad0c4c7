"""The command line: quick, helpful, and silent about secrets."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from guitu.auth import read_token
from guitu.cli import COMMANDS, Command, load, main
from guitu.commands.attach import settings_of_running_node
from guitu.embedded.trouble import NodeError
from guitu.settings import Settings
from guitu.supervisor.members import MEMBERS, member
from guitu.supervisor.status import ProcessStatus, StatusFile

OWN = [name for name, command in COMMANDS.items() if command.place.startswith("guitu.")]


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """Run a command and return its exit code and everything it printed."""
    code = 0
    try:
        main(words)
    except SystemExit as leaving:
        code = int(leaving.code or 0)
    printed = capsys.readouterr()
    return code, printed.out + printed.err


@pytest.mark.parametrize("words", [(), ("--help",), ("-h",), ("help",)])
def test_every_command_is_listed_with_what_it_is_for(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = said(capsys, *words)

    assert code == 0
    assert all(f"  {name} " in text and command.summary in text for name, command in COMMANDS.items())


def test_list_of_commands_imports_no_framework() -> None:
    program = (
        "import sys, guitu.cli; guitu.cli.overview()\n"
        "print(sorted({'aiokafka', 'faust', 'fastapi'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"


@pytest.mark.parametrize("name", OWN)
def test_each_command_of_the_ground_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, text = said(capsys, name, "--help")

    assert code == 0
    assert f"guitu {name}" in text


def test_mistyped_command_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    code, text = said(capsys, "docter")

    assert code == 2
    assert "There is no command 'docter'. Did you mean doctor?" in text


def test_command_whose_module_is_missing_says_how_to_get_it() -> None:
    with pytest.raises(NodeError, match=r"ghost is not installed: no module nowhere\. Mend: .*\./guitu"):
        load("ghost", Command("nowhere.cli:ghost", "A command that is not there."))


def test_command_that_needs_a_node_says_how_to_start_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("GUITU_KAFKA", "GUITU_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GUITU_DATA_DIR", str(tmp_path))

    code, text = said(capsys, "dlq", "list")

    assert code == 1
    assert f"No node runs in {tmp_path}. Mend: start one with ./guitu up" in text


def test_settings_are_listed_with_help_and_without_secrets(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GUITU_SIGNING_KEY", "hidden-signing-key-of-32-bytes-or-so")
    monkeypatch.setenv("GUITU_TWILIO_AUTH_TOKEN", "hidden-token")
    monkeypatch.setenv("GUITU_DATABASE_URL", "postgresql://guitu:hidden-password@127.0.0.1/guitu")

    code, text = said(capsys, "settings")

    assert code == 0
    assert "GUITU_SIGNING_KEY" in text
    assert "set (secret)" in text
    assert "hidden" not in text
    assert "no description" not in text


def test_status_of_nothing_ends_with_code_1(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, text = said(capsys, "status", "--data-dir", str(tmp_path))

    assert code == 1
    assert f"Nothing runs in {tmp_path}" in text


def test_status_shows_a_process_that_is_gone(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    StatusFile(tmp_path).write([ProcessStatus("alerts", gone.pid, "ready", 2, 8201, "http://127.0.0.1:8201")])

    code, text = said(capsys, "status", "--data-dir", str(tmp_path))

    assert code == 1
    assert text.split()[:2] == ["alerts", "gone"]


def test_outside_servers_serve_commands_without_a_node(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GUITU_KAFKA", "kafka.example:9092")
    monkeypatch.setenv("GUITU_DATABASE_URL", "postgresql://db.example/guitu")

    assert settings_of_running_node(tmp_path)["GUITU_KAFKA"] == "kafka.example:9092"


async def test_token_is_accepted_by_this_node_and_its_role_is_checked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GUITU_KAFKA", "kafka.example:9092")
    monkeypatch.setenv("GUITU_DATABASE_URL", "postgresql://db.example/guitu")
    monkeypatch.setenv("GUITU_SIGNING_KEY", "a-signing-key-of-more-than-32-bytes!")

    code, text = said(capsys, "token", "operator", "--subject", "duty-desk")

    assert code == 0
    assert (await read_token(Settings(), text.strip(), datetime.now(UTC))).subject == "duty-desk"
    assert said(capsys, "token", "emperor")[0] != 0
    assert "six digits" in said(capsys, "token", "operator", "--region", "12")[1]


def test_bench_that_does_not_exist_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    code, text = said(capsys, "bench", "nothing")

    assert code == 1
    assert "There is no bench 'nothing'; there are:" in text


def test_bench_finds_what_it_shares_with_the_tests(tmp_path: Path) -> None:
    (tmp_path / "shared.py").write_text('from harness.pictures import photo\nprint("found", photo.__name__)')
    run = "import sys; from pathlib import Path; from guitu.commands import bench; "
    run += "bench.BENCH_DIR = Path(sys.argv[1]); bench.cli(['shared'])"

    ended = subprocess.run(
        [sys.executable, "-P", "-c", run, str(tmp_path)], capture_output=True, text=True, check=False
    )

    assert "found photo" in ended.stdout, ended.stderr


def test_service_is_found_by_name_and_by_package() -> None:
    assert member("dna-intake") is member("dna_intake")
    assert len({each.port_offset for each in MEMBERS}) == len(MEMBERS)
    with pytest.raises(KeyError, match=r"no service 'ghost'; there are: alerts"):
        member("ghost")
