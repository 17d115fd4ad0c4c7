"""The facts that tests of DNA intake begin with."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from contracts.alert import AlertRaised, AlertStoodDown, Ring
from contracts.base import CaseId, Child, Place, Position, Sex, Tier

CASE = CaseId(UUID(int=0xCA5E))
YUNYANG = "500235"
KIT = "GlobalFiler + PowerPlex 21"
"""The two kits that together type every locus of `profile`."""


def alert(at: datetime, case_id: CaseId = CASE, *, exercise: bool = False) -> AlertRaised:
    """An alert raised at `at` in the county seat."""
    seat = Position(lon=108.69, lat=30.93)
    return AlertRaised(
        region_code=YUNYANG,
        exercise=exercise,
        occurred_at=at,
        case_id=case_id,
        case_code="CY-0001",
        version=1,
        tier=Tier.interception,
        child=Child(sex=Sex.female, age_years=6, appearance="red coat"),
        last_seen_place=Place(position=seat),
        last_seen_at=at,
        ring=Ring(step=0, center=seat, radius_km=10),
    )


def stood_down(
    at: datetime,
    outcome: Literal["found", "false_alarm", "merged", "exercise_over"] = "found",
    case_id: CaseId = CASE,
) -> AlertStoodDown:
    """The end of that alert."""
    return AlertStoodDown(
        region_code=YUNYANG, occurred_at=at, case_id=case_id, case_code="CY-0001", version=2, outcome=outcome
    )


def profile() -> dict[str, list[str]]:
    """A sound profile of nobody: the same few alleles at every locus."""
    told_apart = {
        "D12S391": ["18", "20"],
        "D21S11": ["29", "30"],
        "D2S1338": ["18", "23"],
        "FGA": ["22", "24"],
        "TH01": ["7", "9"],
        "TPOX": ["8", "11"],
        "SE33": ["18", "27.2"],
    }
    names = [
        "CSF1PO D10S1248 D13S317 D16S539 D18S51 D19S433 D1S1656 D22S1045 D2S441 D3S1358 D5S818 D6S1043 D7S820",
        "D8S1179 vWA",
    ]
    rest = {name: ["12", "15"] for name in " ".join(names).split()}
    return told_apart | rest | {"Penta D": ["9", "12"], "Penta E": ["11", "16"]}
