"""HTTP of alarms: what is wrong now, in words, and that somebody takes care of it."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query

from guitu.problem import Problem, refusals
from guitu.service import Runtime
from notifications import alarms, store_alarms
from notifications.access import Acting, Staff
from notifications.domain.alarm_words import WORDS
from notifications.store import Row

LISTED_MAX = 1_000
CLOSED_BY_ACKNOWLEDGING = frozenset({"duty_number_opted_out"})
"""No machine sees whether a person agreed with the site on another way."""


def alarms_router(runtime: Runtime) -> APIRouter:
    """What staff see of the watch, limited to their region and to what concerns the service itself."""
    router = APIRouter(tags=["alarms"])

    @router.get("/alarms")
    async def listed(
        principal: Staff, open: bool = True, limit: Annotated[int, Query(ge=1, le=LISTED_MAX)] = 200
    ) -> dict[str, Any]:
        """Alarms, critical ones first, each in words and with its mend."""
        async with runtime.read(region=principal.region_code) as conn:
            rows = await store_alarms.listed(conn, only_open=open, limit=limit)
        return {"alarms": [_shown(row) for row in rows]}

    @router.post("/alarms/{alarm_id}/acknowledge", responses=refusals(404))
    async def acknowledge(principal: Acting, alarm_id: UUID) -> dict[str, Any]:
        """Say that you take care of it; it stays open until its cause is gone (an opt-out: until now)."""
        async with runtime.tx(actor=principal.subject, region=principal.region_code) as tx:
            row = await store_alarms.one(tx.conn, alarm_id)
            if row is None:
                raise _no_such_alarm()
            if row["acknowledged_at"] is None:
                await store_alarms.acknowledge(tx.conn, alarm_id, tx.now, principal.subject)
                tx.audit("alarm.acknowledged", subject=alarm_id, kind=row["kind"])
            if row["kind"] in CLOSED_BY_ACKNOWLEDGING and row["closed_at"] is None:
                await alarms.close_alarm(tx, row["kind"], row["subject"])
            row = await store_alarms.one(tx.conn, alarm_id)
            assert row is not None, "It is locked by this transaction."
        return _shown(row)

    return router


def _shown(row: Row) -> dict[str, Any]:
    words = WORDS[row["kind"]]
    return dict(row) | {
        "says_zh": words.zh,
        "says_en": words.en,
        "mend_zh": words.mend_zh,
        "mend_en": words.mend_en,
    }


def _no_such_alarm() -> Problem:
    return Problem(
        404,
        "no_such_alarm",
        "There is no such alarm in your region.",
        "没有这条告警。",
        "GET /alarms lists those there are.",
    )
