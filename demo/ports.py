"""Free ports on loopback for programs that are restarted, so they must stay free while nobody listens."""

from __future__ import annotations

import random
import socket
from typing import Final

LOOPBACK: Final = "127.0.0.1"
# Below the range that Linux takes for outgoing connections: a port of there may be gone when a program comes back.
_RANGE: Final = range(20_000, 32_000)


class NoPortError(OSError):
    """Nothing is free in the whole range."""


def free_ports(count: int) -> tuple[int, ...]:
    """``count`` different ports on which nothing listens now. Another program may still be quicker: try again then.

    Raises:
        NoPortError: none left.
    """
    found: list[int] = []
    for port in random.SystemRandom().sample(_RANGE, len(_RANGE)):
        if _is_free(port):
            found.append(port)
        if len(found) == count:
            return tuple(found)
    raise NoPortError(f"no {count} free ports between {_RANGE.start} and {_RANGE.stop}")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do it: a port whose last connections linger in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
