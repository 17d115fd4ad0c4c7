"""What this service counts beside the ground's metrics, with the unit in the name."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

ALARMS_OPEN = Gauge("guitu_notifications_alarms_open", "Open alarms.", ["kind"])
GIVEN_UP = Counter(
    "guitu_notifications_unknown_given_up_total", "Unknown outcomes that no provider could clear up in time."
)
RESENT_BLIND = Counter(
    "guitu_notifications_resent_blind_total",
    "Messages sent once more although nobody could say whether the first had arrived.",
)
FORGED = Counter(
    "guitu_notifications_forged_callbacks_total", "Callbacks refused for their signature by this process."
)
AUDITOR_OK = Gauge(
    "guitu_notifications_auditor_ok_timestamp_seconds",
    "When the auditor last found everybody told, asked or handed to a person.",
)
AUDITOR_VIOLATIONS = Gauge("guitu_notifications_auditor_violations", "What the last audit found.")
HEARTBEATS = Counter(
    "guitu_notifications_heartbeats_total", "Heartbeats to the dead man's switch, by outcome.", ["outcome"]
)
PAGES = Counter("guitu_notifications_operator_pages_total", "Pages to the operator, by outcome.", ["outcome"])
