"""`guitu console account` and `login-link`: what they change, what they print, and what they never do."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

import pytest
from typer.testing import CliRunner

from console.console_cli import cli
from console.door import account_cli, passwords
from guitu.service import Runtime
from guitu.settings import Settings
from harness.console_http import at_the_desk

RuntimeFor = Callable[[str], Awaitable[Runtime]]
PHRASE = "a good long phrase"


@pytest.fixture(autouse=True)
def _this_node(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands' node is the test's; nobody waits for 64 MiB here."""
    monkeypatch.setattr(account_cli, "node_settings", lambda *_: settings)
    cheap = passwords.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_HASHER", cheap)


async def says(*words: str, typed: str = "") -> tuple[int, str]:
    """Run a command in a thread of its own: it has its own event loop."""
    import asyncio

    done = await asyncio.to_thread(CliRunner().invoke, cli, list(words), typed)
    return done.exit_code, done.output + str(done.exception or "")


async def logs_in(run: Runtime, password: str) -> bool:
    async with at_the_desk(run, None) as http:
        return (await http.post("/login", data={"name": "duty-1", "password": password})).status_code == 303


async def audited(run: Runtime) -> list[str]:
    rows = await run.pool.fetch("select action from audit where actor = 'cli' order by id")
    return [row["action"] for row in rows]


async def test_an_account_is_opened_changed_and_closed_and_each_is_audited(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("console")

    opened = await says("account", "add", "duty-1", "operator", "--password-stdin", typed=f"{PHRASE}\n")
    first = await logs_in(run, PHRASE)
    changed = await says("account", "password", "duty-1", "--password-stdin", typed="another long phrase\n")
    old, new = await logs_in(run, PHRASE), await logs_in(run, "another long phrase")
    moved = await says("account", "role", "duty-1", "auditor", "--region", "*")
    listed = await says("account", "list")
    closed = await says("account", "disable", "duty-1")
    after = await logs_in(run, "another long phrase")

    assert [0] * 5 == [code for code, _ in (opened, changed, moved, listed, closed)]
    assert (True, False, True, False) == (first, old, new, after)
    assert re.search(r"duty-1\s+auditor\s+\*", listed[1])
    assert ["account_added", "account_password", "account_role", "account_disabled"] == await audited(run)


async def test_an_empty_password_is_made_and_printed_once(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("console")

    code, said = await says("account", "add", "duty-1", "operator", typed="\n")

    made = re.search(r"^Password: (\S{16})$", said, re.MULTILINE)
    assert code == 0
    assert made is not None
    assert await logs_in(run, made[1])


@pytest.mark.parametrize(
    ("words", "typed", "says_so"),
    [
        (("account", "add", "duty-1", "operator", "--password-stdin"), "short\n", "10 to 200 characters"),
        (("account", "add", "张三", "operator"), "", "never a person's name"),
        (("account", "add", "duty-1", "unit"), "", "No role 'unit' has a console"),
        (("account", "disable", "nobody"), "", "There is no open account 'nobody'"),
        (("login-link", "site"), "", "No role 'site' has a console"),
    ],
)
async def test_what_is_not_possible_is_said_and_changes_nothing(
    runtime_for: RuntimeFor, words: tuple[str, ...], typed: str, says_so: str
) -> None:
    run = await runtime_for("console")

    code, said = await says(*words, typed=typed)

    assert code != 0
    assert says_so in " ".join(said.split())
    assert [] == await audited(run)


async def test_a_name_is_opened_once(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("console")
    await says("account", "add", "duty-1", "operator", "--password-stdin", typed=f"{PHRASE}\n")

    code, said = await says("account", "add", "duty-1", "admin", "--password-stdin", typed=f"{PHRASE}\n")

    assert code != 0
    assert "There is an account 'duty-1' already" in said
    assert ["account_added"] == await audited(run)


async def test_a_link_is_printed_and_only_its_hash_is_kept(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("console")

    code, said = await says("login-link", "auditor", "--subject", "visitor-1")

    address = said.strip()
    assert code == 0
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/login/link/[\w-]{32}", address)
    kept = await run.pool.fetchval(
        "select row_to_json(l)::text || (select string_agg(details::text, '') from audit) from login_link l"
    )
    assert "visitor-1" in kept
    assert address.rsplit("/", 1)[1] not in kept
