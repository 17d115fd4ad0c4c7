"""Every metric that the ground counts, in one list, with its unit in its name."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

EVENTS = Counter("guitu_events_total", "Events by outcome.", ["service", "topic", "outcome"])
BATCH = Histogram(
    "guitu_batch_events", "Events handled in one transaction.", buckets=(1, 2, 5, 10, 20, 50, 100, 200)
)
EFFECT_S = Histogram(
    "guitu_effect_seconds",
    "From a fact's time to its effect committed here.",
    ["service"],
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60),
)
RELAYED = Counter("guitu_outbox_published_total", "Facts that the broker has.", ["service"])
OUTBOX_AGE_S = Gauge(
    "guitu_outbox_oldest_seconds", "Age of the oldest fact the broker does not have.", ["service"]
)
WAITING = Gauge(
    "guitu_waiting_events", "Events on the broker that this process has not committed.", ["service"]
)
DEAD_LETTERS = Counter(
    "guitu_dead_letters_total", "Messages set aside, by reason.", ["service", "topic", "reason"]
)
SWEEP_ROWS = Counter("guitu_sweep_rows_total", "Rows handled by timers.", ["service", "sweep"])
SWEEP_FAILURES = Counter(
    "guitu_sweep_failures_total", "Sweeps that failed and will run again.", ["service", "sweep"]
)
