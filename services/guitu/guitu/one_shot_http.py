"""One HTTP request, once: hard time limits, no retries, no redirects, and failures that say what is known.

A second message is worse than a late one, so whoever calls a provider over HTTP does it through this: an error is
either `NoBytesSent` (safe to send again) or `AmbiguousOutcome` (look it up), and neither names an address or a number.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp.abc import AbstractResolver

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ANSWER_BYTES_MAX = 8 * 1024 * 1024  # A page of 1,000 messages of Twilio's is about 1.5 MB.
_KEEP_ALIVE_S = 15.0
"""Shorter than servers keep an idle connection: a post on one that was just closed has an unknown outcome."""


class NoBytesSent(Exception):
    """The request never left: refused, unresolved, no TLS, or no free connection in time."""


class AmbiguousOutcome(Exception):
    """A connection was in hand when it failed: the request may have been carried out."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whole."""

    status: int
    text: str
    headers: Mapping[str, str]


class OneShotHttp:
    """One pool of connections. Build it inside a running event loop and close it; `open_one_shot` does both."""

    def __init__(
        self,
        *,
        connect_timeout_s: float,
        total_timeout_s: float,
        connections_max: int,
        resolver: AbstractResolver | None = None,
        answer_bytes_max: int | None = None,
    ) -> None:
        self._answer_bytes_max = answer_bytes_max or ANSWER_BYTES_MAX
        self._limits = aiohttp.ClientTimeout(total=total_timeout_s, connect=connect_timeout_s)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=connections_max, keepalive_timeout=_KEEP_ALIVE_S, resolver=resolver
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            trace_configs=[_notice_connections()],
        )

    async def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> Answer:
        """Make one request, once. Raises: NoBytesSent, AmbiguousOutcome.

        A `timeout` given by the caller may only shorten the limits.
        """
        connection = _InHand()
        try:
            async with self._session.request(
                method,
                url,
                params=params,
                data=body,
                headers=headers,
                timeout=self._within(timeout),
                allow_redirects=False,
                trace_request_ctx=connection,
            ) as response:
                return Answer(
                    response.status, await _text_of(response, self._answer_bytes_max), response.headers
                )
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
async def open_one_shot(
    *,
    connect_timeout_s: float,
    total_timeout_s: float,
    connections_max: int,
    resolver: AbstractResolver | None = None,
    answer_bytes_max: int | None = None,
) -> AsyncIterator[OneShotHttp]:
    """Yield a client and close it afterwards."""
    http = OneShotHttp(
        connect_timeout_s=connect_timeout_s,
        total_timeout_s=total_timeout_s,
        connections_max=connections_max,
        resolver=resolver,
        answer_bytes_max=answer_bytes_max,
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


async def _text_of(response: aiohttp.ClientResponse, bytes_max: int) -> str:
    body = bytearray()
    async for chunk in response.content.iter_any():  # Bounded by the size here and by the total time.
        body += chunk
        if len(body) > bytes_max:
            raise aiohttp.ClientPayloadError
    return body.decode("utf-8", "replace")
