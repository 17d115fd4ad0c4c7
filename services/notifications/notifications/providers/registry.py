"""The providers that this service has: a name, and how its session is opened from the settings."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from notifications.domain.senders import SenderSpec
from notifications.providers.openings import limits_of, open_alibaba, open_webhook
from notifications.providers.protocol import Provider
from notifications.providers.twilio_account import TwilioAccount
from notifications.providers.twilio_sms import open_twilio_sms
from notifications.providers.twilio_voice import open_twilio_voice
from notifications.settings import NotificationSettings

Opening = Callable[[NotificationSettings, SenderSpec], AbstractAsyncContextManager[Provider]]


@asynccontextmanager
async def open_twilio(settings: NotificationSettings, spec: SenderSpec) -> AsyncIterator[Provider]:
    """SMS through Twilio. Raises: ValueError, with the setting to mend."""
    async with open_twilio_sms(_reachable(settings, spec)) as sms:
        yield sms


@asynccontextmanager
async def open_calls(settings: NotificationSettings, spec: SenderSpec) -> AsyncIterator[Provider]:
    """Calls through Twilio. Raises: ValueError, with the setting to mend."""
    async with open_twilio_voice(_reachable(settings, spec)) as voice:
        yield voice


def _reachable(settings: NotificationSettings, spec: SenderSpec) -> TwilioAccount:
    account = twilio_account(settings, spec)
    if not account.base_url or not account.account_sid:
        raise ValueError(
            "GUITU_TWILIO_URL and GUITU_TWILIO_ACCOUNT_SID must be set: the simulator's address for practice, "
            "https://api.twilio.com for real SMS. Nothing is sent to real numbers by default."
        )
    return account


def twilio_account(settings: NotificationSettings, spec: SenderSpec) -> TwilioAccount:
    """The account of a sender; what it does not say itself is the settings'."""
    token = spec.auth_token or settings.twilio_auth_token
    return TwilioAccount(
        account_sid=spec.account_sid or settings.twilio_account_sid,
        auth_token=token.get_secret_value(),
        sender=spec.address or settings.twilio_from,
        base_url=spec.url or settings.twilio_url,
        **limits_of(settings),
        ring_s=settings.voice_ring_s,
        voice_to_china=settings.voice_to_china,
    )


PROVIDERS: dict[str, Opening] = {
    "twilio": open_twilio,
    "twilio_voice": open_calls,
    "alibaba": open_alibaba,
    "webhook": open_webhook,
}
"""One line a provider."""
