"""A drill to one site: does an SMS reach its duty phone, and does somebody answer, before it matters?

It goes the whole way that an alert goes, marked as an exercise, to somebody on the exercise list; the answer
acknowledges it. It never escalates, asks nobody else, and no other service knows of its case.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from guitu.auth import Principal
from guitu.problem import Problem
from guitu.tx import Tx
from notifications import handlers, store, store_drills
from notifications.access import access_site
from notifications.domain import recipients
from notifications.domain.replies import ack_code_of
from notifications.store import Row

AGAIN_AFTER = timedelta(minutes=5)
"""A second press of the button is not a second drill, and nobody is trained to ignore us."""


async def start_drill(tx: Tx, principal: Principal, site_id: UUID) -> dict[str, Any]:
    """Queue one SMS to the site's contact on duty; returns when it is stored, not when it is sent.

    Raises: Problem 404 for a site of another region, 409 if the site or nobody of it takes part in exercises, or
    if it had a drill just now.
    """
    site = access_site(principal, await store_drills.site(tx.conn, site_id))
    await _check_may_be_drilled(tx, site)
    contact = await store_drills.contact(tx.conn, site_id, tx.now)
    if contact is None:
        raise _nobody()
    code = f"DRILL-{ack_code_of(tx.ids.new())}"
    case = await store_drills.add_case(tx.conn, tx.ids.new(), site["region_code"], code)
    delivery_id = await _queue(tx, case, site_id, contact)
    values = case["case_id"], site_id, delivery_id, site["region_code"], principal.subject, tx.now
    await store_drills.add_drill(tx.conn, *values)
    tx.audit("drill.started", subject=site_id, drill_id=str(case["case_id"]))
    return {"drill_id": case["case_id"], "code": code, "site_id": site_id, "delivery_id": delivery_id}


async def _queue(tx: Tx, case: Row, site_id: UUID, contact: Row) -> UUID:
    notice_id = tx.ids.new()
    await store.add_notice(tx.conn, notice_id, case, 1, "drill", "", {"drill": True}, tx.now)
    priority = recipients.NEAR_PRIORITY
    row = handlers.delivery_row(
        tx, contact["contact_id"], site_id, None, priority, 0.0, contact["codes"], exercise=True
    )
    await handlers.queue(tx, notice_id, "drill", [row])
    delivery_id: UUID = row[0]
    return delivery_id


async def _check_may_be_drilled(tx: Tx, site: Row) -> None:
    if site["retired_at"] is not None or not site["exercise_ok"]:
        raise Problem(
            409,
            "site_not_in_exercises",
            "This site takes no part in exercises, or is retired.",
            "该场所不参加演练或已停用。",
            "Set exercise_ok to 1 in sites.csv and import it.",
        )
    last = await store_drills.last_started(tx.conn, site["site_id"])
    if last is not None and tx.now < last + AGAIN_AFTER:
        raise Problem(
            409,
            "drilled_just_now",
            f"This site had a drill within the last {AGAIN_AFTER.seconds // 60} minutes.",
            f"该场所{AGAIN_AFTER.seconds // 60}分钟内已测试过。",
            "GET /drills shows how it went.",
        )


def _nobody() -> Problem:
    return Problem(
        409,
        "nobody_to_drill",
        "No contact of this site is on the exercise list and takes SMS.",
        "该场所没有可参加演练并能收短信的联系人。",
        "Set exercise_list to 1 for a contact in contacts.csv and import it.",
    )
