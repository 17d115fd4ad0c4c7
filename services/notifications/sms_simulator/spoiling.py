"""Spoils requests by the faults in force, before and after they are carried out; calls and messages alike."""

from __future__ import annotations

import asyncio

from sms_simulator import errors
from sms_simulator.faults import FaultKind, Faults


class Cut(Exception):
    """The connection is to be closed without an answer."""


async def spoil_before(faults: Faults, on: str, to: str, sender: str) -> None:
    """Hang, refuse, or cut before anything was done. Raises: ApiError, Cut."""
    if faults.quiet:
        return
    if rule := faults.strike(FaultKind.hang_before, to, sender, on):
        await asyncio.sleep(rule.seconds)
    if faults.strike(FaultKind.too_many_requests, to, sender, on):
        raise errors.too_many_requests()
    if rule := faults.strike(FaultKind.error_before, to, sender, on):
        raise errors.server_error(rule.status)
    if faults.strike(FaultKind.close_before, to, sender, on):
        raise Cut


async def spoil_after(faults: Faults, to: str, sender: str) -> None:
    """Hang, break, or cut after a create was taken. Raises: ApiError, Cut."""
    if faults.quiet:
        return
    if rule := faults.strike(FaultKind.hang_after, to, sender):
        await asyncio.sleep(rule.seconds)
    if rule := faults.strike(FaultKind.error_after, to, sender):
        raise errors.server_error(rule.status)
    if faults.strike(FaultKind.lost_response, to, sender):
        raise Cut
