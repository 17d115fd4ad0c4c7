"""What SMS and calls through Twilio share: the account, its client, and what an answer or a refusal means."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.rest import Client

from notifications.providers.error_policy import ErrorClass, error_class, policies
from notifications.providers.protocol import (
    Callback,
    CannotSay,
    Forged,
    Found,
    NotSent,
    Rejected,
    SendResult,
    Unknown,
    Unreadable,
)
from notifications.providers.signature import is_signed
from notifications.providers.twilio_http import AmbiguousOutcome, NoBytesSent, TwilioHttp, open_http

# What the library raises for an answer of an unexpected shape: it checks none.
UNREADABLE = (TwilioException, ValueError, TypeError, KeyError, AttributeError)
FIELD_MAX = 2_000
PAGE_SIZE = 100
PAGES_MAX = 5  # 500 messages to one number since one attempt: more means something else is wrong.
CLOCK_SKEW = timedelta(minutes=2)
"""How far our clock and Twilio's may differ; too old a hit is excluded by `owned`, a missed one would double."""


@dataclass(frozen=True, slots=True)
class TwilioAccount:
    """One account and sender. An empty `base_url` is Twilio itself; anything else speaks its API.

    `ring_s` and `voice_to_china` are of calls only.
    """

    account_sid: str
    auth_token: str = field(repr=False)
    sender: str
    base_url: str = ""
    connect_timeout_s: float = 2.0
    total_timeout_s: float = 5.0
    connections_max: int = 64
    visibility_lag_s: float = 10.0
    ring_s: int = 40
    voice_to_china: bool = False


def client_of(account: TwilioAccount, http: TwilioHttp) -> Client:
    """The library's client over our own connections."""
    # Without an environment of its own the client reads TWILIO_EDGE and TWILIO_REGION and rewrites the host.
    client = Client(account.account_sid, account.auth_token, http_client=http, environment={"": ""})
    if account.base_url:
        client.api.base_url = account.base_url.rstrip("/")
    return client


async def outcome_of(create: Awaitable[Any], accepted: Callable[[Any], SendResult]) -> SendResult:
    """Wait for a create of the library's and say honestly how it ended; never raises for what the world does."""
    try:
        made = await create
    except NoBytesSent as error:
        return NotSent(str(error))
    except AmbiguousOutcome as error:
        return Unknown(str(error))
    except (TwilioRestException, TwilioServiceException) as error:
        return _refusal(int(error.status), str(error.code or error.status))
    except UNREADABLE as error:  # Perhaps a proxy's answer; it may well have been accepted.
        return Unknown(type(error).__name__)
    return accepted(made)


async def listed(
    what: str,
    first_page: Awaitable[Any],
    since: datetime,
    owned: Collection[str],
    found: Callable[[Any], Found],
    fits: Callable[[Any], bool] = lambda _: True,
) -> list[Found] | CannotSay:
    """What fits of a list of Twilio's that is newest first, was made since then and belongs to no other attempt.

    `what` names the list. Never raises for what the world does: a list that can't be read to where it matters says
    nothing.
    """
    try:
        hits = await _scanned(first_page, since, owned, found, fits)
    except (NoBytesSent, AmbiguousOutcome) as error:
        return CannotSay(str(error))
    except UNREADABLE as error:
        return CannotSay(type(error).__name__)
    return CannotSay(f"too_many_{what}") if hits is None else hits


async def _scanned(
    first_page: Awaitable[Any],
    since: datetime,
    owned: Collection[str],
    found: Callable[[Any], Found],
    fits: Callable[[Any], bool],
) -> list[Found] | None:
    """What was found; None if the end was not reached and nothing was."""
    page, hits = await first_page, list[Found]()
    for _ in range(PAGES_MAX):
        items = list(page)
        hits += [found(i) for i in items if fits(i) and i.sid not in owned and i.date_created >= since]
        if not page.next_page_url or any(item.date_created < since for item in items):
            return hits
        page = await page.next_page_async()
    return hits or None


@asynccontextmanager
async def connected(account: TwilioAccount) -> AsyncIterator[TwilioHttp]:
    """Our own connections for an account, closed afterwards."""
    async with open_http(
        connect_timeout_s=account.connect_timeout_s,
        total_timeout_s=account.total_timeout_s,
        connections_max=account.connections_max,
    ) as http:
        yield http


def _refusal(status: int, code: str) -> SendResult:
    # 408 and 5xx come from somewhere on the way, perhaps after Twilio took the message; 3xx is no answer of Twilio's.
    if not 400 <= status < 500 or status == 408:
        return Unknown(f"http_{status}")
    if status == 429 and code not in policies():  # A proxy's own; Twilio's 21611 is a 429 too.
        return Rejected(code, ErrorClass.transient_safe)
    return Rejected(code, error_class(code, "http"))


def check_signature(account: TwilioAccount, call: Callback) -> None:
    """Let pass what Twilio signed for this account. Raises: Forged."""
    signature = call.headers.get("x-twilio-signature", "")
    if not is_signed((account.auth_token,), call.url, call.form, signature):
        raise Forged


def required(form: Mapping[str, str], name: str) -> str:
    """A field that must be there, bounded and printable. Raises: Unreadable."""
    value = form.get(name, "")
    if not value or len(value) > FIELD_MAX or not value.isprintable():
        raise Unreadable(f"{name} is missing, too long or not printable")
    return value


def error_code(form: Mapping[str, str]) -> str:
    """The error of a status callback, empty for none. Raises: Unreadable."""
    code = form.get("ErrorCode", "")
    if code and not (code.isascii() and code.isdigit() and len(code) <= 6):
        raise Unreadable("ErrorCode is not a number")
    return code
