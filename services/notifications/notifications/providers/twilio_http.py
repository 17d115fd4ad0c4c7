"""The HTTP client that the `twilio` library calls through: hard time limits, no retries, honest failures.

The library's own asynchronous client (9.13.0) ignores its timeout, answers one request with another's response when
it does not pool, posts again on 503 when told to retry, and logs phone numbers. A second SMS is worse than a late
one, so this one does none of that: each trap is a test in `tests/notifications/test_twilio_http.py`.
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Mapping
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import aiohttp
from twilio.http import AsyncHttpClient
from twilio.http.response import Response

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_ANSWER_BYTES_MAX = 8 * 1024 * 1024  # A page of 1,000 messages is about 1.5 MB.
_KEEP_ALIVE_S = 15.0
"""Shorter than servers keep an idle connection: a post on one that was just closed has an unknown outcome."""


class NoBytesSent(Exception):
    """The request never left: refused, unresolved, no TLS, or no free connection in time."""


class AmbiguousOutcome(Exception):
    """A connection was in hand when it failed: the request may have been carried out."""


class TwilioHttp(AsyncHttpClient):  # type: ignore[misc]
    """One pool of connections. Build it inside a running event loop and close it; `open_http` does both."""

    def __init__(self, *, connect_timeout_s: float, total_timeout_s: float, connections_max: int) -> None:
        super().__init__(logging.getLogger(__name__), is_async=True)
        self._limits = aiohttp.ClientTimeout(total=total_timeout_s, connect=connect_timeout_s)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=connections_max, keepalive_timeout=_KEEP_ALIVE_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            trace_configs=[_notice_connections()],
        )

    async def request(
        self,
        method: str,
        uri: str,
        params: Mapping[str, object] | None = None,
        data: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        """Make one request, once. Raises: NoBytesSent, AmbiguousOutcome; neither names a number.

        A `timeout` given by the caller may only shorten the limits; redirects are never followed.
        """
        connection = _InHand()
        try:
            async with self._session.request(
                method,
                uri,
                params=_texts(params),
                data=urlencode(_texts(data), doseq=True).encode() if data else None,
                headers=_headers(headers, auth),
                timeout=self._within(timeout),
                allow_redirects=False,
                trace_request_ctx=connection,
            ) as response:
                return Response(response.status, await _text_of(response), response.headers)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            # The error's own words may hold the address with its query, and so a phone number: keep the type.
            kind = AmbiguousOutcome if connection.had else NoBytesSent
            raise kind(type(error).__name__) from None

    async def close(self) -> None:
        """Close the pool; requests under way end as ambiguous."""
        await self._session.close()

    def _within(self, timeout: float | None) -> aiohttp.ClientTimeout:
        if timeout is None or self._limits.total is None or timeout >= self._limits.total:
            return self._limits
        return aiohttp.ClientTimeout(total=timeout, connect=self._limits.connect)


@asynccontextmanager
async def open_http(
    *, connect_timeout_s: float, total_timeout_s: float, connections_max: int
) -> AsyncIterator[TwilioHttp]:
    """Yield a client and close it afterwards."""
    http = TwilioHttp(
        connect_timeout_s=connect_timeout_s,
        total_timeout_s=total_timeout_s,
        connections_max=connections_max,
    )
    try:
        yield http
    finally:
        await http.close()


class _InHand:
    """Whether a request ever had a connection: from then on its bytes may have left."""

    had = False


def _notice_connections() -> aiohttp.TraceConfig:
    tracing = aiohttp.TraceConfig()

    async def connected(_: aiohttp.ClientSession, context: SimpleNamespace, __: Any) -> None:
        context.trace_request_ctx.had = True

    # Both come after TCP and TLS are up and before the first byte of the request is written.
    tracing.on_connection_create_end.append(connected)
    tracing.on_connection_reuseconn.append(connected)
    return tracing


def _headers(headers: Mapping[str, str] | None, auth: tuple[str, str] | None) -> dict[str, str]:
    """Add the credentials ourselves: aiohttp 4 drops the `auth` argument."""
    if auth is None:
        return dict(headers or {})
    credentials = base64.b64encode(f"{auth[0]}:{auth[1]}".encode()).decode()
    return {**(headers or {}), "Authorization": f"Basic {credentials}"}


def _texts(values: Mapping[str, object] | None) -> dict[str, Any]:
    return {name: value if isinstance(value, list) else str(value) for name, value in (values or {}).items()}


async def _text_of(response: aiohttp.ClientResponse) -> str:
    body = bytearray()
    async for chunk in response.content.iter_any():  # Bounded by the size here and by the total time.
        body += chunk
        if len(body) > _ANSWER_BYTES_MAX:
            raise aiohttp.ClientPayloadError
    return body.decode("utf-8", "replace")
