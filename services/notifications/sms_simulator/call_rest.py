"""Twilio's REST API for calls: create, list, fetch, end and delete; what is refused has Twilio's code.

Codes: twilio.com/docs/api/errors. Pages stay put while new calls arrive, as those of messages do.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any
from urllib.parse import urlencode, urlsplit

from sms_simulator import errors
from sms_simulator.errors import ApiError
from sms_simulator.intake import E164, Rules
from sms_simulator.listing import PAGE_MAX, number
from sms_simulator.message import API_VERSION
from sms_simulator.phone_call import PhoneCall
from sms_simulator.spoiling import spoil_after, spoil_before
from sms_simulator.switchboard import Switchboard

Pairs = list[tuple[str, str]]
EVENTS = frozenset({"initiated", "ringing", "answered", "completed"})
RING_MAX_S = 600
_TOKEN = re.compile(r"^PACA(\d{1,18})$")
_PAGING = frozenset({"Page", "PageToken", "PageSize"})
_FILTERS = frozenset({"To", "From", "Status"})


class CallRest:
    """One account's calls."""

    def __init__(self, board: Switchboard, rules: Rules) -> None:
        self._board, self._rules = board, rules
        self.path = f"/{API_VERSION}/Accounts/{board.account_sid}/Calls"

    async def collection(self, method: str, pairs: Pairs) -> tuple[int, bytes]:
        """Create by POST, list by GET. Raises: ApiError, Cut."""
        if method == "POST":
            return await self._create(pairs)
        if method == "GET":
            return await self._list(pairs)
        raise errors.method_not_allowed()

    async def one(self, method: str, sid: str, pairs: Pairs) -> tuple[int, bytes]:
        """Fetch, end or delete a call. Raises: ApiError, Cut."""
        call = self._board.get(sid)
        if call is None:
            raise errors.not_found(f"{self.path}/{sid}.json")
        if method == "GET":
            await spoil_before(self._board.faults, "fetch", call.to, call.sender)
        elif method == "POST":
            await self._update(call, dict(pairs))
        elif method == "DELETE":
            call.deleted = True
            return 204, b""
        else:
            raise errors.method_not_allowed()
        return 200, _encoded(call.answer())

    async def _create(self, pairs: Pairs) -> tuple[int, bytes]:
        form = dict(pairs)
        faults, to, sender = self._board.faults, form.get("To", ""), form.get("From", "")
        await spoil_before(faults, "create", to, sender)
        self._check(form)
        if self._board.full:
            raise ApiError(429, 10004, "Call concurrency limit exceeded")
        call = self._board.new(sender, to, form["Url"])
        call.callback_url = form.get("StatusCallback", "")
        call.events = _events(pairs)
        call.ring_s = _ring_s(form.get("Timeout", ""))
        answered = _encoded(call.answer())  # As it was taken, however late the answer goes out.
        self._board.take(call)
        await spoil_after(faults, to, sender)
        return 201, answered

    def _check(self, form: dict[str, str]) -> None:
        to, sender = form.get("To", ""), form.get("From", "")
        if not to:
            raise ApiError(400, 21201, "No 'To' number is specified")
        if not sender:
            raise ApiError(400, 21213, "Caller phone number is required.")
        if not E164.match(to):
            raise ApiError(400, 21211, f"Invalid 'To' Phone Number: {to}")
        if not E164.match(sender):
            raise ApiError(400, 21212, f"Invalid 'From' Phone Number: {sender}")
        if self._rules.senders and sender not in self._rules.senders:
            raise ApiError(400, 21210, f"Source phone number {sender} is not yet verified for your account.")
        if not _is_address(form.get("Url", "")):
            raise ApiError(400, 21205, "Url is not a valid URL.")
        if form.get("StatusCallback") and not _is_address(form["StatusCallback"]):
            raise ApiError(400, 21609, "The 'StatusCallback' URL is not a valid URL.")

    async def _update(self, call: PhoneCall, form: dict[str, str]) -> None:
        await spoil_before(self._board.faults, "update", call.to, call.sender)
        if form.get("Status") not in ("canceled", "completed"):
            raise ApiError(400, 20001, "Status can only be set to 'canceled' or 'completed'.")
        if not self._board.hang_up(call):
            raise ApiError(400, 21220, "Call is not in-progress. Cannot redirect.")

    async def _list(self, pairs: Pairs) -> tuple[int, bytes]:
        asked = dict(pairs)
        await spoil_before(self._board.faults, "list", asked.get("To", ""), asked.get("From", ""))
        size, page = number(asked, "PageSize", 50, 1, PAGE_MAX), number(asked, "Page", 0, 0, 10**9)
        filters = [(k, v) for k, v in pairs if k not in _PAGING]
        if unknown := {k for k, _ in filters} - _FILTERS:
            raise ApiError(400, 20001, f"The simulator does not filter calls by {sorted(unknown)[0]}.")
        found = list(islice(self._matching(asked), size + 1))
        return 200, _encoded(self._page(found[:size], len(found) > size, filters, size, page))

    def _matching(self, asked: dict[str, str]) -> Iterator[PhoneCall]:
        below, now = _below(asked.get("PageToken", "")), time.time()
        for call in self._board.newest(asked.get("To") or None, asked.get("From") or None):
            shown = below is None or call.seq < below
            if shown and call.visible_at <= now and asked.get("Status", "") in ("", call.answer()["status"]):
                yield call

    def _page(
        self, shown: list[PhoneCall], more: bool, filters: Pairs, size: int, page: int
    ) -> dict[str, Any]:
        def uri(number: int, token: str = "") -> str:
            paging = [
                ("PageSize", str(size)),
                ("Page", str(number)),
                *([("PageToken", token)] if token else []),
            ]
            return f"{self.path}.json?{urlencode([*filters, *paging])}"

        return {
            "calls": [call.answer() for call in shown],
            "page": page,
            "page_size": size,
            "start": page * size,
            "end": page * size + max(len(shown) - 1, 0),
            "uri": uri(page),
            "first_page_uri": uri(0),
            "next_page_uri": uri(page + 1, f"PACA{shown[-1].seq}") if more else None,
            "previous_page_uri": uri(page - 1) if page else None,
        }


def _events(pairs: Pairs) -> frozenset[str]:
    """Without any Twilio reports the end only."""
    asked = {value for name, value in pairs if name == "StatusCallbackEvent"}
    if unknown := asked - EVENTS:
        raise ApiError(400, 21626, f"StatusCallbackEvent {sorted(unknown)[0]!r} is not supported.")
    return frozenset(asked or {"completed"})


def _ring_s(text: str) -> float:
    if not text:
        return 60.0
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= RING_MAX_S:
        raise ApiError(400, 20001, f"Timeout {text!r} is not a number of seconds up to {RING_MAX_S}.")
    return float(text)


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in {"http", "https"} and bool(parts.hostname) and "_" not in (parts.hostname or "")
        )
    except ValueError:
        return False


def _below(token: str) -> int | None:
    if not token:
        return None
    if not (match := _TOKEN.match(token)):
        raise ApiError(400, 20001, "PageToken is not one that this server gave.")
    return int(match[1])


def _encoded(answer: dict[str, Any]) -> bytes:
    return json.dumps(answer, ensure_ascii=False).encode()
