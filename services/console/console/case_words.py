"""What outcomes, tiers and the like are called: message ids by the word that facts use."""

from __future__ import annotations

OUTCOMES = {
    "found": "Found",
    "false_alarm": "False alarm",
    "merged": "Merged",
    "exercise_over": "Exercise over",
}
TIERS = {"search": "Search", "interception": "Interception", "cross_region": "Cross-region"}
SEXES = {"male": "Boy", "female": "Girl", "unknown": "Child"}
