"""Units of the Yunyang data set: police units that travel, and staff who already stand at their place.

Unit names are those of a place with a number; nobody is named. The choice of bases is ours (schematic).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from yunyang_geography import NEIGHBOURS, POINTS

Row = dict[str, object]
ALL_DAY = ("00:00", "24:00")
BOAT_HOURS = ("06:00", "20:00")

# Seconds from reading the order to rolling. Assumptions to replace by the county's own figures.
TURNOUT_PATROL_S = 60
TURNOUT_STATION_S = 120
TURNOUT_ON_THE_SPOT_S = 30

POLICE_STATIONS = (
    *("shuangjiang", "qinglong", "bayang", "huangshi", "gaoyang", "pingan", "nanxi", "jiangkou", "shashi"),
    *("nongba", "sangping", "yunyang", "hongshi", "guling", "longdong", "longjiao", "fengming", "qingshui"),
)
# Base node, names, seconds of turnout.
SQUADS = (
    ("shuangjiang", "交巡警一组", "Traffic patrol 1", TURNOUT_PATROL_S),
    ("panlong", "交巡警二组", "Traffic patrol 2", TURNOUT_PATROL_S),
    ("jiangkou", "交巡警三组", "Traffic patrol 3", TURNOUT_PATROL_S),
    ("longjiao", "交巡警四组", "Traffic patrol 4", TURNOUT_PATROL_S),
    ("toll-yunyang", "高速执法组", "Expressway patrol", TURNOUT_PATROL_S),
    ("pier-shuangjiang", "水上派出所组", "Water police", TURNOUT_PATROL_S),
    ("border-wanzhou-g42", "万州界公安检查站", "Wanzhou border police post", TURNOUT_ON_THE_SPOT_S),
    ("border-fengjie-g42", "奉节界公安检查站", "Fengjie border police post", TURNOUT_ON_THE_SPOT_S),
)
# Kinds of place whose own staff can hold it, with what they can do and when they are there.
STAFFED = {
    "toll_gate": ("road", ALL_DAY),
    "bus_station": ("passengers", ("05:30", "21:00")),
    "rail_station": ("passengers", ALL_DAY),
    "ferry_terminal": ("passengers", BOAT_HOURS),
}


def short_name(name_zh: str) -> str:
    """`清水土家族乡` -> `清水`; 云阳镇 keeps its ending, or it would read like the county."""
    if name_zh == "云阳镇":
        return name_zh
    for ending in ("土家族乡", "街道", "镇", "乡"):
        name_zh = name_zh.removesuffix(ending)
    return name_zh


def departure_name(start: str, neighbour: str) -> str:
    """The English name of a long-distance departure, e.g. `Guling bus station to Fengjie`."""
    return f"{POINTS[start].name_en} to {NEIGHBOURS[neighbour].name_en}"


def unit_rows(
    nodes: Mapping[str, Any], places: Sequence[Row], identify: Callable[[str, str], UUID]
) -> list[Row]:
    """Police units first, then the staff of toll gates, stations and piers."""
    rows = []
    for base in POLICE_STATIONS:
        zh, en = short_name(nodes[base].name_zh), nodes[base].name_en
        rows.append(_police(base, f"{zh}派出所", f"{en} police station", TURNOUT_STATION_S))
    rows += [_police(*squad) for squad in SQUADS]
    rows += [_staff(place) for place in places if place["kind"] in STAFFED]
    for number, row in enumerate(rows, start=1):
        row["unit_id"] = identify("unit", str(row.pop("slug")))
        row["code"] = f"YY{number:02d}"
    order = ("unit_id", "code", *(key for key in rows[0] if key not in ("unit_id", "code")))
    return [{key: row[key] for key in order} for row in rows]


def _police(base: str, name_zh: str, name_en: str, turnout_s: int) -> Row:
    row = {
        "slug": f"police/{base}/{name_en}",
        "name_zh": name_zh,
        "name_en": name_en,
        "region_code": "500235",
    }
    row |= {"kind": "police", "base_node": base, "post_place_id": "", "capabilities": "road;passengers"}
    return row | {"shift_start": ALL_DAY[0], "shift_end": ALL_DAY[1], "turnout_s": turnout_s}


def _staff(place: Row) -> Row:
    capability, (start, end) = STAFFED[str(place["kind"])]
    row: Row = {"slug": f"staff/{place['node_id']}", "name_zh": f"{place['name_zh']}值班"}
    row |= {"name_en": f"{place['name_en']} duty staff", "region_code": "500235", "kind": "station_staff"}
    row |= {"base_node": place["node_id"], "post_place_id": place["place_id"], "capabilities": capability}
    return row | {"shift_start": start, "shift_end": end, "turnout_s": TURNOUT_ON_THE_SPOT_S}
