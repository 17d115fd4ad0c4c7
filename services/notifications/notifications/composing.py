"""Makes the message of an attempt as its sender's route takes it: text, approved template, call or system's notice."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from notifications.domain.delivery import ALERT_KINDS
from notifications.outside import Outgoing, outgoing
from notifications.segments import segmentation
from notifications.senders import Line
from notifications.settings import NotificationSettings
from notifications.templates import Templates
from notifications.writing import template_call_of, text_of

Row = Mapping[str, Any]
VALIDITY_MIN_S, ALERT_VALIDITY_S, VALIDITY_MAX_S = 10, 600, 36_000
"""The longest is Twilio's (ValidityPeriod of the Messages resource)."""


def compose(
    line: Line,
    row: Row,
    notice: Row,
    token: str,
    *,
    settings: NotificationSettings,
    public_url: str,
    held: Templates,
    now: datetime,
) -> Outgoing:
    """The message of a claimed delivery. Raises: texts.TextTooLong, KeyError, ValueError; it can't be written."""
    to = address_of(row)
    route = line.outside.capabilities(to)
    able = {"url_ok": row["url_ok"] and route.url_ok, "two_way": row["two_way"] and route.two_way}
    delivery = {**row, **able}
    templated = route.template_only and bool(settings.provider_templates)
    template = template_call_of(delivery, notice, settings, public_url, held) if templated else None
    return outgoing(
        public_url,
        to,
        text_of(delivery, notice, settings, public_url, templates=held),
        token,
        validity_s(row, now),
        channel=line.spec.channel,
        language=row["language"],
        template=template,
        fields=_fields(row, notice) if line.spec.channel == "webhook" else None,
    )


def address_of(row: Row) -> str:
    """Where a delivery goes: a number, or the address of a site's own system."""
    return str(row["webhook_url"] if row["channel"] == "webhook" else row["phone"])


def segments_of(line: Line, message: Outgoing) -> int:
    """What it costs of the sender's budget: a call, or a post, is one."""
    return segmentation(message.body).segments if line.spec.channel == "sms" else 1


def validity_s(row: Row, now: datetime) -> int:
    """How long it is worth sending: a warning of a missing child is old after ten minutes in a carrier's queue."""
    left_s = int((row["expires_at"] - now).total_seconds())
    longest = ALERT_VALIDITY_S if row["kind"] in ALERT_KINDS else VALIDITY_MAX_S
    return max(VALIDITY_MIN_S, min(left_s, longest))


def _fields(row: Row, notice: Row) -> dict[str, str]:
    """What a program wants to know; `delivery_id` is the same for every attempt, so that nothing is shown twice."""
    return {
        "delivery_id": str(row["id"]),
        "case_code": notice["case_code"],
        "kind": notice["kind"],
        "version": str(notice["version"]),
        "exercise": "true" if notice["exercise"] else "false",
        "ack_code": row["ack_code"],
    }
