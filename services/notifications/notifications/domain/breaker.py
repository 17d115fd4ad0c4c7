"""When a sender is left alone: after failures that are its own, for a while, then one message tries it again.

A sender that is down must not hold up what another could send, and must not be asked a hundred times a second. What
the recipient or the text is to blame for counts nothing here, and neither does a limit: that is what the pace is for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from notifications.domain.delivery import Outcome

FAILURES_MAX = 5
WITHIN = timedelta(seconds=30)
REST = timedelta(seconds=15)
REST_MAX = timedelta(minutes=5)
ITS_OWN_FAULT = frozenset({"permanent_config", "permanent_sender"})


@dataclass(frozen=True)
class Health:
    """How a sender did lately; `rests_until` is None while it works, `trips` counts rests without a success between."""

    failed_at: tuple[datetime, ...] = ()
    rests_until: datetime | None = None
    trips: int = 0
    code: str = field(default="", compare=False)

    def places(self, now: datetime, free: int) -> int:
        """How many messages it may be given now: all, none while it rests, one to try it out afterwards."""
        if self.rests_until is None:
            return free
        return min(1, free) if now >= self.rests_until else 0


def after(health: Health, outcomes: Iterable[Outcome], now: datetime) -> Health:
    """How it stands after these outcomes; a success forgets everything."""
    for outcome in outcomes:
        if outcome.kind == "accepted":
            health = Health()
        elif _is_its_fault(outcome):
            health = _failed(health, outcome, now)
    return health


def _is_its_fault(outcome: Outcome) -> bool:
    if outcome.kind in ("not_sent", "unknown"):
        return True
    return outcome.kind == "rejected" and outcome.reason in ITS_OWN_FAULT


def _failed(health: Health, outcome: Outcome, now: datetime) -> Health:
    if health.rests_until is not None and now < health.rests_until:
        return health  # What was under way when it was sent to rest says nothing new.
    failed_at = (*(at for at in health.failed_at if at > now - WITHIN), now)[-FAILURES_MAX:]
    tried_out = health.rests_until is not None
    if not tried_out and len(failed_at) < FAILURES_MAX and outcome.reason != "permanent_config":
        return replace(health, failed_at=failed_at)
    rest: timedelta = min(REST * 2 ** min(health.trips, 10), REST_MAX)
    return Health((), now + rest, health.trips + 1, outcome.code or outcome.reason)
