"""Each trap of the library's own asynchronous client (9.13.0), and that ours does not fall into it."""

from __future__ import annotations

import asyncio
import logging
import socket
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.rest import Client

from harness.far_side import OURS, PHONE, SID, TOKEN, Ear, break_with, closed_port
from notifications.providers.twilio_http import AmbiguousOutcome, NoBytesSent, TwilioHttp, open_http
from sms_simulator.faults import FaultKind
from sms_simulator.server import Simulator


@asynccontextmanager
async def our_client(
    base_url: str, *, connect_s: float = 2.0, total_s: float = 5.0, connections: int = 64
) -> AsyncIterator[Client]:
    """The real library over our transport."""
    async with open_http(
        connect_timeout_s=connect_s, total_timeout_s=total_s, connections_max=connections
    ) as http:
        client = Client(SID, TOKEN, http_client=http, environment={"": ""})
        client.api.base_url = base_url
        yield client


async def create(client: Client, body: str = "hello") -> Any:
    return await client.messages.create_async(to=PHONE, from_=OURS, body=body)


async def test_the_librarys_own_client_still_ignores_its_timeout(simulator: Simulator) -> None:
    """If this fails, twilio mended it: read its changes before moving to that version."""
    break_with(simulator, FaultKind.hang_before, seconds=0.3)
    stock = AsyncTwilioHttpClient(timeout=0.05)
    client = Client(SID, TOKEN, http_client=stock, environment={"": ""})
    client.api.base_url = simulator.url

    answered_late = await create(client)
    await stock.close()

    assert answered_late.sid


@pytest.mark.parametrize("kind", [FaultKind.hang_before, FaultKind.hang_after])
async def test_ours_gives_up_in_time_and_says_that_it_does_not_know(
    simulator: Simulator, kind: FaultKind
) -> None:
    break_with(simulator, kind, seconds=2)
    async with our_client(simulator.url, total_s=0.2) as client:
        with pytest.raises(AmbiguousOutcome):
            await create(client)


async def test_a_limit_given_by_the_caller_can_only_be_shorter(ear: Ear) -> None:
    ear.statuses = [0, 0]
    async with open_http(connect_timeout_s=1, total_timeout_s=0.3, connections_max=2) as http:
        for wish_s in (0.05, 3600.0):
            with pytest.raises(AmbiguousOutcome):
                await http.request("POST", ear.url, data={"a": "b"}, timeout=wish_s)


async def test_many_at_once_each_get_their_own_answer(simulator: Simulator) -> None:
    async with our_client(simulator.url, connections=8) as client:
        bodies = [f"text {n}" for n in range(200)]
        created = await asyncio.gather(*(create(client, body) for body in bodies))

    assert [m.body for m in created] == bodies
    assert len({m.sid for m in created}) == 200


async def test_nothing_is_shared_between_requests(simulator: Simulator) -> None:
    async with our_client(simulator.url) as client:
        await create(client)

        assert client.http_client._test_only_last_response is None
        assert client.http_client._test_only_last_request is None


@pytest.mark.parametrize("status", [500, 502, 503, 429, 302, 307])
async def test_a_post_is_made_once_whatever_the_answer(ear: Ear, status: int) -> None:
    ear.statuses = [status] * 5
    async with open_http(connect_timeout_s=1, total_timeout_s=2, connections_max=2) as http:
        answer = await http.request("POST", ear.url, data={"a": "b"}, allow_redirects=True)

    assert answer.status_code == status
    assert len(ear.heard) == 1


async def _refused() -> str:
    return f"http://127.0.0.1:{closed_port()}"


async def _unresolved() -> str:
    return "http://no-such-host.invalid"


async def _no_tls() -> str:
    # A TLS handshake with itself: the port below speaks HTTP only.
    return "https://127.0.0.1:{port}"


@pytest.mark.parametrize("where", [_refused, _unresolved, _no_tls])
async def test_without_a_connection_nothing_was_sent(ear: Ear, where: Callable[[], Awaitable[str]]) -> None:
    url = (await where()).format(port=ear.port)
    async with our_client(url) as client:
        with pytest.raises(NoBytesSent):
            await create(client)

    assert ear.heard == []


async def test_waiting_for_a_free_connection_sends_nothing(ear: Ear) -> None:
    ear.statuses = [0]
    async with open_http(connect_timeout_s=0.1, total_timeout_s=2, connections_max=1) as http:
        holding = asyncio.create_task(http.request("POST", ear.url, data={"first": "1"}))
        await ear.arrived.wait()
        with pytest.raises(NoBytesSent):
            await http.request("POST", ear.url, data={"second": "2"})
        holding.cancel()
        await asyncio.wait([holding])

    assert [h.form for h in ear.heard] == [{"first": "1"}]


async def test_a_silent_listener_that_never_takes_the_connection_is_not_ambiguous() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        # Fill the queue of connections that nobody accepts, so that ours cannot be made.
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(("127.0.0.1", port))
        async with our_client(f"http://127.0.0.1:{port}", connect_s=0.2, total_s=1) as client:
            with pytest.raises(NoBytesSent):
                await create(client)
        for each in waiting:
            each.close()


@pytest.mark.parametrize(("kind", "taken"), [(FaultKind.close_before, 0), (FaultKind.lost_response, 1)])
async def test_a_closed_connection_is_ambiguous_whether_or_not_it_was_taken(
    simulator: Simulator, kind: FaultKind, taken: int
) -> None:
    async with our_client(simulator.url) as client:
        break_with(simulator, kind)
        with pytest.raises(AmbiguousOutcome):
            await create(client)

    assert simulator.carrier.mailbox.ledger.total() == taken


async def test_neither_logs_nor_errors_name_a_number(
    simulator: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with our_client(simulator.url) as client:
        await create(client)
        await client.messages.list_async(to=PHONE)
        break_with(simulator, FaultKind.close_before, on=frozenset({"list"}))
        with pytest.raises(AmbiguousOutcome) as lost:
            await client.messages.list_async(to=PHONE)

    assert PHONE[1:] not in caplog.text
    assert PHONE[1:] not in repr(lost.value)
    assert lost.value.__cause__ is None
    assert lost.value.__suppress_context__


async def test_an_endless_answer_is_cut_off(ear: Ear, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("guitu.one_shot_http.ANSWER_BYTES_MAX", 1000)
    ear.body = b"x" * 1001
    async with open_http(connect_timeout_s=1, total_timeout_s=2, connections_max=1) as http:
        with pytest.raises(AmbiguousOutcome):
            await http.request("POST", ear.url)


async def test_lists_of_values_and_plain_ones_are_form_encoded(ear: Ear) -> None:
    async with open_http(connect_timeout_s=1, total_timeout_s=2, connections_max=1) as http:
        await http.request("POST", ear.url, data={"Body": "签收 & 1", "MediaUrl": ["a", "b"], "n": 5})

    assert ear.heard[0].form == {"Body": "签收 & 1", "MediaUrl": "b", "n": "5"}


async def test_it_uses_nothing_that_aiohttp_4_takes_away(simulator: Simulator) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)
        async with our_client(simulator.url) as client:
            assert (await create(client)).sid


def test_it_cannot_be_built_outside_a_loop() -> None:
    with pytest.raises(RuntimeError):
        TwilioHttp(connect_timeout_s=1, total_timeout_s=1, connections_max=1)
