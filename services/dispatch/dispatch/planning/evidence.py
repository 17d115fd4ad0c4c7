"""What people in the field report, and how likely each report is on each route: the likelihoods of Bayes.

Positions are WGS-84 degrees, times seconds on the axis of the routes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dispatch.planning.estimate import effective_count
from dispatch.planning.model import Flags, Floats, Indices
from dispatch.planning.plane import metres_at, metres_of
from dispatch.planning.timed_routes import Routes

# Five moments stand for an uncertain time: the points and weights of Gauss and Hermite, exact to the ninth degree.
_HERMITE_AT, _HERMITE_WEIGHT = np.polynomial.hermite_e.hermegauss(5)
NEAR_FIT = 1e-4  # Farther than four errors off explains nothing.


@dataclass(frozen=True)
class Sighting:
    """Somebody says they saw them: where, when, how exactly, and how far to believe it (0 to 1).

    `error_m` and `error_s` are standard deviations of the position and the time.
    """

    lon: float
    lat: float
    at_s: float
    reliability: float
    error_m: float = 300.0
    error_s: float = 60.0


@dataclass(frozen=True)
class Unseen:
    """A manned checkpoint at this node saw nothing from `from_s` until `until_s`.

    It notices a passer with the probability `detection`.
    """

    node: int
    from_s: float
    until_s: float
    detection: float


@dataclass(frozen=True)
class Blocked:
    """Nobody gets from one node to the next, either way, in [from_s, until_s]: a slide, a closed bridge.

    `certainty` (0 to 1) is how far to believe it.
    """

    tail: int
    head: int
    from_s: float
    until_s: float
    certainty: float = 1.0


Evidence = Sighting | Unseen | Blocked


class EvidenceError(ValueError):
    """A piece of evidence cannot be; the message says which, and how to mend it."""


def positions_at(routes: Routes, at_s: float) -> tuple[Floats, Floats, Flags]:
    """Where each route is at a moment, in metres east and north of the network's middle, and whether it is in sight.

    Between two nodes it is on the straight line; before departure where it begins; after its end there, unless it
    left by an exit, beyond which nobody is in sight.
    """
    east, north = metres_of(routes.nodes)
    paths = routes.paths
    stop = _last_stop_before(routes, at_s)
    following = np.minimum(stop + 1, paths.first[1:] - 1)
    leaves, comes = paths.leave_s[stop], paths.arrive_s[following]
    ridden = np.clip((at_s - leaves) / np.maximum(comes - leaves, 1e-9), 0.0, 1.0)
    begun = at_s >= paths.arrive_s[paths.first[:-1]]
    share = np.where((following > stop) & begun, ridden, 0.0)
    here, there = paths.node[stop], paths.node[following]
    gone = routes.away & (stop == paths.first[1:] - 1) & (at_s > paths.leave_s[stop])
    return (
        east[here] + share * (east[there] - east[here]),
        north[here] + share * (north[there] - north[here]),
        ~gone,
    )


def _last_stop_before(routes: Routes, at_s: float) -> Indices:
    """(R,): the last stop that each route has come to by then, its first if it has not begun."""
    first = routes.paths.first
    came = np.concatenate(([0], np.cumsum(routes.paths.arrive_s <= at_s)))
    count = came[first[1:]] - came[first[:-1]]
    last: Indices = first[:-1] + np.maximum(count - 1, 0)
    return last


def likelihood_of(routes: Routes, piece: Evidence) -> Floats:
    """(R,): how likely this piece is if they are on each route, up to a factor that all routes share.

    Raises: EvidenceError, if the piece contradicts itself.
    """
    match piece:
        case Sighting():
            return _of_sighting(routes, piece)
        case Unseen():
            _check_share("detection", piece.detection, piece)
            _check_stretch(piece)
            return np.where(_came_by(routes, piece), 1 - piece.detection, 1.0)
        case Blocked():
            _check_share("certainty", piece.certainty, piece)
            _check_stretch(piece)
            return np.where(_came_through(routes, piece), 1 - piece.certainty, 1.0)


def _of_sighting(routes: Routes, sighting: Sighting) -> Floats:
    """Densities of the position reported, both times the density's peak, so that they are numbers without a unit."""
    _check_share("reliability", sighting.reliability, sighting)
    if not np.isfinite([sighting.lon, sighting.lat, sighting.at_s]).all():
        raise EvidenceError(f"{sighting} is nowhere or never; give a position and a time.")
    if not (sighting.error_m > 0 and sighting.error_s >= 0):
        raise EvidenceError(f"{sighting} needs an error_m above 0 and an error_s of 0 or more.")
    east, north = metres_of(routes.nodes)
    area = max((np.ptp(east) + 2e3) * (np.ptp(north) + 2e3), 1.0)
    base = min(1.0, 2 * np.pi * sighting.error_m**2 / area)
    return sighting.reliability * _fit(routes, sighting) + (1 - sighting.reliability) * base


def _fit(routes: Routes, sighting: Sighting) -> Floats:
    """(R,): 1 for a route that is where it was seen, less the farther off it is; over the error of the time."""
    x_m, y_m = metres_at(routes.nodes, np.array([sighting.lon]), np.array([sighting.lat]))
    fit = np.zeros(routes.count)
    for offset, share in zip(_HERMITE_AT, _HERMITE_WEIGHT / _HERMITE_WEIGHT.sum(), strict=True):
        x, y, in_sight = positions_at(routes, sighting.at_s + offset * sighting.error_s)
        square = ((x - x_m) ** 2 + (y - y_m) ** 2) / sighting.error_m**2
        fit += share * np.where(in_sight, np.exp(-square / 2), 0.0)
    return fit


def explained_n(routes: Routes, sighting: Sighting) -> float:
    """How many equal routes were there at that moment; infinite for a sighting that nobody believes."""
    if sighting.reliability == 0:
        return np.inf
    fit = _fit(routes, sighting)
    return effective_count(np.where(fit > NEAR_FIT, routes.weights * fit, 0.0))


def _came_by(routes: Routes, unseen: Unseen) -> Flags:
    """(R,): could be met at the node while it was manned."""
    paths = routes.paths
    met = (paths.node == unseen.node) & (paths.leave_s >= unseen.from_s) & (paths.arrive_s <= unseen.until_s)
    return _any_stop(routes, met)


def _came_through(routes: Routes, blocked: Blocked) -> Flags:
    """(R,): was between the two nodes while nobody could be."""
    paths = routes.paths
    ends = {blocked.tail, blocked.head}
    here, there = paths.node[:-1], paths.node[1:]
    between = np.isin(here, list(ends)) & np.isin(there, list(ends)) & (here != there)
    during = (paths.arrive_s[1:] >= blocked.from_s) & (paths.leave_s[:-1] <= blocked.until_s)
    same = np.diff(paths.owner()) == 0
    return _any_stop(routes, np.append(between & during & same, False))


def _any_stop(routes: Routes, hit: Flags) -> Flags:
    found = np.zeros(routes.count, dtype=np.bool_)
    found[routes.paths.owner()[hit]] = True
    return found


def canonical(piece: Evidence) -> tuple[str, tuple[float, ...]]:
    """What evidence is sorted by, so that the order of arrival makes no difference."""
    return type(piece).__name__, tuple(vars(piece).values())


def _check_share(name: str, share: float, piece: Evidence) -> None:
    if not 0 <= share <= 1:
        raise EvidenceError(f"{piece} has the {name} {share}; give 0 to 1.")


def _check_stretch(piece: Unseen | Blocked) -> None:
    if not piece.from_s <= piece.until_s:
        raise EvidenceError(f"{piece} ends before it begins; mend its times.")
