"""Which status callbacks are made of a change, and how late: once and at once, unless a fault says otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from sms_simulator.courier import Call
from sms_simulator.faults import FaultKind, Faults


def calls_for(
    faults: Faults, url: str, form: Mapping[str, str], to: str, sender: str
) -> list[tuple[float, Call]]:
    """The webhooks to make, each with its delay in seconds; none when it is lost, two when it is doubled."""
    if faults.quiet:
        return [(0.0, Call(url, form))]
    strike = partial(faults.strike, to=to, sender=sender)
    if strike(FaultKind.callback_lost):
        return []
    call = Call(url, form, forged=strike(FaultKind.callback_forged) is not None)
    copies = 2 if strike(FaultKind.callback_doubled) else 1
    return [(_delay_s(faults, to, sender), call) for _ in range(copies)]


def _delay_s(faults: Faults, to: str, sender: str) -> float:
    delay_s = 0.0
    if rule := faults.strike(FaultKind.callback_late, to, sender):
        delay_s = rule.seconds
    if rule := faults.strike(FaultKind.callback_shuffled, to, sender):
        delay_s += faults.spread(FaultKind.callback_shuffled, rule.seconds)
    return delay_s
