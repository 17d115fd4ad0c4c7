"""SMS through Twilio: the real `twilio` client behind this service's own protocol.

What a route can do depends on where it leads: Twilio's page on China (twilio.com/guidelines/cn/sms) says no replies,
no links, at most 500 characters or 8 segments, so a text to +86 is one-way and link-free whatever we would like.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any
from xml.sax.saxutils import escape

from notifications.providers.error_policy import ErrorClass, error_class
from notifications.providers.protocol import (
    Accepted,
    Callback,
    CannotSay,
    Capabilities,
    Channel,
    Found,
    InboundSms,
    Outgoing,
    Rejected,
    SendResult,
    StatusReport,
    Thanks,
    Unknown,
    Unreadable,
)
from notifications.providers.twilio_account import (
    FIELD_MAX,
    PAGE_SIZE,
    TwilioAccount,
    check_signature,
    client_of,
    connected,
    error_code,
    listed,
    outcome_of,
    required,
)
from notifications.providers.twilio_http import TwilioHttp
from notifications.segments import segmentation

__all__ = ["TwilioAccount", "TwilioSms", "open_twilio_sms"]

_SID = re.compile(r"^(SM|MM)[0-9a-fA-F]{32}$")
_WORD = re.compile(r"^[a-z_]{1,40}$")
_LINK = re.compile(r"https?://|www\.", re.IGNORECASE)
_CLOCK_AHEAD = timedelta(hours=24)
"""How far our clock may be ahead of Twilio's. With a clock that jumped, what was accepted would look absent and be sent
twice; a wide window costs nothing, since the text is the delivery's own and `owned` leaves out the rest."""


class TwilioSms:
    """The adapter; `open_twilio_sms` builds and closes it."""

    name = "twilio"
    channel: Channel = "sms"

    def __init__(self, account: TwilioAccount, http: TwilioHttp) -> None:
        self._account = account
        self._client = client_of(account, http)

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
        create = self._client.messages.create_async(
            to=sms.to,
            from_=self._account.sender,
            body=sms.body,
            status_callback=sms.status_callback,
            validity_period=sms.validity_s,
        )
        return await outcome_of(create, _accepted)

    async def lookup(
        self, message: Outgoing, since: datetime, owned: Collection[str] = ()
    ) -> list[Found] | CannotSay:
        """Find what was sent to this number with this text since then; newest first.

        The whole text is the marker: it holds the recipient's own code, and a carrier may add words around it. By To
        and not by DateSent, which is unset as long as a message is queued.
        """
        if not message.body:  # An empty marker would take any message for ours.
            return CannotSay("no_text")
        page = self._client.messages.page_async(to=message.to, page_size=PAGE_SIZE)
        return await listed(
            "messages",
            page,
            since - _CLOCK_AHEAD,
            owned,
            _found,
            lambda sms: message.body in (sms.body or ""),
        )

    def read_status(self, call: Callback) -> Sequence[StatusReport]:
        """Check the signature and read a status callback. Raises: Forged, Unreadable."""
        check_signature(self._account, call)
        return [self.parse_status(call.form)]

    def read_inbound(self, call: Callback) -> Sequence[InboundSms]:
        """Check the signature and read a text that came in. Raises: Forged, Unreadable."""
        check_signature(self._account, call)
        return [self.parse_inbound(call.form)]

    def thanks(self, reply: str = "") -> Thanks:
        """Twilio's markup; an empty response means silence."""
        said = f"<Message>{escape(reply)}</Message>" if reply else ""
        body = f'<?xml version="1.0" encoding="UTF-8"?><Response>{said}</Response>'
        return Thanks(200, "application/xml", body)

    def parse_status(self, form: Mapping[str, str]) -> StatusReport:
        """Read a status callback; a status never seen before is passed on as it is. Raises: Unreadable."""
        sid = _sid(form)
        status = required(form, "MessageStatus")
        if not _WORD.match(status):
            raise Unreadable("MessageStatus is not a word of Twilio's")
        code = error_code(form)
        known = error_class(code, "callback") if code else None
        return StatusReport(sid, status, code, known, event_key=f"{sid}:{status}:{code}")

    def parse_inbound(self, form: Mapping[str, str]) -> InboundSms:
        """Read a text that came in. Raises: Unreadable."""
        if "Body" not in form:
            raise Unreadable("Body is missing")
        # PostgreSQL stores no NUL; dropping it keeps a person's words where refusing would lose them.
        body = form["Body"].replace("\x00", "")[:FIELD_MAX]
        return InboundSms(_sid(form), required(form, "From"), required(form, "To"), body)

    def _can_carry(self, sms: Outgoing) -> bool:
        route = self.capabilities(sms.to)
        if not route.url_ok and _LINK.search(sms.body):
            return False
        size = segmentation(sms.body)
        return bool(sms.body) and size.segments <= route.max_segments and size.units <= route.max_units


@asynccontextmanager
async def open_twilio_sms(account: TwilioAccount) -> AsyncIterator[TwilioSms]:
    """Yield an adapter with its open session and close it afterwards."""
    async with connected(account) as http:
        yield TwilioSms(account, http)


def _accepted(message: Any) -> SendResult:
    sid, status = message.sid, message.status
    if not isinstance(sid, str) or not _SID.match(sid) or not isinstance(status, str):
        return Unknown("answer_without_sid")
    return Accepted(sid, status, _count(message.num_segments))


def _found(message: Any) -> Found:
    code = "" if message.error_code is None else str(message.error_code)
    return Found(message.sid, str(message.status), _count(message.num_segments), code, message.date_created)


def _count(segments: object) -> int:
    return int(segments) if isinstance(segments, str) and segments.isdigit() else 0


def _sid(form: Mapping[str, str]) -> str:
    sid = required(form, "MessageSid")
    if not _SID.match(sid):
        raise Unreadable("MessageSid is not SM or MM and 32 hexadecimal digits")
    return sid
