"""What codes of cases are called on pages: message ids, translated where they are shown."""

from __future__ import annotations

from console.words import marked

SEXES = {"female": marked("A girl"), "male": marked("A boy"), "unknown": marked("Sex not known")}
TIERS = {
    "search": marked("Search alert"),
    "interception": marked("Interception alert"),
    "cross_region": marked("Cross-region alert"),
}
CIRCUMSTANCES = {
    "unknown": marked("Not known yet"),
    "lost": marked("Lost"),
    "runaway": marked("Ran away"),
    "abduction": marked("Abducted"),
}
MODES = {
    "unknown": marked("Not known"),
    "walking": marked("On foot"),
    "car": marked("By car"),
    "bus": marked("By bus"),
    "ferry": marked("By ferry"),
}
OUTCOMES = {
    "found": marked("Child found"),
    "false_alarm": marked("False alarm"),
    "exercise_over": marked("Exercise over"),
    "merged": marked("Merged into another case"),
}
VERDICTS = {
    "credible": marked("Verdict: credible"),
    "uncertain": marked("Verdict: uncertain"),
    "refuted": marked("Verdict: refuted"),
}
VERDICT_BADGES = {"credible": "good", "uncertain": "warn", "refuted": "off"}
CHANNELS = {
    "sms": marked("By SMS"),
    "page": marked("Notice page"),
    "checkpoint": marked("Checkpoint"),
    "operator": marked("Command centre"),
    "webhook": marked("Site's own system"),
}
KINDS = {
    "raised": marked("Raised"),
    "updated": marked("Updated"),
    "widened": marked("Ring widened"),
    "stood_down": marked("Stood down"),
}
FIELDS = {
    "tier": marked("Tier"),
    "child.sex": marked("Sex"),
    "child.age_years": marked("Age"),
    "child.height_cm": marked("Height"),
    "child.appearance": marked("Appearance"),
    "last_seen_place": marked("Last seen at"),
    "last_seen_at": marked("Time last seen"),
    "circumstance": marked("Circumstance"),
    "suspected_mode": marked("Way of travel"),
    "vehicle": marked("Vehicle"),
    "companion": marked("Companion"),
    "note": marked("Remarks"),
}
"""Fields of an alert as versions name them."""
TASK_STATES = {"open": marked("Task to do"), "done": marked("Done"), "dropped": marked("Dropped")}
NOTE_KINDS = {"note": marked("Case note"), "hand_over": marked("Hand-over")}
CONSENT_BY = {"mother": marked("Mother"), "father": marked("Father"), "guardian": marked("Other guardian")}
CONSENT_FORMS = {"written": marked("In writing"), "recorded": marked("Recorded")}
PHOTO_TROUBLES = {
    "unreadable": marked("The file is no whole JPEG, PNG or WebP picture."),
    "too_many_pixels": marked("The picture has too many pixels."),
    "died": marked("The picture could not be opened."),
    "hung": marked("The picture could not be opened."),
    "failed": marked("The picture could not be opened."),
}
ALL = {
    "sexes": SEXES,
    "tiers": TIERS,
    "circumstances": CIRCUMSTANCES,
    "modes": MODES,
    "outcomes": OUTCOMES,
    "verdicts": VERDICTS,
    "verdict_badges": VERDICT_BADGES,
    "channels": CHANNELS,
    "kinds": KINDS,
    "field_names": FIELDS,
    "task_states": TASK_STATES,
    "note_kinds": NOTE_KINDS,
    "consent_by": CONSENT_BY,
    "consent_forms": CONSENT_FORMS,
    "photo_troubles": PHOTO_TROUBLES,
}
"""For templates: `{{ _(tiers[case.tier]) }}`."""
