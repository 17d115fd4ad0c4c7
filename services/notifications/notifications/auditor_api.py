"""HTTP of the auditor: when it looked last, and whom it found forgotten."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from guitu.auth import in_scope
from guitu.service import Runtime
from notifications import store_auditing
from notifications.access import Staff
from notifications.domain.auditing import FAULTS


def auditor_router(runtime: Runtime) -> APIRouter:
    """What staff see of the auditor."""
    router = APIRouter(tags=["auditor"])

    @router.get("/auditor")
    async def auditor(principal: Staff) -> dict[str, Any]:
        """The last audit: when, how much was looked at, and what was found in your region."""
        async with runtime.read() as conn:
            run = await store_auditing.last_run(conn)
        if run is None:
            return {"ran_at": None, "age_s": None, "checked": 0, "found": 0, "violations": []}
        age_s = (runtime.clock.now() - run["ran_at"]).total_seconds()
        seen = [each for each in run["violations"] if in_scope(principal, each["region_code"])]
        return {
            "ran_at": run["ran_at"],
            "age_s": round(age_s, 1),
            "took_ms": run["took_ms"],
            "checked": run["checked"],
            "found": run["found"],
            "violations": [each | {"says": FAULTS[each["fault"]]} for each in seen],
        }

    return router
