"""What runs in the matcher's process: it holds the index, and every function here is one request of the service.

The process has one index in one module variable, since it exists for that alone; requests come one at a time.
Nothing is logged here: what the process says is its answer, and an answer has specimen ids and ratios only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from time import perf_counter

from dna_intake.domain.kin import Kind, SearchRelation
from dna_intake.domain.packed import STR_LOCI
from dna_intake.kinship import (
    VWA_D12S391,
    FrequencyTable,
    KinshipRefused,
    Model,
    Typing,
    compare,
    load_table,
)
from dna_intake.matching import loading
from dna_intake.matching.all_pairs import leads_of_children
from dna_intake.matching.comparing import (
    Person,
    all_relatives,
    child_leads,
    family_leads,
    hypotheses,
    person_in,
)
from dna_intake.matching.index import Held
from dna_intake.matching.loading import Piece
from dna_intake.matching.sealed_rows import opened_profiles
from dna_intake.matching.terms import Source, Status, Thresholds
from dna_intake.models_search import Answer, Change, NewRatio, SealedProfile, Terms
from dna_intake.search import Kinship, kinship_of


@dataclass
class _State:
    source: Source = field(repr=False)
    table: FrequencyTable
    model: Model
    thresholds: Thresholds
    kinship: Kinship = field(repr=False)
    held: Held = field(repr=False)


_STATES: list[_State] = []


def build(source: Source, table: str, thresholds: Thresholds) -> tuple[Status, Terms]:
    """Read every profile of the held partitions into memory; whatever was held before is let go."""
    _STATES.clear()
    frequencies = load_table(table)
    model = model_for(frequencies)
    kinship = kinship_of(frequencies, model, loci_of(frequencies))
    held = Held(kinship.panel, source.partitions, frozenset(source.held))
    generation, pieces = asyncio.run(_read(source, kinship))
    held.generation = generation
    held.add(pieces)
    _STATES.append(_State(source, frequencies, model, thresholds, kinship, held))
    return _status(), Terms(frequencies.name, frequencies.sha256, asdict(model))


def model_for(table: FrequencyTable) -> Model:
    """What the service compares with: the usual model, its minimum frequency stated, and the linked pair."""
    pair = VWA_D12S391
    linked = (pair,) if {pair.first, pair.second} <= set(loci_of(table)) else ()
    return Model(minimum_frequency=table.minimum_frequency, linked=linked)


def loci_of(table: FrequencyTable) -> tuple[str, ...]:
    """The loci of the search: those of the packed form that the table has frequencies for."""
    return tuple(locus for locus in STR_LOCI if locus in table.loci)


async def _read(source: Source, kinship: Kinship) -> tuple[int, list[Piece]]:
    found = [each async for each in loading.pieces(source, kinship.panel)]
    return found[0][0], [piece for _, piece in found]


def follow(changes: Sequence[Change], beside: Sequence[SealedProfile]) -> Status:
    """Take changes in, in their order; `beside` are the parents of the same cases, for couples over partitions.

    The same changes again leave the same index. Whoever left has been overwritten when this returns.
    """
    state = _state()
    touched = {change.specimen_id for change in changes}
    latest = {change.specimen_id: change.profile for change in changes}
    # A spouse that lies elsewhere is a guest, and may have become one only now.
    for each in beside:
        if each.key_hash % state.held.partitions not in state.held.held:
            touched.add(each.specimen_id)
            latest.setdefault(each.specimen_id, each)
    state.held.remove(touched)
    come = [profile for profile in latest.values() if profile is not None]
    if come:
        opened = opened_profiles(come, state.source.master)
        state.held.add([loading.coded(opened, state.kinship.panel)])
    state.held.generation = max(state.held.generation, changes[-1].generation)
    return _status()


def search(who: SealedProfile, wanted: Sequence[SearchRelation], beside: Sequence[SealedProfile]) -> Answer:
    """Compare one specimen with everybody of the other side who is held here."""
    state, begun = _state(), perf_counter()
    person = _person(who)
    if person is None:
        # Not an empty answer: who was compared with nobody must not count as searched.
        raise LookupError(f"The profile of specimen {who.specimen_id} does not open with the vault key.")
    if person.kind is Kind.child:
        found = list(child_leads(state.held, state.kinship, person, wanted, state.thresholds, _exact))
        compared = state.held.compared_by_partition(all_relatives(wanted))
    else:
        mates = [mate for each in beside if (mate := _person(each)) is not None and mate.id != person.id]
        found = list(family_leads(state.held, state.kinship, person, mates, wanted, state.thresholds, _exact))
        compared = state.held.compared_by_partition((Kind.child,))
    return Answer(state.held.generation, dict(compared), found, (perf_counter() - begun) * 1000)


def step(partition: int, elsewhere: Sequence[SealedProfile] | None) -> Answer:
    """Compare one partition's children with all families here: a step of all against all.

    `elsewhere` are that partition's children; None, if it is held here. If it is held no more by now, nobody is
    compared and the answer names no partition.
    """
    state, begun = _state(), perf_counter()
    if elsewhere is None and partition not in state.held.held:
        return Answer(state.held.generation, {}, (), 0.0)
    if elsewhere is None:
        rows = state.held.rows_of(Kind.child, partition).tolist()
        children = [person_in(state.held, state.kinship, row) for row in rows]
    else:
        children = [person for each in elsewhere if (person := _person(each)) is not None]
    found = list(leads_of_children(state.held, state.kinship, children, state.thresholds, _exact))
    families = state.held.compared_by_partition(kind for kind in Kind if kind is not Kind.child)
    compared = {here: count * len(children) for here, count in families.items()}
    took = (perf_counter() - begun) * 1000
    return Answer(state.held.generation, compared, found, took, families.total())


def ratio(
    people: Sequence[SealedProfile],
    relation: SearchRelation,
    added: Sequence[dict[str, tuple[str, ...]]],
    table: str,
    master: bytes,
) -> NewRatio:
    """The exact ratio of a child and its relatives over the entered profiles with further loci; needs no index.

    The entered genotype of a locus stands; what is added counts where there was none.
    """
    persons = [person for each in people if (person := _opened(each, master)) is not None]
    if len(persons) != len(people):
        return NewRatio(refused_at="profile")
    whole = [
        Person(one.id, one.kind, one.sex, {**more, **one.genotypes})
        for one, more in zip(persons, added, strict=True)
    ]
    try:
        frequencies = load_table(table)
        return exact_ratio(whole[0], whole[1:], relation, frequencies, model_for(frequencies))
    except KinshipRefused as error:
        return NewRatio(refused_at=error.locus or "profile")


def _exact(child: Person, relatives: Sequence[Person], relation: SearchRelation) -> NewRatio:
    state = _state()
    return exact_ratio(child, relatives, relation, state.table, state.model)


def exact_ratio(
    child: Person,
    relatives: Sequence[Person],
    relation: SearchRelation,
    table: FrequencyTable,
    model: Model,
) -> NewRatio:
    """What the exact library says of named people. Raises: KinshipRefused, naming the locus."""
    h1, h2 = hypotheses(child, relatives, relation)
    typed = {str(one.id): Typing(one.genotypes) for one in (child, *relatives)}
    found = compare(h1, h2, typed, table, model)
    # Two linked loci are one row of the result.
    loci = sum(len(each.locus.split("+")) for each in found.loci)
    return NewRatio(found.log10_lr, loci, inconsistent(child, relatives, table))


def inconsistent(child: Person, relatives: Sequence[Person], table: FrequencyTable) -> int:
    """Loci at which the relatives, as parents, can't have given the child's alleles without mutation."""
    count = 0
    for locus in child.genotypes.keys() & table.loci.keys():
        shared = [set(one.genotypes[locus]) for one in relatives if locus in one.genotypes]
        count += bool(shared) and not _explained(set(child.genotypes[locus]), shared)
    return count


def _explained(child: set[str], parents: Sequence[set[str]]) -> bool:
    first, last = min(child), max(child)
    if len(parents) == 1:
        return bool(child & parents[0])
    one, other = parents
    return (first in one and last in other) or (last in one and first in other)


def _person(sealed: SealedProfile) -> Person | None:
    """A profile in the clear; None if it does not open, which the status counts."""
    return _opened(sealed, _state().source.master)


def _opened(sealed: SealedProfile, master: bytes) -> Person | None:
    rows = opened_profiles([sealed], master)
    if not len(rows.ids):
        return None
    sex = int(loading.sexes_of(rows)[0])
    return Person.of(sealed.specimen_id, Kind(int(rows.kinds[0])), sex, rows.alleles[0])


def _status() -> Status:
    held = _state().held
    return Status(held.generation, held.profiles, held.nbytes, held.unreadable)


class NoIndex(RuntimeError):
    """This process holds no index: it was started in the place of one that died."""


def _state() -> _State:
    if not _STATES:
        raise NoIndex("No index is built in this process.")
    return _STATES[0]
