"""What must be true afterwards of the console's picture: what the owners' own tables say, no more, no less, no older.

Beside the tables of `checks` the auditor lays `awaited`: the subjects of facts that the console has not read yet, such
as an escalation after the last look. Of those the owner may know more; that no older fact is missing, `READS` checks.
"""

from __future__ import annotations

from harness.chaos.checks import Check

SENT_STATE = """
case when d.acknowledged_at is not null then 'acknowledged' when d.opened_at is not null then 'opened'
    when d.delivered_at is not null then 'delivered' when d.state in ('failed', 'expired') then 'failed'
    when d.accepted_at is not null then 'accepted' else 'queued' end
"""
"""How far notifications itself says that a delivery came, in the console's words; what is cancelled was never sent."""
LABORATORY = """
select case_id, 'guitu.dna.sample_requested.v1' as type, requested_at from dna_intake.sample_request
union all select case_id, 'guitu.dna.cross_match_requested.v1', requested_at from dna_intake.cross_match_request
"""
TOLD = """
select id, case_id, type, occurred_at from fact f
where case_id is not null and type not like 'guitu.report.%' and type not in (
        'guitu.notice.queued.v1', 'guitu.notice.accepted.v1', 'guitu.notice.delivered.v1', 'guitu.notice.opened.v1')
    and exists (select from took_in t where t.reader = 'console' and t.event_id = f.id)
"""
"""What the timeline must tell of what was read; how an SMS travels is a state, not a story."""
SETTLED = "not exists (select from awaited a where a.subject = {0})"

CASES = (
    Check(
        "lost",
        "the console lacks a case, or what its newest version says",
        f"""select c.id::text from alerts.case_file c left join console.case_line l on l.case_id = c.id
        where {SETTLED.format("c.id")} and (
            (l.region_code, l.exercise, l.case_code, l.version, l.raised_at)
                is distinct from (c.region_code, c.exercise, c.case_code, c.version, c.opened_at)
            or (l.body ->> 'tier', l.body -> 'ring' -> 'radius_km', l.body -> 'child' ->> 'appearance')
                is distinct from (c.tier, c.ring -> 'radius_km', c.child ->> 'appearance'))""",
    ),
    Check(
        "wrong",
        "the console holds a case for open that is over, or for over that is open, or for another end",
        f"""select c.id::text from alerts.case_file c join console.case_line l on l.case_id = c.id
        where {SETTLED.format("c.id")} and (l.ended_at, l.outcome, l.merged_into)
            is distinct from (c.closed_at, c.outcome, c.merged_into)""",
    ),
    Check(
        "wrong",
        "the console shows a case, order, delivery or sighting that its owner does not have",
        """select 'case ' || case_id from console.case_line where case_id not in (select id from alerts.case_file)
        union all select 'order ' || order_id from console.order_line
            where order_id not in (select order_id from dispatch.interception_order)
        union all select 'delivery ' || delivery_id from console.delivery_line
            where delivery_id not in (select id from notifications.delivery)
        union all select 'sighting ' || sighting_id from console.sighting_line
            where sighting_id not in (select id from alerts.sighting)""",
    ),
    Check(
        "lost",
        "the console lacks a case's newest plan, or its figures",
        f"""select p.case_id::text || ' ' || p.plan_number from dispatch.alert_case c
        join dispatch.plan p on p.case_id = c.case_id and p.plan_number = c.plan_number
        left join console.plan_line l on l.case_id = c.case_id
        where {SETTLED.format("c.case_id")} and (
            l.plan_number, l.body ->> 'plan_id', l.body -> 'closed_exits', l.body -> 'figures' -> 'intercepted',
            jsonb_array_length(l.body -> 'open_exits')) is distinct from (
            p.plan_number, p.plan_id::text, p.published -> 'closed_exits', p.published -> 'figures' -> 'intercepted',
            jsonb_array_length(p.published -> 'open_exits'))""",
    ),
)

LINES = (
    Check(
        "lost",
        "the console lacks an order, or shows it in another state than dispatch",
        f"""select o.order_id::text || ' ' || o.state || ' ' || coalesce(l.state, '-')
        from dispatch.interception_order o left join console.order_line l using (order_id)
        where {SETTLED.format("o.order_id")} and (
            l.case_id, l.unit_id, l.state, l.stop ->> 'place_id', l.stood_down_reason, l.issued_at)
            is distinct from (
            o.case_id, o.unit_id, o.state, o.place_id::text, o.stand_down_reason, o.issued_at)""",
    ),
    Check(
        "lost",
        "the console has another time for an order's step than dispatch",
        f"""select l.order_id::text || ' ' || (h ->> 0)
        from console.order_line l join dispatch.interception_order o using (order_id), jsonb_array_elements(o.history) h
        where {SETTLED.format("o.order_id")} and case h ->> 0
            when 'accepted' then l.accepted_at when 'in_position' then l.in_position_at
            when 'stood_down' then l.stood_down_at when 'stand_down_acknowledged' then l.acknowledged_at
            else (h ->> 1)::timestamptz end is distinct from (h ->> 1)::timestamptz""",
    ),
    Check(
        "lost",
        "the console lacks a delivery, or shows it in another state than notifications",
        f"""select d.id::text || ' ' || d.kind || ' ' || d.state || ' ' || coalesce(l.state, '-')
        from notifications.delivery d left join console.delivery_line l on l.delivery_id = d.id
        where {SETTLED.format("d.id")} and (
            l.case_id, l.notice_id, l.kind, l.alert_version, l.site_id, l.unit_id, l.state, l.escalated_at is null)
            is distinct from (
            d.case_id, d.notice_id, d.kind, d.version, d.site_id, d.unit_id, {SENT_STATE}, d.escalated_at is null)""",
    ),
    Check(
        "lost",
        "the console has another time for a delivery's step than notifications",
        f"""select d.id::text || ' ' || d.state
        from notifications.delivery d join console.delivery_line l on l.delivery_id = d.id
        where {SETTLED.format("d.id")} and (
            l.queued_at, l.accepted_at, l.delivered_at, l.opened_at, l.acknowledged_at)
            is distinct from (d.queued_at, d.accepted_at, d.delivered_at, d.opened_at, d.acknowledged_at)""",
    ),
    Check(
        "lost",
        "the console lacks a sighting, or what was thought of it",
        f"""select s.id::text from alerts.sighting s left join console.sighting_line l on l.sighting_id = s.id
        where {SETTLED.format("s.id")} and (l.case_id, l.body ->> 'channel', l.body ->> 'note', l.verdict)
            is distinct from (s.case_id, s.channel, s.note, s.verdict)""",
    ),
    Check(
        "lost",
        "the console's line of a case's laboratory is not the laboratory's",
        f"""select coalesce(w.case_id, l.case_id)::text || ' ' || coalesce(w.type, l.type)
        from ({LABORATORY}) w full join console.dna_line l on l.case_id = w.case_id and l.type = w.type
        where {SETTLED.format("coalesce(w.case_id, l.case_id)")} and l.at is distinct from w.requested_at""",
    ),
    Check(
        "lost",
        "the console does not know that a neighbour was asked, or need not help any more",
        f"""select m.request_id::text from dispatch.mutual_aid m left join console.aid_line l using (request_id)
        where {SETTLED.format("m.request_id")} and (l.requested_at, l.withdrawn_at)
            is distinct from (m.asked_at, m.withdrawn_at)""",
    ),
)

STORIES = (
    Check(
        "doubled",
        "the console counted a fact of the laboratory twice",
        "select case_id::text || ' ' || type from console.dna_line where times <> 1",
    ),
    Check(
        "lost",
        "the console's timeline does not tell a fact that it read, or tells it otherwise",
        f"""select f.type || ' ' || f.id from ({TOLD}) f left join console.timeline t on t.event_id = f.id
        where (t.case_id, t.type, t.at) is distinct from (f.case_id, f.type, f.occurred_at)""",
    ),
    Check(
        "wrong",
        "the console's timeline tells what nobody stated",
        f"""select t.type || ' ' || t.event_id from console.timeline t
        where t.event_id not in (select id from ({TOLD}) f)""",
    ),
    Check(
        "doubled",
        "the console's timeline tells one thing twice",
        """select case_id::text || ' ' || type from console.timeline
        group by case_id, type, details having count(*) > 1""",
    ),
)

CHECKS = (*CASES, *LINES, *STORIES)
