"""From a case to a question that can be weighed: names resolved, loci chosen, models filled in.

What a reader would take for used and is not (a locus that the table lacks, amelogenin) goes into `left_out`;
what contradicts itself is refused with person and locus.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dna_intake.domain.profiles import AMELOGENIN
from dna_intake.kinship import FrequencyTable, KinshipRefused, Model, Pedigree, Typing
from dna_intake.kinship_files.case import LrCase, ModelChoice
from dna_intake.kinship_files.families import hypotheses
from dna_intake.kinship_files.models import filled, model_of
from dna_intake.kinship_files.refused import CaseRefused, Trouble, refused
from dna_intake.kinship_files.result import LeftOut
from dna_intake.kinship_files.tables import spelling_of, table_for
from dna_intake.kinship_files.typings import Genotypes, canonical, sound_typings


@dataclass(frozen=True)
class Group:
    """Loci that share a model; linked pairs are always in one group."""

    choice: ModelChoice
    model: Model
    loci: tuple[str, ...]


@dataclass(frozen=True)
class Question:
    """Everything that is needed to weigh a case; loci are spelled as the table spells them."""

    case: LrCase
    h1: Pedigree
    h2: Pedigree
    typed: Mapping[str, Typing]
    table: FrequencyTable
    choice: ModelChoice
    groups: tuple[Group, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def loci(self) -> tuple[str, ...]:
        """All loci that are used."""
        return tuple(locus for group in self.groups for locus in group.loci)


def question_of(case: LrCase, beside: Path | None) -> Question:
    """Resolve a case; files it names lie in `beside`, without which none may be named. Raises: CaseRefused."""
    genotypes = {person: found for person, found in sound_typings(case.people).items() if found}
    if not genotypes:
        raise refused("Nobody is typed.", "没有任何人的分型。", "Give the genotypes of at least two people.")
    h1, h2 = hypotheses(case, genotypes)
    table = table_for(case.frequencies, beside)
    spelling = spelling_of(table)
    used, left_out = _loci(case, genotypes, spelling)
    choice = filled(case.model, table)
    dropout = {person.id: person.dropout for person in case.people}
    typed = {
        person: Typing({spelling[name]: found[name] for name in used if name in found}, dropout[person])
        for person, found in genotypes.items()
    }
    groups = _groups(case, used, choice, table, spelling)
    return Question(case, h1, h2, typed, table, choice, groups, left_out)


def _loci(
    case: LrCase, genotypes: Mapping[str, Genotypes], spelling: Mapping[str, str]
) -> tuple[list[str], tuple[LeftOut, ...]]:
    """Which loci are used, in the order of first mention; and what is left out, with the reason."""
    typed = list(dict.fromkeys(locus for found in genotypes.values() for locus in found))
    if case.loci is not None:
        _check_wanted(case.loci, typed, spelling)
    wanted = None if case.loci is None else {canonical(locus) for locus in case.loci}
    used, left_out = [], []
    for locus in typed:
        if locus == AMELOGENIN:
            left_out.append(LeftOut(locus=locus, reason="It tells sex, not kinship."))
        elif wanted is not None and locus not in wanted:
            left_out.append(LeftOut(locus=locus, reason="The case does not name it in loci."))
        elif locus not in spelling:
            left_out.append(LeftOut(locus=locus, reason="The frequency table does not have it."))
        elif sum(locus in found for found in genotypes.values()) < min(2, len(genotypes)):
            left_out.append(LeftOut(locus=locus, reason="Only one person is typed at it."))
        else:
            used.append(locus)
    if not used:
        raise refused(
            f"None of the typed loci can be used ({', '.join(typed[:5])}).",
            "所有已分型的基因座均无法使用。",
            "Give a frequency table that has them.",
        )
    return used, tuple(left_out)


def _check_wanted(wanted: Sequence[str], typed: Sequence[str], spelling: Mapping[str, str]) -> None:
    troubles = []
    for name in wanted:
        locus = canonical(name)
        if locus not in typed:
            troubles.append(
                Trouble("Nobody is typed at it.", "无人在该基因座分型。", "Take it out of loci.", locus=locus)
            )
        elif locus not in spelling:
            troubles.append(
                Trouble(
                    "The frequency table does not have it.",
                    "频率表没有该基因座。",
                    "Give another table.",
                    locus=locus,
                )
            )
    if troubles:
        raise CaseRefused(troubles)


def _groups(
    case: LrCase,
    used: Sequence[str],
    choice: ModelChoice,
    table: FrequencyTable,
    spelling: Mapping[str, str],
) -> tuple[Group, ...]:
    own = {canonical(name): model for name, model in case.locus_models.items()}
    unknown = [name for name in own if name not in used]
    if unknown:
        raise refused(
            "It has a model of its own and is not used.",
            "该基因座有单独模型,但未被使用。",
            "Take it out of locus_models.",
            locus=unknown[0],
        )
    _check_linked(case, used, own)
    models: list[tuple[ModelChoice, list[str]]] = [(choice, [one for one in used if one not in own])]
    for name in used:
        if name in own:
            _add(models, filled(own[name], table), name)
    try:
        return tuple(
            Group(each, model_of(each, spelling), tuple(spelling[name] for name in names))
            for each, names in models
            if names
        )
    except KinshipRefused as error:
        raise model_refused(error) from error


def _add(models: list[tuple[ModelChoice, list[str]]], choice: ModelChoice, name: str) -> None:
    for known, names in models[1:]:
        if known == choice:
            names.append(name)
            return
    models.append((choice, [name]))


def _check_linked(case: LrCase, used: Sequence[str], own: Mapping[str, ModelChoice]) -> None:
    for pair in case.model.linked:
        for locus in (canonical(pair.first), canonical(pair.second)):
            if locus not in used:
                raise refused(
                    "It is in a linked pair and is not used.",
                    "连锁对中的基因座未被使用。",
                    "Type it, or take the pair out of linked.",
                    locus=locus,
                )
            if locus in own:
                raise refused(
                    "It is in a linked pair and has a model of its own.",
                    "连锁对中的基因座不能有单独模型。",
                    "Take it out of locus_models.",
                    locus=locus,
                )
    for name, model in own.items():
        if model.linked:
            raise refused(
                "A model of one locus can't have linked pairs.",
                "单个基因座的模型不能含有连锁对。",
                "Put them into model.",
                locus=name,
            )


def model_refused(error: KinshipRefused) -> CaseRefused:
    """The library's refusal of a parameter; it names numbers of the model, never alleles."""
    return refused(
        f"The model can't be used: {error.says}",
        "模型参数无法使用。",
        "",
        locus=error.locus or "",
    )
