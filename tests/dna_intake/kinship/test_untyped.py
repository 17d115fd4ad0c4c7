"""Untyped people are kept in the likelihood: leaving them out changes it where mutation is not stationary."""

from __future__ import annotations

import numpy as np
import pytest

from dna_intake.kinship import FrequencyTable, Model, Mutation, Pedigree, Person, Typing, compare
from dna_intake.kinship.relations import duo

P = {"9": 0.2, "9.3": 0.3, "10": 0.5}
TABLE = FrequencyTable("t", "invented", {"TH01": P})
STEPWISE = Mutation("stepwise", 0.02, 0.005, 0.001)


def test_untyped_parent_is_kept_because_mutation_changes_what_is_passed_on() -> None:
    """A child of untyped parents is not a founder if mutation is not stationary; peers that prune differ here."""
    child = {"a": Typing({"TH01": ("9", "10")})}
    founder = Pedigree("founder", [Person("a")])
    born = Pedigree("born", [Person("f", "male"), Person("m", "female"), Person("a", "unknown", "f", "m")])

    kept = compare(born, founder, child, TABLE, Model(0, STEPWISE, 0, 0)).log10_lr
    stationary = Mutation("stepwise", 0.02, 0.005, 0.001, 0.1, stabilised=True)
    same = compare(born, founder, child, TABLE, Model(0, stationary, 0, 0)).log10_lr

    p = np.array([0.2, 0.3, 0.5])
    paternal, maternal = (p @ matrix(sex) for sex in ("male", "female"))
    expected = (paternal[0] * maternal[2] + paternal[2] * maternal[0]) / (2 * p[0] * p[2])
    assert np.log10(expected) == pytest.approx(kept, abs=1e-12)
    assert abs(kept) > 1e-3
    assert 0 == pytest.approx(same, abs=1e-12)


def matrix(sex: str) -> np.ndarray:
    """The stepwise table at 9, 9.3, 10, written out."""
    rate = {"male": 0.02, "female": 0.005}[sex]
    return np.array(
        [
            [1 - rate - 0.001, 0.001, rate],
            [0.0005, 1 - 0.001, 0.0005],
            [rate, 0.001, 1 - rate - 0.001],
        ]
    )


def test_people_without_typed_descendants_change_nothing() -> None:
    h1, h2 = duo()
    more = [*h1.people, Person("wife", "female"), Person("later", "unknown", "parent", "wife")]
    seen = {"parent": Typing({"TH01": ("9",)}), "child": Typing({"TH01": ("9", "10")})}

    found = [compare(h, h2, seen, TABLE, Model()).log10_lr for h in (h1, Pedigree("more", more))]

    assert found[0] == pytest.approx(found[1], abs=1e-12)
