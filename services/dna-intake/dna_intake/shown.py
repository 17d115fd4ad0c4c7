"""Specimens as people see them: the one place where a row is turned into an answer."""

from __future__ import annotations

from dna_intake.models import SpecimenRow, SpecimenShown

BEHIND_THE_WALL = frozenset({"case_link", "case_sealed"})


def shown(row: SpecimenRow) -> SpecimenShown:
    """That it belongs to a case, never to which."""
    linked = row.case_link is not None
    return SpecimenShown(**row.model_dump(exclude=set(BEHIND_THE_WALL)), linked_to_case=linked)
