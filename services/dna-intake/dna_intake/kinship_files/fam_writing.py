"""A question as a Familias `.fam` file, so that another program can check the number.

Frequencies are written as they were used, rare alleles raised to the minimum; so the file needs no minimum of its
own. What the format has no place for is refused: linked loci, stabilised models, a theta or dropout that differs.
The order of lines is that of `fam_records`; the Windows program itself was not at hand to read the result.
"""

from __future__ import annotations

from collections.abc import Sequence

from dna_intake.kinship import KinshipRefused, Pedigree
from dna_intake.kinship.frequencies import with_minimum
from dna_intake.kinship_files.case import ModelChoice
from dna_intake.kinship_files.fam_lines import FALSE, TRUE
from dna_intake.kinship_files.refused import CaseRefused, refused
from dna_intake.kinship_files.resolve import Group, Question

_CODES = {"none": 0, "equal": 0, "proportional": 1, "stepwise": 4}


def fam_text(question: Question) -> str:
    """The whole file, for Windows. Raises: CaseRefused, if the format has no place for the model."""
    theta, dropout = _theta(question), _dropout(question)
    people = list(dict.fromkeys(person.id for family in _families(question) for person in family.people))
    loci = {locus: _frequencies(question, group, locus) for group in question.groups for locus in group.loci}
    lines = ['"Output from Familias, version 3.3.1"', '"(in its form; written by Guitu)"', "3.3.1", '""']
    lines.append(str(len(people)))
    for person in people:
        lines += _person(question, person, loci, flagged=dropout > 0)
    lines += ['"Known relations"', "0", "0", "0", "2"]
    for at, family in enumerate(_families(question)):
        lines += [str(at), f'"{_plain(family.name)}"', "0", "0", *_relations(family, people)]
    lines += [f"{FALSE} (#Databases: 1 ;Theta/Kinship/Fst: {theta:.12g} )", str(len(loci))]
    lines += [TRUE, f'"{_plain(question.table.name)}"']
    for group in question.groups:
        for locus in group.loci:
            lines += _locus(locus, loci[locus], group.choice, dropout)
    return "\r\n".join(lines) + "\r\n"


def _families(question: Question) -> tuple[Pedigree, Pedigree]:
    return question.h1, question.h2


def _person(
    question: Question, person: str, loci: dict[str, dict[str, float]], *, flagged: bool
) -> list[str]:
    typing = question.typed.get(person)
    born = "-1 (Consider dropouts)" if flagged and typing is not None and typing.dropout > 0 else "-1"
    # Sex matters for the mutation of parents alone; somebody of unknown sex who is none may be either.
    fathers = {one.father for family in _families(question) for one in family.people}
    sexes = {one.sex for family in _families(question) for one in family.people if one.id == person}
    male = person in fathers or "male" in sexes
    genotypes = {} if typing is None else typing.genotypes
    lines = [f'"{_plain(person)}"', FALSE, born, FALSE, TRUE if male else FALSE, str(len(genotypes))]
    for locus, pair in genotypes.items():
        places = list(loci[locus])
        lines += [str(places.index(_spelt(allele))) for allele in (pair[0], pair[-1])]
        lines.append(str(list(loci).index(locus)))
    return lines


def _relations(family: Pedigree, people: Sequence[str]) -> list[str]:
    pairs = [(parent, one.id) for one in family.people for parent in (one.father, one.mother) if parent]
    return [str(len(pairs)), *(str(people.index(who)) for pair in pairs for who in pair)]


def _frequencies(question: Question, group: Group, locus: str) -> dict[str, float]:
    seen = {_spelt(a) for typing in question.typed.values() for a in typing.genotypes.get(locus, ())}
    try:
        return with_minimum(
            question.table.loci[locus], seen, group.choice.minimum_frequency or 0.0, locus=locus
        )
    except KinshipRefused as error:
        raise refused(
            "An allele is not in the table.",
            "等位基因不在频率表中。",
            "Set model.minimum_frequency.",
            locus=locus,
        ) from error


def _locus(locus: str, frequencies: dict[str, float], choice: ModelChoice, dropout: float) -> list[str]:
    mutation, silent = choice.mutation, choice.silent
    if mutation.stabilised:
        raise _no_place("A stabilised model", locus)
    code, second = str(_CODES[mutation.model]), f"{mutation.rate_microvariant or 0.0:.12g}"
    lines = [f'"{_plain(locus)}"', f"{mutation.rate_female:.12g}", f"{mutation.rate_male:.12g}", code, code]
    lines += [str(len(frequencies) + (silent > 0)), f"{mutation.range:.12g}", f"{mutation.range:.12g}"]
    lines += [second, second, TRUE if silent else FALSE, f"{silent:.12g}"]
    details = f"DatabaseSize = 1000 , Dropout probability = {dropout:.12g} , Minor allele frequency = 0"
    lines.append(f"{len(frequencies)}\t({details} )")
    for allele, share in frequencies.items():
        lines += [f'"{allele}"', f"{share * (1 - silent):.17g}"]
    return lines


def _theta(question: Question) -> float:
    if any(group.model.linked for group in question.groups):
        raise _no_place("A linked pair of loci")
    thetas = {group.choice.theta for group in question.groups}
    if len(thetas) > 1:
        raise _no_place("A theta that differs between loci")
    return thetas.pop()


def _dropout(question: Question) -> float:
    """Familias has one dropout a locus, and says of each person whether it counts."""
    found = {typing.dropout for typing in question.typed.values() if typing.dropout > 0}
    if len(found) > 1:
        raise _no_place("A dropout that differs between people")
    return found.pop() if found else 0.0


def _no_place(what: str, locus: str = "") -> CaseRefused:
    return refused(
        f"{what} has no place in a .fam file.",
        ".fam文件无法表示该模型。",
        "Leave out --fam, or change the model.",
        locus=locus,
    )


def _spelt(allele: str) -> str:
    """As tables spell it: no leading zero, no ".0"."""
    whole, _, part = allele.partition(".")
    return f"{int(whole)}.{part}" if part.strip("0") else str(int(whole))


def _plain(name: str) -> str:
    """A name that stays on its line and in its quotation marks."""
    return " ".join(name.replace('"', "'").split())
