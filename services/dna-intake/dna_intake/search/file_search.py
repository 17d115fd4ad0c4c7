"""A search over profile files, from the rows to ranked leads; `cli` asks it and prints."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dna_intake.kinship import Model, load_table
from dna_intake.search.couples import Couples, children_of_couple, couples_of
from dna_intake.search.engine import kinship_of
from dna_intake.search.index import Index
from dna_intake.search.index_file import open_index, save
from dna_intake.search.leads import Found
from dna_intake.search.pair_tables import Kinship, Query
from dna_intake.search.panel import Encoded
from dna_intake.search.profile_files import PARENTS, OffLadder, Profile, anything_goes, read_profiles
from dna_intake.search.ranking import Ranked, ranked
from dna_intake.search.refusals import SearchRefused
from dna_intake.search.relations import RELATIONS
from dna_intake.search.search import relatives_of

COUPLE, CHILD_OF_COUPLE = "couple", "child_of_couple"
BATCH = 100_000
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Asked:
    """What the command line asks."""

    files: tuple[Path, ...]
    queries: tuple[str, ...] = ()
    relation: str = "parent"
    table: str = "nist1036_asian"
    mismatches: int = 2
    lr_min: float = 1e4
    leads_max: int = 100
    population: int | None = None
    index: Path | None = None
    theta: float = 0.01


@dataclass(frozen=True)
class Answer:
    """Of one query; `names[row_id]` is a lead's specimen, or couple."""

    specimen: str
    relation: str
    found: Found
    ranked: list[Ranked]
    names: Sequence[str]
    table: str
    table_sha256: str


def search_files(asked: Asked, progress: Progress, off_ladder: OffLadder = anything_goes) -> Iterator[Answer]:
    """An answer a query, in the order of the files; `off_ladder` judges the alleles of each row.

    Raises: SearchRefused, KinshipRefused, OSError, with the mend.
    """
    if asked.relation not in (*RELATIONS, COUPLE, CHILD_OF_COUPLE):
        known = ", ".join((*RELATIONS, COUPLE, CHILD_OF_COUPLE))
        raise SearchRefused(f"The relation {asked.relation!r} is not known; known: {known}.")
    table = load_table(asked.table)
    kinship = kinship_of(table, Model(theta=asked.theta))
    reading = read_profiles(asked.files, kinship.panel.loci, off_ladder)
    if reading.left_out:
        progress(f"Not in table {table.name}, left out: {', '.join(sorted(reading.left_out))}.")
    progress(f"{len(reading.profiles):,} profiles read.")
    ask = _couple_search if asked.relation in (COUPLE, CHILD_OF_COUPLE) else _pair_search
    for specimen, found, query, names in ask(asked, kinship, reading.profiles, progress):
        population = max(found.examined, 1) if asked.population is None else asked.population
        leads = ranked(found, kinship, query, population)
        yield Answer(specimen, asked.relation, found, leads, names, table.name, table.sha256)


_Answers = Iterator[tuple[str, Found, Query, Sequence[str]]]


def _pair_search(asked: Asked, kinship: Kinship, profiles: list[Profile], progress: Progress) -> _Answers:
    relation = RELATIONS[asked.relation]
    sought = {"parent": PARENTS, "child": ("child",)}.get(asked.relation, ())
    asking = {"parent": ("child",), "child": PARENTS}.get(asked.relation, ())
    candidates = [each for each in profiles if not sought or each.role in sought]
    index = _index(asked, kinship, candidates, progress)
    rows = {name: row for row, name in enumerate(index.names)}
    for number, profile in enumerate(_chosen(asked, profiles, asking), 1):
        query = Query(profile.genotypes, profile.sex, profile.dropout)
        # Nobody is their own relative: one more is asked for, and the query itself left out.
        own = rows.get(profile.specimen)
        found = relatives_of(
            index,
            kinship,
            query,
            relation,
            asked.mismatches,
            asked.lr_min,
            asked.leads_max + (own is not None),
        )
        yield profile.specimen, _without(found, own, asked.leads_max), query, index.names
        if number % 1000 == 0:
            progress(f"{number:,} searched.")


def _without(found: Found, row_id: int | None, leads_max: int) -> Found:
    if row_id is None:
        return found
    leads = tuple(lead for lead in found.leads if lead.row_id != row_id)
    # A query that is no lead of its own was not among the leads.
    own = len(found.leads) - len(leads)
    return replace(found, leads=leads[:leads_max], over=found.over - own, examined=found.examined - 1)


def _chosen(asked: Asked, profiles: list[Profile], roles: Sequence[str]) -> list[Profile]:
    by_specimen = {profile.specimen: profile for profile in profiles}
    missing = [specimen for specimen in asked.queries if specimen not in by_specimen]
    if missing:
        raise SearchRefused(f"No profile of specimen {missing[0]} in these files; check --query.")
    if asked.queries:
        return [by_specimen[specimen] for specimen in asked.queries]
    chosen = [profile for profile in profiles if not roles or profile.role in roles]
    if not chosen:
        raise SearchRefused(f"Nobody to search for: no row has the role {' or '.join(roles)}.")
    return chosen


def _index(asked: Asked, kinship: Kinship, candidates: list[Profile], progress: Progress) -> Index:
    table_sha256 = kinship.table_sha256
    if asked.index is not None and asked.index.exists():
        index = open_index(asked.index, panel=kinship.panel, table_sha256=table_sha256)
        if index.role != asked.relation:
            raise SearchRefused(
                f"{asked.index} holds candidates for {index.role}, not {asked.relation}; name another --index."
            )
        progress(f"{index.profiles:,} candidates from {asked.index}.")
        return index
    if not candidates:
        raise SearchRefused("Nobody to search among: no row has a role that fits the relation.")
    index = Index(kinship.panel, asked.relation)
    index.table_sha256 = table_sha256
    index.names = [each.specimen for each in candidates]
    for start in range(0, len(candidates), BATCH):
        some = candidates[start : start + BATCH]
        batch = kinship.panel.encode([each.genotypes for each in some], [each.dropout for each in some])
        index.append(batch, range(start, start + len(some)), [each.sex for each in some])
        progress(f"{start + len(some):,} of {len(candidates):,} candidates indexed.")
    index.compact()
    if asked.index is not None:
        save(index, asked.index)
        progress(f"Saved to {asked.index}; it holds genotypes, keep it as the profiles are kept.")
    return index


def _couple_search(asked: Asked, kinship: Kinship, profiles: list[Profile], progress: Progress) -> _Answers:
    if asked.index is not None:
        raise SearchRefused("Couples have no index file; leave out --index.")
    pairs = _couples(profiles)
    panel = kinship.panel
    if asked.relation == COUPLE:
        fathers, mothers = (list(side) for side in zip(*pairs.values(), strict=True))
        couples = Couples(panel)
        couples.append(_encoded(kinship, fathers), _encoded(kinship, mothers), range(len(pairs)))
        progress(f"{len(pairs):,} couples.")
        for profile in _chosen(asked, profiles, ("child",)):
            child = Query(profile.genotypes, profile.sex, profile.dropout)
            found = couples_of(couples, kinship, child, lr_min=asked.lr_min, leads_max=asked.leads_max)
            yield profile.specimen, found, child, list(pairs)
        return
    children = [profile for profile in profiles if profile.role == "child"]
    if not children:
        raise SearchRefused("Nobody to search among: no row has the role child.")
    index = Index(panel, "children")
    index.append(_encoded(kinship, children), range(len(children)))
    names = [child.specimen for child in children]
    unknown = [name for name in asked.queries if name not in pairs]
    if unknown:
        raise SearchRefused(f"No couple {unknown[0]} in these files; --query names the column couple here.")
    for name in asked.queries or tuple(pairs):
        father, mother = (Query(each.genotypes, each.sex, each.dropout) for each in pairs[name])
        found = children_of_couple(
            index, kinship, father, mother, lr_min=asked.lr_min, leads_max=asked.leads_max
        )
        # Strangers are counted at every locus that either parent has.
        yield name, found, Query({**mother.genotypes, **father.genotypes}), names


def _encoded(kinship: Kinship, profiles: Sequence[Profile]) -> Encoded:
    return kinship.panel.encode([each.genotypes for each in profiles], [each.dropout for each in profiles])


def _couples(profiles: Sequence[Profile]) -> dict[str, tuple[Profile, Profile]]:
    """Father and mother of each couple, in the order of the files.

    Raises: SearchRefused, naming a couple that is not one father and one mother.
    """
    members: dict[str, list[Profile]] = {}
    for profile in profiles:
        if profile.couple and profile.role in PARENTS:
            members.setdefault(profile.couple, []).append(profile)
    found: dict[str, tuple[Profile, Profile]] = {}
    for name, people in members.items():
        by_sex = {person.sex: person for person in people}
        if len(people) != 2 or not {"male", "female"} <= set(by_sex):
            raise SearchRefused(f"Couple {name} is not one father and one mother; mend its rows.")
        found[name] = (by_sex["male"], by_sex["female"])
    if not found:
        raise SearchRefused("There is no couple: give father and mother the same word in the column couple.")
    return found
