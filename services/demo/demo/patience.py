"""People press again when the page does not come: a client that bears the seconds in which a process restarts."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx

PAUSE_S = 0.25
AWAY = 503


class Patient(httpx.AsyncClient):
    """An HTTP client that asks again, for at most `patience_s`, where asking again does no harm.

    That is: where nothing was reached, where the service says that nothing was stored, and where a request says
    or shows that it may be sent twice.
    """

    def __init__(self, patience_s: float, **more: Any) -> None:
        super().__init__(**more)
        self._patience_s = patience_s

    async def send(self, request: httpx.Request, **more: Any) -> httpx.Response:
        """Send until answered. Raises: the last httpx.TransportError, when patience is used up."""
        until = time.monotonic() + self._patience_s
        while True:
            try:
                answer = await super().send(request, **more)
                if answer.status_code != AWAY or time.monotonic() >= until:
                    return answer
                await answer.aclose()
            except httpx.TransportError as error:
                if time.monotonic() >= until or not _may_repeat(request, error):
                    raise
            await asyncio.sleep(PAUSE_S)


def _may_repeat(request: httpx.Request, error: httpx.TransportError) -> bool:
    was_not_reached = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
    is_a_button = "/o/" in request.url.path or "/n/" in request.url.path
    return was_not_reached or request.method == "GET" or is_a_button or "Idempotency-Key" in request.headers
