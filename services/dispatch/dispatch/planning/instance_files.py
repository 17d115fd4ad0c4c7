"""From the file to the question: reads an instance and its network, resolves every name, and says what is wrong.

Every refusal names the field, the value and the mend. What is odd and can be planned on becomes a notice.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError
from scipy.sparse.csgraph import breadth_first_order

from contracts.base import TravelMode
from dispatch.domain.graphs import matrix
from dispatch.domain.network import EARTH_RADIUS_M, Network, distances_m
from dispatch.planning.canonical import hash_of
from dispatch.planning.escape_of import fastest_kmh
from dispatch.planning.instance import Instance, Position
from dispatch.planning.model import Flags, Indices
from dispatch.planning.network_source import InstanceError, read_source
from dispatch.planning.question import Question

FILE_BYTES_MAX = 200 * 1024 * 1024
PROBLEMS_SHOWN = 20
AT_NODE_M = 50.0
"""Nearer than this is standing at the node: about the error of a phone's position."""
BESIDE_ROAD_M = 500.0
"""From a position beside the nodes they may have taken any road that passes at most this much farther than the
nearest."""


def read_instance(path: Path) -> Question:
    """Read an instance file and the network it names.

    Raises: InstanceError.
    """
    written = read_json(path)
    try:
        instance = Instance.model_validate(written)
    except ValidationError as error:
        raise InstanceError(f"{path.name}:\n{in_lines(error)}") from error
    return question_of(instance, path.parent, written)


def read_json(path: Path) -> dict[str, Any]:
    """One JSON object of a bounded size. Raises: InstanceError."""
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise InstanceError(
                f"{path} is larger than {FILE_BYTES_MAX // 2**20} MiB; put the network into CSV files."
            )
        written = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InstanceError(
            f"{path} cannot be read: {error.strerror}. Mend: give the path of a JSON file."
        ) from error
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise InstanceError(f"{path} is not JSON in UTF-8: {error}.") from error
    if not isinstance(written, dict):
        raise InstanceError(f"{path} holds no JSON object. `guitu plan schema` prints the form.")
    return written


def in_lines(error: ValidationError) -> str:
    """Each wrong field with its value, by its path in the file."""
    lines = []
    for wrong in error.errors(include_url=False):
        where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in wrong["loc"])
        value = repr(wrong["input"])
        shown = "" if len(value) > 60 else f" (is {value})"
        lines.append(
            f"  {where.lstrip('.') or 'instance'}: {wrong['msg'].removeprefix('Value error, ')}{shown}"
        )
    more = len(lines) - PROBLEMS_SHOWN
    rest = [f"  ... and {more} more."] if more > 0 else []
    return "\n".join([*lines[:PROBLEMS_SHOWN], *rest])


def question_of(instance: Instance, beside: Path, written: Mapping[str, Any] | None = None) -> Question:
    """Read the network, and resolve every name of the instance in it.

    `written` is the JSON the instance was read from; its hash is the instance's. Raises: InstanceError.
    """
    json_form = instance.model_dump(mode="json", exclude_unset=True) if written is None else dict(written)
    sourced = read_source(instance.network, beside, json_form["network"])
    question = question_on(instance, sourced.network, hash_of(json_form), sourced.sha256)
    return question if instance.clock_s is None else replace(question, timetable=sourced.timetable)


def question_on(
    instance: Instance, network: Network, instance_sha256: str = "", network_sha256: str = ""
) -> Question:
    """The question on a network that is in memory already; hashes are for the result to name. Raises: InstanceError."""
    return _Resolver(instance, network).question(instance_sha256, network_sha256)


class _Resolver:
    """Looks names up in one network, and keeps what the reader should know."""

    def __init__(self, instance: Instance, network: Network) -> None:
        self.instance = instance
        self.network = network
        self.notices: list[str] = []

    def question(self, instance_sha256: str, network_sha256: str) -> Question:
        instance = self.instance
        units = self._once("units", [unit.id for unit in instance.units])
        places = self._once("places", [place.id for place in instance.places])
        self._once("exits", [way.id for way in instance.exits])
        place_nodes = self._nodes("places", instance.places)
        post_of = np.array(
            [self._post(unit.post, at, places) for at, unit in enumerate(instance.units)], dtype=np.int64
        )
        pinned = self._pinned(units, places)
        start_node = self._node("start", instance.start)
        question = Question(
            instance=instance,
            instance_sha256=instance_sha256,
            network=self.network,
            network_sha256=network_sha256,
            closed_edges=self._closed(),
            sources=self._sources(start_node),
            start_node=start_node,
            unit_nodes=self._unit_nodes(post_of, place_nodes),
            place_nodes=place_nodes,
            exit_nodes=self._nodes("exits", instance.exits),
            post_of=post_of,
            usable=self._usable(units, places, post_of, pinned),
            detection=np.array(
                [p.detection or instance.limits.detection for p in instance.places], dtype=np.float64
            ),
            pinned=pinned,
        )
        self._check_names()
        self._check_connected(question)
        return replace(question, notices=tuple(self.notices))

    def _once(self, field: str, ids: Sequence[str]) -> dict[str, int]:
        index: dict[str, int] = {}
        for at, name in enumerate(ids):
            if name in index:
                raise InstanceError(
                    f"{field}[{at}].id {name!r} is also that of {field}[{index[name]}]; rename one."
                )
            index[name] = at
        return index

    def _nodes(self, field: str, positions: Sequence[Position]) -> Indices:
        return np.array(
            [self._node(f"{field}[{at}]", one) for at, one in enumerate(positions)], dtype=np.int64
        )

    def _node(self, field: str, position: Position) -> int:
        """The node of a position; one that is off the network is snapped, with a notice, or refused."""
        if position.node is not None:
            return self._known(f"{field}.node", position.node)
        assert position.lon is not None
        assert position.lat is not None
        away_m = distances_m(self.network, position.lon, position.lat)
        node = int(np.argmin(away_m))
        nearest = f"{float(away_m[node]):.0f} m from the nearest node {self.network.nodes.ids[node]!r}"
        if away_m[node] > self.instance.limits.max_snap_m:
            raise InstanceError(
                f"{field} ({position.lon}, {position.lat}) is off the network, {nearest}: in the water, or lon and lat "
                f"changed places? Mend the position, or raise limits.max_snap_m ({self.instance.limits.max_snap_m:g})."
            )
        if away_m[node] >= 1.0:
            self.notices.append(f"{field} was moved to the network, {nearest}.")
        return node

    def _known(self, field: str, node: str) -> int:
        at = self.network.index.get(node)
        if at is None:
            raise InstanceError(f"{field} {node!r} is not a node of the network; mend the id or the network.")
        return at

    def _post(self, post: str | None, unit: int, places: Mapping[str, int]) -> int:
        if post is None:
            return -1
        if post not in places:
            raise InstanceError(f"units[{unit}].post {post!r} is not a place; add it to places.")
        return places[post]

    def _unit_nodes(self, post_of: Indices, place_nodes: Indices) -> Indices:
        nodes = [
            int(place_nodes[post_of[at]]) if post_of[at] >= 0 else self._node(f"units[{at}]", unit)
            for at, unit in enumerate(self.instance.units)
        ]
        return np.array(nodes, dtype=np.int64)

    def _pinned(self, units: Mapping[str, int], places: Mapping[str, int]) -> tuple[tuple[int, int], ...]:
        pairs: list[tuple[int, int]] = []
        for at, pin in enumerate(self.instance.pins):
            if pin.unit not in units or pin.place not in places:
                raise InstanceError(
                    f"pins[{at}]: {pin.unit!r} at {pin.place!r}: no such unit or place; mend the id."
                )
            pairs.append((units[pin.unit], places[pin.place]))
        for axis, what in ((0, "unit"), (1, "place")):
            taken = [pair[axis] for pair in pairs]
            if len(set(taken)) < len(taken):
                raise InstanceError(f"pins: one {what} is pinned twice; each {what} can be pinned once.")
        return tuple(sorted(pairs))

    def _usable(
        self,
        units: Mapping[str, int],
        places: Mapping[str, int],
        post_of: Indices,
        pinned: Sequence[tuple[int, int]],
    ) -> Flags:
        """Capabilities, posts and forbidden pairs; then a pinned unit is kept to its place, and the place to it."""
        instance = self.instance
        usable = np.ones((len(units), len(places)), dtype=np.bool_)
        for row, unit in enumerate(instance.units):
            able = {None, *unit.capabilities}
            usable[row] = [place.needs in able for place in instance.places]
            if post_of[row] >= 0:
                usable[row] &= np.arange(len(places)) == post_of[row]
        for at, pair in enumerate(instance.forbidden):
            if pair.unit not in {None, *units} or pair.place not in {None, *places}:
                raise InstanceError(
                    f"forbidden[{at}]: {pair.unit!r} at {pair.place!r}: no such unit or place."
                )
            rows = slice(None) if pair.unit is None else units[pair.unit]
            columns = slice(None) if pair.place is None else places[pair.place]
            usable[rows, columns] = False
        for unit_at, place_at in pinned:
            if not usable[unit_at, place_at]:
                raise InstanceError(
                    f"pins: {instance.units[unit_at].id!r} at {instance.places[place_at].id!r} is forbidden, not its "
                    "post, or needs a capability it lacks; drop the pin or mend the unit."
                )
            usable[unit_at, :] = False
            usable[:, place_at] = False
            usable[unit_at, place_at] = True
        return usable

    def _closed(self) -> frozenset[int]:
        edges, closed = self.network.edges, set()
        for at, (source, target) in enumerate(self.instance.closed):
            tail, head = self._known(f"closed[{at}]", source), self._known(f"closed[{at}]", target)
            along = (edges.tail == tail) & (edges.head == head)
            against = (edges.tail == head) & (edges.head == tail) & ~edges.oneway
            found = np.flatnonzero(along | against).tolist()
            if not found:
                raise InstanceError(
                    f"closed[{at}]: no edge leads from {source!r} to {target!r}; mend the pair."
                )
            closed.update(found)
        return frozenset(closed)

    def _sources(self, start_node: int) -> tuple[tuple[int, float], ...]:
        """The node itself; beside it, the ends of every road they may have been on, at top speed from there."""
        start = self.instance.start
        if start.lon is None or start.lat is None:
            return ((start_node, 0.0),)
        away_m = distances_m(self.network, start.lon, start.lat)
        if away_m[start_node] <= AT_NODE_M:
            return ((start_node, 0.0),)
        top_mps = fastest_kmh(self.network.edges, self.instance.sure) / 3.6
        ends = {start_node, *_ends_of_roads_near(self.network, start.lon, start.lat)}
        return tuple((node, float(away_m[node]) / top_mps) for node in sorted(ends))

    def _check_names(self) -> None:
        """Destinations and stops of routes are known."""
        exits = {way.id for way in self.instance.exits}
        for at, hypothesis in enumerate(self.instance.hypotheses):
            if hypothesis.destination is not None and hypothesis.destination not in exits:
                self._known(f"hypotheses[{at}].destination", hypothesis.destination)
            if hypothesis.destination is None and not hypothesis.stays and not exits:
                raise InstanceError(
                    f"hypotheses[{at}] has no destination and there are no exits; give one of both."
                )
        for at, route in enumerate(self.instance.routes):
            for stop, (node, _) in enumerate(route.stops):
                self._known(f"routes[{at}].stops[{stop}]", node)

    def _check_connected(self, question: Question) -> None:
        """Somebody can leave the start, and, if there are ways out, can come to one of them."""
        graph = self.network.graph(TravelMode.unknown, question.closed_edges)
        size, arcs = self.network.size, matrix(graph)
        reached = np.zeros(size, dtype=np.bool_)
        for node, _ in question.sources:
            if not reached[node]:
                reached[breadth_first_order(arcs, node, return_predecessors=False) % size] = True
        name, count = self.network.nodes.ids[question.start_node], int(reached.sum())
        lost = [
            way.id
            for way, node in zip(self.instance.exits, question.exit_nodes, strict=True)
            if not reached[node]
        ]
        if lost and len(lost) == len(self.instance.exits):
            raise InstanceError(
                f"The network is disconnected: from start {name!r} {count} of {size} nodes can be reached, "
                "and no exit. Mend: add the missing edges, move the start to the main part, or drop what is closed."
            )
        if lost:
            self.notices.append(
                f"Nobody can reach {len(lost)} of the exits from the start: {', '.join(lost[:10])}."
            )
        away = [
            p.id
            for p, node in zip(self.instance.places, question.place_nodes, strict=True)
            if not reached[node]
        ]
        if away:
            self.notices.append(f"Nobody passes {len(away)} of the places: {', '.join(away[:10])}.")


def _ends_of_roads_near(network: Network, lon: float, lat: float) -> list[int]:
    """Both ends of every edge whose straight line passes nearest, or 500 m farther at most."""
    edges, nodes = network.edges, network.nodes
    if not len(edges.ids):
        return []
    # Metres east and north of the position; flat enough within a county.
    to_m = np.radians(1.0) * EARTH_RADIUS_M
    east = (nodes.lon - lon) * to_m * np.cos(np.radians(lat))
    north = (nodes.lat - lat) * to_m
    ax, ay = east[edges.tail], north[edges.tail]
    dx, dy = east[edges.head] - ax, north[edges.head] - ay
    square = np.maximum(dx * dx + dy * dy, 1e-9)
    share = np.clip(-(ax * dx + ay * dy) / square, 0.0, 1.0)
    away_m = np.hypot(ax + share * dx, ay + share * dy)
    near = away_m <= away_m.min() + BESIDE_ROAD_M
    return sorted({*edges.tail[near].tolist(), *edges.head[near].tolist()})
