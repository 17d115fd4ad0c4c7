"""Scripted cases as data: who does what, after how long, and what is expected then (`scenarios/*.json`).

Waits are divided by the speed of the run; `within_s` is real time, since units, sites and providers keep theirs.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from contracts.base import LongText, Place, RegionCode, Sex, ShortText, TravelMode

SCENARIOS = Path(__file__).parent / "scenarios"
WITHIN_S = 30.0
SPEEDS = (1, 5, 10, 30, 60)
Move = Literal["accepted", "in_position", "nothing_seen", "intercepted", "stand_down_acknowledged"]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Said(_Value):
    """A text of a scenario, in both languages."""

    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)


class _Step(_Value):
    """One thing that is done or expected, `wait_s` after the one before."""

    wait_s: Annotated[float, Field(ge=0, le=7200)] = 0.0
    within_s: Annotated[float, Field(gt=0, le=600)] = WITHIN_S
    title: Said


class RaiseAlert(_Step):
    """The command centre raises the alert; always an exercise."""

    do: Literal["raise_alert"]
    place: Place
    minutes_ago: Annotated[float, Field(ge=0, le=1440)]
    sex: Sex
    age_years: Annotated[int, Field(ge=0, le=17)]
    height_cm: Annotated[int | None, Field(ge=30, le=220)] = None
    appearance: LongText
    suspected_mode: TravelMode = TravelMode.unknown
    vehicle: ShortText = ""
    companion: LongText = ""


class SeeOrders(_Step):
    """A plan is there, newer than the last one that was seen, with so many orders.

    `trigger` is what it must follow from: plans also come by themselves, weighed anew as time passes.
    """

    do: Literal["see_orders"]
    at_least: Annotated[int, Field(ge=1, le=500)]
    trigger: Literal["sighting", "assessment"] | None = None


class SeeNotices(_Step):
    """So many sites have a notice that a provider has taken."""

    do: Literal["see_notices"]
    at_least: Annotated[int, Field(ge=1, le=10_000)]


class UnitsAnswer(_Step):
    """Units whose order allows this move make it; `at_place` narrows them to places with this in their name."""

    do: Literal["units_answer"]
    move: Move
    at_most: Annotated[int, Field(ge=1, le=50)] = 50
    at_least: Annotated[int, Field(ge=0, le=50)] = 1
    at_place: str = ""


class SitesAcknowledge(_Step):
    """Sites that have their notice acknowledge it; `at_site` narrows them to names with this in them."""

    do: Literal["sites_acknowledge"]
    at_most: Annotated[int, Field(ge=1, le=50)] = 20
    at_least: Annotated[int, Field(ge=0, le=50)] = 1
    at_site: str = ""


class Sighting(_Step):
    """Somebody saw the child, or thinks so."""

    do: Literal["sighting"]
    place: Place
    minutes_ago: Annotated[float, Field(ge=0, le=120)] = 0.0
    mode: TravelMode = TravelMode.unknown
    note: LongText


class Assess(_Step):
    """The command centre judges the newest sighting of the script."""

    do: Literal["assess"]
    verdict: Literal["credible", "uncertain", "refuted"]
    reason: ShortText = ""


class StandDown(_Step):
    """The alert ends."""

    do: Literal["stand_down"]
    outcome: Literal["found", "false_alarm", "exercise_over"]
    reason: LongText


class SeeOver(_Step):
    """No unit is bound by the case any more, and every phone that was told knows that it is over."""

    do: Literal["see_over"]


Step = Annotated[
    RaiseAlert
    | SeeOrders
    | SeeNotices
    | UnitsAnswer
    | SitesAcknowledge
    | Sighting
    | Assess
    | StandDown
    | SeeOver,
    Field(discriminator="do"),
]
STEP: TypeAdapter[Step] = TypeAdapter(Step)


class Scenario(_Value):
    """A scripted case; its first step raises the alert."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z-]{2,40}$")]
    region_code: RegionCode
    title: Said
    about: Said
    steps: Annotated[tuple[Step, ...], Field(min_length=2, max_length=60)]

    @property
    def lasts_s(self) -> float:
        """How long the waits take at x1."""
        return sum(step.wait_s for step in self.steps)


@lru_cache(maxsize=1)
def scenarios() -> dict[str, Scenario]:
    """Every scenario by name. Raises: pydantic.ValidationError, for a file that is not one."""
    found = [_read(file) for file in sorted(SCENARIOS.glob("*.json"))]
    return {one.name: one for one in found}


def _read(file: Path) -> Scenario:
    scenario = Scenario.model_validate(json.loads(file.read_text(encoding="utf-8")))
    assert scenario.name == file.stem, f"{file} names itself {scenario.name}."
    assert isinstance(scenario.steps[0], RaiseAlert), f"{file} does not begin with an alert."
    return scenario


def as_json(step: Step) -> dict[str, Any]:
    """The step as it is stored with its run: a later version of the file changes no run that has begun."""
    return step.model_dump(mode="json")


def stop_step() -> StandDown:
    """What a stopped drill ends with."""
    title = Said(zh="演练终止,解除警情", en="The drill was stopped: stand down")
    reason = "演练终止 (drill stopped)"
    return StandDown(do="stand_down", title=title, outcome="exercise_over", reason=reason)
