"""Callbacks that are forged, repeated, misdirected, unreadable or endless: refused with the mend, changing nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from contracts.notice import NoticeAcknowledged, NoticeDelivered
from contracts.sighting import SightingReported
from guitu import limits, problem
from guitu.service import Runtime
from harness.far_side import SID, TOKEN, closed_port
from harness.ground import facts, react
from harness.notice_stories import PHONES, Carrier, raised, three_sites
from notifications import service
from notifications.agents import REACTIONS
from notifications.outside import open_provider
from notifications.senders import one_sender
from notifications.service import sending_with
from notifications.settings import NotificationSettings
from sms_simulator.webhook import sign

RuntimeFor = Callable[[str], Awaitable[Runtime]]
HOST = "http://notifications.test"


@dataclass
class Provider:
    """Twilio, or somebody who would like to be taken for it, after two sites were told."""

    run: Runtime
    http: httpx.AsyncClient
    attempts: list[Mapping[str, Any]]

    @property
    def path(self) -> str:
        """Where the statuses of the first SMS go."""
        return f"/twilio/status/{self.attempts[0]['token']}"

    def status(self, word: str = "delivered", **more: str) -> dict[str, str]:
        """The form that says it of the first SMS."""
        return {"MessageSid": self.attempts[0]["provider_id"], "MessageStatus": word} | more

    async def calls(
        self,
        path: str,
        form: dict[str, str],
        *,
        token: str = TOKEN,
        signed_for: str = "",
        headers: Any = None,
    ) -> httpx.Response:
        """A callback signed with `token`, for this address and form unless told otherwise."""
        if headers is None:
            headers = {"X-Twilio-Signature": sign(token, signed_for or f"{HOST}{path}", form)}
        return await self.http.post(path, data=form, headers=headers)

    async def states(self) -> set[str]:
        """Where the deliveries stand."""
        return {row["state"] for row in await self.run.pool.fetch("select state from delivery")}


@pytest_asyncio.fixture
async def twilio(runtime_for: RuntimeFor) -> AsyncIterator[Provider]:
    run = await runtime_for("notifications")
    run.public_url = HOST
    await three_sites(run)
    app = FastAPI()
    app.state.runtime = run
    problem.install(app)
    app.add_middleware(limits.BodyLimit)
    ours = {
        "twilio_url": f"http://127.0.0.1:{closed_port()}",
        "twilio_account_sid": SID,
        "twilio_auth_token": TOKEN,
    }
    async with AsyncExitStack() as stack:
        sender = await stack.enter_async_context(sending_with(run, Carrier()))
        settings = NotificationSettings(**(run.settings.model_dump() | ours))
        provider = await stack.enter_async_context(open_provider(settings))
        run.state["senders"] = one_sender(provider, settings)
        for router in service.routers(run):
            app.include_router(router)
        await react(run, REACTIONS, raised(run.clock.now(), radius_km=50))
        while await sender.pump():
            await sender.drain()
        attempts = await run.pool.fetch("select token, provider_id from attempt order by started_at, id")
        assert len(attempts) == 2
        transport = httpx.ASGITransport(app=app)
        http = await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url=HOST))
        yield Provider(run, http, attempts)


@pytest.mark.parametrize(
    "forgery",
    [
        {"headers": {}},
        {"headers": {"X-Twilio-Signature": ""}},
        {"headers": {"X-Twilio-Signature": "bm90IHNpZ25lZA=="}},
        {"headers": {"X-Twilio-Signature": "é".encode()}},
        {"token": "guessed"},
        {"token": ""},
        {"signed_for": f"{HOST}/twilio/inbound"},
    ],
    ids=str,
)
async def test_a_forged_callback_is_refused_with_the_mend_and_changes_nothing(
    twilio: Provider, forgery: dict[str, Any]
) -> None:
    status = await twilio.calls(twilio.path, twilio.status(), **forgery)
    reply = await twilio.calls(
        "/twilio/inbound",
        {"MessageSid": "SM" + "0" * 32, "From": PHONES[1], "To": PHONES[0], "Body": "1"},
        **({**forgery, "signed_for": f"{HOST}/x"} if "signed_for" in forgery else forgery),
    )

    assert [(403, "bad_signature")] * 2 == [(a.status_code, a.json()["code"]) for a in (status, reply)]
    assert "GUITU_TWILIO_AUTH_TOKEN" in status.json()["mend"]
    assert {"accepted"} == await twilio.states()
    assert [] == await facts(twilio.run, NoticeAcknowledged)


async def test_a_form_that_was_changed_after_it_was_signed_is_forged(twilio: Provider) -> None:
    signature = sign(TOKEN, f"{HOST}{twilio.path}", twilio.status("sent"))

    answer = await twilio.calls(
        twilio.path, twilio.status("delivered"), headers={"X-Twilio-Signature": signature}
    )

    assert 403 == answer.status_code
    assert {"accepted"} == await twilio.states()


async def test_a_callback_that_is_played_again_changes_nothing_more(twilio: Provider) -> None:
    """Whoever recorded it has a good signature; the same event is known, and an older one comes too late."""
    answers = [
        await twilio.calls(twilio.path, twilio.status(word))
        for word in ("sent", "delivered", "sent", "delivered", "queued")
    ]

    assert [204] * 5 == [answer.status_code for answer in answers]
    assert 1 == len(await facts(twilio.run, NoticeDelivered))
    assert "delivered" in await twilio.states()


async def test_a_reply_that_is_played_again_counts_once(twilio: Provider) -> None:
    reply = {"MessageSid": "SM" + "7" * 32, "From": PHONES[1], "To": PHONES[0], "Body": "1"}

    answers = [await twilio.calls("/twilio/inbound", reply) for _ in range(3)]

    assert [200] * 3 == [answer.status_code for answer in answers]
    assert 1 == len(await facts(twilio.run, NoticeAcknowledged))


async def test_a_callback_about_the_sms_of_another_attempt_is_refused_and_its_neighbours_are_not(
    twilio: Provider,
) -> None:
    others = twilio.status() | {"MessageSid": twilio.attempts[1]["provider_id"]}

    refused = await twilio.calls(twilio.path, others)
    taken = await twilio.calls(twilio.path, twilio.status())

    assert (409, "message_of_another") == (refused.status_code, refused.json()["code"])
    assert 204 == taken.status_code
    assert 1 == len(await facts(twilio.run, NoticeDelivered))


async def test_a_callback_for_an_attempt_that_is_not_there_says_so(twilio: Provider) -> None:
    answer = await twilio.calls("/twilio/status/abcdefghij", twilio.status())

    assert (404, "no_such_attempt") == (answer.status_code, answer.json()["code"])


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"MessageSid": ""}, "MessageSid"),
        ({"MessageSid": "SM\x00"}, "MessageSid"),
        ({"MessageSid": "SM" + "0" * 5000}, "MessageSid"),
        ({"MessageStatus": "no word"}, "MessageStatus"),
        ({"MessageStatus": "\x00"}, "MessageStatus"),
        ({"ErrorCode": "9" * 40}, "ErrorCode"),
        ({"ErrorCode": "٣"}, "ErrorCode"),
    ],
    ids=str,
)
async def test_a_status_that_is_signed_but_makes_no_sense_names_the_field(
    twilio: Provider, form: dict[str, str], says: str
) -> None:
    answer = await twilio.calls(twilio.path, twilio.status() | form)

    assert (422, "bad_callback") == (answer.status_code, answer.json()["code"])
    assert says in answer.json()["detail"]
    assert {"accepted"} == await twilio.states()


@pytest.mark.parametrize("field", ["From", "To"])
async def test_a_reply_from_no_number_is_refused(twilio: Provider, field: str) -> None:
    """A NUL is nothing that the database could look up."""
    reply = {"MessageSid": "SM" + "7" * 32, "From": PHONES[1], "To": PHONES[0], "Body": "1"}

    answer = await twilio.calls("/twilio/inbound", reply | {field: "+4477\x00"})

    assert (422, True) == (answer.status_code, field in answer.json()["detail"])


async def test_words_with_a_nul_are_kept_without_it(twilio: Provider) -> None:
    page = await twilio.run.pool.fetchval("select page_token from delivery order by distance_km limit 1")
    reply = {"MessageSid": "SM" + "7" * 32, "From": PHONES[1], "To": PHONES[0], "Body": "看到\x00他上车"}

    by_sms = await twilio.calls("/twilio/inbound", reply)
    by_page = await twilio.http.post(f"/n/{page}/sighting", data={"note": "他\x00在码头"})

    assert (200, 303) == (by_sms.status_code, by_page.status_code)
    assert ["看到他上车", "他在码头"] == [fact.note for fact in await facts(twilio.run, SightingReported)]


@pytest.mark.parametrize("says_its_length", [True, False])
async def test_an_oversized_callback_is_refused_whether_or_not_it_says_its_length(
    twilio: Provider, says_its_length: bool
) -> None:
    async def endless() -> Any:
        for _ in range(10):
            yield b"x" * 10_000

    body = b"x" * 100_000 if says_its_length else endless()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}

    answer = await twilio.http.post(twilio.path, content=body, headers=headers)

    assert (413, "too_large") == (answer.status_code, answer.json()["code"])
