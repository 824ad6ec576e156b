"""How PostgreSQL is run where the laboratory was started by root, which PostgreSQL refuses to be."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from pathlib import Path
from typing import Any

from console.lab.errors import LabError

PLAIN, NAMESPACE, SETUID = "plain", "user namespace", "setuid"
_NSEXEC = Path(__file__).with_name("nsexec.py")
_NOBODY = 65534


def _namespace_argv(argv: list[str]) -> list[str]:
    return [sys.executable, "-I", "-S", str(_NSEXEC), str(_NOBODY), str(_NOBODY), "--", *argv]


def choose() -> str:
    """The way that works here: plain for ordinary users; for root a user namespace, else another user.

    Containers often refuse user namespaces, so one is tried before it is relied on.
    """
    if os.geteuid() != 0:
        return PLAIN
    wanted = os.environ.get("BANKSMAN_LAB_PRIVILEGE", "")
    if wanted == SETUID:
        return SETUID
    probe = subprocess.run(_namespace_argv(["/bin/true"]), capture_output=True, timeout=10, check=False)
    return NAMESPACE if probe.returncode == 0 else SETUID


def _nobody() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("nobody")
    except KeyError:
        raise LabError("PostgreSQL refuses to run as root, and there is no user `nobody` to run it as") from None


def wrap(privilege: str, argv: list[str]) -> tuple[list[str], dict[str, Any]]:
    """Command line and keywords for subprocess that run ``argv`` without root's rights."""
    if privilege == NAMESPACE:
        return _namespace_argv(argv), {}
    if privilege == SETUID:
        user = _nobody()
        return argv, {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    return argv, {}


def hand_over(privilege: str, directory: Path) -> None:
    """Give a server's directory to the user it will run as, where that is somebody else."""
    if privilege != SETUID:
        return
    user = _nobody()
    for path in [directory, *directory.rglob("*")]:
        os.chown(path, user.pw_uid, user.pw_gid)


def check(privilege: str, directory: Path) -> None:
    """Whether the user that PostgreSQL will run as can reach what it needs.

    Raises:
        LabError: It cannot, with what to do.
    """
    if privilege != SETUID:
        return
    argv, extra = wrap(privilege, [sys.executable, "-c", f"import os, patroni; os.chdir({str(directory)!r})"])
    probe = subprocess.run(argv, capture_output=True, timeout=30, check=False, cwd="/", **extra)
    if probe.returncode != 0:
        raise LabError(
            "this machine allows no user namespaces, so PostgreSQL would run as the user `nobody`, who cannot reach "
            f"{sys.executable} or {directory}: run the laboratory as an ordinary user, or put both where anybody may read"
        )
