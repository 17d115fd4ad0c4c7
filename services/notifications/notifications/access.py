"""Who may see and do what here; every route goes through one of these."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import asyncpg
from fastapi import Depends

from guitu.auth import Principal, allow, in_scope
from guitu.problem import Problem
from notifications import store
from notifications.domain.page_token import looks_like_token
from notifications.store import Row

Staff = Annotated[Principal, Depends(allow("operator", "case_leader", "auditor"))]
"""May look."""
Acting = Annotated[Principal, Depends(allow("operator", "case_leader"))]
"""May act on a case: acknowledge for somebody, do a task, answer for an alarm, drill a site."""
Administrator = Annotated[Principal, Depends(allow("admin"))]
"""May change what all will read and who is told, and see whole phone numbers."""


def access_delivery(principal: Principal, row: Row | None) -> Row:
    """The delivery, for staff of its region. Raises: Problem 404; outside the region it is as if it were not there."""
    if row is None or not in_scope(principal, row["region_code"]):
        raise Problem(
            404,
            "no_such_delivery",
            "There is no such delivery in your region.",
            "没有这条通知。",
            "Check the id; GET /notices?case_id= lists a case's deliveries.",
        )
    return row


class NoSuchPage(Exception):
    """The link is wrong or over; nobody is told which."""


async def access_page(conn: asyncpg.Connection, token: str, oldest: datetime) -> Row:
    """The delivery of a notice page, if the token is one and not older than that. Raises: NoSuchPage."""
    row = await store.by_page(conn, token) if looks_like_token(token) else None
    if row is None or row["queued_at"] < oldest:
        raise NoSuchPage
    return row


async def access_call(conn: asyncpg.Connection, token: str) -> Row | None:
    """The delivery that a call is about, by its attempt's token; the provider's signature was checked before."""
    return await store.by_call(conn, token) if looks_like_token(token) else None


def access_site(principal: Principal, row: Row | None) -> Row:
    """The site, for staff of its region. Raises: Problem 404; outside the region it is as if it were not there."""
    if row is None or not in_scope(principal, row["region_code"]):
        raise Problem(
            404,
            "no_such_site",
            "There is no such site in your region.",
            "辖区内没有该场所。",
            "Check the id; GET /sites lists the sites.",
        )
    return row
