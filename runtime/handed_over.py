"""Listening sockets that systemd has opened for this program, by their names (sd_listen_fds(3)).

So a program is found at a port below 1024, and has no right to open one.
"""

from __future__ import annotations

import os
from typing import Final

from runtime.web_connections import Listener

_FIRST: Final = 3
"""Number of the first (SD_LISTEN_FDS_START)."""
_VARIABLES: Final = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")


def handed_over() -> dict[str, list[Listener]]:
    """All of them; empty when systemd has opened none for this process. Once: no child process inherits them."""
    process, count, names = (os.environ.pop(name, "") for name in _VARIABLES)
    found: dict[str, list[Listener]] = {}
    if process != str(os.getpid()) or not count.isdecimal():
        return found
    for number, name in zip(range(_FIRST, _FIRST + int(count)), names.split(":"), strict=True):
        listener = Listener(fileno=number)
        listener.set_inheritable(False)
        listener.settimeout(0)
        found.setdefault(name, []).append(listener)
    return found
