"""Twilio in this service's own words: the adapter's results as outcomes, and callbacks only with a signature."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from notifications.answers import Inbound
from notifications.domain.delivery import Outcome
from notifications.outside import Forged, Unparsable
from notifications.outside import Outgoing as OurSms
from notifications.providers.error_policy import ErrorClass
from notifications.providers.protocol import (
    Accepted,
    CannotSay,
    NotSent,
    Outgoing,
    Provider,
    Rejected,
    SendResult,
    Unreadable,
)
from notifications.providers.signature import is_signed
from notifications.providers.twilio_sms import TwilioAccount, open_twilio_sms
from notifications.settings import NotificationSettings

_NOT_NOW = frozenset({ErrorClass.transient_safe, ErrorClass.transient_sender})
_MAY_RETRY = _NOT_NOW | {ErrorClass.transient_unknown}


class TwilioOutside:
    """Fulfils `outside.Outside` with any `Provider` whose callbacks Twilio signs."""

    def __init__(self, provider: Provider, tokens: Sequence[str]) -> None:
        self.name = provider.name
        self._provider = provider
        self._tokens = tokens

    async def send(self, sms: OurSms) -> Outcome:
        """Hand over one SMS; what is not certain is `unknown`."""
        return _outcome(await self._provider.send(Outgoing(sms.to, sms.body, sms.status_callback)))

    async def lookup(self, sms: OurSms, since: datetime, owned: Collection[str]) -> Outcome | None:
        """Accepted if the provider lists this very text, absent if not, None if it can't say.

        The whole text is the marker: it holds the recipient's own code, and a carrier may add words around it.
        """
        found = await self._provider.lookup(sms.to, sms.body, since, owned)
        if isinstance(found, CannotSay):
            return None
        if not found:
            return Outcome("absent")
        # Newest first; the oldest is the one that the attempt made, should there ever be two.
        first = found[-1]
        return Outcome("accepted", first.provider_id, first.status, first.segments, first.error_code)

    def status(
        self, url: str, form: Mapping[str, str], headers: Mapping[str, str], token: str
    ) -> tuple[str, Outcome]:
        """A status callback as (event key, outcome). Raises: Forged, Unparsable."""
        self._check(url, form, headers)
        try:
            report = self._provider.parse_status(form)
        except Unreadable as error:
            raise Unparsable(str(error)) from error
        reason = report.error_class or report.status
        outcome = Outcome(
            "accepted", report.provider_id, report.status, code=report.error_code, reason=reason
        )
        return report.event_key, outcome

    def inbound(self, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Inbound:
        """An SMS that came in. Raises: Forged, Unparsable."""
        self._check(url, form, headers)
        try:
            sms = self._provider.parse_inbound(form)
        except Unreadable as error:
            raise Unparsable(str(error)) from error
        return Inbound(sms.provider_id, sms.sender, sms.body)

    def _check(self, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> None:
        if not is_signed(self._tokens, url, form, headers.get("x-twilio-signature", "")):
            raise Forged


def _outcome(result: SendResult) -> Outcome:
    match result:
        case Accepted(provider_id, status, segments):
            return Outcome("accepted", provider_id, status, segments)
        case Rejected(code, error_class):
            retry, not_now = error_class in _MAY_RETRY, error_class in _NOT_NOW
            return Outcome("rejected", code=code, reason=error_class, retry=retry, not_now=not_now)
        case NotSent(reason):
            return Outcome("not_sent", code="no_bytes_sent", reason=reason, retry=True)
        case _:
            return Outcome("unknown", code=result.reason)


@asynccontextmanager
async def open_twilio(settings: NotificationSettings) -> AsyncIterator[TwilioOutside]:
    """The provider with its session. Raises: ValueError, with the setting to mend."""
    if not settings.twilio_url or not settings.twilio_account_sid:
        raise ValueError(
            "GUITU_TWILIO_URL and GUITU_TWILIO_ACCOUNT_SID must be set: the simulator's address for practice, "
            "https://api.twilio.com for real SMS. Nothing is sent to real numbers by default."
        )
    token = settings.twilio_auth_token.get_secret_value()
    account = TwilioAccount(
        account_sid=settings.twilio_account_sid,
        auth_token=token,
        sender=settings.twilio_from,
        base_url=settings.twilio_url,
        connect_timeout_s=min(2.0, settings.sms_timeout_s * 0.4),
        # A little below the caller's own limit, so that the error says what happened.
        total_timeout_s=settings.sms_timeout_s * 0.9,
        connections_max=settings.sms_in_flight + 8,
        visibility_lag_s=settings.sms_visibility_lag_s,
    )
    async with open_twilio_sms(account) as sms:
        yield TwilioOutside(sms, (token,))
