"""What people command about a case: which form, as which request to alerts; decided there, forwarded here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from console.case_file import forms
from console.case_file.forms import Form, text
from console.words import marked

Body = Callable[[Form, datetime], dict[str, Any] | None]


@dataclass(frozen=True)
class Act:
    """One command: the console's and the owner's address below /cases/{id}, its body, and the words afterwards.

    `form` is the template of its fields, shown again with what was typed when the owner refuses.
    """

    path: str
    title: str
    done: str
    body: Body
    form: str
    method: str = "POST"
    owner_path: str = ""
    needed: Mapping[str, str] = field(default_factory=dict)
    leader_only: bool = False


def _tier(form: Form, _now: datetime) -> dict[str, Any]:
    return {"tier": text(form, "tier"), "reason": text(form, "reason")}


def _stand_down(form: Form, _now: datetime) -> dict[str, Any]:
    return {"outcome": text(form, "outcome"), "reason": text(form, "reason")}


def _sighting(form: Form, now: datetime) -> dict[str, Any]:
    """Fields: `seen` (minutes ago) or `seen_at`; `place` or `lon`, `lat`, `place_name`; `mode`, `note`."""
    return {
        "seen_at": forms.ago(form, "seen", "seen_at", now).isoformat(),
        "place": forms.place(form),
        "mode": text(form, "mode") or "unknown",
        "note": text(form, "note"),
    }


def _assessment(form: Form, _now: datetime) -> dict[str, Any]:
    return {"verdict": text(form, "verdict"), "reason": text(form, "reason")}


def _note(form: Form, _now: datetime) -> dict[str, Any]:
    return {"words": text(form, "words")}


_TEXTS = ("sex", "appearance", "circumstance", "suspected_mode", "vehicle", "companion", "note")


def _update(form: Form, now: datetime) -> dict[str, Any]:
    """Only what was changed on the page goes out, so that a page from an hour ago takes nobody's correction back."""
    fields: dict[str, Any] = {name: text(form, name) for name in _TEXTS if forms.changed(form, name)}
    fields |= {
        name: forms.whole(form, name) for name in ("age_years", "height_cm") if forms.changed(form, name)
    }
    seen = forms.moment(form, "last_seen_at", now) if forms.changed(form, "last_seen_at") else None
    if seen is not None:
        fields["last_seen_at"] = seen.isoformat()
    if forms.changed(form, "place"):
        fields["last_seen_place"] = forms.place(form)
    return {"fields": fields, "reason": text(form, "reason")}


def _merge(form: Form, _now: datetime) -> dict[str, Any]:
    return {"into": text(form, "into"), "reason": text(form, "reason")}


def _task(form: Form, now: datetime) -> dict[str, Any]:
    due = forms.moment(form, "due_at", now, ahead=True)
    return {"what": text(form, "what"), "who": text(form, "who"), "due_at": due.isoformat() if due else None}


def _task_moved(form: Form, _now: datetime) -> dict[str, Any]:
    return {"state": text(form, "state")}


def _task_force(form: Form, _now: datetime) -> dict[str, Any]:
    return {"leader": text(form, "leader") or None, "members": forms.people(form, "members")}


def _hand_over(form: Form, _now: datetime) -> dict[str, Any]:
    return {"to": text(form, "person"), "words": text(form, "words")}


def _review(form: Form, _now: datetime) -> dict[str, Any]:
    return {"next_on": text(form, "next_on")}


def _publication(form: Form, now: datetime) -> dict[str, Any]:
    given = forms.moment(form, "consented_at", now) or now
    return {
        "police_case_number": text(form, "police_case_number"),
        "consent_by": text(form, "consent_by"),
        "consent_form": text(form, "consent_form"),
        "consented_at": given.isoformat(),
        "photo": text(form, "photo") == "yes",
        "name": text(form, "name") == "yes",
    }


def _reason(form: Form, _now: datetime) -> dict[str, Any]:
    return {"reason": text(form, "reason")}


def _identity(form: Form, _now: datetime) -> dict[str, Any]:
    """Only what was filled in; an empty field leaves what is known as it is."""
    listed = {name: forms.people(form, name) for name in ("parent_names", "phones")}
    named = {"child_name": text(form, "child_name")} | listed
    return {name: value for name, value in named.items() if value}


def _nothing(_form: Form, _now: datetime) -> None:
    return None


_REASON = {"reason": marked("Reason")}
ACTS: tuple[Act, ...] = (
    Act(
        "tier",
        marked("Change the tier"),
        marked("The tier was changed."),
        _tier,
        "tier",
        needed={"tier": marked("Tier")} | _REASON,
    ),
    Act(
        "stand-down",
        marked("Stand down"),
        marked("The case was stood down."),
        _stand_down,
        "stand_down",
        needed={"outcome": marked("How did it end?")},
    ),
    Act("sightings", marked("Report a sighting"), marked("The sighting was kept."), _sighting, "sighting"),
    Act(
        "sightings/{item}/assessment",
        marked("Judge a sighting"),
        marked("The sighting was judged."),
        _assessment,
        "assessment",
        needed={"verdict": marked("Judgement")},
    ),
    Act(
        "notes",
        marked("Add a case note"),
        marked("The note was added."),
        _note,
        "note",
        needed={"words": marked("Case note")},
    ),
    Act(
        "updates",
        marked("Correct the alert"),
        marked("The alert was corrected."),
        _update,
        "update",
        needed=_REASON,
    ),
    Act(
        "merge",
        marked("Merge into another case"),
        marked("The cases were merged."),
        _merge,
        "merge",
        needed={"into": marked("Goes on as")} | _REASON,
    ),
    Act(
        "tasks",
        marked("Give a task"),
        marked("The task was given."),
        _task,
        "task",
        needed={"what": marked("What is to be done")},
    ),
    Act(
        "tasks/{item}",
        marked("Move a task"),
        marked("The task was changed."),
        _task_moved,
        "task_moved",
        needed={"state": marked("State")},
    ),
    Act(
        "task-force",
        marked("Set the task force"),
        marked("The task force was set."),
        _task_force,
        "task_force",
        "PUT",
    ),
    Act(
        "hand-over",
        marked("Hand over"),
        marked("The case was handed over."),
        _hand_over,
        "hand_over",
        needed={"person": marked("Who leads from now on"), "words": marked("What that person must know")},
    ),
    Act(
        "review",
        marked("Set the next review"),
        marked("The review was set."),
        _review,
        "review",
        "PUT",
        needed={"next_on": marked("Next review")},
    ),
    Act(
        "publication",
        marked("Publish with consent"),
        marked("The publication was recorded."),
        _publication,
        "publication",
        "PUT",
        needed={"police_case_number": marked("Police case number"), "consent_by": marked("Who agreed")},
    ),
    Act(
        "publication/withdraw",
        marked("Withdraw the publication"),
        marked("The publication was withdrawn."),
        _nothing,
        "withdraw",
        "DELETE",
        "publication",
    ),
    Act(
        "identity/keep",
        marked("Add to the identity"),
        marked("The identity was kept."),
        _identity,
        "identity",
        "PATCH",
        "identity",
    ),
    Act(
        "forget",
        marked("Erase the identity"),
        marked("The identity was erased."),
        _reason,
        "forget",
        leader_only=True,
        needed=_REASON,
    ),
)
DONE = {act.form: act.done for act in ACTS} | {
    "photo": marked("The photo was kept; it is made small now."),
}
"""What is said after a command, by what the address says was done."""
