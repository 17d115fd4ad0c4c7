"""What a person in the command centre is asked to do, in both languages, and how soon."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, get_args

TaskKind = Literal["call_site", "read_reply", "person_asked"]
TaskResult = Literal["reached_acknowledged", "reached_sighting", "not_reached", "other"]
ByItself = Literal["acknowledged_after_all", "stood_down"]
"""How a task ends that nobody has to do any more."""
KINDS: tuple[TaskKind, ...] = get_args(TaskKind)


@dataclass(frozen=True)
class TaskWords:
    """What to do, and within which time after it was opened."""

    zh: str
    en: str
    within: timedelta


WORDS: dict[TaskKind, TaskWords] = {
    # The site's own deadlines have passed already, so the call is due at once.
    "call_site": TaskWords(
        "该点位联系人均未签收,请立即打电话通知,并记录结果。",
        "No contact of this site has acknowledged; call it now and record the result.",
        timedelta(0),
    ),
    "read_reply": TaskWords(
        "收到无法自动识别的回复,可能是线索,请阅读并处理。",
        "A reply came that may be a sighting; read it and act on it.",
        timedelta(minutes=2),
    ),
    "person_asked": TaskWords(
        "对方请求人工联系,请回电。",
        "Somebody asked for a person; call back.",
        timedelta(minutes=2),
    ),
}
STOP_WORDS = TaskWords(
    "解除通知未送达,请立即打电话告知该点位:协查已结束,并记录结果。",
    "The stand-down did not reach this site; call it now: the search is over. Record the result.",
    timedelta(0),
)
"""For `call_site` where the notice that did not arrive is a stand-down."""


def words_for(kind: TaskKind, notice_kind: str | None) -> TaskWords:
    """What to do about a task, given the kind of notice that it is about."""
    if kind == "call_site" and notice_kind in ("stood_down", "order_stood_down"):
        return STOP_WORDS
    return WORDS[kind]
