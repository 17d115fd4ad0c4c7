"""Who may do what with a case; every route goes through one of these, each check on its own line."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import asyncpg
from fastapi import Depends

from alerts import store
from alerts.domain.case import Case
from alerts.refusals import not_found
from guitu.auth import Principal, allow, in_scope
from guitu.problem import Problem

Reporter = Annotated[Principal, Depends(allow("operator", "case_leader", "outside_system"))]
"""May file a report."""

Reader = Annotated[Principal, Depends(allow("operator", "case_leader", "auditor"))]
"""May see a case; never the identity."""

Commander = Annotated[Principal, Depends(allow("operator", "case_leader"))]
"""May change an alert, stand it down, assess sightings, merge; and read the identity for a stated purpose."""

PhotoReader = Annotated[Principal, Depends(allow("operator", "case_leader", "auditor", "outside_system"))]
"""May have the small photo once it is released; notifications asks as an outside system, for the notice page."""

Leader = Annotated[Principal, Depends(allow("case_leader"))]
"""May erase an identity for good."""


def access_region(principal: Principal, region_code: str) -> None:
    """May this principal file a report in that region? Raises: Problem 403."""
    if in_scope(principal, region_code):
        return
    raise Problem(
        403,
        "region_refused",
        f"Your account covers region {principal.region_code}, not {region_code}.",
        f"您的账号辖区为{principal.region_code},无权处理{region_code}。",
        "Leave region_code out to use your own.",
    )


async def access_case(conn: asyncpg.Connection, principal: Principal, case_id: UUID) -> Case:
    """The case, to look at. Raises: Problem 404, also for a case of another region."""
    return _visible(principal, await store.case(conn, case_id))


async def access_case_to_change(conn: asyncpg.Connection, principal: Principal, case_id: UUID) -> Case:
    """The case, locked until the transaction ends. Raises: Problem 404, also for a case of another region."""
    return _visible(principal, await store.lock_case(conn, case_id))


def _visible(principal: Principal, case: Case | None) -> Case:
    if case is None:
        raise not_found("case", "案件")
    if not in_scope(principal, case.region_code):
        raise not_found("case", "案件")
    return case
