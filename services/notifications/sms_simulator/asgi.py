"""The few lines of ASGI that the lean path needs: read a body, answer, or cut the line without an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from sms_simulator.errors import ApiError

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

BODY_MAX_BYTES = 64 * 1024
_JSON = (b"content-type", b"application/json;charset=utf-8")


async def read_body(receive: Receive) -> bytes:
    """Return the request's body; raises ApiError (413) beyond 64 KiB."""
    body = b""
    more = True
    while more:  # Bounded by the size check.
        part = await receive()
        body += part.get("body", b"")
        more = part.get("more_body", False)
        if len(body) > BODY_MAX_BYTES:
            raise ApiError(413, 20413, f"The request body exceeds {BODY_MAX_BYTES} bytes.")
    return body


async def answer(send: Send, status: int, body: bytes) -> None:
    """Send a JSON answer; 401 asks for the credentials as HTTP wants it."""
    headers = [_JSON, (b"content-length", str(len(body)).encode())] if status != 204 else []
    if status == 401:
        headers.append((b"www-authenticate", b'Basic realm="Twilio API"'))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def cut(receive: Receive) -> None:
    """Close the connection without an answer, as a failing proxy or a lost route does.

    ASGI has no word for this; uvicorn's `receive` is a bound method of the object that holds the transport.
    """
    transport = getattr(getattr(receive, "__self__", None), "transport", None)
    assert isinstance(transport, asyncio.Transport), (
        "The simulator must be served by uvicorn without wrappers."
    )
    transport.abort()
    while (await receive())[
        "type"
    ] != "http.disconnect":  # Bounded: uvicorn reports the loss it was just told of.
        pass
