"""What the requests of a case wait for, worked out from its specimens alone.

The answer is never stored as a step that could be missed: it follows from the custody states each time, so a
rejected sample brings the request back to waiting without a rule of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from dna_intake.domain.custody import PROFILED, State

Need = Literal["parent_sample", "parent_profile", "kinship_search"]
SampleState = Literal["open", "collected", "entered", "cancelled"]
CrossMatchState = Literal["waiting", "completed", "cancelled"]
StandDownOutcome = Literal["found", "false_alarm", "merged", "exercise_over"]

IN_THE_LABORATORY: frozenset[State] = frozenset(
    {"collected", "received", "extracted", "quantified", "amplified", "typed", "quality_checked"}
)

SAYS_EN: dict[Need, str] = {
    "parent_sample": "a blood sample of the parents",
    "parent_profile": "the profile of the parents' sample from the laboratory",
    "kinship_search": "the comparison of the family's profiles with every child in the index",
}
SAYS_ZH: dict[Need, str] = {
    "parent_sample": "采集父母血样",
    "parent_profile": "实验室录入父母血样的DNA分型",
    "kinship_search": "家庭成员分型与库内全部儿童的亲缘比对",
}


def sample_state(parents: Iterable[State]) -> SampleState:
    """How far the parents' sample is: the best of the case's parent specimens counts."""
    states = set(parents)
    if states & PROFILED:
        return "entered"
    return "collected" if states & IN_THE_LABORATORY else "open"


def waits_for(parents: Iterable[State]) -> tuple[Need, ...]:
    """What must still happen before the case is compared; nothing, once every profile of the family was searched.

    A specimen that is `entered` and not yet `searched` waits for the matcher, whatever the others of its family do.
    """
    states = set(parents)
    match sample_state(states):
        case "entered":
            return ("kinship_search",) if "entered" in states else ()
        case "collected":
            return ("parent_profile", "kinship_search")
        case _:
            return ("parent_sample", "parent_profile", "kinship_search")


def cross_match_after(outcome: StandDownOutcome, sample: SampleState) -> CrossMatchState:
    """Does the cross-matching request outlive the stand-down?

    Only for a child who was found while the parents' sample was already taken: the comparison then confirms
    who the child is. Without a sample there is nothing to compare; a false alarm, an exercise and a merged
    case (whose successor has a request of its own) need none.
    """
    return "waiting" if outcome == "found" and sample in ("collected", "entered") else "cancelled"


def sentence_en(needs: Iterable[Need], state: CrossMatchState) -> str:
    """What a person reads about the request, in English."""
    if state == "cancelled":
        return "This request was cancelled; it waits for nothing."
    if state == "completed":
        return (
            "The family was compared with every child in the index, and each new child is compared as it is entered. "
            "A lead is not an identification."
        )
    return "Waiting for: " + "; ".join(SAYS_EN[need] for need in needs) + "."


def sentence_zh(needs: Iterable[Need], state: CrossMatchState) -> str:
    """What a person reads about the request, in Chinese."""
    if state == "cancelled":
        return "该比对请求已取消,不再等待。"
    if state == "completed":
        return "已与库内全部儿童比对;此后录入的儿童将自动比对。比中线索不等于身份认定。"
    return "等待:" + ";".join(SAYS_ZH[need] for need in needs) + "。"
