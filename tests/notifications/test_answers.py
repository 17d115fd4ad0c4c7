"""What a reply by SMS does: acknowledgements, nil reports, opt-outs, and the right notice among very many."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

from contracts.base import CaseId
from contracts.notice import NoticeAcknowledged, NoticeEscalated, NoticeNilReported, NoticeQueued
from contracts.sighting import SightingReported
from guitu.service import Runtime
from harness.ground import SettableClock, facts, react
from harness.notice_stories import PHONES, Carrier, raised, stood_down, three_sites, with_a_carrier
from notifications import answers, escalating
from notifications.agents import REACTIONS
from notifications.providers.protocol import InboundSms
from notifications.service import sending_with
from notifications.settings import NotificationSettings

RuntimeFor = Callable[[str], Awaitable[Runtime]]


async def site_told(runtime_for: RuntimeFor, cases: int = 1) -> Runtime:
    """A service whose nearest site was told of so many cases, each a minute after the other."""
    run = with_a_carrier(await runtime_for("notifications"))
    await three_sites(run)
    assert isinstance(run.clock, SettableClock)
    for number in range(cases):
        code = f"CY-{1000 + number}"
        fact = raised(run.clock.now(), radius_km=5, case_id=CaseId(UUID(int=100 + number)), case_code=code)
        await react(run, REACTIONS, fact)
        run.clock.advance(minutes=1)
    await run.pool.execute(
        "update delivery set state = 'accepted', attempted_at = queued_at, accepted_at = queued_at, "
        "answer_due_at = queued_at + interval '3 hours'"
    )
    return run


async def replies(run: Runtime, body: str, sender: str = PHONES[1]) -> str:
    sms = InboundSms(provider_id=str(run.ids.new()), sender=sender, to="+12025550100", body=body)
    async with run.tx(actor="provider") as tx:
        return await answers.reply_came(tx, sms, NotificationSettings(**run.settings.model_dump()))


async def code_of(run: Runtime, case_id: int) -> str:
    code: str = await run.pool.fetchval("select ack_code from delivery where case_id = $1", UUID(int=case_id))
    return code


async def meanings(run: Runtime) -> list[str]:
    return [
        row["meaning"] for row in await run.pool.fetch("select meaning from inbound order by received_at, id")
    ]


async def test_a_nil_report_acknowledges_and_is_no_sighting(runtime_for: RuntimeFor) -> None:
    run = await site_told(runtime_for)

    await replies(run, "未发现。")
    await replies(run, "无")

    assert 1 == len(await facts(run, NoticeAcknowledged))
    first, second = await facts(run, NoticeNilReported)
    assert (run.clock.now(), "sms") == (first.seen_nothing_until, first.channel)
    assert first.delivery_id == second.delivery_id
    assert [] == await facts(run, SightingReported)
    assert ["nil_report", "nil_report"] == await meanings(run)


async def test_a_code_is_found_among_any_number_of_open_notices(runtime_for: RuntimeFor) -> None:
    """Beyond a phone's newest notices a code once meant another case's."""
    run = await site_told(runtime_for, cases=60)

    await replies(run, f"{await code_of(run, 100)} 往码头去了")
    await replies(run, f"收到 {await code_of(run, 101)}")
    await replies(run, f"{await code_of(run, 102)} 无")

    assert [UUID(int=100)] == [fact.case_id for fact in await facts(run, SightingReported)]
    assert {UUID(int=101), UUID(int=102)} == {fact.case_id for fact in await facts(run, NoticeAcknowledged)}
    assert [UUID(int=102)] == [fact.case_id for fact in await facts(run, NoticeNilReported)]


async def test_nothing_seen_with_several_cases_answered_asks_for_the_code(runtime_for: RuntimeFor) -> None:
    run = await site_told(runtime_for, cases=2)
    for case_id in (100, 101):
        await replies(run, await code_of(run, case_id))

    asked = await replies(run, "没有")

    assert await code_of(run, 100) in asked
    assert await code_of(run, 101) in asked
    assert [] == await facts(run, NoticeNilReported)


async def test_an_opt_out_moves_what_waits_to_the_next_contact_at_once_and_is_audited(
    runtime_for: RuntimeFor,
) -> None:
    run = await site_told(runtime_for)

    assert "" == await replies(run, "退订")
    await escalating.escalate_unanswered(run)

    assert [1001, 1004] == [
        row["contact_id"].int
        for row in await run.pool.fetch("select contact_id from delivery order by queued_at")
    ]
    [escalated] = await facts(run, NoticeEscalated)
    assert "next_contact" == escalated.to
    actions = {row["action"] for row in await run.pool.fetch("select action from audit")}
    assert {"contact.opted_out", "alarm.opened"} <= actions


async def test_an_opt_out_said_twice_escalates_once(runtime_for: RuntimeFor) -> None:
    run = await site_told(runtime_for)

    for _ in range(2):
        await replies(run, "TD")
        await escalating.escalate_unanswered(run)

    assert 1 == len(await facts(run, NoticeEscalated))
    assert 1 == await run.pool.fetchval("select count(*) from audit where action = 'contact.opted_out'")


async def test_who_opted_out_is_told_again_after_start(runtime_for: RuntimeFor) -> None:
    run = await site_told(runtime_for)
    await replies(run, "STOP")
    late = raised(run.clock.now(), radius_km=5, case_id=CaseId(UUID(int=200)))
    await react(run, REACTIONS, late)

    await replies(run, "START")
    await react(run, REACTIONS, raised(run.clock.now(), radius_km=5, case_id=CaseId(UUID(int=201))))

    rows = await run.pool.fetch(
        "select case_id, contact_id from delivery where case_id = any($1)", [UUID(int=200), UUID(int=201)]
    )
    assert {200: 1004, 201: 1001} == {row["case_id"].int: row["contact_id"].int for row in rows}


async def test_an_opt_out_of_a_case_that_is_over_asks_nobody_else(runtime_for: RuntimeFor) -> None:
    run = await site_told(runtime_for)
    await react(run, REACTIONS, stood_down(run.clock.now(), case_id=CaseId(UUID(int=100))))

    await replies(run, "STOP")
    await escalating.escalate_unanswered(run)

    assert [] == await facts(run, NoticeEscalated)


async def test_an_unknown_number_is_kept_word_for_word_and_not_answered(runtime_for: RuntimeFor) -> None:
    run = await site_told(runtime_for)

    for text in ("退订", "签收", "看到他了"):
        assert "" == await replies(run, text, sender="+12025550199")

    assert ["unknown_number"] * 3 == await meanings(run)
    assert [] == await facts(run, SightingReported)
    assert 1 == len(await facts(run, NoticeQueued))


async def test_one_answer_does_for_a_site_whoever_else_was_asked_there(
    runtime_for: Callable[[str], Awaitable[Runtime]],
) -> None:
    run = await runtime_for("notifications")
    await three_sites(run)
    clock = run.clock
    assert isinstance(clock, SettableClock)
    async with sending_with(run, Carrier()) as sender:
        await react(run, REACTIONS, raised(clock.now(), radius_km=5))
        for _ in range(2):
            while await sender.pump():
                await sender.drain()
            clock.advance(minutes=2)
        clock.advance(minutes=2)
        await escalating.escalate_unanswered(run)
        while await sender.pump():
            await sender.drain()
    waiting = "select count(*) from delivery where answer_due_at is not null"
    assert 1 == await run.pool.fetchval(waiting)

    first = await run.pool.fetchval("select id from delivery order by queued_at limit 1")
    async with run.tx(actor="tests") as tx:
        await answers.acknowledge(tx, first, "page")

    assert 0 == await run.pool.fetchval(waiting)
