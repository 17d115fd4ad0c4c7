"""What somebody tells on the notice page: a chip, a few words, when; read without ever losing what was typed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time, timedelta
from hashlib import sha256

NOTE_MAX = 1000
TYPED_MAX = 2000
"""So much of a text that is too long comes back on the page, which must stay small."""
WAITED_MAX = timedelta(days=1)
"""Longer than that no phone keeps what it could not send; a larger number is a mistake."""
WHAT = {
    "child": ("像这个孩子", "Like the child"),
    "adult": ("可疑成人", "A suspicious adult"),
    "vehicle": ("可疑车辆", "A vehicle"),
}
AGO = {"0": ("刚才", "Just now"), "5": ("5分钟前", "5 min ago"), "15": ("15分钟前", "15 min ago")}


@dataclass(frozen=True)
class Typed:
    """The form as it came; `waited_s` is how long it lay on a phone without signal."""

    what: str = ""
    note: str = ""
    ago: str = ""
    seen_at: str = ""
    waited_s: str = ""
    key: str = ""

    @property
    def trouble(self) -> str:
        """Why it can't be taken, as a key of `pages.REFUSED`; empty if it can."""
        if self.what not in WHAT and not self.note.strip():
            return "no_note"
        if len(self.note) > NOTE_MAX:
            return "long_note"
        try:
            clock_time(self.seen_at)
        except ValueError:
            return "bad_time"
        return ""

    @property
    def words(self) -> str:
        """What goes on: the chip in Chinese, since the command centre reads that, and the words as they were typed."""
        chip = WHAT[self.what][0] if self.what in WHAT else ""
        return "：".join(part for part in (chip, self.note.strip()) if part)

    @property
    def pressed_ago(self) -> timedelta:
        """How long ago the button was pressed; by the phone's own count, so that its clock may be wrong."""
        counted = self.waited_s[:6]
        waited_s = int(counted) if counted.isascii() and counted.isdigit() else 0
        return min(timedelta(seconds=waited_s), WAITED_MAX)

    @property
    def ago_min(self) -> timedelta:
        """How long before the press it was seen."""
        return timedelta(minutes=int(self.ago)) if self.ago in AGO else timedelta(0)

    @property
    def once(self) -> str:
        """The same for the same words from the same page: a repeated press is one sighting, other words are another."""
        said = (self.key, self.what, self.note.strip(), self.ago, self.seen_at)
        return sha256("\n".join(said).encode()).hexdigest()

    def shortened(self) -> Typed:
        """As it is shown again."""
        return Typed(self.what, self.note[:TYPED_MAX], self.ago, self.seen_at[:20])


def clock_time(text: str) -> time | None:
    """Read HH:MM; nothing means now. Raises: ValueError."""
    return time.fromisoformat(text.strip()).replace(tzinfo=None) if text.strip() else None
