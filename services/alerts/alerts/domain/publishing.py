"""What may be shown to everybody: with a police case number and a guardian's consent, while the alert is open.

The two conditions are those of public posters of missing children everywhere: an entry at the police, and a legal
guardian who agrees to the photo being published (docs/publication.md).
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from alerts.domain.case import Case

ConsentBy = Literal["mother", "father", "guardian"]
ConsentForm = Literal["written", "recorded"]


class Consent(BaseModel):
    """Who agreed in which form when, to which of photo and name; who, as a relation: names stay in the vault."""

    model_config = ConfigDict(frozen=True)

    police_case_number: str
    consent_by: ConsentBy
    consent_form: ConsentForm
    consented_at: datetime
    photo: bool
    name: bool


class Publication(Consent):
    """A consent as it is kept, with the public address and, once it is over, who ended it."""

    case_id: UUID
    token: str
    recorded_by: str
    recorded_at: datetime
    withdrawn_by: str | None
    withdrawn_at: datetime | None


def is_open(case: Case, publication: Publication | None) -> bool:
    """May the case be shown to everybody now?"""
    return publication is not None and publication.withdrawn_at is None and case.state == "open"


def shows_photo(case: Case, publication: Publication | None) -> bool:
    """May the photo leave the vault now?"""
    return publication is not None and publication.photo and is_open(case, publication)
