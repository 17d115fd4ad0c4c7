"""Passwords of the node's own accounts: argon2id, two at a time, and equally slow for a name that is not there.

Costs: RFC 9106, section 4, second recommended option (64 MiB, 3 passes, 4 lanes), about 60 ms on two cores.
"""

from __future__ import annotations

import asyncio
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

LENGTH_MIN = 10
LENGTH_MAX = 200
_HASHER = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
# Each takes 64 MiB and a core: many logins at once must not starve the live board.
_TWO_AT_A_TIME = asyncio.Semaphore(2)


class TooWeak(ValueError):
    """The password is too short, too long or is the name itself; the message says what is asked for."""


def check_strength(subject: str, password: str) -> None:
    """Refuse what can be guessed at once. Raises: TooWeak."""
    if not LENGTH_MIN <= len(password) <= LENGTH_MAX:
        raise TooWeak(
            f"A password has {LENGTH_MIN} to {LENGTH_MAX} characters; this one has {len(password)}."
        )
    if subject.lower() in password.lower() or len(set(password)) < 5:
        raise TooWeak("The password must not contain the login name, and needs 5 different characters.")


def hashed(password: str) -> str:
    """What is kept of a password."""
    return _HASHER.hash(password)


async def is_right(kept: str | None, password: str) -> bool:
    """Does it fit what is kept? Takes as long when nothing is kept, so that names can't be found out."""
    async with _TWO_AT_A_TIME:
        return await asyncio.to_thread(_verify, kept, password[: LENGTH_MAX + 1])


def is_outdated(kept: str) -> bool:
    """Was it hashed with other costs than today's?"""
    return _HASHER.check_needs_rehash(kept)


def _verify(kept: str | None, password: str) -> bool:
    try:
        return _HASHER.verify(kept or _nobodys(), password) and kept is not None
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobodys() -> str:
    return _HASHER.hash("nobody has this password")
