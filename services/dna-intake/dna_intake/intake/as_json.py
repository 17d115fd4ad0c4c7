"""Profiles as JSON, the one format that can say everything: into samples.

`{"kit": "PowerPlex 21", "specimens": [{"specimen": BARCODE OR ID, "loci": {"TH01": ["6", "9.3"]}, "retyped": []}]}`
"""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import Field as PydanticField
from pydantic import StringConstraints, ValidationError

from dna_intake.intake.gathering import Gathering
from dna_intake.intake.genemapper import decoded
from dna_intake.intake.sheet import (
    ALLELE_MAX,
    ALLELES_MAX,
    LOCI_MAX,
    NAME_MAX,
    SAMPLES_MAX,
    FileRefused,
    RowTrouble,
    Sheet,
    refused,
)
from guitu.problem import ApiModel

Text = Annotated[str, StringConstraints(min_length=1, max_length=NAME_MAX, strip_whitespace=True)]
Marker = Annotated[str, StringConstraints(min_length=1, max_length=20)]
Value = Annotated[str, StringConstraints(max_length=ALLELE_MAX)]
Values = Annotated[list[Value], PydanticField(max_length=ALLELES_MAX)]


class SpecimenIn(ApiModel):
    """One specimen of the file; `retyped` names loci that were typed again, with the same rare allele."""

    specimen: Text
    loci: Annotated[dict[Marker, Values], PydanticField(min_length=1, max_length=LOCI_MAX)]
    retyped: Annotated[tuple[Marker, ...], PydanticField(max_length=LOCI_MAX)] = ()


class ProfilesIn(ApiModel):
    """The file; without `kit` the request must name it."""

    kit: Text | None = None
    specimens: Annotated[list[SpecimenIn], PydanticField(min_length=1, max_length=SAMPLES_MAX)]


class _Doubled(ValueError):
    """A name stands twice in one object."""


def read_json(raw: bytes) -> Sheet:
    """The samples of a JSON file; the line of a trouble is the place in `specimens`, from 1. Raises: FileRefused."""
    try:
        sent = ProfilesIn.model_validate(json.loads(decoded(raw), object_pairs_hook=_once))
    except _Doubled:
        raise refused(
            "A name stands twice in one object.", "同一对象内名称重复。", "Send each locus once."
        ) from None
    except ValidationError as error:
        raise FileRefused([_row(item) for item in error.errors(include_input=False)]) from None
    except (ValueError, RecursionError):
        raise refused(
            "The JSON can't be read.", "JSON 无法解析。", "Export it again; it may be cut off."
        ) from None
    gathering = Gathering()
    for line, one in enumerate(sent.specimens, start=1):
        if gathering.has(one.specimen):
            gathering.trouble(
                line,
                one.specimen,
                "",
                "The specimen is there twice.",
                "检材重复。",
                "Send each specimen once a file.",
            )
            continue
        gathering.begin(line, one.specimen)
        for marker, alleles in one.loci.items():
            gathering.add(line, one.specimen, marker, alleles, retyped=marker in one.retyped)
    return Sheet("json", sent.kit, gathering.samples())


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Doubled
    return found


def _row(item: Any) -> RowTrouble:
    """Where and what, by the path in the file; the value that was sent is not repeated."""
    path = item["loc"]
    place = next((part for part in path if isinstance(part, int)), None)
    named = [str(part)[:20] for part in path if isinstance(part, str) and part not in ("specimens", "[key]")]
    return RowTrouble(
        None if place is None else place + 1,
        "",
        ".".join(named[:3]),
        f"The field is not as it must be ({item['type']}).",
        "字段格式不正确。",
        "See docs/profiles_in.md for the form of the file.",
    )
