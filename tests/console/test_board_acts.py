"""What is commanded from the board goes to its owner, with the key of the form, and comes back in words."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio

from guitu.auth import Role
from harness.console_desk import SITES_HEAD, Console, opened, seat_at
from harness.console_http import csrf_of
from harness.console_stories import CaseStory, RuntimeFor, told
from harness.ground import START

UNIT, PLACE, EXIT, COMMAND = (CaseStory.id(name) for name in ("unit 1", "place 1", "exit 0", "command"))
DELIVERY = uuid4()
MAP = {
    "version": "v1",
    "schematic": True,
    "source": "",
    "features": [
        {
            "geometry": {"type": "Point", "coordinates": [108.7, 30.9]},
            "properties": {
                "layer": "place",
                "node_id": "n1",
                "place_id": str(PLACE),
                "name_zh": "云阳收费站",
                "name_en": "Yunyang toll gate",
            },
        }
    ],
}
PLAN = {"closed_exits": 3, "open_exits": [], "units_free": 2, "intercepted": 0.62, "assignments": []}
OPENED = {
    "exit_id": str(EXIT),
    "name_zh": "往万州",
    "name_en": "to Wanzhou",
    "earliest_arrival_at": "2026-03-01T07:00:00Z",
}
PRICE = {
    "before": PLAN,
    "after": PLAN | {"closed_exits": 2, "open_exits": [OPENED], "intercepted": 0.55},
    "opens": [str(EXIT)],
    "closes": [],
    "intercepted_change": -0.07,
    "orders_ended": [str(uuid4())],
    "units_newly_ordered": [str(UNIT)],
    "pins_unmet": [],
}
STANDING = {
    "command_id": str(COMMAND),
    "kind": "pin",
    "unit_id": str(UNIT),
    "place_id": str(PLACE),
    "place_zh": "云阳收费站",
    "place_en": "Yunyang toll gate",
    "note": "",
    "set_at": "2026-03-01T06:10:00Z",
}


@dataclass
class Owners:
    """Dispatch and notifications on the wire: what they were told, and what they refuse."""

    told: list[tuple[str, str, Any, str | None]] = field(default_factory=list)
    refuse: dict[str, Any] | None = None
    called_by_hand: bool = False
    price: dict[str, Any] = field(default_factory=lambda: PRICE)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path, body = request.url.path, json.loads(request.content or b"null")
        if request.method != "GET" and not path.endswith("/what-if"):
            self.told.append((request.method, path, body, request.headers.get("idempotency-key")))
            if self.refuse:
                return httpx.Response(409, json=self.refuse)
        if path == "/units":
            unit = {
                "unit_id": str(UNIT),
                "code": "YY01",
                "name_zh": "双江派出所",
                "name_en": "Shuangjiang police station",
            }
            state = {"kind": "police", "on_duty": True, "status": "available", "lon": None, "lat": None}
            return httpx.Response(200, json=[unit | state])
        answers = {
            "/map": MAP,
            "/commands": {"commands": [STANDING]},
            "/what-if": self.price,
            "/call": {"to": "command_centre" if self.called_by_hand else "voice"},
            "/contacts": {
                "contacts": [
                    {"label": "值班室", "role": "duty", "masked": "+4477****0001", "tel": "+447700900001"}
                ]
            },
        }
        if path == "/directory/export":
            return httpx.Response(200, text=SITES_HEAD)
        return httpx.Response(
            200, json=next((said for end, said in answers.items() if path.endswith(end)), {})
        )


@dataclass
class Desk:
    """An operator's browser at the console, with a case."""

    console: Console
    owners: Owners
    case: str

    async def submits(
        self,
        path: str,
        role: Role = "operator",
        accept: str = "text/html",
        region: str = "500235",
        **fields: str,
    ) -> httpx.Response:
        async with seat_at(self.console, role, region) as http:
            headers = {"Accept": accept}
            data = {"csrf": await csrf_of(http), **fields}
            return await http.post(f"/cases/{self.case}{path}", data=data, headers=headers)

    async def reads(self, path: str, role: Role = "operator", language: str = "en") -> httpx.Response:
        async with seat_at(self.console, role, language=language) as http:
            return await http.get(f"/cases/{self.case}{path}")


@pytest_asyncio.fixture
async def desk(runtime_for: RuntimeFor) -> AsyncIterator[Desk]:
    owners, story = Owners(), CaseStory(START)
    async with opened(await runtime_for("console"), owners) as console:
        await told(console.run, story.raised(), story.ordered(1))
        yield Desk(console, owners, str(story.case_id))


async def test_an_answer_by_radio_is_entered_with_dispatch(desk: Desk) -> None:
    order = uuid4()

    answer = await desk.submits(f"/orders/{order}/moves", move="accepted")

    assert (303, f"/cases/{desk.case}?done=moved") == (answer.status_code, answer.headers["location"])
    assert [("POST", f"/orders/{order}/moves", {"move": "accepted"}, None)] == desk.owners.told


@pytest.mark.parametrize("act", ["resend", "next-contact", "call"])
async def test_a_delivery_is_acted_on_with_the_key_of_its_form(desk: Desk, act: str) -> None:
    answer = await desk.submits(
        f"/deliveries/{DELIVERY}/{act}", key="key-of-the-form", accept="application/json"
    )

    assert (200, {"done": act}) == (answer.status_code, answer.json())
    assert [("POST", f"/deliveries/{DELIVERY}/{act}", None, "key-of-the-form")] == desk.owners.told


async def test_without_a_key_nothing_is_sent(desk: Desk) -> None:
    answer = await desk.submits(f"/deliveries/{DELIVERY}/resend")

    assert (422, []) == (answer.status_code, desk.owners.told)


async def test_a_call_by_hand_leads_to_the_numbers(desk: Desk) -> None:
    desk.owners.called_by_hand = True

    answer = await desk.submits(f"/deliveries/{DELIVERY}/call", key="key-of-the-form")
    numbers = await desk.reads(f"/deliveries/{DELIVERY}/contacts")

    assert (303, f"/cases/{desk.case}/deliveries/{DELIVERY}/contacts") == (
        answer.status_code,
        answer.headers["location"],
    )
    assert 'href="tel:+447700900001"' in numbers.text


async def test_what_an_owner_refuses_is_said_in_the_persons_language(desk: Desk) -> None:
    desk.owners.refuse = {
        "code": "order_move_refused",
        "detail": "It was stood down.",
        "detail_zh": "指令已解除。",
    }

    answer = await desk.submits(f"/orders/{uuid4()}/moves", move="accepted")

    assert (409, True) == (answer.status_code, "It was stood down." in answer.text)


@pytest.mark.parametrize("role", ["auditor", "laboratory"])
async def test_who_does_not_command_is_refused_before_any_owner_is_asked(desk: Desk, role: Role) -> None:
    tried = [
        await desk.submits(f"/orders/{uuid4()}/moves", role, move="accepted"),
        await desk.submits(f"/deliveries/{DELIVERY}/resend", role, key="key-of-the-form"),
        await desk.submits("/command", role, kind="forbid", unit_id=str(UNIT)),
        await desk.reads(f"/deliveries/{DELIVERY}/contacts", role),
        await desk.reads("/command", role),
    ]

    assert ([403] * 5, []) == ([answer.status_code for answer in tried], desk.owners.told)


async def test_nobody_of_another_region_commands(desk: Desk) -> None:
    tried = [
        await desk.submits(f"/orders/{uuid4()}/moves", region="500236", move="accepted"),
        await desk.submits("/command", region="500236", kind="forbid", unit_id=str(UNIT)),
    ]

    assert ([404] * 2, []) == ([answer.status_code for answer in tried], desk.owners.told)


async def test_a_command_is_priced_before_it_is_given_and_pricing_changes_nothing(desk: Desk) -> None:
    page = await desk.reads(f"/command?kind=forbid&place_id={PLACE}")

    assert (200, []) == (page.status_code, desk.owners.told)
    for said in ("to Wanzhou", "-7.0 percentage points", "Shuangjiang police station", "55 % met"):
        assert said in page.text


async def test_a_price_of_next_to_nothing_has_no_sign_of_a_loss(desk: Desk) -> None:
    desk.owners.price = PRICE | {"intercepted_change": -0.0004}

    page = await desk.reads(f"/command?kind=forbid&place_id={PLACE}")

    assert "+0.0 percentage points" in page.text


async def test_neither_of_two_opposite_commands_is_chosen_beforehand(desk: Desk) -> None:
    fresh = (await desk.reads("/command")).text
    unclear = (await desk.reads(f"/command?unit_id={UNIT}&place_id={PLACE}")).text

    for page in (fresh, unclear):
        assert 'name="kind" value="pin" required>' in page
        assert 'name="kind" value="forbid" required>' in page
        assert "price-title" not in page


async def test_half_a_pin_has_no_price_and_no_button(desk: Desk) -> None:
    half = (await desk.reads(f"/command?kind=pin&unit_id={UNIT}")).text
    whole = (await desk.reads(f"/command?kind=pin&unit_id={UNIT}&place_id={PLACE}")).text

    assert (False, True) == ("Give the command" in half, "Give the command" in whole)


@pytest.mark.parametrize(
    ("fields", "path", "body"),
    [
        (
            {"kind": "pin", "unit_id": str(UNIT), "place_id": str(PLACE), "note": "近"},
            "pins",
            {"unit_id": str(UNIT), "place_id": str(PLACE), "note": "近"},
        ),
        ({"kind": "forbid", "place_id": str(PLACE)}, "forbids", {"place_id": str(PLACE), "note": ""}),
    ],
)
async def test_a_command_goes_to_dispatch_as_it_was_chosen(
    desk: Desk, fields: dict[str, str], path: str, body: Any
) -> None:
    answer = await desk.submits("/command", **fields)

    assert 303 == answer.status_code
    assert [("POST", f"/cases/{desk.case}/{path}", body, None)] == desk.owners.told


async def test_a_refused_command_says_why_and_keeps_what_was_chosen(desk: Desk) -> None:
    desk.owners.refuse = {
        "code": "unit_away",
        "detail": "YY01 is off the road.",
        "detail_zh": "YY01 不可用。",
    }

    answer = await desk.submits("/command", kind="pin", unit_id=str(UNIT), place_id=str(PLACE), note="最近")

    assert (409, True) == (answer.status_code, "YY01 is off the road." in answer.text)
    assert f'<option value="{UNIT}" selected' in answer.text
    assert f'<option value="{PLACE}" selected' in answer.text
    assert 'value="最近"' in answer.text


async def test_a_command_is_taken_back_by_its_own_address(desk: Desk) -> None:
    priced = await desk.reads(f"/command?withdraw={COMMAND}")

    await desk.submits("/command/withdraw", kind="pin", command_id=str(COMMAND))

    assert "Take the command back" in priced.text
    assert [("DELETE", f"/cases/{desk.case}/pins/{COMMAND}", None, None)] == desk.owners.told


async def test_an_id_that_is_none_is_refused_in_words(desk: Desk) -> None:
    assert 422 == (await desk.reads("/command?kind=forbid&unit_id=nobody")).status_code


@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_the_price_and_the_numbers_speak_both_languages(desk: Desk, language: str) -> None:
    for path in (f"/command?withdraw={COMMAND}", f"/deliveries/{DELIVERY}/contacts"):
        assert 200 == (await desk.reads(path, language=language)).status_code


async def test_pages_beside_the_board_of_an_exercise_are_marked(desk: Desk) -> None:
    drill = CaseStory(START, "drill", exercise=True)
    await told(desk.console.run, drill.raised())
    desk.case, real = str(drill.case_id), desk.case
    paths = ("/command", f"/deliveries/{DELIVERY}/contacts")

    marked = [(await desk.reads(path)).text for path in paths]
    desk.case = real
    plain = [(await desk.reads(path)).text for path in paths]

    assert ([True] * 2, [False] * 2) == (
        ["exercise-frame" in one for one in marked],
        ["exercise-frame" in one for one in plain],
    )
