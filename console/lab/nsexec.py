"""Run a command as an unprivileged user without being anybody else: in a user namespace of its own.

Inside it the one user that exists has the number given here, so servers that refuse to run as root are content; outside
nothing changes: files stay the caller's, and the caller may signal the process. Run as a file, not as a module:
``python -I -S nsexec.py UID GID -- COMMAND…``.
"""

import ctypes
import os
import sys
from pathlib import Path

_CLONE_NEWUSER = 0x10000000


def main() -> None:
    """Enter the namespace, map the one user, become the command."""
    uid, gid, _, *argv = sys.argv[1:]
    outer_uid, outer_gid = os.geteuid(), os.getegid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "cannot make a user namespace")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{uid} {outer_uid} 1")
    Path("/proc/self/gid_map").write_text(f"{gid} {outer_gid} 1")
    os.execvpe(argv[0], argv, os.environ)  # noqa: S606 - a list, no shell


if __name__ == "__main__":
    main()
