"""Fields that cases and results share: strict models, ids, loci, shares, and how far a file may go."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

PEOPLE_MAX = 60
LOCI_MAX = 100
ALLELES_MAX = 200
"""Alleles of one locus in a table."""
ALLELES_OF_A_PERSON_MAX = 8
"""More than two are read, so that they can be refused with the person and the locus."""
LINKED_MAX = 20

Sex = Literal["male", "female", "unknown"]
Mode = Literal["full", "gbt37223"]


class Strict(BaseModel):
    """Unknown fields, infinities and changes after reading are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def _as_text(value: Any) -> Any:
    """Spreadsheets write alleles and ids as numbers; 9.0 is allele 9."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return f"{value:g}"


_NUMBER_OR_TEXT = {"type": ["string", "number"]}

PersonId = Annotated[
    str,
    Field(min_length=1, max_length=60),
    BeforeValidator(_as_text),
    WithJsonSchema({"type": ["string", "integer"], "minLength": 1, "maxLength": 60}),
]
"""A pseudonym such as a specimen id or a role, never a name."""

LocusName = Annotated[str, Field(min_length=1, max_length=30)]
Allele = Annotated[str, Field(max_length=8), BeforeValidator(_as_text), WithJsonSchema(_NUMBER_OR_TEXT)]
"""A repeat number such as "9" or "9.3"."""

Share = Annotated[float, Field(ge=0, le=1)]
Rate = Annotated[float, Field(ge=0, lt=1)]
Text = Annotated[str, Field(max_length=500)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
