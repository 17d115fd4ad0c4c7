"""Positions beside the network: put on a node with the distance said, or refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.domain.network import distances_m
from dispatch.domain.snapping import OffNetwork, Snapped, on_a_road, snap
from dispatch.network_files import read_network

NETWORK = read_network().network


@given(st.floats(108.4, 109.4), st.floats(30.5, 31.5))
def test_the_nearest_node_is_taken_and_its_distance_said(lon: float, lat: float):
    snapped = snap(NETWORK, lon, lat, 1e6)

    away_m = distances_m(NETWORK, lon, lat)
    assert Snapped(int(np.argmin(away_m)), float(away_m.min())) == snapped


@given(st.floats(108.4, 109.4), st.floats(30.5, 31.5), st.floats(0, 20_000))
def test_nobody_is_moved_farther_than_allowed(lon: float, lat: float, limit_m: float):
    away_m = float(distances_m(NETWORK, lon, lat).min())

    if away_m <= limit_m:
        assert snap(NETWORK, lon, lat, limit_m).distance_m <= limit_m
        return
    with pytest.raises(OffNetwork) as off:
        snap(NETWORK, lon, lat, limit_m)
    assert (away_m, limit_m) == (off.value.distance_m, off.value.refuse_beyond_m)


def test_a_police_unit_is_put_on_a_road_and_not_on_the_pier_beside_it():
    pier = NETWORK.index["pier-shuangjiang"]
    lon, lat = float(NETWORK.nodes.lon[pier]), float(NETWORK.nodes.lat[pier])
    roads = on_a_road(NETWORK)
    roads[pier] = False

    assert Snapped(pier, 0.0) == snap(NETWORK, lon, lat, 100)
    assert pier != snap(NETWORK, lon, lat, 2000, among=roads).node
    assert not (roads & NETWORK.nodes.outside).any()


@pytest.mark.parametrize(("lon", "lat"), [(0.0, 0.0), (200.0, 30.0), (30.9, 108.7), (float("nan"), 30.9)])
def test_a_position_far_away_or_nowhere_is_refused(lon: float, lat: float):
    with pytest.raises(OffNetwork, match="from the network"):
        snap(NETWORK, lon, lat, 5_000)
