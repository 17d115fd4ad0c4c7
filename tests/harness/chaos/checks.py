"""What must be true afterwards of cases, facts, plans, orders and samples; each check finds what breaks it.

A check is a query over the services' own tables and over what the auditor laid beside them: `promise` (accepted
reports), `promised_end`, `promised_update`, `promised_sighting`, `fed` (event ids written to the topic by us),
`carried` (event ids on the topics), `fact` (every outbox row, opened), `took_in` (every inbox row) and `evidence`
(when topics and books were read). It returns one line of text for each breach. `lost`: something promised has no
effect. `doubled`: something has two. `wrong`: an effect that nobody asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.chaos.county import RINGS_KM

NEAR_KM, FAR_KM = RINGS_KM
Sort = Literal["lost", "doubled", "wrong"]


@dataclass(frozen=True)
class Check:
    """One thing that must hold."""

    sort: Sort
    says: str
    sql: str


REPORTS = (
    Check(
        "lost",
        "an accepted report has no case",
        """select report_id::text from promise p
        where not exists (select from alerts.case_file c where c.report_id = p.report_id)""",
    ),
    Check(
        "doubled",
        "a report has two cases",
        "select report_id::text from alerts.case_file group by report_id having count(*) > 1",
    ),
    Check(
        "wrong",
        "a case came from no report that was accepted",
        """select c.id::text from alerts.case_file c
        where not exists (select from promise p where p.report_id = c.report_id)""",
    ),
    Check(
        "wrong",
        "a report was answered with another case than it has",
        """select p.report_id::text from promise p join alerts.case_file c using (report_id)
        where c.id <> p.case_id""",
    ),
    Check(
        "lost",
        "an accepted stand-down, or update, has no version",
        """select case_id::text || ' ' || kind from (
            select case_id, 'stood_down' as kind from promised_end
            union all select case_id, 'updated' from promised_update) x
        where not exists (select from alerts.alert_version v where v.case_id = x.case_id and v.kind = x.kind)""",
    ),
    Check(
        "doubled",
        "an alert was raised, updated in the same words, or stood down twice",
        """select case_id::text || ' ' || kind from alerts.alert_version where kind <> 'widened'
        group by case_id, kind having count(*) > 1""",
    ),
    Check(
        "lost",
        "an alert's versions have a gap",
        """select c.id::text from alerts.case_file c join alerts.alert_version v on v.case_id = c.id
        group by c.id having count(*) <> max(c.version) or max(v.version) <> max(c.version)""",
    ),
    Check(
        "lost",
        "a ring was due and was not told",
        """select r.case_id::text from alerts.ring r
        where r.due_at < now() - interval '3 s' and r.issued_at is null and r.cancelled_at is null""",
    ),
    Check(
        "wrong",
        "the ring is not the schedule's",
        f"""select case_id::text || ' ' || version from (
            select v.*, (body -> 'ring' ->> 'radius_km')::float8 as km,
                lag((body -> 'ring' ->> 'radius_km')::float8) over (partition by case_id order by version) as before_km
            from alerts.alert_version v where kind <> 'stood_down') r join promise p using (case_id)
        where km <> case kind
            when 'raised' then case when at < seen_at + interval '1 hour' then {NEAR_KM} else {FAR_KM} end
            when 'widened' then {FAR_KM} else before_km end""",
    ),
)

FACTS = (
    Check(
        "lost",
        "a version of an alert has no fact",
        """select v.case_id::text || ' ' || v.version from alerts.alert_version v
        where not exists (
            select from fact f where f.case_id = v.case_id and f.n = v.version and f.type like 'guitu.alert.%')""",
    ),
    Check(
        "doubled",
        "a fact was stated twice",
        """select type || ' ' || coalesce(subject::text, '') || ' ' || coalesce(n, 0) from fact
        group by type, subject, n having count(*) > 1""",
    ),
    Check(
        "lost", "a fact was not published", "select type || ' ' || id from fact where published_at is null"
    ),
    Check(
        "lost",
        "a published fact is not on its topic",
        """select type || ' ' || id from fact
        where published_at < (select read_at from evidence)
            and not exists (select from carried where event_id = id)""",
    ),
    Check(
        "wrong",
        "a message on a topic is in no outbox",
        """select event_id::text from carried c
        where not exists (select from fact where id = c.event_id)
            and not exists (select from fed where fed.event_id = c.event_id)""",
    ),
    Check(
        "lost",
        "a reader did not take a fact in",
        """select r.reader || ' ' || f.type || ' ' || f.id from fact f join reads r on f.type like r.pattern
        where f.occurred_at < (select read_at from evidence)
            and not exists (select from took_in t where t.reader = r.reader and t.event_id = f.id)""",
    ),
    Check(
        "lost",
        "alerts did not take in a report of an outside system",
        """select event_id::text from fed
        where not exists (select from took_in t where t.reader = 'alerts' and t.event_id = fed.event_id)""",
    ),
    Check(
        "lost",
        "a message lies with the dead letters",
        """select 'alerts ' || reason || ' ' || detail from alerts.dead_letter
        union all select 'dispatch ' || reason || ' ' || detail from dispatch.dead_letter
        union all select 'dna_intake ' || reason || ' ' || detail from dna_intake.dead_letter
        union all select 'notifications ' || reason || ' ' || detail from notifications.dead_letter
        union all select 'console ' || reason || ' ' || detail from console.dead_letter""",
    ),
)

PLANS = (
    Check(
        "lost",
        "a case has no plan",
        """select c.id::text from alerts.case_file c
        where not exists (select from dispatch.plan p where p.case_id = c.id)""",
    ),
    Check(
        "lost",
        "the plans of a case have a gap",
        """select p.case_id::text from dispatch.plan p join dispatch.alert_case c using (case_id)
        group by p.case_id
        having count(*) <> max(c.plan_number) or max(p.plan_number) <> max(c.plan_number)""",
    ),
    Check(
        "doubled",
        "a case was planned twice for the same alert or sighting",
        """select case_id::text || ' ' || (published ->> 'trigger') from dispatch.plan p
        where published ->> 'trigger' in ('alert', 'sighting') group by case_id, published ->> 'trigger'
        having count(*) > case published ->> 'trigger' when 'alert' then 1 else (
            select count(*) from dispatch.sighting s where s.case_id = p.case_id) end""",
    ),
    Check(
        "lost",
        "a plan has no fact",
        """select p.case_id::text || ' ' || p.plan_number from dispatch.plan p
        where not exists (select from fact f where f.type = 'guitu.plan.published.v1'
            and f.case_id = p.case_id and f.n = p.plan_number)""",
    ),
    Check(
        "lost",
        "an order, or its end, has no fact",
        """select o.order_id::text || ' ' || o.state from dispatch.interception_order o
        where not exists (select from fact f where f.type = 'guitu.order.issued.v1' and f.subject = o.order_id)
            or (o.stand_down_reason is not null and not exists (
                select from fact f where f.type = 'guitu.order.stood_down.v1' and f.subject = o.order_id))""",
    ),
    Check(
        "doubled",
        "one unit has two orders to one place in one case, and both stand",
        """select case_id::text || ' ' || unit_id || ' ' || place_id from dispatch.interception_order
        where state not in ('stood_down', 'stand_down_acknowledged', 'reassigned')
        group by case_id, unit_id, place_id having count(*) > 1""",
    ),
    Check(
        "doubled",
        "an order went through one state twice",
        """select o.order_id::text from dispatch.interception_order o, jsonb_array_elements(o.history) h
        group by o.order_id, h ->> 0 having count(*) > 1""",
    ),
    Check(
        "lost",
        "a case that is over binds a unit, or dispatch does not know that it is over",
        """select c.id::text from alerts.case_file c left join dispatch.alert_case d on d.case_id = c.id
        where c.state = 'stood_down' and (d.stood_down_as is null or exists (
            select from dispatch.interception_order o where o.case_id = c.id
                and o.state not in ('stood_down', 'stand_down_acknowledged')))""",
    ),
    Check(
        "wrong",
        "dispatch holds a case for over that is open",
        """select c.id::text from alerts.case_file c join dispatch.alert_case d on d.case_id = c.id
        where c.state = 'open' and d.stood_down_as is not null""",
    ),
    Check(
        "lost",
        "an accepted sighting did not reach alerts and dispatch",
        """select p.sighting_id::text from promised_sighting p
        where not exists (select from alerts.sighting s where s.id = p.sighting_id)
            or not exists (select from dispatch.sighting s where s.sighting_id = p.sighting_id)""",
    ),
    Check(
        "wrong",
        "there is a sighting that nobody reported",
        """select id::text from alerts.sighting s
        where s.channel = 'operator' and not exists (select from promised_sighting p where p.sighting_id = s.id)""",
    ),
)

SAMPLES = (
    Check(
        "lost",
        "a case has no sample request or no cross-match request",
        """select c.id::text from alerts.case_file c
        where not exists (select from dna_intake.sample_request s where s.case_id = c.id)
            or not exists (select from dna_intake.cross_match_request m where m.case_id = c.id)""",
    ),
    Check(
        "doubled",
        "a case has two sample requests or two cross-match requests",
        """select case_id::text from dna_intake.sample_request group by case_id having count(*) > 1
        union all
        select case_id::text from dna_intake.cross_match_request group by case_id having count(*) > 1""",
    ),
    Check(
        "lost",
        "a request was not stated",
        """select c.id::text from alerts.case_file c
        where (select count(*) from fact f where f.case_id = c.id and f.type in
            ('guitu.dna.sample_requested.v1', 'guitu.dna.cross_match_requested.v1')) < 2""",
    ),
    Check(
        "wrong",
        "requests of an open case are not open, or of a case that is over they are",
        """select c.id::text from alerts.case_file c
        join dna_intake.sample_request s on s.case_id = c.id
        join dna_intake.cross_match_request m on m.case_id = c.id
        where (c.state = 'open') <> (s.state = 'open') or (c.state = 'open') <> (m.state = 'waiting')""",
    ),
    Check(
        "lost",
        "alerts did not hear of the requests",
        """select c.id::text from alerts.case_file c
        where (select count(*) from alerts.dna_line l where l.case_id = c.id) <> 2""",
    ),
    Check(
        "doubled",
        "alerts counted a request twice",
        "select case_id::text || ' ' || type from alerts.dna_line where times <> 1",
    ),
    Check(
        "doubled",
        "the timeline tells one thing twice",
        """select case_id::text || ' ' || type from alerts.timeline
        group by case_id, type, details having count(*) > 1""",
    ),
    Check(
        "lost",
        "the live status lacks the newest plan, or an order",
        """select p.case_id::text from dispatch.alert_case p left join alerts.plan_line l using (case_id)
        where l.plan_number is distinct from p.plan_number
        union all
        select o.order_id::text from dispatch.interception_order o
        where not exists (select from alerts.order_line l where l.order_id = o.order_id)""",
    ),
)

CHECKS = (*REPORTS, *FACTS, *PLANS, *SAMPLES)
