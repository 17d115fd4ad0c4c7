"""What the simulator says, and what our client asks, fits Twilio's own OpenAPI (twilio-oai, MIT; not copied here)."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest
from jsonschema import Draft202012Validator, FormatChecker
from twilio.rest import Client

from harness.far_side import (
    OURS,
    PHONE,
    SERVICE,
    SID,
    TOKEN,
    account,
    closed_port,
    settled,
    simulator_running,
)
from notifications.providers.protocol import Accepted, Outgoing
from notifications.providers.twilio_sms import open_twilio_sms
from notifications.providers.twilio_voice import open_twilio_voice
from sms_simulator.server import Simulator
from sms_simulator.switchboard import Does, Manners

EVAL_DATA = Path(os.environ.get("GUITU_EVAL_DATA") or Path(__file__).resolve().parents[2] / "../shared/data")
SPEC = EVAL_DATA / "twilio" / "twilio_api_v2010_messages_calls.openapi.json"
MESSAGES = "/2010-04-01/Accounts/{AccountSid}/Messages.json"
CALLS = "/2010-04-01/Accounts/{AccountSid}/Calls.json"
CALL = "/2010-04-01/Accounts/{AccountSid}/Calls/{Sid}.json"
MESSAGE = "/2010-04-01/Accounts/{AccountSid}/Messages/{Sid}.json"

pytestmark = pytest.mark.skipif(
    not SPEC.is_file(),
    reason=f"Twilio's OpenAPI is not at {SPEC}; set GUITU_EVAL_DATA to the folder that holds it.",
)
formats = FormatChecker()


@formats.checks("date-time-rfc-2822", raises=(ValueError, TypeError))
def _is_rfc2822(text: object) -> bool:
    return not isinstance(text, str) or parsedate_to_datetime(text).tzinfo is not None


@pytest.fixture(scope="module")
def spec() -> Any:
    return json.loads(SPEC.read_text("utf-8"))


def problems(spec: Any, schema: dict[str, Any], value: Any) -> list[str]:
    """Check a value against a schema of the spec; OpenAPI 3.0's `nullable` is said in JSON Schema's words."""
    whole = _in_json_schema({**schema, "components": spec["components"]})
    return [
        f"{list(e.path)}: {e.message}"
        for e in Draft202012Validator(whole, format_checker=formats).iter_errors(value)
    ]


def _in_json_schema(node: Any) -> Any:
    if isinstance(node, list):
        return [_in_json_schema(item) for item in node]
    if not isinstance(node, dict):
        return node
    plain = {key: _in_json_schema(value) for key, value in node.items()}
    if plain.pop("nullable", False) and isinstance(plain.get("type"), str):
        plain["type"] = [plain["type"], "null"]
    if plain.get("format") == "uri":  # Twilio's are relative although the format says absolute.
        plain["format"] = "uri-reference"
    return plain


def answer_schema(spec: Any, path: str, method: str, status: str) -> dict[str, Any]:
    schema: dict[str, Any] = spec["paths"][path][method]["responses"][status]["content"]["application/json"][
        "schema"
    ]
    return schema


async def raw(simulator: Simulator, method: str, path: str, **form: str) -> tuple[int, Any]:
    """Ask without the library, so that nothing is smoothed over."""
    auth = aiohttp.BasicAuth(SID, TOKEN)
    async with (
        aiohttp.ClientSession(auth=auth) as session,
        session.request(method, simulator.url + path, data=form or None) as answer,
    ):
        return answer.status, await answer.json() if answer.status != 204 else None


@pytest.mark.parametrize(
    "sender",
    [{"From": OURS}, {"MessagingServiceSid": SERVICE}],
    ids=["number", "service"],
)
async def test_every_answer_fits_the_spec(simulator: Simulator, spec: Any, sender: dict[str, str]) -> None:
    path = MESSAGES.format(AccountSid=SID)
    status, created = await raw(simulator, "POST", path, To=PHONE, Body="你好 👍", **sender)
    await settled(simulator)
    own = MESSAGE.format(AccountSid=SID, Sid=created["sid"])
    fetched = (await raw(simulator, "GET", own))[1]
    listed = (await raw(simulator, "GET", f"{path}?To=%2B{PHONE[1:]}&PageSize=1"))[1]
    redacted = (await raw(simulator, "POST", own, Body=""))[1]
    deleted = (await raw(simulator, "DELETE", own))[0]

    assert (status, deleted) == (201, 204)
    assert problems(spec, answer_schema(spec, MESSAGES, "post", "201"), created) == []
    assert problems(spec, answer_schema(spec, MESSAGE, "get", "200"), fetched) == []
    assert problems(spec, answer_schema(spec, MESSAGES, "get", "200"), listed) == []
    assert problems(spec, answer_schema(spec, MESSAGE, "post", "200"), redacted) == []


async def test_answers_have_exactly_the_fields_of_the_spec(simulator: Simulator, spec: Any) -> None:
    path = MESSAGES.format(AccountSid=SID)
    created = (await raw(simulator, "POST", path, To=PHONE, From=OURS, Body="x"))[1]
    listed = (await raw(simulator, "GET", path))[1]
    resource = spec["components"]["schemas"]["api.v2010.account.message"]["properties"]
    page = answer_schema(spec, MESSAGES, "get", "200")["properties"]

    assert set(resource) == set(created)
    assert set(page) == set(listed)


async def test_failed_and_inbound_messages_fit_too(simulator: Simulator, client: Client, spec: Any) -> None:
    await client.messages.create_async(to="+8613800000000", from_=OURS, body="https://guitu.example/n")
    await simulator.carrier.receive(PHONE, OURS, "1")
    await settled(simulator)

    listed = (await raw(simulator, "GET", MESSAGES.format(AccountSid=SID)))[1]

    assert [(m["direction"], m["error_code"]) for m in listed["messages"]] == [
        ("inbound", None),
        ("outbound-api", 30007),
    ]
    assert problems(spec, answer_schema(spec, MESSAGES, "get", "200"), listed) == []


@pytest.mark.parametrize("does", ["answer", "busy", "no-answer", "failed"])
async def test_every_answer_about_a_call_fits_the_spec(simulator: Simulator, spec: Any, does: Does) -> None:
    simulator.carrier.calls.manners[PHONE] = Manners(does)
    path = CALLS.format(AccountSid=SID)
    nowhere = f"http://127.0.0.1:{closed_port()}/v#rc=0"
    status, created = await raw(simulator, "POST", path, To=PHONE, From=OURS, Url=nowhere)
    await settled(simulator)
    own = CALL.format(AccountSid=SID, Sid=created["sid"])
    fetched = (await raw(simulator, "GET", own))[1]
    listed = (await raw(simulator, "GET", f"{path}?To=%2B{PHONE[1:]}&Status={fetched['status']}&PageSize=1"))[
        1
    ]
    deleted = (await raw(simulator, "DELETE", own))[0]
    page = answer_schema(spec, CALLS, "get", "200")["properties"]

    assert (status, deleted, (await raw(simulator, "GET", own))[0]) == (201, 204, 404)
    assert problems(spec, answer_schema(spec, CALLS, "post", "201"), created) == []
    assert problems(spec, answer_schema(spec, CALL, "get", "200"), fetched) == []
    assert problems(spec, answer_schema(spec, CALLS, "get", "200"), listed) == []
    assert set(created) == set(spec["components"]["schemas"]["api.v2010.account.call"]["properties"])
    assert set(listed) == set(page)
    assert [c["sid"] for c in listed["calls"]] == [created["sid"]]


async def test_what_a_call_of_ours_asks_is_in_the_spec(spec: Any) -> None:
    asked: list[tuple[str, str, dict[str, str]]] = []
    nowhere = f"http://127.0.0.1:{closed_port()}/v#rc=0"
    async with (
        simulator_running() as simulator,
        open_twilio_voice(account(simulator.url)) as voice,
    ):
        with pytest.MonkeyPatch.context() as patch:
            _record_requests(patch, asked)
            sent = await voice.send(Outgoing(PHONE, "", nowhere, answer_url=nowhere))
            await voice.lookup(Outgoing(PHONE, "", ""), datetime.now(UTC) - timedelta(minutes=1))
    asked = [one for one in asked if one[1].startswith("/2010")]
    create = spec["paths"][CALLS]["post"]["requestBody"]["content"]["application/x-www-form-urlencoded"][
        "schema"
    ]
    filters = {p["name"] for p in spec["paths"][CALLS]["get"]["parameters"] if p["in"] == "query"}

    assert isinstance(sent, Accepted)
    assert [method for method, _, _ in asked] == ["POST", "GET"]
    assert all(path == CALLS.format(AccountSid=SID) for _, path, _ in asked)
    assert set(asked[0][2]) <= set(create["properties"])
    assert set(create["required"]) <= set(asked[0][2])
    assert set(asked[1][2]) <= filters


async def test_what_our_adapter_asks_is_in_the_spec(spec: Any) -> None:
    asked: list[tuple[str, str, dict[str, str]]] = []
    async with (
        simulator_running(simulator_delays_ms="3600000,0,0") as simulator,  # So that nothing is called back.
        open_twilio_sms(account(simulator.url)) as sms,
    ):
        with pytest.MonkeyPatch.context() as patch:
            _record_requests(patch, asked)
            sent = await sms.send(Outgoing(PHONE, "hello", "https://guitu.example/s?a=1#rc=5&rp=all"))
            await sms.lookup(Outgoing(PHONE, "hello", ""), datetime.now(UTC) - timedelta(minutes=1))
    create = spec["paths"][MESSAGES]["post"]["requestBody"]["content"]["application/x-www-form-urlencoded"][
        "schema"
    ]
    filters = {p["name"] for p in spec["paths"][MESSAGES]["get"]["parameters"] if p["in"] == "query"}

    assert isinstance(sent, Accepted)
    assert [method for method, _, _ in asked] == ["POST", "GET"]
    assert all(path == MESSAGES.format(AccountSid=SID) for _, path, _ in asked)
    assert set(asked[0][2]) <= set(create["properties"])
    assert set(create["required"]) <= set(asked[0][2])
    assert set(asked[1][2]) <= filters


def _record_requests(patch: pytest.MonkeyPatch, asked: list[tuple[str, str, dict[str, str]]]) -> None:
    """Note what leaves for the wire, below every layer of ours."""
    plain = aiohttp.ClientSession._request

    async def noted(
        self: aiohttp.ClientSession, method: str, url: str, **more: Any
    ) -> aiohttp.ClientResponse:
        fields = (
            dict(parse_qsl(more["data"].decode())) if more.get("data") else dict(more.get("params") or {})
        )
        asked.append((method, urlsplit(str(url)).path, fields))
        return await plain(self, method, url, **more)

    patch.setattr(aiohttp.ClientSession, "_request", noted)
