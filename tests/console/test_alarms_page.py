"""Alarms and tasks: shown with their mend, done through the owner, and what was typed is never lost."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from uuid import UUID

import httpx
import pytest

from guitu.service import Runtime
from harness.console_http import at_the_desk, submits

RuntimeFor = Callable[[str], Awaitable[Runtime]]
TASK, ALARM = UUID(int=1), UUID(int=2)
AT = "2026-03-01T05:55:00+00:00"
OPEN_TASK = {
    "id": str(TASK),
    "case_id": str(UUID(int=3)),
    "case_code": "CY-0001",
    "exercise": True,
    "due_at": AT,
    "done_at": None,
    "done_by": None,
    "result": None,
    "note": "",
    "name_zh": "云阳客运站",
    "name_en": "Yunyang coach centre",
    "overdue": True,
    "what_zh": "请立即打电话通知。",
    "what_en": "Call it now.",
    "reply": None,
    "replied_at": None,
    "contacts": [{"label": "值班 1", "role": "on_duty", "phone": "+447700900000", "language": "zh"}],
}
OPEN_ALARM = {
    "id": str(ALARM),
    "severity": "critical",
    "opened_at": AT,
    "closed_at": None,
    "acknowledged_at": None,
    "acknowledged_by": None,
    "count": 3,
    "says_zh": "有通知超时未发出。",
    "says_en": "Notices wait too long.",
    "mend_zh": "查看服务商。",
    "mend_en": "See whether the provider is down.",
}


class Notifications:
    """One task and one alarm; remembers commands, may refuse them."""

    def __init__(self, refuses: int = 0, *, may_call: bool = True) -> None:
        self.refuses, self.commands = refuses, list[tuple[str, object]]()
        hidden = () if may_call else ("reply", "contacts")
        self.task = {name: said for name, said in OPEN_TASK.items() if name not in hidden}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            self.commands.append((request.url.path, json.loads(request.content) if request.content else None))
            said = {"code": "no", "detail": "Done before.", "detail_zh": "该任务已处理,结果不同。"}
            return httpx.Response(self.refuses or 200, json=said)
        is_task = request.url.path == "/tasks"
        return httpx.Response(200, json={"tasks": [self.task]} if is_task else {"alarms": [OPEN_ALARM]})


@pytest.mark.parametrize(
    ("language", "said"),
    [("zh-CN", ("云阳客运站", "请立即打电话通知。", "已超时", "演练", "有通知超时未发出。", "查看服务商。", "严重")),
     ("en", ("Yunyang coach centre", "Call it now.", "overdue", "Exercise", "Notices wait too long.", "critical"))],
)  # fmt: skip
async def test_what_needs_a_person_is_said_in_the_language_of_the_page(
    runtime_for: RuntimeFor, language: str, said: tuple[str, ...]
) -> None:
    async with at_the_desk(await runtime_for("console"), owners=Notifications(), language=language) as http:
        text = (await http.get("/alarms")).text

    assert [] == [one for one in said if one not in text]
    assert 'href="tel:+447700900000"' in text


async def test_results_and_alarms_go_to_the_owner(runtime_for: RuntimeFor) -> None:
    owner = Notifications()
    async with at_the_desk(await runtime_for("console"), owners=owner) as http:
        done = await submits(http, f"/tasks/{TASK}/done", result="not_reached", note="busy")
        taken = await submits(http, f"/alarms/{ALARM}/acknowledge")

    assert ["/alarms?done=done", "/alarms?done=taken"] == [a.headers["location"] for a in (done, taken)]
    assert [
        (f"/tasks/{TASK}/done", {"result": "not_reached", "note": "busy"}),
        (f"/alarms/{ALARM}/acknowledge", None),
    ] == owner.commands


async def test_a_refused_result_says_why_and_keeps_what_was_typed(runtime_for: RuntimeFor) -> None:
    async with at_the_desk(await runtime_for("console"), owners=Notifications(409)) as http:
        answer = await submits(http, f"/tasks/{TASK}/done", result="other", note="typed with care")

    assert 409 == answer.status_code
    assert "该任务已处理,结果不同。" in answer.text
    assert 'value="typed with care"' in answer.text
    assert 'value="other" required checked' in answer.text


async def test_an_administrator_sees_alarms_and_has_no_button_for_them(runtime_for: RuntimeFor) -> None:
    owner = Notifications(may_call=False)
    async with at_the_desk(await runtime_for("console"), "admin", owners=owner) as http:
        text = (await http.get("/alarms")).text

    assert "请立即打电话通知。" in text
    assert "有通知超时未发出。" in text
    assert f"/alarms/{ALARM}/acknowledge" not in text


async def test_a_page_says_that_the_owner_does_not_answer(runtime_for: RuntimeFor) -> None:
    async with at_the_desk(await runtime_for("console")) as http:
        answer = await http.get("/alarms")

    assert 503 == answer.status_code
    assert "notifications 服务暂无应答" in answer.text
