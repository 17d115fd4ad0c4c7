"""The routes of offices' systems: subscribe, replace the secret, end, and see what arrived."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from dna_intake import store_webhooks, webhooks
from dna_intake.access import DeliveryReader, OfficeSystems, access_region
from dna_intake.models_gate import (
    DeliveryList,
    DeliveryRow,
    DeliveryState,
    SecretAnswer,
    Subscribe,
    SubscriptionAnswer,
    SubscriptionList,
    SubscriptionRow,
)
from dna_intake.settings import dna_settings
from guitu.problem import refusals
from guitu.service import Runtime
from guitu.vault import master_key

_SHOWN = set(SubscriptionAnswer.model_fields)


def webhooks_router(runtime: Runtime) -> APIRouter:
    """Who is told of decisions, and whether it arrived."""
    router = APIRouter(tags=["gate"])
    settings = dna_settings(runtime.settings)
    _add_deliveries(router, runtime)

    @router.post("/gate-subscriptions", status_code=201, responses=refusals(409))
    async def subscribe(p: OfficeSystems, wanted: Subscribe) -> SecretAnswer:
        """Let an office's system be told; its secret is shown in this answer and never again."""
        access_region(p, wanted.region_code)
        master = master_key(runtime.settings.vault_key)
        async with runtime.tx(actor=p.subject, region=p.region_code) as tx:
            row, secret = await webhooks.subscribe(tx, wanted, master, settings)
        return SecretAnswer(**row.model_dump(include=_SHOWN), secret=secret)

    @router.get("/gate-subscriptions")
    async def listed(p: DeliveryReader, limit: Annotated[int, Query(ge=1, le=200)] = 100) -> SubscriptionList:
        """Subscriptions, the newest first; never their secrets."""
        async with runtime.read(region=p.region_code) as conn:
            rows = await store_webhooks.subscriptions(conn, limit)
        return SubscriptionList(gate_subscriptions=[_shown(row) for row in rows])

    @router.post("/gate-subscriptions/{subscription_id}/secret", responses=refusals(404, 409))
    async def rotate(p: OfficeSystems, subscription_id: UUID) -> SecretAnswer:
        """Replace the secret; for some hours both sign, so that nothing is lost while the receiver follows."""
        master = master_key(runtime.settings.vault_key)
        async with runtime.tx(actor=p.subject, region=p.region_code) as tx:
            row, secret = await webhooks.rotate(tx, subscription_id, master, settings)
        return SecretAnswer(**row.model_dump(include=_SHOWN), secret=secret)

    @router.post("/gate-subscriptions/{subscription_id}/end", responses=refusals(404))
    async def end(p: OfficeSystems, subscription_id: UUID) -> SubscriptionAnswer:
        """Tell this system no more; ended again, nothing changes."""
        async with runtime.tx(actor=p.subject, region=p.region_code) as tx:
            return _shown(await webhooks.end(tx, subscription_id))

    return router


def _add_deliveries(router: APIRouter, runtime: Runtime) -> None:
    @router.get("/gate-deliveries")
    async def deliveries(
        p: DeliveryReader,
        state: DeliveryState | None = None,
        subscription_id: UUID | None = None,
        request_id: UUID | None = None,
        before: UUID | None = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 100,
    ) -> DeliveryList:
        """What was told, the newest first; `state=failed` is what waits for a person."""
        async with runtime.read(region=p.region_code) as conn:
            rows = await store_webhooks.deliveries(
                conn,
                limit,
                before=before,
                state=state,
                subscription_id=subscription_id,
                request_id=request_id,
            )
        return DeliveryList(gate_deliveries=rows, next=rows[-1].id if len(rows) == limit else None)

    @router.post("/gate-deliveries/{delivery_id}/again", responses=refusals(404, 409))
    async def again(p: OfficeSystems, delivery_id: UUID) -> DeliveryRow:
        """Try a delivery that failed once more, under its old id."""
        async with runtime.tx(actor=p.subject, region=p.region_code) as tx:
            return await webhooks.again(tx, delivery_id)


def _shown(row: SubscriptionRow) -> SubscriptionAnswer:
    return SubscriptionAnswer(**row.model_dump(include=_SHOWN))
