"""What operators watch at the gate: open and overdue requests, and webhooks that wait for a person."""

from __future__ import annotations

from dna_intake import store_gate, store_webhooks
from dna_intake.metrics_gate import GATE_DELIVERIES_FAILED, GATE_OVERDUE, GATE_WAITING
from guitu.service import Runtime


async def count(runtime: Runtime) -> int:
    """Sweep: set the gauges anew; returns 0, for there is never more to do at once."""
    async with runtime.read() as conn:
        rows = await store_gate.counts(conn, runtime.clock.now())
        failed = await store_webhooks.failed(conn)
    GATE_WAITING.clear()
    GATE_OVERDUE.clear()
    for row in rows:
        GATE_WAITING.labels(row["region_code"], row["decision"]).set(row["requests"])
        GATE_OVERDUE.labels(row["region_code"]).inc(row["overdue"])
    GATE_DELIVERIES_FAILED.set(failed)
    return 0
