"""What the map of a case is drawn from: the county, the units, and how far the child can be by when, also in words."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import LineString

from console.board.map_base import drawn, outlines_of, trail
from harness.console_desk import Console, opened, seat_at
from harness.console_stories import CaseStory, RuntimeFor, told
from harness.ground import START

OUTLINES = Path(__file__).parents[2] / "services/console/console/data/outlines.geojson"


def point(layer: str, node: str, lon: float, lat: float, **more: str) -> dict[str, Any]:
    said = {"layer": layer, "node_id": node, "name_zh": f"{node}镇", "name_en": node, **more}
    return {"geometry": {"type": "Point", "coordinates": [lon, lat]}, "properties": said}


def square(minutes: int, half: float) -> dict[str, Any]:
    ring = [[108.7 + x * half, 30.9 + y * half] for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1))]
    return {"properties": {"minutes": minutes}, "geometry": {"type": "MultiPolygon", "coordinates": [[ring]]}}


NETWORK = {
    "version": "v1",
    "schematic": True,
    "source": "",
    "features": [
        {
            "geometry": {"type": "LineString", "coordinates": [[108.7, 30.9], [108.71234, 30.91]]},
            "properties": {"layer": "road", "edge_id": "e1", "road_class": "county", "modes": ["car"]},
        },
        point("town", "near", 108.705, 30.9),
        point("town", "far", 108.9, 30.9),
        point("place", "gate", 108.72, 30.92, place_id="p"),
        point("exit", "out", 109.0, 31.0, exit_id="x"),
    ],
}
UNITS = [
    {
        "code": "YY01",
        "start_node": "gate",
        "base_node": "near",
        "lon": None,
        "lat": None,
        "on_duty": True,
        "busy_case_id": None,
    },
    {
        "code": "YY02",
        "start_node": None,
        "base_node": "near",
        "lon": 108.8,
        "lat": 30.8,
        "on_duty": True,
        "busy_case_id": "case",
    },
    {
        "code": "YY03",
        "start_node": None,
        "base_node": "near",
        "lon": None,
        "lat": None,
        "on_duty": False,
        "busy_case_id": None,
    },
    {
        "code": "YY04",
        "start_node": None,
        "base_node": "nowhere",
        "lon": None,
        "lat": None,
        "on_duty": True,
        "busy_case_id": None,
    },
]


@dataclass
class Dispatch:
    """Dispatch on the wire."""

    case_id: str
    etag: str = '"one"'
    asked: list[str] = field(default_factory=list)
    refuse: int = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(f"{request.url.path}?{request.url.query.decode()}")
        if self.refuse:
            return httpx.Response(self.refuse, json={"code": "no", "detail": "No.", "detail_zh": "不行。"})
        if request.url.path.endswith("/map"):
            return httpx.Response(200, json=NETWORK, headers={"ETag": self.etag})
        if request.url.path == "/units":
            names = {"name_zh": "双江派出所", "name_en": "Shuangjiang", "status": "available"}
            own = {"case": self.case_id}
            return httpx.Response(
                200, json=[names | one | {"busy_case_id": own.get(str(one["busy_case_id"]))} for one in UNITS]
            )
        asked = [int(one) for one in request.url.params.get_list("minutes")] or [15, 30, 45, 60]
        areas = [square(minutes, minutes / 1000) for minutes in asked]
        said = {"features": areas, "seen_at": START.isoformat(), "schematic": True}
        return httpx.Response(200, json=said)


@dataclass
class Screen:
    console: Console
    dispatch: Dispatch
    case: str

    async def reads(
        self, path: str, role: Any = "operator", region: str = "500235", **headers: str
    ) -> httpx.Response:
        async with seat_at(self.console, role, region) as http:
            return await http.get(path.replace("CASE", f"/cases/{self.case}"), headers=headers)


@pytest_asyncio.fixture
async def screen(runtime_for: RuntimeFor) -> AsyncIterator[Screen]:
    story = CaseStory(START)
    dispatch = Dispatch(str(story.case_id))
    async with opened(await runtime_for("console"), dispatch) as console:
        await told(console.run, story.raised())
        console.run.clock.advance(minutes=12)  # type: ignore[attr-defined]
        yield Screen(console, dispatch, str(story.case_id))


async def test_the_county_is_drawn_from_dispatchs_network_and_our_outlines(screen: Screen) -> None:
    said = (await screen.reads("/map/500235.json")).json()

    assert [["county", 1087000, 309000, 123, 100]] == said["roads"]
    assert [[108.705, 30.9], [108.9, 30.9]] == [town["at"] for town in said["towns"]]
    assert ["x"] == [one["exit_id"] for one in said["exits"]]
    assert 1 == sum(one["ours"] for one in said["outlines"])
    assert said["schematic"] is True


async def test_a_map_that_did_not_change_is_sent_once(screen: Screen) -> None:
    first = await screen.reads("/map/500235.json")

    again = await screen.reads("/map/500235.json", **{"If-None-Match": first.headers["etag"]})

    assert (304, b"") == (again.status_code, again.content)


async def test_what_dispatch_refuses_the_console_refuses_too_even_if_it_knows_the_map(screen: Screen) -> None:
    assert 200 == (await screen.reads("/map/500235.json")).status_code
    screen.dispatch.refuse = 403

    assert 403 == (await screen.reads("/map/500235.json")).status_code


@pytest.mark.parametrize("region", ["50023", "..%2f..%2fx", "abcdef", "500235x"])
async def test_what_is_no_region_is_not_asked_for(screen: Screen, region: str) -> None:
    assert 404 == (await screen.reads(f"/map/{region}.json")).status_code
    assert not [path for path in screen.dispatch.asked if "/networks/" in path]


async def test_units_stand_where_they_were_last_or_where_they_start_from(screen: Screen) -> None:
    said = (await screen.reads("CASE/units.json")).json()

    assert [("YY01", [108.72, 30.92], ""), ("YY02", [108.8, 30.8], "here")] == [
        (unit["code"], unit["at"], unit["busy"]) for unit in said
    ]


async def test_reach_looks_ahead_from_now_and_not_from_when_they_were_seen(screen: Screen) -> None:
    said = (await screen.reads("CASE/reach.json?ahead=15")).json()

    # Seen at START, now 12 minutes later: in 15 minutes it will be 27.
    assert ([15, 30, 45, 60], 27) == ([area["minutes"] for area in said["areas"]], said["then"]["minutes"])
    assert "minutes=27" in screen.dispatch.asked[-1]
    assert ["near"] == [town[1] for town in said["then"]["towns"]]


async def test_after_a_day_nobody_says_where_they_can_be(screen: Screen) -> None:
    screen.console.run.clock.advance(days=1)  # type: ignore[attr-defined]

    said = (await screen.reads("CASE/reach.json")).json()
    words = (await screen.reads("CASE/reach")).text

    assert said["then"] is None
    assert "they can be anywhere" in words


async def test_the_map_has_a_twin_in_words(screen: Screen) -> None:
    text = (await screen.reads("CASE/reach?ahead=60")).text

    assert "they can be in 1 towns" in text
    assert "The road network is a drawing" in text
    assert "far" not in text.split("<table", 1)[1].split("</table>", 1)[0]


@pytest.mark.parametrize(
    "path", ["CASE/reach.json?ahead=-1", "CASE/reach.json?ahead=121", "CASE/reach?ahead=x"]
)
async def test_a_look_too_far_ahead_is_refused(screen: Screen, path: str) -> None:
    assert 422 == (await screen.reads(path)).status_code


async def test_who_may_not_read_plans_sees_no_map(screen: Screen) -> None:
    paths = ["/map/500235.json", "CASE/units.json", "CASE/reach.json", "CASE/reach"]

    assert [403] * 4 == [(await screen.reads(path, "laboratory")).status_code for path in paths]
    assert [404] * 3 == [(await screen.reads(path, region="500236")).status_code for path in paths[1:]]


@given(st.lists(st.tuples(st.floats(-179, 179), st.floats(-89, 89)), min_size=2, max_size=20))
def test_a_trail_leads_through_every_point_to_ten_metres(points: list[tuple[float, float]]) -> None:
    numbers = trail(LineString(points))

    lon = lat = 0
    walked = []
    for at in range(0, len(numbers), 2):
        lon, lat = lon + numbers[at], lat + numbers[at + 1]
        walked.append((lon / 1e4, lat / 1e4))
    assert len(points) == len(walked)
    assert all(
        abs(a - c) <= 0.00006 and abs(b - d) <= 0.00006 for (a, b), (c, d) in zip(points, walked, strict=True)
    )


def test_a_county_without_outlines_has_a_map_all_the_same(tmp_path: Path) -> None:
    found = drawn(json.dumps(NETWORK).encode(), outlines_of(tmp_path / "none.geojson"), "500235", "")

    assert [] == json.loads(found.body)["outlines"]


def test_our_outlines_are_small_and_name_the_county() -> None:
    found = outlines_of(OUTLINES)

    assert "500235" in {one["properties"]["region_code"] for one in found}
    assert OUTLINES.stat().st_size < 30_000
