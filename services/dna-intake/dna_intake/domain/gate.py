"""The registration gate (落户关): may a child be registered, given what is known of its specimen now?

A child whose family may be looking must not be given a new name first. So the gate says `clear` only if the child
was compared with every family profile there is, by a whole profile, and no lead is open; whatever it does not know
counts against. What was decided stands for one generation of the index and a set time; `shown` is what may be told
at the moment of reading. Sources: county plan, registration waits for the comparison.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from dna_intake.domain.custody import CLOCK_SKEW_MAX, PROFILED, State

GateDecision = Literal["clear", "hold", "blocked"]
GateReason = Literal[
    "no_relation_found",
    "sample_awaited",
    "profile_awaited",
    "sample_lost",
    "profile_partial",
    "comparison_awaited",
    "families_awaited",
    "being_decided",
    "lead_under_review",
    "more_markers_awaited",
    "child_identified",
    "closed",
]
SETTLED = frozenset({"refuted", "withdrawn"})
"""Leads that no longer speak against a registration; a state we do not know does."""

SAYS_EN: dict[GateReason, str] = {
    "no_relation_found": "Compared with every family profile there is; no relation was found. Ask again right "
    "before you register: new families end this decision.",
    "sample_awaited": "The child's sample has not been taken yet.",
    "profile_awaited": "The laboratory has the child's sample; its profile is not entered yet.",
    "sample_lost": "The sample can't be used any more (rejected or withdrawn); a new one has to be taken.",
    "profile_partial": "The profile has too few loci for a safe comparison; the laboratory types more.",
    "comparison_awaited": "The profile is entered and waits for its first comparison.",
    "families_awaited": "It is being compared with families whose profiles came since.",
    "being_decided": "The comparison is done; the decision is being recorded.",
    "lead_under_review": "A possible relation was found; two reviewers are looking at it.",
    "more_markers_awaited": "A possible relation was found; more markers are being typed.",
    "child_identified": "A relation was confirmed: the child is being looked for. Do not register; the police "
    "working on the case get in touch.",
    "closed": "This request is closed; its history says what was decided. Ask anew before a child is registered.",
}
SAYS_ZH: dict[GateReason, str] = {
    "no_relation_found": "已与全部在库失踪儿童亲属分型比对,未发现亲缘关系。新增亲属入库后本结论失效,办理前请再次查询。",
    "sample_awaited": "尚未采集该儿童的检材。",
    "profile_awaited": "检材已在实验室,DNA分型尚未录入。",
    "sample_lost": "检材已不可用(被拒收或已撤回),需重新采集。",
    "profile_partial": "分型的基因座过少,不足以可靠比对,实验室正在补充检验。",
    "comparison_awaited": "分型已录入,等待首次比对。",
    "families_awaited": "正在与新入库的亲属分型比对。",
    "being_decided": "比对已完成,正在登记结论。",
    "lead_under_review": "发现可能的亲缘关系,正由两名复核人员复核。",
    "more_markers_awaited": "发现可能的亲缘关系,正在补充检验更多位点。",
    "child_identified": "亲缘关系已确认,该儿童正被家人寻找。请勿办理,办案民警将与您联系。",
    "closed": "本次核查已办结,历次结论见记录。如需办理落户,请重新提交核查。",
}


@dataclass(frozen=True)
class Lead:
    """A possible relation of the child, and how far its review is."""

    id: UUID
    state: str


@dataclass(frozen=True)
class Evidence:
    """What is known of a child at one moment; generations count the family profiles there are.

    `loci_typed` is None without a profile, `searched_through` before the first comparison.
    """

    specimen: State
    loci_typed: int | None
    searched_through: int | None
    parents_generation: int
    leads: Sequence[Lead] = ()


@dataclass(frozen=True)
class Clocks:
    """How long each thing may take, and how many loci are enough. Set by the operator, see `settings`."""

    sample: timedelta
    profile: timedelta
    comparison: timedelta
    review: timedelta
    markers: timedelta
    valid: timedelta
    loci_min: int


@dataclass(frozen=True)
class Finding:
    """A decision with its reason; `lead` is the oldest open one, `generation` what the child was compared with."""

    decision: GateDecision
    reason: GateReason
    generation: int
    deadline: datetime | None = None
    valid_until: datetime | None = None
    lead: UUID | None = None


def decide(known: Evidence, clocks: Clocks, now: datetime) -> Finding:
    """Decide from what is known now. A lead counts whatever became of the sample; then what is missing first."""
    open_leads = [lead for lead in known.leads if lead.state not in SETTLED]
    # A child stays a candidate on paper when its family withdraws: then the leads say that none is open any more.
    # Who was identified stays so, whoever withdraws.
    if open_leads or known.specimen == "confirmed":
        return _blocked(known, open_leads, clocks, now)
    reason = _missing(known, clocks)
    if reason is not None:
        deadline = now + _time_for(reason, clocks)
        return Finding("hold", reason, known.parents_generation, deadline)
    valid_until = now + clocks.valid
    return Finding("clear", "no_relation_found", known.parents_generation, valid_until=valid_until)


def _blocked(known: Evidence, open_leads: Sequence[Lead], clocks: Clocks, now: datetime) -> Finding:
    states = {lead.state for lead in open_leads}
    oldest = min((lead.id for lead in open_leads), default=None)
    generation = known.parents_generation
    if "confirmed" in states or known.specimen == "confirmed":
        return Finding("blocked", "child_identified", generation, lead=oldest)
    if "second_tier" in states:
        return Finding("blocked", "more_markers_awaited", generation, now + clocks.markers, lead=oldest)
    return Finding("blocked", "lead_under_review", generation, now + clocks.review, lead=oldest)


def _missing(known: Evidence, clocks: Clocks) -> GateReason | None:
    if known.specimen == "registered":
        return "sample_awaited"
    if known.specimen in ("rejected", "withdrawn", "expunged"):
        return "sample_lost"
    if known.specimen not in PROFILED or known.loci_typed is None:
        return "profile_awaited"
    if known.loci_typed < clocks.loci_min:
        return "profile_partial"
    if known.searched_through is None or known.specimen == "entered":
        return "comparison_awaited"
    return "families_awaited" if known.searched_through < known.parents_generation else None


def _time_for(reason: GateReason, clocks: Clocks) -> timedelta:
    by_reason: Mapping[GateReason, timedelta] = {
        "sample_awaited": clocks.sample,
        "sample_lost": clocks.sample,
        "profile_awaited": clocks.profile,
        "profile_partial": clocks.profile,
    }
    return by_reason.get(reason, clocks.comparison)


def same_matter(one: Finding, other: Finding) -> bool:
    """Is it the same decision for the same reason about the same lead? Then its first deadline stands."""
    return (one.decision, one.reason, one.lead) == (other.decision, other.reason, other.lead)


def is_news(before: Finding, found: Finding) -> bool:
    """Does an office have to hear of it? A clear that was renewed, or one more lead, changes nothing for it."""
    return (before.decision, before.reason) != (found.decision, found.reason)


def must_record(before: Finding, found: Finding, now: datetime) -> bool:
    """Does what was recorded no longer say what is so? A clear stands for one generation and a set time."""
    if not same_matter(before, found):
        return True
    return found.decision == "clear" and not _stands(before, found, now)


def shown(recorded: Finding, found: Finding, now: datetime) -> Finding:
    """What may be told now: `clear` only if it was recorded and is still so at this generation and this moment.

    `found` is what `decide` makes of the evidence of this moment. What was not recorded yet is told if it is the
    more careful answer; a clear that is not recorded yet is a hold of some seconds.
    """
    if found.decision != "clear":
        return recorded if same_matter(recorded, found) else found
    if recorded.decision == "clear" and _stands(recorded, found, now):
        return recorded
    return Finding("hold", "being_decided", found.generation)


def shown_closed(recorded: Finding) -> Finding:
    """What may be told of a request that nobody looks at any more: no clear, however it ended."""
    if recorded.decision != "clear":
        return recorded
    return Finding("hold", "closed", recorded.generation)


def _stands(recorded: Finding, found: Finding, now: datetime) -> bool:
    assert recorded.valid_until is not None, "A clear says until when."
    if found.valid_until is not None and recorded.valid_until > found.valid_until + CLOCK_SKEW_MAX:
        # Decided by a clock that ran ahead: it would stand for longer than a clear of now may.
        return False
    return recorded.generation == found.generation and now < recorded.valid_until


def look_again_after(standing: Finding, since: datetime, now: datetime, clocks: Clocks) -> timedelta:
    """When to look at a request again by itself; moves of the specimen wake it sooner.

    What the matcher is about to do is looked for soon, then ever more seldom: as long as it has waited already.
    """
    if standing.reason in ("comparison_awaited", "families_awaited", "being_decided"):
        return min(SELDOM, max(SOON, now - since))
    if standing.valid_until is not None:
        return max(SOON, min(SELDOM, standing.valid_until - now))
    return SELDOM


SOON, SELDOM = timedelta(seconds=2), timedelta(minutes=2)
"""Between two looks at a request (our own choice: a decision follows its search within seconds)."""
