"""What may have happened: how they travel, since when, how fast and where to, each with a weight.

A lost child is a hypothesis of its own: on foot, without a destination, found within a distance that its age
suggests. Every default weight is in `assumptions`, with its source or marked as assumed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from contracts.base import TravelMode
from dispatch.domain import speeds
from dispatch.domain.reach import Entry, Origin
from dispatch.planning import assumptions
from dispatch.planning.assumptions import LostProfile

MODES = (TravelMode.walking, TravelMode.car, TravelMode.bus, TravelMode.ferry)
SUM_ERROR_MAX = 1e-6


class HypothesisError(ValueError):
    """The hypotheses contradict themselves; the message says which one, and how to mend it."""


@dataclass(frozen=True)
class Hypothesis:
    """Somebody leaves in [departure_s, departure_s + spread_s] from one of the entries, in this mode.

    `entries` have the seconds from where they were seen to the node at `speed_factor` 1, which is the usual speed
    of the mode. `destination` is an exit's node, None if they stay in the area. `lost` marks a child that nobody
    took.
    """

    mode: TravelMode
    departure_s: float
    speed_factor: float
    destination: int | None
    weight: float
    entries: tuple[Entry, ...]
    spread_s: float = 0.0
    lost: LostProfile | None = None


def default_hypotheses(
    origins: Sequence[Origin],
    exits: Sequence[int],
    suspected_mode: TravelMode,
    now_s: float,
    *,
    age_years: int = 6,
    exit_weights: Sequence[float] | None = None,
    lost_share: float | None = None,
    mode_shares: Mapping[TravelMode, float] | None = None,
) -> tuple[Hypothesis, ...]:
    """The mix to begin with: every mode, delay, speed and destination, and a lost child; weights sum to 1.

    Origins are equally likely, exits too unless `exit_weights` are given; an exit named twice counts twice.
    Somebody who was seen long before `now_s` may have left as late as now.

    Raises: HypothesisError, if there is no origin, one lies after `now_s`, or a weight is negative.
    """
    if not origins:
        raise HypothesisError("There is no origin; give at least one place where they were seen.")
    late = [origin for origin in origins if origin.seen_s > now_s]
    if late:
        raise HypothesisError(f"An origin is at {late[0].seen_s} s, after now ({now_s} s); mend the time.")
    shares = dict(mode_shares or _shares(suspected_mode))
    known = suspected_mode is not TravelMode.unknown
    lost = (
        (assumptions.LOST_SHARE_SUSPECTED if known else assumptions.LOST_SHARE)
        if lost_share is None
        else lost_share
    )
    ends = _destinations(exits, exit_weights)
    made: list[Hypothesis] = []
    for origin in origins:
        for mode in MODES:
            share = shares.get(mode, 0.0) * (1 - lost) / len(origins)
            made += _of_mode(origin, mode, share, now_s, ends)
        made += _lost(origin, lost / len(origins), now_s, assumptions.lost_profile(age_years))
    return normalised([hypothesis for hypothesis in made if hypothesis.weight != 0])


def normalised(hypotheses: Sequence[Hypothesis]) -> tuple[Hypothesis, ...]:
    """The same with weights that sum to 1. Raises: HypothesisError, if a weight is negative or all are 0."""
    for hypothesis in hypotheses:
        if not np.isfinite(hypothesis.weight) or hypothesis.weight < 0:
            raise HypothesisError(f"A hypothesis has the weight {hypothesis.weight}; give 0 or more.")
        if hypothesis.speed_factor <= 0 or hypothesis.spread_s < 0 or not hypothesis.entries:
            raise HypothesisError(f"{hypothesis} needs an entry, a speed above 0 and a spread of 0 or more.")
    total = sum(hypothesis.weight for hypothesis in hypotheses)
    if total <= 0:
        raise HypothesisError("No hypothesis has a weight above 0; give one at least.")
    if abs(total - 1) <= 1e-12:
        return tuple(hypotheses)
    return tuple(replace(hypothesis, weight=hypothesis.weight / total) for hypothesis in hypotheses)


def usual_entries(origin: Origin, mode: TravelMode, lost: bool = False) -> tuple[Entry, ...]:
    """The origin's entries with this mode's usual seconds to them, not the fewest that anybody needs."""
    if mode is TravelMode.car:
        slower = speeds.CAR_FACTOR
    else:
        fastest = speeds.WALK_KMH if origin.mode is TravelMode.walking else speeds.LANE_KMH
        slower = fastest / (assumptions.LOST_KMH if lost else assumptions.WALK_KMH)
    return tuple(Entry(entry.node, entry.access_s * slower) for entry in origin.entries)


def _shares(suspected: TravelMode) -> dict[TravelMode, float]:
    """A witness's word counts, and the usual mix shares the rest."""
    if suspected is TravelMode.unknown:
        return dict(assumptions.MODE_SHARES)
    others = 1 - assumptions.MODE_SHARES[suspected]
    rest = 1 - assumptions.SUSPECTED_SHARE
    mix = {mode: share / others * rest for mode, share in assumptions.MODE_SHARES.items()}
    return mix | {suspected: assumptions.SUSPECTED_SHARE}


def _destinations(exits: Sequence[int], weights: Sequence[float] | None) -> list[tuple[int | None, float]]:
    if weights is not None and (len(weights) != len(exits) or min(weights, default=0.0) < 0):
        raise HypothesisError(f"{len(exits)} exits need as many weights of 0 or more; got {len(weights)}.")
    shares = [1.0] * len(exits) if weights is None else list(weights)
    total = sum(shares)
    if total <= 0:
        return [(None, 1.0)]
    away = 1 - assumptions.GROUND_SHARE
    ends: list[tuple[int | None, float]] = [
        (int(node), away * share / total) for node, share in zip(exits, shares, strict=True)
    ]
    return [*ends, (None, assumptions.GROUND_SHARE)]


def _departures(origin: Origin, now_s: float) -> list[tuple[float, float, float]]:
    """(from, until, share) on the caller's axis; the last stretch reaches to now at least."""
    *early, (last_from, last_until, last) = [
        (origin.seen_s + 60 * start, origin.seen_s + 60 * until, share)
        for start, until, share in assumptions.DEPARTURES_MIN
    ]
    return [*early, (last_from, max(last_until, now_s), last)]


def _of_mode(
    origin: Origin, mode: TravelMode, share: float, now_s: float, ends: Sequence[tuple[int | None, float]]
) -> Iterator[Hypothesis]:
    entries = usual_entries(origin, mode)
    for start_s, until_s, on_time in _departures(origin, now_s):
        for factor, at_pace in assumptions.SPEEDS[mode]:
            for node, to_there in ends:
                weight = share * on_time * at_pace * to_there
                yield Hypothesis(mode, start_s, factor, node, weight, entries, until_s - start_s)


def _lost(origin: Origin, share: float, now_s: float, profile: LostProfile) -> Iterator[Hypothesis]:
    entries = usual_entries(origin, TravelMode.walking, lost=True)
    for start_s, until_s, on_time in _departures(origin, now_s):
        yield Hypothesis(
            TravelMode.walking, start_s, 1.0, None, share * on_time, entries, until_s - start_s, profile
        )
