"""Report mode `gbt37223`: a duo or trio by the parentage-index rules, with the opinion that belongs to them."""

from __future__ import annotations

from dna_intake.kinship import KinshipRefused, TableRefused
from dna_intake.kinship.parentage_index import (
    RATE_FATHER,
    RATE_MOTHER,
    LocusIndex,
    Opinion,
    ParentageIndex,
    Sex,
    duo,
    trio,
)
from dna_intake.kinship_files import result
from dna_intake.kinship_files.refused import refused
from dna_intake.kinship_files.relations import Duo, Trio
from dna_intake.kinship_files.resolve import Question
from dna_intake.kinship_files.result import LocusResult, LrResult, TableUsed

FORMULA = (
    "Parentage index: a consistent locus without mutation; an inconsistent one by the step formula, "
    f"rate {RATE_FATHER} (father, or a parent alone) and {RATE_MOTHER} (mother in a trio), a tenth a further step"
)
BASIS = (
    "Rules ascribed to GB/T 37223-2018, known from secondary sources; the text of the standard was not read. "
    "Not a substitute for an expert opinion."
)
LOCI_USUAL = 19
"""A panel of 19 is usual, 18 the least for a duo (secondary sources; the standards were not read)."""
_WORDS: dict[Opinion, tuple[str, str]] = {
    "support": (
        "The cumulative index is 10,000 or more: supports parentage.",
        "累积亲权指数不小于10000,支持亲权关系。",
    ),
    "exclusion": (
        "The cumulative index is 0.0001 or less, or three loci or more are inconsistent: excludes parentage.",
        "累积亲权指数不大于0.0001,或有三个以上基因座不符合遗传规律,排除亲权关系。",
    ),
    "undecided": (
        "Neither supports nor excludes: type more loci, or the other parent.",
        "既不支持也不排除,应增加基因座或检验另一方父母。",
    ),
}


def report(question: Question) -> LrResult:
    """The index of a question that is a duo or a trio. Raises: CaseRefused."""
    found = _index(question)
    return LrResult(
        mode="gbt37223",
        formula=FORMULA,
        h1=question.h1.name,
        h2=question.h2.name,
        log10_lr=found.log10_cpi,
        lr=_number(found.log10_cpi),
        impossible=[],
        loci=[_locus(one) for one in found.loci],
        left_out=[*question.left_out, *_untyped(question, found)],
        people_typed=list(question.typed),
        table=TableUsed(name=question.table.name, source=question.table.source, sha256=question.table.sha256),
        model=None,
        opinion=_opinion(found),
        notices=_notices(question, found),
    )


def _index(question: Question) -> ParentageIndex:
    relation, minimum = question.case.relation, question.choice.minimum_frequency
    assert isinstance(relation, Duo | Trio), "A case in this mode is a duo or a trio."
    assert minimum is not None, "The model of a question is filled in."
    roles = [relation.child]
    roles += [relation.parent] if isinstance(relation, Duo) else [relation.father, relation.mother]
    for person in roles:
        if person not in question.typed:
            raise refused(
                "Not typed; this mode needs everybody of the relation.",
                "未分型;该方式需要全部当事人的分型。",
                "Give the genotypes, or use mode full.",
                person=person,
            )
    child, *parents = [question.typed[person].genotypes for person in roles]
    try:
        if isinstance(relation, Duo):
            return duo(child, parents[0], question.table.loci, minimum)
        asked = relation.questioned == "father"
        questioned, known = parents if asked else reversed(parents)
        sex: Sex = "male" if asked else "female"
        return trio(child, questioned, known, question.table.loci, minimum, questioned_sex=sex)
    except TableRefused as error:
        raise refused(
            error.says,
            "等位基因不在频率表中。",
            "Such as model.minimum_frequency 0.001.",
            locus=error.locus or "",
        ) from error
    except KinshipRefused as error:
        raise refused(error.says, "没有可用的共同基因座。", "") from error


def _untyped(question: Question, found: ParentageIndex) -> list[result.LeftOut]:
    used = {one.locus for one in found.loci}
    return [
        result.LeftOut(locus=locus, reason="Not typed in everybody.")
        for locus in question.loci
        if locus not in used
    ]


def _locus(one: LocusIndex) -> LocusResult:
    return LocusResult(
        locus=one.locus,
        log10_lr=one.log10_pi,
        lr=_number(one.log10_pi),
        log10_h1=None,
        log10_h2=None,
        formula=one.formula,
        inconsistent=one.inconsistent,
    )


def _number(log10: float) -> float | None:
    """The index itself, where a double holds it: never a zero."""
    return 10.0**log10 if abs(log10) <= 300 else None


def _opinion(found: ParentageIndex) -> result.Opinion:
    en, zh = _WORDS[found.opinion]
    return result.Opinion(
        code=found.opinion,
        en=en,
        zh=zh,
        inconsistent_loci=list(found.inconsistent),
        other_parent_inconsistent_loci=list(found.other_inconsistent),
        basis=BASIS,
    )


def _notices(question: Question, found: ParentageIndex) -> list[str]:
    notices = [
        f"Frequencies below {question.choice.minimum_frequency:g} and of unseen alleles count as that."
    ]
    least = LOCI_USUAL - isinstance(question.case.relation, Duo)
    if len(found.loci) < least:
        notices.append(f"{len(found.loci)} loci; {least} are the least that these rules are used with.")
    if any(typing.dropout for typing in question.typed.values()):
        notices.append("This mode knows no dropout; it was not used.")
    unused = sorted(question.case.model.model_fields_set - {"minimum_frequency"})
    unused += ["locus_models"] if question.case.locus_models else []
    if unused:
        notices.append(f"The case gives {', '.join(unused)}; this mode does not use that.")
    if len(found.other_inconsistent) >= 3:
        notices.append("Three loci or more can't come from the known parent: check that parent first.")
    return notices
