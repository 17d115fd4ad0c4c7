"""Rows of shipments as frozen values, and what goes in and out over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from contracts.dna import SpecimenCategory
from dna_intake.domain.custody import State
from dna_intake.domain.shipments import Outcome, ShipmentState
from dna_intake.models import Location, Moment, Row, Seal
from guitu.problem import ApiModel

LISTED_MAX, SCANS_MAX = 200, 400
Scanned = Annotated[str, StringConstraints(max_length=40)]
"""What a scanner or a person read; whether it is a barcode of ours is looked at for each."""


class ShipmentRow(Row):
    """A box on its way; `seal_intact` is what the laboratory found."""

    id: UUID
    region_code: str
    exercise: bool
    seal: str
    sent_from: str
    laboratory: str
    state: ShipmentState
    sent_at: datetime
    sent_by: str
    received_at: datetime | None = None
    received_by: str | None = None
    seal_found: str | None = None
    seal_intact: bool | None = None


class ItemRow(Row):
    """A specimen on a list, with where it is and the seal that its chain recorded last."""

    specimen_id: UUID
    barcode: str
    category: SpecimenCategory
    state: State
    seal: str
    outcome: Outcome


class SendShipment(ApiModel):
    """A box with a seal of its own and the barcodes of what is in it."""

    barcodes: Annotated[list[Scanned], Field(min_length=1, max_length=LISTED_MAX)]
    seal: Seal
    sent_from: Location
    laboratory: Location


class ScannedTube(ApiModel):
    """A tube in the box; with `seal` if its own was read."""

    barcode: Scanned
    seal: Seal | None = None


class ReceiveShipment(ApiModel):
    """What was found: the seal on the box, whether it was whole, and every tube in it."""

    seal: Seal
    intact: bool = True
    location: Location
    at: Moment | None = None
    scans: Annotated[list[ScannedTube], Field(max_length=SCANS_MAX)]


class ItemAnswer(BaseModel):
    """A specimen on a list."""

    specimen_id: UUID
    barcode: str
    category: SpecimenCategory
    state: State
    outcome: Outcome


class ShipmentShown(BaseModel):
    """A shipment in a list of shipments."""

    id: UUID
    region_code: str
    exercise: bool
    seal: str
    sent_from: str
    laboratory: str
    state: ShipmentState
    sent_at: datetime
    sent_by: str
    received_at: datetime | None
    received_by: str | None
    seal_found: str | None
    seal_intact: bool | None


class ShipmentAnswer(ShipmentShown):
    """A shipment with what is on its list, and what was in the box beside it."""

    items: list[ItemAnswer]
    extras: list[str]


class ShipmentList(BaseModel):
    """Shipments, those on their way longest first."""

    shipments: list[ShipmentShown]


class OutcomeAnswer(BaseModel):
    """What became of a specimen or of a scan; `position` counts the scans from 0."""

    outcome: Literal[Outcome, "extra_refused", "unreadable"]
    barcode: str | None
    position: int | None
    says_en: str
    says_zh: str


class ReceivedAnswer(BaseModel):
    """The shipment as it stands, and an outcome for each specimen of the list and each other scan."""

    shipment: ShipmentAnswer
    outcomes: list[OutcomeAnswer]
