"""Weigh a question by the kinship library, and write down what came out: the full likelihood ratio.

A group of loci that share a model is one call of `kinship.compare`; log10 ratios add up. With a deadline each
locus is a call of its own, so that a service stops between two of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from math import fsum, isinf
from time import monotonic

from dna_intake.kinship import (
    ComparisonTooLarge,
    Impossible,
    KinshipRefused,
    LikelihoodRatio,
    LocusRatio,
    ModelRefused,
    PedigreeRefused,
    TableRefused,
    Typing,
    compare,
)
from dna_intake.kinship_files.families import pedigree_refused
from dna_intake.kinship_files.refused import CaseRefused, refused
from dna_intake.kinship_files.report_mode import report
from dna_intake.kinship_files.resolve import Group, Question, model_refused
from dna_intake.kinship_files.result import LeftOut, LocusResult, LrResult, TableUsed

FULL_FORMULA = "P(genotypes | H1) / P(genotypes | H2), full likelihood, untyped people kept"


class OutOfTime(Exception):
    """The deadline passed before every locus was weighed."""


def weigh(question: Question, deadline_s: float | None = None) -> LrResult:
    """The answer to a question, in its mode.

    Raises: CaseRefused, naming locus and person; OutOfTime, some seconds after `deadline_s` at most.
    """
    if question.case.mode == "gbt37223":
        return report(question)
    ratios = list(_ratios(question, deadline_s))
    order = {locus: at for at, locus in enumerate(question.loci)}
    found = sorted(
        (one for ratio in ratios for one in ratio.loci), key=lambda one: order[one.locus.partition("+")[0]]
    )
    impossible = [one.locus for one in found if isinf(one.log10_lr)]
    log10_lr = None if impossible else fsum(one.log10_lr for one in found)
    return LrResult(
        mode="full",
        formula=FULL_FORMULA,
        h1=question.h1.name,
        h2=question.h2.name,
        log10_lr=log10_lr,
        lr=_power(log10_lr),
        impossible=impossible,
        loci=[_locus(one) for one in found],
        left_out=[*question.left_out, *_left_out(ratios)],
        people_typed=list(question.typed),
        table=table_used(question),
        model=question.choice,
        locus_models={locus: group.choice for group in question.groups[1:] for locus in group.loci},
    )


def table_used(question: Question) -> TableUsed:
    """The whole table, not only the loci that were typed: its hash can be compared between cases."""
    table = question.table
    return TableUsed(name=table.name, source=table.source, sha256=table.sha256)


def _ratios(question: Question, deadline_s: float | None) -> Iterable[LikelihoodRatio]:
    until = None if deadline_s is None else monotonic() + deadline_s
    for group in question.groups:
        for loci in [group.loci] if until is None else _one_by_one(group):
            if until is not None and monotonic() > until:
                raise OutOfTime
            yield _ratio(question, group, loci)


def _one_by_one(group: Group) -> Sequence[tuple[str, ...]]:
    """The group's loci apart, linked pairs together."""
    pairs = {pair.first: (pair.first, pair.second) for pair in group.model.linked}
    second = {pair.second for pair in group.model.linked}
    return [pairs.get(locus, (locus,)) for locus in group.loci if locus not in second]


def _ratio(question: Question, group: Group, loci: Sequence[str]) -> LikelihoodRatio:
    wanted = set(loci)
    typed = {person: _only(typing, wanted) for person, typing in question.typed.items()}
    try:
        return compare(question.h1, question.h2, typed, question.table, group.model)
    except KinshipRefused as error:
        raise in_our_words(error) from error


def _only(typing: Typing, loci: set[str]) -> Typing:
    kept = {locus: alleles for locus, alleles in typing.genotypes.items() if locus in loci}
    return Typing(kept, typing.dropout)


def in_our_words(error: KinshipRefused) -> CaseRefused:
    """A refusal of the library without any allele, in both languages."""
    if isinstance(error, PedigreeRefused):
        return pedigree_refused(error)
    if isinstance(error, ModelRefused):
        return model_refused(error)
    where: Mapping[str, str] = {"locus": error.locus or "", "person": error.person or ""}
    if isinstance(error, Impossible):
        return refused(
            f"There is no ratio: {error.says}",
            "无法计算似然比:该基因座的分型在假设下不可能出现。",
            "",
            **where,
        )
    if isinstance(error, ComparisonTooLarge):
        return refused(f"Too large: {error.says}", "谱系过大,无法精确计算。", "", **where)
    if isinstance(error, TableRefused):
        return refused(
            "An allele is not in the table, or its minimum does not fit beside the others.",
            "等位基因不在频率表中,或最低频率不适用。",
            "Set model.minimum_frequency, such as 0.001.",
            **where,
        )
    says = re.sub(r"'[^']*'", "It", error.says, count=1)
    return refused(says, "分型无法使用。", "Mend the genotype, or leave the locus out.", **where)


def _left_out(ratios: Iterable[LikelihoodRatio]) -> list[LeftOut]:
    return [
        LeftOut(locus=locus, reason=reason) for ratio in ratios for locus, reason in ratio.left_out.items()
    ]


def _locus(one: LocusRatio) -> LocusResult:
    log10_lr = _finite(one.log10_lr)
    return LocusResult(
        locus=one.locus,
        log10_lr=log10_lr,
        lr=_power(log10_lr),
        log10_h1=_finite(one.log10_h1),
        log10_h2=_finite(one.log10_h2),
        formula="likelihood",
        inconsistent=None,
    )


def _finite(value: float) -> float | None:
    return None if isinf(value) else value


def _power(log10: float | None) -> float | None:
    """The number itself, where a double holds it."""
    return None if log10 is None or abs(log10) > 300 else 10.0**log10
