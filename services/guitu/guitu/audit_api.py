"""HTTP of the audit log, the same in every service: read it, and check that nobody changed the past.

The log is one chain a service and is not cut by region; so it is read by auditors of the region that this node
works for, or of all regions. That somebody read it or checked it is written into it.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AfterValidator, AwareDatetime, BaseModel, Field

from guitu import audit_reading
from guitu.audit_reading import Wanted
from guitu.auth import Principal, allow
from guitu.problem import Problem, refusals

if TYPE_CHECKING:
    from guitu.service import Runtime

ENTRIES_MAX = 1_000
WITHOUT_NUL = r"^[^\x00]+$"
"""PostgreSQL's text can't hold one, so nobody in the log has it."""
Auditor = Annotated[Principal, Depends(allow("auditor"))]
"""May read who did what; never what it was about beyond ids."""


def _storable(moment: datetime) -> datetime:
    """At the ends of the calendar there is no such time in UTC."""
    if not 1970 <= moment.year <= 9000:
        raise ValueError("its year is not between 1970 and 9000")
    return moment.astimezone(UTC)


Moment = Annotated[AwareDatetime, AfterValidator(_storable)]


class Entry(BaseModel):
    """One line of the log."""

    id: UUID
    at: datetime
    actor: str
    action: str
    subject: UUID | None
    details: dict[str, Any]
    sealed_as: int | None = Field(
        description="Its place in the chain; null for up to a second after it was written."
    )


class Entries(BaseModel):
    """A page of the log, newest first."""

    service: str
    entries: list[Entry]
    next_before: UUID | None = Field(description="Ask with this as `before` for older ones; null at the end.")


class ChainCheck(BaseModel):
    """Whether the chain holds."""

    service: str
    holds: bool
    sealed: int = Field(description="Rows in the chain.")
    unsealed: int = Field(description="Rows that wait for their place in it.")
    head: str = Field(
        description="The newest link in hex; note it down elsewhere, to show later what is missing."
    )
    broken: str | None = Field(description="What was found at the first link that does not hold.")
    broken_at: int | None
    known_at: int | None = Field(
        description="Where the link `known` stands; null if the chain does not have it."
    )


def access_log(runtime: Runtime, principal: Principal) -> None:
    """May this auditor read this node's log? Raises: Problem 403."""
    home = runtime.settings.region_code
    if principal.region_code in ("*", home):
        return
    raise Problem(
        403,
        "region_refused",
        f"The audit log of this node belongs to region {home}; your account covers {principal.region_code}.",
        f"本节点审计日志属于{home}辖区,您的账号辖区为{principal.region_code}。",
        f"Ask an auditor of region {home}, or of all regions.",
    )


router = APIRouter(tags=["audit"])
_checking = asyncio.Lock()


@router.get("/audit/entries")
async def read(
    request: Request,
    auditor: Auditor,
    actor: Annotated[
        str | None, Query(max_length=200, pattern=WITHOUT_NUL, description="Exactly this one.")
    ] = None,
    action: Annotated[
        str | None, Query(max_length=100, pattern=WITHOUT_NUL, description="How the action begins.")
    ] = None,
    subject: Annotated[UUID | None, Query(description="The case, order, specimen ... it was about.")] = None,
    since: Annotated[Moment | None, Query(description="Not before this time.")] = None,
    until: Annotated[Moment | None, Query(description="Before this time.")] = None,
    before: Annotated[UUID | None, Query(description="Older than this entry.")] = None,
    limit: Annotated[int, Query(ge=1, le=ENTRIES_MAX)] = 100,
) -> Entries:
    """Who did what, newest first."""
    wanted = Wanted(before, actor, action, subject, since, until, limit)
    return await entries_for(request.app.state.runtime, auditor, wanted)


@router.get("/audit/check", responses=refusals(409))
async def check(
    request: Request,
    auditor: Auditor,
    known: Annotated[
        str | None, Query(pattern="^[0-9a-f]{64}$", description="A `head` noted down earlier.")
    ] = None,
) -> ChainCheck:
    """Compute the whole chain again and say whether it holds."""
    return await check_for(request.app.state.runtime, auditor, known)


async def entries_for(runtime: Runtime, auditor: Principal, wanted: Wanted) -> Entries:
    """A page of this service's log; that it was read is written into it. Raises: Problem 403."""
    access_log(runtime, auditor)
    asked = {name: str(value) for name, value in asdict(wanted).items() if value is not None}
    async with runtime.tx(actor=auditor.subject) as tx:
        rows = await audit_reading.entries(tx.conn, wanted)
        tx.audit("audit.read", entries=len(rows), asked=asked)
    found = [Entry(**dict(row)) for row in rows]
    is_full = len(found) == wanted.limit
    return Entries(service=runtime.service, entries=found, next_before=found[-1].id if is_full else None)


async def check_for(runtime: Runtime, auditor: Principal, known: str | None = None) -> ChainCheck:
    """Walk this service's chain, one walk at a time. Raises: Problem 403; 409, if another is under way."""
    access_log(runtime, auditor)
    if _checking.locked():
        raise Problem(
            409,
            "check_running",
            "Somebody else is having the chain checked at this moment.",
            "审计链正在校验中。",
            "Ask again in a minute.",
        )
    async with _checking, runtime.read() as conn:
        found = await audit_reading.chain(conn, bytes.fromhex(known) if known else None)
    async with runtime.tx(actor=auditor.subject) as tx:
        tx.audit("audit.checked", holds=found.broken is None, sealed=found.sealed)
    counts = {name: value for name, value in asdict(found).items() if name != "head"}
    return ChainCheck(service=runtime.service, holds=found.broken is None, head=found.head.hex(), **counts)
