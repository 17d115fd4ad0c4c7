"""Sums products of small tables over shared variables, exactly, without underflow and within bounded memory.

Variable elimination as a tensor network: opt_einsum's greedy search finds in which order to multiply and sum (cached by
the shape of the problem); each step is one numpy einsum, and its result is scaled so that nothing underflows.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import frexp, inf, log2, log10, prod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from opt_einsum.paths import greedy

from dna_intake.kinship.refusals import ComparisonTooLarge

ELEMENTS_MAX = 1 << 24
"""Of the largest table in between: 128 MiB of doubles."""
_BLAS_FROM = 1 << 16
"""Multiplications from which numpy's detour through BLAS pays (measured)."""
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

Scope = tuple[int, ...]


class Factor(NamedTuple):
    """A table over variables."""

    scope: Scope
    table: NDArray[np.float64]


class _Step(NamedTuple):
    left: int
    right: int | None
    einsum: str
    scope: Scope


def log10_sum(factors: Sequence[Factor], *, name: str) -> float:
    """log10 of the sum over all variables of the product of all factors; -inf only if every product has a zero.

    Raises: ComparisonTooLarge naming the pedigree, if a table in between would need more than 128 MiB.
    """
    found = _contracted(factors, name)
    if (
        found == -inf
        and _contracted([Factor(f.scope, (f.table > 0).astype(float)) for f in factors], name) > -inf
    ):
        raise ComparisonTooLarge(
            f"Hypothesis {name!r}: the likelihood is smaller than floating point can hold; leave out mutation rates"
            " near 1e-300 or split the family."
        )
    return found


def _contracted(factors: Sequence[Factor], name: str) -> float:
    sizes = {v: n for factor in factors for v, n in zip(factor.scope, factor.table.shape, strict=True)}
    scopes = tuple(factor.scope for factor in factors)
    steps = _steps(scopes, tuple(_bucket(sizes[v]) for v in sorted(sizes)))
    tables = [factor.table for factor in factors]
    exponent = 0
    for step in steps:
        if (elements := prod(sizes[v] for v in step.scope)) > ELEMENTS_MAX:
            raise ComparisonTooLarge(
                f"Hypothesis {name!r} needs a table of {elements:,} numbers, {ELEMENTS_MAX:,} are the most; type more"
                " of its people, or leave out distant ones."
            )
        table = _step(step, tables)
        largest = float(table.max())
        if largest == 0:
            return -inf
        shift = frexp(largest)[1]
        tables.append(np.ldexp(table, -shift))
        exponent += shift
    return log10(float(tables[-1])) + exponent / log2(10)


def _step(step: _Step, tables: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    left = tables[step.left]
    if step.right is None:
        return np.asarray(np.einsum(step.einsum, left))
    right = tables[step.right]
    large = left.size * right.size > _BLAS_FROM
    return np.asarray(np.einsum(step.einsum, left, right, optimize=large))


def _bucket(size: int) -> int:
    """Sizes that are alike share a plan."""
    return min(size, 3) if size <= 4 else 16 if size <= 24 else 48


@lru_cache(maxsize=1 << 14)
def _steps(scopes: tuple[Scope, ...], buckets: tuple[int, ...]) -> tuple[_Step, ...]:
    """Which tables to multiply, in which order; a number refers to a factor, or to an earlier step's result."""
    sizes = dict(zip(sorted({v for scope in scopes for v in scope}), buckets, strict=True))
    path = greedy([frozenset(scope) for scope in scopes], frozenset(), sizes, memory_limit=None)
    left = dict(enumerate(scopes))
    positions = list(left)
    steps: list[_Step] = []
    for chosen in path:
        pair = [positions[at] for at in chosen]
        positions = [p for at, p in enumerate(positions) if at not in chosen]
        while pair:
            # The search may join more than two at once where nothing is gained by an order.
            a, b = pair[0], pair[1] if len(pair) > 1 else None
            rest = {v for key, scope in left.items() if key not in (a, b) for v in scope}
            joined = _joined(left.pop(a), None if b is None else left.pop(b), rest)
            number = len(scopes) + len(steps)
            steps.append(_Step(a, b, joined[0], joined[1]))
            left[number] = joined[1]
            pair = [number, *pair[2:]] if len(pair) > 2 else []
        positions.append(number)
    return tuple(steps)


def _joined(one: Scope, other: Scope | None, rest: set[int]) -> tuple[str, Scope]:
    together = tuple(dict.fromkeys((*one, *(other or ()))))
    letter = {v: _LETTERS[i] for i, v in enumerate(together)}
    kept = tuple(v for v in together if v in rest)
    left, right, out = ("".join(letter[v] for v in scope) for scope in (one, other or (), kept))
    return (f"{left}->{out}" if other is None else f"{left},{right}->{out}"), kept
