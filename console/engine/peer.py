"""Who is at the other end of a socket, as the kernel says, and whether they may be there."""

from __future__ import annotations

import grp
import os
import pwd
import socket
import struct
from typing import NamedTuple

_CREDENTIALS = struct.Struct("3i")


class Peer(NamedTuple):
    """The other end."""

    pid: int
    uid: int
    gid: int
    user: str


def peer_of(sock: socket.socket) -> Peer:
    """The process that connected."""
    pid, uid, gid = _CREDENTIALS.unpack(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
    try:
        user = pwd.getpwuid(uid).pw_name
    except KeyError:
        user = str(uid)
    return Peer(pid, uid, gid, user)


def may_connect(peer: Peer, shared_group: int | None) -> bool:
    """A private engine (``shared_group`` None) answers its own user alone, a shared one also the members of its group."""
    if peer.uid == os.geteuid():
        return True
    if shared_group is None:
        return False
    if peer.uid == 0 or peer.gid == shared_group:
        return True
    try:
        return peer.user in grp.getgrgid(shared_group).gr_mem
    except KeyError:
        return False
