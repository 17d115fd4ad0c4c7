"""The form that raises an alert, read into the body that alerts takes; what can't be read is said beside its field."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from console.places.source import YUNYANG, own_places
from console.raising.form import Asked, read_form
from console.words import words

OWN = own_places(YUNYANG)
NOW = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)  # 14:00 in Beijing.
WHOLE = {"place": "云阳镇", "ago": "10", "sex": "female", "age_years": "6", "appearance": "红色外套"}


def read(**changed: Any) -> Asked:
    form = {name: said for name, said in (WHOLE | changed).items() if said is not None}
    return read_form(form, OWN, NOW, words("en"))


def wrong(asked: Asked) -> list[str]:
    return [each.field for each in asked.errors]


def test_five_facts_are_a_report() -> None:
    asked = read()

    assert () == asked.errors
    assert asked.body == {
        "last_seen_place": {
            "position": {"lon": 108.88137, "lat": 30.99795},
            "name": "云阳镇",
            "township_code": "500235135",
        },
        "last_seen_at": "2026-03-01T05:50:00+00:00",
        "sex": "female",
        "age_years": 6,
        "appearance": "红色外套",
        "suspected_mode": "unknown",
        "exercise": False,
    }


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"place": ""}, "place"),
        ({"place": "nowhere at all"}, "place"),
        ({"sex": None}, "sex"),
        ({"sex": "girl"}, "sex"),
        ({"age_years": ""}, "age_years"),
        ({"age_years": "18"}, "age_years"),
        ({"age_years": "six"}, "age_years"),
        ({"age_years": "-1"}, "age_years"),
        ({"appearance": "  "}, "appearance"),
        ({"height_cm": "29"}, "height_cm"),
        ({"height_cm": "1.2"}, "height_cm"),
        ({"exact": "25:00"}, "exact"),
        ({"exact": "02-30 10:00"}, "exact"),
        ({"exact": "noon"}, "exact"),
    ],
)
def test_a_field_that_cannot_be_read_is_named(changed: dict[str, Any], field: str) -> None:
    assert [field] == wrong(read(**changed))


def test_everything_that_is_missing_is_said_at_once_in_the_order_of_the_page() -> None:
    asked = read_form({}, OWN, NOW, words("zh-CN"))

    assert ["place", "sex", "age_years", "appearance"] == wrong(asked)


@pytest.mark.parametrize(
    ("exact", "seen_at"),
    [
        ("13:30", NOW - timedelta(minutes=30)),
        ("14:00", NOW),
        ("14:20", NOW - timedelta(hours=23, minutes=40)),
        ("02-28 14:00", NOW - timedelta(days=1)),
        ("2月28日 14:00", NOW - timedelta(days=1)),
        ("12-31 14:00", NOW - timedelta(days=60)),
    ],
)
def test_an_exact_time_is_the_last_time_that_the_clock_showed_it(exact: str, seen_at: datetime) -> None:
    asked = read(exact=exact)

    assert seen_at == datetime.fromisoformat(asked.body["last_seen_at"])


def test_the_moment_that_the_page_worked_out_does_not_move_while_the_alert_waits() -> None:
    asked = read(seen_at="2026-03-01T05:21:00.000Z", ago="120")

    assert "2026-03-01T05:21:00+00:00" == asked.body["last_seen_at"]


@pytest.mark.parametrize("seen_at", ["", "yesterday", "2026-03-01T05:21:00"])
def test_a_moment_without_a_zone_is_not_believed(seen_at: str) -> None:
    assert "2026-03-01T05:50:00+00:00" == read(seen_at=seen_at).body["last_seen_at"]


@pytest.mark.parametrize("said", ["108.71, 30.92", "30.92 108.71", "108.71,30.92"])
def test_degrees_are_a_place_in_either_order(said: str) -> None:
    place = read(place=said).body["last_seen_place"]

    assert {"lon": 108.71, "lat": 30.92} == place["position"]


def test_a_place_chosen_from_the_list_is_taken_with_its_chinese_name() -> None:
    chosen = {
        "place": "Yunyang coach centre",
        "place_name": "云阳客运中心",
        "lon": "108.706",
        "lat": "30.93",
        "township_code": "500235001",
        "spot": "2号候车室",
    }

    place = read(**chosen).body["last_seen_place"]

    assert ("云阳客运中心2号候车室", 108.706, "500235001") == (
        place["name"],
        place["position"]["lon"],
        place["township_code"],
    )


def test_a_name_that_fits_several_places_is_for_a_person_to_choose() -> None:
    asked = read(place="ping")

    assert ["place"] == wrong(asked)
    assert len(asked.choices) > 1
    assert () == read(place="ping", place_key=asked.choices[0].key).errors


def test_the_family_is_for_the_vault_and_stands_in_no_other_field() -> None:
    asked = read(
        child_name="某某",
        parent_names="某甲,某乙、某丙",
        phones="+12025550123;+12025550124 +12025550125",
        photo_base64="/9j/4A==",
    )

    assert asked.body["identity"] == {
        "child_name": "某某",
        "parent_names": ["某甲", "某乙", "某丙"],
        "phones": ["+12025550123", "+12025550124", "+12025550125"],
        "photo_base64": "/9j/4A==",
    }
    assert "某" not in str({name: said for name, said in asked.body.items() if name != "identity"})
