"""The network's map over HTTP: names, kinds and roads of the network that is planned with, and for whom."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from dispatch.network_files import read_network
from dispatch.network_map import NetworkRows, drawn
from guitu.auth import Role
from harness.dispatch_http import Centre, over_http
from harness.dispatch_stories import dispatch_in_yunyang

FILES = read_network()
PATH = "/networks/500235/map"


@pytest.fixture
async def centre(runtime_for: Any) -> AsyncIterator[Centre]:
    dispatch = await dispatch_in_yunyang(runtime_for)
    async with over_http(dispatch) as http:
        yield Centre(dispatch, http)


def layer(found: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [one for one in found["features"] if one["properties"]["layer"] == name]


async def test_the_map_has_every_road_place_and_exit_of_the_network_where_it_lies(centre: Centre) -> None:
    answer = await centre.desk().reads(PATH)
    found = answer.json()

    assert "application/geo+json" == answer.headers["content-type"]
    assert (len(FILES.edges), 0) == (len(layer(found, "road")), found["edges_left_out"])
    assert {str(place.place_id): place.name_zh for place in FILES.places} == {
        one["properties"]["place_id"]: one["properties"]["name_zh"] for one in layer(found, "place")
    }
    assert {str(one.exit_id) for one in FILES.exits} == {
        one["properties"]["exit_id"] for one in layer(found, "exit")
    }
    at = {node.node_id: [node.lon, node.lat] for node in FILES.nodes}
    assert all(
        one["geometry"]["coordinates"] == at[one["properties"]["node_id"]]
        for name in ("place", "exit", "town")
        for one in layer(found, name)
    )
    assert "双江街道" in {one["properties"]["name_zh"] for one in layer(found, "town")}
    assert found["schematic"] is True


async def test_who_has_the_map_already_is_told_so_and_sent_nothing(centre: Centre) -> None:
    first = await centre.desk().reads(PATH)

    desk = centre.desk()
    headers = {**desk._headers, "If-None-Match": first.headers["etag"]}
    again = await centre.http.get(PATH, headers=headers)
    other = await centre.http.get(PATH, headers=headers | {"If-None-Match": '"another"'})

    assert (304, b"", first.headers["etag"]) == (again.status_code, again.content, again.headers["etag"])
    assert (200, first.content) == (other.status_code, other.content)


@pytest.mark.parametrize(
    ("role", "region", "status"),
    [
        ("operator", "500235", 200),
        ("auditor", "*", 200),
        ("operator", "500236", 403),
        ("laboratory", "500235", 403),
        ("site", "500235", 403),
    ],
)
async def test_only_who_reads_plans_of_the_region_reads_its_map(
    centre: Centre, role: Role, region: str, status: int
) -> None:
    assert status == (await centre.desk(role, region).reads(PATH)).status_code


async def test_a_region_without_a_network_has_no_map_and_the_refusal_says_what_to_do(centre: Centre) -> None:
    answer = await centre.desk(region="*").reads("/networks/500999/map")

    assert (409, "no_network") == (answer.status_code, answer.json()["code"])
    assert "guitu network import" in answer.json()["mend"]


def test_of_too_many_roads_the_grandest_are_drawn_and_the_rest_is_counted() -> None:
    rows = NetworkRows("v", True, "", FILES.nodes, FILES.edges, FILES.places, FILES.exits)
    grand = [edge for edge in FILES.edges if edge.road_class == "expressway"]

    found = drawn(rows, edges_max=len(grand))

    assert f'"edges_left_out":{len(FILES.edges) - len(grand)},'.encode() in found.body
    assert len(grand) == found.body.count(b'"road_class":"expressway"') == found.body.count(b'"layer":"road"')


def test_another_name_is_another_tag() -> None:
    rows = NetworkRows("v", True, "", FILES.nodes, FILES.edges, FILES.places, FILES.exits)
    renamed = replace(FILES.places[0], name_zh="另一处")

    assert drawn(rows).etag == drawn(rows).etag
    assert drawn(rows).etag != drawn(replace(rows, places=(renamed, *FILES.places[1:]))).etag
