"""What no machine can do any more reaches a person: once, in words, and until it is done."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import uuid4

import pytest
import pytest_asyncio

from contracts.notice import NoticeAcknowledged
from contracts.sighting import SightingReported
from guitu.service import Runtime
from harness.ground import facts, react
from harness.notice_stories import PHONES, stood_down
from harness.watch_stories import Watch, watching
from notifications import tasks
from notifications.agents import REACTIONS
from notifications.domain.task_words import KINDS, WORDS

RuntimeFor = Callable[[str], Awaitable[Runtime]]


@pytest_asyncio.fixture
async def watch(runtime_for: RuntimeFor) -> AsyncIterator[Watch]:
    async with watching(await runtime_for("notifications")) as ready:
        yield ready


async def test_a_site_that_nobody_answers_for_is_to_be_called(watch: Watch) -> None:
    await watch.raise_alert()

    await watch.unheard()

    [task] = (await watch.get("/tasks"))["tasks"]
    assert ("call_site", "1号站", "CY-0472") == (task["kind"], task["name_zh"], task["case_code"])
    assert [PHONES[1], PHONES[4]] == [each["phone"] for each in task["contacts"]]
    assert task["what_zh"]
    assert task["what_en"]


async def test_opening_a_task_again_opens_none(watch: Watch) -> None:
    await watch.raise_alert()
    delivery_id = await watch.run.pool.fetchval("select id from delivery")

    async with watch.run.tx(actor="test") as tx:
        first = await tasks.open_task(tx, "call_site", delivery_id=delivery_id)
        second = await tasks.open_task(tx, "call_site", delivery_id=delivery_id)

    assert first is not None
    assert second is None


async def test_who_may_not_call_sees_no_phone_and_no_reply(watch: Watch) -> None:
    await watch.raise_alert()
    await watch.unheard()
    await watch.reply("看到他上了去万州的大巴")

    shown = await watch.get("/tasks", role="auditor")

    assert 2 == len(shown["tasks"])
    assert PHONES[1] not in str(shown)
    assert "万州" not in str(shown)


async def test_another_region_sees_no_task(watch: Watch) -> None:
    await watch.raise_alert()
    await watch.unheard()

    assert [] == (await watch.get("/tasks", region="110000"))["tasks"]


async def test_a_call_that_reached_somebody_acknowledges_the_notice(watch: Watch) -> None:
    await watch.raise_alert()
    await watch.unheard()
    [task] = (await watch.get("/tasks"))["tasks"]

    answer = await watch.post(f"/tasks/{task['id']}/done", {"result": "reached_acknowledged", "note": "ok"})

    assert 200 == answer.status_code
    assert {"operator"} == {fact.channel for fact in await facts(watch.run, NoticeAcknowledged)}
    assert [] == (await watch.get("/tasks"))["tasks"]


async def test_what_a_site_tells_on_the_phone_is_a_sighting(watch: Watch) -> None:
    await watch.raise_alert()
    await watch.unheard()
    [task] = (await watch.get("/tasks"))["tasks"]

    await watch.post(f"/tasks/{task['id']}/done", {"result": "reached_sighting", "note": "往码头走了"})

    [sighting] = await facts(watch.run, SightingReported)
    assert ("operator", "往码头走了") == (sighting.channel, sighting.note)


async def test_done_twice_is_the_same_answer_and_done_otherwise_is_refused(watch: Watch) -> None:
    await watch.raise_alert()
    await watch.unheard()
    [task] = (await watch.get("/tasks"))["tasks"]
    path = f"/tasks/{task['id']}/done"

    first = await watch.post(path, {"result": "not_reached"})
    again = await watch.post(path, {"result": "not_reached"})
    other = await watch.post(path, {"result": "reached_acknowledged"})

    assert first.json() == again.json()
    assert (409, "task_done_otherwise") == (other.status_code, other.json()["code"])
    assert [] == await facts(watch.run, NoticeAcknowledged)


async def test_a_task_that_is_not_there_is_said_so(watch: Watch) -> None:
    answer = await watch.post(f"/tasks/{uuid4()}/done", {"result": "other"})

    assert (404, "no_such_task") == (answer.status_code, answer.json()["code"])


async def test_an_auditor_may_not_end_a_task(watch: Watch) -> None:
    answer = await watch.post(f"/tasks/{uuid4()}/done", {"result": "other"}, role="auditor")

    assert 403 == answer.status_code


async def test_a_call_is_not_needed_once_the_site_answers_or_the_case_is_over(watch: Watch) -> None:
    await watch.raise_alert()
    await watch.unheard()

    await watch.reply("签收")

    assert ["acknowledged_after_all"] == await _results(watch)


async def test_a_stand_down_ends_the_calls_but_not_the_reading(watch: Watch) -> None:
    await watch.raise_alert()
    await watch.unheard()
    await watch.reply("看到他上了去万州的大巴")

    await react(watch.run, REACTIONS, stood_down(watch.run.clock.now()))

    assert [("call_site", "stood_down"), ("read_reply", None)] == [
        (row["kind"], row["result"])
        for row in await watch.run.pool.fetch("select kind, result from task order by kind")
    ]


@pytest.mark.parametrize("told", [True, False], ids=["sighting candidate", "nothing open"])
async def test_every_reply_that_is_no_acknowledgement_reaches_a_person(watch: Watch, told: bool) -> None:
    if told:
        await watch.raise_alert()

    await watch.reply("看到他上了去万州的大巴", provider_id="SM1")
    await watch.reply("穿红衣服", provider_id="SM2")
    await watch.reply("穿红衣服", provider_id="SM2")

    shown = (await watch.get("/tasks"))["tasks"]
    assert ["看到他上了去万州的大巴", "穿红衣服"] == [task["reply"] for task in shown]
    assert {"read_reply"} == {task["kind"] for task in shown}


async def test_an_acknowledgement_needs_no_person(watch: Watch) -> None:
    await watch.raise_alert()

    await watch.reply("签收")

    assert [] == (await watch.get("/tasks"))["tasks"]


async def test_a_stand_down_that_failed_is_told_by_a_call(watch: Watch) -> None:
    await watch.raise_alert()
    watch.carrier.told[PHONES[1]] = "refused"
    await react(watch.run, REACTIONS, stood_down(watch.run.clock.now()))
    await watch.send()

    await watch.after(seconds=5)
    await watch.after(seconds=5)

    [task] = (await watch.get("/tasks"))["tasks"]
    assert ("call_site", True) == (task["kind"], "search is over" in task["what_en"])


def test_every_kind_of_task_has_its_words() -> None:
    assert set(KINDS) == set(WORDS)
    assert all(words.zh and words.en for words in WORDS.values())


async def _results(watch: Watch) -> list[str]:
    return [row["result"] for row in await watch.run.pool.fetch("select result from task")]
