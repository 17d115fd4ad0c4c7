"""From a Familias `.fam` file to a case: two of its pedigrees, its genotypes, frequencies and mutation models.

What the likelihood can't represent is refused with its line and a mend; nothing is dropped in silence. What only
Familias' prior of pedigrees or its other modules use (years of birth, who is a child, [Advanced]) has no bearing
on a likelihood ratio and is read over.

Source of the meaning: files by Familias 3.3.1; magnusdv/pedFamilias (order of lines, codes of models);
thoree/Familias, alsys.cpp (code 2 counts steps by position in the list, code 3 divides by the allele's frequency).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from pydantic import ValidationError

from dna_intake.domain.profiles import locus_named
from dna_intake.kinship_files.case import (
    CasePerson,
    Frequencies,
    Hypothesis,
    LrCase,
    ModelChoice,
    MutationChoice,
    PedigreePerson,
)
from dna_intake.kinship_files.fam_records import (
    STEPWISE_BY_POSITION,
    STEPWISE_EXTENDED,
    STEPWISE_STATIONARY,
    FamFile,
    FamGroup,
    FamLocus,
    FamMutation,
    FamPedigree,
    FamPerson,
    FamRelation,
    read_records,
)
from dna_intake.kinship_files.fields import Sex
from dna_intake.kinship_files.refused import CaseRefused, refused

SUM_OFF_MAX = 0.005
NOTE_MAX = 500
_ALLELE = re.compile(r"[0-9]{1,3}(\.[0-9])?", re.ASCII)
_MODELS = {0: "equal", 1: "proportional", STEPWISE_BY_POSITION: "stepwise", STEPWISE_EXTENDED: "stepwise"}
_WITH_MODEL = (
    "Choose equal, proportional or the extended stepwise model in Familias, or write the case as JSON."
)


def case_of_fam(text: str, name: str, h1: str | None = None, h2: str | None = None) -> LrCase:
    """The case that a `.fam` file poses; with more than two pedigrees, `h1` and `h2` name two of them.

    Raises: CaseRefused, with the line.
    """
    found = read_records(text)
    pedigrees = _chosen(found.pedigrees, h1, h2)
    _check_names(found)
    try:
        return _case(found, name, pedigrees)
    except ValidationError as error:
        first_wrong = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first_wrong["loc"])
        raise refused(
            f"{name}: {where}: {first_wrong['msg']}.", f"{name}内容无法使用。", "Write the case as JSON."
        ) from None


def _case(found: FamFile, name: str, pedigrees: Sequence[FamPedigree]) -> LrCase:
    # Loci first: what is wrong with the database is better said there than at a person's genotype.
    frequencies = {_named(locus): _frequencies(locus) for locus in found.loci}
    models = {_named(locus): _model(locus, found.theta) for locus in found.loci}
    usual = max(models.values(), key=list(models.values()).count)
    dropout = _dropout(found)
    first, second = (_hypothesis(found, pedigree) for pedigree in pedigrees)
    return LrCase(
        note=f"Read from {name}."[:NOTE_MAX],
        people=[_person(found, person, dropout) for person in found.persons],
        h1=first,
        h2=second,
        frequencies=Frequencies(
            loci=frequencies, name=found.database or name, source=f"Familias file {name}"[:NOTE_MAX]
        ),
        model=usual,
        locus_models={locus: model for locus, model in models.items() if model != usual},
    )


def read_fam(path: Path, h1: str | None = None, h2: str | None = None) -> LrCase:
    """The same from a file; Familias on Windows writes Latin-1 or UTF-8. Raises: CaseRefused, OSError."""
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    return case_of_fam(text, path.name, h1, h2)


def _chosen(pedigrees: Sequence[FamPedigree], h1: str | None, h2: str | None) -> list[FamPedigree]:
    names = [pedigree.name for pedigree in pedigrees]
    if h1 is None and h2 is None and len(pedigrees) == 2:
        return list(pedigrees)
    if h1 is None or h2 is None or h1 == h2 or not {h1, h2} <= set(names):
        raise refused(
            f"The file holds {len(names)} pedigrees: {', '.join(names) or 'none'}.",
            f"文件含有{len(names)}个谱系。",
            "Name two of them with --h1 and --h2.",
        )
    return [pedigrees[names.index(h1)], pedigrees[names.index(h2)]]


def _check_names(found: FamFile) -> None:
    persons = [person.name for person in found.persons]
    loci = [_named(locus) for locus in found.loci]
    if not loci:
        raise refused(
            "The file has no database of loci.", "文件没有基因座数据库。", "Load frequencies in Familias."
        )
    for kind, names in (("person", persons), ("locus", loci)):
        twice = sorted({one for one in names if names.count(one) > 1})
        if twice:
            raise refused(
                f"The {kind} {twice[0]!r} is there twice.", "名称重复。", "Rename or remove one in Familias."
            )


def _named(locus: FamLocus) -> str:
    return locus_named(locus.name) or locus.name


def _dropout(found: FamFile) -> float:
    """Familias has a dropout for each locus; a case has one for each person, so all loci must agree."""
    if not any(person.dropouts for person in found.persons):
        return 0.0
    values = sorted({locus.dropout for locus in found.loci})
    if len(values) > 1:
        raise refused(
            "The loci have different dropout probabilities.",
            "各基因座的丢失概率不同。",
            "Give all loci the same one in Familias.",
        )
    return values[0]


def _person(found: FamFile, person: FamPerson, dropout: float) -> CasePerson:
    genotypes: dict[str, list[str]] = {}
    for typed in person.genotypes:
        if typed.locus >= len(found.loci):
            raise _at(
                typed.line, f"There is no locus {typed.locus}; the file has {len(found.loci)}.", person.name
            )
        locus = found.loci[typed.locus]
        name = _named(locus)
        if max(typed.first, typed.second) >= len(locus.alleles):
            raise _at(typed.line, "An allele is none of the locus' list.", person.name, name)
        if name in genotypes:
            raise _at(typed.line, "The locus is typed twice.", person.name, name)
        genotypes[name] = [locus.alleles[typed.first][0], locus.alleles[typed.second][0]]
    return CasePerson(
        id=person.name,
        sex="male" if person.male else "female",
        genotypes=genotypes,
        dropout=dropout if person.dropouts else 0.0,
    )


class _Family:
    """The people of one pedigree by position, and who is whose parent."""

    def __init__(self, found: FamFile, extra: FamGroup) -> None:
        self.ids = [person.name for person in found.persons]
        self.sexes: list[Sex] = ["male" if person.male else "female" for person in found.persons]
        for group in (found.common, extra):
            self._add("female", "unnamed_woman", group.women)
            self._add("male", "unnamed_man", group.men)
        self.father: dict[int, int] = {}
        self.mother: dict[int, int] = {}
        for relation in (*found.common.relations, *extra.relations):
            self._relate(relation)

    def _add(self, sex: Sex, called: str, count: int) -> None:
        for _ in range(count):
            number = len(self.ids) + 1
            self.ids.append(f"{called}_{number}")
            self.sexes.append(sex)

    def _relate(self, relation: FamRelation) -> None:
        if max(relation.parent, relation.child) >= len(self.ids):
            raise _at(relation.line, f"There is no such person; the pedigree has {len(self.ids)}.")
        parents = self.father if self.sexes[relation.parent] == "male" else self.mother
        if parents.setdefault(relation.child, relation.parent) != relation.parent:
            raise _at(relation.line, "A second father or mother of the same child.", self.ids[relation.child])

    def people(self) -> list[PedigreePerson]:
        """Everybody; Familias knows children of one parent, for whom the other is somebody unknown."""
        known = len(self.ids)
        for child in sorted({*self.father, *self.mother}):
            if child not in self.father:
                self._add("male", "unknown_father", 1)
                self.father[child] = len(self.ids) - 1
            if child not in self.mother:
                self._add("female", "unknown_mother", 1)
                self.mother[child] = len(self.ids) - 1
        assert len(self.ids) <= 2 * known, "Nobody has more than one unknown parent."
        return [
            PedigreePerson(
                id=name,
                sex=self.sexes[at],
                father=self.ids[self.father[at]] if at in self.father else None,
                mother=self.ids[self.mother[at]] if at in self.mother else None,
            )
            for at, name in enumerate(self.ids)
        ]


def _hypothesis(found: FamFile, pedigree: FamPedigree) -> Hypothesis:
    return Hypothesis(name=pedigree.name, people=_Family(found, pedigree.group).people())


def _frequencies(locus: FamLocus) -> dict[str, float]:
    """Frequencies of the alleles that show, scaled to 1: the silent one is a matter of the model."""
    name = _named(locus)
    odd = [allele for allele, _ in locus.alleles if not _ALLELE.fullmatch(allele)]
    if odd:
        raise _at(
            locus.line,
            f"Allele {odd[0]!r} is no repeat number.",
            locus=name,
            mend="Rename it in Familias; a rest allele can be left out, rare alleles get a minimum frequency here.",
        )
    shown = {allele: share for allele, share in locus.alleles if share > 0}
    total = sum(shown.values())
    if len({allele for allele, _ in locus.alleles}) < len(locus.alleles):
        raise _at(locus.line, "An allele is there twice.", locus=name)
    if not shown or min(abs(total - 1.0), abs(total + locus.silent - 1.0)) > SUM_OFF_MAX:
        raise _at(
            locus.line,
            f"The frequencies sum to {total + locus.silent:.4f}, not to 1.",
            locus=name,
            mend="Mend or scale them in Familias.",
        )
    return {allele: share / total for allele, share in shown.items()}


def _model(locus: FamLocus, theta: float) -> ModelChoice:
    return ModelChoice(
        theta=theta,
        mutation=_mutation(locus),
        silent=locus.silent,
        minimum_frequency=locus.minimum_frequency,
    )


def _mutation(locus: FamLocus) -> MutationChoice:
    """One model for both sexes with a rate of each; without any rate, none."""
    mutating = [one for one in (locus.female, locus.male) if one.rate > 0 or one.rate2 > 0]
    if not mutating:
        return MutationChoice(model="none")
    shape = mutating[0]
    for one in mutating:
        _check_shape(locus, one, shape)
    stepwise = shape.code == STEPWISE_EXTENDED
    common = {"rate_male": locus.male.rate, "rate_female": locus.female.rate}
    if _MODELS[shape.code] != "stepwise":
        return MutationChoice.model_validate(
            {"model": _MODELS[shape.code], "rate_microvariant": 0.0, **common}
        )
    return MutationChoice.model_validate(
        {
            "model": "stepwise",
            "rate_microvariant": shape.rate2 if stepwise else 0.0,
            "range": shape.range,
            **common,
        }
    )


def _check_shape(locus: FamLocus, one: FamMutation, shape: FamMutation) -> None:
    """Can this sex's model stand in a model of ours, together with the other sex's?"""
    name = _named(locus)
    if one.code == STEPWISE_STATIONARY:
        raise _at(
            locus.model_line, "Familias' stationary stepwise model is not ours.", locus=name, mend=_WITH_MODEL
        )
    if one.code == STEPWISE_BY_POSITION and not _one_apart(locus):
        raise _at(
            locus.model_line,
            "The old stepwise model counts steps by position in the list, and this list has gaps or microvariants.",
            locus=name,
            mend=_WITH_MODEL,
        )
    same = one.code == shape.code
    if one.code in (STEPWISE_BY_POSITION, STEPWISE_EXTENDED):
        same = same and one.range == shape.range
        if one.range == 0.0:
            raise _at(
                locus.model_line, "The mutation range is 0.", locus=name, mend="Set one above 0, usually 0.1."
            )
    if one.code == STEPWISE_EXTENDED:
        same = same and locus.female.rate2 == locus.male.rate2
    if not same:
        raise _at(
            locus.model_line,
            "Women and men differ in more than the mutation rate.",
            locus=name,
            mend="Give both the same model, range and second rate in Familias.",
        )


def _one_apart(locus: FamLocus) -> bool:
    """Whole repeats without a gap, in order: then a position in the list is a repeat."""
    names = [allele for allele, _ in locus.alleles]
    return all(name.isdecimal() for name in names) and all(
        int(later) - int(earlier) == 1 for earlier, later in pairwise(names)
    )


def _at(
    line: int,
    what: str,
    person: str = "",
    locus: str = "",
    mend: str = "Mend it in Familias, and save again.",
) -> CaseRefused:
    return refused(f"Line {line}: {what}", f"第{line}行:内容无法使用。", mend, person=person, locus=locus)
