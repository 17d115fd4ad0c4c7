"""In which order to multiply tables and sum variables away: the cheaper of two plans, kept by the problem's shape.

One plan is opt_einsum's greedy search over pairs of tables, best for usual families; the other eliminates the variable
whose tables join into the smallest one, which is safe where one person has dozens of children.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import inf, prod
from typing import NamedTuple

from opt_einsum.paths import greedy

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""A table over more than 52 variables of two states or more does not exist on this earth."""

Scope = tuple[int, ...]
Pairs = list[tuple[int, int | None]]


class Axes(NamedTuple):
    """Axes of both tables as [shared and kept, own, summed]; the result has shared, left's own, right's own."""

    left: tuple[int, ...]
    right: tuple[int, ...]
    shared: int
    summed: int


class Step(NamedTuple):
    """Multiply two tables (or take one) and sum what nobody else needs; `blas` are the axes for a matrix product.

    A number refers to a factor, or, counting on, to an earlier step's result.
    """

    left: int
    right: int | None
    einsum: str
    scope: Scope
    blas: Axes | None


class Plan(NamedTuple):
    """Steps to one number; `cost` in multiplications, infinite if a table would be beyond all bounds."""

    steps: tuple[Step, ...]
    cost: float


@lru_cache(maxsize=1 << 14)
def plan(scopes: tuple[Scope, ...], sizes: tuple[int, ...], elements_max: int) -> Plan:
    """The cheaper plan to sum the product of tables; `sizes` are about those of the variables in ascending order."""
    of = dict(zip(sorted({v for scope in scopes for v in scope}), sizes, strict=True))
    path = greedy([frozenset(scope) for scope in scopes], frozenset(), of)
    plans = [
        _plan(scopes, pairs, of, elements_max)
        for pairs in (_of_path(path, len(scopes)), _smallest(scopes, of))
    ]
    return min(plans, key=lambda each: each.cost)


def _of_path(path: Sequence[tuple[int, ...]], count: int) -> Pairs:
    """opt_einsum's positions in a shrinking list as numbers of tables."""
    positions, pairs = list(range(count)), Pairs()
    for chosen in path:
        numbers = [positions[at] for at in chosen]
        positions = [number for at, number in enumerate(positions) if at not in chosen]
        positions.append(_fold(pairs, numbers, count))
    return pairs


def _smallest(scopes: Sequence[Scope], sizes: Mapping[int, int]) -> Pairs:
    """Eliminate variable after variable, always the one that leaves the smallest table."""
    left = dict(enumerate(scopes))
    users: dict[int, set[int]] = {v: {n for n, scope in left.items() if v in scope} for v in sizes}
    pairs = Pairs()

    def joined(v: int) -> set[int]:
        return {w for number in users[v] for w in left[number]} - {v}

    leaves = {v: prod(sizes[w] for w in joined(v)) for v in users}
    while leaves:
        v = min(leaves, key=lambda each: (leaves[each], each))
        rest, numbers = joined(v), sorted(users[v], key=lambda n: (len(left[n]), n))
        new = _fold(pairs, numbers, len(scopes))
        for number in numbers:
            for w in left.pop(number):
                users[w].discard(number)
        left[new] = tuple(sorted(rest))
        for w in rest:
            users[w].add(new)
        del users[v], leaves[v]
        leaves |= {w: prod(sizes[x] for x in joined(w)) for w in rest}
    if len(left) > 1:
        _fold(pairs, list(left), len(scopes))
    return pairs


def _fold(pairs: Pairs, numbers: list[int], count: int) -> int:
    """Join tables one after another; the number of the result."""
    if len(numbers) == 1:
        pairs.append((numbers[0], None))
    for at, number in enumerate(numbers[1:]):
        pairs.append((number, count + len(pairs) - 1) if at else (numbers[0], number))
    return count + len(pairs) - 1


def _plan(scopes: Sequence[Scope], pairs: Pairs, sizes: Mapping[int, int], elements_max: int) -> Plan:
    left = dict(enumerate(scopes))
    needed: dict[int, int] = {}
    for scope in scopes:
        for v in scope:
            needed[v] = needed.get(v, 0) + 1
    steps: list[Step] = []
    cost = 0.0
    for a, b in pairs:
        mine = [left.pop(number) for number in (a, b) if number is not None]
        for v in (v for scope in mine for v in scope):
            needed[v] -= 1
        together = tuple(dict.fromkeys(v for scope in mine for v in scope))
        kept = [v for v in together if needed[v]]
        if len(together) > len(_LETTERS) or prod(sizes[v] for v in kept) > elements_max * 16:
            return Plan((), inf)
        cost += prod(sizes[v] for v in together)
        step = Step(a, b, *_joined(mine[0], mine[1] if b is not None else None, set(kept)))
        left[len(scopes) + len(steps)] = step.scope
        for v in step.scope:
            needed[v] += 1
        steps.append(step)
    return Plan(tuple(steps), cost)


def _joined(one: Scope, other: Scope | None, rest: set[int]) -> tuple[str, Scope, Axes | None]:
    """How to multiply two tables when `rest` is still needed: as an einsum, its scope, and as a matrix product."""
    right = other or ()
    together = tuple(dict.fromkeys((*one, *right)))
    letter = {v: _LETTERS[i] for i, v in enumerate(together)}
    shared = [v for v in one if v in right and v in rest]
    summed = [v for v in one if v in right and v not in rest]
    own = [[v for v in scope if v not in shared and v not in summed] for scope in (one, right)]
    kept = (*shared, *(v for v in (*own[0], *own[1]) if v in rest))
    texts = ["".join(letter[v] for v in scope) for scope in (one, right, kept)]
    if other is None:
        return f"{texts[0]}->{texts[2]}", kept, None
    blas = None
    if summed and all(v in rest for v in (*own[0], *own[1])):
        orders = [[*shared, *mine, *summed] for mine in own]
        blas = Axes(_axes(one, orders[0]), _axes(right, orders[1]), len(shared), len(summed))
    return f"{texts[0]},{texts[1]}->{texts[2]}", kept, blas


def _axes(scope: Scope, order: Sequence[int]) -> tuple[int, ...]:
    return tuple(scope.index(v) for v in order)
