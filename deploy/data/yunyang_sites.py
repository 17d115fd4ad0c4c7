"""Sites and contacts of the Yunyang data set: who gets a notice, on a number that can reach nobody.

Every phone number is reserved for fiction: +44 7700 900000-900999 (Ofcom, numbers for drama use) and
+1 NPA 555 0100-0199 (NANPA, line numbers for fictional use). Positions near a township are schematic.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from yunyang_units import short_name

Row = dict[str, object]
REGION_CODE = "500235"

AREA_CODES = (202, 212, 213, 303, 305, 312, 404, 415, 503, 512, 602, 617, 702, 713, 808, 816, 901, 907)

HOTELS = {
    **{"shuangjiang": 9, "qinglong": 6, "yunyang": 4, "jiangkou": 4, "nanxi": 3, "gaoyang": 3, "panlong": 2},
    **{"longjiao": 2, "huangshi": 2, "guling": 1, "fengming": 1, "shashi": 1, "hongshi": 1, "renhe": 1},
}
OTHERS = (
    *(
        (base, "entertainment_venue", "娱乐场所", "Entertainment venue", 1)
        for base in ("yunyang", "jiangkou")
    ),
    ("shuangjiang", "entertainment_venue", "娱乐场所", "Entertainment venue", 3),
    *((base, "hospital", "医院", "Hospital", 1) for base in ("shuangjiang", "qinglong", "jiangkou", "nanxi")),
    *((base, "school", "学校", "School", 1) for base in ("shuangjiang", "qinglong", "yunyang", "gaoyang")),
    ("shuangjiang", "urban_management", "城市管理站", "Urban management post", 1),
    ("qinglong", "urban_management", "城市管理站", "Urban management post", 1),
)
METRES_PER_DEGREE = 111_195.0  # Along a meridian of the mean sphere.


def site_rows(
    nodes: Mapping[str, Any], codes: Mapping[str, str], identify: Callable[[str, str], UUID]
) -> list[Row]:
    """A bus station or stop in every township, twelve ferry landings, then hotels and other places.

    `codes` gives the nine-digit township code of every township's node.
    """
    townships = {slug: node for slug, node in nodes.items() if node.kind == "township"}
    rows = [_bus_site(slug, nodes, identify) for slug in townships]
    rows += [_node_site(node, "ferry_terminal", identify) for node in nodes.values() if node.kind == "pier"]
    wanted = [(base, "hotel", "宾馆", "Hotel", count) for base, count in HOTELS.items()]
    for base, category, zh, en, count in (*wanted, *OTHERS):
        rows += [
            _near(townships[base], category, zh, en, number=number, identify=identify)
            for number in range(1, count + 1)
        ]
    for row in rows:
        row["township_code"] = codes[str(row.pop("township"))]
    order = (
        "site_id",
        "category",
        "name_zh",
        "name_en",
        "township_code",
        "lon",
        "lat",
        "region_code",
        "exercise_ok",
    )
    return [{key: row[key] for key in order} for row in rows]


def contact_rows(
    sites: Sequence[Row], units: Sequence[Row], identify: Callable[[str, str], UUID]
) -> list[Row]:
    """One contact a site, a second at stations and landings, one a unit; each on a number of its own."""
    numbers = fictional_numbers()
    rows = []
    for site in sites:
        for order in (1, 2) if site["category"] in ("bus_station", "ferry_terminal") else (1,):
            rows.append(_contact(site, "site_id", order, next(numbers), identify))
    rows += [_contact(unit, "unit_id", 1, next(numbers), identify) for unit in units]
    return rows


def fictional_numbers() -> Iterator[str]:
    """E.164 numbers reserved for fiction, British and American in turn; 1,000 of each, then no more."""
    for count in range(1000):
        yield f"+447700900{count:03d}"
        yield f"+1{AREA_CODES[count % len(AREA_CODES)]}55501{count // len(AREA_CODES):02d}"


def _bus_site(slug: str, nodes: Mapping[str, Any], identify: Callable[[str, str], UUID]) -> Row:
    station = nodes.get(f"station-{slug}")
    if station is not None:
        return _node_site(station, "bus_station", identify) | {"township": slug}
    town = nodes[slug]
    zh = short_name(town.name_zh)
    row = _site("bus_station", f"{zh}客运站", f"{town.name_en} bus stop", (town.lon, town.lat), identify)
    return row | {"township": slug}


def _node_site(node: Any, category: str, identify: Callable[[str, str], UUID]) -> Row:
    row = _site(category, node.name_zh, node.name_en, (node.lon, node.lat), identify)
    return row | {"township": node.node_id.split("-", 1)[1]}


def _near(
    town: Any, category: str, zh: str, en: str, *, number: int, identify: Callable[[str, str], UUID]
) -> Row:
    """The n-th of its kind, on a spiral 150 m and more around the township's point."""
    angle, radius_m = 2.4 * number + 0.7 * len(category), 150.0 + 90.0 * number
    lat = town.lat + radius_m * math.sin(angle) / METRES_PER_DEGREE
    lon = town.lon + radius_m * math.cos(angle) / (METRES_PER_DEGREE * math.cos(math.radians(town.lat)))
    name_zh, name_en = f"{town.name_zh}{zh}{number}", f"{town.name_en} {en.lower()} {number}"
    row = _site(category, name_zh, name_en, (round(lon, 5), round(lat, 5)), identify)
    return row | {"township": town.node_id}


def _site(
    category: str,
    name_zh: str,
    name_en: str,
    position: tuple[float, float],
    identify: Callable[[str, str], UUID],
) -> Row:
    row: Row = {"site_id": identify("site", f"{category}/{name_en}"), "category": category}
    row |= {
        "name_zh": name_zh,
        "name_en": name_en,
        "lon": position[0],
        "lat": position[1],
        "region_code": REGION_CODE,
    }
    # Schools and hospitals are left out of exercises by default: they have their own drills.
    return row | {"exercise_ok": int(category not in ("school", "hospital"))}


def _contact(owner: Row, owner_key: str, order: int, phone: str, identify: Callable[[str, str], UUID]) -> Row:
    british = phone.startswith("+44")
    row: Row = {
        "contact_id": identify("contact", f"{owner[owner_key]}/{order}"),
        "site_id": "",
        "unit_id": "",
    }
    row[owner_key] = owner[owner_key]
    row |= {"label": f"值班 {order}", "role": "on_duty", "phone_e164": phone}
    # Hotels and venues near the seat get English now and then, so that both languages are exercised.
    row |= {"language": "en" if owner.get("category") == "hotel" and not british else "zh", "order": order}
    row |= {"two_way": 1, "url_ok": int(british or owner_key == "unit_id"), "voice": int(order == 1)}
    return row | {"exercise_list": int(owner.get("exercise_ok", 1) == 1)}
