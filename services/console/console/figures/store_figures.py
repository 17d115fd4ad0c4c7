"""SQL of the key figures: seconds between facts, by all, by township and by month of the report."""

from __future__ import annotations

from datetime import datetime

import asyncpg

# A case belongs to the township where the child was last seen and to the month, in Beijing, of its first report. A
# duplicate is the same child's: it counts with the case that it was merged into, as its orders and notices do.
_MEASURED = """
with recursive joined as (
    select case_id as head_id, case_id, raised_at from case_line where merged_into is null
    union all
    select j.head_id, c.case_id, c.raised_at from joined j join case_line c on c.merged_into = j.case_id),
scope as (
    select h.case_id, h.case_code, h.region_code, r.raised_at, h.ended_at, h.outcome, h.exercise, r.case_ids,
        coalesce(h.body -> 'last_seen_place' ->> 'township_code', 'none') as township,
        to_char(r.raised_at at time zone 'Asia/Shanghai', 'YYYY-MM') as month
    from case_line h join (
        select head_id, min(raised_at) as raised_at, array_agg(case_id) as case_ids from joined group by head_id
    ) r on r.head_id = h.case_id
    where h.body is not null and h.exercise = $1 and r.raised_at >= $2 and r.raised_at < $3),
told as (
    -- One row a site and notice: whichever contact got or answered it.
    select s.case_id, s.township, s.month, s.raised_at, min(d.queued_at) as queued_at,
        min(coalesce(d.delivered_at, d.opened_at, d.acknowledged_at)) as delivered_at,
        min(d.acknowledged_at) as acknowledged_at
    from scope s join delivery_line d on d.case_id = any(s.case_ids)
    where d.site_id is not null and d.kind in ('raised', 'updated', 'widened')
    group by s.case_id, s.township, s.month, s.raised_at, d.notice_id, d.site_id),
measured as (
    select 'first_order' as measure, s.case_id, s.township, s.month, min(o.issued_at) - s.raised_at as took
    from scope s join order_line o on o.case_id = any(s.case_ids)
    where o.issued_at is not null group by s.case_id, s.township, s.month, s.raised_at
    union all
    select 'accepted', s.case_id, s.township, s.month, o.accepted_at - o.issued_at
    from scope s join order_line o on o.case_id = any(s.case_ids)
    where o.issued_at is not null and o.accepted_at is not null
    union all
    select 'in_position', s.case_id, s.township, s.month, o.in_position_at - o.issued_at
    from scope s join order_line o on o.case_id = any(s.case_ids)
    where o.issued_at is not null and o.in_position_at is not null
    union all
    select 'first_in_position', s.case_id, s.township, s.month, min(o.in_position_at) - s.raised_at
    from scope s join order_line o on o.case_id = any(s.case_ids)
    where o.in_position_at is not null group by s.case_id, s.township, s.month, s.raised_at
    union all
    select 'first_acknowledgement', case_id, township, month, min(acknowledged_at) - raised_at
    from told where acknowledged_at is not null group by case_id, township, month, raised_at
    union all
    select 'delivered', case_id, township, month, delivered_at - queued_at
    from told where delivered_at is not null and queued_at is not null
    union all
    select 'acknowledged', case_id, township, month, acknowledged_at - queued_at
    from told where acknowledged_at is not null and queued_at is not null),
seconds as (
    select measure, case_id, township, month, greatest(0, extract(epoch from took))::float8 as s from measured)
"""
_TIMES = (
    _MEASURED
    + """
select measure, township, month, count(*) as n, percentile_disc(0.5) within group (order by s) as p50,
    percentile_disc(0.95) within group (order by s) as p95, max(s) as longest
from seconds group by grouping sets ((measure), (measure, township), (measure, month))
"""
)
_SHARES = (
    _MEASURED
    + """
select township, month, count(*) as told, count(delivered_at) as delivered, count(acknowledged_at) as acknowledged
from told group by grouping sets ((), (township), (month))
"""
)
_CASES = (
    _MEASURED
    + """
select township, month, count(*) as cases, count(*) filter (where ended_at is null) as open,
    count(*) filter (where outcome = 'found') as found,
    count(*) filter (where outcome = 'false_alarm') as false_alarms
from scope group by grouping sets ((), (township), (month))
"""
)
_OPEN_BY_AGE = """
select case when $2 - raised_at < interval '1 day' then 'day' when $2 - raised_at < interval '7 days' then 'week'
    when $2 - raised_at < interval '30 days' then 'month' else 'longer' end as age, count(*) as many
from case_line where body is not null and ended_at is null and exercise = $1 group by 1
"""
_BEHIND = (
    _MEASURED
    + """
select s.case_id, s.case_code, s.exercise, s.raised_at, s.township, s.outcome, count(m.s) as n,
    percentile_disc(0.5) within group (order by m.s) as p50, max(m.s) as longest
from scope s left join seconds m on m.case_id = s.case_id and m.measure = $4
where ($5 = '' or s.township = $5) and ($6 = '' or s.month = $6) and ($4 = '' or m.s is not null)
group by s.case_id, s.case_code, s.exercise, s.raised_at, s.township, s.outcome
order by max(m.s) desc nulls last, s.raised_at desc limit $7
"""
)
Period = tuple[bool, datetime, datetime]
Rows = list[asyncpg.Record]


async def times(conn: asyncpg.Connection, period: Period) -> Rows:
    """Count, p50, p95 and the longest of each measure: of all, by township, by month."""
    return list(await conn.fetch(_TIMES, *period))


async def shares(conn: asyncpg.Connection, period: Period) -> Rows:
    """How many sites were told, reached and answered: of all, by township, by month."""
    return list(await conn.fetch(_SHARES, *period))


async def cases(conn: asyncpg.Connection, period: Period) -> Rows:
    """How many cases there were and how they ended: of all, by township, by month."""
    return list(await conn.fetch(_CASES, *period))


async def open_by_age(conn: asyncpg.Connection, exercise: bool, now: datetime) -> dict[str, int]:
    """How many cases are open for how long, whatever the period."""
    return {row["age"]: row["many"] for row in await conn.fetch(_OPEN_BY_AGE, exercise, now)}


async def behind(
    conn: asyncpg.Connection, period: Period, measure: str, township: str, month: str, limit: int
) -> Rows:
    """The cases that a number comes from, the longest first; an empty measure is all cases."""
    return list(await conn.fetch(_BEHIND, *period, measure, township, month, limit))
