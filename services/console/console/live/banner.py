"""The red line above every page: the open cases of the person's region, from the projection."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from console.live import store_banner
from console.navigation import DESK
from guitu.auth import Principal
from guitu.service import Runtime


@dataclass(frozen=True)
class OpenCase:
    """One open case, by its number and never by a name."""

    case_id: UUID
    code: str
    since: datetime
    exercise: bool


@dataclass(frozen=True)
class Banner:
    """What a page shows above itself."""

    cases: tuple[OpenCase, ...]


async def read(runtime: Runtime, who: Principal) -> Banner:
    """The open cases that this person may see, the newest first; roles without a desk see none."""
    if who.role not in DESK:
        return Banner(())
    async with runtime.read(region=who.region_code) as conn:
        rows = await store_banner.open_cases(conn, who.region_code)
    return Banner(tuple(OpenCase(r["case_id"], r["case_code"], r["since"], r["exercise"]) for r in rows))
