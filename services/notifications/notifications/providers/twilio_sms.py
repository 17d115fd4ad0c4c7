"""SMS through Twilio: the real `twilio` client behind this service's own protocol.

What a route can do depends on where it leads: Twilio's page on China (twilio.com/guidelines/cn/sms) says no replies,
no links, at most 500 characters or 8 segments, so a text to +86 is one-way and link-free whatever we would like.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from xml.sax.saxutils import escape

from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.rest import Client

from notifications.providers.error_policy import ErrorClass, error_class, policies
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
from notifications.providers.signature import is_signed
from notifications.providers.twilio_http import AmbiguousOutcome, NoBytesSent, TwilioHttp, open_http
from notifications.segments import segmentation

_SID = re.compile(r"^(SM|MM)[0-9a-fA-F]{32}$")
_WORD = re.compile(r"^[a-z_]{1,40}$")
_LINK = re.compile(r"https?://|www\.", re.IGNORECASE)
# What the library raises for an answer of an unexpected shape: it checks none.
_UNREADABLE = (TwilioException, ValueError, TypeError, KeyError, AttributeError)
_FIELD_MAX = 2_000
_PAGE_SIZE = 100
_PAGES_MAX = 5  # 500 messages to one number since one attempt: more means something else is wrong.
_CLOCK_SKEW = timedelta(minutes=2)
"""How far our clock and Twilio's may differ; too old a hit is excluded by `owned`, a missed one would double."""


@dataclass(frozen=True, slots=True)
class TwilioAccount:
    """One account and sender. An empty `base_url` is Twilio itself; anything else speaks its API."""

    account_sid: str
    auth_token: str = field(repr=False)
    sender: str
    base_url: str = ""
    connect_timeout_s: float = 2.0
    total_timeout_s: float = 5.0
    connections_max: int = 64
    visibility_lag_s: float = 10.0


class TwilioSms:
    """The adapter; `open_twilio_sms` builds and closes it."""

    name = "twilio"
    channel: Channel = "sms"

    def __init__(self, account: TwilioAccount, http: TwilioHttp) -> None:
        self._account = account
        # Without an environment of its own the client reads TWILIO_EDGE and TWILIO_REGION and rewrites the host.
        self._client = Client(account.account_sid, account.auth_token, http_client=http, environment={"": ""})
        if account.base_url:
            self._client.api.base_url = account.base_url.rstrip("/")

    def capabilities(self, to: str) -> Capabilities:
        """Return what the route to this number can do."""
        china = to.startswith("+86")
        return Capabilities(
            two_way=not china,
            url_ok=not china,
            client_ref=False,
            list_lookup=True,
            voice=False,
            template_only=china,
            max_segments=8 if china else 10,
            max_units=500 if china else 1600,
            visibility_lag_s=self._account.visibility_lag_s,
            timeout_s=self._account.total_timeout_s,
        )

    async def send(self, sms: Outgoing) -> SendResult:
        """Hand over one SMS, once; a text that the route cannot carry is refused here."""
        if not self._can_carry(sms):
            return Rejected("route_cannot_carry", ErrorClass.permanent_content)
        try:
            message = await self._client.messages.create_async(
                to=sms.to,
                from_=self._account.sender,
                body=sms.body,
                status_callback=sms.status_callback,
                validity_period=sms.validity_s,
            )
        except NoBytesSent as error:
            return NotSent(str(error))
        except AmbiguousOutcome as error:
            return Unknown(str(error))
        except (TwilioRestException, TwilioServiceException) as error:
            return _refusal(int(error.status), str(error.code or error.status))
        except _UNREADABLE as error:  # Perhaps a proxy's answer; the message may well have been accepted.
            return Unknown(type(error).__name__)
        return _accepted(message)

    async def lookup(
        self, message: Outgoing, since: datetime, owned: Collection[str] = ()
    ) -> list[Found] | CannotSay:
        """Find what was sent to this number with this text since then; newest first.

        The whole text is the marker: it holds the recipient's own code, and a carrier may add words around it. By To
        and not by DateSent, which is unset as long as a message is queued.
        """
        if not message.body:  # An empty marker would take any message for ours.
            return CannotSay("no_text")
        try:
            return await self._scan(message.to, message.body, since - _CLOCK_SKEW, owned)
        except (NoBytesSent, AmbiguousOutcome) as error:
            return CannotSay(str(error))
        except _UNREADABLE as error:
            return CannotSay(type(error).__name__)

    def read_status(self, call: Callback) -> Sequence[StatusReport]:
        """Check the signature and read a status callback. Raises: Forged, Unreadable."""
        self._check(call)
        return [self.parse_status(call.form)]

    def read_inbound(self, call: Callback) -> Sequence[InboundSms]:
        """Check the signature and read a text that came in. Raises: Forged, Unreadable."""
        self._check(call)
        return [self.parse_inbound(call.form)]

    def thanks(self, reply: str = "") -> Thanks:
        """Twilio's markup; an empty response means silence."""
        said = f"<Message>{escape(reply)}</Message>" if reply else ""
        body = f'<?xml version="1.0" encoding="UTF-8"?><Response>{said}</Response>'
        return Thanks(200, "application/xml", body)

    def _check(self, call: Callback) -> None:
        signature = call.headers.get("x-twilio-signature", "")
        if not is_signed((self._account.auth_token,), call.url, call.form, signature):
            raise Forged

    def parse_status(self, form: Mapping[str, str]) -> StatusReport:
        """Read a status callback; a status never seen before is passed on as it is. Raises: Unreadable."""
        sid = _sid(form)
        status = _required(form, "MessageStatus")
        if not _WORD.match(status):
            raise Unreadable("MessageStatus is not a word of Twilio's")
        code = form.get("ErrorCode", "")
        if code and not (code.isascii() and code.isdigit() and len(code) <= 6):
            raise Unreadable("ErrorCode is not a number")
        known = error_class(code, "callback") if code else None
        return StatusReport(sid, status, code, known, event_key=f"{sid}:{status}:{code}")

    def parse_inbound(self, form: Mapping[str, str]) -> InboundSms:
        """Read a text that came in. Raises: Unreadable."""
        if "Body" not in form:
            raise Unreadable("Body is missing")
        # PostgreSQL stores no NUL; dropping it keeps a person's words where refusing would lose them.
        body = form["Body"].replace("\x00", "")[:_FIELD_MAX]
        return InboundSms(_sid(form), _required(form, "From"), _required(form, "To"), body)

    def _can_carry(self, sms: Outgoing) -> bool:
        route = self.capabilities(sms.to)
        if not route.url_ok and _LINK.search(sms.body):
            return False
        size = segmentation(sms.body)
        return bool(sms.body) and size.segments <= route.max_segments and size.units <= route.max_units

    async def _scan(
        self, to: str, marker: str, since: datetime, owned: Collection[str]
    ) -> list[Found] | CannotSay:
        page = await self._client.messages.page_async(to=to, page_size=_PAGE_SIZE)
        found = []
        for _ in range(_PAGES_MAX):
            messages = list(page)
            fitting = (m for m in messages if marker in (m.body or "") and m.sid not in owned)
            found += [_found(m) for m in fitting if m.date_created >= since]
            if not page.next_page_url or any(m.date_created < since for m in messages):
                return found
            page = await page.next_page_async()
        return found or CannotSay("too_many_messages")


@asynccontextmanager
async def open_twilio_sms(account: TwilioAccount) -> AsyncIterator[TwilioSms]:
    """Yield an adapter with its open session and close it afterwards."""
    async with open_http(
        connect_timeout_s=account.connect_timeout_s,
        total_timeout_s=account.total_timeout_s,
        connections_max=account.connections_max,
    ) as http:
        yield TwilioSms(account, http)


def _accepted(message: Any) -> SendResult:
    sid, status = message.sid, message.status
    if not isinstance(sid, str) or not _SID.match(sid) or not isinstance(status, str):
        return Unknown("answer_without_sid")
    return Accepted(sid, status, _count(message.num_segments))


def _refusal(status: int, code: str) -> SendResult:
    # 408 and 5xx come from somewhere on the way, perhaps after Twilio took the message; 3xx is no answer of Twilio's.
    if not 400 <= status < 500 or status == 408:
        return Unknown(f"http_{status}")
    if status == 429 and code not in policies():  # A proxy's own; Twilio's 21611 is a 429 too.
        return Rejected(code, ErrorClass.transient_safe)
    return Rejected(code, error_class(code, "http"))


def _found(message: Any) -> Found:
    code = "" if message.error_code is None else str(message.error_code)
    return Found(message.sid, str(message.status), _count(message.num_segments), code, message.date_created)


def _count(segments: object) -> int:
    return int(segments) if isinstance(segments, str) and segments.isdigit() else 0


def _sid(form: Mapping[str, str]) -> str:
    sid = _required(form, "MessageSid")
    if not _SID.match(sid):
        raise Unreadable("MessageSid is not SM or MM and 32 hexadecimal digits")
    return sid


def _required(form: Mapping[str, str], name: str) -> str:
    value = form.get(name, "")
    if not value or len(value) > _FIELD_MAX or not value.isprintable():
        raise Unreadable(f"{name} is missing, too long or not printable")
    return value
