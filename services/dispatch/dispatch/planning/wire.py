"""Questions and plans as bytes between the service and its prover: a length, then numpy's own format or JSON.

Nothing is pickled, so neither side can make the other run anything. A float comes out as it went in.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from io import BytesIO

import numpy as np

from dispatch.planning.model import Coverage, Solution, Stage

LENGTH_BYTES = 8


def framed(payload: bytes) -> bytes:
    """The payload with its length before it."""
    return len(payload).to_bytes(LENGTH_BYTES, "big") + payload


def pack_question(
    coverage: Coverage, deadline_s: float, hint: Solution | None, seed: int, work: float | None
) -> bytes:
    """All that `solve` needs."""
    rest = {
        "deadline_s": deadline_s,
        "seed": seed,
        "work": work,
        "hint": None if hint is None else asdict(hint),
    }
    arrays = {
        "weights": coverage.weights,
        "last_pass_s": coverage.last_pass_s,
        "ready_s": coverage.ready_s,
        "detection": coverage.detection,
        "margin_s": np.array(coverage.margin_s),
        "pinned": np.array(coverage.pinned, dtype=np.int64).reshape(-1, 2),
        "rest": np.frombuffer(json.dumps(rest).encode(), dtype=np.uint8),
    }
    if coverage.bonus is not None:
        arrays["bonus"] = coverage.bonus
    packed = BytesIO()
    np.savez(packed, **arrays)  # type: ignore[arg-type]
    return packed.getvalue()


def unpack_question(payload: bytes) -> tuple[Coverage, float, Solution | None, int, float | None]:
    """Coverage, deadline, hint, seed, work."""
    with np.load(BytesIO(payload), allow_pickle=False) as arrays:
        rest = json.loads(arrays["rest"].tobytes())
        coverage = Coverage(
            weights=arrays["weights"],
            last_pass_s=arrays["last_pass_s"],
            ready_s=arrays["ready_s"],
            detection=arrays["detection"],
            margin_s=float(arrays["margin_s"]),
            pinned=tuple((int(u), int(p)) for u, p in arrays["pinned"]),
            bonus=arrays.get("bonus"),
        )
    hint = None if rest["hint"] is None else _solution(rest["hint"])
    return coverage, rest["deadline_s"], hint, rest["seed"], rest["work"]


def pack_plan(plan: Solution) -> bytes:
    """A plan, with its stages."""
    return json.dumps(asdict(plan)).encode()


def unpack_plan(payload: bytes) -> Solution:
    """The plan that `pack_plan` packed."""
    return _solution(json.loads(payload))


def _solution(fields: dict[str, object]) -> Solution:
    stages = tuple(Stage(**stage) for stage in fields["stages"])  # type: ignore[attr-defined]
    return Solution(**{**fields, "place_of": tuple(fields["place_of"]), "stages": stages})  # type: ignore[arg-type]
