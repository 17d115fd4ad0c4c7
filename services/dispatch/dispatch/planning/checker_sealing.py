"""The checker's word on a sealing: one unit at every access, the last as early as can be, then the sum.

No sooner: some accesses are reached before that moment by fewer units than there are accesses (Hall, 1935). No smaller
sum: prices that no pair of unit and access undercuts (duality of the assignment problem).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dispatch.planning.checker_model import NEVER, TOLERANCE_S, Findings, Name


@dataclass(frozen=True)
class CheckSealing:
    """`unit_of` is access -> unit, None if it can't be done. `short` are accesses that too few units reach in time:
    before `last_s`, or ever if it can't be done.

    `access_prices` and `unit_prices` (0 or less) add up to `total_s`.
    """

    unit_of: Mapping[Name, Name] | None
    last_s: float | None = None
    total_s: float | None = None
    short: Sequence[Name] = ()
    access_prices: Mapping[Name, float] | None = None
    unit_prices: Mapping[Name, float] | None = None


def examine_sealing(ready_s: Mapping[Name, Mapping[Name, float]], sealing: CheckSealing) -> Findings:
    """Check a sealing against unit -> access -> seconds (an access that a unit can't reach is left out)."""
    findings = Findings()
    if sealing.unit_of is None:
        _check_short(ready_s, sealing.short, NEVER, findings)
        return findings
    if len(set(sealing.unit_of.values())) < len(sealing.unit_of):
        findings.wrong.append("A unit is sent to two accesses.")
    arrivals = [ready_s.get(unit, {}).get(access, NEVER) for access, unit in sealing.unit_of.items()]
    if not all(arrival < NEVER for arrival in arrivals):
        findings.wrong.append("A unit can't reach the access that it is sent to.")
    if findings.wrong or not arrivals:
        return findings
    last_s, total_s = max(arrivals), sum(arrivals)
    if sealing.last_s is None or abs(sealing.last_s - last_s) > TOLERANCE_S:
        findings.wrong.append(f"The last unit arrives at {last_s:.3f} s, not {sealing.last_s}.")
    if sealing.total_s is None or abs(sealing.total_s - total_s) > TOLERANCE_S * len(arrivals):
        findings.wrong.append(f"The arrivals add up to {total_s:.3f} s, not {sealing.total_s}.")
    if not findings.wrong:
        findings.verified.append(f"{len(arrivals)} accesses have a unit each, the last at {last_s:.3f} s.")
    _check_short(ready_s, sealing.short, last_s - TOLERANCE_S, findings)
    _check_prices(ready_s, sealing, last_s, total_s, findings)
    return findings


def _check_short(
    ready_s: Mapping[Name, Mapping[Name, float]], short: Sequence[Name], before_s: float, findings: Findings
) -> None:
    reach = [
        unit for unit, at in ready_s.items() if any(at.get(access, NEVER) < before_s for access in short)
    ]
    if len(reach) >= len(set(short)):
        findings.wrong.append(
            f"{len(reach)} units reach {len(set(short))} accesses in time: that shows nothing."
        )
    else:
        findings.verified.append(
            f"Before that, {len(set(short))} accesses are in reach of {len(reach)} units only."
        )


def _check_prices(
    ready_s: Mapping[Name, Mapping[Name, float]],
    sealing: CheckSealing,
    last_s: float,
    total_s: float,
    findings: Findings,
) -> None:
    if sealing.access_prices is None or sealing.unit_prices is None or sealing.unit_of is None:
        findings.trusted.append("That no other sealing by then has a smaller sum has no prices to show it.")
        return
    if any(price > 0 for price in sealing.unit_prices.values()):
        findings.wrong.append("A unit's price is above 0.")
    for unit, at in ready_s.items():
        for access, seconds in at.items():
            if access not in sealing.unit_of or seconds > last_s + TOLERANCE_S:
                continue
            if sealing.access_prices[access] + sealing.unit_prices.get(unit, 0.0) > seconds + TOLERANCE_S:
                findings.wrong.append(f"{unit} reaches {access} in {seconds:.3f} s, below its price.")
    least_s = sum(sealing.access_prices[access] for access in sealing.unit_of)
    least_s += sum(sealing.unit_prices.values())
    if least_s < total_s - TOLERANCE_S * max(1, len(ready_s)):
        findings.wrong.append(f"The prices show {least_s:.3f} s only, not {total_s:.3f} s.")
    elif not findings.wrong:
        findings.verified.append(f"No sealing by then has a sum below {total_s:.3f} s.")
