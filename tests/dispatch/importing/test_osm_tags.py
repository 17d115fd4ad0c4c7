"""What the tags of one way mean."""

from __future__ import annotations

import pytest

from dispatch.importing.classes import HIGHWAYS
from dispatch.importing.osm_tags import duration_s, names_of, way_of


def test_every_class_of_road_has_a_speed_that_a_sign_of_it_may_say():
    for road in HIGHWAYS.values():
        assert 0 <= road.car_kmh <= road.ceiling_kmh <= 120
        assert road.bus_kmh <= road.car_kmh


@pytest.mark.parametrize(
    ("tags", "oneway", "is_reversed"),
    [
        ({}, False, False),
        ({"oneway": "yes"}, True, False),
        ({"oneway": "1"}, True, False),
        ({"oneway": "-1"}, True, True),
        ({"oneway": "reversible"}, False, False),
        ({"highway": "motorway"}, True, False),
        ({"highway": "motorway", "oneway": "no"}, False, False),
        ({"junction": "roundabout"}, True, False),
        ({"junction": "roundabout", "oneway": "no"}, False, False),
    ],
)
def test_one_way_streets_are_told_by_tag_motorway_and_roundabout(
    tags: dict[str, str], oneway: bool, is_reversed: bool
):
    way = way_of({"highway": "secondary"} | tags)

    assert way is not None
    assert (oneway, is_reversed) == (way.use.oneway, way.is_reversed)


@pytest.mark.parametrize(
    ("maxspeed", "kmh", "ignored"),
    [
        ("50", 50, False),
        ("50 km/h", 50, False),
        ("30 mph", 48.3, False),
        ("40;60", 60, False),
        ("CN:urban", 40, False),
        ("none", 40, False),
        ("500", 40, True),
        ("3", 40, True),
        ("", 40, False),
    ],
)
def test_a_sign_counts_where_it_is_plausible_and_the_table_elsewhere(
    maxspeed: str, kmh: float, ignored: bool
):
    way = way_of({"highway": "secondary", "maxspeed": maxspeed})

    assert way is not None
    assert (kmh, ignored) == (way.use.car_kmh, way.speed_ignored)


@pytest.mark.parametrize(
    ("tags", "walk", "car", "bus"),
    [
        ({"highway": "residential"}, True, True, True),
        ({"highway": "motorway"}, False, True, True),
        ({"highway": "footway"}, True, False, False),
        ({"highway": "steps"}, True, False, False),
        ({"highway": "residential", "motor_vehicle": "no"}, True, False, False),
        ({"highway": "residential", "motor_vehicle": "no", "bus": "yes"}, True, False, True),
        ({"highway": "residential", "access": "no", "foot": "yes"}, True, False, False),
        ({"highway": "residential", "access": "private"}, True, True, True),
        ({"highway": "trunk", "motorroad": "yes"}, False, True, True),
        ({"highway": "trunk", "foot": "no"}, False, True, True),
        ({"highway": "busway"}, True, False, True),
    ],
)
def test_who_may_use_a_road(tags: dict[str, str], walk: bool, car: bool, bus: bool):
    way = way_of(tags)

    assert way is not None
    assert (walk, car, bus) == (way.use.walk, way.use.car, way.use.bus)
    assert (way.use.car_kmh > 0) == car
    assert (way.use.bus_kmh > 0) == bus


@pytest.mark.parametrize(
    "tags",
    [
        {"highway": "construction"},
        {"highway": "proposed"},
        {"highway": "platform"},
        {"highway": "residential", "access": "no"},
        {"highway": "pedestrian", "area": "yes"},
        {"route": "ferry", "access": "no"},
        {"railway": "rail"},
        {},
    ],
)
def test_what_nobody_travels_on_is_no_road(tags: dict[str, str]):
    assert way_of(tags) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("25", 1500),
        ("25 min", 1500),
        ("00:25", 1500),
        ("1:30", 5400),
        ("01:30:30", 5430),
        ("PT1H30M", 5400),
        ("PT45S", 45),
        ("PT", None),
        ("0", None),
        ("soon", None),
        ("1:75", None),
        (None, None),
    ],
)
def test_durations_are_read_in_every_usual_form(text: str | None, seconds: float | None):
    assert seconds == duration_s(text)


def test_a_ferry_carries_cars_only_where_it_is_said():
    on_foot, with_cars = (way_of({"route": "ferry"} | more) for more in ({}, {"motor_vehicle": "yes"}))

    assert on_foot is not None
    assert with_cars is not None
    assert (False, True) == (on_foot.use.car, with_cars.use.car)
    assert on_foot.use.ferry
    assert with_cars.use.ferry


def test_names_fall_back_to_the_local_one():
    assert ("云阳", "Yunyang") == names_of({"name": "云阳", "name:en": "Yunyang"})
    assert ("G42/G50", "G42/G50") == names_of({"ref": "G42;G50"})
    assert ("", "") == names_of({})
