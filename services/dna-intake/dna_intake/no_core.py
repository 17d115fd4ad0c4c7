"""No core dump of a process that holds the vault key: its heap has keys and, for moments, opened genotypes."""

from __future__ import annotations

import resource


def leave_no_core() -> None:
    """Forbid core dumps of this process and of those it starts, the matcher and its helpers.

    A limit of one byte leaves no file, and the kernel takes it for "no" where cores go to a program through a pipe,
    which a limit of 0 would not stop (Linux, fs/coredump.c). Whoever may read the memory itself is not kept out.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0 if hard == 0 else 1, hard))
