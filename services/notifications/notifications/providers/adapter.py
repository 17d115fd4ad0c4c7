"""Any provider in this service's own words: its results as outcomes that settle attempts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from notifications.domain.delivery import Outcome
from notifications.providers.error_policy import ErrorClass
from notifications.providers.protocol import (
    Accepted,
    Callback,
    CannotSay,
    Capabilities,
    InboundSms,
    NotSent,
    Outgoing,
    Provider,
    Rejected,
    SendResult,
    Thanks,
)

_NOT_NOW = frozenset({ErrorClass.transient_safe, ErrorClass.transient_sender})
_MAY_RETRY = _NOT_NOW | {ErrorClass.transient_unknown}


class Adapted:
    """Fulfils `outside.Outside` with any `Provider`."""

    def __init__(self, provider: Provider) -> None:
        self.name, self.channel = provider.name, provider.channel
        self._provider = provider

    def capabilities(self, to: str) -> Capabilities:
        """Return what the route to this number can do."""
        return self._provider.capabilities(to)

    async def send(self, message: Outgoing) -> Outcome:
        """Hand over one message; what is not certain is `unknown`."""
        return _outcome(await self._provider.send(message))

    async def lookup(self, message: Outgoing, since: datetime, owned: Collection[str]) -> Outcome | None:
        """Accepted if the provider has this very message, absent if not, None if it can't say."""
        found = await self._provider.lookup(message, since, owned)
        if isinstance(found, CannotSay):
            return None
        if not found:
            return Outcome("absent")
        # Newest first; the oldest is the one that the attempt made, should there ever be two.
        first = found[-1]
        return Outcome("accepted", first.provider_id, first.status, first.segments, first.error_code)

    def statuses(self, call: Callback) -> list[tuple[str, str, Outcome]]:
        """A callback as (attempt's token, event key, outcome). Raises: Forged, Unreadable."""
        return [
            (
                report.client_ref or call.token,
                report.event_key,
                Outcome(
                    "accepted",
                    report.provider_id,
                    report.status,
                    code=report.error_code,
                    reason=report.error_class or report.status,
                ),
            )
            for report in self._provider.read_status(call)
        ]

    def inbound(self, call: Callback) -> Sequence[InboundSms]:
        """The answers that came in. Raises: Forged, Unreadable."""
        return self._provider.read_inbound(call)

    def thanks(self, reply: str = "") -> Thanks:
        """What a callback is answered with."""
        return self._provider.thanks(reply)


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
