"""What the command centre does about one delivery: once more, the next contact, a call; each press one SMS at most."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import pytest_asyncio

from contracts.notice import NoticeEscalated, NoticeQueued
from guitu.auth import Role
from guitu.service import Runtime
from harness.ground import facts, react, until
from harness.notice_stories import (
    CASE,
    PHONES,
    Carrier,
    contact,
    fill,
    order_over,
    ordered,
    raised,
    site,
    stood_down,
    updated,
)
from harness.watch_stories import Watch, watching
from notifications.agents import REACTIONS
from notifications.domain.senders import SenderSpec
from notifications.senders import Line, Senders

RuntimeFor = Callable[[str], Awaitable[Runtime]]
FIRST = PHONES[1]
BOTH_WAIT = "select count(*) from pg_locks where not granted having count(*) = 2"


@pytest_asyncio.fixture
async def watch(runtime_for: RuntimeFor) -> AsyncIterator[Watch]:
    async with watching(await runtime_for("notifications")) as ready:
        yield ready


async def deliveries(watch: Watch) -> list[dict[str, Any]]:
    """Those of the case, as the board sees them, the oldest first."""
    listed: list[dict[str, Any]] = (await watch.get(f"/notices?case_id={CASE}"))["deliveries"]
    return listed


async def does(
    watch: Watch,
    act: str,
    body: Any = None,
    *,
    key: str | None = "fresh",
    role: Role = "operator",
    region: str = "500235",
    of: str | None = None,
) -> httpx.Response:
    """Press a button for a delivery, the newest if none is named, with a key of its own if none is given."""
    delivery_id = of or (await deliveries(watch))[-1]["id"]
    headers = watch.staff(role, region) | (
        {"idempotency-key": str(uuid4()) if key == "fresh" else key} if key else {}
    )
    return await watch.http.post(f"/deliveries/{delivery_id}/{act}", json=body, headers=headers)


def with_a_voice_line(watch: Watch) -> Carrier:
    """From now on somebody's phone can be made to ring."""
    line = Carrier(name="calls", channel="voice")
    spec = SenderSpec(name="calls", provider="twilio_voice", channel="voice")
    watch.run.state["senders"] = Senders([*watch.run.state["senders"].lines, Line(spec, line)])
    return line


async def test_a_notice_sent_once_more_reaches_the_same_phone_with_its_own_code(watch: Watch) -> None:
    await watch.raise_alert()

    answer = await does(watch, "resend")
    await watch.send()

    assert (202, "same_contact") == (answer.status_code, answer.json()["to"])
    first, second = await deliveries(watch)
    assert (answer.json()["next_delivery_id"], 0, 1) == (second["id"], first["again"], second["again"])
    assert first["ack_code"] != second["ack_code"]
    assert 2 == len(watch.carrier.texts_to(FIRST))
    assert 2 == len(await facts(watch.run, NoticeQueued))
    assert "notice.resent" in {
        row["action"] for row in await watch.run.pool.fetch("select action from audit")
    }


async def test_a_button_pressed_twice_with_one_key_sends_one_sms(watch: Watch) -> None:
    await watch.raise_alert()
    [told] = await deliveries(watch)

    answers = [await does(watch, "resend", key="k1", of=told["id"]) for _ in range(3)]
    await watch.send()

    assert answers[0].json() == answers[1].json() == answers[2].json()
    assert 2 == len(watch.carrier.texts_to(FIRST))


async def test_a_button_pressed_many_times_at_once_with_one_key_sends_one_sms(watch: Watch) -> None:
    await watch.raise_alert()
    [told] = await deliveries(watch)

    answers = await asyncio.gather(*(does(watch, "resend", key="k1", of=told["id"]) for _ in range(4)))
    await watch.send()

    assert {202} == {answer.status_code for answer in answers}
    assert 1 == len({answer.json()["next_delivery_id"] for answer in answers})
    assert 2 == len(watch.carrier.texts_to(FIRST))


async def test_two_people_at_two_sendings_at_once_send_one_sms_and_one_is_told_so(watch: Watch) -> None:
    await watch.raise_alert()
    await does(watch, "resend")
    await watch.send()
    both = [each["id"] for each in await deliveries(watch)]

    async with watch.run.pool.acquire() as conn, conn.transaction():
        await conn.execute("select from delivery for update")
        pressed = [asyncio.create_task(does(watch, "resend", of=each)) for each in both]
        assert await until(watch.run, BOTH_WAIT)
    answers = await asyncio.gather(*pressed)
    await watch.send()

    assert [202, 409] == sorted(answer.status_code for answer in answers)
    done = next(answer.json() for answer in answers if answer.status_code == 202)
    assert [*both, done["next_delivery_id"]] == [each["id"] for each in await deliveries(watch)]
    assert 3 == len(watch.carrier.texts_to(FIRST))
    resent = "select count(*) from audit where action = 'notice.resent'"
    assert 2 == await watch.run.pool.fetchval(resent)


async def test_without_a_key_and_with_a_key_of_another_delivery_nothing_is_sent(watch: Watch) -> None:
    await watch.raise_alert()
    [told] = await deliveries(watch)
    await does(watch, "resend", key="k1", of=told["id"])

    without = await does(watch, "resend", key=None, of=told["id"])
    other = await does(watch, "next-contact", key="k1", of=told["id"])

    assert (400, 422) == (without.status_code, other.status_code)
    assert 2 == len(await deliveries(watch))


async def test_what_is_still_on_its_way_is_not_sent_again(watch: Watch) -> None:
    """Two operators press, each with a key of their own; a second SMS would only be a double."""
    await watch.raise_alert()
    [told] = await deliveries(watch)
    await does(watch, "resend", of=told["id"])

    refused = await does(watch, "resend", of=told["id"])

    assert (409, "on_its_way") == (refused.status_code, refused.json()["code"])
    await watch.send()
    assert 202 == (await does(watch, "resend", of=told["id"])).status_code


async def test_silence_counts_from_the_sending_once_more_and_nobody_is_forgotten(watch: Watch) -> None:
    await watch.raise_alert()
    watch.advance(seconds=120)
    await does(watch, "resend")
    await watch.send()

    await watch.after(seconds=100)
    early = await facts(watch.run, NoticeEscalated)
    await watch.after(seconds=100)

    assert [] == early
    assert ["next_contact"] == [fact.to for fact in await facts(watch.run, NoticeEscalated)]
    assert [] == await watch.faults()


async def test_an_answer_to_the_sending_once_more_answers_both(watch: Watch) -> None:
    await watch.raise_alert()
    watch.advance(seconds=5)
    await does(watch, "resend")
    await watch.send()

    await watch.acknowledge()

    assert all(each["acknowledged_at"] for each in await deliveries(watch))


@pytest.mark.parametrize("act", ["resend", "next-contact", "call"])
async def test_who_has_answered_is_left_in_peace(watch: Watch, act: str) -> None:
    await watch.raise_alert()
    await watch.acknowledge()

    refused = await does(watch, act)

    assert (409, "answered_already") == (refused.status_code, refused.json()["code"])


@pytest.mark.parametrize("act", ["resend", "next-contact", "call"])
async def test_nobody_is_told_to_search_after_the_end(watch: Watch, act: str) -> None:
    await watch.raise_alert()
    [told] = await deliveries(watch)
    await react(watch.run, REACTIONS, stood_down(watch.run.clock.now()))

    refused = await does(watch, act, of=told["id"])

    assert (409, "over") == (refused.status_code, refused.json()["code"])


async def test_an_old_picture_is_not_sent_again_after_a_new_one(watch: Watch) -> None:
    await watch.raise_alert()
    [told] = await deliveries(watch)
    watch.advance(seconds=5)
    await react(watch.run, REACTIONS, updated(watch.run.clock.now()))
    await watch.send()

    refused = await does(watch, "resend", of=told["id"])

    assert (409, "replaced") == (refused.status_code, refused.json()["code"])


async def test_a_stand_down_that_failed_is_sent_again(watch: Watch) -> None:
    await watch.raise_alert()
    watch.carrier.told[FIRST] = "refused"
    await react(watch.run, REACTIONS, stood_down(watch.run.clock.now()))
    await watch.send()
    [over] = [each for each in await deliveries(watch) if each["kind"] == "stood_down"]

    answer = await does(watch, "resend", of=over["id"])
    await watch.send()

    assert ("failed", 202) == (over["state"], answer.status_code)
    assert [("stood_down", "accepted")] == [
        (d["kind"], d["state"]) for d in await deliveries(watch) if d["again"]
    ]
    await watch.after(minutes=2)
    assert [] == await watch.faults()


async def test_an_order_is_sent_again_until_it_is_over(watch: Watch) -> None:
    await react(watch.run, REACTIONS, ordered(watch.run.clock.now()))
    await watch.send()
    [order] = await deliveries(watch)
    again = await does(watch, "resend", of=order["id"])
    await watch.send()
    await react(watch.run, REACTIONS, order_over(watch.run.clock.now()))
    await watch.send()

    refused = await does(watch, "resend", of=order["id"])

    assert (202, 409, "over") == (again.status_code, refused.status_code, refused.json()["code"])
    assert 3 == len(watch.carrier.texts_to(PHONES[5])), "The order, the order once more, and that it is over."


async def test_an_order_that_waits_to_be_sent_again_never_goes_once_it_is_over(watch: Watch) -> None:
    await react(watch.run, REACTIONS, ordered(watch.run.clock.now()))
    await watch.send()
    await does(watch, "resend")

    await react(watch.run, REACTIONS, order_over(watch.run.clock.now()))
    await watch.send()

    first, over = watch.carrier.texts_to(PHONES[5])
    assert ("堵截指令" in first, "解除" in over) == (True, True)


async def test_the_next_contact_is_asked_before_time_is_up(watch: Watch) -> None:
    await watch.raise_alert()

    answer = await does(watch, "next-contact")
    await watch.send()

    assert (202, "next_contact") == (answer.status_code, answer.json()["to"])
    assert 1 == len(watch.carrier.texts_to(PHONES[4]))
    [escalated] = await facts(watch.run, NoticeEscalated)
    assert answer.json()["next_delivery_id"] == str(escalated.next_delivery_id)
    await watch.after(seconds=200)
    assert 1 == len(watch.carrier.texts_to(PHONES[4])), "Time does not ask whom a person asked."
    assert [] == await watch.faults()


async def test_two_people_who_ask_the_next_contact_at_once_ask_one(watch: Watch) -> None:
    """Each saw the same silence; who is second is told so, and may ask one more a little later."""
    await fill(watch.run, [site(9, 2)], [contact(n, 9, n) for n in (9, 10, 11)])
    await watch.raise_alert()
    [told] = [each for each in await deliveries(watch) if each["site_id"] == str(UUID(int=9))]

    at_once = await asyncio.gather(*(does(watch, "next-contact", of=told["id"]) for _ in range(2)))
    watch.advance(seconds=11)
    later = await does(watch, "next-contact", of=told["id"])

    assert [202, 409] == sorted(answer.status_code for answer in at_once)
    refused = next(answer for answer in at_once if answer.status_code == 409)
    assert "asked_just_now" == refused.json()["code"]
    assert 202 == later.status_code
    asked = [each for each in await deliveries(watch) if each["site_id"] == str(UUID(int=9))]
    assert 3 == len(asked)


async def test_when_everybody_was_asked_the_refusal_names_the_way_that_is_left(watch: Watch) -> None:
    await watch.raise_alert()
    await does(watch, "next-contact")
    await watch.send()

    refused = await does(watch, "next-contact")

    assert (409, "nobody_else") == (refused.status_code, refused.json()["code"])
    assert "/call" in refused.json()["mend"]


async def test_a_call_by_a_person_is_a_task_with_phones_that_no_store_keeps(watch: Watch) -> None:
    await watch.raise_alert()

    answers = [await does(watch, "call", key="c1") for _ in range(2)]

    said = answers[0].json()
    assert said == answers[1].json()
    assert ("command_centre", [FIRST, PHONES[4]]) == (said["to"], [each["tel"] for each in said["contacts"]])
    [task] = (await watch.get("/tasks"))["tasks"]
    assert (said["task_id"], "call_site") == (task["id"], task["kind"])
    assert FIRST not in str(await watch.run.pool.fetch("select body from idempotency"))
    await watch.after(seconds=200)
    assert [] == await watch.faults()


async def test_our_voice_calls_where_there_is_a_line_and_somebody_takes_calls(watch: Watch) -> None:
    await fill(watch.run, [site(9, 2)], [contact(9, 9, voice=True)])
    line = with_a_voice_line(watch)
    await watch.raise_alert()
    [told] = [each for each in await deliveries(watch) if each["site_id"] == str(UUID(int=9))]

    called = await does(watch, "call", of=told["id"])
    refused = await does(watch, "call", {"by": "voice"}, of=told["id"])

    assert ("voice", 409, "nobody_takes_calls") == (
        called.json()["to"],
        refused.status_code,
        refused.json()["code"],
    )
    assert ["voice"] == [fact.to for fact in await facts(watch.run, NoticeEscalated)]
    assert [] == line.accepted, "It is queued; the sender makes the call."


async def test_a_person_takes_over_what_a_machine_passed_on(watch: Watch) -> None:
    """The auditor must not miss the contact who was asked in between."""
    await watch.raise_alert()
    [told] = await deliveries(watch)
    await does(watch, "next-contact", of=told["id"])
    await watch.send()
    watch.advance(seconds=30)

    answer = await does(watch, "call", {"by": "person"}, of=told["id"])

    assert "command_centre" == answer.json()["to"]
    assert [] == await watch.faults()


async def test_who_may_not_call_sees_masked_numbers_and_may_not_act(watch: Watch) -> None:
    await watch.raise_alert()
    [told] = await deliveries(watch)

    seen = await watch.get(f"/deliveries/{told['id']}/contacts", role="auditor")
    may_call = await watch.get(f"/deliveries/{told['id']}/contacts")
    refused = await does(watch, "resend", role="auditor", of=told["id"])
    elsewhere = await does(watch, "resend", region="500101", of=told["id"])

    assert [("***01", None), ("***04", None)] == [(each["masked"], each["tel"]) for each in seen["contacts"]]
    assert [FIRST, PHONES[4]] == [each["tel"] for each in may_call["contacts"]]
    assert (403, 404) == (refused.status_code, elsewhere.status_code)
    assert 1 == await watch.run.pool.fetchval("select count(*) from audit where action = 'contacts.read'")


async def test_in_an_exercise_only_its_own_contacts_are_shown(watch: Watch) -> None:
    await fill(watch.run, [site(1, 1)], [contact(8, 1, 3, exercise_list=False)])
    await watch.raise_alert(exercise=True)
    [told] = await deliveries(watch)

    seen = await watch.get(f"/deliveries/{told['id']}/contacts")

    assert PHONES[8] not in {each["tel"] for each in seen["contacts"]}


async def test_a_contact_who_is_gone_is_not_sent_anything(watch: Watch) -> None:
    await watch.raise_alert()
    await watch.run.pool.execute(
        "update contact set opted_out_at = now() where contact_id = $1", UUID(int=1001)
    )

    refused = await does(watch, "resend")

    assert (409, "contact_gone") == (refused.status_code, refused.json()["code"])


async def test_a_drill_keeps_its_own_rhythm(watch: Watch) -> None:
    drill = (await watch.post(f"/sites/{UUID(int=1)}/drill")).raise_for_status().json()

    refused = await does(watch, "resend", of=drill["delivery_id"])

    assert (409, "not_for_this_kind") == (refused.status_code, refused.json()["code"])


async def test_a_resent_notice_that_is_read_again_from_the_broker_stays_one(watch: Watch) -> None:
    fact = raised(watch.run.clock.now(), radius_km=5)
    await react(watch.run, REACTIONS, fact)
    await watch.send()
    await does(watch, "resend")

    await react(watch.run, REACTIONS, fact)
    await watch.send()

    assert 2 == len(watch.carrier.texts_to(FIRST))
