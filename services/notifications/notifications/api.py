"""HTTP: the provider's callbacks, and what staff may look at. Phone numbers are never in an answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from guitu.auth import Principal, allow
from guitu.problem import Problem, refusals
from guitu.service import Runtime
from notifications import alarms, answers, planning, store, store_sending, templates
from notifications.access import access_delivery
from notifications.domain.delivery import stage_of
from notifications.outside import Callback, Forged, Outside, Unreadable
from notifications.senders import Senders
from notifications.settings import NotificationSettings
from notifications.statuses import Came, Statuses

Staff = Annotated[Principal, Depends(allow("operator", "case_leader", "auditor"))]
CALLBACK_BYTES_MAX = 64 * 1024
LISTED_MAX = 10_000
T = TypeVar("T")


def callbacks_router(runtime: Runtime, settings: NotificationSettings) -> APIRouter:
    """What the provider calls; each call is signed, and none is believed without its signature."""
    router = APIRouter(prefix="/twilio", tags=["provider"], responses=refusals(403, 422))
    statuses = Statuses(runtime, settings)

    @router.post(
        "/status/{token}",
        status_code=204,
        responses=refusals(409),
        openapi_extra=_form("MessageSid", "MessageStatus"),
    )
    async def status(token: str, request: Request) -> Response:
        """A message's status; late, doubled and shuffled ones change nothing that is known better."""
        call = await _call(runtime, request, token)
        with _refusals():
            came = [Came(*one) for one in _read(runtime, lambda provider: provider.statuses(call))]
        try:
            known = all([await statuses.settle(one) for one in came])
        except store_sending.MessageOfAnother:
            raise Problem(
                409,
                "message_of_another",
                "This message is known as the one of another attempt.",
                "该短信属于另一次发送。",
                "Compare the callback's address with the one that was given for this message.",
            ) from None
        if not known:
            raise Problem(
                404,
                "no_such_attempt",
                "No attempt has this token.",
                "没有这次发送。",
                "Was the database restored to an earlier time?",
            )
        return Response(status_code=204)

    @router.post("/inbound", response_class=Twiml, openapi_extra=_form("MessageSid", "From", "To", "Body"))
    async def inbound(request: Request) -> Response:
        """An SMS from outside; answered only if an acknowledgement fits several notices."""
        call = await _call(runtime, request)
        reply = ""
        with _refusals():
            came = _read(runtime, lambda provider: provider.inbound(call))
        held = await templates.current(runtime)
        for sms in came:
            async with runtime.tx(actor="provider") as tx:
                reply = await answers.reply_came(tx, sms, settings, held)
        thanks = _accounts(runtime)[0].thanks(reply)
        return Twiml(thanks.body, thanks.status_code)

    return router


class Twiml(Response):
    """Twilio's markup."""

    media_type = "application/xml"


def _accounts(runtime: Runtime) -> list[Outside]:
    senders: Senders = runtime.state["senders"]
    return senders.of_provider("twilio")


def _read(runtime: Runtime, read: Callable[[Outside], Sequence[T]]) -> Sequence[T]:
    """What the account says whose signature fits. Raises: Forged if none's does; Unreadable."""
    for account in _accounts(runtime):
        with suppress(Forged):
            return read(account)
    raise Forged


def _form(*names: str) -> dict[str, Any]:
    """For the OpenAPI page: the form that the provider sends, with its signature in a header."""
    schema = {
        "type": "object",
        "properties": {name: {"type": "string"} for name in (*names, "ErrorCode")},
        "required": list(names),
    }
    signature = {"name": "X-Twilio-Signature", "in": "header", "required": True, "schema": {"type": "string"}}
    content = {"application/x-www-form-urlencoded": {"schema": schema}}
    return {"requestBody": {"required": True, "content": content}, "parameters": [signature]}


async def _call(runtime: Runtime, request: Request, token: str = "") -> Callback:
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
    async with request.form(max_files=0, max_fields=200) as form:
        texts = {name: value for name, value in form.items() if isinstance(value, str)}
    return Callback(url, request.headers, body, texts, token)


class _refusals:
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


def staff_router(runtime: Runtime) -> APIRouter:
    """What staff see of notices, limited to their region."""
    router = APIRouter(tags=["notices"])

    @router.get("/notices")
    async def notices(
        case_id: UUID, principal: Staff, limit: Annotated[int, Query(ge=1, le=LISTED_MAX)] = 1000
    ) -> dict[str, Any]:
        """Every delivery of a case with its times, and the path of its page."""
        async with runtime.read(region=principal.region_code) as conn:
            rows = await store.deliveries_of(conn, case_id, limit)
        return {"case_id": case_id, "deliveries": [_shown(row) for row in rows]}

    @router.get("/notices/plan")
    async def plan(case_id: UUID, principal: Staff) -> dict[str, Any]:
        """How far each notice (each ring) is, and when the last one of it goes at the senders' pace."""
        return await planning.plan_of(runtime, case_id, principal.region_code)

    @router.get("/deliveries/{delivery_id}")
    async def delivery(delivery_id: UUID, principal: Staff) -> dict[str, Any]:
        """One delivery and what was tried for it."""
        async with runtime.read(region=principal.region_code) as conn:
            row = access_delivery(principal, await store.by_id(conn, delivery_id))
            attempts = await store.attempts_of(conn, delivery_id)
        return _shown({name: row[name] for name in _SHOWN}) | {"attempts": [dict(a) for a in attempts]}

    @router.get("/sites")
    async def sites(
        principal: Staff, limit: Annotated[int, Query(ge=1, le=LISTED_MAX)] = 1000
    ) -> dict[str, Any]:
        """The directory of sites, without contacts."""
        async with runtime.read(region=principal.region_code) as conn:
            return {"sites": [dict(row) for row in await store.sites(conn, limit)]}

    return router


_SHOWN = (
    "id",
    "notice_id",
    "kind",
    "version",
    "site_id",
    "unit_id",
    "priority",
    "distance_km",
    "state",
    "attempts",
    "queued_at",
    "attempted_at",
    "accepted_at",
    "delivered_at",
    "failed_at",
    "expired_at",
    "acknowledged_at",
    "escalated_at",
    "channel",
    "resent_blind",
    "page_token",
    "name_zh",
    "name_en",
)


def _shown(row: Any) -> dict[str, Any]:
    fields = dict(row)
    fields["stage"] = stage_of(fields)
    return fields | {"page_path": f"/n/{fields.pop('page_token')}"}
