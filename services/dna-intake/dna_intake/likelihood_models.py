"""What is asked and answered at `POST /likelihood-ratios`: a case as files have it, people also by specimen."""

from __future__ import annotations

from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, StringConstraints, model_validator

from dna_intake.kinship_files.case import CasePerson, LrCase
from dna_intake.kinship_files.result import LrResult

PEOPLE_MAX = 20
"""The service answers at once and for many; a larger family is a case for `guitu dna lr`."""

Purpose = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=4, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$"),
]
"""Why somebody looks, such as the number of an order; it goes to the audit log, so never a name."""


class AskedPerson(CasePerson):
    """Somebody with genotypes written out, or with the profile that was entered for a specimen."""

    specimen_id: UUID | None = Field(None, description="Its entered profile is opened inside the service.")

    @model_validator(mode="after")
    def _is_typed_once(self) -> Self:
        if self.specimen_id is not None and self.genotypes:
            raise ValueError("give genotypes or specimen_id, not both")
        return self


class AskLikelihoodRatio(LrCase):
    """A case with its purpose; files can't be named, and people may be specimens."""

    people: Annotated[list[AskedPerson], Field(min_length=1, max_length=PEOPLE_MAX)]  # type: ignore[assignment]
    purpose: Purpose

    @model_validator(mode="after")
    def _is_answerable(self) -> Self:
        specimens = [one.specimen_id for one in self.people if one.specimen_id is not None]
        if len(set(specimens)) < len(specimens):
            raise ValueError("one specimen can't be two people")
        for hypothesis in (self.h1, self.h2):
            if hypothesis is not None and len(hypothesis.people) > PEOPLE_MAX:
                raise ValueError(
                    f"a hypothesis may have {PEOPLE_MAX} people here; use `guitu dna lr` for more"
                )
        return self

    @property
    def specimens(self) -> dict[str, UUID]:
        """Person -> specimen, of those who are specimens."""
        return {one.id: one.specimen_id for one in self.people if one.specimen_id is not None}


class LikelihoodRatioAnswer(LrResult):
    """The result; of specimens no likelihood of one hypothesis is given, since it would tell the genotype."""
