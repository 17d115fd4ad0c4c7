"""How a provider's request is read: bounded, with its public address, by the account whose signature fits it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from fastapi import Request, Response

from guitu.problem import Problem
from guitu.service import Runtime
from notifications import alarms, answers, templates
from notifications.outside import Callback, Forged, Outside, Unreadable
from notifications.providers.protocol import InboundSms
from notifications.senders import Senders
from notifications.settings import NotificationSettings

CALLBACK_BYTES_MAX = 64 * 1024
T = TypeVar("T")


class Twiml(Response):
    """Twilio's markup."""

    media_type = "application/xml"


def read(
    runtime: Runtime, provider: str, reading: Callable[[Outside], Sequence[T]]
) -> tuple[Outside, Sequence[T]]:
    """The account that the request fits, and what it says. Raises: Forged if it fits none; Unreadable."""
    senders: Senders = runtime.state["senders"]
    for account in senders.of_provider(provider):
        with suppress(Forged):
            return account, reading(account)
    raise Forged


async def take_answers(runtime: Runtime, settings: NotificationSettings, came: Sequence[InboundSms]) -> str:
    """Keep answers and act on them, each in a transaction of its own; returns what the last one is answered with."""
    held, reply = await templates.current(runtime), ""
    for one in came:
        async with runtime.tx(actor="provider") as tx:
            reply = await answers.reply_came(tx, one, settings, held)
    return reply


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
    """The request with the address as the provider knows it, and its form. Raises: Problem 413."""
    # Read before it is parsed: a body that hides its length counts too, and its end is the ground's bound.
    body = await bounded(request, "callback", CALLBACK_BYTES_MAX, "Send a message's status or text only.")
    url = f"{runtime.public_url}{request.url.path}" + (f"?{request.url.query}" if request.url.query else "")
    async with request.form(max_files=0, max_fields=200) as sent:
        texts = {name: value for name, value in sent.items() if isinstance(value, str)}
    return Callback(url, request.headers, body, texts, token)


async def bounded(request: Request, what: str, bytes_max: int, mend: str) -> bytes:
    """The body. Raises: Problem 413."""
    body = await request.body()
    if len(body) > bytes_max:
        raise Problem(413, "too_large", f"A {what} has at most {bytes_max} bytes.", "请求过大。", mend)
    return body


@dataclass(frozen=True)
class Mends:
    """What a sender of forged or unreadable requests is told."""

    forged_en: str
    forged_zh: str
    forged_mend: str
    unreadable: str
    unreadable_mend: str


TWILIO_MENDS = Mends(
    "The signature does not fit this address and body.",
    "签名无效。",
    "Check GUITU_TWILIO_AUTH_TOKEN and that GUITU_PUBLIC_URL is what the provider calls.",
    "callback",
    "Send the form as Twilio does: /docs names its fields.",
)


@contextmanager
def refused(mends: Mends = TWILIO_MENDS) -> Iterator[None]:
    """Turn what the provider's adapter refuses into problems, and count what is forged."""
    try:
        yield
    except Forged:
        alarms.FORGERIES.add()
        raise Problem(403, "bad_signature", mends.forged_en, mends.forged_zh, mends.forged_mend) from None
    except Unreadable as error:
        raise Problem(
            422,
            "bad_callback",
            f"The {mends.unreadable} can't be read: {error}.",
            "回调内容无法识别。",
            mends.unreadable_mend,
        ) from None
