"""The reach on the map: areas that hold all that can be reached, one within the next."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import shapely
import shapely.geometry
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry.base import BaseGeometry

from contracts.base import TravelMode
from dispatch.domain.network import Network
from dispatch.domain.reach import Entry, Origin, earliest_arrival_s
from dispatch.network_files import read_network
from dispatch.planning.plane import degrees_at, metres_of
from dispatch.planning.reach_map import GRID_DEGREES, VERTICES_MIN, reach_polygons
from harness.networks import draw, road

COUNTY = read_network().network


def areas(
    network: Network, start: int, mode: TravelMode, seen_s: float = 0.0, **more
) -> dict[int, BaseGeometry]:
    arrival_s = earliest_arrival_s(network, [Origin((Entry(start, 0.0),), seen_s, mode)])
    found = reach_polygons(network, arrival_s, seen_s, mode, **more)
    return {
        one["properties"]["minutes"]: shapely.geometry.shape(one["geometry"]) for one in found["features"]
    }


@given(start=st.integers(0, COUNTY.size - 1), mode=st.sampled_from(list(TravelMode)))
@settings(max_examples=12, deadline=None)
def test_each_area_lies_within_the_next_and_holds_every_node_reached(start: int, mode: TravelMode):
    arrival_s = earliest_arrival_s(COUNTY, [Origin((Entry(start, 0.0),), 0.0, mode)])

    found = areas(COUNTY, start, mode)

    assert [15, 30, 45, 60] == list(found)
    for inner, outer in pairwise(found.values()):
        assert outer.buffer(2 * GRID_DEGREES).covers(inner)
    for minutes, area in found.items():
        reached = arrival_s <= 60 * minutes
        points = shapely.points(COUNTY.nodes.lon[reached], COUNTY.nodes.lat[reached])
        assert area.is_valid
        assert area.geom_type == "MultiPolygon"
        assert shapely.covers(area, points).all()


def test_part_of_a_road_is_reached_too_and_not_all_of_it():
    # By car 90 km/h: in 15 minutes half of 45 km. Nodes lie a hundredth of a degree apart on the drawing.
    network = draw(3, [road(0, 1, 1), road(0, 2, 45)])

    area = areas(network, 0, TravelMode.car, minutes=[15])[15]

    assert area.covers(shapely.Point(108.7099, 30.9))
    assert not area.covers(shapely.Point(108.715, 30.9))


def test_somebody_seen_between_two_junctions_is_there_before_they_reach_one():
    network = draw(2, [road(0, 1, 5, "w")])
    at = (108.705, 30.9)
    origin = Origin((Entry(0, 1250.0), Entry(1, 1250.0)), 0.0, TravelMode.walking)
    arrival_s = earliest_arrival_s(network, [origin])

    blind = reach_polygons(network, arrival_s, 0.0, TravelMode.walking, minutes=[15])
    found = reach_polygons(network, arrival_s, 0.0, TravelMode.walking, minutes=[15], starts=[(*at, origin)])

    (area,) = (shapely.geometry.shape(one["geometry"]) for one in found["features"])
    assert shapely.geometry.shape(blind["features"][0]["geometry"]).is_empty
    assert area.covers(shapely.Point(*at))
    assert area.covers(shapely.Point(108.7016, 30.9))
    assert not area.covers(shapely.Point(108.6995, 30.9))


def test_time_is_counted_from_when_they_were_seen():
    early, late = (areas(COUNTY, 0, TravelMode.car, seen_s) for seen_s in (0.0, 5000.0))

    assert [area.wkt for area in early.values()] == [area.wkt for area in late.values()]


@pytest.mark.parametrize("most", [VERTICES_MIN, 500])
def test_few_vertices_draw_a_coarser_area_that_still_holds_all(most: int):
    fine, coarse = (
        areas(COUNTY, 0, TravelMode.unknown),
        areas(COUNTY, 0, TravelMode.unknown, vertices_max=most),
    )

    for minutes, area in coarse.items():
        assert area.is_valid
        assert shapely.get_num_coordinates(area) <= most
        arrival_s = earliest_arrival_s(COUNTY, [Origin((Entry(0, 0.0),), 0.0)])
        reached = arrival_s <= 60 * minutes
        assert shapely.covers(
            area, shapely.points(COUNTY.nodes.lon[reached], COUNTY.nodes.lat[reached])
        ).all()
    assert shapely.get_num_coordinates(fine[60]) > VERTICES_MIN


def test_where_nobody_is_there_is_no_area():
    found = reach_polygons(COUNTY, np.full(COUNTY.size, np.inf), 0.0)

    assert [True] * 4 == [shapely.geometry.shape(one["geometry"]).is_empty for one in found["features"]]


def test_too_few_vertices_are_refused():
    with pytest.raises(ValueError, match="draw no area"):
        reach_polygons(COUNTY, np.zeros(COUNTY.size), 0.0, vertices_max=3)


def test_metres_and_degrees_are_each_other_s_inverse():
    lon, lat = degrees_at(COUNTY.nodes, *metres_of(COUNTY.nodes))

    assert np.allclose(COUNTY.nodes.lon, lon, atol=1e-12)
    assert np.allclose(COUNTY.nodes.lat, lat, atol=1e-12)
