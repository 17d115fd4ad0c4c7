"""The SMS provider's own books: every SMS that its journal says was accepted, read from the file, not asked for.

The journal outlives a kill of the provider. What an SMS is about is read from its words, as its recipient does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_CASE = re.compile(r"[A-Z]{2}-\d{4,8}")
_VERSION = re.compile(r"(?:更新|update )(\d+)")
_LINK = re.compile(r"https?://\S+")
_SORTS = (
    ("stood_down", re.compile(r"协查解除|Stand down")),
    ("order_stood_down", re.compile(r"指令解除|order over")),
    ("order", re.compile(r"堵截指令|: go to |interception order")),
)


@dataclass(frozen=True)
class Sms:
    """One SMS that the provider accepted from us; `version` is 0 where the text says none."""

    sid: str
    phone: str
    body: str
    case_code: str
    sort: str
    version: int
    link: str


def read(journal: Path) -> list[Sms]:
    """Every SMS that we handed over, in the order of acceptance."""
    return [
        _sms(entry)
        for entry in _entries(journal)
        if entry["k"] == "m" and entry["direction"] == "outbound-api"
    ]


def _entries(journal: Path) -> Iterator[dict[str, Any]]:
    with journal.open(encoding="utf-8") as lines:
        for line in lines:
            try:
                yield json.loads(line)
            except ValueError:
                continue  # Torn by a kill: the provider never answered for it, and skips it too.


def _sms(entry: dict[str, Any]) -> Sms:
    body = str(entry["body"])
    case, version, link = _CASE.search(body), _VERSION.search(body), _LINK.search(body)
    return Sms(
        sid=entry["sid"],
        phone=entry["to"],
        body=body,
        case_code=case[0] if case else "",
        sort=next((name for name, words in _SORTS if words.search(body)), "alert"),
        version=int(version[1]) if version else 0,
        link=link[0] if link else "",
    )
