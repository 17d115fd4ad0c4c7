"""SQL of the preview: the sites of a band of latitudes with whom each would have told first."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import asyncpg

from notifications.domain.duty import minute_of_week
from notifications.store import ALERT_KINDS, TELLABLE, Row

# Whom a new notice would go to, as `store.sites_not_told` chooses; a site without anybody stays in the answer.
_SITES = f"""
select s.category, s.lon, s.lat, c.language, c.url_ok, c.channel from site s
left join lateral (
    select language, url_ok,
        case when phone is null then 'webhook' when not sms_ok then 'voice' else 'sms' end as channel
    from contact where contact.site_id = s.site_id and (not $1::boolean or exercise_list) and {TELLABLE}
    order by on_duty @> $2::int desc, contact_order, contact_id limit 1
) c on true
where s.lat between $3 and $4 and s.retired_at is null and (not $1::boolean or s.exercise_ok)
  and s.site_id not in (
    select d.site_id from delivery d where d.case_id = $5 and d.kind = any($6::text[]) and d.site_id is not null)
"""  # noqa: S608 - built from constants of this file only.


async def sites(
    conn: asyncpg.Connection,
    latitudes: tuple[float, float],
    now: datetime,
    *,
    exercise: bool,
    case_id: UUID | None,
) -> list[Row]:
    """Sites in a band of latitudes; of `case_id`, if it is given, those that heard nothing yet."""
    minute = minute_of_week(now)
    return list(await conn.fetch(_SITES, exercise, minute, *latitudes, case_id, ALERT_KINDS))
