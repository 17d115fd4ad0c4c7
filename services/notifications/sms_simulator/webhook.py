"""How Twilio calls us: signature, connection overrides in the URL's fragment, and form fields.

Sources: twilio.com/docs/usage/security (signature), .../webhooks/webhooks-connection-overrides (the fragment;
defaults rc=1, rp=ct, ct=5000 ms, rt=15000 ms, 15 s in all), and request_validator.py of twilio-python 9.13.0.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urldefrag

from sms_simulator.message import API_VERSION, Message

TOTAL_S = 15.0
RETRIES_MAX = 5


@dataclass(frozen=True, slots=True)
class Target:
    """Where and how patiently to call: the URL without its fragment, and what the fragment asked for."""

    url: str
    retries: int = 1
    policy: frozenset[str] = frozenset({"ct"})
    connect_s: float = 5.0
    read_s: float = 15.0

    def retries_after(self, failure: str) -> bool:
        """Say whether `failure` (`ct`, `rt`, `4xx`, `5xx`) is one that this target wants retried."""
        return failure in self.policy or "all" in self.policy


def target(url: str) -> Target:
    """Read a webhook URL; values out of Twilio's range are pulled to the nearest legal one."""
    bare, fragment = urldefrag(url)
    wish = dict(parse_qsl(fragment))
    return Target(
        url=bare,
        retries=int(_within(wish.get("rc"), 1, 0, RETRIES_MAX)),
        policy=frozenset((wish.get("rp") or "ct").split(",")),
        connect_s=_within(wish.get("ct"), 5_000, 100, 10_000) / 1000,
        read_s=_within(wish.get("rt"), 15_000, 100, 15_000) / 1000,
    )


def _within(text: str | None, default: int, low: int, high: int) -> float:
    return min(max(int(text), low), high) if text and text.isascii() and text.isdigit() else default


def sign(token: str, url: str, form: Mapping[str, str]) -> str:
    """Return X-Twilio-Signature: base64 of HMAC-SHA1 over the URL and the sorted, joined form."""
    text = url + "".join(key + form[key] for key in sorted(form))
    return base64.b64encode(hmac.digest(token.encode(), text.encode(), hashlib.sha1)).decode()


def status_form(message: Message, status: str, error_code: int | None) -> dict[str, str]:
    """Return the fields of one status callback."""
    form = {
        "AccountSid": message.account_sid,
        "ApiVersion": API_VERSION,
        "From": message.sender or "",
        "MessageSid": message.sid,
        "MessageStatus": status,
        "SmsSid": message.sid,
        "SmsStatus": status,
        "To": message.to,
    }
    if error_code is not None:
        form["ErrorCode"] = str(error_code)
    if message.service_sid:
        form["MessagingServiceSid"] = message.service_sid
    return form


def inbound_form(message: Message) -> dict[str, str]:
    """Return the fields of the webhook for a text that a phone sent to us."""
    return {
        "AccountSid": message.account_sid,
        "ApiVersion": API_VERSION,
        "Body": message.body,
        "From": message.sender or "",
        "MessageSid": message.sid,
        "NumMedia": "0",
        "NumSegments": str(message.segments),
        "SmsMessageSid": message.sid,
        "SmsSid": message.sid,
        "SmsStatus": "received",
        "To": message.to,
    }
