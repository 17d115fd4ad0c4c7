"""What must be true afterwards of notices and SMS: who was told, once, and who was told that it is over.

Beside the tables of `checks` the auditor lays `sms` (the provider's journal), `near` (the kilometres from each
case to each site, by its own formula) and `promised_answer` (SMS that came in and were answered with 2xx).
"""

from __future__ import annotations

from harness.chaos.checks import Check

TOLD = """
with ring as (
    select case_id, version, kind, (body -> 'ring' ->> 'radius_km')::float8 as km,
        lag((body -> 'ring' ->> 'radius_km')::float8, 1, 0.0) over (partition by case_id order by version) as before_km
    from alerts.alert_version where kind <> 'stood_down'
), due as (
    select r.case_id, r.version, r.kind, n.site_id from ring r join near n using (case_id)
    where n.km <= r.km and (r.kind <> 'widened' or n.km > r.before_km)
), told as (
    select case_id, version, kind, site_id from notifications.delivery
    where kind in ('raised', 'updated', 'widened')
)
"""
UNDELIVERED = "('queued', 'sending', 'unknown', 'failed', 'cancelled')"

NOTICES = (
    Check(
        "lost",
        "a site in the ring has no notice",
        f"""{TOLD} select d.case_id::text || ' ' || d.version || ' ' || d.site_id from due d
        where not exists (select from told t where (t.case_id, t.version, t.kind, t.site_id)
            = (d.case_id, d.version, d.kind, d.site_id))""",
    ),
    Check(
        "wrong",
        "a site has a notice that was not for it",
        f"""{TOLD} select t.case_id::text || ' ' || t.version || ' ' || t.site_id from told t
        where not exists (select from due d where (t.case_id, t.version, t.kind, t.site_id)
            = (d.case_id, d.version, d.kind, d.site_id))""",
    ),
    Check(
        "doubled",
        "a contact has two deliveries of one notice",
        """select case_id::text || ' ' || version || ' ' || kind || ' ' || key || ' ' || contact_id
        from notifications.delivery group by case_id, version, kind, key, contact_id having count(*) > 1""",
    ),
    Check(
        "lost",
        "a notice of an open case did not reach the provider",
        f"""select d.id::text || ' ' || d.kind || ' ' || d.state from notifications.delivery d
        join alerts.case_file c on c.id = d.case_id
        where c.state = 'open' and d.kind in ('raised', 'updated', 'widened') and d.state in {UNDELIVERED}
            -- An update replaces what still waited to be sent.
            and not (d.state = 'cancelled' and exists (
                select from notifications.delivery later where later.case_id = d.case_id
                    and later.contact_id = d.contact_id and later.version > d.version
                    and later.kind = 'updated'))""",
    ),
    Check(
        "lost",
        "a stand-down did not reach the provider",
        f"""select d.id::text || ' ' || d.kind || ' ' || d.state from notifications.delivery d
        where d.kind in ('stood_down', 'order_stood_down') and d.state in {UNDELIVERED}""",
    ),
    Check(
        "lost",
        "an order has no notice although its unit has a phone",
        """select o.order_id::text from dispatch.interception_order o
        where exists (select from notifications.contact c where c.unit_id = o.unit_id)
            and not exists (select from notifications.notice n where n.case_id = o.case_id
                and n.key = o.order_id::text and n.kind in ('order', 'order_stood_down'))
            -- The case may have been over before the order was read.
            and not exists (select from alerts.case_file c where c.id = o.case_id and c.state = 'stood_down')""",
    ),
    Check(
        "lost",
        "an order that stands did not reach the provider",
        f"""select d.id::text || ' ' || d.state from notifications.delivery d
        join dispatch.interception_order o on o.order_id::text = d.key
        where d.kind = 'order' and d.state in {UNDELIVERED}
            and o.state not in ('stood_down', 'stand_down_acknowledged')""",
    ),
    Check(
        "lost",
        "a delivery, or what became of it, has no fact",
        """select d.id::text || ' ' || d.state from notifications.delivery d
        where not exists (select from fact f where f.type = 'guitu.notice.queued.v1' and f.subject = d.id)
            or (d.accepted_at is not null and not exists (
                select from fact f where f.type = 'guitu.notice.accepted.v1' and f.subject = d.id))
            or (d.acknowledged_at is not null and not exists (
                select from fact f where f.type = 'guitu.notice.acknowledged.v1' and f.subject = d.id))""",
    ),
    Check(
        "lost",
        "the live status lacks a notice",
        """select d.id::text from notifications.delivery d
        where not exists (select from alerts.notice_line l where l.delivery_id = d.id)""",
    ),
    Check(
        "lost",
        "an answer by SMS acknowledged nothing",
        """select a.sid from promised_answer a
        left join notifications.inbound i on i.provider_id = a.sid
        left join notifications.delivery d on d.id = i.delivery_id
        -- The case may have been stood down while the answer was on its way.
        where i.id is null or (d.acknowledged_at is null and not exists (
            select from notifications.contact c join notifications.delivery x using (contact_id)
            join alerts.case_file f on f.id = x.case_id
            where c.phone = i.phone and x.ack_code = a.code and f.state = 'stood_down'))""",
    ),
)

SMS = (
    Check(
        "lost",
        "an accepted SMS is not in the provider's books",
        """select a.provider_id from notifications.attempt a
        where a.state = 'accepted' and a.settled_at < (select read_at from evidence)
            and not exists (select from sms s where s.sid = a.provider_id)""",
    ),
    Check(
        "doubled",
        "an SMS in the provider's books belongs to no attempt",
        """select s.sid || ' ' || s.sort || ' ' || s.case_code from sms s
        where not exists (select from notifications.attempt a where a.provider_id = s.sid)""",
    ),
    Check(
        "doubled",
        "two SMS belong to one delivery",
        """select a.delivery_id::text from notifications.attempt a join sms s on s.sid = a.provider_id
        group by a.delivery_id having count(*) > 1""",
    ),
    Check(
        "doubled",
        "a phone got the same text twice",
        "select phone || ' ' || case_code || ' ' || sort from sms group by phone, case_code, sort, body "
        "having count(*) > 1",
    ),
    Check(
        "doubled",
        "a site got two SMS about one version, or two stand-downs",
        """select phone || ' ' || case_code || ' ' || sort || ' ' || version from sms
        where sort in ('alert', 'stood_down') group by phone, case_code, sort, version having count(*) > 1""",
    ),
    Check(
        "doubled",
        "a unit got one order twice",
        """select phone || ' ' || case_code || ' ' || sort || ' ' || link from sms
        where sort in ('order', 'order_stood_down') and link <> ''
        group by phone, case_code, sort, link having count(*) > 1""",
    ),
    Check(
        "lost",
        "somebody who was told was not told that it is over",
        """select t.phone || ' ' || t.case_code from sms t join alerts.case_file c using (case_code)
        where t.sort = 'alert' and c.state = 'stood_down' and not exists (
            select from sms s where s.sort = 'stood_down' and s.phone = t.phone and s.case_code = t.case_code)""",
    ),
    Check(
        "wrong",
        "somebody who was not told was told that it is over",
        """select s.phone || ' ' || s.case_code from sms s join alerts.case_file f using (case_code)
        where s.sort = 'stood_down' and not exists (
            select from sms t where t.sort = 'alert' and t.phone = s.phone and t.case_code = s.case_code)
            -- Whoever may have been told is told too: the outcome was unknown at the time.
            and not exists (
                select from notifications.delivery d join notifications.contact c using (contact_id)
                where c.phone = s.phone and d.case_id = f.id and d.attempted_at is not null
                    and d.kind in ('raised', 'updated', 'widened'))""",
    ),
    Check(
        "lost",
        "a unit that was ordered was not told that it may leave",
        """select d.id::text from sms s join notifications.attempt a on a.provider_id = s.sid
        join notifications.delivery d on d.id = a.delivery_id and d.kind = 'order'
        join dispatch.interception_order o on o.order_id::text = d.key
        where o.stand_down_reason is not null and not exists (
            select from notifications.delivery over join notifications.attempt b on b.delivery_id = over.id
            join sms t on t.sid = b.provider_id
            where over.kind = 'order_stood_down' and over.key = d.key)""",
    ),
    Check(
        "wrong",
        "a unit that was never ordered was told that it may leave",
        """select d.id::text from sms s join notifications.attempt a on a.provider_id = s.sid
        join notifications.delivery d on d.id = a.delivery_id and d.kind = 'order_stood_down'
        where not exists (
            select from notifications.delivery o join notifications.attempt b on b.delivery_id = o.id
            where o.kind = 'order' and o.key = d.key)""",
    ),
    Check(
        "wrong",
        "an SMS names no case of ours",
        """select sid || ' ' || sort from sms s
        where not exists (select from alerts.case_file c where c.case_code = s.case_code)""",
    ),
)

CHECKS = (*NOTICES, *SMS)
