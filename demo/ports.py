"""Free ports on loopback for programs that are restarted, and so must stay free while nobody listens."""

from __future__ import annotations

import asyncio
import random
import socket
from typing import Final

LOOPBACK: Final = "127.0.0.1"
EVERYWHERE: Final = "0.0.0.0"  # noqa: S104 - of a network namespace with nothing else in it
# Below Linux's range for outgoing connections: a port from there may be in use when a program comes back.
_RANGE: Final = range(20_000, 32_000)


class NoPortError(OSError):
    """No port is free in the whole range."""


def free_ports(count: int) -> tuple[int, ...]:
    """``count`` different free ports. Another program may still take one first: then try again.

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
        # As servers do: a port whose last connections linger in TIME_WAIT counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


async def answers(port: int) -> bool:
    """Whether somebody listens there."""
    try:
        _, out = await asyncio.open_connection(LOOPBACK, port)
    except OSError:
        return False
    out.close()
    return True
