"""HTTP bodies of the case file: notes, task force, tasks, review, photo and publication."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field

from alerts.domain.publishing import Consent, ConsentBy, ConsentForm
from contracts.base import LongText, Moment, ShortText
from guitu.problem import ApiModel

MEMBERS_MAX = 40


def _something(words: str) -> str:
    if not words.strip():
        raise ValueError("must not be empty")
    return words.strip()


def _with_digits(number: str) -> str:
    if not any(sign.isdigit() for sign in number):
        raise ValueError("must have digits in it, as the police write it")
    return number


def _of_our_time(moment: datetime) -> datetime:
    if moment.year < 2000:
        raise ValueError("must be the day of this consent: it is before 2000")
    return moment


Words = Annotated[LongText, AfterValidator(_something)]
Person = Annotated[ShortText, AfterValidator(_something)]
"""Somebody on the staff, by the name of the account or as colleagues call them."""
CaseNumber = Annotated[
    str,
    Field(min_length=4, max_length=60, pattern=r"^[\w()()〔〕\[\]\-/.# ]+$"),
    AfterValidator(_something),
    AfterValidator(_with_digits),
]


class NoteIn(ApiModel):
    """A note for everybody who works on the case."""

    words: Words


class HandOverIn(ApiModel):
    """The shift ends: who leads from now on, and what that person must know."""

    to: Person
    words: Words


class TaskForceIn(ApiModel):
    """The whole task force, in place of what it was."""

    leader: Person | None = None
    members: list[Person] = Field(default_factory=list, max_length=MEMBERS_MAX)


class TaskIn(ApiModel):
    """What is to be done, by whom, until when."""

    what: Words
    who: ShortText = ""
    due_at: Moment | None = None


class TaskMoveIn(ApiModel):
    """What became of a task; only what is sent changes."""

    state: Literal["open", "done", "dropped"] | None = None
    who: ShortText | None = None
    due_at: Moment | None = None


class ReviewIn(ApiModel):
    """When somebody looks at the whole case again."""

    next_on: date


class EntryOut(BaseModel):
    """What was added to the file."""

    case_id: UUID
    entry_id: UUID


class TaskOut(BaseModel):
    """A task as it stands."""

    task_id: UUID
    what: str
    who: str
    due_at: datetime | None
    state: str
    given_by: str
    given_at: datetime
    changed_by: str
    changed_at: datetime


class PublicationIn(ApiModel):
    """Police case number, and the consent: whose, in which form, when, and to what."""

    police_case_number: CaseNumber
    consent_by: ConsentBy
    consent_form: ConsentForm
    consented_at: Annotated[Moment, AfterValidator(_of_our_time)]
    photo: bool
    name: bool = False

    def consent(self) -> Consent:
        """As the domain has it."""
        return Consent(**self.model_dump())


class PublicationOut(BaseModel):
    """What may be published, and the public address; `open` is false once it is over or withdrawn."""

    case_id: UUID
    police_case_number: str
    consent_by: ConsentBy
    consent_form: ConsentForm
    consented_at: datetime
    photo: bool
    name: bool
    public_url: str
    open: bool
    recorded_by: str
    recorded_at: datetime
    withdrawn_by: str | None
    withdrawn_at: datetime | None


class CaseFileOut(BaseModel):
    """The case file beside the live status; `identity` says only whether there is one."""

    case_id: UUID
    notes: list[dict[str, Any]]
    leader: str | None
    members: list[str]
    tasks: list[TaskOut]
    next_review_on: date | None
    identity: Literal["none", "kept", "forgotten"]
    photo: dict[str, str]
    publication: PublicationOut | None


class SightingLineOut(BaseModel):
    """A sighting with the case it belongs to, for triage."""

    case_id: UUID
    case_code: str
    case_state: str
    exercise: bool
    sighting_id: UUID
    seen_at: datetime
    reported_at: datetime
    place: dict[str, Any]
    mode: str
    note: str
    channel: str
    site_id: UUID | None
    unit_id: UUID | None
    verdict: str | None
    verdict_reason: str
    assessed_at: datetime | None
