"""Roads between points while an extract is worked on: cut by the border, merged to junctions."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from dispatch.domain.network import EARTH_RADIUS_M
from dispatch.importing.osm_tags import Use

PIECE_MAX_M = 2_000.0
"""Longer stretches keep a node in between, so that a position on the road is never far from a node."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of road or line from point `a` to point `b`; `use.oneway`: only in this direction."""

    a: int
    b: int
    length_m: float
    use: Use
    way_id: int


Positions = Mapping[int, tuple[float, float]]


def haversine_m(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Great-circle metres between two (lon, lat)."""
    phi_a, phi_b = math.radians(a[1]), math.radians(b[1])
    half = math.sin((phi_b - phi_a) / 2) ** 2
    half += math.cos(phi_a) * math.cos(phi_b) * math.sin(math.radians(b[0] - a[0]) / 2) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(math.sqrt(min(half, 1.0)))


def merge(stretches: Iterable[Stretch], kept: set[int], positions: Positions) -> list[Stretch]:
    """Join stretches at points where nothing is decided; lengths add up.

    A point stays if it is `kept`, is no plain middle (two stretches of equal use, in line if one-way), or the piece
    would grow beyond `PIECE_MAX_M` (not on water). The order of the result depends on ids only.
    """
    left = list(stretches)
    at: dict[int, list[int]] = {}
    for number, one in enumerate(left):
        at.setdefault(one.a, []).append(number)
        at.setdefault(one.b, []).append(number)
    fixed = {point for point, numbers in at.items() if point in kept or not _is_middle(point, numbers, left)}
    done = [False] * len(left)
    pieces: list[Stretch] = []
    # A ring without any fixed point begins at its smallest id.
    for start in itertools.chain(sorted(fixed), sorted(at.keys() - fixed)):
        for number in at[start]:
            if not done[number]:
                chain = list(_chain(start, number, left, at, fixed, done))
                pieces += _pieces(start, chain)
    return pieces


def _is_middle(point: int, numbers: list[int], stretches: list[Stretch]) -> bool:
    if len(numbers) != 2 or numbers[0] == numbers[1]:
        return False
    one, other = stretches[numbers[0]], stretches[numbers[1]]
    in_line = (one.b == point) == (other.a == point)
    return one.use == other.use and (in_line or not one.use.oneway)


def _chain(
    start: int,
    number: int,
    stretches: list[Stretch],
    at: dict[int, list[int]],
    fixed: set[int],
    done: list[bool],
) -> Iterator[tuple[Stretch, bool]]:
    """The stretches from a point to the next fixed one, each with whether it is gone through from `b` to `a`."""
    point = start
    for _ in range(len(stretches)):
        done[number] = True
        one = stretches[number]
        backwards = one.a != point
        yield one, backwards
        point = one.a if backwards else one.b
        if point in fixed or point == start:
            return
        number = next(each for each in at[point] if each != number)


def _pieces(start: int, chain: list[tuple[Stretch, bool]]) -> Iterator[Stretch]:
    """A chain in as few pieces as `PIECE_MAX_M` allows; one-way pieces keep their direction."""
    total_m = sum(one.length_m for one, _ in chain)
    count = 1 if chain[0][0].use.ferry else max(1, math.ceil(total_m / PIECE_MAX_M))
    is_ring = len(chain) > 1 and _end(*chain[-1]) == start
    count = max(count, 2) if is_ring else count
    begin, length_m, walked_m, cuts = start, 0.0, 0.0, 1
    for place, (one, backwards) in enumerate(chain):
        length_m += one.length_m
        walked_m += one.length_m
        is_cut = cuts < count and walked_m >= cuts * total_m / count
        # A ring needs a second point, even if its last stretch is longer than the rest.
        if is_cut or place == len(chain) - 1 or (is_ring and cuts == 1 and place == len(chain) - 2):
            end = _end(one, backwards)
            a, b = (end, begin) if backwards and one.use.oneway else (begin, end)
            yield replace(one, a=a, b=b, length_m=length_m)
            begin, length_m, cuts = end, 0.0, cuts + 1


def _end(one: Stretch, backwards: bool) -> int:
    return one.a if backwards else one.b


def largest_part(stretches: Iterable[Stretch]) -> set[int]:
    """The points of the largest connected part, by whatever mode; of equal ones that with the smallest id."""
    parent: dict[int, int] = {}

    def root(point: int) -> int:
        parent.setdefault(point, point)
        while parent[point] != point:
            parent[point] = parent[parent[point]]
            point = parent[point]
        return point

    for one in stretches:
        a, b = root(one.a), root(one.b)
        parent[max(a, b)] = min(a, b)
    parts: dict[int, set[int]] = {}
    for point in sorted(parent):
        parts.setdefault(root(point), set()).add(point)
    return max(parts.values(), key=lambda points: (len(points), -min(points)), default=set())
