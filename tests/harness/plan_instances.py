"""Small instances of the planner as JSON, to be bent by tests."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from dispatch.planning.instance import Instance
from dispatch.planning.instance_files import question_of
from dispatch.planning.question import Question

HERE = Path(__file__).parent

# A street of five corners, 1 km at 60 km/h each: a (start), b, c, d, e (the way out). Each kilometre takes a minute.
STREET: dict[str, Any] = {
    "format": "guitu.plan.instance.v1",
    "name": "A street that is nowhere",
    "network": {
        "nodes": [[name, 0.009 * at, 0.0] for at, name in enumerate("abcde")],
        "edges": [
            {"source": tail, "target": head, "length_m": 1000, "speed_kmh": 60, "both_ways": True}
            for tail, head in ("ab", "bc", "cd", "de")
        ],
    },
    "start": {"node": "a"},
    "report_s": 0,
    "delay_s": 10,
    "sure": {"modes": ["car"], "car_factor": 1.0},
    "units": [{"id": "U1", "node": "e"}],
    "places": [{"id": "P1", "node": "d"}],
    "exits": [{"id": "out", "node": "e"}],
    "limits": {"routes": 50, "fresh_routes": 50, "deadline_s": 1},
}


def bent(instance: Mapping[str, Any] = STREET, **changes: Any) -> dict[str, Any]:
    """A copy with these fields changed; a dict is merged into the field's own, None takes the field away."""
    made = deepcopy(dict(instance))
    for field, value in changes.items():
        if value is None:
            made.pop(field, None)
        elif isinstance(value, dict) and isinstance(made.get(field), dict):
            made[field] = {**made[field], **value}
        else:
            made[field] = value
    return made


def ask(written: dict[str, Any], beside: Path = HERE) -> Question:
    """The question of an instance that is written as JSON."""
    return question_of(Instance.model_validate(written), beside, written)
