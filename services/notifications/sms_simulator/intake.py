"""What Twilio checks before it takes a message, with its codes; pure, so that it is quick to test."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from sms_simulator.errors import ApiError

E164 = re.compile(r"^\+[1-9]\d{6,14}$")
SENDER = re.compile(r"^(\+[1-9]\d{6,14}|\d{3,8}|(?=.*[A-Za-z])[A-Za-z0-9][A-Za-z0-9 +\-_&]{0,10})$")
SERVICE_SID = re.compile(r"^MG[0-9a-fA-F]{32}$")
SERVICE_SENDER = "+12025550100"  # When no number is set as ours; reserved for fiction.
BODY_MAX = 1600  # Characters of a concatenated body; Twilio error 21617.
VALIDITY_MAX_S = 36_000  # Ten hours; Twilio error 90007.
SCHEDULE_MIN_S, SCHEDULE_MAX_S = 15 * 60, 35 * 24 * 3600  # Twilio error 35114.


@dataclass(frozen=True, slots=True)
class Draft:
    """A create request that passed every check."""

    to: str
    sender: str
    service_sid: str | None
    body: str
    callback_url: str | None
    validity_s: int
    send_at: float | None


@dataclass(frozen=True, slots=True)
class Rules:
    """What this account may send from and to."""

    senders: frozenset[str]
    landline_prefixes: tuple[str, ...]
    link_free_prefixes: tuple[str, ...]

    @property
    def service_sender(self) -> str:
        """The number that a Messaging Service sends from."""
        return min(self.senders, default=SERVICE_SENDER)


def check(form: Mapping[str, str], rules: Rules, now: float, opted_out: Callable[[str, str], bool]) -> Draft:
    """Return the draft of a create request, or raise the ApiError that Twilio would answer with."""
    to = form.get("To", "")
    body = form.get("Body", "")
    sender, service = _from(form, rules)
    _check_body(body)
    _check_to(to, rules)
    if opted_out(sender, to):
        raise ApiError(400, 21610, "Attempt to send to unsubscribed recipient")
    return Draft(
        to=to,
        sender=sender,
        service_sid=service,
        body=body,
        callback_url=_callback(form.get("StatusCallback", "")),
        validity_s=_validity(form.get("ValidityPeriod", "")),
        send_at=_schedule(form, service, now),
    )


def _from(form: Mapping[str, str], rules: Rules) -> tuple[str, str | None]:
    if not form.get("To"):
        raise ApiError(400, 21604, "A 'To' phone number is required.")
    sender, service = form.get("From"), form.get("MessagingServiceSid")
    if not sender and not service:
        raise ApiError(400, 21603, "A 'From' phone number is required.")
    if service and not SERVICE_SID.match(service):
        raise ApiError(400, 21701, f"The Messaging Service {service} does not exist.")
    if sender:
        _check_sender(sender, rules)
    return sender or rules.service_sender, service or None


def _check_sender(sender: str, rules: Rules) -> None:
    if not SENDER.match(sender):
        raise ApiError(
            400,
            21212,
            f"The 'From' number {sender} is not a valid phone number, shortcode, or alphanumeric sender ID.",
        )
    if rules.senders and sender not in rules.senders:
        raise ApiError(
            400,
            21606,
            f"The 'From' phone number provided ({sender}) is not a valid, message-capable number of this account.",
        )


def _check_body(body: str) -> None:
    if not body:
        raise ApiError(400, 21602, "Message body is required.")
    if len(body) > BODY_MAX:
        raise ApiError(400, 21617, f"The concatenated message body exceeds the {BODY_MAX} character limit")


def _check_to(to: str, rules: Rules) -> None:
    if not E164.match(to):
        raise ApiError(400, 21211, f"Invalid 'To' Phone Number: {to}")
    if rules.landline_prefixes and to.startswith(rules.landline_prefixes):
        raise ApiError(400, 21614, f"'To' number {to} is not a valid mobile number")


def _callback(url: str) -> str | None:
    if not url:
        return None
    try:
        parts = urlsplit(url)
        good = (
            parts.scheme in {"http", "https"} and bool(parts.hostname) and "_" not in (parts.hostname or "")
        )
    except ValueError:
        good = False
    if not good:
        raise ApiError(400, 21609, "The 'StatusCallback' URL is not a valid URL.")
    return url


def _validity(text: str) -> int:
    if not text:
        return VALIDITY_MAX_S
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= VALIDITY_MAX_S:
        raise ApiError(400, 90007, f"The ValidityPeriod must be between 1 and {VALIDITY_MAX_S}.")
    return int(text)


def _schedule(form: Mapping[str, str], service: str | None, now: float) -> float | None:
    # Without a Messaging Service Twilio drops the scheduling parameters and sends at once.
    if not service or form.get("ScheduleType") != "fixed":
        return None
    try:
        moment = datetime.fromisoformat(form.get("SendAt", "")).timestamp()
    except ValueError:
        moment = 0.0
    if not SCHEDULE_MIN_S <= moment - now <= SCHEDULE_MAX_S:
        raise ApiError(400, 35114, "SendAt time must be between 15 minutes and 35 days in advance.")
    return moment
