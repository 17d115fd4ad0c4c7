"""The rings (布控圈): which area is told when, and what in it is told first.

The schedule counts from the moment the child was last seen, not from the report: a report that comes 2.5 h late
starts at the ring that is due by then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.alert import Ring
from contracts.base import Position

FASTEST_PLAUSIBLE_KMH = 120.0
"""Speed limit of China's expressways (Road Traffic Safety Law regulation, article 78)."""
LOOK_AHEAD = timedelta(minutes=30)
"""A notice is read and acted on some time after it is sent; the first ring looks that far ahead."""


@dataclass(frozen=True)
class RingStep:
    """One step of the schedule: from `after` last seen on, sites within `radius_km` are told."""

    step: int
    after: timedelta
    radius_km: float


DEFAULT_SCHEDULE = tuple(
    RingStep(step, timedelta(hours=step), radius) for step, radius in enumerate((100.0, 200.0, 300.0, 500.0))
)


def first_step(schedule: Sequence[RingStep], last_seen_at: datetime, now: datetime) -> RingStep:
    """The widest ring that is due by `now`; the first one if none is."""
    due = [each for each in schedule if due_at(each, last_seen_at) <= now]
    return max(due, key=lambda each: each.step, default=schedule[0])


def due_at(step: RingStep, last_seen_at: datetime) -> datetime:
    """When this ring is told."""
    return last_seen_at + step.after


def near_radius_km(last_seen_at: datetime, now: datetime, radius_km: float) -> float:
    """How far (km) the child can be when a notice sent now is acted on; never more than the ring."""
    elapsed_h = max(timedelta(0), now - last_seen_at) + LOOK_AHEAD
    return min(radius_km, elapsed_h / timedelta(hours=1) * FASTEST_PLAUSIBLE_KMH)


def ring_at(step: int, radius_km: float, center: Position, last_seen_at: datetime, now: datetime) -> Ring:
    """The ring as the alert tells it."""
    near = near_radius_km(last_seen_at, now, radius_km)
    return Ring(step=step, center=center, radius_km=radius_km, near_radius_km=round(near, 3))
