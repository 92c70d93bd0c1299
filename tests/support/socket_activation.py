"""Starts a program as systemd does that has opened its ports (sd_listen_fds(3))."""

from __future__ import annotations

import shlex
import socket
from collections.abc import Sequence

FIRST = 3


def activated(command: Sequence[str], sockets: Sequence[tuple[str, socket.socket]], pid: str = "$$") -> list[str]:
    """The command line, for ``subprocess`` with ``pass_fds`` of these sockets.

    Args:
        command: the program's own.
        sockets: with their names, in order.
        pid: for whom they are meant.
    """
    # Two steps, because the number of one may be the place of another.
    beyond = FIRST + len(sockets) + max((one.fileno() for _, one in sockets), default=0)
    aside = [f"{beyond + at}<&{one.fileno()}" for at, (_, one) in enumerate(sockets)]
    placed = [f"{FIRST + at}<&{beyond + at} {beyond + at}<&-" for at in range(len(sockets))]
    names = ":".join(name for name, _ in sockets)
    variables = f"LISTEN_PID={pid} LISTEN_FDS={len(sockets)} LISTEN_FDNAMES={names}"
    return ["bash", "-c", f"exec {' '.join((*aside, *placed))}; export {variables}; exec {shlex.join(command)}"]
