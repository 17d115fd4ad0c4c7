"""How likely the plan of an instance is to meet them: by proof, on fresh routes, or on the routes it was planned on.

A plan that is the best of all on its own routes looks better on them than it is. So the probability is measured on
fresh routes of the same hypotheses wherever there are such (`estimate`). Given routes are taken for what they are said
to be: the interval is that of as many draws from a larger world.
"""

from __future__ import annotations

from dataclasses import dataclass

from dispatch.planning.answered import Answered
from dispatch.planning.estimate import clustered_count, confidence_interval, effective_count, met_shares
from dispatch.planning.model import Coverage
from dispatch.planning.planned import FRESH_SEED, Planned, planned_routes
from dispatch.planning.result import Basis


@dataclass(frozen=True)
class Outlook:
    """A probability with its 95 % interval, what it rests on, and how many independent routes that amounts to."""

    probability: float
    low: float
    high: float
    basis: Basis
    effective_routes: float


def outlook(found: Answered) -> Outlook:
    """1 where the guarantee is proven; else the share met of fresh routes, or of the given ones."""
    if found.guaranteed:
        return Outlook(1.0, 1.0, 1.0, "proof", effective_count(found.planned.weights))
    limits = found.question.instance.limits
    if found.planned.sampled is None or not limits.fresh_routes:
        return _on(found, found.planned, found.coverage, "planned_routes")
    fresh = planned_routes(found.question, limits.fresh_routes, limits.seed + FRESH_SEED)
    coverage = Coverage(
        weights=fresh.weights,
        last_pass_s=fresh.last_pass_s,
        ready_s=found.coverage.ready_s,
        detection=found.coverage.detection,
        margin_s=found.coverage.margin_s,
    )
    return _on(found, fresh, coverage, "fresh_routes")


def _on(found: Answered, planned: Planned, coverage: Coverage, basis: Basis) -> Outlook:
    met = met_shares(coverage, found.solution.place_of)
    share = min(1.0, max(0.0, float(met @ planned.weights)))
    count = clustered_count(met, planned.weights, planned.cluster)
    low, high = confidence_interval(share, count)
    return Outlook(share, low, high, basis, count)
