"""Arrays that live in memory only: no file, no name, not in a core dump.

The service's index is decrypted; it lies in memfd mappings, which have no path and vanish with the process. What the
machine swaps out is not ours to forbid: the operator's swap must be encrypted or off (docs/dna_search.md).
"""

from __future__ import annotations

import math
import mmap
import os
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

_ADVICE = (getattr(mmap, "MADV_DONTDUMP", None), getattr(mmap, "MADV_HUGEPAGE", None))


def zeros(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """An array of zeros in anonymous memory of its own; freed with its last reader."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if size == 0:
        return np.zeros(shape, dtype)
    handle = os.memfd_create("guitu-dna-index", os.MFD_CLOEXEC)
    try:
        os.ftruncate(handle, size)
        mapped = mmap.mmap(handle, size)
    finally:
        os.close(handle)
    for advice in _ADVICE:
        if advice is not None:
            _advise(mapped, advice)
    return np.frombuffer(mapped, dtype).reshape(shape)


def _advise(mapped: mmap.mmap, advice: int) -> None:
    try:
        mapped.madvise(advice)
    except OSError:
        # A kernel without transparent huge pages for shared memory: slower, not wrong.
        return
