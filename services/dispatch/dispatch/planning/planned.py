"""The routes that a plan is made on: those of the instance, or drawn from its hypotheses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from contracts.base import TravelMode
from dispatch.domain.reach import Entry, Origin
from dispatch.planning.fields import STOPS_MAX
from dispatch.planning.hypotheses import Hypothesis, default_hypotheses, normalised, usual_entries
from dispatch.planning.instance import HypothesisRecord, RouteRecord
from dispatch.planning.model import Floats, Indices
from dispatch.planning.question import Question
from dispatch.planning.routes import sample_routes
from dispatch.planning.timed_routes import Routes

FRESH_SEED = 2**31
"""Added to the seed for routes that no plan has seen."""


@dataclass(frozen=True, eq=False)
class Planned:
    """R routes as the optimiser wants them.

    `last_pass_s` (R, P) by place. `end_node` (R,) is the last node of each route. `cluster` (R,) numbers routes that
    share a draw of travel times. `sampled` is None where the instance gave the routes.
    """

    weights: Floats
    last_pass_s: Floats
    end_node: Indices
    cluster: Indices
    sampled: Routes | None


def planned_routes(question: Question, count: int, seed: int) -> Planned:
    """The given routes, or `count` sampled ones; weights sum to 1."""
    return _given(question) if question.instance.routes else _sampled(question, count, seed)


def _given(question: Question) -> Planned:
    routes, index = question.instance.routes, question.network.index
    weights = np.array([route.weight for route in routes])
    column: dict[int, list[int]] = {}
    for place, node in enumerate(question.place_nodes.tolist()):
        column.setdefault(node, []).append(place)
    last = np.full((len(routes), len(question.place_nodes)), -np.inf)
    for row, route in enumerate(routes):
        for node, at_s in route.stops:
            for place in column.get(index[node], ()):
                last[row, place] = max(last[row, place], at_s)
    ends = np.array([index[route.stops[-1][0]] for route in routes], dtype=np.int64)
    return Planned(weights / weights.sum(), last, ends, np.arange(len(routes)), None)


def _sampled(question: Question, count: int, seed: int) -> Planned:
    routes = sample_routes(
        question.network,
        question.timetable,
        hypotheses_of(question),
        count,
        seed,
        closed_edges=question.closed_edges,
        clock_s=question.instance.clock_s or 0.0,
    )
    ends = routes.paths.node[routes.paths.first[1:] - 1]
    last = routes.last_pass_s(question.place_nodes)
    return Planned(routes.weights, last, ends, routes.cluster, routes)


def hypotheses_of(question: Question) -> tuple[Hypothesis, ...]:
    """The instance's own, or the default mix; weights sum to 1."""
    instance = question.instance
    entries = tuple(Entry(node, access_s) for node, access_s in question.sources)
    origin = Origin(entries, instance.start.time_s, TravelMode.unknown)
    if not instance.hypotheses:
        modes = [TravelMode(mode) for mode in instance.sure.modes]
        suspected = modes[0] if len(modes) == 1 else TravelMode.unknown
        return default_hypotheses((origin,), question.exit_nodes.tolist(), suspected, instance.reported_s)
    return normalised([one for record in instance.hypotheses for one in _spread(question, origin, record)])


def _spread(question: Question, origin: Origin, record: HypothesisRecord) -> list[Hypothesis]:
    """One hypothesis a destination: without one, all exits alike; `stays` has none."""
    ends: list[int | None]
    if record.stays:
        ends = [None]
    elif record.destination is None:
        ends = list(question.exit_nodes.tolist())
    else:
        exits = {
            way.id: int(node) for way, node in zip(question.instance.exits, question.exit_nodes, strict=True)
        }
        ends = [exits.get(record.destination, question.network.index.get(record.destination))]
    mode = TravelMode(record.mode)
    return [
        Hypothesis(
            mode=mode,
            departure_s=record.departure_s,
            speed_factor=record.speed_factor,
            destination=end,
            weight=record.weight / len(ends),
            entries=usual_entries(origin, mode),
            spread_s=record.spread_s,
        )
        for end in ends
    ]


def records_of(question: Question, planned: Planned) -> list[RouteRecord] | None:
    """Sampled routes cut to the nodes where somebody can stand, and their end, so that anybody can check the plan."""
    if planned.sampled is None:
        return None
    ids, paths = question.network.nodes.ids, planned.sampled.paths
    wanted = np.zeros(question.network.size, dtype=np.bool_)
    wanted[question.place_nodes] = True
    wanted_stop = wanted[paths.node]
    wanted_stop[paths.first[1:] - 1] = True
    records = []
    for route, weight in enumerate(planned.weights.tolist()):
        stops = np.flatnonzero(wanted_stop[paths.first[route] : paths.first[route + 1]]) + paths.first[route]
        timed = sorted(
            zip(paths.leave_s[stops].tolist(), paths.node[stops].tolist(), strict=True), key=lambda s: s[0]
        )
        # Of a route that wanders on and on, the last stops are what a plan can be about.
        kept = [(ids[node], at_s) for at_s, node in timed[-STOPS_MAX:]]
        records.append(RouteRecord.model_construct(weight=weight, stops=kept))
    return records
