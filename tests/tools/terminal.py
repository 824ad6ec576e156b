"""What a terminal does to the program in it."""

from __future__ import annotations

import pexpect


def hang_up(terminal: pexpect.spawn) -> None:  # type: ignore[type-arg]
    """Close the terminal as a lost connection does: the program in it is told, and not killed as by pexpect's own close.

    The descriptor is closed by the object that owns it. Closed by its number, it would be closed once more
    when that object is collected, by then perhaps somebody else's.
    """
    terminal.ptyproc.fileobj.close()
    terminal.ptyproc.closed = terminal.closed = True
    terminal.ptyproc.fd = terminal.child_fd = -1
