"""Words of the laboratory and the gate: what dna-intake's codes are called, and how a state is drawn."""

from __future__ import annotations

from console.words import marked

OWNER = "dna-intake"
TUBE = (
    "collected",
    "received",
    "extracted",
    "quantified",
    "amplified",
    "typed",
    "quality_checked",
    "rejected",
    "withdrawn",
    "expunged",
)
"""States that a person sets; `entered` follows from a reading, and what a search finds is set by nobody's hand."""
ENDS = ("rejected", "withdrawn", "expunged")
PROFILED = ("entered", "searched", "candidate", "second_tier", "confirmed", "refuted")

STATES: dict[str, str] = {
    "registered": marked("Registered"),
    "collected": marked("Collected"),
    "received": marked("Received"),
    "extracted": marked("Extracted"),
    "quantified": marked("Quantified"),
    "amplified": marked("Amplified"),
    "typed": marked("Typed"),
    "quality_checked": marked("Quality checked"),
    "entered": marked("Profile entered"),
    "searched": marked("Searched"),
    "candidate": marked("Lead found"),
    "second_tier": marked("More markers"),
    "confirmed": marked("Confirmed"),
    "refuted": marked("Refuted"),
    "rejected": marked("Rejected"),
    "withdrawn": marked("Withdrawn"),
    "expunged": marked("Expunged"),
}
KINDS: dict[str, str] = {
    "registered": "wait",
    "entered": "good",
    "searched": "good",
    "candidate": "warn",
    "second_tier": "warn",
    "confirmed": "good",
    "refuted": "off",
    "rejected": "bad",
    "withdrawn": "off",
    "expunged": "off",
}
"""How a state is drawn; what is not named is on its way."""
CATEGORIES: dict[str, str] = {
    "parent_of_missing_child": marked("Family of a missing child"),
    "suspected_trafficked": marked("Child, suspected trafficked"),
    "unknown_origin": marked("Child of unknown origin"),
    "adopted": marked("Child to be adopted"),
    "registry_applicant": marked("Child to be registered"),
}
RELATIONS: dict[str, str] = {
    "father": marked("Father"),
    "mother": marked("Mother"),
    "full_sibling": marked("Full sibling"),
    "paternal_grandfather": marked("Paternal grandfather"),
    "paternal_grandmother": marked("Paternal grandmother"),
    "maternal_grandfather": marked("Maternal grandfather"),
    "maternal_grandmother": marked("Maternal grandmother"),
    "uncle_aunt": marked("Uncle or aunt"),
}
SEARCHED: dict[str, str] = {
    "parent": marked("Parent"),
    "couple": marked("Both parents"),
    "full_sibling": marked("Full sibling"),
    "grandparent": marked("Grandparent"),
    "uncle_aunt": marked("Uncle or aunt"),
}
SEXES: dict[str, str] = {"male": marked("Male"), "female": marked("Female")}
LOSSES: dict[str, str] = {
    "seal_broken": marked("Seal broken or another one"),
    "label_unreadable": marked("Label unreadable"),
    "leaked": marked("Leaked"),
    "lost": marked("Specimen lost"),
    "too_little": marked("Too little DNA"),
    "contaminated": marked("Contaminated"),
    "degraded": marked("Degraded"),
    "failed_control": marked("A control failed"),
    "failed_typing": marked("No usable reading"),
    "mixed_up": marked("Tubes mixed up"),
    "consent_withdrawn": marked("Consent taken back"),
    "entered_in_error": marked("Entered in error"),
    "no_longer_needed": marked("No longer needed"),
}
BOXES: dict[str, tuple[str, str]] = {
    "sent": ("wait", marked("On its way")),
    "incomplete": ("bad", marked("Incomplete")),
    "received": ("good", marked("Received")),
}
OUTCOMES: dict[str, tuple[str, str]] = {
    "sent": ("wait", marked("On its way")),
    "received": ("good", marked("Received")),
    "missing": ("bad", marked("Not in the box")),
    "seal_refused": ("bad", marked("Seal refused")),
    "moved_on": ("off", marked("Gone on")),
    "extra_refused": ("warn", marked("Not on the list")),
    "unreadable": ("warn", marked("Not a barcode of ours")),
}
IMPORTED: dict[str, tuple[str, str]] = {
    "waiting": ("wait", marked("Waits for a second reading")),
    "entered": ("good", marked("Entered")),
    "held": ("warn", marked("Held")),
    "differs": ("bad", marked("Readings differ")),
    "void": ("bad", marked("Readings void")),
}
READINGS: dict[str, tuple[str, str]] = {
    "open": ("wait", marked("Waits for a second reading")),
    "entered": ("good", marked("Entered")),
    "void": ("off", marked("Void")),
}
CANDIDATES: dict[str, tuple[str, str]] = {
    "open": ("warn", marked("Not reviewed yet")),
    "in_review": ("going", marked("In review")),
    "second_tier": ("wait", marked("More markers asked for")),
    "confirmed": ("good", marked("Confirmed")),
    "refuted": ("off", marked("Refuted")),
    "withdrawn": ("off", marked("Withdrawn")),
}
MARKERS: dict[str, str] = {
    "other_parent": marked("Profile of the other parent"),
    "y_str": marked("Y-STR"),
    "mtdna": marked("mtDNA"),
    "more_loci": marked("More autosomal loci"),
}
MARKER_OUTCOMES: dict[str, tuple[str, str]] = {
    "consistent": ("good", marked("Consistent")),
    "inconclusive": ("wait", marked("Inconclusive")),
    "inconsistent": ("bad", marked("Inconsistent")),
}
VERDICTS: dict[str, str] = {
    "confirmed": marked("Confirm: related as stated"),
    "refuted": marked("Refute: not related"),
    "more_markers": marked("Not decided: more markers needed"),
}
SEARCHES: dict[str, tuple[str, str]] = {
    "waiting": ("going", marked("Searching")),
    "running": ("going", marked("Searching")),
    "completed": ("good", marked("Search done")),
    "cancelled": ("off", marked("Cancelled")),
}
CAUSES: dict[str, str] = {
    "profile_entered": marked("A profile was entered"),
    "retyped": marked("A profile got more loci"),
    "manual": marked("By hand"),
    "all_against_all": marked("Comparison of all with all"),
}
SAMPLES: dict[str, tuple[str, str]] = {
    "open": ("wait", marked("Sample due")),
    "collected": ("going", marked("In the laboratory")),
    "entered": ("good", marked("Profile entered")),
    "cancelled": ("off", marked("Cancelled")),
}
TERMS = {
    "states": STATES,
    "kinds": KINDS,
    "categories": CATEGORIES,
    "relations": RELATIONS,
    "searched": SEARCHED,
    "sexes": SEXES,
    "losses": LOSSES,
    "boxes": BOXES,
    "outcomes": OUTCOMES,
    "imported": IMPORTED,
    "readings": READINGS,
    "candidates": CANDIDATES,
    "markers": MARKERS,
    "marker_outcomes": MARKER_OUTCOMES,
    "verdicts": VERDICTS,
    "searches": SEARCHES,
    "causes": CAUSES,
    "samples": SAMPLES,
    "tube": TUBE,
    "ends": ENDS,
    "profiled": PROFILED,
}
"""What the templates read the words from: `_(terms.states[specimen.state])`."""
