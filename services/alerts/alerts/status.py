"""The live status of a case: what GET /cases/{id} answers, put together from one snapshot."""

from __future__ import annotations

from typing import Any

import asyncpg

from alerts import store, store_status
from alerts.domain.case import Case
from alerts.handlers import likely_duplicates

ORDERS_SHOWN = 200
SIGHTINGS_SHOWN = 200
TIMELINE_SHOWN = 500

Json = dict[str, Any]


def summary(case: Case) -> Json:
    """A case as a line in a list; no free text that nobody needs there."""
    shown = case.model_dump(exclude={"id", "version", "companion", "note", "close_reason"})
    return {"case_id": case.id, "alert_version": case.version} | shown


async def of_case(conn: asyncpg.Connection, case: Case) -> Json:
    """Everything that is known of a case but the identity."""
    versions = [dict(row) for row in await store.versions_of(conn, case.id)]
    return (
        summary(case)
        | {"companion": case.companion, "note": case.note, "close_reason": case.close_reason}
        | {"alert": versions[-1]["body"], "versions": versions}
        | {"rings": [dict(row) for row in await store.rings_of(conn, case.id)]}
        | await _orders(conn, case)
        | await _notices(conn, case)
        | {
            "sightings": [
                dict(row) for row in await store_status.sightings_of(conn, case.id, SIGHTINGS_SHOWN)
            ],
            "dna": await _dna(conn, case),
            "possible_duplicates": await _duplicates(conn, case),
            "merged_cases": [dict(row) for row in await store.merged_into(conn, case.id)],
            "timeline": [dict(row) for row in await store_status.timeline_of(conn, case.id, TIMELINE_SHOWN)],
        }
    )


async def _duplicates(conn: asyncpg.Connection, case: Case) -> list[Json]:
    """Open cases that may be the same child's, looked for at this moment: a later report may be the other one."""
    if case.state != "open":
        return []
    likely = await likely_duplicates(conn, case)
    return [
        {"case_id": e.case.id, "case_code": e.case.case_code, "score": e.score, "why": e.why} for e in likely
    ]


async def _orders(conn: asyncpg.Connection, case: Case) -> Json:
    """`orders` counts by state; `open_exits` are the newest plan's, None before the first plan."""
    plan = await store_status.plan_of(conn, case.id)
    rows = await store_status.orders_of(conn, case.id, ORDERS_SHOWN)
    return {
        "orders": await store_status.order_counts(conn, case.id),
        "order_list": [
            {k: row[k] for k in ("order_id", "unit_id", "state", "changed_at")} | row["details"]
            for row in rows
        ],
        "plan": dict(plan) if plan else None,
        "plan_number": plan["plan_number"] if plan else 0,
        "open_exits": plan["open_exits"] if plan else None,
    }


async def _notices(conn: asyncpg.Connection, case: Case) -> Json:
    """`notices` counts by state; an escalation is counted beside, for the delivery stays where it was."""
    by_state: dict[str, int] = {}
    by_kind: dict[str, dict[str, int]] = {}
    escalated = 0
    for row in await store_status.notice_counts(conn, case.id):
        by_state[row["state"]] = by_state.get(row["state"], 0) + row["many"]
        by_kind.setdefault(row["kind"], {})[row["state"]] = row["many"]
        escalated += row["escalated"]
    return {"notices": by_state, "notices_by_kind": by_kind, "notices_escalated": escalated}


async def _dna(conn: asyncpg.Connection, case: Case) -> list[Json]:
    """One line a type of fact, in the order of the newest: when, how often, and what it said."""
    return [
        {"type": row["type"], "at": row["at"], "times": row["times"]} | row["details"]
        for row in await store_status.dna_of(conn, case.id)
    ]
