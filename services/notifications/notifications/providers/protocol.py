"""What this service needs of any provider of SMS, in words that force an honest answer.

A send ends in one of four ways, and the difference between the last two is the difference between no SMS and
two: `NotSent` promises that nothing reached the provider, `Unknown` promises nothing and must be looked up.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from notifications.providers.error_policy import ErrorClass


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One SMS: `to` in E.164; `validity_s` is how long it stays worth sending."""

    to: str
    body: str
    status_callback: str
    validity_s: int = 600


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider has it and named it."""

    provider_id: str
    status: str
    segments: int


@dataclass(frozen=True, slots=True)
class Rejected:
    """The provider (or the route's own rule) said no: it was certainly not accepted."""

    code: str
    error_class: ErrorClass


@dataclass(frozen=True, slots=True)
class NotSent:
    """No byte of the request left: safe to send again, here or elsewhere. `reason` names no number."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may or may not have been accepted: look it up after the grace, never repeat on silence."""

    reason: str


SendResult = Accepted | Rejected | NotSent | Unknown


@dataclass(frozen=True, slots=True)
class Found:
    """A message at the provider that fits what was looked for."""

    provider_id: str
    status: str
    segments: int
    error_code: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class CannotSay:
    """The look-up itself failed, or had to stop before the end: neither found nor absent."""

    reason: str


@dataclass(frozen=True, slots=True)
class StatusReport:
    """A status callback; `event_key` is the same for every repetition of it."""

    provider_id: str
    status: str
    error_code: str
    error_class: ErrorClass | None
    event_key: str


@dataclass(frozen=True, slots=True)
class InboundSms:
    """A text from a phone to one of our numbers."""

    provider_id: str
    sender: str
    to: str
    body: str


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a route to one destination can do; texts and escalation follow these, not assumptions."""

    two_way: bool
    url_ok: bool
    client_ref: bool
    list_lookup: bool
    voice: bool
    template_only: bool
    max_segments: int
    max_units: int
    visibility_lag_s: float
    timeout_s: float


class Unreadable(ValueError):
    """A form from the provider lacks what it must have, or is malformed; says which field."""


class Provider(Protocol):
    """A provider of SMS."""

    @property
    def name(self) -> str:
        """Its name in facts and tables."""
        ...

    def capabilities(self, to: str) -> Capabilities:
        """Return what the route to this number can do."""
        ...

    async def send(self, sms: Outgoing) -> SendResult:
        """Hand over one SMS, once: never retries, never raises for what the world does."""
        ...

    async def lookup(
        self, to: str, marker: str, since: datetime, owned: Collection[str] = ()
    ) -> list[Found] | CannotSay:
        """Find messages to `to` whose text contains `marker`, created since, not `owned`; empty means absent.

        Absent is true only `visibility_lag_s` after the request ended.
        """
        ...

    def parse_status(self, form: Mapping[str, str]) -> StatusReport:
        """Read a status callback whose signature was checked. Raises: Unreadable."""
        ...

    def parse_inbound(self, form: Mapping[str, str]) -> InboundSms:
        """Read a text that came in, whose signature was checked. Raises: Unreadable."""
        ...
