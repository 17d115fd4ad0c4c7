"""One call as Twilio keeps it, the JSON that it shows of it, and the forms that it sends about it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from sms_simulator.message import API_VERSION, rfc2822

ENDED = frozenset({"completed", "busy", "no-answer", "failed", "canceled"})
_SUBRESOURCES = (
    "events",
    "notifications",
    "payments",
    "recordings",
    "siprec",
    "streams",
    "transcriptions",
    "user_defined_message_subscriptions",
    "user_defined_messages",
)
# What the network says of a call that nobody took: SIP's own numbers.
SIP = {"busy": "486", "no-answer": "487", "failed": "404"}


@dataclass(slots=True)
class PhoneCall:
    """A call that was taken from a client; times are Unix seconds.

    `said` is what the phone heard, as (language, words); `pressed` the keys that were brought to us; `keys` those
    that the phone will still press.
    """

    seq: int
    sid: str
    account_sid: str
    sender: str
    to: str
    url: str
    created_at: float
    updated_at: float
    method: str = "POST"
    status: str = "queued"
    callback_url: str = ""
    events: frozenset[str] = frozenset({"completed"})
    ring_s: float = 60.0
    visible_at: float = 0.0
    started_at: float | None = None
    ended_at: float | None = None
    callbacks: int = 0
    said: list[tuple[str, str]] = field(default_factory=list)
    pressed: str = ""
    keys: deque[str] = field(default_factory=deque)
    listening: bool = False
    deleted: bool = False

    @property
    def over(self) -> bool:
        """Has it ended, in whatever way?"""
        return self.ended_at is not None

    def answer(self) -> dict[str, Any]:
        """Return Twilio's resource; field names and formats are those of its OpenAPI."""
        uri = f"/{API_VERSION}/Accounts/{self.account_sid}/Calls/{self.sid}"
        return {
            "account_sid": self.account_sid,
            "answered_by": None,
            "api_version": API_VERSION,
            "caller_name": None,
            "date_created": rfc2822(int(self.created_at)),
            "date_updated": rfc2822(int(self.updated_at)),
            "direction": "outbound-api",
            "duration": self._duration(),
            "end_time": None if self.ended_at is None else rfc2822(int(self.ended_at)),
            "forwarded_from": None,
            "from": self.sender,
            "from_formatted": self.sender,
            "group_sid": None,
            "parent_call_sid": None,
            "phone_number_sid": None,
            "price": None,
            "price_unit": "USD",
            "queue_time": "0",
            "sid": self.sid,
            "start_time": None if self.started_at is None else rfc2822(int(self.started_at)),
            "status": "queued" if self.status == "initiated" else self.status,
            "subresource_uris": {
                name: f"{uri}/{name.title().replace('_', '')}.json" for name in _SUBRESOURCES
            },
            "to": self.to,
            "to_formatted": self.to,
            "trunk_sid": None,
            "uri": f"{uri}.json",
        }

    def form(self, **more: str) -> dict[str, str]:
        """The fields of any webhook about this call."""
        return {
            "AccountSid": self.account_sid,
            "ApiVersion": API_VERSION,
            "CallSid": self.sid,
            "CallStatus": self.status,
            "Called": self.to,
            "Caller": self.sender,
            "Direction": "outbound-api",
            "From": self.sender,
            "To": self.to,
        } | more

    def status_form(self) -> dict[str, str]:
        """The fields of a status callback; numbered, since they may arrive in another order."""
        more = {"CallbackSource": "call-progress-events", "SequenceNumber": str(self.callbacks)}
        self.callbacks += 1
        more["Timestamp"] = rfc2822(int(self.updated_at))
        if self.over:
            more["CallDuration"] = self._duration() or "0"
        if self.status in SIP:
            more["SipResponseCode"] = SIP[self.status]
        return self.form(**more)

    def _duration(self) -> str | None:
        if self.status != "completed" or self.started_at is None or self.ended_at is None:
            return None
        return str(max(1, round(self.ended_at - self.started_at)))


def described(call: PhoneCall) -> dict[str, Any]:
    """A call for tests and pages: Twilio's resource, and what Twilio would not tell."""
    said = [{"language": language, "words": words} for language, words in call.said]
    more = {"said": said, "pressed": call.pressed, "listening": call.listening, "url": call.url}
    return {**call.answer(), **more, "seq": call.seq, "from": call.sender}
