"""Sums products of small tables over shared variables, exactly, without underflow and within bounded memory.

Each step is one product of numpy, and its result is scaled by a power of two, so that nothing underflows.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import frexp, inf, log2, log10, prod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dna_intake.kinship.elimination import Axes, Scope, Step, plan
from dna_intake.kinship.refusals import ComparisonTooLarge

ELEMENTS_MAX = 1 << 24
"""Of the largest table in between: 128 MiB of doubles."""
_BLAS_FROM = 1 << 16
"""Multiplications from which the detour through BLAS pays (measured)."""


_USED = np.zeros(0)


class Factor(NamedTuple):
    """A table over variables."""

    scope: Scope
    table: NDArray[np.float64]


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
            f"Hypothesis {name!r}: the likelihood is smaller than floating point can hold; use larger mutation rates,"
            " or leave out people."
        )
    return found


def _contracted(factors: Sequence[Factor], name: str) -> float:
    slim = [_slim(factor) for factor in factors]
    sizes = {v: n for factor in slim for v, n in zip(factor.scope, factor.table.shape, strict=True)}
    scopes = tuple(factor.scope for factor in slim)
    found = plan(scopes, tuple(_bucket(sizes[v]) for v in sorted(sizes)), ELEMENTS_MAX)
    if found.cost == inf:
        raise _too_large(name, "more numbers than can be counted here")
    largest_table = max(prod(sizes[v] for v in step.scope) for step in found.steps)
    if largest_table > ELEMENTS_MAX:
        # Before the first step: those that lead up to it take seconds and gigabytes.
        raise _too_large(name, f"{largest_table:,} numbers")
    tables: list[NDArray[np.float64]] = [factor.table for factor in slim]
    exponent = 0
    for step in found.steps:
        table = _step(step, tables)
        # Every table is used once; kept to the end, they would be a dozen of the largest.
        for used in (step.left, step.right):
            if used is not None:
                tables[used] = _USED
        largest = float(table.max())
        if largest == 0:
            return -inf
        shift = frexp(largest)[1]
        tables.append(np.ldexp(table, -shift))
        exponent += shift
    return log10(float(tables[-1])) + exponent / log2(10)


def _slim(factor: Factor) -> Factor:
    """The factor without variables of one state, such as the genotype of a typed homozygote."""
    if 1 not in factor.table.shape:
        return factor
    scope = tuple(v for v, n in zip(factor.scope, factor.table.shape, strict=True) if n > 1)
    return Factor(scope, factor.table.reshape(tuple(n for n in factor.table.shape if n > 1)))


def _step(step: Step, tables: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    left = tables[step.left]
    if step.right is None:
        return np.asarray(np.einsum(step.einsum, left))
    right = tables[step.right]
    if step.blas is None or left.size * right.size < _BLAS_FROM:
        return np.asarray(np.einsum(step.einsum, left, right))
    return _matrix_product(left.transpose(step.blas.left), right.transpose(step.blas.right), step.blas)


def _matrix_product(left: NDArray[np.float64], right: NDArray[np.float64], axes: Axes) -> NDArray[np.float64]:
    """Tables whose axes are in the order of `axes`, multiplied over the summed ones."""
    shared, summed = left.shape[: axes.shared], left.shape[left.ndim - axes.summed :]
    own_left = left.shape[axes.shared : left.ndim - axes.summed]
    own_right = right.shape[axes.shared : right.ndim - axes.summed]
    batch, inner = prod(shared), prod(summed)
    one = left.reshape(batch, prod(own_left), inner)
    other = right.reshape(batch, prod(own_right), inner)
    return np.asarray((one @ other.transpose(0, 2, 1)).reshape((*shared, *own_left, *own_right)))


def _bucket(size: int) -> int:
    """Sizes that are alike share a plan."""
    return min(size, 3) if size <= 4 else 16 if size <= 24 else 48


def _too_large(name: str, what: str) -> ComparisonTooLarge:
    return ComparisonTooLarge(
        f"Hypothesis {name!r} needs a table of {what}, {ELEMENTS_MAX:,} are the most; type more of its people, or"
        " leave out distant ones."
    )
