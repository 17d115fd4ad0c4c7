"""A step of all against all: the leads of some children, with the same thresholds as their searches."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from dna_intake.domain.kin import RELATIONS
from dna_intake.matching.comparing import Exact, child_leads, person_in
from dna_intake.matching.index import Held
from dna_intake.matching.terms import Thresholds
from dna_intake.models_search import Found
from dna_intake.search import Kinship


def leads_of_children(
    held: Held, kinship: Kinship, rows: NDArray[np.int64], terms: Thresholds, exact: Exact
) -> Iterator[Found]:
    """Each child against everybody of the families here."""
    for row in rows.tolist():
        yield from child_leads(held, kinship, person_in(held, kinship, row), RELATIONS, terms, exact)
