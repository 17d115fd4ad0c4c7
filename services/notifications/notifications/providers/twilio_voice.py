"""Calls through Twilio: the phone rings, a voice says the notice, a key acknowledges it.

A call carries no text: it fetches what it says from `answer_url` when somebody answers, and the attempt's token in
that address is what ties the call to its notice. Twilio's words for a call are put into those of a message, since a
delivery moves by the same ranks whichever way it goes: ringing is not yet sent, answered is sent, and a call that
was heard to its end is delivered. Delivered is not acknowledged: only a pressed key is.

Sources: twilio.com/docs/voice/api/call-resource; calls to +86: support article 360016488474 (enabled only after
vetting; "alert notification" is named as a use that does not fit).
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

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
    CLOCK_SKEW,
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

NAME = "twilio_voice"
EVENTS = ["initiated", "ringing", "answered", "completed"]
TIME_LIMIT_S = 300
"""Whoever asks to hear it again and again is cut off then; Twilio's own limit is four hours."""
RING_MIN_S = 5
_SID = re.compile(r"^CA[0-9a-fA-F]{32}$")
_WORD = re.compile(r"^[a-z-]{1,40}$")
_KEYS = re.compile(r"^[0-9*#]{1,20}$")
_AS_MESSAGE = {
    "queued": "accepted",
    "initiated": "queued",
    "ringing": "sending",
    "in-progress": "sent",
    "completed": "delivered",
    "busy": "undelivered",
    "no-answer": "undelivered",
    "failed": "failed",
    "canceled": "canceled",
}
"""A call's status as a word of `domain.delivery.RANK`."""
_WHY = {
    "busy": ErrorClass.transient_recipient,
    "no-answer": ErrorClass.transient_recipient,
    "failed": ErrorClass.transient_unknown,
    "canceled": ErrorClass.transient_unknown,
}
"""Twilio gives no error code with these, so the word is the code."""


class TwilioVoice:
    """The adapter; `open_twilio_voice` builds and closes it."""

    name = NAME
    channel: Channel = "voice"

    def __init__(self, account: TwilioAccount, http: TwilioHttp) -> None:
        self._account = account
        self._client = client_of(account, http)

    def capabilities(self, to: str) -> Capabilities:
        """Return what the route to this number can do; +86 can't be called unless the operator says so."""
        return Capabilities(
            two_way=True,
            url_ok=False,
            client_ref=False,
            list_lookup=True,
            voice=self._account.voice_to_china or not to.startswith("+86"),
            template_only=False,
            max_segments=10,
            max_units=1600,
            visibility_lag_s=self._account.visibility_lag_s,
            timeout_s=self._account.total_timeout_s,
        )

    async def send(self, message: Outgoing) -> SendResult:
        """Begin one call, once; a number that can't be called, or a call with nothing to say, is refused here."""
        if not self.capabilities(message.to).voice:
            return Rejected("route_cannot_call", ErrorClass.permanent_route)
        if not message.answer_url:
            return Rejected("nothing_to_say", ErrorClass.permanent_config)
        create = self._client.calls.create_async(
            to=message.to,
            from_=self._account.sender,
            url=message.answer_url,
            method="POST",
            status_callback=message.status_callback,
            status_callback_event=EVENTS,
            status_callback_method="POST",
            timeout=max(RING_MIN_S, min(self._account.ring_s, message.validity_s)),
            time_limit=TIME_LIMIT_S,
        )
        return await outcome_of(create, _accepted)

    async def lookup(
        self, message: Outgoing, since: datetime, owned: Collection[str] = ()
    ) -> list[Found] | CannotSay:
        """Find the calls from us to this number since then that no other attempt owns; newest first.

        What this can prove: that no such call exists. What it can't: which of two unknown attempts for one number,
        of two notices, made the only call that is there, for neither the list nor a call names its addresses. One
        open attempt a delivery keeps that rare; a wrong guess there is one call more, and a key still acknowledges
        the notice that was heard, since the call fetched it by its own token.
        """
        page = self._client.calls.page_async(to=message.to, from_=self._account.sender, page_size=PAGE_SIZE)
        return await listed("calls", page, since - CLOCK_SKEW, owned, _found)

    def read_status(self, call: Callback) -> Sequence[StatusReport]:
        """Check the signature and read a status callback. Raises: Forged, Unreadable."""
        check_signature(self._account, call)
        return [self.parse_status(call.form)]

    def read_inbound(self, call: Callback) -> Sequence[InboundSms]:
        """Check the signature and read the keys that were pressed, none if none. Raises: Forged, Unreadable."""
        check_signature(self._account, call)
        sid = _sid(call.form)
        keys = call.form.get("Digits", "")
        if not keys:
            return []
        if not _KEYS.match(keys):
            raise Unreadable("Digits are not keys of a phone")
        phone, ours = required(call.form, "To"), required(call.form, "From")
        return [InboundSms(sid, phone, ours, keys, client_ref=call.token)]

    def thanks(self, reply: str = "") -> Thanks:
        """Nothing to say: what a call says is answered to its own requests."""
        return Thanks()

    def parse_status(self, form: Mapping[str, str]) -> StatusReport:
        """Read a status callback; a status never seen before is passed on as it is. Raises: Unreadable."""
        sid, status, code = _sid(form), required(form, "CallStatus"), error_code(form)
        if not _WORD.match(status):
            raise Unreadable("CallStatus is not a word of Twilio's")
        why = error_class(code, "callback") if code else _WHY.get(status)
        code = code or _code(status)
        return StatusReport(sid, _word(status), code, why, event_key=f"{sid}:{status}:{code}")


@asynccontextmanager
async def open_twilio_voice(account: TwilioAccount) -> AsyncIterator[TwilioVoice]:
    """Yield an adapter with its open session and close it afterwards."""
    async with connected(account) as http:
        yield TwilioVoice(account, http)


def _accepted(call: Any) -> SendResult:
    if not isinstance(call.sid, str) or not _SID.match(call.sid) or not isinstance(call.status, str):
        return Unknown("answer_without_sid")
    return Accepted(call.sid, _word(call.status), segments=1)


def _found(call: Any) -> Found:
    status = str(call.status)
    return Found(call.sid, _word(status), 1, _code(status), call.date_created)


def _word(status: str) -> str:
    return _AS_MESSAGE.get(status, status)


def _code(status: str) -> str:
    return f"call_{status.replace('-', '_')}" if status in _WHY else ""


def _sid(form: Mapping[str, str]) -> str:
    sid = required(form, "CallSid")
    if not _SID.match(sid):
        raise Unreadable("CallSid is not CA and 32 hexadecimal digits")
    return sid
