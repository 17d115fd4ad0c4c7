"""What a Familias `.fam` file holds: persons, relations, pedigrees and the database of loci, as they stand there.

Indices are checked here, at their lines; what they mean for a question is said in `fam`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from dna_intake.kinship_files.fam_lines import FamLines
from dna_intake.kinship_files.fields import ALLELES_MAX, LOCI_MAX, PEOPLE_MAX

PEDIGREES_MAX = 50
RELATIONS_MAX = 4 * PEOPLE_MAX
STEPWISE_BY_POSITION, STEPWISE_STATIONARY, STEPWISE_EXTENDED = 2, 3, 4
_JSON = "Write the case as JSON (docs/lr_files.md)."


@dataclass(frozen=True)
class FamGenotype:
    """Two alleles and a locus by position, and the line where they stand."""

    first: int
    second: int
    locus: int
    line: int


@dataclass(frozen=True)
class FamPerson:
    """A person with a name in the file."""

    name: str
    male: bool
    dropouts: bool
    genotypes: tuple[FamGenotype, ...]


@dataclass(frozen=True)
class FamRelation:
    """Parent and child by position, and their line."""

    parent: int
    child: int
    line: int


@dataclass(frozen=True)
class FamGroup:
    """Nameless women and men who join, and relations; of all pedigrees, or of one."""

    women: int
    men: int
    relations: tuple[FamRelation, ...]


@dataclass(frozen=True)
class FamPedigree:
    """One pedigree by its name."""

    name: str
    group: FamGroup


@dataclass(frozen=True)
class FamMutation:
    """One sex's mutations at one locus; `code` is Familias' own number of the model."""

    code: int
    rate: float
    range: float
    rate2: float


@dataclass(frozen=True)
class FamLocus:
    """A locus of the database; `line` is that of its name, `model_line` that of its mutation models."""

    name: str
    line: int
    model_line: int
    female: FamMutation
    male: FamMutation
    silent: float
    dropout: float
    minimum_frequency: float
    alleles: tuple[tuple[str, float], ...]


@dataclass
class FamFile:
    """The whole file."""

    persons: list[FamPerson] = field(default_factory=list)
    common: FamGroup = FamGroup(0, 0, ())
    pedigrees: list[FamPedigree] = field(default_factory=list)
    theta: float = 0.0
    database: str = ""
    loci: list[FamLocus] = field(default_factory=list)


def read_records(text: str) -> FamFile:
    """Read a file. Raises: CaseRefused, with the line."""
    lines, found = FamLines(text), FamFile()
    _preamble(lines)
    count = lines.integer("the number of persons", PEOPLE_MAX)
    found.persons = [_person(lines) for _ in range(count)]
    if lines.text("Known relations") != "Known relations":
        raise lines.surprise('"Known relations"')
    found.common = _group(lines)
    pedigrees = lines.integer("the number of pedigrees", PEDIGREES_MAX)
    found.pedigrees = [_pedigree(lines, at) for at in range(pedigrees)]
    found.theta = _theta(lines)
    loci = lines.integer("the number of loci", LOCI_MAX)
    if lines.flag("whether the database has a name"):
        found.database = lines.text("the name of the database")
    found.loci = [_locus(lines) for _ in range(loci)]
    _rest(lines)
    return found


def _preamble(lines: FamLines) -> None:
    if "Familias" not in lines.text("a heading that names Familias"):
        raise lines.surprise("a heading that names Familias")
    lines.text("a heading")
    lines.take("the version")
    if lines.peek().startswith('"'):
        lines.text("a comment")


def _person(lines: FamLines) -> FamPerson:
    name = lines.text("the name of a person")
    # Whether a child, and the year of birth, are for Familias' own prior of pedigrees; no likelihood uses them.
    lines.flag("whether this person is a child")
    dropouts = "(Consider dropouts)" in lines.take("the year of birth")
    lines.flag("a flag of this person")
    male = lines.flag("whether this person is male")
    typed = lines.integer(f"the number of loci typed in {name!r}", LOCI_MAX)
    return FamPerson(name, male, dropouts, tuple(_genotype(lines) for _ in range(typed)))


def _genotype(lines: FamLines) -> FamGenotype:
    first = lines.integer("the position of an allele", ALLELES_MAX)
    second = lines.integer("the position of an allele", ALLELES_MAX)
    return FamGenotype(first, second, lines.integer("the position of a locus", LOCI_MAX), lines.line)


def _group(lines: FamLines) -> FamGroup:
    women = lines.integer("the number of nameless women", PEOPLE_MAX)
    men = lines.integer("the number of nameless men", PEOPLE_MAX)
    count = lines.integer("the number of relations", RELATIONS_MAX)
    return FamGroup(women, men, tuple(_relation(lines) for _ in range(count)))


def _relation(lines: FamLines) -> FamRelation:
    if not lines.peek().isdecimal() and lines.peek()[:1].isdecimal():
        lines.take("a parent")
        raise lines.cannot(
            "The relation is not that of parent and child; twins can't be represented.",
            "Leave one of the twins out in Familias.",
        )
    parent = lines.integer("the position of a parent", 3 * PEOPLE_MAX)
    return FamRelation(parent, lines.integer("the position of a child", 3 * PEOPLE_MAX), lines.line)


def _pedigree(lines: FamLines, at: int) -> FamPedigree:
    if lines.integer("the number of the pedigree", PEDIGREES_MAX) != at:
        raise lines.surprise(f"{at}, the number of the next pedigree")
    return FamPedigree(lines.text("the name of the pedigree"), _group(lines))


def _theta(lines: FamLines) -> float:
    line = lines.take("the line of theta")
    if line.startswith("#TRUE#"):
        raise lines.cannot(
            "The file holds results that were computed before.", "Save the case without its results."
        )
    if not line.startswith("#FALSE#"):
        raise lines.surprise("#FALSE# with the number of databases and theta")
    databases = re.search(r"#Databases: *(\d+)", line)
    if databases and databases[1] != "1":
        raise lines.cannot("The file holds several databases.", "Keep one in Familias, and save it again.")
    theta = re.search(r"Theta/Kinship/Fst: *([\d.eE+-]+)", line)
    if theta is None:
        return 0.0
    return _number_in(lines, theta[1], "theta")


def _locus(lines: FamLines) -> FamLocus:
    name, line = lines.text("the name of a locus"), lines.line
    rate_f, rate_m = lines.number("the mutation rate of women"), lines.number("the mutation rate of men")
    code_f = lines.integer("the mutation model of women", STEPWISE_EXTENDED)
    code_m = lines.integer("the mutation model of men", STEPWISE_EXTENDED)
    model_line = lines.line
    lines.integer("the number of alleles with the silent one", ALLELES_MAX + 1)
    range_f, range_m = lines.number("the mutation range of women"), lines.number("the mutation range of men")
    rate2_f, rate2_m = (lines.number("the second mutation rate of " + who) for who in ("women", "men"))
    has_silent, silent = lines.flag("whether there is a silent allele"), lines.number("its frequency")
    count, dropout, minimum = _details(lines)
    return FamLocus(
        name=name,
        line=line,
        model_line=model_line,
        female=FamMutation(code_f, rate_f, range_f, rate2_f),
        male=FamMutation(code_m, rate_m, range_m, rate2_m),
        silent=silent if has_silent else 0.0,
        dropout=dropout,
        minimum_frequency=minimum,
        alleles=tuple(
            (lines.text("the name of an allele"), lines.number("its frequency")) for _ in range(count)
        ),
    )


def _details(lines: FamLines) -> tuple[int, float, float]:
    """Number of alleles, dropout, minimum frequency: one line, of which the part in brackets may be missing."""
    line = lines.take("the number of alleles")
    count, _, details = line.partition("(")
    if not count.strip().isdecimal() or int(count) > ALLELES_MAX:
        raise lines.surprise(f"the number of alleles, {ALLELES_MAX} at most")
    found = dict(re.findall(r"(Dropout probability|Minor allele frequency) *= *([^ ,)]+)", details))
    dropout = _number_in(lines, found.get("Dropout probability", "0"), "the dropout probability")
    minimum = _number_in(lines, found.get("Minor allele frequency", "0"), "the minor allele frequency")
    return int(count), dropout, minimum


def _number_in(lines: FamLines, text: str, what: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value < 1.0:
        raise lines.surprise(f"a line with {what} from 0 to 1")
    return value


def _rest(lines: FamLines) -> None:
    """What may follow the loci: settings of other modules of Familias, which no likelihood of ours uses."""
    while not lines.ended:
        section = lines.take("a section")
        if section == "[Advanced]":
            _skip_advanced(lines)
        elif section:
            what = (
                "a session of disaster victim identification" if section == "[DVI]" else f"section {section}"
            )
            raise lines.cannot(f"It begins {what}, which can't be represented.", _JSON)


def _skip_advanced(lines: FamLines) -> None:
    """Settings of direct matching, simulation and display, up to the next section."""
    while not lines.ended and not (lines.peek().startswith("[") and not lines.peek().startswith("[[")):
        lines.take("a setting")
