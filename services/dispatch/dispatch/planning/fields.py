"""Fields that instances and results share: strict models, ids, times, and how far a file may go."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

NODES_MAX = 500_000
EDGES_MAX = 2_000_000
UNITS_MAX = 500
PLACES_MAX = 5_000
ROUTES_MAX = 20_000
STOPS_MAX = 2_000
EXITS_MAX = 2_000
HYPOTHESES_MAX = 500
LIST_MAX = 10_000
WEEK_S = 7 * 24 * 3600.0  # An axis of seconds longer than a week is a mistake of units.


class Strict(BaseModel):
    """Unknown fields, infinities and changes after reading are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def _as_text(value: Any) -> Any:
    """Data sets number their nodes; ids are text here."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Id = Annotated[
    str,
    Field(min_length=1, max_length=100),
    BeforeValidator(_as_text),
    WithJsonSchema({"type": ["string", "integer"], "minLength": 1, "maxLength": 100}),
]
"""A name of a node, unit, place or exit; whole numbers are read as text."""

Seconds = Annotated[float, Field(ge=0, le=WEEK_S)]
"""A length of time."""

Moment = Annotated[float, Field(ge=-WEEK_S, le=WEEK_S)]
"""A moment on the instance's own axis of seconds."""

Share = Annotated[float, Field(ge=0, le=1)]
"""A share of probability."""
