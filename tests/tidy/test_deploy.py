"""What is written in deploy/ is what the code reads: settings, commands, services, paths."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from guitu.cli import COMMANDS
from guitu.supervisor.every_setting import fields_of, kinds
from guitu.supervisor.members import SERVICES, member

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
FILES = sorted(
    path for kind in ("container/*", "systemd/*", "*.example") for path in DEPLOY.glob(kind) if path.is_file()
)
COMPOSE = yaml.safe_load((DEPLOY / "container/compose.yaml").read_text())
PUBLIC = {
    "/o/": "dispatch",
    "/p/": "alerts",
    "/n/": "notifications",
    "/twilio/": "notifications",
    "/webhook/": "notifications",
    "/alibaba/": "notifications",
}


def known_settings() -> set[str]:
    """Every environment variable that some process reads."""
    return {name for _, kind in kinds() for name in fields_of(kind)}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_setting_that_is_named_is_read(path: Path) -> None:
    named = set(re.findall(r"\bGUITU_[A-Z_]+\b", path.read_text()))

    assert set() == named - known_settings()


def test_compose_runs_every_service_by_a_command_that_exists() -> None:
    ours = {name: service for name, service in COMPOSE["services"].items() if "command" in service}

    assert {each.name for each in SERVICES} == set(ours)
    for service in ours.values():
        command, name = service["command"]
        assert command in COMMANDS
        assert member(name) in SERVICES


def test_units_and_containers_call_commands_that_exist() -> None:
    text = "".join(path.read_text() for path in FILES)

    called = set(re.findall(r"(?:bin/|&& |\")guitu ([a-z-]+)", text))

    assert {"migrate", "topics", "service"} <= called
    assert called <= set(COMMANDS)


def test_the_proxy_lets_through_what_people_outside_need_and_nothing_else() -> None:
    text = (DEPLOY / "proxy/guitu.nginx.conf").read_text()
    ports = {f"127.0.0.1:{8200 + each.port_offset}": each.name for each in SERVICES}

    found = re.findall(r"location (\S+) \{ proxy_pass http://(\S+); \}", text)

    assert PUBLIC == {path: ports[address] for path, address in found}
    assert "location / { return 404; }" in text


def test_the_console_stands_on_a_server_of_its_own() -> None:
    outside = (DEPLOY / "proxy/guitu.nginx.conf").read_text()
    inside = (DEPLOY / "proxy/console.nginx.conf").read_text()
    address = f"127.0.0.1:{8200 + member('console').port_offset}"

    assert address not in outside
    assert [address] == re.findall(r"proxy_pass http://(\S+);", inside)
