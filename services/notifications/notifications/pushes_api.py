"""HTTP: what Alibaba Cloud and sites' own systems send us. Each call is judged by its provider before it is believed.

A push of Alibaba's holds many receipts or replies of the whole account. It is answered with 200 once every element was
settled or is none of ours: it is pushed again at most three times, and an element that can't be placed now can't then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from fastapi import APIRouter, Request, Response

from guitu.problem import Problem, refusals
from guitu.service import Runtime
from guitu.webhook_signature import DELIVERY, SIGNATURE, TIMESTAMP
from notifications import store_sending
from notifications.callbacks import Mends, bounded, read, refused, take_answers
from notifications.outside import Callback, Outside
from notifications.settings import NotificationSettings
from notifications.statuses import Came, Statuses

PUSH_BYTES_MAX = 1024 * 1024
T = TypeVar("T")


def _mends(forged: str) -> Mends:
    return Mends(
        "Neither signature nor address shows that this call comes from a sender of ours.",
        "无法确认来源。",
        forged,
        "call",
        "docs/providers.md says what it must hold.",
    )


_MENDS = {
    "alibaba": _mends("Compare the address in Alibaba's console with GUITU_ALIBABA_CALLBACK_SECRETS."),
    "webhook": _mends(
        "Check the secret in GUITU_WEBHOOK_SECRETS, the clock, and that the body is signed as it is sent."
    ),
}


def pushes_router(runtime: Runtime, settings: NotificationSettings) -> APIRouter:
    """The addresses that docs/providers.md gives out."""
    router = APIRouter(tags=["provider"], responses=refusals(403, 422))
    taking = _Taking(runtime, settings)

    @router.post("/alibaba/{secret}/reports", openapi_extra=_json("array"))
    async def reports(secret: str, request: Request) -> Response:
        """Receipts (SmsReport); late, doubled and foreign ones change nothing."""
        _, thanks = await taking.statuses("alibaba", request)
        return thanks

    @router.post("/alibaba/{secret}/replies", openapi_extra=_json("array"))
    async def replies(secret: str, request: Request) -> Response:
        """Replies (SmsUp), as if they had come by any other SMS provider."""
        return await taking.inbound("alibaba", request)

    @router.post("/webhook/status", responses=refusals(404), openapi_extra=_json("object", signed=True))
    async def status(request: Request) -> Response:
        """How far a site's own system is with a notice."""
        known, thanks = await taking.statuses("webhook", request)
        if not known:
            raise Problem(
                404,
                "no_such_delivery",
                "No attempt has this delivery key.",
                "没有这次发送。",
                "Send the key as it came in X-Guitu-Delivery.",
            )
        return thanks

    @router.post("/webhook/answers", openapi_extra=_json("object", signed=True))
    async def site_answers(request: Request) -> Response:
        """A site's answer; the same one again changes nothing."""
        return await taking.inbound("webhook", request)

    return router


class _Taking:
    """Reads a call with the provider that fits, and settles what it says."""

    def __init__(self, runtime: Runtime, settings: NotificationSettings) -> None:
        self._runtime, self._settings = runtime, settings
        self._statuses = Statuses(runtime, settings)

    async def statuses(self, provider: str, request: Request) -> tuple[bool, Response]:
        """Settle statuses; says whether all were of attempts of ours."""
        account, came = await self._read(provider, request, lambda outside, call: outside.statuses(call))
        known = [await self._settle(Came(*one)) for one in came]
        return all(known), _thanks(account)

    async def inbound(self, provider: str, request: Request) -> Response:
        """Keep answers and act on them."""
        account, came = await self._read(provider, request, lambda outside, call: outside.inbound(call))
        return _thanks(account, await take_answers(self._runtime, self._settings, came))

    async def _settle(self, came: Came) -> bool:
        try:
            return await self._statuses.settle(came)
        except store_sending.MessageOfAnother:
            self._runtime.log.error("callback.message_of_another", event_key=came.event_key)
            return True

    async def _read(
        self, provider: str, request: Request, reading: Callable[[Outside, Callback], Sequence[T]]
    ) -> tuple[Outside, Sequence[T]]:
        body = await bounded(request, "push", PUSH_BYTES_MAX, "Send fewer elements at a time.")
        call = Callback(f"{self._runtime.public_url}{request.url.path}", request.headers, body, {})
        with refused(_MENDS[provider]):
            return read(self._runtime, provider, lambda outside: reading(outside, call))


def _thanks(account: Outside, reply: str = "") -> Response:
    said = account.thanks(reply)
    return Response(said.body, said.status_code, media_type=said.media_type)


def _json(kind: str, *, signed: bool = False) -> dict[str, Any]:
    """For the OpenAPI page: a JSON body, and the signature's headers where there are some."""
    names = (TIMESTAMP, DELIVERY, SIGNATURE) if signed else ()
    headers = [
        {"name": name, "in": "header", "required": True, "schema": {"type": "string"}} for name in names
    ]
    schema = {"type": "array", "items": {"type": "object"}} if kind == "array" else {"type": kind}
    content = {"application/json": {"schema": schema}}
    return {"requestBody": {"required": True, "content": content}, "parameters": headers}
