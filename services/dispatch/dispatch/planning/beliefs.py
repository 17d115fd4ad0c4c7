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
from dispatch.planning.evidence import Evidence, Sighting, canonical, explained_n, likelihood_of
from dispatch.planning.hypotheses import MODES, Hypothesis, normalised, usual_entries
from dispatch.planning.model import Floats
from dispatch.planning.routes import draw_routes
from dispatch.planning.timed_routes import Routes, joined_routes
from dispatch.planning.world import World

# Fewer effective routes than this share of them say too little to plan on: new ones are drawn.
COLLAPSED_SHARE = 0.1
# A sighting that fewer routes explain cannot be told from a mistaken one by them.
EXPLAINED_MIN = 20
# Then so many times the routes are drawn to find those that are left.
MORE = 4


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
        for piece in sorted(evidence, key=canonical):
            logs += np.log(likelihood_of(routes, piece))
        total = logs + np.log(routes.weights)
    explained = min(
        (explained_n(routes, one) for one in evidence if isinstance(one, Sighting)), default=np.inf
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
    """At most `count` routes (two at least) that carry all evidence, drawn anew where reweighting leaves too few.

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
    """Those who were never at the sighting and those who go on from it, weighed by the other evidence."""
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
    """How they go on from a sighting, on the move by then: ends and paces are those known before."""
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


def _begin_again_at(
    world: World, hypotheses: Sequence[Hypothesis], evidence: Sequence[Evidence]
) -> Sighting | None:
    """The latest sighting where somebody can have been: the sure bound says where nobody can be yet."""
    sightings = [piece for piece in evidence if isinstance(piece, Sighting) and piece.reliability > 0]
    if not sightings:
        return None
    nodes = sorted({entry.node for one in hypotheses for entry in one.entries})
    begun_s = min(one.departure_s for one in hypotheses)
    origin = Origin(tuple(Entry(node, 0.0) for node in nodes), begun_s)
    arrival_s = earliest_arrival_s(world.network, [origin], world.closed_edges)
    for sighting in sorted(sightings, key=lambda one: (-one.at_s, canonical(one))):
        node, _ = nearest_node(world.network, sighting.lon, sighting.lat)
        slack_s = 3 * sighting.error_s + 3 * sighting.error_m * 3.6 / speeds.LANE_KMH
        if arrival_s[node] <= sighting.at_s + slack_s:
            return sighting
    return None


def _lasts_beyond(piece: Evidence, at_s: float) -> bool:
    return (piece.at_s if isinstance(piece, Sighting) else piece.until_s) > at_s
