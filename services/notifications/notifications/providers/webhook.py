"""A site's own system as a channel: one signed POST a notice, answers signed the same way.

The receiver is idempotent by contract: `X-Guitu-Delivery` is the same on any repetition, 409 means "I had it". What a
request became that got no answer is asked with GET, and believed only if the answer names the delivery: the 404 of
a misplaced route would else read as "never came" (a double), and the 200 of a front page as "have it" (a loss).

Only addresses in the settings are called, by https, never a redirect, never a private address unless a setting says
so (see `public_addresses`). What a site must do is in docs/providers.md.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from guitu.one_shot_http import AmbiguousOutcome, Answer, NoBytesSent, OneShotHttp, open_one_shot
from guitu.public_addresses import PrivateAddress, PublicOnly, refusal_of
from guitu.webhook_signature import DELIVERY, signed_headers, signer_of
from notifications.providers.error_policy import ErrorClass
from notifications.providers.protocol import (
    Accepted,
    Callback,
    CannotSay,
    Capabilities,
    Channel,
    Forged,
    Found,
    InboundSms,
    NotSent,
    Outgoing,
    Rejected,
    SendResult,
    StatusReport,
    Thanks,
    Unknown,
    Unreadable,
)

SECRET_CHARS_MIN = 16
TEXT_MAX = 2_000
# Nobody took it, by the site's own word; the key makes a repetition harmless.
_NOT_NOW = frozenset({408, 425, 429})
# Nobody lives at this address: the next contact, at once.
_NOBODY = frozenset({404, 410})
_TOKEN = re.compile(r"^[\w-]{1,128}$", re.ASCII)
_WORD = re.compile(r"^[a-z_]{1,40}$")
# What an answer says to the reader of replies (domain/replies.py).
_WORD_FOR = {"ack": "1", "seen_nothing": "NIL", "sighting": ""}


@dataclass(frozen=True, slots=True)
class WebhookSites:
    """The systems that may be called, each address with its secrets, newest first. Raises: ValueError.

    `answer_url` is where they send answers. `private_ok` is for systems in our own network, and for tests.
    """

    secrets: Mapping[str, Sequence[str]] = field(repr=False)
    answer_url: str = ""
    private_ok: bool = False
    connect_timeout_s: float = 2.0
    total_timeout_s: float = 5.0
    connections_max: int = 64
    visibility_lag_s: float = 5.0

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for url, own in self.secrets.items():
            if not own or any(len(secret) < SECRET_CHARS_MIN for secret in own):
                raise ValueError(
                    f"{url} in GUITU_WEBHOOK_SECRETS needs secrets of {SECRET_CHARS_MIN} characters or more."
                )
            if seen & set(own):
                raise ValueError(f"{url} in GUITU_WEBHOOK_SECRETS shares a secret with another site.")
            seen |= set(own)


class Webhook:
    """The adapter; `open_webhook` builds and closes it."""

    name = "webhook"
    channel: Channel = "webhook"

    def __init__(self, sites: WebhookSites, http: OneShotHttp, now: Callable[[], datetime]) -> None:
        self._sites, self._http, self._now = sites, http, now

    def capabilities(self, to: str) -> Capabilities:
        """Everything that text can do; a system does not count segments."""
        return Capabilities(
            two_way=True,
            url_ok=True,
            client_ref=True,
            list_lookup=True,
            voice=False,
            template_only=False,
            max_segments=100,
            max_units=10_000,
            visibility_lag_s=self._sites.visibility_lag_s,
            timeout_s=self._sites.total_timeout_s,
        )

    async def send(self, message: Outgoing) -> SendResult:
        """Post one notice, once; a refused address is refused here."""
        refused = self._refused(message.to)
        if refused:
            return Rejected(refused, ErrorClass.permanent_config)
        try:
            answer = await self._call("POST", message, self._body(message))
        except PrivateAddress:
            return Rejected("private_address", ErrorClass.permanent_config)
        except NoBytesSent as error:
            return NotSent(str(error))
        except AmbiguousOutcome as error:
            return Unknown(str(error))
        return _result(answer.status, message.client_ref)

    async def lookup(
        self, message: Outgoing, since: datetime, owned: Collection[str] = ()
    ) -> list[Found] | CannotSay:
        """Ask the site whether it has this delivery; only an answer that names the delivery counts."""
        refused = self._refused(message.to)
        if refused:
            return CannotSay(refused)
        try:
            answer = await self._call("GET", message, b"")
        except PrivateAddress:
            return CannotSay("private_address")
        except (NoBytesSent, AmbiguousOutcome) as error:
            return CannotSay(str(error))
        if answer.headers.get(DELIVERY, "") != message.client_ref:
            return CannotSay(f"unnamed_{answer.status}")
        if answer.status == 200:
            return [Found(message.client_ref, "delivered", 1, "", since)]
        return [] if answer.status == 404 else CannotSay(f"http_{answer.status}")

    def read_status(self, call: Callback) -> Sequence[StatusReport]:
        """Check the signature, then read `{"delivery": ..., "status": "read"}`. Raises: Forged, Unreadable."""
        _, delivery, said = self._opened(call)
        status = said.get("status")
        if not isinstance(status, str) or not _WORD.match(status):
            raise Unreadable("status is not a word such as read")
        key = f"webhook:{delivery}:{status}"
        return [StatusReport(delivery, status, "", None, event_key=key, client_ref=delivery)]

    def read_inbound(self, call: Callback) -> Sequence[InboundSms]:
        """Check the signature, then read `{"delivery": ..., "answer": ..., "text": ...}`. Raises: Forged, Unreadable.

        The same answer has the same id however often it is sent, so a replay changes nothing. What was written
        beside an acknowledgement comes as an answer of its own: somebody may have seen something.
        """
        site, delivery, said = self._opened(call)
        answer, text = said.get("answer"), said.get("text", "")
        if not isinstance(answer, str) or answer not in _WORD_FOR:
            raise Unreadable("answer is none of ack, seen_nothing, sighting")
        if not isinstance(text, str) or (answer == "sighting" and not _clean(text)):
            raise Unreadable("text is missing or no text")
        bodies = [body for body in (_WORD_FOR[answer], _clean(text)) if body]
        return [
            InboundSms(_inbound_id(site, delivery, answer, body), site, self.name, body, delivery)
            for body in bodies
        ]

    def thanks(self, reply: str = "") -> Thanks:
        """A site hears that its answer was kept, and what we would say to a person."""
        return Thanks(200, "application/json", json.dumps({"ok": True, "reply": reply}, ensure_ascii=False))

    def _refused(self, url: str) -> str:
        """Why this address is not called, as a code; empty if it may be."""
        if url not in self._sites.secrets:
            return "no_secret"
        return refusal_of(url, private_ok=self._sites.private_ok)

    async def _call(self, method: str, message: Outgoing, body: bytes) -> Answer:
        assert _TOKEN.match(message.client_ref), "A delivery without a plain name could be taken for another."
        secrets = self._sites.secrets[message.to]
        headers = signed_headers(secrets, message.client_ref, body, self._now())
        if body:
            headers["Content-Type"] = "application/cloudevents+json; charset=utf-8"
        params = None if method == "POST" else {"delivery": message.client_ref}
        return await self._http.request(method, message.to, params=params, body=body or None, headers=headers)

    def _body(self, message: Outgoing) -> bytes:
        """The notice as a CloudEvent (specification 1.0, structured mode)."""
        event = {
            "specversion": "1.0",
            "id": message.client_ref,
            "source": "/guitu/notifications",
            "type": "guitu.notice.v1",
            "time": self._now().isoformat(),
            "datacontenttype": "application/json",
            "data": {
                **message.fields,
                "text": message.body,
                "language": message.language,
                "valid_for_s": message.validity_s,
                "answer_url": message.answer_url or self._sites.answer_url,
            },
        }
        return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()

    def _opened(self, call: Callback) -> tuple[str, str, dict[str, Any]]:
        """The site that signed, the delivery that it means, and what it says. Raises: Forged, Unreadable."""
        site = signer_of(self._sites.secrets, call.headers, call.body, self._now())
        if site is None:
            raise Forged
        try:
            said = json.loads(call.body)
        except (ValueError, RecursionError):
            raise Unreadable("the body is not JSON") from None
        delivery = said.get("delivery") if isinstance(said, dict) else None
        if not isinstance(delivery, str) or not _TOKEN.match(delivery):
            raise Unreadable("delivery is missing or not as it was sent")
        if delivery != call.headers.get(DELIVERY.lower(), ""):
            raise Unreadable(f"delivery is not what {DELIVERY} says")
        return site, delivery, said


@asynccontextmanager
async def open_webhook(sites: WebhookSites, now: Callable[[], datetime]) -> AsyncIterator[Webhook]:
    """Yield an adapter with its open session and close it afterwards."""
    async with open_one_shot(
        connect_timeout_s=sites.connect_timeout_s,
        total_timeout_s=sites.total_timeout_s,
        connections_max=sites.connections_max,
        resolver=None if sites.private_ok else PublicOnly(),
    ) as http:
        yield Webhook(sites, http, now)


def _result(status: int, delivery: str) -> SendResult:
    if 200 <= status < 300 or status == 409:
        # The site's system is where the notice was to go: there is no further station to hear from.
        return Accepted(delivery, "delivered", 1)
    if status in _NOT_NOW:
        return Rejected(f"http_{status}", ErrorClass.transient_safe)
    if status in _NOBODY:
        return Rejected(f"http_{status}", ErrorClass.permanent_recipient)
    if 300 <= status < 500:
        return Rejected(f"http_{status}", ErrorClass.permanent_config)
    return Unknown(f"http_{status}")


def _clean(text: str) -> str:
    # PostgreSQL stores no NUL and no half of a pair; dropping it keeps a person's words where refusing would lose them.
    return text.encode("utf-8", "ignore").decode().replace("\x00", "").strip()[:TEXT_MAX]


def _inbound_id(*told: str) -> str:
    return f"webhook:{hashlib.sha256(json.dumps(told).encode()).hexdigest()[:40]}"
