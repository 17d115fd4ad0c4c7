"""Networks for dispatch tests: small ones drawn by hand or by hypothesis, and real towns where there is data."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from uuid import UUID, uuid5

import numpy as np

from contracts.base import UnitId
from dispatch.domain.network import Network, build_network
from dispatch.domain.problem import Exit, ExitId, Place, PlaceId, Unit
from dispatch.domain.tables import Edges, Nodes

NAMESPACE = UUID("5f3a4a52-3d5e-4b0f-9d7e-1f0a6a5b7c11")
ROADS = Path(__file__).parents[2] / "bench" / "data" / "road"


def road(
    tail: int, head: int, km: float = 1.0, modes: str = "wc", *, kmh: float = 60.0, oneway: bool = False
):
    """One edge; `modes` are the letters of walk, car, bus and ferry; every vehicle has the same design speed."""
    return tail, head, km * 1000, modes, kmh, oneway


def draw(
    size: int, roads: Iterable[tuple[int, int, float, str, float, bool]], *, stops: Iterable[int] = ()
) -> Network:
    """A network of nodes 0 to size - 1, a kilometre apart on a line; the ends of ferries are piers."""
    roads = list(roads)
    on_water = [end for tail, head, _, modes, *_ in roads if "f" in modes for end in (tail, head)]
    marks = {name: np.zeros(size, dtype=np.bool_) for name in ("bus_stop", "pier", "outside")}
    marks["bus_stop"][list(stops)] = True
    marks["pier"][on_water] = True
    nodes = Nodes(
        ids=tuple(f"n{node}" for node in range(size)),
        lon=108.7 + np.arange(size) * 0.01,
        lat=np.full(size, 30.9),
        **marks,
    )
    return build_network(nodes, _edges(roads))


def _edges(roads: list[tuple[int, int, float, str, float, bool]]) -> Edges:
    modes = {
        name: np.array([letter in r[3] for r in roads], dtype=np.bool_) for name, letter in LETTERS.items()
    }
    kmh = np.array([r[4] for r in roads], dtype=np.float64)
    return Edges(
        ids=tuple(f"e{number}" for number in range(len(roads))),
        road_class=("county",) * len(roads),
        tail=np.array([r[0] for r in roads], dtype=np.int64),
        head=np.array([r[1] for r in roads], dtype=np.int64),
        length_m=np.array([r[2] for r in roads], dtype=np.float64),
        oneway=np.array([r[5] for r in roads], dtype=np.bool_),
        **modes,
        car_speed_kmh=np.where(modes["car"], kmh, 0.0),
        bus_speed_kmh=np.where(modes["bus"], kmh, 0.0),
        ferry_speed_kmh=np.where(modes["ferry"], kmh, 0.0),
    )


LETTERS = {"walk": "w", "car": "c", "bus": "b", "ferry": "f"}


def place_at(node: int, *, setup_s: float = 60.0, needs: str = "road", name: str = "") -> Place:
    """A place whose id follows from node and name."""
    place_id = PlaceId(uuid5(NAMESPACE, f"place/{node}/{name}"))
    return Place(place_id, node, "road_checkpoint", f"卡点{node}", f"Checkpoint {node}", setup_s, needs)


def exit_at(node: int, name: str = "") -> Exit:
    """An exit whose id follows from node and name."""
    return Exit(ExitId(uuid5(NAMESPACE, f"exit/{node}/{name}")), node, "road", f"出口{node}", f"Exit {node}")


def unit_at(
    node: int, number: int = 0, *, turnout_s: float = 60.0, can: str = "road", post: Place | None = None
):
    """A unit whose id follows from node and number; with a post, its staff."""
    unit_id = UnitId(uuid5(NAMESPACE, f"unit/{node}/{number}"))
    return Unit(unit_id, node, frozenset({can}), turnout_s, post.place_id if post else None)


def real_town(name: str) -> Network:
    """A town of the benches (OpenStreetMap, ODbL), roads for cars and feet."""
    folder = ROADS / name
    with (folder / "nodes.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    with (folder / "edges.csv").open(encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    size = len(rows)
    unmarked = {mark: np.zeros(size, dtype=np.bool_) for mark in ("bus_stop", "pier", "outside")}
    index = {row["node"]: place for place, row in enumerate(rows)}
    nodes = Nodes(
        ids=tuple(row["node"] for row in rows),
        lon=np.array([float(row["lon"]) for row in rows]),
        lat=np.array([float(row["lat"]) for row in rows]),
        **unmarked,
    )
    ends = ((index[line["source"]], index[line["target"]]) for line in lines)
    roads = [
        (tail, head, float(line["length_m"]), "wc", float(line["speed_kph"]), True)
        for (tail, head), line in zip(ends, lines, strict=True)
    ]
    return build_network(nodes, _edges(roads))
