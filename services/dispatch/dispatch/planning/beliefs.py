"""What sightings and empty checkpoints say: Bayes over the sampled routes.

Every route keeps a weight. A piece of evidence multiplies it by how likely that evidence is if they are on that
route; logarithms are added in one canonical order, so the order of arrival does not change a bit of the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from contracts.base import TravelMode
from dispatch.domain import speeds
from dispatch.domain.network import nearest_node
from dispatch.domain.reach import Entry, Origin, earliest_arrival_s, origin_at
from dispatch.planning.estimate import effective_count
from dispatch.planning.hypotheses import MODES, Hypothesis, normalised, usual_entries
from dispatch.planning.model import Flags, Floats, Indices
from dispatch.planning.plane import metres_at, metres_of
from dispatch.planning.routes import draw_routes
from dispatch.planning.timed_routes import Routes, joined_routes
from dispatch.planning.world import World

# Fewer effective routes than this share of them say too little to plan on: new ones are drawn.
COLLAPSED_SHARE = 0.1
# A sighting that fewer routes explain cannot be told from a mistaken one by them.
EXPLAINED_MIN = 20
NEAR_FIT = 1e-4  # Farther than four errors off explains nothing.
# Then so many times the routes are drawn to find those that are left.
MORE = 4
# Five moments stand for an uncertain time: the points and weights of Gauss and Hermite, exact to the ninth degree.
_HERMITE_AT, _HERMITE_WEIGHT = np.polynomial.hermite_e.hermegauss(5)


@dataclass(frozen=True)
class Sighting:
    """Somebody says they saw them: where, when, how exactly, and how far to believe it (0 to 1).

    `error_m` and `error_s` are standard deviations of the position and the time.
    """

    lon: float
    lat: float
    at_s: float
    reliability: float
    error_m: float = 300.0
    error_s: float = 60.0


@dataclass(frozen=True)
class Unseen:
    """A manned checkpoint at this node saw nothing from `from_s` until `until_s`; it notices a passer with
    `detection`."""

    node: int
    from_s: float
    until_s: float
    detection: float


@dataclass(frozen=True)
class Blocked:
    """Nobody gets from one node to the next (both ways) in [from_s, until_s]: a slide, a closed bridge; so sure (0
    to 1)."""

    tail: int
    head: int
    from_s: float
    until_s: float
    certainty: float = 1.0


Evidence = Sighting | Unseen | Blocked


class EvidenceError(ValueError):
    """A piece of evidence cannot be; the message says which, and how to mend it."""


@dataclass(frozen=True, eq=False)
class Beliefs:
    """`weights` (R,) sum to 1. `effective_n` is how many equal routes they are worth (Kish).

    `likelihood` is how likely the evidence was before, on average over the routes. `contradicted`: no route is left
    that could be true, so the weights are the old ones; draw new routes. `explained_n` is how many equal routes
    explain the sighting that the fewest explain (inf without one). `collapsed`: too few carry the weight, or
    explain a sighting.
    """

    weights: Floats
    effective_n: float
    likelihood: float
    explained_n: float
    contradicted: bool
    collapsed: bool


def reweight(routes: Routes, evidence: Sequence[Evidence]) -> Beliefs:
    """The routes' weights after all of this evidence; the order in which it is listed makes no difference.

    Sightings: L = r * fit + (1 - r) * base. `fit` falls with the distance of the route's place at that moment from
    the sighting, over its errors; `base` is what a mistaken report has, which may come from anywhere in the network.
    Unseen: who came by while it was manned keeps 1 - detection of the weight. Blocked: who came through keeps 1 -
    certainty.

    Raises: EvidenceError, if a reliability, detection or certainty is outside [0, 1] or a stretch of time is turned
    round.
    """
    logs = np.zeros(routes.count)
    with np.errstate(divide="ignore"):
        for piece in sorted(evidence, key=_canonical):
            logs += np.log(_likelihood(routes, piece))
        total = logs + np.log(routes.weights)
    explained = min(
        (_explained_n(routes, one) for one in evidence if isinstance(one, Sighting)), default=np.inf
    )
    highest = float(total.max(initial=-np.inf))
    if not np.isfinite(highest):
        worth = effective_count(routes.weights)
        return Beliefs(routes.weights, worth, 0.0, explained, contradicted=True, collapsed=True)
    raw = np.exp(total - highest)
    weights = raw / raw.sum()
    worth = effective_count(weights)
    likelihood = float(np.exp(highest) * raw.sum() / routes.weights.sum())
    few = COLLAPSED_SHARE * routes.count
    collapsed = worth < few or explained < min(few, EXPLAINED_MIN)
    return Beliefs(weights, worth, likelihood, explained, contradicted=False, collapsed=collapsed)


def updated_routes(
    world: World,
    hypotheses: Sequence[Hypothesis],
    evidence: Sequence[Evidence],
    count: int,
    seed: int,
    drawn: Routes | None = None,
) -> Routes:
    """At most `count` routes (two at least) that carry all evidence, drawn anew where reweighting alone leaves too
    few.

    A sighting that hardly any sampled route explains is taken at its word with its reliability: that share of the
    weight goes to new routes that begin there, the rest to those that never were there. It is the latest one that
    the sure bound allows. Without such a sighting, more routes are drawn, and those that carry the weight are kept.
    Same arguments, same routes. `drawn` are the routes of the same arguments without evidence, if the caller has
    kept them; that only saves time.

    Raises: EvidenceError, as `reweight`; HypothesisError, as `sample_routes`.
    """
    mix, count = normalised(hypotheses), max(count, 2)
    routes = drawn or draw_routes(world, mix, count, seed)
    beliefs = reweight(routes, evidence)
    if not beliefs.collapsed:
        return routes.reweighted(beliefs.weights)
    sighting = _begin_again_at(world, mix, evidence)
    if sighting is None:
        more = draw_routes(world, mix, MORE * count, seed)
        return resampled(more.reweighted(reweight(more, evidence).weights), count, seed)
    return _begun_again(world, mix, routes, (sighting, evidence), count, seed)


def _begun_again(
    world: World,
    mix: tuple[Hypothesis, ...],
    routes: Routes,
    told: tuple[Sighting, Sequence[Evidence]],
    count: int,
    seed: int,
) -> Routes:
    """Those who were never at the sighting, and those who go on from it, by how likely each is after the other
    evidence."""
    sighting, evidence = told
    others = [piece for piece in evidence if piece != sighting]
    later = [piece for piece in others if _lasts_beyond(piece, sighting.at_s)]
    old = routes.reweighted(reweight(routes, others).weights)
    modes = {mode: share for mode, share in old.share_of_modes().items() if share > 0}
    new = draw_routes(world, hypotheses_from(world, sighting, mix, modes), count, seed + 1)
    after = reweight(new, later)
    true = sighting.reliability * after.likelihood
    mistaken = (1 - sighting.reliability) * reweight(routes, later).likelihood
    share = true / (true + mistaken) if true + mistaken > 0 else sighting.reliability
    newer = min(count - 1, max(1, round(share * count)))
    return joined_routes(
        resampled(old, count - newer, seed),
        resampled(new.reweighted(after.weights), newer, seed),
        newer / count,
    )


def hypotheses_from(
    world: World, sighting: Sighting, hypotheses: Sequence[Hypothesis], mode_shares: dict[TravelMode, float]
) -> tuple[Hypothesis, ...]:
    """How they go on from a sighting: on the move at that moment, to the destinations and at the paces known
    before."""
    made: list[Hypothesis] = []
    for mode in MODES:
        share = mode_shares.get(mode, 0.0)
        known = [one for one in hypotheses if one.mode is mode]
        total = sum(one.weight for one in known)
        if share <= 0 or total <= 0:
            continue
        origin = origin_at(world.network, sighting.lon, sighting.lat, sighting.at_s, mode)
        merged: dict[tuple[int, float, bool], Hypothesis] = {}
        for one in known:
            entries = usual_entries(origin, mode, lost=one.lost is not None)
            key = (-1 if one.destination is None else one.destination, one.speed_factor, one.lost is not None)
            weight = one.weight / total * share + (merged[key].weight if key in merged else 0.0)
            merged[key] = replace(
                one, departure_s=sighting.at_s, spread_s=sighting.error_s, entries=entries, weight=weight
            )
        made += merged.values()
    return normalised(made)


def resampled(routes: Routes, count: int, seed: int) -> Routes:
    """`count` routes of the same weight, each as often as its weight says (systematic resampling)."""
    bounds = np.cumsum(routes.weights)
    positions = (np.arange(count) + np.random.default_rng(seed).random()) / count * bounds[-1]
    last = int(np.flatnonzero(routes.weights)[-1])
    chosen = np.minimum(np.searchsorted(bounds, positions, side="right"), last)
    return routes.only(chosen).reweighted(np.full(count, 1 / count))


def positions_at(routes: Routes, at_s: float) -> tuple[Floats, Floats, Flags]:
    """Where each route is at a moment, in metres east and north of the network's middle, and whether it is in sight.

    Between two nodes it is on the straight line; before departure where it begins; after its end there, unless it
    left by an exit, beyond which nobody is in sight.
    """
    east, north = metres_of(routes.nodes)
    paths = routes.paths
    stop = _last_stop_before(routes, at_s)
    following = np.minimum(stop + 1, paths.first[1:] - 1)
    leaves, comes = paths.leave_s[stop], paths.arrive_s[following]
    ridden = np.clip((at_s - leaves) / np.maximum(comes - leaves, 1e-9), 0.0, 1.0)
    begun = at_s >= paths.arrive_s[paths.first[:-1]]
    share = np.where((following > stop) & begun, ridden, 0.0)
    here, there = paths.node[stop], paths.node[following]
    gone = routes.away & (stop == paths.first[1:] - 1) & (at_s > paths.leave_s[stop])
    return (
        east[here] + share * (east[there] - east[here]),
        north[here] + share * (north[there] - north[here]),
        ~gone,
    )


def _last_stop_before(routes: Routes, at_s: float) -> Indices:
    """(R,): the last stop that each route has come to by then, its first if it has not begun."""
    first = routes.paths.first
    came = np.concatenate(([0], np.cumsum(routes.paths.arrive_s <= at_s)))
    count = came[first[1:]] - came[first[:-1]]
    last: Indices = first[:-1] + np.maximum(count - 1, 0)
    return last


def _likelihood(routes: Routes, piece: Evidence) -> Floats:
    match piece:
        case Sighting():
            return _of_sighting(routes, piece)
        case Unseen():
            _check_share("detection", piece.detection, piece)
            _check_stretch(piece)
            return np.where(_came_by(routes, piece), 1 - piece.detection, 1.0)
        case Blocked():
            _check_share("certainty", piece.certainty, piece)
            _check_stretch(piece)
            return np.where(_came_through(routes, piece), 1 - piece.certainty, 1.0)


def _of_sighting(routes: Routes, sighting: Sighting) -> Floats:
    """Densities of the position reported, both times the density's peak, so that they are numbers without a unit."""
    _check_share("reliability", sighting.reliability, sighting)
    if not (sighting.error_m > 0 and sighting.error_s >= 0 and np.isfinite(sighting.at_s)):
        raise EvidenceError(f"{sighting} needs a time, an error_m above 0 and an error_s of 0 or more.")
    east, north = metres_of(routes.nodes)
    area = max((np.ptp(east) + 2e3) * (np.ptp(north) + 2e3), 1.0)
    base = min(1.0, 2 * np.pi * sighting.error_m**2 / area)
    return sighting.reliability * _fit(routes, sighting) + (1 - sighting.reliability) * base


def _fit(routes: Routes, sighting: Sighting) -> Floats:
    """(R,): 1 for a route that is where it was seen, less the farther off it is; over the error of the time."""
    x_m, y_m = metres_at(routes.nodes, np.array([sighting.lon]), np.array([sighting.lat]))
    fit = np.zeros(routes.count)
    for offset, share in zip(_HERMITE_AT, _HERMITE_WEIGHT / _HERMITE_WEIGHT.sum(), strict=True):
        x, y, in_sight = positions_at(routes, sighting.at_s + offset * sighting.error_s)
        square = ((x - x_m) ** 2 + (y - y_m) ** 2) / sighting.error_m**2
        fit += share * np.where(in_sight, np.exp(-square / 2), 0.0)
    return fit


def _explained_n(routes: Routes, sighting: Sighting) -> float:
    if sighting.reliability == 0:
        return np.inf
    fit = _fit(routes, sighting)
    return effective_count(np.where(fit > NEAR_FIT, routes.weights * fit, 0.0))


def _came_by(routes: Routes, unseen: Unseen) -> Flags:
    """(R,): could be met at the node while it was manned."""
    paths = routes.paths
    met = (paths.node == unseen.node) & (paths.leave_s >= unseen.from_s) & (paths.arrive_s <= unseen.until_s)
    return _any_stop(routes, met)


def _came_through(routes: Routes, blocked: Blocked) -> Flags:
    """(R,): was between the two nodes while nobody could be."""
    paths = routes.paths
    ends = {blocked.tail, blocked.head}
    here, there = paths.node[:-1], paths.node[1:]
    between = np.isin(here, list(ends)) & np.isin(there, list(ends)) & (here != there)
    during = (paths.arrive_s[1:] >= blocked.from_s) & (paths.leave_s[:-1] <= blocked.until_s)
    same = np.diff(paths.owner()) == 0
    return _any_stop(routes, np.append(between & during & same, False))


def _any_stop(routes: Routes, hit: Flags) -> Flags:
    found = np.zeros(routes.count, dtype=np.bool_)
    found[routes.paths.owner()[hit]] = True
    return found


def _begin_again_at(
    world: World, hypotheses: Sequence[Hypothesis], evidence: Sequence[Evidence]
) -> Sighting | None:
    """The latest sighting that anybody real can have been at: nobody is where the sure bound says that they cannot
    be yet."""
    sightings = [piece for piece in evidence if isinstance(piece, Sighting) and piece.reliability > 0]
    if not sightings:
        return None
    nodes = sorted({entry.node for one in hypotheses for entry in one.entries})
    begun_s = min(one.departure_s for one in hypotheses)
    origin = Origin(tuple(Entry(node, 0.0) for node in nodes), begun_s)
    arrival_s = earliest_arrival_s(world.network, [origin], world.closed_edges)
    for sighting in sorted(sightings, key=lambda one: (-one.at_s, _canonical(one))):
        node, _ = nearest_node(world.network, sighting.lon, sighting.lat)
        slack_s = 3 * sighting.error_s + 3 * sighting.error_m * 3.6 / speeds.LANE_KMH
        if arrival_s[node] <= sighting.at_s + slack_s:
            return sighting
    return None


def _lasts_beyond(piece: Evidence, at_s: float) -> bool:
    return (piece.at_s if isinstance(piece, Sighting) else piece.until_s) > at_s


def _canonical(piece: Evidence) -> tuple[str, tuple[float, ...]]:
    return type(piece).__name__, tuple(vars(piece).values())


def _check_share(name: str, share: float, piece: Evidence) -> None:
    if not 0 <= share <= 1:
        raise EvidenceError(f"{piece} has the {name} {share}; give 0 to 1.")


def _check_stretch(piece: Unseen | Blocked) -> None:
    if not piece.from_s <= piece.until_s:
        raise EvidenceError(f"{piece} ends before it begins; mend its times.")
