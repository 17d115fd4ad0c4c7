"""What sampled routes are drawn on: the network as it is now, its timetable, and how noisy people are."""

from __future__ import annotations

from dataclasses import dataclass

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

    def scheduled(self, mode: TravelMode) -> bool:
        """Whether a timetable says when this mode runs; cars and feet have none."""
        return mode in (TravelMode.bus, TravelMode.ferry) and mode in self.timetable.mode_of
