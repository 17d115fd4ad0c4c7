"""Who may do what in dispatch; every route goes through one of these, each check on its own line."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Depends

from dispatch import store_live
from dispatch.command_checks import no_such
from guitu.auth import Principal, allow
from guitu.service import Runtime

Reader = Annotated[Principal, Depends(allow("operator", "case_leader", "auditor"))]
"""May see plans, orders and units of the region; row-level security narrows the rows."""

Operator = Annotated[Principal, Depends(allow("operator", "case_leader"))]
"""May enter what a unit answered by radio."""

Administrator = Annotated[Principal, Depends(allow("admin"))]
"""May change which units there are."""


async def access_case(runtime: Runtime, p: Principal, case_id: UUID) -> str:
    """The case's region, for somebody who may see the case. Raises: Problem 404.

    What follows plans across regions (a sighting next door counts), so it runs without the caller's limit.
    """
    async with runtime.read(region=p.region_code) as conn:
        region = await store_live.region_of_case(conn, case_id)
    if region is None:
        raise no_such("case", "案件", case_id)
    return region
