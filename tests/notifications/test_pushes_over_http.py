"""Receipts, replies and answers of Alibaba Cloud and of sites' systems over HTTP, down to what they change."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from contracts.notice import NoticeAcknowledged, NoticeDelivered
from guitu import limits, problem
from guitu.service import Runtime
from guitu.webhook_signature import signed_headers
from harness.ground import facts, react
from harness.notice_stories import PHONES, Carrier, raised, three_sites
from notifications import alarms, service
from notifications.agents import REACTIONS
from notifications.domain.senders import SenderSpec
from notifications.providers.adapter import Adapted
from notifications.providers.alibaba_sms import AlibabaAccount, open_alibaba_sms
from notifications.providers.webhook import WebhookSites, open_webhook
from notifications.senders import Line, Senders
from notifications.service import sending_with

RuntimeFor = Callable[[str], Awaitable[Runtime]]
SECRET, SITE_SECRET = "s" * 40, "a-secret-of-the-tests"


@dataclass
class Far:
    """Alibaba and a site, after two sites were told by SMS."""

    run: Runtime
    http: httpx.AsyncClient
    tokens: list[str]

    async def pushes(self, what: str, *elements: dict[str, Any], secret: str = SECRET) -> httpx.Response:
        return await self.http.post(f"/alibaba/{secret}/{what}", json=list(elements))

    async def site_says(self, path: str, secret: str = SITE_SECRET, **said: str) -> httpx.Response:
        body = json.dumps(said).encode()
        headers = signed_headers([secret], said["delivery"], body, self.run.clock.now())
        return await self.http.post(f"/webhook/{path}", content=body, headers=headers)

    def receipt(self, n: int = 0, **more: Any) -> dict[str, Any]:
        plain = {"out_id": self.tokens[n], "biz_id": f"9000{n}^0", "success": True, "err_code": "DELIVERED"}
        return plain | more

    async def states(self) -> list[str]:
        rows = await self.run.pool.fetch("select state from delivery order by state")
        return [row["state"] for row in rows]


def reply(content: str, sequence: str = "1") -> dict[str, str]:
    number = PHONES[1].removeprefix("+")
    return {"phone_number": number, "content": content, "dest_code": "9", "sequence_id": sequence}


@pytest_asyncio.fixture
async def far(runtime_for: RuntimeFor) -> AsyncIterator[Far]:
    run = await runtime_for("notifications")
    await three_sites(run)
    app = FastAPI()
    app.state.runtime = run
    problem.install(app)
    app.add_middleware(limits.BodyLimit)
    account = AlibabaAccount("127.0.0.1:9", "id", "key", "sign", (SECRET,))
    sites = WebhookSites({"https://hotel.example/guitu": [SITE_SECRET]})
    async with AsyncExitStack() as stack:
        sms = await stack.enter_async_context(open_alibaba_sms(account))
        webhook = await stack.enter_async_context(open_webhook(sites, run.clock.now))
        lines = [
            Line(SenderSpec(name="tests", provider="carrier"), Carrier()),
            Line(SenderSpec(name="alibaba", provider="alibaba", prefixes=("+86",)), Adapted(sms)),
            Line(SenderSpec(name="sites", provider="webhook", channel="webhook"), Adapted(webhook)),
        ]
        sender = await stack.enter_async_context(sending_with(run, Senders(lines)))
        for router in service.routers(run):
            app.include_router(router)
        await react(run, REACTIONS, raised(run.clock.now(), radius_km=50))
        while await sender.pump():
            await sender.drain()
        tokens = [row["token"] for row in await run.pool.fetch("select token from attempt order by id")]
        transport = httpx.ASGITransport(app=app)
        http = await stack.enter_async_context(
            httpx.AsyncClient(transport=transport, base_url="http://n.test")
        )
        yield Far(run, http, tokens)


async def test_receipts_settle_their_attempts_once_however_often_they_are_pushed(far: Far) -> None:
    failed = far.receipt(1, success=False, err_code="MOBILE_IN_BLACK")

    said = [await far.pushes("reports", far.receipt(), failed) for _ in range(2)]

    assert [(200, {"code": 0, "msg": "成功"})] * 2 == [(one.status_code, one.json()) for one in said]
    assert ["delivered", "failed"] == await far.states()
    assert 1 == len(await facts(far.run, NoticeDelivered))


async def test_a_receipt_of_another_system_of_the_account_keeps_nobody_from_theirs(far: Far) -> None:
    foreign = far.receipt(out_id="not-one-of-ours", biz_id="1^0")
    stolen = far.receipt(1, biz_id="90000^0", success=False, err_code="NO_ROUTE")

    said = await far.pushes("reports", foreign, far.receipt(), stolen)

    assert 200 == said.status_code
    assert "delivered" in await far.states()


async def test_a_reply_acknowledges_once_although_it_is_pushed_again(far: Far) -> None:
    said = [await far.pushes("replies", reply("签收")) for _ in range(3)]

    assert [200] * 3 == [one.status_code for one in said]
    assert 1 == len(await facts(far.run, NoticeAcknowledged))


async def test_two_replies_in_one_push_are_both_kept(far: Far) -> None:
    await far.pushes("replies", reply("签收"), reply("在候车室", "2"))

    bodies = await far.run.pool.fetch("select body from inbound order by body")
    assert {"签收", "在候车室"} == {row["body"] for row in bodies}


async def test_a_site_says_that_a_notice_was_read(far: Far) -> None:
    said = await far.site_says("status", delivery=far.tokens[0], status="read")
    strange = await far.site_says("status", delivery="nobodys-key", status="read")

    assert (200, 404) == (said.status_code, strange.status_code)
    assert "no_such_delivery" == strange.json()["code"]
    assert "delivered" in await far.states()


async def test_a_sites_answer_is_kept_once(far: Far) -> None:
    said = [await far.site_says("answers", delivery=far.tokens[0], answer="ack") for _ in range(2)]

    assert [200] * 2 == [one.status_code for one in said]
    assert 1 == await far.run.pool.fetchval("select count(*) from inbound where body = '1'")


async def test_forged_calls_are_refused_with_the_mend_and_change_nothing(far: Far) -> None:
    before = await far.states()

    alibaba = [await far.pushes(what, far.receipt(), secret="guessed") for what in ("reports", "replies")]
    site = [
        await far.site_says("status", "guessed", delivery=far.tokens[0], status="read"),
        await far.site_says("answers", "guessed", delivery=far.tokens[0], answer="ack"),
    ]

    assert [(403, "bad_signature")] * 4 == [(one.status_code, one.json()["code"]) for one in alibaba + site]
    assert "GUITU_ALIBABA_CALLBACK_SECRETS" in alibaba[0].json()["mend"]
    assert "GUITU_WEBHOOK_SECRETS" in site[0].json()["mend"]
    assert before == await far.states()
    assert 0 == await far.run.pool.fetchval("select count(*) from inbound")


@pytest.mark.parametrize(("body", "code"), [(b"x", 422), (b"[{}]", 422), (b" " * (1024 * 1024 + 1), 413)])
async def test_what_can_not_be_read_is_refused_with_what_is_wrong(far: Far, body: bytes, code: int) -> None:
    said = await far.http.post(f"/alibaba/{SECRET}/reports", content=body)

    assert code == said.status_code


async def test_without_such_a_sender_nobody_is_believed(far: Far) -> None:
    senders = far.run.state["senders"]
    senders.lines = senders.lines[:1]

    assert 403 == (await far.pushes("reports", far.receipt())).status_code
    assert 403 == (await far.site_says("answers", delivery=far.tokens[0], answer="ack")).status_code


async def test_forged_pushes_are_counted_for_the_alarm_like_any_other_callback(far: Far) -> None:
    before = alarms.FORGERIES.waiting

    await far.pushes("reports", far.receipt(), secret="guessed")
    await far.site_says("answers", secret="another-secret-of-nobody", delivery=far.tokens[0], answer="ack")

    assert 2 == alarms.FORGERIES.waiting - before
