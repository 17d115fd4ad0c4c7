"""Notices: one message to one recipient about one version of an alert, from queued to acknowledged."""

from __future__ import annotations

from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field

from contracts.base import CaseFact, DeliveryId, NoticeId, ShortText, SiteId, UnitId

NoticeKind = Literal["raised", "updated", "widened", "order", "order_stood_down", "stood_down"]


class NoticeFact(CaseFact):
    """A fact of one delivery: which notice, to which site or unit; never the phone number."""

    delivery_id: DeliveryId
    notice_id: NoticeId
    kind: NoticeKind
    alert_version: int = Field(ge=1)
    site_id: SiteId | None = None
    unit_id: UnitId | None = None


class NoticeQueued(NoticeFact):
    """Planned and durable; not yet handed to a provider."""

    type_: ClassVar[str] = "guitu.notice.queued.v1"

    priority: int = Field(ge=0, le=9, description="0 is the most urgent.")


class NoticeAccepted(NoticeFact):
    """A provider has it; not yet a proof that anybody read it."""

    type_: ClassVar[str] = "guitu.notice.accepted.v1"

    provider: ShortText
    segments: int = Field(ge=0)


class NoticeDelivered(NoticeFact):
    """The handset has it."""

    type_: ClassVar[str] = "guitu.notice.delivered.v1"


class NoticeFailed(NoticeFact):
    """This delivery ended without reaching anybody; the code is the provider's."""

    type_: ClassVar[str] = "guitu.notice.failed.v1"

    code: ShortText
    reason: ShortText


class NoticeAcknowledged(NoticeFact):
    """A person confirmed (签收) by SMS or on the notice page."""

    type_: ClassVar[str] = "guitu.notice.acknowledged.v1"

    channel: Literal["sms", "page", "voice", "webhook", "operator"]


class NoticeEscalated(NoticeFact):
    """No acknowledgement by the deadline: the next contact, or a person in the command centre, takes over."""

    type_: ClassVar[str] = "guitu.notice.escalated.v1"

    to: Literal["next_contact", "voice", "command_centre"]
    next_delivery_id: UUID | None = None
