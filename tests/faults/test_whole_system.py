"""kill -9 of each process while 1,000 reports flow through all services: none lost, none doubled, one SMS a version.

The short run of the engine that `guitu bench faults` runs long. The load is a real flow made bounded: 20 hotels in
rings of 8 and 16 km instead of Yunyang's 109 sites in 100 km, 14 units instead of 54 (`harness.chaos.county`). One
report in seven comes by the topic, one in five twice, four in ten of the cases are updated, sighted, answered or
stood down while things die. Pages of the console stay open meanwhile; in the end they show what a new page shows, the
console's picture is what the owners' own tables say, and a rebuild gives it again. GUITU_FAULT_SEED repeats a run: the
script, the schedule and the provider's faults.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from harness.chaos import audit
from harness.chaos.county import County, open_county
from harness.chaos.engine import Run, run
from harness.chaos.size import PROCESSES, Size

SEED = int(os.environ.get("GUITU_FAULT_SEED", "20260301"))
REPORTS = 1000
STOPPED_S = 12.0
"""Longer than Kafka's session of 10 s: the console is put out of its group and must come back."""


@pytest_asyncio.fixture(scope="module")
async def county() -> AsyncIterator[County]:
    """A whole system of this module's own, since its parts are killed."""
    async with open_county() as running:
        yield running


@pytest_asyncio.fixture(scope="module")
async def struck(county: County) -> Run:
    """One run: every process killed once, broker and database restarted once more, the console stopped for a while."""
    size = Size(seed=SEED, reports=REPORTS, pauses_s=(STOPPED_S,))
    return await run(county, size, lambda line: print(line, flush=True))


@pytest.mark.timeout(600)
async def test_nothing_is_lost_or_doubled_while_every_process_is_killed(struck: Run) -> None:
    again = f"GUITU_FAULT_SEED={SEED}"

    assert [] == [str(found) for found in struck.findings], again
    assert "" == struck.unsettled, again
    assert {} == struck.unplanned, f"{again}: processes ended without having been struck"
    assert set(PROCESSES) <= {
        name for fault, _ in struck.recoveries if fault.kind == "kill" for name in fault.names
    }


@pytest.mark.timeout(600)
async def test_the_flow_was_real(struck: Run) -> None:
    """A run without a flow would find nothing either."""
    assert struck.evidence is not None
    kept = struck.evidence.promises

    sorts = {sms.sort for sms in struck.evidence.sms}

    assert REPORTS == len(kept.reports)
    assert all((kept.stand_downs, kept.updates, kept.sightings, kept.answers))
    assert {"alert", "order", "stood_down", "order_stood_down"} == sorts
    assert any(times > 1 for times in struck.evidence.carried.values()), "No kill made a relay repeat itself."


@pytest.mark.timeout(600)
async def test_the_console_was_looked_at_while_it_was_struck(struck: Run) -> None:
    """Pages that hear nothing and a rebuild that is compared with nothing would find nothing."""
    assert struck.rebuilt is not None

    assert all(page.patches for page in struck.pages)
    assert any(page.cuts for page in struck.pages)
    # What is escalated meanwhile can't be compared; it is told in one minute of the run or another.
    assert struck.rebuilt.compared > REPORTS / 4


ANY_CASE = "(select id from alerts.case_file where state = 'open' order by id limit 1)"
ENDED_ORDER = (
    "(select order_id from dispatch.interception_order where state = 'stood_down' order by 1 limit 1)"
)
DELIVERED = "(select id from notifications.delivery where state = 'delivered' order by 1 limit 1)"
PLANTED = {
    "lost: an accepted report has no case": "insert into promise values (gen_random_uuid(), null, 108.7, 30.9, now())",
    "wrong: a case came from no report that was accepted": "delete from promise where case_id = "
    "(select case_id from promise order by 1 limit 1)",
    "doubled: a fact was stated twice": "insert into fact select writer, gen_random_uuid(), type, occurred_at, "
    "published_at, case_id, subject, n from fact where type = 'guitu.alert.raised.v1' limit 1",
    "lost: a version of an alert has no fact": "delete from fact where id = "
    "(select id from fact where type = 'guitu.alert.raised.v1' limit 1)",
    "lost: a fact was not published": "update fact set published_at = null where id = (select id from fact limit 1)",
    "lost: a published fact is not on its topic": "delete from carried where event_id = (select id from fact limit 1)",
    "lost: a reader did not take a fact in": "delete from took_in where reader = 'dispatch' and event_id = "
    "(select id from fact where type = 'guitu.alert.raised.v1' limit 1)",
    "lost: a message lies with the dead letters": "insert into dispatch.dead_letter select gen_random_uuid(), null, "
    "'guitu.alerts', 0, 0, null, '{}', null, 'LookupError', 'planted', now(), null",
    "lost: an alert's versions have a gap": f"update alerts.case_file set version = 99 where id = {ANY_CASE}",
    "lost: the plans of a case have a gap": "update dispatch.alert_case set plan_number = 99 where "
    f"case_id = {ANY_CASE}",
    "lost: an order, or its end, has no fact": "delete from fact where id = "
    "(select id from fact where type = 'guitu.order.stood_down.v1' limit 1)",
    "doubled: an order went through one state twice": "update dispatch.interception_order set history = history || "
    "history where order_id = (select order_id from dispatch.interception_order limit 1)",
    "lost: a case has no sample request or no cross-match request": "delete from dna_intake.sample_request where "
    f"case_id = {ANY_CASE}",
    "doubled: alerts counted a request twice": f"update alerts.dna_line set times = 2 where case_id = {ANY_CASE}",
    "doubled: the timeline tells one thing twice": "insert into alerts.timeline (case_id, region_code, at, type, "
    "details) select case_id, region_code, at, type, details from alerts.timeline limit 1",
    "lost: a site in the ring has no notice": "update notifications.delivery set version = 98 where id = "
    "(select id from notifications.delivery where kind = 'raised' limit 1)",
    "wrong: a site has a notice that was not for it": "update near set km = 900 where (case_id, site_id) = (select "
    "case_id, site_id from notifications.delivery where kind = 'raised' limit 1)",
    "lost: a notice of an open case did not reach the provider": "update notifications.delivery set state = 'failed' "
    "where case_id = (select case_id from notifications.delivery join alerts.case_file c on c.id = case_id "
    "where c.state = 'open' and kind = 'raised' limit 1)",
    "lost: an accepted SMS is not in the provider's books": "delete from sms where sid = (select min(sid) from sms)",
    "doubled: a phone got the same text twice": "insert into sms select 'SM0', phone, body, case_code, sort, version, "
    "link from sms limit 1",
    "doubled: a site got two SMS about one version, or two stand-downs": "insert into sms select 'SM0', phone, "
    "body || '!', case_code, sort, version, link from sms where sort = 'stood_down' limit 1",
    "doubled: a unit got one order twice": "insert into sms select 'SM0', phone, body || '!', case_code, sort, "
    "version, link from sms where sort = 'order' limit 1",
    "doubled: an SMS in the provider's books belongs to no attempt": "insert into sms select 'SM0', phone, body, "
    "case_code, sort, version, link from sms limit 1",
    "lost: somebody who was told was not told that it is over": "delete from sms where sid = "
    "(select sid from sms where sort = 'stood_down' limit 1)",
    "lost: a unit that was ordered was not told that it may leave": "delete from sms where sort = 'order_stood_down'",
    "lost: an answer by SMS acknowledged nothing": "insert into promised_answer values ('SM0', 'AAAA')",
    "wrong: the audit log of alerts is broken": "update alerts.audit set actor = 'else' where id = "
    "(select audit_id from alerts.audit_seal where seq = 7)",
}
"""What the auditor must say, and the change to one snapshot that must make it say so."""


@pytest.mark.timeout(600)
@pytest.mark.parametrize("says", PLANTED)
async def test_the_auditor_sees_what_is_planted(county: County, struck: Run, says: str) -> None:
    """The change is thrown away with the snapshot; the run's own findings are none."""
    assert struck.evidence is not None

    found = await audit.examine(county.settings.database_url, struck.evidence, PLANTED[says], [says])

    assert says in [f"{each.sort}: {each.says}" for each in found]


PLANTED_IN_CONSOLE = {
    "lost: the console lacks a case, or what its newest version says": "update console.case_line set version = 98 "
    f"where case_id = {ANY_CASE}",
    "wrong: the console holds a case for open that is over, or for over that is open, or for another end": "update "
    f"console.case_line set ended_at = now(), outcome = 'found' where case_id = {ANY_CASE}",
    "wrong: the console shows a case, order, delivery or sighting that its owner does not have": "insert into "
    "console.sighting_line select gen_random_uuid(), case_id, region_code, reported_at, body, verdict, verdict_reason, "
    "assessed_at from console.sighting_line limit 1",
    "lost: the console lacks a case's newest plan, or its figures": "update console.plan_line set "
    f"body = body - 'figures' where case_id = {ANY_CASE}",
    "lost: the console lacks an order, or shows it in another state than dispatch": "update console.order_line set "
    f"state = 'issued' where order_id = {ENDED_ORDER}",
    "lost: the console has another time for an order's step than dispatch": "update console.order_line set "
    f"stood_down_at = stood_down_at + interval '1 s' where order_id = {ENDED_ORDER}",
    "lost: the console lacks a delivery, or shows it in another state than notifications": "delete from "
    f"console.delivery_line where delivery_id = {DELIVERED}",
    "lost: the console has another time for a delivery's step than notifications": "update console.delivery_line set "
    f"delivered_at = null where delivery_id = {DELIVERED}",
    "lost: the console lacks a sighting, or what was thought of it": "update console.sighting_line set "
    "verdict = case verdict when 'refuted' then 'credible' else 'refuted' end",
    "lost: the console's line of a case's laboratory is not the laboratory's": "delete from console.dna_line where "
    f"case_id = {ANY_CASE} and type = 'guitu.dna.cross_match_requested.v1'",
    "lost: the console does not know that a neighbour was asked, or need not help any more": "update console.aid_line "
    "set requested_at = null where request_id = (select request_id from console.aid_line limit 1)",
    "doubled: the console counted a fact of the laboratory twice": "update console.dna_line set times = 2 where "
    f"case_id = {ANY_CASE}",
    "lost: the console's timeline does not tell a fact that it read, or tells it otherwise": "delete from "
    "console.timeline where event_id = (select event_id from console.timeline limit 1)",
    "wrong: the console's timeline tells what nobody stated": "update console.timeline set "
    "event_id = gen_random_uuid() where event_id = (select event_id from console.timeline limit 1)",
    "doubled: the console's timeline tells one thing twice": "insert into console.timeline select gen_random_uuid(), "
    "case_id, region_code, at, type, details from console.timeline limit 1",
    "wrong: the audit log of console is broken": "update console.audit set actor = 'else' where id = "
    "(select audit_id from console.audit_seal where seq = 1)",
}
ROUNDS = 3
"""One look at everything takes seconds, so some changes that do not touch each other are planted together."""


@pytest.mark.timeout(600)
@pytest.mark.parametrize("part", range(ROUNDS))
async def test_the_auditor_sees_what_is_planted_in_the_console(
    county: County, struck: Run, part: int
) -> None:
    """As above; what is planted in a round touches other rows, or other tables."""
    assert struck.evidence is not None
    planted = dict(list(PLANTED_IN_CONSOLE.items())[part::ROUNDS])

    changes = "; ".join(planted.values())
    found = await audit.examine(county.settings.database_url, struck.evidence, changes, planted)

    assert planted.keys() <= {f"{each.sort}: {each.says}" for each in found}
