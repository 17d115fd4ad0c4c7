"""The seam between this service and a provider: our words on one side, the provider's adapter on the other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Protocol

from notifications.domain.delivery import Outcome
from notifications.domain.senders import SenderSpec
from notifications.domain.texts import Language
from notifications.providers.adapter import Adapted
from notifications.providers.protocol import (
    Callback,
    Capabilities,
    Channel,
    Forged,
    InboundSms,
    Outgoing,
    TemplateCall,
    Thanks,
    Unreadable,
)
from notifications.providers.registry import PROVIDERS
from notifications.settings import NotificationSettings

__all__ = ["Callback", "Forged", "Outgoing", "Outside", "Thanks", "Unreadable", "open_provider", "outgoing"]


class Outside(Protocol):
    """What this service needs of a provider."""

    name: str
    channel: Channel

    def capabilities(self, to: str) -> Capabilities:
        """Return what the route to this number can do."""
        ...

    async def send(self, message: Outgoing) -> Outcome:
        """Hand over one message; what is not certain is `unknown`."""
        ...

    async def lookup(self, message: Outgoing, since: datetime, owned: Collection[str]) -> Outcome | None:
        """Accepted if the provider has it (and no other attempt owns it), absent if not, None if it can't say."""
        ...

    def statuses(self, call: Callback) -> list[tuple[str, str, Outcome]]:
        """A callback as (attempt's token, event key, outcome). Raises: Forged, Unreadable."""
        ...

    def inbound(self, call: Callback) -> Sequence[InboundSms]:
        """The answers that came in. Raises: Forged, Unreadable."""
        ...

    def thanks(self, reply: str = "") -> Thanks:
        """What a callback is answered with."""
        ...


def outgoing(
    public_url: str,
    to: str,
    body: str,
    token: str,
    validity_s: int = 600,
    *,
    channel: Channel = "sms",
    language: Language = "zh",
    template: TemplateCall | None = None,
    fields: Mapping[str, str] | None = None,
) -> Outgoing:
    """The message of an attempt; `template` is for routes that take approved texts only, `fields` for programs."""
    # rc and rp: Twilio calls back up to five times more on any failure (webhook connection overrides).
    callback = f"{public_url}/twilio/status/{token}#rc=5&rp=all"
    answers = (
        f"{public_url}/webhook/answers" if channel == "webhook" else f"{public_url}/twilio/voice/{token}"
    )
    return Outgoing(
        to,
        body,
        callback,
        validity_s=validity_s,
        client_ref=token,
        answer_url=answers,
        template=template,
        language=language,
        fields=fields or {},
    )


@asynccontextmanager
async def open_provider(
    settings: NotificationSettings, spec: SenderSpec | None = None
) -> AsyncIterator[Outside]:
    """The provider of a sender, the first listed if not told, with its open session.

    Raises: ValueError, with the setting to mend.
    """
    spec = spec or settings.sender_specs[0]
    if spec.provider not in PROVIDERS:
        known = ", ".join(sorted(PROVIDERS))
        raise ValueError(f"GUITU_SENDERS: there is no provider {spec.provider!r}; known are {known}.")
    async with PROVIDERS[spec.provider](settings, spec) as provider:
        yield Adapted(provider)
