"""What each error code of a provider asks of us: who is to be tried next, if anybody.

The tables are the `.csv` files beside this file; they are data, so that an operator can read and correct them.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Literal

SeenIn = Literal["http", "callback", "net"]
TWILIO = "error_policy.csv"
ALIBABA = "alibaba_error_policy.csv"


class ErrorClass(StrEnum):
    """The answer to "what now?"; `permanent_*` names what must change before another try makes sense."""

    transient_safe = "transient_safe"  # Not processed: again with back-off, any sender.
    transient_sender = "transient_sender"  # This sender is busy: another sender, or later.
    transient_recipient = "transient_recipient"  # The handset is away: later, then the next contact.
    transient_unknown = "transient_unknown"  # One more try by another sender, then the next contact.
    permanent_recipient = "permanent_recipient"  # This number never: the next contact at once.
    permanent_sender = "permanent_sender"  # This sender never: the next sender.
    permanent_route = "permanent_route"  # Not from here to there: the next provider or contact.
    permanent_content = "permanent_content"  # Not this text: do not repeat it.
    permanent_config = "permanent_config"  # Our own set-up: stop the sender, call the operator.
    permanent_unknown = "permanent_unknown"  # Refused for a reason not in the table: a person looks.
    ambiguous = "ambiguous"  # Nobody knows whether it was accepted: reconcile first.


# A code that the table lacks: refused is refused (no blind repetition); failed later may have been chance.
UNKNOWN: dict[SeenIn, ErrorClass] = {
    "http": ErrorClass.permanent_unknown,
    "callback": ErrorClass.transient_unknown,
    "net": ErrorClass.ambiguous,
}


@dataclass(frozen=True, slots=True)
class Policy:
    """One row: the code, where it is seen, its class, and a note for the operator."""

    code: str
    seen_in: SeenIn
    error_class: ErrorClass
    note: str


def error_class(code: int | str, seen_in: SeenIn, table: str = TWILIO) -> ErrorClass:
    """Return the class of a code; one that the table lacks gets the class stated in `UNKNOWN`.

    A row `Throttling.*` stands for every code that begins with `Throttling.` and has no row of its own.
    """
    known = policies(table)
    policy = known.get(str(code)) or known.get(f"{str(code).partition('.')[0]}.*")
    return policy.error_class if policy else UNKNOWN[seen_in]


@cache
def policies(table: str = TWILIO) -> dict[str, Policy]:
    """Return a table by code, read once."""
    text = files("notifications.providers").joinpath(table).read_text("utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return {row["code"]: _policy(row) for row in rows}


def codes_of(wanted: ErrorClass) -> tuple[list[str], list[str]]:
    """The codes of a class in all tables, and the families (what stands before the first point of `Family.*`)."""
    codes = [
        code
        for table in (TWILIO, ALIBABA)
        for code, row in policies(table).items()
        if row.error_class is wanted
    ]
    families = [code.removesuffix(".*") for code in codes if code.endswith(".*")]
    return [code for code in codes if not code.endswith(".*")], families


def _policy(row: dict[str, str]) -> Policy:
    seen_in: dict[str, SeenIn] = {"http": "http", "callback": "callback", "net": "net"}
    return Policy(row["code"], seen_in[row["seen_in"]], ErrorClass(row["class"]), row["note"])
