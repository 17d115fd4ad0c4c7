"""What the registration gate counts beside the ground's metrics."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

GATE_WAITING = Gauge(
    "guitu_dna_gate_requests_open", "Open requests at the registration gate.", ["region", "decision"]
)
GATE_OVERDUE = Gauge(
    "guitu_dna_gate_requests_overdue", "Open requests whose deadline has passed.", ["region"]
)
GATE_DECISIONS = Counter("guitu_dna_gate_decisions_total", "Decisions recorded.", ["decision", "reason"])
GATE_EXPIRED = Counter(
    "guitu_dna_gate_clears_expired_total",
    "Clear decisions that new families or their time brought to an end.",
)
GATE_DELIVERIES = Counter("guitu_dna_gate_deliveries_total", "Tries of webhooks, by outcome.", ["outcome"])
GATE_DELIVERIES_FAILED = Gauge(
    "guitu_dna_gate_deliveries_failed", "Webhooks that failed for good and wait for a person."
)
