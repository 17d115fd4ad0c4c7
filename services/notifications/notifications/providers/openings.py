"""How the sessions of Alibaba Cloud and of sites' own systems are opened from the settings; for the registry."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypedDict

from guitu.clock import Clock
from notifications.domain.senders import SenderSpec
from notifications.providers.protocol import Provider
from notifications.providers.webhook import WebhookSites
from notifications.providers.webhook import open_webhook as open_webhook_sites
from notifications.settings import NotificationSettings


class Limits(TypedDict):
    """What every provider's session is bounded by."""

    connect_timeout_s: float
    total_timeout_s: float
    connections_max: int
    visibility_lag_s: float


def limits_of(settings: NotificationSettings) -> Limits:
    """The bounds that the settings ask for."""
    return {
        "connect_timeout_s": min(2.0, settings.sms_timeout_s * 0.4),
        # A little below the caller's own limit, so that the error says what happened.
        "total_timeout_s": settings.sms_timeout_s * 0.9,
        "connections_max": settings.sms_in_flight + 8,
        "visibility_lag_s": settings.sms_visibility_lag_s,
    }


@asynccontextmanager
async def open_alibaba(settings: NotificationSettings, spec: SenderSpec) -> AsyncIterator[Provider]:
    """SMS through Alibaba Cloud; a sender's address is its signature. Raises: ValueError, with the setting to mend."""
    # Its SDK takes 0.6 s to import: only a node that uses it waits for it.
    from notifications.providers.alibaba_sms import AlibabaAccount, open_alibaba_sms

    secrets = settings.alibaba_callback_secrets.get_secret_value()
    account = AlibabaAccount(
        endpoint=spec.url or settings.alibaba_endpoint,
        access_key_id=spec.account_sid or settings.alibaba_access_key_id,
        access_key_secret=(spec.auth_token or settings.alibaba_access_key_secret).get_secret_value(),
        sign_name=spec.address or settings.alibaba_sign_name,
        callback_secrets=tuple(part.strip() for part in secrets.split(",") if part.strip()),
        **limits_of(settings),
    )
    async with open_alibaba_sms(account) as sms:
        yield sms


@asynccontextmanager
async def open_webhook(settings: NotificationSettings, spec: SenderSpec) -> AsyncIterator[Provider]:
    """Sites' own systems, all by one sender. Raises: ValueError, with the setting to mend."""
    sites = WebhookSites(
        secrets=_secrets_of(settings.webhook_secrets.get_secret_value()),
        answer_url=f"{settings.public_url.rstrip('/')}/webhook/answers" if settings.public_url else "",
        private_ok=settings.webhook_private_ok,
        **limits_of(settings),
    )
    async with open_webhook_sites(sites, Clock(settings.clock_file).now) as webhook:
        yield webhook


def _secrets_of(text: str) -> dict[str, tuple[str, ...]]:
    """Read the addresses and their secrets; one secret may stand alone. Raises: ValueError, without the secrets."""
    try:
        given = json.loads(text or "{}")
    except ValueError:
        raise ValueError("GUITU_WEBHOOK_SECRETS is not JSON.") from None
    if not isinstance(given, dict):
        raise ValueError("GUITU_WEBHOOK_SECRETS is no JSON object of addresses.")
    sites = {url: (own,) if isinstance(own, str) else own for url, own in given.items()}
    for url, own in sites.items():
        if not isinstance(own, tuple | list) or not all(isinstance(secret, str) for secret in own):
            raise ValueError(f"{url} in GUITU_WEBHOOK_SECRETS has neither a secret nor a list of secrets.")
    return {url: tuple(own) for url, own in sites.items()}
