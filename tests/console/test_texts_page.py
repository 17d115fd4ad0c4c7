"""Message texts: who may change them, that a try changes nothing, and that a refused text stays in its form."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

import httpx

from guitu.service import Runtime
from harness.console_http import at_the_desk, submits

RuntimeFor = Callable[[str], Awaitable[Runtime]]
ADDRESS = "/texts/hotel/zh/raised"
KEY = {"recipient_kind": "hotel", "language": "zh", "stage": "raised"}
HELD = KEY | {
    "body": "{case}{child} <b>",
    "source": "file",
    "version": None,
    "written_for": "any",
    "always_known": ["case", "child"],
    "in_brackets_only": ["height"],
}
REASONS = [{"position": 3, "says": "Nobody knows {x}.", "says_zh": "没有变量{x}。"}]


class Notifications:
    """The owner: knows one text, refuses what has {x} in it, remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, object]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content) if request.content else None
        self.asked.append((request.method, request.url.path, body))
        if request.url.path == "/templates":
            return httpx.Response(200, json={"templates": [HELD | {"recipient_kind": "any"}, HELD]})
        if request.url.path.endswith("/preview"):
            return httpx.Response(200, json=self._tried(body))
        if request.method == "PUT" and "{x}" in body["body"]:
            said = {"code": "template_refused", "detail": "No: {x}.", "detail_zh": "模板不可用:没有变量{x}。"}
            return httpx.Response(422, json=said)
        return httpx.Response(200, json=HELD | {"history": []})

    def _tried(self, body: dict[str, str]) -> dict[str, object]:
        size = {"encoding": "ucs2", "units": 60, "segments": 1, "units_left": 10, "shortened": False}
        samples = [{"sample": "short", "text": f"made of {body['body']}", "forces_ucs2": [], **size}]
        usable = "{x}" not in body["body"]
        return {
            "usable": usable,
            "reasons": [] if usable else REASONS,
            "replaced": {"“": '"'},
            "forces_ucs2": [],
            "samples": samples if usable else [],
        }

    def changes(self) -> list[tuple[str, str, object]]:
        """What was asked that changes something."""
        return [one for one in self.asked if one[0] in ("PUT", "DELETE")]


async def test_the_list_shows_what_holds_for_everybody_and_what_is_different(runtime_for: RuntimeFor) -> None:
    async with at_the_desk(await runtime_for("console"), owners=Notifications()) as http:
        text = (await http.get("/texts")).text

    assert 'href="/texts/any/zh/raised"' in text
    assert 'href="/texts/hotel/zh/raised"' not in text
    assert "{case}{child} &lt;b&gt;" in text


async def test_a_try_shows_the_texts_and_their_segments_and_changes_nothing(runtime_for: RuntimeFor) -> None:
    owner = Notifications()
    async with at_the_desk(await runtime_for("console"), owners=owner) as http:
        answer = await submits(http, f"{ADDRESS}/preview", body="{case}\r\nnew <i>")

    assert "made of {case}\nnew &lt;i&gt;" in answer.text
    assert "1条,余10字" in answer.text
    assert [] == owner.changes()


async def test_a_script_gets_the_fragment_of_the_same_try(runtime_for: RuntimeFor) -> None:
    async with at_the_desk(await runtime_for("console"), owners=Notifications()) as http:
        http.headers["Accept"] = "application/json"
        answer = await http.get("/keys")
        http.headers["Accept"] = "text/html"
        token = (await http.get("/keys")).text.split('data-csrf="')[1].split('"')[0]
        http.headers["Accept"] = "application/json"
        answer = await http.post(f"{ADDRESS}/preview", data={"csrf": token, "body": "{x}"})

    assert "<html" not in answer.text
    assert "没有变量{x}。" in answer.text


async def test_only_an_administrator_changes_a_text(runtime_for: RuntimeFor) -> None:
    run, owner = await runtime_for("console"), Notifications()
    async with at_the_desk(run, owners=owner) as operator:
        refused = await submits(operator, ADDRESS, body="{case}")
        page = (await operator.get(ADDRESS)).text
    async with at_the_desk(run, "admin", owners=owner) as admin:
        saved = await submits(admin, ADDRESS, body="{case} new", note="shorter")

    assert 403 == refused.status_code
    assert "Ctrl+Enter" not in page
    assert (303, f"{ADDRESS}?done=saved") == (saved.status_code, saved.headers["location"])
    assert [
        ("PUT", "/templates/hotel/zh/raised", {"body": "{case} new", "note": "shorter"})
    ] == owner.changes()


async def test_a_refused_text_says_why_and_stays_as_it_was_typed(runtime_for: RuntimeFor) -> None:
    async with at_the_desk(await runtime_for("console"), "admin", owners=Notifications()) as http:
        answer = await submits(http, ADDRESS, body="{x} typed with care", note="my reason")

    assert 422 == answer.status_code
    assert "模板不可用:没有变量{x}。" in answer.text
    assert "{x} typed with care</textarea>" in answer.text
    assert 'value="my reason"' in answer.text


async def test_a_name_that_is_none_reaches_no_other_address_of_the_owner(runtime_for: RuntimeFor) -> None:
    owner = Notifications()
    async with at_the_desk(await runtime_for("console"), owners=owner) as http:
        answers = [
            await http.get(f"/texts/{path}") for path in ("nobody/zh/raised", "hotel/zh/..%2F..%2Ftasks")
        ]

    assert [404, 404] == [answer.status_code for answer in answers]
    assert [] == owner.asked
