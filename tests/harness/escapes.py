"""Small escapes drawn at random, the same question for planner and checker, and an oracle that tries everything."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from heapq import heappop, heappush

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from dispatch.planning.checker_model import (
    CheckBound,
    CheckCertificate,
    CheckGuard,
    CheckInstance,
    CheckMovement,
    CheckPlace,
    CheckResult,
    CheckUnit,
    CheckWay,
    Road,
    TimedRoute,
)
from dispatch.planning.duality import BoundCertificate
from dispatch.planning.model import Certificate, Containment, Coverage, Escape, Floats, Movement

Arc = tuple[int, int, float]


@dataclass(frozen=True)
class Case:
    """Whole seconds, so that sums are exact. `units` are (start, free_s, turnout_s); `setup_s` is one a post."""

    nodes: int
    unit_arcs: tuple[Arc, ...]
    movements: tuple[tuple[tuple[Arc, ...], tuple[tuple[int, float], ...]], ...]
    units: tuple[tuple[int, float, float], ...]
    posts: tuple[int, ...]
    setup_s: tuple[float, ...]
    exits: tuple[int, ...]
    delay_s: float
    margin_s: float

    def ready_s(self) -> Floats:
        """(U, posts), by scipy: the checker finds the same by its own search."""
        graph = _fastest(self.nodes, self.unit_arcs)
        ready = np.full((len(self.units), len(self.posts)), np.inf)
        for number, (start, free_s, turnout_s) in enumerate(self.units):
            ready[number] = dijkstra(graph, indices=[start])[0, list(self.posts)] + (
                free_s + self.delay_s + turnout_s
            )
        return np.asarray(ready + np.array(self.setup_s), dtype=np.float64)

    def escape(self) -> Escape:
        """As the planner takes it."""
        return Escape(
            nodes=self.nodes,
            movements=tuple(movement_of(arcs, sources) for arcs, sources in self.movements),
            exits=self.exits,
            posts=self.posts,
            ready_s=self.ready_s(),
            margin_s=self.margin_s,
        )

    def instance(
        self, routes: tuple[TimedRoute, ...] = (), detection: tuple[float, ...] = ()
    ) -> CheckInstance:
        """As the checker takes it; place p is post p."""
        noticed = detection or (1.0,) * len(self.posts)
        places = zip(self.posts, self.setup_s, noticed, strict=True)
        return CheckInstance(
            units=[CheckUnit(u, start, free, turnout) for u, (start, free, turnout) in enumerate(self.units)],
            places=[CheckPlace(p, node, setup, share) for p, (node, setup, share) in enumerate(places)],
            roads=[Road(*arc) for arc in self.unit_arcs],
            movements=[CheckMovement([Road(*arc) for arc in arcs], from_) for arcs, from_ in self.movements],
            exits=self.exits,
            routes=routes,
            delay_s=self.delay_s,
            margin_s=self.margin_s,
        )


def movement_of(arcs: tuple[Arc, ...], sources: tuple[tuple[int, float], ...]) -> Movement:
    """Arcs as arrays."""
    tails, heads, seconds = zip(*arcs, strict=True) if arcs else ((), (), ())
    return Movement(
        np.array(tails, dtype=np.int64),
        np.array(heads, dtype=np.int64),
        np.array(seconds, dtype=np.float64),
        sources,
    )


def _fastest(nodes: int, arcs: tuple[Arc, ...]) -> csr_array:
    fastest: dict[tuple[int, int], float] = {}
    for tail, head, seconds in arcs:
        fastest[tail, head] = min(seconds, fastest.get((tail, head), math.inf))
    ends = sorted(fastest)
    rows, columns = [tail for tail, _ in ends], [head for _, head in ends]
    return csr_array(([fastest[end] for end in ends], (rows, columns)), shape=(nodes, nodes))


def draw_case(rng: np.random.Generator, nodes_max: int = 10, units_max: int = 3) -> Case:
    """A small network, often in pieces, with one-ways, several sources, one or two movements, units of all kinds."""
    nodes = int(rng.integers(2, nodes_max + 1))
    arcs = _arcs(rng, nodes, density=float(rng.uniform(0.8, 2.2)))
    movements = tuple(_movement(rng, nodes, arcs) for _ in range(int(rng.integers(1, 3))))
    some = int(rng.integers(0, nodes + 1))
    posts = tuple(int(node) for node in rng.choice(nodes, size=some, replace=bool(rng.random() < 0.2)))
    units = tuple(
        (int(rng.integers(nodes)), float(rng.integers(0, 4)), float(rng.integers(0, 2)))
        for _ in range(int(rng.integers(0, units_max + 1)))
    )
    return Case(
        nodes=nodes,
        unit_arcs=arcs,
        movements=movements,
        units=units,
        posts=posts,
        setup_s=tuple(float(seconds) for seconds in rng.integers(0, 3, size=len(posts))),
        exits=tuple(
            int(node) for node in rng.choice(nodes, size=int(rng.integers(0, min(nodes, 4)))) if nodes
        ),
        delay_s=float(rng.integers(0, 3)),
        margin_s=float(rng.integers(0, 2)),
    )


def draw_contest(rng: np.random.Generator, nodes: int = 9, units: int = 3, slow: float = 6.0) -> Case:
    """A well-connected network with people who start late and exits away from them: closing it is a near thing."""
    arcs = _arcs(rng, nodes, density=float(rng.uniform(1.2, 1.9)))
    exits = tuple(int(node) for node in rng.choice(np.arange(1, nodes), size=2, replace=False))
    posts = tuple(int(node) for node in rng.choice(nodes, size=nodes - 2, replace=False))
    movements = []
    for _ in range(int(rng.integers(1, 3))):
        kept = tuple((tail, head, seconds * 2 + 1) for tail, head, seconds in arcs if rng.random() < 0.9)
        movements.append((kept, ((0, float(rng.uniform(0, slow) // 1)),)))
    return Case(
        nodes=nodes,
        unit_arcs=arcs,
        movements=tuple(movements),
        units=tuple((int(rng.integers(nodes)), float(rng.integers(0, 6)), 0.0) for _ in range(units)),
        posts=posts,
        setup_s=tuple(float(seconds) for seconds in rng.integers(0, 4, size=len(posts))),
        exits=exits,
        delay_s=1.0,
        margin_s=0.0,
    )


def draw_layers(rng: np.random.Generator, layers: int = 3, width: int = 3, units: int = 4) -> Escape:
    """Layers of nodes between one source and one exit; everybody is in time, but each unit at a few nodes only."""
    inner = layers * width
    source, out = inner, inner + 1
    arcs: list[Arc] = [(source, node, 1.0) for node in range(width)]
    arcs += [(inner - 1 - node, out, 1.0) for node in range(width)]
    for layer in range(layers - 1):
        for tail, head in itertools.product(range(width), repeat=2):
            if rng.random() < 0.6:
                arcs.append((layer * width + tail, (layer + 1) * width + head, 1.0))
    ready_s = np.full((units, inner), np.inf)
    for unit in range(units):
        ready_s[unit, rng.choice(inner, size=int(rng.integers(2, 5)), replace=False)] = 0.0
    return Escape(
        inner + 2, (movement_of(tuple(arcs), ((source, 0.0),)),), (out,), tuple(range(inner)), ready_s
    )


def told_by_times(escape: Escape) -> CheckInstance:
    """An escape for the checker, with its times taken as they are."""
    units = []
    for unit, row in enumerate(escape.ready_s):
        at = [(post, float(ready)) for post, ready in zip(escape.posts, row, strict=True) if ready < math.inf]
        units.append(CheckUnit(unit, ready_at=dict(at)))
    return CheckInstance(
        units=units,
        places=[CheckPlace(post, post) for post in escape.posts],
        movements=[
            CheckMovement(
                [Road(int(a), int(b), float(s)) for a, b, s in zip(m.tails, m.heads, m.seconds, strict=True)],
                m.sources,
            )
            for m in escape.movements
        ],
        exits=escape.exits,
        margin_s=escape.margin_s,
    )


def _arcs(rng: np.random.Generator, nodes: int, density: float) -> tuple[Arc, ...]:
    arcs: list[Arc] = []
    for _ in range(int(nodes * density)):
        tail, head = (int(node) for node in rng.integers(nodes, size=2))
        seconds = float(rng.integers(0, 6))
        arcs.append((tail, head, seconds))
        if rng.random() < 0.7:
            arcs.append((head, tail, seconds))
    return tuple(arcs)


def _movement(
    rng: np.random.Generator, nodes: int, arcs: tuple[Arc, ...]
) -> tuple[tuple[Arc, ...], tuple[tuple[int, float], ...]]:
    """Some of the arcs, slower or not; begun at one or two nodes, sometimes long after the units heard of it."""
    slower = int(rng.integers(1, 4))
    kept = tuple((tail, head, seconds * slower) for tail, head, seconds in arcs if rng.random() < 0.85)
    count = int(rng.integers(1, 3))
    sources = tuple((int(rng.integers(nodes)), float(rng.integers(-2, 6))) for _ in range(count))
    return kept, sources


def can_close(escape: Escape) -> bool:
    """Whether any posting closes all ways out: tries every one, each against somebody as fast as can be."""
    return fewest_that_close(escape) is not None


def fewest_that_close(escape: Escape) -> int | None:
    """The fewest units that close all ways out, by trying every posting; None if none does."""
    nodes = sorted(set(escape.posts))
    best = {
        (unit, node): min(
            float(escape.ready_s[unit, at]) for at, post in enumerate(escape.posts) if post == node
        )
        for unit in range(len(escape.ready_s))
        for node in nodes
    }
    choices = [
        [None, *(node for node in nodes if best[unit, node] < math.inf)]
        for unit in range(len(escape.ready_s))
    ]
    fewest: int | None = None
    for chosen in itertools.product(*choices):
        at = [node for node in chosen if node is not None]
        if len(set(at)) < len(at) or (fewest is not None and len(at) >= fewest):
            continue
        held = {node: best[unit, node] for unit, node in enumerate(chosen) if node is not None}
        if not any(_gets_out(movement, escape, held) for movement in escape.movements):
            fewest = len(at)
    return fewest


def _gets_out(movement: Movement, escape: Escape, held: dict[int, float]) -> bool:
    """Whether somebody reaches an exit, passing nodes before their guard works."""
    waiting = [(seconds, node) for node, seconds in sorted(movement.sources)]
    waiting.sort()
    seen: set[int] = set()
    while waiting:
        now, node = heappop(waiting)
        if node in seen or held.get(node, math.inf) + escape.margin_s <= now:
            continue
        seen.add(node)
        for tail, head, seconds in zip(movement.tails, movement.heads, movement.seconds, strict=True):
            if tail == node and head not in seen:
                heappush(waiting, (now + float(seconds), int(head)))
    return bool(seen & set(escape.exits))


# -- results, as the checker takes them -----------------------------------------------------------------------------


def claimed(found: Containment) -> CheckResult:
    """What a containment claims."""
    return CheckResult(
        kind=found.kind,
        guards=[CheckGuard(guard.unit, guard.node, guard.ready_s, guard.arrival_s) for guard in found.guards],
        flow_value=found.flow_value,
        ways=[CheckWay(nodes, movement) for nodes, movement in found.ways],
        closed_at_s=found.closed_at_s,
        certificate=certificate_as_told(found.certificate),
        sooner=certificate_as_told(found.sooner),
    )


def certificate_as_told(certificate: Certificate | None) -> CheckCertificate | None:
    """The certificate in the checker's words."""
    if certificate is None:
        return None
    paths = zip(certificate.paths, certificate.movements, strict=True)
    branches = [certificate_as_told(branch) for branch in certificate.branches]
    return CheckCertificate(
        ways=[CheckWay(nodes, movement, flow) for (nodes, flow), movement in paths],
        branch_on=certificate.branch_on,
        branches=[branch for branch in branches if branch is not None],
    )


def draw_routes(rng: np.random.Generator, case: Case, count: int) -> tuple[TimedRoute, ...]:
    """Timed routes of equal weight over random nodes; some nodes come twice."""
    routes = []
    for _ in range(count):
        nodes = rng.integers(case.nodes, size=int(rng.integers(1, 6)))
        times = np.cumsum(rng.integers(0, 6, size=len(nodes)))
        stops = [(int(node), float(at)) for node, at in zip(nodes, times, strict=True)]
        routes.append(TimedRoute(1.0 / count, stops))
    return tuple(routes)


def coverage_of_case(case: Case, routes: tuple[TimedRoute, ...], detection: tuple[float, ...]) -> Coverage:
    """The planner's arrays of the same routes."""
    last = np.full((len(routes), len(case.posts)), -np.inf)
    for number, route in enumerate(routes):
        for place, post in enumerate(case.posts):
            last[number, place] = max((at for node, at in route.stops if node == post), default=-math.inf)
    return Coverage(
        weights=np.array([route.weight for route in routes]),
        last_pass_s=last,
        ready_s=case.ready_s(),
        detection=np.array(detection),
        margin_s=case.margin_s,
    )


def prices_as_told(found: BoundCertificate) -> CheckBound:
    """The prices in the checker's words; units and places go by their numbers."""
    return CheckBound(found.routes, dict(enumerate(found.units)), dict(enumerate(found.places)))
