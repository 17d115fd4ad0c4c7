"""What goes in and out at the registration gate, and its rows as frozen values."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from dna_intake.domain.gate import Finding, GateDecision, GateReason
from dna_intake.models import Row
from guitu.problem import ApiModel

GateKind = Literal["household_registration", "adoption"]
GateOutcome = Literal["registered", "given_up", "lapsed"]
DeliveryState = Literal["queued", "sending", "delivered", "failed", "superseded", "stopped"]

OfficeReference = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9/_-]{2,39}$")]
"""The number of the office's own file; never a name, an identity number or a phone number."""

WebhookUrl = Annotated[str, StringConstraints(pattern=r"^https?://[!-~]{4,480}$")]
"""Where an office's system listens: https, without credentials."""


class AskGate(ApiModel):
    """May the child of this specimen be registered (落户关)? The specimen by its id or by its label, one of both."""

    office_reference: OfficeReference
    kind: GateKind
    specimen_id: UUID | None = None
    barcode: Annotated[str, Field(max_length=40)] | None = None
    subscription_id: UUID | None = None


class CloseGate(ApiModel):
    """What became of it: the child is registered, or the office has given up."""

    outcome: Literal["registered", "given_up"]


class GateRow(Row):
    """A request with its standing decision, as the database holds it."""

    id: UUID
    specimen_id: UUID
    office_reference: str
    region_code: str
    exercise: bool
    kind: GateKind
    subscription_id: UUID | None
    asked_at: datetime
    asked_by: str
    closed_at: datetime | None = None
    outcome: GateOutcome | None = None
    seq: int
    decision: GateDecision
    reason: GateReason
    generation: int
    deadline: datetime | None
    valid_until: datetime | None
    lead: UUID | None
    decided_at: datetime
    behind_since: datetime | None = None

    @property
    def standing(self) -> Finding:
        """What was recorded last."""
        return Finding(
            self.decision, self.reason, self.generation, self.deadline, self.valid_until, self.lead
        )


class Compared(Row):
    """By what a decision was made: the panel (kit and number of loci), and up to which generation it was compared."""

    kit: str | None = None
    loci_typed: int | None = None
    searched_through: int | None = None


class DecisionRow(Compared):
    """One decision of a request; never changed."""

    request_id: UUID
    seq: int
    region_code: str
    decision: GateDecision
    reason: GateReason
    generation: int
    deadline: datetime | None
    valid_until: datetime | None
    lead: UUID | None
    decided_at: datetime
    table_sha256: str | None


class GatePanel(BaseModel):
    """With what the child was compared."""

    kit: str
    loci_typed: int


class GateDecisionAnswer(BaseModel):
    """One decision as people read it. Which lead it is about is for the reviewers only."""

    seq: int
    decision: GateDecision
    reason: GateReason
    reason_en: str
    reason_zh: str
    deadline: datetime | None
    valid_until: datetime | None
    index_generation: int
    searched_through: int | None
    panel: GatePanel | None
    table_sha256: str | None
    decided_at: datetime


class GateAnswer(BaseModel):
    """The gate's answer of this moment: `clear` only if it is still so now, with the reason in both languages.

    `recorded` is false in the seconds in which something was found out and not recorded yet.
    """

    request_id: UUID
    specimen_id: UUID
    office_reference: str
    region_code: str
    exercise: bool
    kind: GateKind
    subscription_id: UUID | None
    decision: GateDecision
    reason: GateReason
    reason_en: str
    reason_zh: str
    deadline: datetime | None
    overdue: bool
    valid_until: datetime | None
    index_generation: int
    recorded: bool
    asked_at: datetime
    decided_at: datetime
    closed_at: datetime | None
    outcome: GateOutcome | None


class GateHistory(GateAnswer):
    """The same with every decision there was, the newest first."""

    decisions: list[GateDecisionAnswer]


class GateList(BaseModel):
    """Requests, the newest first; `next` is the cursor of the next page."""

    gate_requests: list[GateAnswer]
    next: UUID | None


class Subscribe(ApiModel):
    """An office's system that is to hear of decisions."""

    region_code: Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]
    url: WebhookUrl


class SubscriptionRow(Row):
    """A subscription with its sealed secrets; its text form hides them."""

    id: UUID
    region_code: str
    url: str
    wrapped_key: bytes = Field(repr=False)
    secrets_sealed: bytes = Field(repr=False)
    old_secret_until: datetime | None
    created_at: datetime
    ended_at: datetime | None = None
    ended_because: str | None = None


class SubscriptionAnswer(BaseModel):
    """A subscription as people read it; never its secrets."""

    id: UUID
    region_code: str
    url: str
    old_secret_until: datetime | None
    created_at: datetime
    ended_at: datetime | None
    ended_because: str | None


class SecretAnswer(SubscriptionAnswer):
    """The same with the new secret, which is shown this once."""

    secret: str


class SubscriptionList(BaseModel):
    """Subscriptions, the newest first."""

    gate_subscriptions: list[SubscriptionAnswer]


class DeliveryRow(Row):
    """One decision on its way to an office's system."""

    id: UUID
    subscription_id: UUID
    request_id: UUID
    seq: int
    region_code: str
    state: DeliveryState
    attempts: int
    tries_max: int
    due_at: datetime
    last_answer: str | None
    queued_at: datetime
    ended_at: datetime | None


class DeliveryList(BaseModel):
    """Deliveries, the newest first; `failed` ones wait for a person."""

    gate_deliveries: list[DeliveryRow]
    next: UUID | None
