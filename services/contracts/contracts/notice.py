"""Notices: one message to one recipient about one version of an alert, from queued to acknowledged."""

from __future__ import annotations

from typing import Any, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from contracts.base import CaseFact, DeliveryId, Moment, NoticeId, ShortText, SiteId, UnitId

KnownKind = Literal["raised", "updated", "widened", "order", "order_stood_down", "stood_down"]
"""The kinds that every reader of v1 knows; one more would be a message that readers of yesterday refuse."""
Purpose = Literal["drill", "nil_report"]
NoticeKind = KnownKind | Purpose
"""Every kind there is: `drill` asks one site whether it hears us, `nil_report` asks again who acknowledged long ago."""


class NoticeFact(CaseFact):
    """A fact of one delivery: which notice, to which site or unit; never the phone number."""

    delivery_id: DeliveryId
    notice_id: NoticeId
    kind: KnownKind
    purpose: Purpose | None = Field(
        default=None,
        description="What a later kind is really for: a drill is told as `raised`, a nil report as `updated`.",
    )
    alert_version: int = Field(ge=1)
    site_id: SiteId | None = None
    unit_id: UnitId | None = None

    @property
    def really(self) -> NoticeKind:
        """The kind as its writer knows it."""
        return self.purpose or self.kind


def kind_fields(kind: NoticeKind) -> dict[str, Any]:
    """A kind as facts say it, so that readers who know only the first kinds can read it too."""
    told_as: dict[NoticeKind, KnownKind] = {"drill": "raised", "nil_report": "updated"}
    return {"kind": told_as[kind], "purpose": kind} if kind in told_as else {"kind": kind}


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


class NoticeOpened(NoticeFact):
    """Somebody opened the notice's page for the first time; never an acknowledgement: to read is not to act."""

    type_: ClassVar[str] = "guitu.notice.opened.v1"


class NoticeFailed(NoticeFact):
    """This delivery ended without reaching anybody; the code is the provider's."""

    type_: ClassVar[str] = "guitu.notice.failed.v1"

    code: ShortText
    reason: ShortText


class NoticeAcknowledged(NoticeFact):
    """A person confirmed (签收) by SMS or on the notice page."""

    type_: ClassVar[str] = "guitu.notice.acknowledged.v1"

    channel: Literal["sms", "page", "voice", "webhook", "operator"]


class NoticeNilReported(NoticeFact):
    """A person looked and saw nothing (未发现) up to a time; it also acknowledges, which is said apart."""

    type_: ClassVar[str] = "guitu.notice.nil_reported.v1"

    seen_nothing_until: Moment
    channel: Literal["sms", "page", "voice", "webhook", "operator"]


class NoticeEscalated(NoticeFact):
    """No acknowledgement by the deadline: the next contact, or a person in the command centre, takes over."""

    type_: ClassVar[str] = "guitu.notice.escalated.v1"

    to: Literal["next_contact", "voice", "command_centre"]
    next_delivery_id: UUID | None = None
