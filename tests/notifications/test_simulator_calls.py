"""The simulator's calls (shapes: test_simulator_openapi.py): a phone listens and presses, callbacks come in order."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from harness.far_side import OTHER_PHONE, OURS, PHONE, SID, TOKEN, Ear, break_with, closed_port, settled
from notifications.providers.signature import is_signed
from sms_simulator.faults import FaultKind
from sms_simulator.server import Simulator
from sms_simulator.switchboard import BROKEN, Manners
from sms_simulator.voice_markup import read_markup

CALLS = "/2010-04-01/Accounts/{AccountSid}/Calls.json"
NOWHERE = f"http://127.0.0.1:{closed_port()}/v#rc=0"
EVENTS = ["initiated", "ringing", "answered", "completed"]
ASKS = (
    b'<?xml version="1.0"?><Response><Gather numDigits="1" action="/keys"><Say language="zh-CN">'
    b"&#25353;1</Say></Gather><Say>Goodbye</Say><Hangup/></Response>"
)


async def begin(client: Client, ear: Ear | None = None, to: str = PHONE, **more: Any) -> Any:
    url = f"{ear.url}/voice" if ear else NOWHERE
    return await client.calls.create_async(to=to, from_=OURS, url=url, **more)


async def asked(simulator: Simulator, method: str, path: str, **more: Any) -> tuple[int, Any]:
    auth = aiohttp.BasicAuth(SID, TOKEN)
    async with (
        aiohttp.ClientSession(auth=auth) as session,
        session.request(method, simulator.url + path, **more) as answer,
    ):
        return answer.status, await answer.json() if answer.status != 204 else None


async def test_the_real_client_reads_calls_and_pages_newest_first(
    simulator: Simulator, client: Client
) -> None:
    sids = [(await begin(client)).sid for _ in range(3)]
    await begin(client, to=OTHER_PHONE)
    await settled(simulator)

    page = await client.calls.page_async(to=PHONE, page_size=2)
    second = await page.next_page_async()

    assert [c.sid for c in [*page, *second]] == sids[::-1]
    assert (await client.calls(sids[0]).fetch_async()).status == "completed"


async def test_a_phone_hears_presses_and_reports_in_order_each_request_signed(
    simulator: Simulator, client: Client, ear: Ear
) -> None:
    simulator.carrier.calls.manners[PHONE] = Manners(keys="2")
    ear.body = ASKS

    call = await begin(client, ear, status_callback=f"{ear.url}/s", status_callback_event=EVENTS)
    await settled(simulator)

    seen = [(h.url.removeprefix(ear.url), h.form["CallStatus"], h.form.get("Digits")) for h in ear.heard]
    assert seen == [
        ("/s", "initiated", None),
        ("/s", "ringing", None),
        ("/s", "in-progress", None),
        ("/voice", "in-progress", None),
        ("/keys", "in-progress", "2"),
        ("/s", "completed", None),
    ]
    assert all(is_signed((TOKEN,), h.url, h.form, h.headers["x-twilio-signature"]) for h in ear.heard)
    assert {h.form["CallSid"] for h in ear.heard} == {call.sid}
    said = simulator.carrier.calls.calls[-1].said
    assert said == [("zh-CN", "按1"), ("zh-CN", "按1"), ("en-US", "Goodbye")]


@pytest.mark.parametrize(("does", "sip"), [("busy", "486"), ("no-answer", "487"), ("failed", "404")])
async def test_a_phone_that_nobody_takes_fetches_nothing(
    simulator: Simulator, client: Client, ear: Ear, does: Any, sip: str
) -> None:
    simulator.carrier.calls.manners[PHONE] = Manners(does)

    await begin(client, ear, status_callback=f"{ear.url}/s", status_callback_event=EVENTS)
    await settled(simulator)

    assert [h.form["CallStatus"] for h in ear.heard] == ["initiated", "ringing", does]
    assert ear.heard[-1].form["SipResponseCode"] == sip


async def test_without_events_only_the_end_is_reported(
    simulator: Simulator, client: Client, ear: Ear
) -> None:
    await begin(client, ear, status_callback=f"{ear.url}/s")
    await settled(simulator)

    assert [h.form["CallStatus"] for h in ear.heard if h.url.endswith("/s")] == ["completed"]


@pytest.mark.parametrize(("status", "body"), [(404, ASKS), (500, b""), (200, b"no markup")])
async def test_an_answer_that_is_none_makes_twilios_own_announcement(
    simulator: Simulator, client: Client, ear: Ear, status: int, body: bytes
) -> None:
    ear.statuses, ear.body = [status], body

    await begin(client, ear)
    await settled(simulator)

    assert simulator.carrier.calls.calls[-1].said == [BROKEN]


async def test_keys_are_pressed_by_the_control_api_and_on_the_page(
    simulator: Simulator, client: Client, ear: Ear
) -> None:
    ear.body = ASKS
    await asked(simulator, "PUT", f"/simulator/phones/{PHONE}", json={"listen_s": 20})
    call = await begin(client, ear)
    pulse = simulator.carrier.mailbox.pulse
    waits = simulator.carrier.calls.calls[-1]
    assert await pulse.until(lambda: waits.listening, 10)
    async with aiohttp.ClientSession() as http:
        page = await (await http.get(f"{simulator.url}/")).text()
        pressed = await http.post(f"{simulator.url}/press", data={"sid": call.sid, "key": "2"})
        none = await http.post(f"{simulator.url}/press", data={"sid": call.sid, "key": "x"})
    assert await pulse.until(lambda: waits.listening and waits.pressed == "2", 10)
    last = await asked(simulator, "POST", f"/simulator/calls/{call.sid}/keys", json={"keys": "9"})
    assert await pulse.until(lambda: waits.listening and waits.pressed == "29", 10)
    ended = await client.calls(call.sid).update_async(status="completed")
    await settled(simulator)
    late = await asked(simulator, "POST", f"/simulator/calls/{call.sid}/keys", json={"keys": "1"})

    assert "按1" in page
    assert 'value="9"' in page
    assert (pressed.status, none.status, last[0], late[0]) == (200, 422, 200, 404)
    assert ended.status == "completed"
    [shown] = (await asked(simulator, "GET", "/simulator/calls?ended=true&at_least=1&wait_s=5"))[1]["calls"]
    assert (shown["pressed"], shown["said"][0]["words"]) == ("29", "按1")


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"To": ""}, 21201),
        ({"From": ""}, 21213),
        ({"To": "+1"}, 21211),
        ({"From": "GUITU"}, 21212),
        ({"Url": "nowhere"}, 21205),
        ({"StatusCallback": "ftp://x"}, 21609),
        ({"StatusCallbackEvent": "sung"}, 21626),
        ({"Timeout": "0"}, 20001),
    ],
)
async def test_what_twilio_would_refuse_is_refused(
    simulator: Simulator, more: dict[str, str], code: int
) -> None:
    form = {"To": PHONE, "From": OURS, "Url": NOWHERE} | more

    status, answer = await asked(simulator, "POST", CALLS.format(AccountSid=SID), data=form)

    assert (status, answer["code"]) == (400, code)
    assert not simulator.carrier.calls.calls


@pytest.mark.parametrize(
    ("kind", "taken"),
    [
        (FaultKind.error_before, 0),
        (FaultKind.too_many_requests, 0),
        (FaultKind.error_after, 1),
    ],
)
async def test_faults_break_calls_as_messages(
    simulator: Simulator, client: Client, kind: FaultKind, taken: int
) -> None:
    break_with(simulator, kind)

    with pytest.raises(TwilioRestException):
        await begin(client)

    assert len(simulator.carrier.calls.calls) == taken


async def test_a_call_may_show_up_late_in_the_list(simulator: Simulator, client: Client) -> None:
    break_with(simulator, FaultKind.list_lag, seconds=60)

    call = await begin(client)

    assert await client.calls.list_async(to=PHONE) == []
    assert (await client.calls(call.sid).fetch_async()).sid == call.sid


def test_hostile_markup_is_read_as_words_or_not_at_all() -> None:
    bomb = '<!DOCTYPE r [<!ENTITY a "aaaa">]><Response><Say>&a;</Say><Gather><Say>x</Response>'

    assert read_markup("<html>") is None
    assert read_markup("") is None
    verbs = read_markup(bomb)
    assert verbs is not None
    assert [v.name for v in verbs] == ["say", "gather"]
    assert "aaaa" not in verbs[0].said[0][1]
