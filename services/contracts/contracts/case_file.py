"""The case file (案卷): that something was written in it, never what; the words stay with alerts."""

from __future__ import annotations

from typing import ClassVar, Literal
from uuid import UUID

from contracts.base import CaseFact


class CaseNoted(CaseFact):
    """Something was added to the case file; whoever may read it asks alerts for the words."""

    type_: ClassVar[str] = "guitu.case.noted.v1"

    entry_id: UUID
    kind: Literal["note", "hand_over", "task_force", "review", "photo", "publication"]


class TaskChanged(CaseFact):
    """A task of the case's task force (专案组) was given, given to another, done or dropped."""

    type_: ClassVar[str] = "guitu.case.task_changed.v1"

    task_id: UUID
    state: Literal["open", "done", "dropped"]
