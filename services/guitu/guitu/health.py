"""Health: alive (the loop turns) and ready (database, broker and partitions)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from guitu import metrics, outbox
from guitu.pg import TRANSIENT

if TYPE_CHECKING:
    from guitu.service import Runtime

router = APIRouter(tags=["health"])


@router.get("/health/live")
async def live() -> dict[str, str]:
    """200 while the event loop turns."""
    return {"status": "live"}


@router.get("/health/ready", responses={503: {"description": "The same, with what is missing."}})
async def ready(request: Request, response: Response) -> dict[str, Any]:
    """200 when the service can do its work; else 503 with what is missing."""
    runtime: Runtime = request.app.state.runtime
    missing = await _missing(runtime)
    response.status_code = 503 if missing else 200
    return {"status": "waiting" if missing else "ready", "service": runtime.service, "missing": missing}


async def _missing(runtime: Runtime) -> list[str]:
    missing = []
    try:
        await asyncio.wait_for(runtime.pool.fetchval("select 1"), 2)
    except TRANSIENT:
        missing.append("database")
    if runtime.streams and not runtime.streams.assigned():
        missing.append("kafka partitions")
    if runtime.relay is None:
        missing.append("relay")
    return missing


@router.get("/metrics", include_in_schema=False)
async def metrics_page(request: Request) -> Response:
    """Prometheus text format."""
    runtime: Runtime = request.app.state.runtime
    oldest = await runtime.pool.fetchval(outbox.OLDEST)
    age_s = (runtime.clock.now() - oldest).total_seconds() if oldest else 0.0
    metrics.OUTBOX_AGE_S.labels(runtime.service).set(max(0.0, age_s))
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
