"""Labels over HTTP: one for a label printer, or many for a sheet; each printing is audited.

A second label of a specimen is how two tubes get mixed up, so the audit log says who printed which, and when.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import Field, model_validator

from dna_intake import store
from dna_intake.access import Registrar
from dna_intake.labels import PAPERS, Label, Layout, labels_pdf
from dna_intake.models import SpecimenRow
from dna_intake.refusals import not_found
from guitu.problem import ApiModel, Problem, refusals
from guitu.service import Runtime
from guitu.tx import Tx

LABELS_MAX = 200
COPIES_MAX = 4
_PDF_CONTENT = {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}
PDF: dict[int | str, dict[str, Any]] = {200: {"description": "The page to print.", "content": _PDF_CONTENT}}


class PrintLabels(ApiModel):
    """Which labels, on which paper; `skip` places of a sheet are used up already."""

    specimen_ids: Annotated[list[UUID], Field(min_length=1, max_length=LABELS_MAX)]
    layout: Layout = "sheet"
    skip: Annotated[int, Field(ge=0)] = 0
    copies: Annotated[int, Field(ge=1, le=COPIES_MAX)] = 1

    @model_validator(mode="after")
    def _places_of_the_paper(self) -> PrintLabels:
        last = PAPERS[self.layout].on_a_page - 1
        if self.skip > last:
            raise ValueError(f"skip is 0 to {last} on this layout")
        if len(set(self.specimen_ids)) < len(self.specimen_ids):
            raise ValueError("specimen_ids names a specimen twice; use copies")
        return self


def labels_router(runtime: Runtime) -> APIRouter:
    """Paper for tubes and forms."""
    router = APIRouter(tags=["labels"])

    @router.get("/specimens/{specimen_id}/label.pdf", response_class=Response, responses=PDF | refusals(409))
    async def label(p: Registrar, specimen_id: UUID, layout: Layout = "single") -> Response:
        """The label of a specimen; the printing is audited."""
        async with runtime.tx(actor=p.subject, region=p.region_code) as tx:
            labels = await _labels(tx, [specimen_id], copies=1)
        return pdf_answer(await asyncio.to_thread(labels_pdf, labels, layout), "label.pdf")

    @router.post("/labels", response_class=Response, responses=PDF | refusals(404, 409))
    async def labels(p: Registrar, wanted: PrintLabels) -> Response:
        """Labels of many specimens in their order; each printing is audited."""
        async with runtime.tx(actor=p.subject, region=p.region_code) as tx:
            found = await _labels(tx, wanted.specimen_ids, copies=wanted.copies)
        page = await asyncio.to_thread(labels_pdf, found, wanted.layout, wanted.skip)
        return pdf_answer(page, "labels.pdf")

    return router


async def _labels(tx: Tx, specimen_ids: Sequence[UUID], *, copies: int) -> list[Label]:
    rows = {row.id: row for row in await store.specimens(tx.conn, specimen_ids)}
    unknown = [str(each) for each in specimen_ids if each not in rows]
    if unknown:
        problem = not_found("specimen", "检材")
        problem.extra = {"specimen_ids": unknown}
        raise problem
    ordered = [rows[each] for each in specimen_ids]
    for row in ordered:
        _still_there(row)
        tx.audit("dna.label_printed", subject=row.id, copies=copies)
    return [_label(row) for row in ordered for _ in range(copies)]


def _label(row: SpecimenRow) -> Label:
    return Label(row.barcode, row.category, row.region_code, row.exercise, row.tries)


def _still_there(row: SpecimenRow) -> None:
    if row.state == "expunged":
        raise Problem(
            409,
            "expunged",
            "The specimen was expunged; there is no tube to put a label on.",
            "检材已销毁,无需标签。",
            "Register a new specimen and print its label.",
        )


def pdf_answer(page: bytes, name: str) -> Response:
    """A PDF to be opened, and kept by nobody on the way."""
    headers = {"Content-Disposition": f'inline; filename="{name}"', "Cache-Control": "no-store"}
    return Response(page, media_type="application/pdf", headers=headers)
