"""Relations of two people as the paths on which founder genes reach their four genes.

A gene slot is q1, q2 (the query) or c1, c2 (the candidate); the two orders of a genotype are summed by whoever
uses this. A founder gene is what an untyped founder, or a typed one, brings in; each of its paths is a slot and the
sexes of the people who pass it on ("" if the slot is the founder's own: "mf" is a man, then a woman). A relation is a
sum of configurations of founder genes, weighted by the probability of their inheritance.

With founder genes drawn by the subpopulation's urn (theta), every such sum falls apart into blocks of founder genes
that are one and the same, see `pair_tables`. Untyped people are never pruned: a gene of an untyped parent is drawn
and passed on with mutation (reference: pruning changes the answer under a non-stationary mutation model).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from dna_intake.search.refusals import SearchRefused

Slot = Literal["q1", "q2", "c1", "c2"]
Gene = tuple[tuple[Slot, str], ...]
"""One founder gene: where it goes, and through whose hands."""
Configuration = tuple[float, tuple[Gene, ...]]
Programme = tuple[Configuration, ...]

OTHER_SEX = {"m": "f", "f": "m"}
# An unknown sex is taken as a man's: the higher mutation rate loses nobody.
LETTER = {"male": "m", "female": "f", "unknown": "m"}


@dataclass(frozen=True)
class Relation:
    """What the candidate would be to the query; `via` is the sex of the parent in between, where one is.

    `exclusive` relations have loci that (without mutation) exclude; only they can be prefiltered.
    """

    name: str
    via: Literal["male", "female", "unknown"] = "unknown"

    @property
    def exclusive(self) -> bool:
        """True for parent and child."""
        return self.name in ("parent", "child")


PARENT = Relation("parent")
CHILD = Relation("child")
FULL_SIBLING = Relation("full_sibling")
RELATIONS = {
    "parent": PARENT,
    "child": CHILD,
    "full_sibling": FULL_SIBLING,
    "paternal_half_sibling": Relation("half_sibling", "male"),
    "maternal_half_sibling": Relation("half_sibling", "female"),
    "paternal_grandparent": Relation("grandparent", "male"),
    "maternal_grandparent": Relation("grandparent", "female"),
    "paternal_grandchild": Relation("grandchild", "male"),
    "maternal_grandchild": Relation("grandchild", "female"),
    "paternal_uncle_aunt": Relation("uncle_aunt", "male"),
    "maternal_uncle_aunt": Relation("uncle_aunt", "female"),
    "paternal_nephew_niece": Relation("nephew_niece", "male"),
    "maternal_nephew_niece": Relation("nephew_niece", "female"),
}
"""What the command line and the service may ask for."""


def related(relation: Relation, candidate_sex: str, query_sex: str) -> Programme:
    """The programme of H1: the candidate stands in this relation to the query.

    Raises: SearchRefused, for a relation that is not known.
    """
    candidate, query, via = LETTER[candidate_sex], LETTER[query_sex], LETTER[relation.via]
    alone: Programme = ((1.0, ((("q2", OTHER_SEX[via]),), (("c2", OTHER_SEX[via]),))),)
    programmes: dict[str, Callable[[], Programme]] = {
        "parent": lambda: _parent(candidate),
        "child": lambda: _turned(_parent(query)),
        "full_sibling": lambda: _both(_shared("1", "m"), _shared("2", "f")),
        "half_sibling": lambda: _both(_shared("1", via), alone),
        "grandparent": lambda: _grandparent(candidate, via),
        "grandchild": lambda: _turned(_grandparent(query, via)),
        "uncle_aunt": lambda: _uncle(via),
        "nephew_niece": lambda: _turned(_uncle(via)),
    }
    if relation.name not in programmes:
        raise SearchRefused(f"The relation {relation.name!r} is not known; known: {', '.join(RELATIONS)}.")
    return programmes[relation.name]()


UNRELATED: Programme = ((1.0, ((("q1", ""),), (("q2", ""),), (("c1", ""),), (("c2", ""),))),)
"""H2: two people of the population who are not related; theta still joins their alleles."""


def _parent(sex: str) -> Programme:
    genes: tuple[Gene, ...] = ((("c1", ""), ("q1", sex)), (("c2", ""),), (("q2", OTHER_SEX[sex]),))
    return ((1.0, genes),)


def _shared(place: str, sex: str) -> Programme:
    """Two siblings' genes from one parent: half the time the same one."""
    query: Slot = "q1" if place == "1" else "q2"
    candidate: Slot = "c1" if place == "1" else "c2"
    same: tuple[Gene, ...] = (((query, sex), (candidate, sex)),)
    apart: tuple[Gene, ...] = (((query, sex),), ((candidate, sex),))
    return ((0.5, same), (0.5, apart))


def _grandparent(sex: str, via: str) -> Programme:
    other: Gene = (("q2", OTHER_SEX[via]),)
    inherited: tuple[Gene, ...] = ((("c1", ""), ("q1", sex + via)), (("c2", ""),), other)
    passed_by: tuple[Gene, ...] = (
        (("c1", ""),),
        (("c2", ""),),
        (("q1", OTHER_SEX[sex] + via),),
        other,
    )
    return ((0.5, inherited), (0.5, passed_by))


def _uncle(via: str) -> Programme:
    found: list[Configuration] = []
    for shared, giver, other_slot, other in (("c1", "m", "c2", "f"), ("c2", "f", "c1", "m")):
        own, rest = _slot(shared), _slot(other_slot)
        tail: tuple[Gene, ...] = (((rest, other),), (("q2", OTHER_SEX[via]),))
        found.append((0.25, (((own, giver), ("q1", giver + via)), *tail)))
        found.append((0.25, (((own, giver),), (("q1", giver + via),), *tail)))
    return tuple(found)


def _slot(name: str) -> Slot:
    return "c1" if name == "c1" else "c2"


_TURN: dict[Slot, Slot] = {"q1": "c1", "q2": "c2", "c1": "q1", "c2": "q2"}


def _turned(programme: Programme) -> Programme:
    """The same relation seen from the other side."""
    return tuple(
        (weight, tuple(tuple((_TURN[slot], path) for slot, path in gene) for gene in genes))
        for weight, genes in programme
    )


def _both(one: Programme, other: Programme) -> Programme:
    """Independent inheritance from two parents."""
    return tuple((a * b, (*genes, *more)) for a, genes in one for b, more in other)


def partitions(genes: int, theta: float) -> Sequence[tuple[float, tuple[tuple[int, ...], ...]]]:
    """How founder genes fall together by common descent in the subpopulation, with probabilities.

    The urn of Balding and Nichols (1994): the next gene is a copy of one of n earlier ones with theta / (1 + (n-1)
    theta) each. Partitions of probability 0 are left out.
    """
    found: list[tuple[float, tuple[tuple[int, ...], ...]]] = [(1.0, ())]
    for gene in range(genes):
        whole = 1.0 + (gene - 1) * theta
        grown: list[tuple[float, tuple[tuple[int, ...], ...]]] = []
        for weight, blocks in found:
            grown.append((weight * (1.0 - theta) / whole, (*blocks, (gene,))))
            for place, block in enumerate(blocks):
                more = (*blocks[:place], (*block, gene), *blocks[place + 1 :])
                grown.append((weight * len(block) * theta / whole, more))
        found = [each for each in grown if each[0] > 0]
    return found
