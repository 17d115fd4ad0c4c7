"""Finding a place by what hands type, from the county's own file and from what the owners list."""

from __future__ import annotations

import csv
import importlib.util
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.places.find import find, keys_of
from console.places.pinyin import match, spelled, spelling, typed
from console.places.source import YUNYANG, own_places
from guitu.service import Runtime
from harness.console_http import at_the_desk

RuntimeFor = Callable[[str], Awaitable[Runtime]]
OWN = own_places(YUNYANG)
ROOT = Path(__file__).resolve().parents[2]
COACH_CENTRE = {
    "site_id": "727fdf4f-1182-5af0-a5bf-d87d38f16f9e",
    "category": "bus_station",
    "name_zh": "云阳客运中心",
    "name_en": "Yunyang coach centre",
    "township_code": "500235001",
    "lon": 108.706,
    "lat": 30.93,
    "region_code": "500235",
}
FOREIGN = COACH_CENTRE | {"site_id": "x", "name_zh": "万州汽车站", "region_code": "500101"}


def point(name_zh: str, name_en: str, kind: str = "toll_gate") -> dict[str, Any]:
    names = {"layer": "place", "place_id": name_en, "kind": kind, "name_zh": name_zh, "name_en": name_en}
    return {"geometry": {"type": "Point", "coordinates": [108.8, 30.9]}, "properties": names}


MAP = {
    "features": [
        {"geometry": {"type": "LineString", "coordinates": []}, "properties": {"layer": "road"}},
        point("云阳收费站", "Yunyang toll gate"),
        point("云阳客运中心", "Yunyang coach centre", "bus_station"),
    ]
}


def owners(request: httpx.Request) -> httpx.Response:
    if request.url.path == "/sites":
        return httpx.Response(200, json={"sites": [COACH_CENTRE, FOREIGN]})
    return httpx.Response(200, json=MAP)


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("云阳镇", "云阳镇"),
        ("yunyangzhen", "云阳镇"),
        ("yyz", "云阳镇"),
        ("云yangz", "云阳镇"),
        ("YUN Yang", "云阳镇"),
        ("Ping'an", "平安镇"),
        ("biaocao", "蔈草镇"),
        ("piaoc", "蔈草镇"),
        ("qstj", "清水土家族乡"),
        ("tujia", "清水土家族乡"),
        ("Shuangjiang", "双江街道"),
        ("xjw", "杏家湾社区"),
        ("community", "大雁社区"),
    ],
)
def test_a_place_is_found_by_characters_pinyin_initials_and_mixtures(query: str, name: str) -> None:
    found = [place.name_zh for place in find(OWN, query, 600)]

    assert name in found


@pytest.mark.parametrize("query", ["", " ", "'", "zzzz", "yyzx云", "x" * 500])
def test_what_is_no_beginning_of_a_name_finds_nothing(query: str) -> None:
    assert [] == find(OWN, query)


def test_the_name_itself_comes_before_longer_names_that_begin_like_it() -> None:
    assert "云阳镇" == find(OWN, "yunyangzhen")[0].name_zh


@given(st.sampled_from(OWN), st.data())
def test_every_place_is_found_by_any_mixture_of_its_syllables_and_characters(place: Any, data: Any) -> None:
    said = ""
    for sign, readings in zip(place.name_zh, place.spelling, strict=True):
        reading = data.draw(st.sampled_from(readings))
        said += data.draw(st.sampled_from([sign, reading, reading[0], reading[:2]]))

    assert match(typed(said), place.name_zh, place.spelling) == 0


def test_a_name_that_no_file_spells_has_its_readings_and_its_figures() -> None:
    assert (("da", "dai", "tai"), ("qiao",), ("g",), ("4",), ("2",)) == tuple(
        tuple(sorted(one)) for one in spelled("大桥G42")
    )


def test_without_a_connection_names_pinyin_and_initials_are_the_keys() -> None:
    place = next(one for one in OWN if one.name_zh == "平安镇")

    assert ["平安镇", "pingan", "pinganzhen", "paz"] == keys_of(place)


def test_the_file_of_places_is_what_its_script_makes_of_the_gazetteer() -> None:
    file = ROOT / "deploy/data/make_places.py"
    spec = importlib.util.spec_from_file_location("make_places", file)
    assert spec
    assert spec.loader
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)

    made = script.rows(ROOT / "services/alerts/alerts/data/yunyang")

    with YUNYANG.open(encoding="utf-8", newline="") as opened:
        assert made == list(csv.DictReader(opened))


def test_every_place_of_the_file_is_spelled_sign_by_sign() -> None:
    assert 522 == len(OWN)
    assert not [one.name_zh for one in OWN if len(one.name_zh) != len(one.spelling)]
    assert not [
        one.name_zh
        for one in OWN
        if not "".join(map(str, [each for syllable in one.spelling for each in syllable])).isascii()
    ]
    assert spelling("da|dai yan") == (("da", "dai"), ("yan",))


async def test_sites_and_checkpoints_are_found_too_and_what_is_both_only_once(
    runtime_for: RuntimeFor,
) -> None:
    async with at_the_desk(await runtime_for("console"), owners=owners) as http:
        found = (await http.get("/places", params={"q": "yy"})).json()["places"]

    assert "云阳客运中心" == found[0]["name"]
    assert 1 == sum(one["name"] == "云阳客运中心" for one in found)
    assert {"bus_station", "toll_gate", "township"} <= {one["kind"] for one in found}
    assert "双江街道" == found[0]["town"]


async def test_a_site_of_another_county_is_not_offered(runtime_for: RuntimeFor) -> None:
    async with at_the_desk(await runtime_for("console"), owners=owners) as http:
        found = (await http.get("/places", params={"q": "万州"})).json()["places"]

    assert [] == found


async def test_places_of_the_file_are_found_while_no_owner_answers(runtime_for: RuntimeFor) -> None:
    async with at_the_desk(await runtime_for("console"), language="en") as http:
        found = (await http.get("/places", params={"q": "yunyang"})).json()["places"]
        whole = (await http.get("/places/index")).json()["places"]

    assert "Yunyang" in [one["name"] for one in found]
    assert 522 == len(whole)
    assert all(one["keys"] for one in whole)


async def test_only_the_desk_may_look_up_places(runtime_for: RuntimeFor) -> None:
    async with at_the_desk(await runtime_for("console"), "laboratory") as http:
        answer = await http.get("/places", params={"q": "yy"}, headers={"Accept": "application/json"})

    assert (403, "role_refused") == (answer.status_code, answer.json()["code"])
