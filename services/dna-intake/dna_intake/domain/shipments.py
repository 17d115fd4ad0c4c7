"""What becomes of each tube of a box: received, missing, held for its seal; and what was too much is refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dna_intake.domain.custody import State

Outcome = Literal["sent", "received", "missing", "seal_refused", "moved_on"]
"""What became of a specimen on the list; `moved_on`: it was received or lost another way meanwhile."""
ShipmentState = Literal["sent", "incomplete", "received"]

OUTCOME_EN: dict[str, str] = {
    "sent": "On its way.",
    "received": "Received.",
    "missing": "On the list and not in the box: look for it, or reject it as lost.",
    "seal_refused": "Not received: its seal, or that of the box, is not as recorded. Scan it again with the seal "
    "read on the tube, or reject it as seal_broken.",
    "moved_on": "No longer waiting for this shipment: see its chain of custody.",
    "extra_refused": "In the box and not on the list: not received. Ask the station, and have it sent on a list.",
    "unreadable": "Not a barcode of ours: scan it again.",
}
OUTCOME_ZH: dict[str, str] = {
    "sent": "运送中。",
    "received": "已接收。",
    "missing": "在清单上但箱内没有:请查找,确认丢失则以 lost 为由拒收。",
    "seal_refused": "未接收:管或箱的封签与记录不符。请读取管上封签号后重新扫描,或以 seal_broken 为由拒收。",
    "moved_on": "已不在本次交接中,请查看其流转记录。",
    "extra_refused": "在箱内但不在清单上:未接收。请联系送检单位,另列清单送交。",
    "unreadable": "条码无法识别,请重新扫描。",
}


@dataclass(frozen=True)
class Listed:
    """A specimen on the list as it stands now, with the seal that its chain recorded last."""

    state: State
    seal: str
    outcome: Outcome


@dataclass(frozen=True)
class Scan:
    """A tube that was in the box; `seal` is what was read on it, empty if it was not looked at."""

    barcode: str
    seal: str


def outcome_of(listed: Listed, scan: Scan | None, *, box_intact: bool) -> Outcome:
    """What becomes of a specimen on the list, after its box was opened.

    The seal of an intact box speaks for its tubes, unless one was read and differs; a broken box speaks for
    none: then each tube's own seal must be read. So must that of a tube that was refused for its seal: leaving it
    out of the next scan is no way in. What was received stays received, however often a list is scanned, and what
    was missing may still turn up.
    """
    if listed.outcome == "received" or listed.state != "collected":
        return "received" if listed.outcome == "received" else "moved_on"
    if scan is None:
        return "seal_refused" if listed.outcome == "seal_refused" else "missing"
    trusted = scan.seal == listed.seal if scan.seal else box_intact and listed.outcome != "seal_refused"
    return "received" if trusted else "seal_refused"
