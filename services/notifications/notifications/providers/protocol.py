"""What this service needs of any provider, in words that force an honest answer: one file a provider.

A send ends in one of four ways, and the difference between the last two is the difference between no SMS and
two: `NotSent` promises that nothing reached the provider, `Unknown` promises nothing and must be looked up.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from notifications.providers.error_policy import ErrorClass

Channel = Literal["sms", "voice", "webhook"]


@dataclass(frozen=True, slots=True)
class TemplateCall:
    """A text as a template-bound route takes it: the code that the provider approved, and its values in order."""

    code: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message: `to` in E.164, or the address of a site's own system; `validity_s` is how long it is worth sending.

    `client_ref` is the attempt's token, for providers that give it back with the receipt; `answer_url` is where a
    call fetches what it says.
    """

    to: str
    body: str
    status_callback: str
    validity_s: int = 600
    client_ref: str = ""
    answer_url: str = ""
    template: TemplateCall | None = None
    language: Literal["zh", "en"] = "zh"
    fields: Mapping[str, str] = field(default_factory=dict)


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
    """What a provider reports; `event_key` is the same for every repetition of it.

    `status` is one of the words in `domain.delivery.RANK`, or a word never seen before, which changes nothing.
    `client_ref` is the attempt's token where the provider gives it back; else the callback's address names it.
    """

    provider_id: str
    status: str
    error_code: str
    error_class: ErrorClass | None
    event_key: str
    client_ref: str = ""


@dataclass(frozen=True, slots=True)
class InboundSms:
    """An answer: a text from a phone to one of our numbers, a key pressed in a call, a site's own system.

    With a `client_ref` it answers the attempt with that token and no other notice.
    """

    provider_id: str
    sender: str
    to: str
    body: str
    client_ref: str = ""


@dataclass(frozen=True, slots=True)
class Callback:
    """A request from outside that calls itself the provider: the public address as the provider knows it, and all
    that came. `token` is the attempt's token if the address names one."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    form: Mapping[str, str]
    token: str = ""


@dataclass(frozen=True, slots=True)
class Thanks:
    """What the provider wants to hear so that it does not call again."""

    status_code: int = 204
    media_type: str = "text/plain"
    body: str = ""


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


class Forged(Exception):
    """A callback without a valid signature."""


class Unreadable(ValueError):
    """A form from the provider lacks what it must have, or is malformed; says which field."""


class Provider(Protocol):
    """A provider; `providers/registry.py` lists them."""

    @property
    def name(self) -> str:
        """Its name in settings, facts and tables."""
        ...

    @property
    def channel(self) -> Channel:
        """How it reaches people."""
        ...

    def capabilities(self, to: str) -> Capabilities:
        """Return what the route to this number can do."""
        ...

    async def send(self, message: Outgoing) -> SendResult:
        """Hand over one message, once: never retries, never raises for what the world does."""
        ...

    async def lookup(
        self, message: Outgoing, since: datetime, owned: Collection[str] = ()
    ) -> list[Found] | CannotSay:
        """Find what was made of this message: by its `client_ref`, else by its text; newest first, empty means absent.

        Absent is true only `visibility_lag_s` after the request ended. What is `owned` by other attempts is not ours.
        """
        ...

    def read_status(self, call: Callback) -> Sequence[StatusReport]:
        """Check the signature, then read what is reported. Raises: Forged, Unreadable."""
        ...

    def read_inbound(self, call: Callback) -> Sequence[InboundSms]:
        """Check the signature, then read the answers that came in. Raises: Forged, Unreadable."""
        ...

    def thanks(self, reply: str = "") -> Thanks:
        """What a callback is answered with; `reply` is a text for the person, where the provider can carry one."""
        ...
