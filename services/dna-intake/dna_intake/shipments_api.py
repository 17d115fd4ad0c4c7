"""Shipments over HTTP: send a box, print its list, account for what arrived."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated
from uuid import UUID

import asyncpg
from fastapi import APIRouter, Query
from fastapi.responses import Response

from dna_intake import shipping, store_shipments
from dna_intake.access import Laboratory, Reader, Registrar
from dna_intake.domain.shipments import OUTCOME_EN, OUTCOME_ZH, Outcome
from dna_intake.labels_api import PDF, pdf_answer
from dna_intake.practice import practice_of
from dna_intake.refusals import not_found
from dna_intake.shipment_list import list_pdf
from dna_intake.shipment_models import (
    ItemAnswer,
    OutcomeAnswer,
    ReceivedAnswer,
    ReceiveShipment,
    SendShipment,
    ShipmentAnswer,
    ShipmentList,
    ShipmentRow,
    ShipmentShown,
)
from guitu.problem import refusals
from guitu.service import Runtime


def shipments_router(runtime: Runtime) -> APIRouter:
    """Boxes between a station and the laboratory."""
    router = APIRouter(tags=["shipments"])
    _add_reading(router, runtime)

    @router.post("/shipments", status_code=201, responses=refusals(404, 409))
    async def send(p: Registrar, wanted: SendShipment) -> ShipmentAnswer:
        """Send a box of collected specimens; the same list under the same seal again is the same shipment."""
        async with runtime.tx(actor=p.subject, region=p.region_code) as tx:
            return await _described(tx.conn, await shipping.send(tx, wanted))

    @router.post("/shipments/{shipment_id}/received", responses=refusals(409))
    async def receive(p: Laboratory, shipment_id: UUID, found: ReceiveShipment) -> ReceivedAnswer:
        """Scan what was in the box: what is on the list moves to received, together or not at all.

        What is missing keeps a clock and stands on the worklist; what is not on the list is refused. The same
        scan again changes nothing, and a tube that turns up later is received by scanning it.
        """
        practice = practice_of(runtime.settings)
        async with runtime.tx(actor=p.subject, region=p.region_code) as tx:
            outcomes, extras = await shipping.receive(tx, shipment_id, found, practice)
            row = await store_shipments.shipment(tx.conn, shipment_id)
            assert row is not None, "It is locked by this transaction."
            answer = await _described(tx.conn, row)
        missing = list(outcomes.values()).count("missing")
        if missing:
            runtime.log.warning("shipment.incomplete", shipment_id=str(shipment_id), missing=missing)
        return ReceivedAnswer(shipment=answer, outcomes=_in_words(answer.items, outcomes, extras))

    return router


def _add_reading(router: APIRouter, runtime: Runtime) -> None:
    @router.get("/shipments")
    async def shipments(
        p: Reader, open_only: bool = False, limit: Annotated[int, Query(ge=1, le=500)] = 100
    ) -> ShipmentList:
        """Shipments, the open ones first, those on their way longest at the top."""
        async with runtime.read(region=p.region_code) as conn:
            found = await store_shipments.shipments(conn, limit, open_only=open_only)
        return ShipmentList(shipments=[ShipmentShown(**row.model_dump()) for row in found])

    @router.get("/shipments/{shipment_id}")
    async def shipment(p: Reader, shipment_id: UUID) -> ShipmentAnswer:
        """A shipment with its list."""
        async with runtime.read(region=p.region_code) as conn:
            return await _described(conn, await _found(conn, shipment_id))

    @router.get("/shipments/{shipment_id}/list.pdf", response_class=Response, responses=PDF)
    async def printed(p: Registrar, shipment_id: UUID) -> Response:
        """The list to put into the box and to sign."""
        async with runtime.read(region=p.region_code) as conn:
            row = await _found(conn, shipment_id)
            items = await store_shipments.items_of(conn, shipment_id)
        return pdf_answer(await asyncio.to_thread(list_pdf, row, items), "shipment.pdf")


async def _found(conn: asyncpg.Connection, shipment_id: UUID) -> ShipmentRow:
    row = await store_shipments.shipment(conn, shipment_id)
    if row is None:
        raise not_found("shipment", "交接单")
    return row


async def _described(conn: asyncpg.Connection, row: ShipmentRow) -> ShipmentAnswer:
    items = await store_shipments.items_of(conn, row.id)
    return ShipmentAnswer(
        **row.model_dump(),
        items=[ItemAnswer(**item.model_dump(exclude={"seal"})) for item in items],
        extras=await store_shipments.extras_of(conn, row.id),
    )


def _in_words(
    items: Sequence[ItemAnswer],
    outcomes: Mapping[UUID, Outcome],
    extras: Sequence[tuple[int, str | None]],
) -> list[OutcomeAnswer]:
    listed = [_said(outcomes[item.specimen_id], item.barcode, None) for item in items]
    others = [_said("extra_refused" if code else "unreadable", code, at) for at, code in extras]
    return listed + others


def _said(outcome: str, barcode: str | None, position: int | None) -> OutcomeAnswer:
    return OutcomeAnswer.model_validate(
        {
            "outcome": outcome,
            "barcode": barcode,
            "position": position,
            "says_en": OUTCOME_EN[outcome],
            "says_zh": OUTCOME_ZH[outcome],
        }
    )
