"""The main job from end to end, in the words of the people who use it, on real parts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from uuid import uuid4

import pytest

from demo.case import Case, Json
from demo.cast import Cast
from demo.scripted import LAST_SEEN, SIGHTING, WITNESS, play_all
from demo.stage import Refused

HOTEL = "Shuangjiang hotel 1"
NEAR, SECOND_RING, FAR = "Yunyang coach centre", "Neighbour hotel 150 km", "Neighbour hotel 700 km"


async def test_report_becomes_orders_notices_and_dna_and_ends_with_everyone_stood_down(cast: Cast) -> None:
    steps, timings = await play_all(cast)

    assert len(steps) == 12
    assert all(timing.seconds >= 0 for timing in timings), timings


async def test_everybody_who_should_act_hears_of_a_report(cast: Cast) -> None:
    case = await cast.command_centre.raises_alert(cast.book.site(LAST_SEEN))

    plan = (await cast.command_centre.weighed_plan(case))["plan"]
    orders = await cast.command_centre.new_orders(case)
    asked = await cast.laboratory.requests(case)

    assert set(plan["order_ids"]) == {order["order_id"] for order in orders}
    closing = [order for order in orders if order["closes"]]
    assert closing, "No order closes an exit."
    assert all(order["margin_s"] >= 0 for order in closing), "A unit that comes too late closes nothing."
    for order in orders[:3]:
        page = await (await cast.police.unit_with(case, order)).page()
        assert order["stop"]["name_zh"] in page.text
    assert case.code in await cast.terminal(WITNESS).expects_sms(case)
    assert "parent_sample" in asked["cross_match_requests"][0]["waits_for"]


async def test_looking_at_an_order_or_a_notice_answers_nothing(cast: Cast) -> None:
    case = await cast.command_centre.raises_alert(cast.book.site(LAST_SEEN))
    await cast.command_centre.weighed_plan(case)
    await cast.command_centre.all_notices_sent(case, ("raised", "order"))
    order = (await cast.command_centre.new_orders(case))[0]

    await (await cast.police.unit_with(case, order)).page()
    await cast.terminal(WITNESS).opens_notice(case)

    assert (await _order(cast, case, order["order_id"]))["state"] == "issued"
    assert not [each for each in await cast.command_centre.notices(case) if each["acknowledged_at"]]


async def test_notice_is_acknowledged_by_its_page_too(cast: Cast) -> None:
    case = await cast.command_centre.raises_alert(cast.book.site(LAST_SEEN))
    hotel = cast.terminal(HOTEL)

    page = await (await hotel.opens_notice(case)).press("ack")

    assert not page.offers("ack")
    acknowledged = [each for each in await cast.command_centre.notices(case) if each["acknowledged_at"]]
    assert [str(hotel.site.site_id)] == [each["site_id"] for each in acknowledged]


async def test_sighting_makes_a_new_plan_that_keeps_accepted_orders(cast: Cast) -> None:
    case = await cast.command_centre.raises_alert(cast.book.site(LAST_SEEN))
    before = (await cast.command_centre.weighed_plan(case))["plan"]
    kept = (await cast.command_centre.new_orders(case))[0]
    await (await cast.police.unit_with(case, kept)).presses("accept")
    witness = cast.terminal(WITNESS)
    await witness.expects_sms(case)

    await witness.replies(SIGHTING)
    later = before["plan_number"] + 1
    after = (await cast.command_centre.plan(case, at_least=later, trigger="sighting"))["plan"]

    assert kept["order_id"] in after["order_ids"]
    order = await _order(cast, case, kept["order_id"])
    # Only a second look that gains enough may move it, and says so.
    assert order["state"] == "accepted" or "Better plan" in order["stand_down_cause"]


async def test_ring_widens_after_an_hour_and_tells_only_sites_that_are_new_in_it(
    cast: Cast, advance: Callable[..., None]
) -> None:
    case = await cast.command_centre.raises_alert(cast.book.site(LAST_SEEN))
    await cast.command_centre.all_notices_sent(case, ("raised",))
    assert await cast.terminal(SECOND_RING).got(case) == []
    before = len(await cast.terminal(NEAR).got(case))

    advance(minutes=61)
    await cast.terminal(SECOND_RING).expects_sms(case)

    widened = [each for each in await cast.command_centre.notices(case) if each["kind"] == "widened"]
    assert [str(cast.terminal(SECOND_RING).site.site_id)] == [each["site_id"] for each in widened]
    assert before == len(await cast.terminal(NEAR).got(case))
    assert await cast.terminal(FAR).got(case) == []


async def test_order_nobody_answers_goes_to_the_next_unit(cast: Cast, advance: Callable[..., None]) -> None:
    case = await cast.command_centre.raises_alert(cast.book.site(LAST_SEEN))
    first = (await cast.command_centre.weighed_plan(case))["plan"]
    silent, *others = [each for each in await cast.command_centre.orders(case) if each["state"] == "issued"]
    await cast.units_press(case, others, "accept")

    advance(minutes=4)
    later = first["plan_number"] + 1
    after = (await cast.command_centre.plan(case, at_least=later, trigger="overdue"))["plan"]

    assert (await _order(cast, case, silent["order_id"]))["state"] in ("overdue", "reassigned", "stood_down")
    assert silent["unit_id"] not in {
        order["unit_id"]
        for order in await cast.command_centre.orders(case)
        if order["order_id"] in set(after["order_ids"]) - set(first["order_ids"])
    }


async def test_same_report_sent_many_times_opens_one_case(cast: Cast) -> None:
    key, place, at = str(uuid4()), cast.book.site(LAST_SEEN), cast.stage.now()

    cases = await asyncio.gather(
        *(
            cast.command_centre.raises_alert(place, key=key, last_seen_at=at.isoformat(), note="同一报警")
            for _ in range(5)
        )
    )

    assert len({case.case_id for case in cases}) == 1
    listed = [each for each in await cast.command_centre.cases() if each["case_id"] == cases[0].case_id]
    assert len(listed) == 1
    await cast.command_centre.all_notices_sent(cases[0], ("raised",))
    told = [sms["to"] for sms in await cast.phones.got(cases[0]) if not cast.book.is_unit(sms["to"])]
    assert len(told) == len(set(told)), "A site got two SMS about one version."


async def test_same_key_with_another_report_is_refused(cast: Cast) -> None:
    key, place = str(uuid4()), cast.book.site(LAST_SEEN)
    await cast.command_centre.raises_alert(place, key=key)

    with pytest.raises(Refused) as refused:
        await cast.command_centre.raises_alert(place, key=key, age_years=9)

    assert refused.value.status == 422


@pytest.mark.parametrize(
    "wrong",
    [
        {"age_years": "six"},
        {"age_years": 40},
        {"nmae": "x"},
        {"appearance": "a\x00b"},
        {"last_seen_at": "9999-12-31T23:59:59-12:00"},
        {"last_seen_at": "2999-01-01T00:00:00Z"},
        {"last_seen_at": "2026-01-01T00:00:00"},
        {"last_seen_place": {"lon": 0, "lat": 0}},
    ],
    ids=str,
)
async def test_bad_report_is_refused_with_what_to_mend(cast: Cast, wrong: Json) -> None:
    before = await cast.command_centre.cases()

    with pytest.raises(Refused, match="detail_zh") as refused:
        await cast.command_centre.raises_alert(cast.book.site(LAST_SEEN), **wrong)

    assert refused.value.status == 422
    assert before == await cast.command_centre.cases()


async def test_stand_down_reaches_exactly_those_who_were_told(cast: Cast) -> None:
    case = await cast.command_centre.raises_alert(cast.book.site(LAST_SEEN))
    await cast.command_centre.weighed_plan(case)
    orders = await cast.command_centre.new_orders(case)
    await cast.command_centre.all_notices_sent(case, ("raised", "order"), at_least=len(orders))

    await cast.command_centre.stands_down(case, "false_alarm")
    told = await cast.stand_down_reached_exactly_those_told(case)
    await cast.units_acknowledge_stand_down(case)

    assert cast.terminal(NEAR).phone in told
    assert cast.terminal(FAR).phone not in told
    assert {"stand_down_acknowledged"} == {order["state"] for order in await cast.command_centre.orders(case)}


async def _order(cast: Cast, case: Case, order_id: str) -> Json:
    return next(each for each in await cast.command_centre.orders(case) if each["order_id"] == order_id)
