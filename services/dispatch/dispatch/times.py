"""The local day of the counties: shifts are kept in Beijing time, everything else in UTC."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

BEIJING = timezone(timedelta(hours=8))


def minute_of_day(moment: datetime) -> int:
    """Minutes since midnight in Beijing."""
    local = moment.astimezone(BEIJING)
    return local.hour * 60 + local.minute


def second_of_day(moment: datetime) -> float:
    """Seconds since midnight in Beijing."""
    local = moment.astimezone(BEIJING)
    return local.hour * 3600 + local.minute * 60 + local.second + local.microsecond / 1e6
