"""Which account the embedded database runs as: PostgreSQL refuses to run as root."""

from __future__ import annotations

import os
import pwd
import stat
import sys
from pathlib import Path

from guitu.embedded.child import SAME_ACCOUNT, Account
from guitu.embedded.trouble import NodeError

# `postgres` where a package made it, otherwise `nobody`, which every system has. No account is created:
# starting a demo must not change the machine.
ACCOUNTS = ("postgres", "nobody")
CAP_DAC_OVERRIDE = 1
CAP_DAC_READ_SEARCH = 2
CAP_SETPCAP = 8


def database_account(*must_reach: Path) -> Account:
    """Return the account for the database: our own, or an ordinary one if we are root.

    `must_reach` are directories it has to get to. If one lies in a closed directory (a checkout in root's
    home), the account gets a capability for that instead of anybody's directories being opened.
    Raises: NodeError, if there is no such account or the machine grants no capability.
    """
    if os.geteuid() != 0:
        return SAME_ACCOUNT
    entry = _entry()
    if all(_is_open(path, entry.pw_uid, entry.pw_gid) for path in must_reach):
        return Account(entry.pw_uid, entry.pw_gid)
    return Account(entry.pw_uid, entry.pw_gid, _granted_capability(must_reach))


def name_of(uid: int) -> str:
    """The login name of a user id, or the number itself if nobody has it."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _entry() -> pwd.struct_passwd:
    for name in ACCOUNTS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise NodeError(
        f"PostgreSQL does not run as root and this machine has no account {' or '.join(ACCOUNTS)}. "
        "Mend: start Guitu as an ordinary user, or set GUITU_DATABASE_URL to a server of your own."
    )


def _is_open(path: Path, uid: int, gid: int) -> bool:
    """Tell whether an account can walk down to `path` and list it."""
    places = [path.resolve(), *path.resolve().parents]
    return all(_may_enter(place.stat(), uid, gid) for place in places if place.exists())


def _may_enter(status: os.stat_result, uid: int, gid: int) -> bool:
    if status.st_uid == uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)


def _granted_capability(must_reach: tuple[Path, ...]) -> int:
    """Choose the smallest capability that this machine lets us hand on; containers often drop the first."""
    held = _held_capabilities()
    for capability in (CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE):
        if held >> capability & 1 and held >> CAP_SETPCAP & 1:
            return capability
    raise NodeError(
        f"The database's account cannot reach {' or '.join(map(str, must_reach))}, and this machine "
        "lets root hand on no capability for it. Mend: move the checkout and the data directory out of "
        "closed directories (--data-dir /var/lib/guitu), or start Guitu as an ordinary user."
    )


def _held_capabilities() -> int:
    if not sys.platform.startswith("linux"):
        return 0
    lines = Path("/proc/self/status").read_text().splitlines()
    return next((int(line.split()[1], 16) for line in lines if line.startswith("CapPrm:")), 0)
