"""How a provider's request is read: bounded, with its public address, by the account whose signature fits it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from fastapi import Request, Response

from guitu.problem import Problem
from guitu.service import Runtime
from notifications import alarms
from notifications.outside import Callback, Forged, Outside, Unreadable
from notifications.senders import Senders

CALLBACK_BYTES_MAX = 64 * 1024
T = TypeVar("T")


class Twiml(Response):
    """Twilio's markup."""

    media_type = "application/xml"


def accounts(runtime: Runtime, provider: str) -> list[Outside]:
    """The sessions of a provider, one an account."""
    senders: Senders = runtime.state["senders"]
    return senders.of_provider(provider)


def read(runtime: Runtime, provider: str, reading: Callable[[Outside], Sequence[T]]) -> Sequence[T]:
    """What the account says whose signature fits. Raises: Forged if none's does; Unreadable."""
    for account in accounts(runtime, provider):
        with suppress(Forged):
            return reading(account)
    raise Forged


def form(*names: str, required: Sequence[str] | None = None) -> dict[str, Any]:
    """For the OpenAPI page: the form that the provider sends, with its signature in a header; `required` if not all."""
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {name: {"type": "string"} for name in (*names, "ErrorCode")},
    }
    if must := list(names if required is None else required):
        schema["required"] = must
    signature = {"name": "X-Twilio-Signature", "in": "header", "required": True, "schema": {"type": "string"}}
    content = {"application/x-www-form-urlencoded": {"schema": schema}}
    return {"requestBody": {"required": True, "content": content}, "parameters": [signature]}


async def call_of(runtime: Runtime, request: Request, token: str = "") -> Callback:
    """The request with the address as the provider knows it. Raises: Problem 413."""
    # Read before it is parsed: a body that hides its length counts too, and its end is the ground's bound.
    body = await request.body()
    if len(body) > CALLBACK_BYTES_MAX:
        raise Problem(
            413,
            "too_large",
            f"A callback has at most {CALLBACK_BYTES_MAX} bytes.",
            "请求过大。",
            "Send a message's status or text only.",
        )
    url = f"{runtime.public_url}{request.url.path}" + (f"?{request.url.query}" if request.url.query else "")
    async with request.form(max_files=0, max_fields=200) as sent:
        texts = {name: value for name, value in sent.items() if isinstance(value, str)}
    return Callback(url, request.headers, body, texts, token)


class refused:
    """Turn what the provider's adapter refuses into problems."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, _: Any) -> None:
        if isinstance(error, Forged):
            alarms.FORGERIES.add()
            raise Problem(
                403,
                "bad_signature",
                "The signature does not fit this address and body.",
                "签名无效。",
                "Check GUITU_TWILIO_AUTH_TOKEN and that GUITU_PUBLIC_URL is what the provider calls.",
            )
        if isinstance(error, Unreadable):
            raise Problem(
                422,
                "bad_callback",
                f"The callback can't be read: {error}.",
                "回调内容无法识别。",
                "Send the form as Twilio does: /docs names its fields.",
            )
