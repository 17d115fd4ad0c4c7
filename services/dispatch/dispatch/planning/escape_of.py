"""The guarantee's question of an instance: may anybody get out who goes as fast as `sure` allows?

One movement a mode of `sure.modes`. Feet ignore one-way signs. Buses and boats may be boarded anywhere along their
line and wait for nobody: nobody real is faster, so what is closed to these is closed to everybody.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dispatch.domain.tables import Edges, Flags
from dispatch.planning.instance import Mode, Sure
from dispatch.planning.model import Escape, Floats, Indices, Movement
from dispatch.planning.question import Question

_KINDS: dict[Mode, tuple[str, ...]] = {
    "walking": ("walk",),
    "car": ("car",),
    "bus": ("walk", "bus"),
    "ferry": ("walk", "ferry"),
    "unknown": ("walk", "car", "bus", "ferry"),
}


def escape_of(question: Question, ready_s: Floats) -> Escape:
    """Sources at the last sighting, all exits, and the nodes where somebody can stand.

    `ready_s` is (U, P) by place; a node with several places counts when the first of them works.
    """
    instance = question.instance
    posts, at = np.unique(question.place_nodes, return_inverse=True)
    ready = np.full((len(ready_s), len(posts)), np.inf)
    for place, post in enumerate(at.tolist()):
        ready[:, post] = np.minimum(ready[:, post], ready_s[:, place])
    sources = tuple((node, instance.start.time_s + access_s) for node, access_s in question.sources)
    return Escape(
        nodes=question.network.size,
        movements=tuple(movement_of(question, mode, sources) for mode in dict.fromkeys(instance.sure.modes)),
        exits=tuple(dict.fromkeys(question.exit_nodes.tolist())),
        posts=tuple(posts.tolist()),
        ready_s=ready,
        margin_s=instance.limits.margin_s,
    )


def movement_of(question: Question, mode: Mode, sources: Sequence[tuple[int, float]]) -> Movement:
    """The arcs of a mode, each at the fewest seconds any of its vehicles needs."""
    edges = question.network.edges
    is_open = np.ones(len(edges.ids), dtype=np.bool_)
    is_open[sorted(question.closed_edges)] = False
    parts = [part for kind in _KINDS[mode] for part in _arcs(edges, kind, is_open, question.instance.sure)]
    tails, heads, seconds = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    order = np.lexsort((seconds, heads, tails))
    tails, heads, seconds = tails[order], heads[order], seconds[order]
    first = np.ones(len(tails), dtype=np.bool_)
    first[1:] = (tails[1:] != tails[:-1]) | (heads[1:] != heads[:-1])
    return Movement(tails[first], heads[first], seconds[first], tuple(sources))


def fastest_kmh(edges: Edges, sure: Sure) -> float:
    """The fastest anybody goes anywhere on this network."""
    speeds = [sure.walk_kmh, *(float(kmh.max(initial=0.0)) for kmh in _speeds(edges, sure).values())]
    return max(speeds)


def _speeds(edges: Edges, sure: Sure) -> dict[str, Floats]:
    return {
        "walk": np.full(len(edges.ids), sure.walk_kmh),
        "car": edges.car_speed_kmh * sure.car_factor,
        "bus": edges.bus_speed_kmh * sure.bus_factor,
        "ferry": edges.ferry_speed_kmh * sure.ferry_factor,
    }


def _arcs(edges: Edges, kind: str, is_open: Flags, sure: Sure) -> list[tuple[Indices, Indices, Floats]]:
    """Along the edges, and back where they are not one-way or for feet."""
    allowed = {"walk": edges.walk, "car": edges.car, "bus": edges.bus, "ferry": edges.ferry}[kind] & is_open
    back = allowed if kind == "walk" else allowed & ~edges.oneway
    kmh = _speeds(edges, sure)[kind]
    forth_s = edges.length_m[allowed] * 3.6 / kmh[allowed]
    back_s = edges.length_m[back] * 3.6 / kmh[back]
    return [(edges.tail[allowed], edges.head[allowed], forth_s), (edges.head[back], edges.tail[back], back_s)]
