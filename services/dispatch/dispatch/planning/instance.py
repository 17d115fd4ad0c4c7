"""An instance of the planner as its JSON says it: network, start, who may be where, who can be sent, limits.

These models hold what a file may say and how much of it; what files name is read, and what they say together is
checked, in `instance_files`. Times are seconds on one axis of the caller's choice; positions are WGS-84 degrees.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from dispatch.planning.fields import (
    EDGES_MAX,
    EXITS_MAX,
    HYPOTHESES_MAX,
    LIST_MAX,
    NODES_MAX,
    PLACES_MAX,
    ROUTES_MAX,
    STOPS_MAX,
    UNITS_MAX,
    Id,
    Moment,
    Seconds,
    Strict,
)

INSTANCE_FORMAT: Literal["guitu.plan.instance.v1"] = "guitu.plan.instance.v1"

Mode = Literal["walking", "car", "bus", "ferry", "unknown"]
"""`unknown` is the fastest of all of them, changes between them included."""

FilePath = Annotated[str, Field(min_length=1, max_length=500)]
Longitude = Annotated[float, Field(ge=-180, le=180)]
Latitude = Annotated[float, Field(ge=-90, le=90)]
SpeedFactor = Annotated[float, Field(gt=0, le=10)]
SpeedKmh = Annotated[float, Field(gt=0, le=450)]
NodeRecord = tuple[Id, Longitude, Latitude]


class EdgeRecord(Strict):
    """A stretch of road that is written into the instance itself; one-way unless `both_ways`."""

    source: Id
    target: Id
    length_m: Annotated[float, Field(ge=0, le=2_000_000)] | None = Field(
        None, description="Length; left out, the straight line between the ends."
    )
    travel_time_s: Seconds | None = Field(None, description="By car at free flow; wins over `speed_kmh`.")
    speed_kmh: SpeedKmh | None = Field(None, description="Design speed of a car.")
    walk: bool = True
    car: bool = True
    both_ways: bool = False

    @model_validator(mode="after")
    def _has_a_speed(self) -> Self:
        if self.car and self.travel_time_s is None and self.speed_kmh is None:
            raise ValueError("give travel_time_s or speed_kmh, or car: false")
        return self


class NetworkSource(Strict):
    """Where the network is: a folder in the county format, two CSV files, or lists in the instance; one of the three.

    Paths are relative to the instance's own file.
    """

    folder: FilePath | None = Field(None, description="County format: nodes.csv, edges.csv and more.")
    nodes_csv: FilePath | None = Field(None, description="Columns node, lon, lat.")
    edges_csv: FilePath | None = Field(
        None,
        description="Columns source, target, and two of length_m, travel_time_s, speed_kph (or speed_kmh); "
        "optional walk, car, both_ways as 0 or 1.",
    )
    nodes: Annotated[list[NodeRecord], Field(max_length=NODES_MAX)] | None = Field(
        None, description="[node, lon, lat] each."
    )
    edges: Annotated[list[EdgeRecord], Field(max_length=EDGES_MAX)] | None = None

    @model_validator(mode="after")
    def _is_one_of_three(self) -> Self:
        files = (self.nodes_csv, self.edges_csv)
        lists = (self.nodes, self.edges)
        given = [
            self.folder is not None,
            any(x is not None for x in files),
            any(x is not None for x in lists),
        ]
        if sum(given) != 1:
            raise ValueError("give one of: folder; nodes_csv with edges_csv; nodes with edges")
        if (given[1] and None in files) or (given[2] and None in lists):
            raise ValueError("nodes and edges go together; give both")
        return self


class Position(Strict):
    """At a node, or at degrees that are snapped to the nearest node within `limits.max_snap_m`."""

    node: Id | None = None
    lon: Longitude | None = None
    lat: Latitude | None = None

    @model_validator(mode="after")
    def _is_somewhere(self) -> Self:
        whole = (self.lon is None) == (self.lat is None) and (self.node is None) != (self.lon is None)
        if not whole and not (self._is_nowhere and self._may_be_nowhere):
            raise ValueError("give node, or lon and lat")
        return self

    @property
    def _is_nowhere(self) -> bool:
        return self.node is None and self.lon is None and self.lat is None

    @property
    def _may_be_nowhere(self) -> bool:
        return False


class Start(Position):
    """Where and when they were last seen."""

    time_s: Moment = 0.0


class Sure(Strict):
    """The fastest that anybody real could be: the GUARANTEED verdict holds as far as these numbers do."""

    modes: Annotated[list[Mode], Field(min_length=1, max_length=5)] = Field(
        default=["unknown"], description="Each is its own movement; unknown covers all."
    )
    car_factor: SpeedFactor = Field(1.5, description="Times the design speed of the road.")
    bus_factor: SpeedFactor = 1.2
    ferry_factor: SpeedFactor = 1.2
    walk_kmh: SpeedKmh = 7.2


class HypothesisRecord(Strict):
    """One way it may have gone; routes are sampled from all of them by weight."""

    mode: Literal["walking", "car", "bus", "ferry"]
    departure_s: Moment = Field(description="When they left the start; not before start.time_s.")
    spread_s: Seconds = Field(0.0, description="They may have left as much later.")
    speed_factor: SpeedFactor = Field(1.0, description="Times the speed that is usual for the mode.")
    destination: Id | None = Field(None, description="Id of an exit or node; left out: any exit, all alike.")
    stays: bool = Field(False, description="They go to no exit but hide or wander in the area.")
    weight: Annotated[float, Field(gt=0, le=1e6)] = Field(1.0, description="Weights are scaled to sum 1.")

    @model_validator(mode="after")
    def _goes_or_stays(self) -> Self:
        if self.stays and self.destination is not None:
            raise ValueError("they stay or they have a destination; drop one of the two")
        return self


class RouteRecord(Strict):
    """A timed route: the last moment at which they can be met at each node."""

    weight: Annotated[float, Field(gt=0, le=1e6)] = 1.0
    stops: Annotated[list[tuple[Id, Moment]], Field(min_length=1, max_length=STOPS_MAX)] = Field(
        description="[node, t_s] each, in order of travel."
    )

    @model_validator(mode="after")
    def _time_runs_forward(self) -> Self:
        times = [at_s for _, at_s in self.stops]
        if times != sorted(times):
            raise ValueError("times run backwards; sort the stops by time")
        return self


class UnitRecord(Position):
    """Who can be sent; with `post`, staff who stand at that place already and go nowhere else."""

    id: Id
    post: Id | None = None
    available_s: Moment | None = Field(None, description="Not before this moment; left out: free at once.")
    turnout_s: Seconds = Field(0.0, description="From reading the order to rolling.")
    speed_factor: SpeedFactor = Field(1.0, description="Times the design speed of the road.")
    capabilities: Annotated[list[Id], Field(max_length=50)] = Field(default=[])

    @property
    def _may_be_nowhere(self) -> bool:
        """Staff are where their post is."""
        return self.post is not None


class PlaceRecord(Position):
    """Where one unit can stand and look at whoever passes the node."""

    id: Id
    setup_s: Seconds = Field(0.0, description="From arriving to working.")
    detection: Annotated[float, Field(gt=0, le=1)] | None = Field(
        None, description="Probability of noticing who passes; left out: limits.detection."
    )
    needs: Id | None = Field(None, description="A capability the unit must have.")


class ExitRecord(Position):
    """A way out: whoever is at this node has left."""

    id: Id


class Pin(Strict):
    """This unit stands at this place, whatever it costs."""

    unit: Id
    place: Id


class Forbidden(Strict):
    """This unit never at this place; with one of the two left out: not at all."""

    unit: Id | None = None
    place: Id | None = None

    @model_validator(mode="after")
    def _forbids_something(self) -> Self:
        if self.unit is None and self.place is None:
            raise ValueError("give unit, place or both")
        return self


class Limits(Strict):
    """How long, how many, how sure."""

    deadline_s: Annotated[float, Field(gt=0, le=600)] = Field(
        2.0, description="For the search for the optimum."
    )
    routes: Annotated[int, Field(ge=1, le=ROUTES_MAX)] = Field(1000, description="Sampled to plan on.")
    fresh_routes: Annotated[int, Field(ge=0, le=ROUTES_MAX)] = Field(
        2000, description="Sampled anew to estimate the probability; 0: estimate on the routes planned on."
    )
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    margin_s: Seconds = Field(0.0, description="A unit must work this long before they pass.")
    guards: Literal["soonest", "fewest"] = Field(
        "soonest", description="Of several guarantees: the one that stands first, or with fewest units."
    )
    max_snap_m: Annotated[float, Field(ge=0, le=100_000)] = Field(
        500.0, description="A position farther than this from the nearest node is refused."
    )
    detection: Annotated[float, Field(gt=0, le=1)] = 1.0


class Instance(Strict):
    """A question for the planner, complete: the same instance and the same files give the same answer."""

    format: Literal["guitu.plan.instance.v1"]
    name: Annotated[str, Field(max_length=200)] = ""
    network: NetworkSource
    closed: Annotated[list[tuple[Id, Id]], Field(max_length=LIST_MAX)] = Field(
        default=[], description="[source, target] of edges that nobody can use now."
    )
    start: Start
    report_s: Moment | None = Field(None, description="When it was reported; left out: start.time_s.")
    clock_s: Annotated[float, Field(ge=0, lt=86_400)] | None = Field(
        None,
        description="Time of day at second 0 of the axis, in seconds after midnight. With it the timetable of a county "
        "folder is used; left out, lines run at unknown times.",
    )
    delay_s: Seconds = Field(0.0, description="From the report to the order read by the unit.")
    sure: Sure = Sure()
    hypotheses: Annotated[list[HypothesisRecord], Field(max_length=HYPOTHESES_MAX)] = Field(
        default=[], description="Left out, as routes are: the planner's own default mix."
    )
    routes: Annotated[list[RouteRecord], Field(max_length=ROUTES_MAX)] = Field(
        default=[], description="Given instead of hypotheses."
    )
    units: Annotated[list[UnitRecord], Field(max_length=UNITS_MAX)]
    places: Annotated[list[PlaceRecord], Field(max_length=PLACES_MAX)]
    exits: Annotated[list[ExitRecord], Field(max_length=EXITS_MAX)] = Field(default=[])
    pins: Annotated[list[Pin], Field(max_length=UNITS_MAX)] = Field(default=[])
    forbidden: Annotated[list[Forbidden], Field(max_length=LIST_MAX)] = Field(default=[])
    limits: Limits = Limits()

    @property
    def order_s(self) -> float:
        """When units have read their orders."""
        return self.reported_s + self.delay_s

    @property
    def reported_s(self) -> float:
        """When it was reported."""
        return self.start.time_s if self.report_s is None else self.report_s

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        if self.hypotheses and self.routes:
            raise ValueError("give hypotheses or routes, not both")
        if not self.routes and not self.exits and not self.hypotheses:
            raise ValueError("give routes, hypotheses or exits: else nobody goes anywhere")
        if self.start.time_s > self.reported_s:
            raise ValueError(
                f"start.time_s {self.start.time_s:g} is after report_s {self.reported_s:g}: a sighting cannot lie "
                "in the future; mend one of them"
            )
        early = [n for n, h in enumerate(self.hypotheses) if h.departure_s < self.start.time_s]
        if early:
            raise ValueError(
                f"hypotheses[{early[0]}].departure_s is before start.time_s: they were still seen there; mend it"
            )
        return self
