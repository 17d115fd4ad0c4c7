"""Who is compared with whom: what a specimen is in the index, and in which part of it it lies.

A child is compared with the families, and a member of a family with the children: parents alone and as declared
couples, and the relatives that were typed because a parent can't be. Nobody is compared with their own kind.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import Literal, get_args
from uuid import UUID

from contracts.dna import SpecimenCategory

SearchRelation = Literal["parent", "couple", "full_sibling", "grandparent", "uncle_aunt"]
"""What the family's member is to the child, if the lead is true."""
RELATIONS: tuple[SearchRelation, ...] = get_args(SearchRelation)


class Kind(IntEnum):
    """What a profile is in the index; the numbers stand in the database."""

    child = 0
    father = 1
    mother = 2
    parent = 3
    full_sibling = 4
    paternal_grandfather = 5
    paternal_grandmother = 6
    maternal_grandfather = 7
    maternal_grandmother = 8
    uncle_aunt = 9


PARENTS = frozenset({Kind.father, Kind.mother, Kind.parent})


def kind_of(category: SpecimenCategory, relation: str | None, registered_sex: str | None) -> Kind:
    """What a specimen is to the search; a family's specimen of no stated relation is a parent's.

    Source: the category itself (parent of a missing child); the county plan takes the parents' blood.
    """
    if category != "parent_of_missing_child":
        return Kind.child
    if relation is not None:
        return Kind[relation]
    by_sex = {"male": Kind.father, "female": Kind.mother}
    return by_sex.get(registered_sex or "", Kind.parent)


def relation_to_child(kind: Kind) -> SearchRelation:
    """As what this member of a family is compared with the children."""
    if kind in PARENTS:
        return "parent"
    if kind is Kind.full_sibling:
        return "full_sibling"
    return "uncle_aunt" if kind is Kind.uncle_aunt else "grandparent"


def relations_of(kind: Kind, wanted: Iterable[str] = ()) -> tuple[SearchRelation, ...]:
    """The relations that a search for this specimen looks for; `wanted` narrows them.

    Raises: ValueError, naming the relations there are, if nothing is left.
    """
    if kind is Kind.child:
        possible: tuple[SearchRelation, ...] = RELATIONS
    else:
        possible = ("parent", "couple") if kind in PARENTS else (relation_to_child(kind),)
    chosen = tuple(each for each in possible if each in set(wanted)) if wanted else possible
    if not chosen:
        raise ValueError(f"A specimen of this kind can be searched for as {', '.join(possible)}.")
    return chosen


def may_be_a_couple(one: Kind, other: Kind) -> bool:
    """Can these two parents of one case be the child's two parents?"""
    return {one, other} <= PARENTS and (one is not other or one is Kind.parent)


def key_hash(specimen_id: UUID) -> int:
    """Kafka's hash of the specimen's key, without its sign: the producer of its facts uses the same.

    murmur2 with Kafka's seed over the bytes of the key, as `DefaultPartitioner` of Kafka and aiokafka have it; a
    test compares it with aiokafka's own.
    """
    key = str(specimen_id).encode()
    mask, m = 0xFFFFFFFF, 0x5BD1E995
    h = (0x9747B28C ^ len(key)) & mask
    for at in range(0, len(key) - len(key) % 4, 4):
        k = int.from_bytes(key[at : at + 4], "little")
        k = (k * m) & mask
        k = ((k ^ (k >> 24)) * m) & mask
        h = ((h * m) & mask) ^ k
    rest = key[len(key) - len(key) % 4 :]
    if rest:
        h = ((h ^ int.from_bytes(rest, "little")) * m) & mask
    h = ((h ^ (h >> 13)) * m) & mask
    return (h ^ (h >> 15)) & 0x7FFFFFFF


def partition_of(specimen_id: UUID, partitions: int) -> int:
    """The partition of guitu.dna on which the specimen's own facts are."""
    return key_hash(specimen_id) % partitions
