"""HTTP: the provider's callbacks, and what staff may look at. Phone numbers are never in an answer."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from guitu.problem import Problem, refusals
from guitu.service import Runtime
from notifications import answers, planning, store, store_sending
from notifications.access import Acting, Staff, access_delivery
from notifications.callbacks import Twiml, call_of, form, read, refused, take_answers
from notifications.domain.delivery import stage_of
from notifications.providers import twilio_voice
from notifications.settings import NotificationSettings
from notifications.statuses import Came, Statuses

LISTED_MAX = 10_000


def callbacks_router(runtime: Runtime, settings: NotificationSettings) -> APIRouter:
    """What the provider calls; each call is signed, and none is believed without its signature."""
    router = APIRouter(prefix="/twilio", tags=["provider"], responses=refusals(403, 422))
    statuses = Statuses(runtime, settings)

    @router.post(
        "/status/{token}",
        status_code=204,
        responses=refusals(409),
        openapi_extra=form("MessageSid", "MessageStatus", "CallSid", "CallStatus", required=()),
    )
    async def status(token: str, request: Request) -> Response:
        """The status of a message, or of a call (CallSid); late, doubled, shuffled ones change nothing known better."""
        call = await call_of(runtime, request, token)
        name = twilio_voice.NAME if "CallSid" in call.form else "twilio"
        with refused():
            _, said = read(runtime, name, lambda provider: provider.statuses(call))
        try:
            known = all([await statuses.settle(Came(*one)) for one in said])
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

    @router.post("/inbound", response_class=Twiml, openapi_extra=form("MessageSid", "From", "To", "Body"))
    async def inbound(request: Request) -> Response:
        """An SMS from outside; answered only if an acknowledgement fits several notices."""
        call = await call_of(runtime, request)
        with refused():
            account, came = read(runtime, "twilio", lambda provider: provider.inbound(call))
        thanks = account.thanks(await take_answers(runtime, settings, came))
        return Twiml(thanks.body, thanks.status_code)

    return router


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

    @router.post("/deliveries/{delivery_id}/acknowledge")
    async def acknowledge(delivery_id: UUID, principal: Acting) -> dict[str, Any]:
        """Somebody called and read their code out: the notice is acknowledged; a second time changes nothing."""
        async with runtime.tx(actor=principal.subject, region=principal.region_code) as tx:
            row = access_delivery(principal, await store.by_id(tx.conn, delivery_id))
            newly = await answers.acknowledge(tx, row["id"], "operator")
        return {"delivery_id": delivery_id, "newly_acknowledged": newly}

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
    "opened_at",
    "failed_at",
    "expired_at",
    "acknowledged_at",
    "escalated_at",
    "channel",
    "again",
    "resent_blind",
    "ack_code",
    "page_token",
    "name_zh",
    "name_en",
)


def _shown(row: Any) -> dict[str, Any]:
    fields = dict(row)
    fields["stage"] = stage_of(fields)
    return fields | {"page_path": f"/n/{fields.pop('page_token')}"}
