"""Where can they be: many timed routes, drawn from the hypotheses by their weights.

Hypotheses of the same way of travelling from the same place make a group; a group shares a few shortest-path trees
under perturbed travel times (random utility), and every route of it reads its path off one of them. Riders go by
the timetable where there is one, and by lines at unknown times where there is none.

No sampled route beats the sure bound of `domain.reach`, except by a timetable that is faster than the lines' speeds
allow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from contracts.base import TravelMode
from dispatch.domain import speeds
from dispatch.domain.network import Network, distances_m
from dispatch.domain.reach import Entry
from dispatch.domain.timetables import Timetable
from dispatch.planning import assumptions
from dispatch.planning.assumptions import LostProfile
from dispatch.planning.hypotheses import Hypothesis, HypothesisError, normalised
from dispatch.planning.model import Flags, Floats, Indices
from dispatch.planning.rides import Riders, ride
from dispatch.planning.timed_routes import MEANS, Paths, Routes, joined_paths
from dispatch.planning.trees import Trees, grow_trees, walk_back
from dispatch.planning.usual import UsualGraph, usual_graph
from dispatch.planning.world import World

# Trees times vertices that are searched, about half a second; and no more trees than that, on however small a
# network.
SETTLED_MAX = 1_200_000
TREES_MAX = 200
# A car stands where the road begins: if nobody can drive from where they were seen, at the nearest few places where
# one can.
CARS_NEAR = 8

# The fastest pace by mode that keeps a sampled route behind the sure bound.
_PACE_MAX = {
    TravelMode.walking: speeds.WALK_KMH / assumptions.WALK_KMH,
    TravelMode.car: speeds.CAR_FACTOR,
    TravelMode.bus: speeds.BUS_FACTOR,
    TravelMode.ferry: speeds.FERRY_FACTOR,
}


@dataclass(eq=False)
class _Group:
    """Hypotheses of one way of travelling from one place."""

    mode: TravelMode
    entries: tuple[Entry, ...]
    lost: LostProfile | None
    members: list[int] = field(default_factory=list)
    weight: float = 0.0


def sample_routes(
    network: Network,
    timetable: Timetable,
    hypotheses: Sequence[Hypothesis],
    count: int,
    seed: int,
    *,
    clock_s: float = 0.0,
    traffic: Floats | None = None,
    closed_edges: frozenset[int] = frozenset(),
    horizon_s: float = assumptions.HORIZON_S,
    choice_noise: float = assumptions.CHOICE_NOISE,
    pace_noise: float = assumptions.PACE_NOISE,
) -> Routes:
    """At most `count` routes whose weights sum to 1, the same for the same arguments.

    A hypothesis that the network does not allow gives its weight to the others of its mode (the lost are a kind of
    their own), and a mode that nobody can use to the other modes; `Routes.unreachable_weight` says how much that
    was. Fewer routes come back where riders find no vehicle within `horizon_s`.

    Raises: HypothesisError, if there is no usable hypothesis, a node is unknown, or `count` is below 1; ValueError,
    if traffic or closed edges do not fit the network.
    """
    if count < 1:
        raise HypothesisError(f"{count} routes were asked for; ask for 1 or more.")
    world = World(network, timetable, clock_s, traffic, closed_edges, horizon_s, choice_noise, pace_noise)
    return draw_routes(world, normalised(hypotheses), count, seed)


def draw_routes(world: World, hypotheses: tuple[Hypothesis, ...], count: int, seed: int) -> Routes:
    """`sample_routes` on a world that is already put together."""
    _check_nodes(world.network.size, hypotheses)
    groups = _grouped(hypotheses)
    graphs: dict[TravelMode, UsualGraph] = {}
    rngs = [np.random.default_rng([seed, number]) for number in range(len(groups) + 1)]
    prepared = [
        _prepare(world, graphs, group, count, rng) for group, rng in zip(groups, rngs[1:], strict=True)
    ]
    usable = _usable(world, hypotheses, groups, prepared)
    weights, unreachable = _shared_out(hypotheses, usable)
    if weights.sum() <= 0:
        raise HypothesisError(
            "No hypothesis can be travelled on this network; check entries, exits and closures."
        )
    drawn = _systematic(weights, count, rngs[0])
    parts: list[_Part] = []
    clusters = 0
    for group, trees, rng in zip(groups, prepared, rngs[1:], strict=True):
        mine = drawn[np.isin(drawn, group.members)]
        if len(mine):
            part = _travel(world, hypotheses, group, trees, mine, rng)
            parts.append(_Part(part.paths, part.hypothesis, part.cluster + clusters))
            clusters = max(clusters, int(parts[-1].cluster.max(initial=-1)) + 1)
    return _assembled(world, hypotheses, parts, drawn, unreachable)


@dataclass(frozen=True, eq=False)
class _Part:
    """The routes of one group."""

    paths: Paths
    hypothesis: Indices
    cluster: Indices


def _check_nodes(size: int, hypotheses: Sequence[Hypothesis]) -> None:
    for one in hypotheses:
        ends = () if one.destination is None else (one.destination,)
        for node in (*ends, *(entry.node for entry in one.entries)):
            if not 0 <= node < size:
                raise HypothesisError(
                    f"Node {node} of a hypothesis is none of the {size}; give places in the node table."
                )


def _grouped(hypotheses: Sequence[Hypothesis]) -> list[_Group]:
    """In order of first mention."""
    groups: dict[tuple[TravelMode, tuple[Entry, ...], LostProfile | None], _Group] = {}
    for number, hypothesis in enumerate(hypotheses):
        key = (hypothesis.mode, hypothesis.entries, hypothesis.lost)
        group = groups.setdefault(key, _Group(*key))
        group.members.append(number)
        group.weight += hypothesis.weight
    return list(groups.values())


def _prepare(
    world: World, graphs: dict[TravelMode, UsualGraph], group: _Group, count: int, rng: np.random.Generator
) -> Trees:
    """The group's trees: many for those who choose their way, one for the walk to the stop."""
    network = world.network
    scheduled = world.scheduled(group.mode)
    mode = TravelMode.walking if scheduled else group.mode
    if mode not in graphs:
        graphs[mode] = usual_graph(network, mode, world.traffic, world.closed_edges)
    graph, entries = graphs[mode], group.entries
    if mode is TravelMode.car and not np.diff(graph.indptr)[[entry.node for entry in entries]].any():
        entries = _where_cars_stand(world, graphs, graph, entries)
    if scheduled:
        return grow_trees(graph, entries, 1, rng, noise=0.0, limit_s=assumptions.TO_STOP_S)
    trees = int(np.clip(round(SETTLED_MAX / graph.size * group.weight), 2, min(TREES_MAX, max(2, count))))
    return grow_trees(graph, entries, trees, rng, noise=world.choice_noise, limit_s=world.horizon_s)


def _where_cars_stand(
    world: World, graphs: dict[TravelMode, UsualGraph], cars: UsualGraph, entries: tuple[Entry, ...]
) -> tuple[Entry, ...]:
    """The nearest nodes on foot from which somebody can drive; the walk counts."""
    feet = graphs.setdefault(
        TravelMode.walking, usual_graph(world.network, TravelMode.walking, world.traffic, world.closed_edges)
    )
    walk = grow_trees(feet, entries, 1, np.random.default_rng(0), noise=0.0, limit_s=assumptions.TO_STOP_S)
    seconds = np.where(np.diff(cars.indptr) > 0, walk.perceived_s[0, : cars.nodes], np.inf)
    nearest = np.argsort(seconds, kind="stable")[:CARS_NEAR]
    found = tuple(Entry(int(node), float(seconds[node])) for node in nearest if np.isfinite(seconds[node]))
    return found or entries


def _usable(
    world: World, hypotheses: Sequence[Hypothesis], groups: Sequence[_Group], prepared: Sequence[Trees]
) -> Flags:
    """Which hypotheses the network allows; for riders by timetable, whose destination is one of its stops."""
    usable = np.ones(len(hypotheses), dtype=np.bool_)
    for group, trees in zip(groups, prepared, strict=True):
        reached = trees.reached()
        if world.scheduled(group.mode):
            reached = np.zeros_like(reached)
            of_mode = np.array([mode is group.mode for mode in world.timetable.mode_of], dtype=np.bool_)
            reached[world.timetable.head[of_mode[world.timetable.trip]]] = True
        for member in group.members:
            destination = hypotheses[member].destination
            usable[member] = bool(reached.any()) if destination is None else bool(reached[destination])
    return usable


def _shared_out(hypotheses: Sequence[Hypothesis], usable: Flags) -> tuple[Floats, float]:
    """Weights with what cannot be given to the others of its kind, or to everybody if its kind has none."""
    weights = np.array([hypothesis.weight for hypothesis in hypotheses])
    kind = _kinds(hypotheses)
    kept = np.where(usable, weights, 0.0)
    unreachable = float(weights.sum() - kept.sum())
    asked, left = np.bincount(kind, weights), np.bincount(kind, kept)
    kept *= np.divide(asked, left, out=np.zeros_like(asked), where=left > 0)[kind]
    return kept / max(kept.sum(), 1e-300), unreachable


def _kinds(hypotheses: Sequence[Hypothesis]) -> Indices:
    """A number per way of travelling; the lost are a kind of their own."""
    numbers = [2 * MEANS.index(one.mode) + (one.lost is not None) for one in hypotheses]
    return np.array(numbers, dtype=np.int64)


def _systematic(weights: Floats, count: int, rng: np.random.Generator) -> Indices:
    """`count` draws of hypotheses, ascending; each comes up within one of its expected number."""
    bounds = np.cumsum(weights)
    positions = (np.arange(count) + rng.random()) / count * bounds[-1]
    drawn = np.searchsorted(bounds, positions, side="right")
    last = int(np.flatnonzero(weights)[-1])
    kept: Indices = np.minimum(drawn, last)
    return kept


def _travel(
    world: World,
    hypotheses: Sequence[Hypothesis],
    group: _Group,
    trees: Trees,
    mine: Indices,
    rng: np.random.Generator,
) -> _Part:
    """When each route of a group leaves, how fast it goes, where to, and where that leads it."""
    chosen = [hypotheses[number] for number in mine]
    leave_s = np.array([one.departure_s for one in chosen])
    leave_s = leave_s + rng.random(len(mine)) * np.array([one.spread_s for one in chosen])
    pace = np.array([one.speed_factor for one in chosen]) * np.exp(
        world.pace_noise * rng.standard_normal(len(mine))
    )
    pace = np.minimum(pace, _PACE_MAX[group.mode])
    to = np.array([-1 if one.destination is None else one.destination for one in chosen], dtype=np.int64)
    if world.scheduled(group.mode):
        riders = Riders(group.mode, leave_s, pace, to)
        paths, came = ride(world, trees, riders, rng)
        # Each rider drew vehicles of their own: everybody is a cluster.
        return _Part(paths, mine[came], np.arange(int(came.sum()), dtype=np.int64))
    if group.lost is not None:
        pace = pace * (assumptions.LOST_KMH / assumptions.WALK_KMH)
    tree = rng.permutation(np.arange(len(mine)) % trees.count).astype(np.int64)
    to = np.where(to < 0, _staying(world.network, group, trees, len(mine), rng), to)
    paths = _along_trees(group.mode, trees, tree, to, leave_s, pace)
    if group.lost is not None:
        # A lost child stays where it ends up, and can be met there as long as routes are followed.
        paths.leave_s[paths.first[1:] - 1] = np.maximum(
            leave_s + world.horizon_s, paths.arrive_s[paths.first[1:] - 1]
        )
    return _Part(paths, mine, tree)


def _staying(network: Network, group: _Group, trees: Trees, count: int, rng: np.random.Generator) -> Indices:
    """Where those without a destination end: the lost by distance, abductors anywhere within an hour of travel."""
    perceived = trees.perceived_s[0, : trees.nodes]
    reached = trees.reached()
    if group.lost is None:
        within_s = max(assumptions.GROUND_S, float(perceived[reached].min()))
        near = np.flatnonzero(reached & (perceived <= within_s))
        anywhere: Indices = near[rng.integers(len(near), size=count)]
        return anywhere
    entry = min(group.entries, key=lambda one: (one.access_s, one.node)).node
    away_km = distances_m(network, float(network.nodes.lon[entry]), float(network.nodes.lat[entry])) / 1000
    nodes = np.flatnonzero(reached)
    nodes = nodes[np.argsort(away_km[nodes], kind="stable")]
    wanted_km = lost_distances_km(group.lost, rng.random(count))
    place = np.searchsorted(away_km[nodes], wanted_km) + rng.integers(-2, 3, size=count)
    chosen: Indices = nodes[np.clip(place, 0, len(nodes) - 1)]
    return chosen


def lost_distances_km(profile: LostProfile, uniform: Floats) -> Floats:
    """Distances at these shares of finds: straight between the quantiles, up to twice the last radius."""
    shares = (0.0, *profile.quantiles, 1.0)
    radii = (0.0, *profile.radii_km, 2 * profile.radii_km[-1])
    return np.interp(uniform, shares, radii)


def _along_trees(
    mode: TravelMode, trees: Trees, tree: Indices, to: Indices, leave_s: Floats, pace: Floats
) -> Paths:
    """Timed stops of routes that go by tree; waits for a line at unknown times count as being at its stop."""
    first, vertex, after_s = walk_back(trees, tree, to)
    owner = np.repeat(np.arange(len(to)), np.diff(first))
    arrive_s = leave_s[owner] + after_s / pace[owner]
    aboard = vertex >= trees.nodes
    came_aboard = aboard.copy()
    came_aboard[1:] &= aboard[:-1]
    ride_means = MEANS.index(mode)
    means = np.where(came_aboard, ride_means, MEANS.index(TravelMode.walking))
    if trees.size == trees.nodes:
        means = np.full(len(vertex), ride_means)
    none = np.full(len(vertex), -1, dtype=np.int64)
    return Paths(first, vertex % trees.nodes, arrive_s, arrive_s.copy(), means.astype(np.int64), none)


def _assembled(
    world: World,
    hypotheses: tuple[Hypothesis, ...],
    parts: Sequence[_Part],
    drawn: Indices,
    unreachable: float,
) -> Routes:
    """All parts as one. Routes weigh the same, but a kind keeps its weight when some of its riders stay behind."""
    paths = joined_paths([part.paths for part in parts])
    if not paths.count:
        raise HypothesisError(
            "Nobody finds a way within the horizon; check the timetable, exits and closures."
        )
    number = np.concatenate([part.hypothesis for part in parts])
    kind = _kinds(hypotheses)
    asked = np.bincount(kind[drawn], minlength=2 * len(MEANS))
    came = np.bincount(kind[number], minlength=2 * len(MEANS))
    weights = (asked / np.maximum(came, 1))[kind[number]]
    stayed = 1 - len(number) / len(drawn)
    ends_away = np.array([one.destination is not None for one in hypotheses], dtype=np.bool_)
    return Routes(
        weights=weights / weights.sum(),
        paths=paths,
        hypothesis=number,
        hypotheses=hypotheses,
        cluster=np.concatenate([part.cluster for part in parts]),
        away=ends_away[number],
        nodes=world.network.nodes,
        unreachable_weight=min(1.0, unreachable + (1 - unreachable) * stayed),
    )
