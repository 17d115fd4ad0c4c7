"""One message as Twilio keeps it, and the JSON that it shows of it (no callback URL, no client reference)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import lru_cache
from typing import Any

API_VERSION = "2010-04-01"
# Until a Messaging Service has chosen a sender, Twilio shows neither sender nor segments.
_UNASSIGNED = frozenset({"accepted", "scheduled", "canceled"})
_encode = json.JSONEncoder(ensure_ascii=False, check_circular=False).encode
FINAL = frozenset({"delivered", "undelivered", "failed", "canceled", "read", "received"})


@dataclass(frozen=True, slots=True)
class Step:
    """A status to come: how long after the one before, and the error that it carries."""

    after_s: float
    status: str
    error_code: int | None = None


@dataclass(slots=True)
class Message:
    """A message taken from a client, or from a phone; times are Unix seconds."""

    seq: int
    sid: str
    account_sid: str
    direction: str
    sender: str
    to: str
    body: str
    segments: int
    status: str
    created_at: float
    updated_at: float
    sent_at: float | None = None
    error_code: int | None = None
    service_sid: str | None = None
    callback_url: str | None = None
    validity_s: int = 36_000
    visible_at: float = 0.0
    send_at: float | None = None
    redacted: bool = False
    deleted: bool = False
    steps: list[Step] = field(default_factory=list)

    def answer(self) -> dict[str, Any]:
        """Return Twilio's resource; field names and formats are those of its OpenAPI."""
        uri = f"/{API_VERSION}/Accounts/{self.account_sid}/Messages/{self.sid}"
        unassigned = self.service_sid is not None and self.status in _UNASSIGNED
        return {
            "account_sid": self.account_sid,
            "api_version": API_VERSION,
            "body": "" if self.redacted else self.body,
            "date_created": rfc2822(int(self.created_at)),
            "date_sent": None if self.sent_at is None else rfc2822(int(self.sent_at)),
            "date_updated": rfc2822(int(self.updated_at)),
            "direction": self.direction,
            "error_code": self.error_code,
            "error_message": None if self.error_code is None else f"Error {self.error_code}",
            "from": None if unassigned else self.sender,
            "messaging_service_sid": self.service_sid,
            "num_media": "0",
            "num_segments": "0" if unassigned else str(self.segments),
            "price": None,
            "price_unit": None,
            "sid": self.sid,
            "status": self.status,
            "subresource_uris": {"media": f"{uri}/Media.json"},
            "to": self.to,
            "uri": f"{uri}.json",
        }

    def answer_bytes(self) -> bytes:
        """Return the resource as JSON bytes."""
        return _encode(self.answer()).encode()

    @property
    def party(self) -> str:
        """The phone's number: the far end, whichever way the message went."""
        return self.sender if self.direction == "inbound" else self.to


@lru_cache(maxsize=4096)
def rfc2822(second: int) -> str:
    """Return a Unix second in Twilio's date form; cached, as thousands of messages share a second."""
    return formatdate(second).replace("-0000", "+0000")
