"""Stand between a supervisor and the program it starts, for one purpose: nothing outlives the supervisor.

Run as a file by a bare interpreter (`python -I -S guard.py ...`): it asks the kernel to signal this process
when the parent dies, gives up root if told to, and then becomes the program (exec, same pid). It is a
program of its own because running Python between fork and exec in a process with threads can deadlock.
Outside Linux only the exec happens; a leftover is then ended at the next start by its recorded pid.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1
PR_SET_SECUREBITS = 28
SECBIT_NO_SETUID_FIXUP = 1 << 2
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
LINUX_CAPABILITY_VERSION_3 = 0x20080522


def become(uid: int, gid: int, capability: int) -> None:
    """Give up root for an ordinary account, keeping one capability if it is 0 or more.

    The database refuses to run as root, yet a checkout in root's home is closed to every other account.
    The kept capability lets the server read through closed parent directories instead of opening them for
    everyone.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    # Without this bit the change of account drops every capability, and so does access(2), by which the
    # database checks its own programs.
    if capability >= 0 and libc.prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_SECUREBITS)")
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    if capability >= 0:
        keep(libc, capability)


def keep(libc: ctypes.CDLL, capability: int) -> None:
    """Hold exactly one capability across exec; raises OSError if the machine does not grant it."""
    header = (ctypes.c_uint32 * 2)(LINUX_CAPABILITY_VERSION_3, 0)
    mask = 1 << capability
    sets = (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0)
    if libc.capset(ctypes.byref(header), ctypes.byref(sets)) != 0:
        raise OSError(ctypes.get_errno(), f"capset({capability})")
    if libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl(PR_CAP_AMBIENT, {capability})")


def die_with_parent(parent: int, signal_number: int) -> None:
    """Ask for a signal at the parent's death; leave at once if it died before we could ask."""
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(f"The supervisor (pid {parent}) is gone; not starting {sys.argv[6]}.")


def main() -> None:
    """Arguments: parent pid, signal at its death, uid (-1 keeps the account), gid, capability, program..."""
    parent, death_signal, uid, gid, capability = (int(word) for word in sys.argv[1:6])
    if uid >= 0:
        become(uid, gid, capability)
    # After the change of account, which clears the request.
    die_with_parent(parent, death_signal)
    os.execv(sys.argv[6], sys.argv[6:])  # noqa: S606 - becoming that program is what we are for.


if __name__ == "__main__":
    main()
