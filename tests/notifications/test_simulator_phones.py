"""The phones behind the simulator: they reply, say STOP, and are shown on a page for people."""

from __future__ import annotations

import re

import aiohttp
import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from harness.far_side import OTHER_PHONE, OURS, PHONE, TOKEN, Ear, settled
from sms_simulator.server import Simulator


async def post(simulator: Simulator, path: str, **body: object) -> tuple[int, dict[str, object]]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(simulator.url + path, json=body) as answer,
    ):
        return answer.status, await answer.json()


async def page(simulator: Simulator, path: str = "/") -> str:
    async with aiohttp.ClientSession() as session, session.get(simulator.url + path) as answer:
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
        return await answer.text()


async def test_a_reply_reaches_our_webhook_signed(simulator: Simulator, client: Client, ear: Ear) -> None:
    simulator.carrier.mailbox.set_inbound_url(OURS, f"{ear.url}/in")
    await client.messages.create_async(to=PHONE, from_=OURS, body="签收码7K3M")

    status, said = await post(simulator, "/simulator/inbound", **{"from": PHONE, "body": "签收 7K3M"})
    heard = ear.heard[0]

    assert (status, said["webhook_status"], said["to"]) == (200, 200, OURS)
    assert (heard.form["From"], heard.form["To"], heard.form["Body"]) == (PHONE, OURS, "签收 7K3M")
    assert RequestValidator(TOKEN).validate(heard.url, heard.form, heard.headers["x-twilio-signature"])


async def test_a_number_of_its_own_goes_before_the_default(simulator: Simulator, ear: Ear) -> None:
    simulator.carrier.default_inbound_url = f"{ear.url}/default"
    simulator.carrier.mailbox.set_inbound_url(OURS, f"{ear.url}/own")

    await simulator.carrier.receive(PHONE, OURS, "1")
    await simulator.carrier.receive(PHONE, "+12025550101", "2")

    assert [h.url for h in ear.heard] == [f"{ear.url}/own", f"{ear.url}/default"]


async def test_our_answer_in_twiml_goes_back_to_the_phone(
    simulator: Simulator, client: Client, ear: Ear
) -> None:
    simulator.carrier.default_inbound_url = ear.url
    ear.body = "<Response><Message>哪一条? 7K3M &amp; 8X1P</Message></Response>".encode()

    await simulator.carrier.receive(PHONE, OURS, "1")
    await settled(simulator)
    answers = await client.messages.list_async(to=PHONE)

    assert [(m.body, m.direction, m.status) for m in answers] == [
        ("哪一条? 7K3M & 8X1P", "outbound-reply", "delivered")
    ]


@pytest.mark.parametrize("answer", [b"", b"<Response/>", b"<Message", b"\xff<Message></Message>", b"not xml"])
async def test_an_answer_without_a_message_sends_nothing(
    simulator: Simulator, ear: Ear, answer: bytes
) -> None:
    simulator.carrier.default_inbound_url = ear.url
    ear.body = answer

    await simulator.carrier.receive(PHONE, OURS, "1")

    assert simulator.carrier.mailbox.ledger.total() == 0


async def test_stop_refuses_further_texts_until_start(simulator: Simulator, client: Client) -> None:
    await simulator.carrier.receive(PHONE, OURS, " stop ")
    with pytest.raises(TwilioRestException) as refusal:
        await client.messages.create_async(to=PHONE, from_=OURS, body="x")
    await client.messages.create_async(to=OTHER_PHONE, from_=OURS, body="x")
    await client.messages.create_async(to=PHONE, from_="+12025550101", body="x")
    await simulator.carrier.receive(PHONE, OURS, "START")
    await client.messages.create_async(to=PHONE, from_=OURS, body="x")

    assert refusal.value.code == 21610


async def test_a_sentence_with_stop_in_it_is_not_an_opt_out(simulator: Simulator, client: Client) -> None:
    await simulator.carrier.receive(PHONE, OURS, "stop the bus, I saw him")

    await client.messages.create_async(to=PHONE, from_=OURS, body="x")


@pytest.mark.parametrize(
    "body",
    [
        {"from": PHONE, "body": "1"},  # Nobody wrote to it, and no number of ours is named.
        {"from": "not a phone", "to": OURS, "body": "1"},
        {"from": PHONE, "to": OURS, "body": "x" * 1601},
        {"from": PHONE, "to": OURS, "text": "1"},
    ],
)
async def test_an_impossible_reply_is_refused(simulator: Simulator, body: dict[str, str]) -> None:
    status, _ = await post(simulator, "/simulator/inbound", **body)

    assert status == 422
    assert not simulator.carrier.mailbox.messages


async def test_the_page_shows_newest_first_and_escapes(simulator: Simulator, client: Client) -> None:
    for body in ("first", "<script>alert(1)</script>", 'http://guitu.example/n/1"onx=1'):
        await client.messages.create_async(to=PHONE, from_=OURS, body=body)

    shown = await page(simulator)

    assert shown.index("onx") < shown.index("&lt;script&gt;") < shown.index("first")
    assert "<script>" not in shown
    assert '<a href="http://guitu.example/n/1" rel="noreferrer">' in shown


async def test_a_phone_has_its_own_page_with_a_reply_form(
    simulator: Simulator, client: Client, ear: Ear
) -> None:
    simulator.carrier.default_inbound_url = ear.url
    await client.messages.create_async(to=PHONE, from_=OURS, body="to this phone")
    await client.messages.create_async(to=OTHER_PHONE, from_=OURS, body="to another")
    before = await page(simulator, f"/?phone=%2B{PHONE[1:]}")
    fields = dict(re.findall(r'name="(phone|ours)" value="([^"]*)"', before))

    async with aiohttp.ClientSession() as session:
        reply = {**fields, "body": "我看到他了"}
        async with session.post(f"{simulator.url}/reply", data=reply, allow_redirects=False) as answer:
            status, after = answer.status, await page(simulator, answer.headers["Location"])

    assert "to this phone" in before
    assert "to another" not in before
    assert (status, ear.heard[0].form["Body"], ear.heard[0].form["To"]) == (303, "我看到他了", OURS)
    assert "我看到他了" in after


async def test_a_broken_reply_form_is_explained(simulator: Simulator) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{simulator.url}/reply", data={"phone": "x"}) as answer,
    ):
        assert answer.status == 422
        assert "Write 1 to 1600 characters" in await answer.text()
