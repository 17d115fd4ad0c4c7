"""The simulator's phones: read and answered by a message's id, so that no address holds a number."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace

import httpx

from console.settings import ConsoleSettings
from guitu.service import Runtime
from harness.console_http import at_the_desk, submits

RuntimeFor = Callable[[str], Awaitable[Runtime]]
OURS, PHONE, OTHER = "+12025550100", "+447700900001", "+447700900002"


def message(sid: str, sender: str, to: str, text: str, status: str = "delivered") -> dict[str, object]:
    return {
        "sid": sid,
        "from": sender,
        "to": to,
        "text": text,
        "status": status,
        "direction": "inbound" if status == "received" else "outbound-api",
        "error_code": None,
        "segments": 1,
        "accepted_at": 1772344800.5,
    }


class Simulator:
    """Three messages; takes answers."""

    def __init__(self, status: int = 200) -> None:
        self.status, self.taken = status, list[dict[str, str]]()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            self.taken.append(json.loads(request.content))
            return httpx.Response(self.status, json={"sid": "SM9", "to": OURS, "webhook_status": 200})
        sent = [message("SM1", OURS, PHONE, "first"), message("SM2", OURS, OTHER, "to another")]
        return httpx.Response(
            200, json={"messages": [*sent, message("SM3", PHONE, OURS, "7K3M", "received")]}
        )


async def with_simulator(runtime_for: RuntimeFor) -> Runtime:
    run = await runtime_for("console")
    settings = ConsoleSettings(**(run.settings.model_dump() | {"sms_simulator_url": "http://simulator.test"}))
    return replace(run, settings=settings)


async def test_a_phone_shows_what_it_got_and_sent_and_nothing_of_others(runtime_for: RuntimeFor) -> None:
    async with at_the_desk(await with_simulator(runtime_for), owners=Simulator()) as http:
        listed, phone = (await http.get("/inbox")).text, (await http.get("/inbox/SM1")).text

    assert "14:00:00" in listed
    assert all(text in listed for text in ("first", "to another", "7K3M"))
    assert "7K3M" in phone
    assert "to another" not in phone
    assert not [part for part in listed.split('href="')[1:] if "44770" in part.split('"')[0]]


async def test_an_answer_goes_from_that_phone_to_the_number_that_wrote_to_it(runtime_for: RuntimeFor) -> None:
    simulator = Simulator()
    async with at_the_desk(await with_simulator(runtime_for), owners=simulator) as http:
        to_message = await submits(http, "/inbox/SM1", body="7K3M")
        to_reply = await submits(http, "/inbox/SM3", body="again")

    assert [303, 303] == [to_message.status_code, to_reply.status_code]
    assert "/inbox/SM9" == to_message.headers["location"]
    assert [{"from": PHONE, "to": OURS, "body": body} for body in ("7K3M", "again")] == simulator.taken


async def test_a_refused_answer_stays_in_the_form(runtime_for: RuntimeFor) -> None:
    async with at_the_desk(await with_simulator(runtime_for), owners=Simulator(500)) as http:
        answer = await submits(http, "/inbox/SM1", body="typed with care")

    assert 'role="alert"' in answer.text
    assert 'value="typed with care"' in answer.text


async def test_with_a_real_provider_there_is_no_inbox_and_no_way_to_it(runtime_for: RuntimeFor) -> None:
    async with at_the_desk(await runtime_for("console"), owners=Simulator()) as http:
        answer = await http.get("/inbox")

    assert 404 == answer.status_code
    assert 'href="/inbox"' not in answer.text


async def test_a_person_of_another_region_reads_and_answers_no_phone(runtime_for: RuntimeFor) -> None:
    simulator = Simulator()
    async with at_the_desk(await with_simulator(runtime_for), owners=simulator, region="500236") as http:
        answers = [
            await http.get("/inbox"),
            await http.get("/inbox/SM1"),
            await submits(http, "/inbox/SM1", body="7"),
        ]

    assert [403, 403, 403] == [answer.status_code for answer in answers]
    assert not any("first" in answer.text or PHONE in answer.text for answer in answers)
    assert [] == simulator.taken
