"""Templates over HTTP: tried, changed by an administrator only, and never lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from guitu import problem
from guitu.auth import Role, mint
from guitu.service import Runtime
from harness.ground import SettableClock
from notifications import templates
from notifications.domain.stages import LANGUAGES, RECIPIENT_KINDS, STAGES
from notifications.settings import NotificationSettings
from notifications.templates import key_of
from notifications.templates_api import templates_router

RuntimeFor = Callable[[str], Awaitable[Runtime]]
PATH = "/templates/hotel/zh/stood_down"
KEY = key_of("hotel", "zh", "stood_down")
BODY = "{case}{outcome},请停止核对,谢谢。"


@dataclass
class Desk:
    """People in roles."""

    run: Runtime
    http: httpx.AsyncClient

    def as_role(self, role: Role) -> dict[str, str]:
        token = mint(self.run.settings, f"test-{role}", role, "*", self.run.clock.now(), timedelta(hours=1))
        return {"authorization": f"Bearer {token}"}

    async def put(self, body: str, path: str = PATH, role: Role = "admin", note: str = "") -> httpx.Response:
        said = {"body": body, "note": note}
        return await self.http.put(path, json=said, headers=self.as_role(role))

    async def get(self, path: str = PATH) -> dict[str, Any]:
        answered = await self.http.get(path, headers=self.as_role("operator"))
        assert answered.status_code == 200, answered.text
        return dict(answered.json())

    async def tried(self, body: str, **more: Any) -> dict[str, Any]:
        said = {"body": body, "recipient_kind": "any", "language": "zh", "stage": "raised"} | more
        answered = await self.http.post("/templates/preview", json=said, headers=self.as_role("operator"))
        assert answered.status_code == 200, answered.text
        return dict(answered.json())

    async def audited(self) -> list[tuple[str, dict[str, Any]]]:
        rows = await self.run.pool.fetch("select action, details from audit order by at, id")
        return [(row["action"], row["details"]) for row in rows]


@pytest_asyncio.fixture
async def desk(runtime_for: RuntimeFor) -> AsyncIterator[Desk]:
    run = await runtime_for("notifications")
    app = FastAPI()
    app.state.runtime = run
    problem.install(app)
    settings = NotificationSettings(**run.settings.model_dump())
    app.include_router(templates_router(run, settings))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        yield Desk(run, http)


async def test_every_kind_language_and_stage_has_a_template_from_the_start(desk: Desk) -> None:
    listed = (await desk.get("/templates"))["templates"]

    assert len(RECIPIENT_KINDS) * len(LANGUAGES) * len(STAGES) == len(listed)
    assert {"built-in"} == {each["source"] for each in listed}
    hotel = next(
        e for e in listed if (e["recipient_kind"], e["language"], e["stage"]) == ("hotel", "zh", "stood_down")
    )
    assert hotel["written_for"] == "any"


async def test_a_change_holds_at_once_is_shown_with_its_texts_and_written_down(desk: Desk) -> None:
    before = await templates.current(desk.run)

    changed = (await desk.put(BODY, note="said by the hotels")).json()

    assert before.used(KEY).source == "built-in"
    assert (await templates.current(desk.run)).used(KEY).template.body == BODY
    assert (changed["source"], changed["written_for"]) == ("version 1", "hotel")
    texts = {sample["sample"]: sample for sample in changed["samples"]}
    assert texts["typical"]["text"] == "【云阳公安】CY-0472孩子已找到,请停止核对,谢谢。"
    assert (texts["typical"]["encoding"], texts["typical"]["segments"]) == ("UCS-2", 1)
    assert texts["typical"]["units_left"] == 70 - texts["typical"]["units"]
    assert texts["worst"]["text"].startswith("【演练】")
    details = {"recipient_kind": "hotel", "language": "zh", "stage": "stood_down", "version": 1}
    assert [("template.changed", details)] == await desk.audited()


async def test_old_versions_stay_readable_and_retiring_goes_back_to_the_built_in(desk: Desk) -> None:
    await desk.put(BODY, note="first")
    await desk.put(BODY + "再见。", note="second")

    second = await desk.get()
    gone = await desk.http.delete(PATH, headers=desk.as_role("admin"))
    again = await desk.http.delete(PATH, headers=desk.as_role("admin"))
    after = await desk.get()

    assert (second["version"], [row["note"] for row in second["history"]]) == (2, ["second", "first"])
    assert (gone.json()["source"], again.json()["source"], after["source"]) == ("built-in",) * 3
    assert [row["body"] for row in after["history"]] == [BODY + "再见。", BODY]
    assert all(row["retired_at"] and row["made_by"] == "test-admin" for row in after["history"])
    assert ["template.changed", "template.changed", "template.retired"] == [
        action for action, _ in await desk.audited()
    ]


async def test_the_same_body_again_makes_no_new_version_but_after_retiring_it_does(desk: Desk) -> None:
    versions = [(await desk.put(BODY)).json()["version"] for _ in range(2)]
    await desk.http.delete(PATH, headers=desk.as_role("admin"))
    versions.append((await desk.put(BODY)).json()["version"])

    assert [1, 1, 2] == versions


async def test_people_who_save_at_once_get_a_version_each(desk: Desk) -> None:
    answered = await asyncio.gather(*(desk.put(f"{BODY}{number}") for number in range(6)))

    assert list(range(1, 7)) == sorted(each.json()["version"] for each in answered)


async def test_another_process_sees_a_change_within_five_seconds(desk: Desk) -> None:
    clock = desk.run.clock
    assert isinstance(clock, SettableClock)
    await templates.current(desk.run)
    kept = desk.run.state["templates"]
    await desk.put(BODY)
    desk.run.state["templates"] = kept  # As it is in a process that did not take the change.

    clock.advance(seconds=templates.STALE_S - 1)
    early = await templates.current(desk.run)
    clock.advance(seconds=1)
    late = await templates.current(desk.run)

    assert (early.used(KEY).source, late.used(KEY).source) == ("built-in", "version 1")


@pytest.mark.parametrize("role", ["operator", "case_leader", "auditor", "site"])
async def test_only_an_administrator_changes_a_template(desk: Desk, role: Role) -> None:
    put = await desk.put(BODY, role=role)
    deleted = await desk.http.delete(PATH, headers=desk.as_role(role))

    assert (403, 403) == (put.status_code, deleted.status_code)
    assert [] == await desk.audited()


async def test_a_site_does_not_read_templates(desk: Desk) -> None:
    assert (await desk.http.get(PATH, headers=desk.as_role("site"))).status_code == 403


async def test_a_refused_template_is_answered_with_every_reason_and_changes_nothing(desk: Desk) -> None:
    refused = await desk.put("{case}{name}{party}")

    assert (refused.status_code, refused.json()["code"]) == (422, "template_refused")
    reasons = refused.json()["reasons"]
    assert [0, 7, 13] == [reason["position"] for reason in reasons]
    assert "{outcome} is missing" in reasons[0]["says"]
    assert "names a person" in reasons[1]["says"]
    assert all(reason["says_zh"] for reason in reasons)
    assert (await desk.get())["history"] == []


async def test_a_template_that_breaks_the_one_segment_rule_in_the_worst_case_is_refused(desk: Desk) -> None:
    just_too_long = "{case}{outcome}" + "谢" * 50

    refused = await desk.put(just_too_long)

    assert refused.status_code == 422
    assert "The sample 'worst' can't be written" in refused.json()["reasons"][0]["says"]
    assert (await desk.put(just_too_long[:-8])).status_code == 200


async def test_a_preview_counts_live_and_says_what_was_left_out(desk: Desk) -> None:
    body = "{case}{child}[{height}][{looks}|特征询110],{at}[{place}]走失[,请再看看],签收码{code}[ {link}]"

    tried = await desk.tried(body, values={"appearance": "红衣、" * 12, "place": "码头", "exercise": True})

    yours = tried["samples"][-1]
    assert (tried["usable"], yours["sample"], yours["segments"]) == (True, "yours", 1)
    assert yours["text"].startswith("【演练】【云阳公安】CY-0472男6岁")
    assert "spare" not in yours["shortened"]
    assert yours["shortened"]["looks"].startswith("红衣、红衣")
    assert "" == next(s for s in tried["samples"] if s["sample"] == "worst")["shortened"]["height"]


async def test_a_preview_names_what_makes_an_english_text_dear(desk: Desk) -> None:
    body = "{case}: missing {child}, [{looks}|ask], {at}[ {place}] – “now”. Ack {code}"

    fine = await desk.tried(body, language="en")
    dear = await desk.tried(body + " 快", language="en")

    assert fine["replaced"] == {"–": "-", "“": '"', "”": '"'}
    assert {"GSM-7"} == {sample["encoding"] for sample in fine["samples"]}
    assert (dear["usable"], dear["forces_ucs2"]) == (False, ["快"])
    assert (len(body) + 2, True) in [(r["position"], "7-bit" in r["says"]) for r in dear["reasons"]]


async def test_a_preview_of_what_can_not_be_read_says_where_and_refuses_nothing(desk: Desk) -> None:
    tried = await desk.tried("{case")

    assert (tried["usable"], tried["samples"]) == (False, [])
    assert [1] == [reason["position"] for reason in tried["reasons"]]


@pytest.mark.parametrize("path", ["lighthouse/zh/raised", "any/fr/raised", "any/zh/party"])
async def test_what_there_is_not_is_refused(desk: Desk, path: str) -> None:
    assert (await desk.put(BODY, f"/templates/{path}")).status_code == 422
