"""The seam between this service and a provider: our words on one side, the provider's adapter on the other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from notifications.answers import Inbound
from notifications.domain.delivery import Outcome
from notifications.settings import NotificationSettings


@dataclass(frozen=True)
class Outgoing:
    """One SMS as a provider gets it; the callback's address names the attempt."""

    to: str
    body: str
    status_callback: str


class Forged(Exception):
    """A callback without a valid signature."""


class Unparsable(Exception):
    """A callback that is signed but makes no sense."""


class Outside(Protocol):
    """What this service needs of a provider."""

    name: str

    async def send(self, sms: Outgoing) -> Outcome:
        """Hand over one SMS; what is not certain is `unknown`."""
        ...

    async def lookup(self, sms: Outgoing, since: datetime, owned: Collection[str]) -> Outcome | None:
        """Accepted if the provider has it (and no other attempt owns it), absent if not, None if it can't say."""
        ...

    def status(
        self, url: str, form: Mapping[str, str], headers: Mapping[str, str], token: str
    ) -> tuple[str, Outcome]:
        """A status callback as (event key, outcome). Raises: Forged, Unparsable."""
        ...

    def inbound(self, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Inbound:
        """An SMS that came in. Raises: Forged, Unparsable."""
        ...


def outgoing(public_url: str, to: str, body: str, token: str) -> Outgoing:
    """The SMS of an attempt."""
    # rc and rp: Twilio calls back up to five times more on any failure (webhook connection overrides).
    return Outgoing(to, body, f"{public_url}/twilio/status/{token}#rc=5&rp=all")


@asynccontextmanager
async def open_provider(settings: NotificationSettings) -> AsyncIterator[Outside]:
    """The configured provider with its open session."""
    from notifications.providers.twilio_outside import open_twilio

    async with open_twilio(settings) as provider:
        yield provider
