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
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from twilio.http import AsyncHttpClient
from twilio.http.response import Response

from guitu.one_shot_http import AmbiguousOutcome, NoBytesSent, OneShotHttp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["AmbiguousOutcome", "NoBytesSent", "TwilioHttp", "open_http"]


class TwilioHttp(AsyncHttpClient):  # type: ignore[misc]
    """One pool of connections. Build it inside a running event loop and close it; `open_http` does both."""

    def __init__(self, *, connect_timeout_s: float, total_timeout_s: float, connections_max: int) -> None:
        super().__init__(logging.getLogger(__name__), is_async=True)
        self._once = OneShotHttp(
            connect_timeout_s=connect_timeout_s,
            total_timeout_s=total_timeout_s,
            connections_max=connections_max,
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
        answer = await self._once.request(
            method,
            uri,
            params=_texts(params),
            body=urlencode(_texts(data), doseq=True).encode() if data else None,
            headers=_headers(headers, auth),
            timeout=timeout,
        )
        return Response(answer.status, answer.text, answer.headers)

    async def close(self) -> None:
        """Close the pool; requests under way end as ambiguous."""
        await self._once.close()


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


def _headers(headers: Mapping[str, str] | None, auth: tuple[str, str] | None) -> dict[str, str]:
    """Add the credentials ourselves: aiohttp 4 drops the `auth` argument."""
    if auth is None:
        return dict(headers or {})
    credentials = base64.b64encode(f"{auth[0]}:{auth[1]}".encode()).decode()
    return {**(headers or {}), "Authorization": f"Basic {credentials}"}


def _texts(values: Mapping[str, object] | None) -> dict[str, Any]:
    return {name: value if isinstance(value, list) else str(value) for name, value in (values or {}).items()}
