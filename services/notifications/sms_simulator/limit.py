"""The provider's limit: segments a second for each sender, over which it refuses or queues."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

QUEUE_MAX_S = 36_000.0  # A sender's queue of more than ten hours rejects with 21611.
Mode = Literal["reject", "queue"]


@dataclass(frozen=True, slots=True)
class Rate:
    """So many segments a second, with a burst that may go at once."""

    segments_per_s: float
    burst: float
    mode: Mode


@dataclass(slots=True)
class Limits:
    """Token buckets by sender; unlimited until told otherwise. Times are Unix seconds."""

    default: Rate | None = None
    by_sender: dict[str, Rate] = field(default_factory=dict)
    _free_at: dict[str, float] = field(default_factory=dict)
    refused: int = 0

    def rate(self, sender: str) -> Rate | None:
        """Return the limit in force for `sender`."""
        return self.by_sender.get(sender, self.default)

    def set(self, rate: Rate | None, sender: str | None) -> None:
        """Change the limit of one sender, or of all that have none of their own; takes effect at once."""
        if sender is None:
            self.default = rate
        elif rate is None:
            self.by_sender.pop(sender, None)
        else:
            self.by_sender[sender] = rate
        self._free_at.clear()

    def admit(self, sender: str, segments: int, now: float) -> float | None:
        """Return how many seconds the message must wait before it is sent, or None to refuse it.

        The bucket is kept as the time at which it will be full again, so that a refusal costs nothing.
        """
        rate = self.rate(sender)
        if rate is None:
            return 0.0
        full_at = max(self._free_at.get(sender, 0.0), now)
        wait_s = full_at + (segments - rate.burst) / rate.segments_per_s - now
        allowed_s = QUEUE_MAX_S if rate.mode == "queue" else 1e-9
        if wait_s > allowed_s:
            self.refused += 1
            return None
        self._free_at[sender] = full_at + segments / rate.segments_per_s
        return max(wait_s, 0.0)

    def report(self) -> dict[str, Any]:
        """Return the limits in force and how many requests they refused."""
        return {
            "default": _described(self.default),
            "senders": {sender: _described(rate) for sender, rate in sorted(self.by_sender.items())},
            "refused": self.refused,
        }


def _described(rate: Rate | None) -> dict[str, Any] | None:
    if rate is None:
        return None
    return {"segments_per_s": rate.segments_per_s, "burst": rate.burst, "mode": rate.mode}
