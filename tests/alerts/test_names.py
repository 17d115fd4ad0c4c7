"""A name that somebody says in a description stays in the vault and goes no further."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from alerts.domain.names import leaks, without_names
from contracts.alert import AlertRaised, AlertUpdated
from contracts.report import ReportFiled
from guitu.service import Runtime
from harness.alert_stories import SEAT, Desk, desk, identity
from harness.ground import facts

RuntimeFor = Callable[[str], Awaitable[Runtime]]
CHILD, MOTHER = "虚小构", "某甲乙"
"""Invented; no family is called so."""


@pytest_asyncio.fixture
async def command(runtime_for: RuntimeFor) -> AsyncIterator[Desk]:
    async with desk(await runtime_for("alerts")) as opened:
        yield opened


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("虚小构穿红衣", "孩子穿红衣"),
        ("小构穿红衣", "孩子穿红衣"),
        ("虚小穿红衣", "孩子穿红衣"),
        ("虚 小\u00b7构穿红衣", "孩子穿红衣"),
        ("小红帽、构图", "小红帽、构图"),
        ("母亲某甲乙说甲乙同行", "母亲家长说家长同行"),
        ("Fictia wears red", "child wears red"),
        ("fictia穿红衣", "child穿红衣"),
        ("FICTIA's coat", "child's coat"),
        ("Fictiana wears red", "Fictiana wears red"),
        ("\uff26\uff49\uff43\uff54\uff49\uff41 wears red", "child wears red"),
        ("Fictia Long has long hair", "child has long hair"),
        ("long fictia, longfictia", "child, child"),
        ("Long has long hair", "child has long hair"),
    ],
)
def test_names_are_replaced_and_the_rest_stays(said: str, told: str) -> None:
    assert told == without_names(said, [CHILD, "Fictia Long"], [MOTHER])


@pytest.mark.parametrize("name", ["", " ", "不详", "unknown", "A", "孩子", "child", "李"])
def test_what_is_no_name_takes_nothing_out(name: str) -> None:
    said = "身高不详, unknown child, A red coat, 孩子穿李宁鞋"

    assert said == without_names(said, [name], [name])
    assert [] == leaks(said, [name])


def test_a_leak_is_shown_as_it_is_written() -> None:
    assert ["小构", "FICTIA"] == leaks("小构 or FICTIA", [CHILD, "Fictia"])


@given(
    st.text(alphabet=st.sampled_from("虚小构孩子 a.Fictia\u00b7"), max_size=40),
    st.lists(st.text(alphabet=st.sampled_from("虚小构孩子Fictia "), min_size=1, max_size=8), max_size=3),
)
def test_nothing_leaks_whatever_is_said(said: str, names: list[str]) -> None:
    assert [] == leaks(without_names(said, names), names)


def test_a_text_of_nothing_but_a_name_is_done_with_soon() -> None:
    assert "孩子" == without_names("子甲" + "甲" * 2000, ["子甲"])


def family(**more: Any) -> dict[str, Any]:
    return identity() | {"child_name": CHILD, "parent_names": [MOTHER]} | more


async def opened(command: Desk, case_id: str) -> dict[str, Any]:
    path = f"/cases/{case_id}/identity?purpose=call_parents"
    return dict((await command.http.get(path, headers=command.as_role("operator"))).json())


async def test_no_fact_carries_a_name_and_the_vault_keeps_what_was_said(command: Desk) -> None:
    said = {
        "appearance": "小构穿红衣",
        "note": f"{MOTHER}报案",
        "companion": "甲乙的弟弟",
        "vehicle": "虚小构家的车",
    }
    place = {"position": SEAT, "name": "虚小构家门口"}

    case = await command.reports(identity=family(), last_seen_place=place, **said)

    [report], [alert] = await facts(command.runtime, ReportFiled), await facts(command.runtime, AlertRaised)
    assert (report.child.appearance, report.note) == ("孩子穿红衣", "家长报案")
    assert (alert.child.appearance, alert.last_seen_place.name, alert.vehicle) == (
        "孩子穿红衣",
        "孩子家门口",
        "孩子家的车",
    )
    for table in ("outbox", "report", "case_file", "alert_version", "timeline", "audit"):
        rows = await command.runtime.pool.fetchval(f'select string_agg(t::text, $1) from "{table}" t', "\n")
        assert [] == leaks(rows, [CHILD, MOTHER])
    kept = await opened(command, case["case_id"])
    assert (kept["child_name"], kept["parent_names"]) == (CHILD, [MOTHER])
    assert kept["as_said"] == said | {"place": "虚小构家门口"}


async def test_what_was_kept_can_be_written_back(command: Desk) -> None:
    case = await command.reports(identity=family(), appearance="小构穿红衣")
    kept = await opened(command, case["case_id"])

    path = f"/cases/{case['case_id']}/identity"
    written = await command.http.put(path, json=kept, headers=command.as_role("operator"))

    assert written.status_code == 204
    assert kept == await opened(command, case["case_id"])


async def test_an_update_carries_no_name_of_the_vault(command: Desk) -> None:
    case = await command.reports(identity=family())

    answered = await command.post(
        f"/cases/{case['case_id']}/updates",
        {"fields": {"appearance": "小构换了黄衣"}, "reason": "某甲乙来电"},
    )

    assert answered.json()["changed"] == ["child.appearance"]
    [fact] = await facts(command.runtime, AlertUpdated)
    assert (fact.child.appearance, fact.reason) == ("孩子换了黄衣", "家长来电")


async def test_a_forgotten_identity_does_not_stop_an_update(command: Desk) -> None:
    case = await command.reports(identity=family())
    await command.post(f"/cases/{case['case_id']}/forget", {"reason": "the family asked"}, "case_leader")

    answered = await command.post(
        f"/cases/{case['case_id']}/updates", {"fields": {"appearance": "黄衣"}, "reason": "a camera"}
    )

    assert answered.status_code == 200


async def test_a_description_at_its_limit_stays_within_it(command: Desk) -> None:
    long_words = "Li " * 666
    place = {"position": SEAT, "name": "Li " * 66}

    await command.reports(identity=family(child_name="Li"), appearance=long_words, last_seen_place=place)

    [alert] = await facts(command.runtime, AlertRaised)
    assert len(alert.child.appearance) <= 2000
    assert [] == leaks(alert.child.appearance + alert.last_seen_place.name, ["Li"])
