"""HTTP of acting on one delivery from the board: once more, the next contact, a call, and whom to call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Request

from guitu import idempotency
from guitu.auth import Principal
from guitu.idempotency import StoredAnswer
from guitu.problem import ApiModel, refusals
from guitu.service import Runtime
from guitu.tx import Tx
from notifications import acting, store, store_acting
from notifications.access import Acting, Staff, access_delivery
from notifications.acting import CALLED_BY
from notifications.directory_api import masked
from notifications.senders import Senders

CALLERS = frozenset({"operator", "case_leader", "admin"})
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        max_length=255,
        description="Made when the button was shown: pressing it twice is one SMS. Needed.",
    ),
]
Act = Callable[[Tx], Awaitable[dict[str, Any]]]


class CallIn(ApiModel):
    """Who calls; without a word our voice does where it can, else a person."""

    by: CALLED_BY | None = None


def acting_router(runtime: Runtime) -> APIRouter:
    """Routes under /deliveries/{delivery_id}."""
    router = APIRouter(prefix="/deliveries/{delivery_id}", tags=["acting"], responses=refusals(404))

    @router.post("/resend", status_code=202, responses=refusals(400, 409))
    async def resend(p: Acting, delivery_id: UUID, request: Request, key: Key = None) -> dict[str, Any]:
        """Send the same notice to the same contact once more; 202: it is queued, a fact says when it went."""
        return await _once(runtime, p, key, request, lambda tx: acting.resend(tx, p, delivery_id))

    @router.post("/next-contact", status_code=202, responses=refusals(400, 409))
    async def next_contact(p: Acting, delivery_id: UUID, request: Request, key: Key = None) -> dict[str, Any]:
        """Ask the next contact of the same site or unit now, not only when time is up."""
        return await _once(runtime, p, key, request, lambda tx: acting.ask_next_contact(tx, p, delivery_id))

    @router.post("/call", status_code=202, responses=refusals(400, 409))
    async def call(
        p: Acting, delivery_id: UUID, request: Request, said: CallIn | None = None, key: Key = None
    ) -> dict[str, Any]:
        """Have them called by our voice, or make it a task for a person; then `contacts` has the phones."""
        senders: Senders | None = runtime.state.get("senders")
        voice, by = senders is not None and senders.has("voice"), said.by if said else None
        done = await _once(
            runtime, p, key, request, lambda tx: acting.call(tx, p, delivery_id, by, voice=voice)
        )
        if done["to"] != "command_centre":
            return done
        return done | {"contacts": await _contacts(runtime, p, delivery_id)}

    @router.get("/contacts")
    async def contacts(p: Staff, delivery_id: UUID) -> dict[str, Any]:
        """Who of the site or unit has a phone: masked, with `tel` for those who may call; that reading is audited."""
        return {"delivery_id": delivery_id, "contacts": await _contacts(runtime, p, delivery_id)}

    return router


async def _once(
    runtime: Runtime, p: Principal, key: str | None, request: Request, act: Act
) -> dict[str, Any]:
    """Act once for each key; the answer is stored with the effect. Raises: Problem 400, 422 by the key."""
    # The address is part of what was asked: one key on another delivery is another request.
    asked = request.url.path.encode() + b"\n" + await request.body()
    async with runtime.tx(actor=p.subject, region=p.region_code) as tx:
        stored = await idempotency.once(tx, p.subject, key, asked)
        if stored is not None:
            return dict(stored.body)
        done = await act(tx)
        assert key, "Without one `once` has refused."
        await idempotency.remember(tx, p.subject, key, StoredAnswer(202, done))
    return done


async def _contacts(runtime: Runtime, p: Principal, delivery_id: UUID) -> list[dict[str, Any]]:
    may_call = p.role in CALLERS
    async with runtime.tx(actor=p.subject, region=p.region_code) as tx:
        row = access_delivery(p, await store.by_id(tx.conn, delivery_id))
        found = await store_acting.contacts_of(tx.conn, row, tx.now)
        if may_call:
            tx.audit("contacts.read", subject=delivery_id, contacts=len(found))
    return [_contact(each, may_call=may_call) for each in found]


def _contact(row: dict[str, Any], *, may_call: bool) -> dict[str, Any]:
    phone = row.pop("phone")
    return row | {"masked": masked(phone), "tel": phone if may_call else None}
