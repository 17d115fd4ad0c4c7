"""What sampled routes are drawn on: the network as it is now, its timetable, and how noisy people are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from contracts.base import TravelMode
from dispatch.domain.network import Network
from dispatch.domain.timetables import Timetable
from dispatch.planning import assumptions
from dispatch.planning.model import Floats


@dataclass(frozen=True, eq=False)
class World:
    """`clock_s` is the time of day in Beijing, in seconds after midnight, at second 0 of the axis.

    `traffic` (edges,) is the share of design speed that is still made, 1 = free. Routes are followed for `horizon_s`.
    The noises are standard deviations of logarithms: of each road's time as travellers see it, and of their pace.
    """

    network: Network
    timetable: Timetable
    clock_s: float = 0.0
    traffic: Floats | None = None
    closed_edges: frozenset[int] = frozenset()
    horizon_s: float = assumptions.HORIZON_S
    choice_noise: float = assumptions.CHOICE_NOISE
    pace_noise: float = assumptions.PACE_NOISE

    def __post_init__(self) -> None:
        """Refuse what no road can be. Raises: ValueError, with what to mend."""
        roads = len(self.network.edges.ids)
        if self.traffic is not None and self.traffic.shape != (roads,):
            raise ValueError(
                f"traffic has the shape {self.traffic.shape}; give one share for each of {roads} edges."
            )
        if self.traffic is not None and not (np.isfinite(self.traffic) & (self.traffic > 0)).all():
            raise ValueError("A share of traffic is not above 0; close the edge instead.")
        if any(not 0 <= edge < roads for edge in self.closed_edges):
            raise ValueError(f"A closed edge is none of the {roads}; give places in the edge table.")
        if not (self.horizon_s > 0 and self.choice_noise >= 0 and self.pace_noise >= 0):
            raise ValueError(f"horizon_s {self.horizon_s} needs to be above 0, and no noise below it.")

    def scheduled(self, mode: TravelMode) -> bool:
        """Whether a timetable says when this mode runs; cars and feet have none."""
        return mode in (TravelMode.bus, TravelMode.ferry) and mode in self.timetable.mode_of
