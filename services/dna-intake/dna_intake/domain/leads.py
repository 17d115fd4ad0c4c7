"""What a lead is worth: a likelihood ratio among so many compared, and how many strangers look the same.

A likelihood ratio of 10,000 settles a named pair before a court; among 10 million compared people it still leaves
strangers. So every lead carries its posterior and what was to be expected of strangers alone.
Sources: Slooten & Meester 2012 (arXiv 1201.4261), the prior of a database search; P(LR >= t | unrelated) <= 1/t
(Markov's inequality: the expectation of the ratio is 1 if nobody is related).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from uuid import UUID, uuid5

from dna_intake.domain.kin import SearchRelation

_NAMESPACE = UUID("3d0f6ac1-6f0e-5b0b-9d35-5d7a3f0d2f11")


def candidate_id(child_id: UUID, relatives: Sequence[UUID], relation: SearchRelation) -> UUID:
    """The id of a lead: the same people in the same relation are the same lead, whichever search finds it."""
    told = "|".join([relation, str(child_id), *sorted(str(each) for each in relatives)])
    return uuid5(_NAMESPACE, told)


def posterior(log10_lr: float, compared: int) -> float:
    """How probable the relation is, if each of the compared was as probable before: prior 1/N.

    LR / (LR + N - 1). The prior says that the relative is in the index; if nobody knows that, it is less.
    """
    others = max(compared, 1) - 1
    if others == 0:
        return 1.0 if log10_lr > -math.inf else 0.0
    odds = log10_lr - math.log10(others)
    if odds > 15:
        return 1.0
    return 10**odds / (1 + 10**odds)


def strangers_by_lr(log10_lr: float, compared: int) -> float:
    """At most so many strangers are expected to reach this ratio among so many compared: N / LR."""
    return max(compared, 0) * 10 ** -min(log10_lr, 300.0) if log10_lr > 0 else float(max(compared, 0))


def says_en(log10_lr: float, compared: int, strangers: float | None) -> str:
    """What a person reads beside a lead, in English."""
    most = strangers_by_lr(log10_lr, compared)
    words = (
        f"A lead, not an identification. log10 LR {log10_lr:.1f} among {compared:,} compared: "
        f"at most {_count(most)} unrelated people are expected to reach that by chance"
    )
    if strangers is not None:
        words += f", and {_count(strangers)} to have no more inconsistent loci"
    return words + ". Second-tier markers and two reviewers decide."


def says_zh(log10_lr: float, compared: int, strangers: float | None) -> str:
    """What a person reads beside a lead, in Chinese."""
    most = strangers_by_lr(log10_lr, compared)
    words = (
        f"仅为比对线索,不等于身份认定。在{compared:,}人中比对,亲权指数常用对数为{log10_lr:.1f}:"
        f"预期至多{_count(most)}名无关个体偶然达到该值"
    )
    if strangers is not None:
        words += f",预期{_count(strangers)}名无关个体的不符基因座不多于此"
    return words + "。须经补充检测并由两名复核人复核。"


def _count(number: float) -> str:
    if number >= 10:
        return f"{number:,.0f}"
    return f"{number:.1f}" if number >= 0.1 else f"{number:.1g}"
