"""The contest's city has known answers: 8.0155 min, 11 platforms, 2.8672 min (CUMCM 2011-B; see `contest_city`)."""

from __future__ import annotations

from functools import cache

import pytest

from dispatch.planning.checker import examine
from dispatch.planning.checker_sealing import examine_sealing
from dispatch.planning.closing import earliest_closing
from dispatch.planning.containment import contain
from dispatch.planning.sealing import seal
from harness.contest_city import City, contest_city
from harness.escapes import claimed
from harness.sealings import ready_as_told, sealing_as_told


@cache
def city() -> City:
    return contest_city()


def test_the_city_is_that_of_the_problem():
    city_, counted = city(), (582, 928, 80, 17, 13)

    assert counted == tuple(
        map(len, (city_.drive_s.T, city_.ends, city_.platforms, city_.exits, city_.accesses))
    )


def test_sealing_district_a_takes_8_0155_minutes_and_46_1885_in_all():
    sealed = seal(city().sealing_s())

    assert pytest.approx(8.0155, abs=5e-5) == sealed.last_s / 60
    assert pytest.approx(46.1885, abs=5e-5) == sealed.total_s / 60
    findings = examine_sealing(ready_as_told(city().sealing_s()), sealing_as_told(sealed))
    assert ([], [], 3) == (findings.wrong, findings.trusted, len(findings.verified))


def test_containing_the_suspect_takes_11_platforms_and_no_fewer_will_do():
    found = contain(city().escape(), deadline_s=60, fewest=True)

    assert ("guaranteed", 11, 11) == (found.kind, len(found.guards), found.flow_value)
    findings = examine(city().instance(), claimed(found))
    assert [] == findings.wrong
    assert "No fewer than 11 units can close all ways out." in findings.verified


def test_all_roadblocks_can_stand_after_2_8672_minutes_with_17_platforms_and_no_sooner():
    found = earliest_closing(city().escape(), deadline_s=60)

    assert pytest.approx(2.8672, abs=5e-5) == found.closed_at_s / 60
    assert 17 == len(found.guards)
    findings = examine(city().instance(), claimed(found))
    assert [] == findings.wrong
    assert "Units that work before 172.032 s can't close all ways, wherever they stand." in findings.verified
