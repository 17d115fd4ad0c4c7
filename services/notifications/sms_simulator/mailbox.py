"""What the simulator remembers: messages by number, the ledger of what was accepted, and who said STOP.

Memory is bounded: beyond `keep` messages the oldest is forgotten, and the ledger says how many were.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from sms_simulator.journal import Entry, Journal
from sms_simulator.message import Message
from sms_simulator.pulse import Pulse

STOP_WORDS = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
START_WORDS = frozenset({"START", "YES", "UNSTOP"})
_RARE = ("sent_at", "error_code", "redacted", "deleted")  # Written only when set; none is ever unset.
_KEPT_FIELDS = tuple(f.name for f in fields(Message) if f.name != "steps")


class Mailbox:
    """All messages of one account, newest last, each indexed by its two numbers."""

    def __init__(self, journal: Journal, keep: int, pulse: Pulse) -> None:
        self.journal = journal
        self.pulse = pulse
        self.keep = keep
        self.forgotten = 0
        self.last_seq = 0
        self.messages: deque[Message] = deque()
        self.by_sid: dict[str, Message] = {}
        self.by_to: dict[str, deque[Message]] = {}
        self.by_from: dict[str, deque[Message]] = {}
        self.ledger: Counter[tuple[str, str]] = Counter()
        self.opt_outs: set[tuple[str, str]] = set()
        self.inbound_urls: dict[str, str] = {}

    def next_seq(self) -> int:
        """Return the number of the next message; it only rises, also over a restart."""
        self.last_seq += 1
        return self.last_seq

    def add(self, message: Message) -> None:
        """Keep a message: first in the journal, then in memory."""
        self.journal.append({"k": "m", **_kept(message)})
        self._index(message)
        self.pulse.beat()

    def update(self, message: Message) -> None:
        """Write down a message's new status, redaction or deletion."""
        entry = {"k": "u", "sid": message.sid, "status": message.status, "updated_at": message.updated_at}
        entry.update((name, value) for name in _RARE if (value := getattr(message, name)))
        self.journal.append(entry)
        self.pulse.beat()

    def get(self, sid: str) -> Message | None:
        """Return a message that was not deleted."""
        message = self.by_sid.get(sid)
        return None if message is None or message.deleted else message

    def newest(self, to: str | None = None, sender: str | None = None) -> Iterator[Message]:
        """Yield messages newest first, through the narrowest index."""
        source = self.messages
        if to is not None:
            source = self.by_to.get(to, deque())
        elif sender is not None:
            source = self.by_from.get(sender, deque())
        for message in reversed(source):
            if not message.deleted and (sender is None or message.sender == sender):
                yield message

    def thread(self, phone: str) -> list[Message]:
        """Return what was said to and by one phone, newest first."""
        both = [*self.by_to.get(phone, ()), *self.by_from.get(phone, ())]
        return sorted((m for m in both if not m.deleted), key=lambda m: -m.seq)

    def heed(self, phone: str, ours: str, body: str) -> None:
        """Take STOP and START as Twilio does: by whole word, for one pair of numbers."""
        word = body.strip().upper()
        if word in STOP_WORDS or word in START_WORDS:
            self._opt(phone, ours, word in STOP_WORDS)
            self.journal.append({"k": "o", "phone": phone, "ours": ours, "out": word in STOP_WORDS})

    def opted_out(self, ours: str, phone: str) -> bool:
        """Say whether `phone` told `ours` to stop."""
        return bool(self.opt_outs) and (phone, ours) in self.opt_outs

    def set_inbound_url(self, number: str, url: str) -> None:
        """Say where texts to one of our numbers go; an empty URL forgets it."""
        self._remember_url(number, url)
        self.journal.append({"k": "n", "number": number, "url": url})

    def clear(self) -> None:
        """Forget everything, the journal included; numbering goes on."""
        self.messages.clear()
        for index in (self.by_sid, self.by_to, self.by_from, self.ledger, self.inbound_urls):
            index.clear()
        self.opt_outs.clear()
        self.forgotten = 0
        self.journal.rewrite([])

    def restore(self) -> None:
        """Read the journal back and write it anew without what was forgotten."""
        for entry in self.journal.entries():
            self._replay(dict(entry))
        self.journal.rewrite(self._snapshot())

    def _replay(self, entry: Entry) -> None:
        kind = entry.pop("k", "")
        if kind == "m":
            message = Message(**entry)
            self.last_seq = max(self.last_seq, message.seq)
            self._index(message)
        elif kind == "u" and (known := self.by_sid.get(entry.pop("sid"))):
            for name, value in entry.items():
                setattr(known, name, value)
        elif kind == "o":
            self._opt(entry["phone"], entry["ours"], entry["out"])
        elif kind == "n":
            self._remember_url(entry["number"], entry["url"])

    def _snapshot(self) -> Iterator[Entry]:
        for message in self.messages:
            yield {"k": "m", **_kept(message)}
        for phone, ours in sorted(self.opt_outs):
            yield {"k": "o", "phone": phone, "ours": ours, "out": True}
        for number, url in sorted(self.inbound_urls.items()):
            yield {"k": "n", "number": number, "url": url}

    def _opt(self, phone: str, ours: str, out: bool) -> None:
        if out:
            self.opt_outs.add((phone, ours))
        else:
            self.opt_outs.discard((phone, ours))

    def _remember_url(self, number: str, url: str) -> None:
        if url:
            self.inbound_urls[number] = url
        else:
            self.inbound_urls.pop(number, None)

    def _index(self, message: Message) -> None:
        self.messages.append(message)
        self.by_sid[message.sid] = message
        self.by_to.setdefault(message.to, deque()).append(message)
        self.by_from.setdefault(message.sender, deque()).append(message)
        if message.direction != "inbound":
            self.ledger[message.to, message.body] += 1
        if len(self.messages) > self.keep:
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        message = self.messages.popleft()
        self.forgotten += 1
        del self.by_sid[message.sid]
        for index, number in ((self.by_to, message.to), (self.by_from, message.sender)):
            index[number].popleft()
            if not index[number]:
                del index[number]
        pair = (message.to, message.body)
        if message.direction != "inbound":
            self.ledger[pair] -= 1
            if not self.ledger[pair]:
                del self.ledger[pair]


def _kept(message: Message) -> dict[str, Any]:
    return {name: getattr(message, name) for name in _KEPT_FIELDS}
