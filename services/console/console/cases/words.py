"""What outcomes, tiers and the like are called: message ids by the word that facts use."""

from __future__ import annotations

from console.words import marked

OUTCOMES = {
    "found": marked("Child found"),
    "false_alarm": marked("False alarm"),
    "merged": marked("Merged"),
    "exercise_over": marked("Exercise over"),
}
TIERS = {
    "search": marked("Search"),
    "interception": marked("Interception"),
    "cross_region": marked("Cross-region"),
}
SEXES = {"male": marked("Boy"), "female": marked("Girl"), "unknown": marked("Child")}
