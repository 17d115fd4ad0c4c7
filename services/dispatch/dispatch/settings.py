"""What an operator can set in this service; each with the help text that `guitu settings` prints."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache
from typing import Annotated

from pydantic import Field

from guitu.settings import Settings


class DispatchSettings(Settings):
    """The ground's settings, the time a unit has to answer, and how long an order page opens."""

    order_respond_s: Annotated[
        float, Field(description="Seconds a unit has to accept before the next one is sent.", gt=0, le=3600)
    ] = 180.0
    order_page_h: Annotated[
        float, Field(description="Hours an order page can be opened after it was sent.", gt=0, le=720)
    ] = 24.0
    sweep_cases: Annotated[int, Field(description="Cases one run of a timer looks at.", ge=1, le=1000)] = 20
    unit_position_fresh_min: Annotated[
        float,
        Field(
            description="Minutes a unit's position counts; an older one gives way to its base.", gt=0, le=720
        ),
    ] = 15.0
    unit_snap_max_m: Annotated[
        float, Field(description="Metres a unit may be from the nearest road of the network.", gt=0, le=50000)
    ] = 5000.0
    by_hand_snap_max_m: Annotated[
        float, Field(description="Metres a place set by hand may be from its node.", gt=0, le=50000)
    ] = 1000.0

    second_look_after_s: Annotated[
        float,
        Field(
            description="Seconds a new plan waits for its second look, so that its orders and notices go first.",
            ge=0,
            le=60,
        ),
    ] = 1.0
    second_look_s: Annotated[
        float, Field(description="Seconds the optimiser has to prove or improve a plan.", gt=0, le=60)
    ] = 2.0
    second_look_routes: Annotated[
        int, Field(description="Routes that a plan is chosen on, and as many to judge it.", ge=50, le=20000)
    ] = 1000
    second_look_every_min: Annotated[
        float,
        Field(
            description="Minutes until an open case's plan is looked at again by itself; 0: never.",
            ge=0,
            le=720,
        ),
    ] = 10.0
    checkpoint_detection: Annotated[
        float,
        Field(description="Probability that a manned checkpoint notices who passes (assumed).", gt=0, le=1),
    ] = 0.9
    sending_worth: Annotated[
        float, Field(description="Share of probability that sending one more unit must gain.", ge=0, le=1)
    ] = 0.005
    issued_worth: Annotated[
        float,
        Field(description="Share of probability that replacing an unanswered order must gain.", ge=0, le=1),
    ] = 0.02
    accepted_worth: Annotated[
        float,
        Field(description="Share of probability that moving a unit that accepted must gain.", ge=0, le=1),
    ] = 0.05
    in_position_worth: Annotated[
        float, Field(description="Share of probability that moving a unit in position must gain.", ge=0, le=1)
    ] = 0.1

    @property
    def second_look_every(self) -> timedelta | None:
        """How often time alone is a reason for a second look; None for never."""
        return timedelta(minutes=self.second_look_every_min) if self.second_look_every_min else None

    @property
    def position_fresh_for(self) -> timedelta:
        """How long a unit's position counts."""
        return timedelta(minutes=self.unit_position_fresh_min)

    @property
    def respond_within(self) -> timedelta:
        """How long a unit has to accept."""
        return timedelta(seconds=self.order_respond_s)

    @property
    def page_opens_for(self) -> timedelta:
        """How long an order page opens."""
        return timedelta(hours=self.order_page_h)


@lru_cache(maxsize=8)
def dispatch_settings(settings: Settings) -> DispatchSettings:
    """The service's own settings, whichever class the process was started with.

    Kept, since reading them takes milliseconds and every page asks.
    """
    return settings if isinstance(settings, DispatchSettings) else DispatchSettings(**settings.model_dump())
