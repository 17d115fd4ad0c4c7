"""The independent checker: believes no result, recomputes what it claims, and says so in sentences.

Plain Python with a Dijkstra of its own; it shares no code and no type with the planner, so that the same mistake can't
be made twice. It is slow (pure Python) and meant to be read: `checker_roads` (ways and times), `checker_guarantee`
(verdicts), `checker_plan` (orders, value and bound) and `checker_sealing`.
"""

from __future__ import annotations

from dispatch.planning.checker_guarantee import Verdicts
from dispatch.planning.checker_model import CheckInstance, CheckResult, Findings
from dispatch.planning.checker_plan import Plans
from dispatch.planning.checker_roads import Readiness


def examine(instance: CheckInstance, result: CheckResult) -> Findings:
    """Check all that the result claims. It is right if `wrong` is empty; `trusted` is what nobody could recompute.

    Raises: ValueError for a road of negative seconds; KeyError for a pin that names no unit or place.
    """
    findings = Findings()
    readiness = Readiness(instance)
    Plans(instance, readiness, findings).check(result)
    Verdicts(instance, readiness, findings).check(result)
    return findings


def check(instance: CheckInstance, result: CheckResult) -> list[str]:
    """What is wrong with the result, in sentences; empty if all that it claims was verified or marked as trust."""
    return examine(instance, result).wrong
