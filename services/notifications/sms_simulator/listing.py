"""The list operation: filters, newest first, and pages that stay put while new messages arrive."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from sms_simulator.errors import ApiError
from sms_simulator.mailbox import Mailbox
from sms_simulator.message import Message

PAGE_MAX = 1000
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Query:
    """One page of a list request; `sent_from` and `sent_before` are Unix seconds, half open."""

    to: str | None
    sender: str | None
    sent_from: float | None
    sent_before: float | None
    page: int
    page_size: int
    below_seq: int | None
    filters: tuple[tuple[str, str], ...]


def read_query(pairs: list[tuple[str, str]]) -> Query:
    """Read the query string of a list request; raises ApiError for what Twilio would refuse."""
    asked = dict(pairs)
    sent_from, sent_before = _sent_window(asked)
    return Query(
        to=asked.get("To") or None,
        sender=asked.get("From") or None,
        sent_from=sent_from,
        sent_before=sent_before,
        page=number(asked, "Page", 0, 0, 10**9),
        page_size=number(asked, "PageSize", 50, 1, PAGE_MAX),
        below_seq=_token(asked.get("PageToken", "")),
        filters=tuple((k, v) for k, v in pairs if k not in {"Page", "PageToken", "PageSize"}),
    )


def page_answer(mailbox: Mailbox, query: Query, path: str, now: float) -> dict[str, Any]:
    """Return one page in Twilio's form; the token names the last message seen, so nothing is shown twice."""
    found = list(islice(_matching(mailbox, query, now), query.page_size + 1))
    shown = found[: query.page_size]
    start = query.page * query.page_size
    more = len(found) > query.page_size
    return {
        "messages": [message.answer() for message in shown],
        "page": query.page,
        "page_size": query.page_size,
        "start": start,
        "end": start + max(len(shown) - 1, 0),
        "uri": _uri(path, query, query.page, query.below_seq),
        "first_page_uri": _uri(path, query, 0, None),
        "next_page_uri": _uri(path, query, query.page + 1, shown[-1].seq) if more else None,
        "previous_page_uri": None if query.page == 0 else _uri(path, query, query.page - 1, None),
    }


def _matching(mailbox: Mailbox, query: Query, now: float) -> Iterator[Message]:
    for message in mailbox.newest(query.to, query.sender):
        if query.below_seq is not None and message.seq >= query.below_seq:
            continue
        if message.visible_at <= now and _sent_within(message, query):
            yield message


def _sent_within(message: Message, query: Query) -> bool:
    if query.sent_from is None and query.sent_before is None:
        return True
    # DateSent is unset while a message is queued, so a filter by it hides what was just accepted.
    if message.sent_at is None:
        return False
    late_enough = query.sent_from is None or message.sent_at >= query.sent_from
    return late_enough and (query.sent_before is None or message.sent_at < query.sent_before)


def _sent_window(asked: dict[str, str]) -> tuple[float | None, float | None]:
    sent_from, sent_before = None, None
    if exact := asked.get("DateSent"):
        sent_from, sent_before = _span(exact)
    if after := asked.get("DateSent>"):
        sent_from = _span(after)[0]
    if before := asked.get("DateSent<"):
        sent_before = _span(before)[1]
    return sent_from, sent_before


def _span(text: str) -> tuple[float, float]:
    """Return the seconds that a date (a day) or a date-time (a second) covers."""
    try:
        if len(text) == len("2026-01-31"):
            day = datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
            return day.timestamp(), (day + _DAY).timestamp()
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ApiError(400, 20001, f"DateSent {text!r} is not a date; use YYYY-MM-DD.") from None
    start = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return start, start + 1


def number(asked: dict[str, str], name: str, default: int, low: int, high: int) -> int:
    """A parameter as a number, cut to `high`. Raises: ApiError."""
    text = asked.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 10 or int(text) < low:
        raise ApiError(400, 20001, f"{name} {text!r} is not a number of at least {low}.")
    return min(int(text), high)


def _token(text: str) -> int | None:
    if not text:
        return None
    if not text.startswith("PASM") or not text[4:].isdigit() or len(text) > 24:
        raise ApiError(400, 20001, "PageToken is not one that this server gave.")
    return int(text[4:])


def _uri(path: str, query: Query, page: int, below_seq: int | None) -> str:
    pairs = [*query.filters, ("PageSize", str(query.page_size)), ("Page", str(page))]
    if below_seq is not None:
        pairs.append(("PageToken", f"PASM{below_seq}"))
    return f"{path}?{urlencode(pairs)}"
