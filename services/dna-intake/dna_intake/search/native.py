"""How the inner loops are compiled: by numba, without the interpreter's lock, kept between runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Loop = TypeVar("Loop", bound=Callable[..., Any])


def native(function: Loop) -> Loop:
    """Compile at the first call; the machine code is cached beside the module, or in the user's cache."""
    return cast(Loop, numba.njit(nogil=True, cache=True)(function))
