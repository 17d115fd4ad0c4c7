"""Where a unit can stand: kinds of nodes, the kinds of places they make, their names and set-up times."""

from __future__ import annotations

from dataclasses import dataclass

from dispatch.importing.classes import SETUP_S


@dataclass(frozen=True)
class PlaceKind:
    """A kind of node at which a unit can control all that passes."""

    kind: str
    zh: str
    en: str
    capacity: int
    setup_s: float
    needs: str
    staffed: bool


PLACES: dict[str, PlaceKind] = {
    "toll_gate": PlaceKind("toll_gate", "收费站", "toll gate", 2, SETUP_S["gate"], "road", True),
    "toll_gantry": PlaceKind("toll_gantry", "收费门架", "toll gantry", 2, SETUP_S["road"], "road", False),
    "bus_station": PlaceKind(
        "bus_station", "汽车站", "bus station", 1, SETUP_S["passengers"], "passengers", True
    ),
    "rail_station": PlaceKind(
        "rail_station", "火车站", "station", 1, SETUP_S["passengers"], "passengers", True
    ),
    "ferry_terminal": PlaceKind(
        "ferry_terminal", "码头", "ferry terminal", 1, SETUP_S["passengers"], "passengers", True
    ),
    "pier": PlaceKind("pier", "码头", "pier", 1, SETUP_S["passengers"], "passengers", False),
    "border": PlaceKind(
        "border_checkpoint", "界卡点", "border checkpoint", 2, SETUP_S["road"], "road", False
    ),
    "bridge": PlaceKind("bridge", "大桥", "bridge", 2, SETUP_S["road"], "road", False),
    "ramp": PlaceKind("ramp", "匝道", "ramp", 1, SETUP_S["road"], "road", False),
}
"""By the kind of node, the most telling first: a node has one kind. `staffed`: people usually work there."""
ON_WATER = ("ferry_terminal", "pier")
STATIONS = ("bus_station", "rail_station", *ON_WATER)
"""These stand beside the road, on a spur of their own, so that whoever mans one does not stop the cars."""


def place_names(kind: PlaceKind, names: tuple[str, str], node_id: str) -> tuple[str, str]:
    """Chinese and English name of a place: the thing's own with its kind, or the kind with the node's id."""
    zh, en = names
    full_zh = f"{kind.zh} {node_id}" if not zh else zh if kind.zh in zh else f"{zh}{kind.zh}"
    full_en = (
        f"{kind.en.capitalize()} {node_id}" if not en else en if kind.en in en.lower() else f"{en} {kind.en}"
    )
    return full_zh, full_en
