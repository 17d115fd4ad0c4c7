"""Silence is loud: each alarm opens when its cause is there, and closes by itself when it is gone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from guitu.service import Runtime
from harness.ground import react
from harness.notice_stories import (
    PHONES,
    UNIT,
    contact,
    fill,
    order_over,
    ordered,
    raised,
    site,
    stood_down,
    widened,
)
from harness.watch_stories import Watch, watching
from notifications import alarms, metrics
from notifications.agents import REACTIONS
from notifications.domain.alarm_words import KINDS, WORDS
from notifications.domain.delivery import Outcome
from notifications.outside import Callback, Forged

RuntimeFor = Callable[[str], Awaitable[Runtime]]


@pytest_asyncio.fixture
async def watch(runtime_for: RuntimeFor) -> AsyncIterator[Watch]:
    async with watching(await runtime_for("notifications")) as ready:
        yield ready


async def queue_alert(watch: Watch, **more: object) -> None:
    await react(watch.run, REACTIONS, raised(watch.run.clock.now(), radius_km=5, **more))


async def accept_many(watch: Watch, number: int) -> None:
    """So many cases tell the first site; each SMS is accepted."""
    for case in range(number):
        await queue_alert(watch, case_id=UUID(int=case + 1))
    await watch.send()


async def test_nothing_wrong_is_no_alarm(watch: Watch) -> None:
    assert [] == await watch.alarm_kinds()

    await watch.raise_alert()

    assert [] == await watch.alarm_kinds()


async def test_a_notice_that_waits_too_long_is_an_alarm_until_it_is_sent(watch: Watch) -> None:
    await queue_alert(watch)
    watch.advance(seconds=59)
    assert [] == await watch.alarm_kinds()

    watch.advance(seconds=2)
    assert ["oldest_unsent"] == await watch.alarm_kinds()
    assert ["oldest_unsent"] == await watch.alarm_kinds()
    [alarm] = (await watch.get("/alarms"))["alarms"]

    await watch.send()
    assert [] == await watch.alarm_kinds()
    assert ("critical", 2) == (alarm["severity"], alarm["count"])


async def test_a_notice_that_is_not_urgent_may_wait_longer(watch: Watch) -> None:
    await react(watch.run, REACTIONS, raised(watch.run.clock.now(), radius_km=100))
    async with watch.run.pool.acquire() as conn:
        await conn.execute("update delivery set priority = 3")

    watch.advance(seconds=599)
    early = await watch.alarm_kinds()
    watch.advance(seconds=2)

    assert ([], ["oldest_unsent"]) == (early, await watch.alarm_kinds())


async def test_waiting_that_the_senders_limit_explains_is_no_alarm(watch: Watch) -> None:
    """One segment in 100 s: the plan for one SMS is 120 s with its margin."""
    watch.set(sms_per_s=0.01)
    await queue_alert(watch)

    watch.advance(seconds=170)
    planned = await watch.alarm_kinds()
    watch.advance(seconds=20)

    assert ([], ["oldest_unsent"]) == (planned, await watch.alarm_kinds())


async def test_a_notice_of_a_case_that_is_over_is_not_late(watch: Watch) -> None:
    await queue_alert(watch)
    async with watch.run.pool.acquire() as conn:
        await conn.execute("update known_case set stood_down_at = now()")

    watch.advance(minutes=5)

    assert "oldest_unsent" not in await watch.alarm_kinds()


async def test_a_sender_without_receipts_is_an_alarm_until_they_come(watch: Watch) -> None:
    await accept_many(watch, 20)
    watch.advance(minutes=4)
    assert "blackholing_sender" not in await watch.alarm_kinds()

    watch.advance(minutes=2)
    assert "blackholing_sender" in await watch.alarm_kinds()

    async with watch.run.pool.acquire() as conn:
        await conn.execute("update attempt set status_rank = 5 where started_at is not null")
    assert "blackholing_sender" not in await watch.alarm_kinds()


async def test_a_few_without_receipts_say_nothing_about_a_sender(watch: Watch) -> None:
    await accept_many(watch, 19)

    watch.advance(minutes=6)

    assert "blackholing_sender" not in await watch.alarm_kinds()


async def test_callbacks_with_a_wrong_signature_are_an_alarm_for_a_while(watch: Watch) -> None:
    def forged(_: Callback) -> list[object]:
        raise Forged

    watch.carrier.inbound = forged  # type: ignore[assignment,method-assign]
    for _ in range(5):
        assert 403 == (await watch.http.post("/twilio/inbound", data={"Body": "1"})).status_code
    assert [] == await watch.alarm_kinds()

    await watch.http.post("/twilio/inbound", data={"Body": "1"})
    assert ["signature_failures"] == await watch.alarm_kinds()

    watch.advance(minutes=7)
    assert [] == await watch.alarm_kinds()


async def test_forgeries_of_a_sweep_that_failed_are_counted_by_the_next(watch: Watch) -> None:
    alarms.FORGERIES.waiting = 6
    watch.run.state["settings"] = None
    with pytest.raises(AttributeError):
        await alarms.watch(watch.run)

    watch.run.state["settings"] = watch.sender._settings

    assert ["signature_failures"] == await watch.alarm_kinds()
    assert 0 == alarms.FORGERIES.waiting


async def test_a_case_that_tells_nobody_is_an_alarm_until_somebody_is_told(watch: Watch) -> None:
    await react(watch.run, REACTIONS, raised(watch.run.clock.now(), radius_km=0.1))
    assert ["no_recipients"] == await watch.alarm_kinds()

    await react(watch.run, REACTIONS, widened(watch.run.clock.now()))

    assert [] == await watch.alarm_kinds()


async def test_a_case_that_tells_nobody_and_is_over_is_no_alarm(watch: Watch) -> None:
    await react(watch.run, REACTIONS, raised(watch.run.clock.now(), radius_km=0.1))

    await react(watch.run, REACTIONS, stood_down(watch.run.clock.now()))

    assert [] == await watch.alarm_kinds()


async def test_an_order_to_a_unit_without_a_contact_is_an_alarm(watch: Watch) -> None:
    async with watch.run.pool.acquire() as conn:
        await conn.execute("delete from contact where unit_id = $1", UNIT)
    await react(watch.run, REACTIONS, ordered(watch.run.clock.now()))
    assert ["no_recipients"] == await watch.alarm_kinds()

    await fill(watch.run, [site(9, 1)], [contact(9, None)])
    await react(watch.run, REACTIONS, ordered(watch.run.clock.now(), order=2))

    assert [] == await watch.alarm_kinds()
    await react(watch.run, REACTIONS, order_over(watch.run.clock.now(), order=2))


@pytest.mark.parametrize("code", ["20003", "isv.AMOUNT_NOT_ENOUGH", "InvalidAccessKeyId.NotFound"])
async def test_a_provider_that_refuses_the_account_is_an_alarm_for_a_while(
    watch: Watch, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    async def refuse(_: object) -> Outcome:
        return Outcome("rejected", code=code, reason="permanent_config")

    watch.carrier.send = refuse  # type: ignore[assignment,method-assign]
    await watch.raise_alert()
    assert ["provider_refuses_us"] == await watch.alarm_kinds()

    watch.advance(minutes=11)

    assert [] == await watch.alarm_kinds()


async def test_an_outcome_that_stays_unknown_is_an_alarm_until_it_is_known(watch: Watch) -> None:
    watch.carrier.told[PHONES[1]] = "lost_answer"
    await watch.raise_alert()
    watch.advance(seconds=watch.settings.grace_s + 59)
    assert "unknown_too_long" not in await watch.alarm_kinds()

    watch.advance(seconds=2)
    assert "unknown_too_long" in await watch.alarm_kinds()

    await watch.after(seconds=1)
    assert "unknown_too_long" not in await watch.alarm_kinds()


async def test_no_callback_while_sms_go_out_is_an_alarm_until_one_comes(watch: Watch) -> None:
    await accept_many(watch, 20)
    watch.advance(minutes=1)
    assert "callback_silence" not in await watch.alarm_kinds()

    await queue_alert(watch, case_id=UUID(int=21))
    await watch.send()
    assert "callback_silence" in await watch.alarm_kinds()

    async with watch.run.pool.acquire() as conn:
        await conn.execute(
            "insert into provider_event (event_key, status, code, received_at) values ('e', 'sent', '', $1)",
            watch.run.clock.now(),
        )
    assert "callback_silence" not in await watch.alarm_kinds()


async def test_a_duty_number_that_opts_out_is_an_alarm_until_it_is_replaced(watch: Watch) -> None:
    await watch.reply("退订")
    assert ["duty_number_opted_out"] == await watch.alarm_kinds()

    await fill(watch.run, [site(1, 1)], [contact(1, 1, phone_e164=PHONES[50])])

    assert [] == await watch.alarm_kinds()


async def test_a_duty_number_that_opts_out_again_is_an_alarm_again(watch: Watch) -> None:
    await watch.reply("退订", provider_id="SM1")
    [alarm] = (await watch.get("/alarms"))["alarms"]
    await watch.post(f"/alarms/{alarm['id']}/acknowledge")
    assert [] == await watch.alarm_kinds()

    await watch.reply("开始", provider_id="SM2")
    watch.advance(minutes=1)
    await watch.reply("退订", provider_id="SM3")

    assert ["duty_number_opted_out"] == await watch.alarm_kinds()


async def test_acknowledging_says_who_cares_and_leaves_the_alarm_open(watch: Watch) -> None:
    await queue_alert(watch)
    watch.advance(minutes=2)
    await alarms.watch(watch.run)
    [alarm] = (await watch.get("/alarms"))["alarms"]

    answer = await watch.post(f"/alarms/{alarm['id']}/acknowledge")
    again = await watch.post(f"/alarms/{alarm['id']}/acknowledge")

    assert answer.json() == again.json()
    assert "desk" == answer.json()["acknowledged_by"]
    assert ["oldest_unsent"] == await watch.alarm_kinds()


async def test_an_alarm_that_is_not_there_is_said_so(watch: Watch) -> None:
    answer = await watch.post(f"/alarms/{uuid4()}/acknowledge")

    assert (404, "no_such_alarm") == (answer.status_code, answer.json()["code"])


async def test_alarms_of_another_regions_case_are_not_shown(watch: Watch) -> None:
    await react(watch.run, REACTIONS, raised(watch.run.clock.now(), radius_km=0.1))

    ours, theirs = await watch.get("/alarms"), await watch.get("/alarms", region="110000")

    assert (1, 0) == (len(ours["alarms"]), len(theirs["alarms"]))


async def test_open_alarms_are_a_metric(watch: Watch) -> None:
    await queue_alert(watch)
    watch.advance(minutes=2)
    await alarms.watch(watch.run)

    assert 1.0 == metrics.ALARMS_OPEN.labels("oldest_unsent")._value.get()


async def test_no_alarm_has_a_phone_number(watch: Watch) -> None:
    await watch.reply("退订")
    watch.carrier.told[PHONES[4]] = "lost_answer"
    await watch.raise_alert()
    watch.advance(minutes=5)
    await alarms.watch(watch.run)

    shown = str(await watch.get("/alarms?open=false"))

    assert "unknown_too_long" in shown
    assert not any(phone in shown for phone in PHONES)


def test_every_kind_of_alarm_has_its_words_and_its_mend() -> None:
    assert set(KINDS) == set(WORDS)
    for words in WORDS.values():
        assert all((words.zh, words.en, words.mend_zh, words.mend_en))
