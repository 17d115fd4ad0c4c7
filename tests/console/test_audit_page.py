"""The audit viewer: every service's lines as one list, a service that is away is named, chains are checked."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from console.audit.words import ACTIONS
from console.words import words
from guitu import audit
from guitu.service import Runtime
from harness.console_http import Answer, at_the_desk

RuntimeFor = Callable[[str], Awaitable[Runtime]]
ALERTS, DISPATCH, NOTIFICATIONS = 8201, 8202, 8204
"""The owners by their usual ports."""
SEAL = "ab" * 32


def line(number: int, action: str, **more: Any) -> dict[str, Any]:
    said = {"actor": "desk-1", "subject": None, "details": {}, "sealed_as": number}
    return (
        {"id": str(UUID(int=number)), "at": f"2026-03-01T06:{number % 60:02}:00Z", "action": action}
        | said
        | more
    )


def owners(**by_port: Any) -> Answer:
    """Owners whose logs have these lines; one that is not named is away."""

    def answer(request: httpx.Request) -> httpx.Response:
        lines = by_port.get(f"p{request.url.port}")
        if lines is None:
            raise httpx.ConnectError("away", request=request)
        if request.url.path == "/audit/check":
            asked = request.url.params.get("known") == SEAL
            return httpx.Response(200, json=lines if asked else lines | {"known_at": None})
        before = request.url.params.get("before")
        kept = sorted(
            (each for each in lines if not before or each["id"] < before), key=lambda one: one["id"]
        )
        newest = kept[::-1][: int(request.url.params["limit"])]
        return httpx.Response(200, json={"service": "x", "entries": newest, "next_before": None})

    return answer


async def test_the_lines_of_all_services_stand_in_one_order_of_time(runtime_for: RuntimeFor) -> None:
    far = owners(p8201=[line(1, "case.opened"), line(3, "identity.read")], p8202=[line(2, "plan.published")])
    async with at_the_desk(await runtime_for("console"), "auditor", owners=far) as http:
        text = (await http.get("/audit?service=alerts&service=dispatch")).text

    assert text.index("identity.read") < text.index("plan.published") < text.index("case.opened")
    assert "查看身份信息" in text
    assert "14:03:00" in text


async def test_a_service_that_is_away_is_named_and_the_others_are_shown(runtime_for: RuntimeFor) -> None:
    far = owners(p8201=[line(1, "case.opened")])
    async with at_the_desk(await runtime_for("console"), "auditor", owners=far) as http:
        text = (await http.get("/audit?service=alerts&service=dna-intake")).text

    assert "dna-intake 服务无应答,此处缺少它的记录。" in text
    assert "case.opened" in text


async def test_the_consoles_own_log_is_among_them(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("console")
    async with run.tx(actor="desk-9") as tx:
        tx.audit("console.own_line")

    async with at_the_desk(run, "auditor") as http:
        text = (await http.get("/audit?service=console")).text

    assert "console.own_line" in text


async def test_older_lines_come_without_a_gap_and_without_a_double(runtime_for: RuntimeFor) -> None:
    far = owners(
        p8201=[line(n, f"a.{n:03}", at="2026-03-01T06:00:00Z") for n in range(2, 300, 2)],
        p8202=[line(n, f"a.{n:03}", at="2026-03-01T06:00:00Z") for n in range(1, 300, 2)],
    )
    seen: list[str] = []
    async with at_the_desk(await runtime_for("console"), "auditor", owners=far) as http:
        before = ""
        while True:
            text = (await http.get(f"/audit?service=alerts&service=dispatch&before={before}")).text
            seen += [part[:5] for part in text.split("<code>a.")[1:]]
            if 'name="before" value="' not in text:
                break
            before = text.split('name="before" value="')[1].split('"')[0]

    assert [f"{n:03}" for n in range(299, 0, -1)] == [each[:3] for each in seen]


@pytest.mark.parametrize("field", ["subject", "since", "until", "before"])
async def test_a_filter_that_cannot_be_read_is_shown_again_and_nothing_is_asked(
    runtime_for: RuntimeFor, field: str
) -> None:
    asked: list[str] = []

    def far(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(200, json={"entries": []})

    async with at_the_desk(await runtime_for("console"), "auditor", owners=far) as http:
        answer = await http.get("/audit", params={"actor": "desk-<7>", field: "nonsense"})

    assert "筛选条件有误" in answer.text
    assert "desk-&lt;7&gt;" in answer.text
    assert [] == asked


async def test_times_of_the_filter_are_beijing_times(runtime_for: RuntimeFor) -> None:
    asked: list[str] = []

    def far(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.params["since"])
        return httpx.Response(200, json={"entries": []})

    async with at_the_desk(await runtime_for("console"), "auditor", owners=far) as http:
        await http.get("/audit", params={"service": "alerts", "since": "2026-03-01 14:00"})

    assert ["2026-03-01T14:00:00+08:00"] == asked


async def test_the_check_says_of_each_chain_whether_it_holds(runtime_for: RuntimeFor) -> None:
    holds = {"holds": True, "sealed": 7, "unsealed": 1, "head": SEAL, "broken": None, "broken_at": None}
    far = owners(p8201=holds, p8202=holds | {"holds": False, "broken_at": 5, "broken": "x"}, p8203=holds)
    run = await runtime_for("console")
    async with run.tx(actor="desk-9") as tx:
        tx.audit("console.own_line")
    async with run.pool.acquire() as conn:
        await audit.seal(conn)

    async with at_the_desk(run, "auditor", owners=far) as http:
        text = (await http.get("/audit/chains")).text

    rows = {part.split('"')[0]: part.split("</tr>")[0] for part in text.split('id="chain-')[1:]}
    assert {"alerts", "dispatch", "dna-intake", "console"} == rows.keys()
    assert "链完整" in rows["alerts"]
    assert "链完整" in rows["console"]
    assert "在第 5 条断开" in rows["dispatch"]
    assert "链完整" not in rows["dispatch"]
    assert "notifications 服务未能校验。" in text


@pytest.mark.parametrize(
    ("noted", "known_at", "broken_at", "said"),
    [
        (SEAL.upper(), 6, None, "alerts第6条即为此封存值"),
        (SEAL, 6, 7, "alerts第6条即为此封存值"),
        (SEAL, None, None, "已校验的链中均无此封存值"),
        ("ab", None, None, "封存值为64位"),
    ],
)
async def test_a_noted_seal_shows_whether_the_end_of_a_chain_was_cut_off(
    runtime_for: RuntimeFor, noted: str, known_at: int | None, broken_at: int | None, said: str
) -> None:
    chain = {"sealed": 7, "unsealed": 0, "head": SEAL, "broken": None, "known_at": known_at}
    far = owners(p8201=chain | {"holds": broken_at is None, "broken_at": broken_at})
    async with at_the_desk(await runtime_for("console"), "auditor", owners=far) as http:
        text = (await http.get(f"/audit/chains?known={noted}")).text

    every = ("此前记录无缺失", "均无此封存值", "封存值为64位")
    assert said in text
    assert 1 == sum(each in text for each in every)


async def test_a_noted_seal_after_a_broken_line_is_no_proof(runtime_for: RuntimeFor) -> None:
    chain = {"sealed": 7, "unsealed": 0, "head": SEAL, "broken": "x", "known_at": 6}
    far = owners(p8201=chain | {"holds": False, "broken_at": 5})
    async with at_the_desk(await runtime_for("console"), "auditor", owners=far) as http:
        text = (await http.get(f"/audit/chains?known={SEAL}")).text

    assert ("在第 5 条断开" in text, "此前记录无缺失" in text) == (True, False)


async def test_the_file_has_every_line_and_no_formula(runtime_for: RuntimeFor) -> None:
    lines = [line(n, "case.opened", actor="=HYPERLINK(1)") for n in range(1, 1203)]
    async with at_the_desk(await runtime_for("console"), "auditor", owners=owners(p8201=lines)) as http:
        answer = await http.get("/audit.csv?service=alerts")

    rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert 1203 == len(rows)
    assert {"'=HYPERLINK(1)"} == {row[2] for row in rows[1:]}
    assert ("建立案件", "2026-03-01 14:07:00") == (rows[-7][4], rows[-7][0])


async def test_a_file_that_lacks_a_service_says_so(runtime_for: RuntimeFor) -> None:
    far = owners(p8201=[line(1, "case.opened")])
    async with at_the_desk(await runtime_for("console"), "auditor", owners=far) as http:
        rows = list(
            csv.reader(io.StringIO((await http.get("/audit.csv?service=alerts&service=dispatch")).text))
        )

    assert ["dispatch"] == [row[1] for row in rows if "该服务无应答" in row[4]]


@pytest.mark.parametrize("path", ["/audit", "/audit/chains", "/audit.csv"])
@pytest.mark.parametrize("role", ["operator", "case_leader", "laboratory", "registry"])
async def test_only_auditors_and_administrators_see_the_log(
    runtime_for: RuntimeFor, path: str, role: Any
) -> None:
    async with at_the_desk(await runtime_for("console"), role) as http:
        assert 403 == (await http.get(path)).status_code


async def test_an_auditor_of_another_region_sees_no_line_and_reads_why(runtime_for: RuntimeFor) -> None:
    run = await runtime_for("console")
    async with run.tx(actor="desk-9") as tx:
        tx.audit("console.own_line")

    async with at_the_desk(run, "auditor", region="500236") as http:
        text = (await http.get("/audit?service=console")).text

    assert "console.own_line" not in text
    assert "本节点审计日志属于500235辖区" in text


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_known_action_has_words_in_both_languages(language: Any) -> None:
    said = words(language)

    assert all(said(text) for text in ACTIONS.values())


def test_every_action_that_our_code_writes_down_has_words() -> None:
    written = re.compile(r"""(?:\.audit|_audited)\(\s*(?:tx, (?:done, )?)?"([a-z_.]+)\"""")
    sources = (Path(__file__).parents[2] / "services").glob("*/*/**/*.py")

    found = {action for source in sources for action in written.findall(source.read_text(encoding="utf-8"))}

    assert len(found) > 80
    assert set() == found - ACTIONS.keys()
