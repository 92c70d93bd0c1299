"""Ports on loopback that stay ours until this process ends, so that programs can be restarted there."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import random
import socket
from typing import Final

LOOPBACK: Final = "127.0.0.1"
EVERYWHERE: Final = "0.0.0.0"  # noqa: S104 - of a network namespace with nothing else in it
# Below Linux's range for outgoing connections, which pays no heed to what is bound.
_RANGE: Final = range(20_000, 32_000)
_claims: Final = contextlib.ExitStack()
atexit.register(_claims.close)


class NoPortError(OSError):
    """No port is free in the whole range."""


def claim_ports(count: int) -> tuple[int, ...]:
    """``count`` different ports, free now. Nobody else can claim them until this process ends.

    Each stays bound here and never listens. A server that sets ``SO_REUSEADDR``, as all of ours do, may listen there
    nevertheless; whoever asks for a port of their own, without it, is refused (Linux, ``inet_csk_bind_conflict``).

    Raises:
        NoPortError: none left.
    """
    claimed: list[int] = []
    for port in random.SystemRandom().sample(_RANGE, len(_RANGE)):
        if _claim(port):
            claimed.append(port)
        if len(claimed) == count:
            return tuple(claimed)
    raise NoPortError(f"no {count} free ports between {_RANGE.start} and {_RANGE.stop}")


def _claim(port: int) -> bool:
    claim = socket.socket()
    try:
        claim.bind((LOOPBACK, port))
    except OSError:
        claim.close()
        return False
    claim.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    _claims.enter_context(claim)
    return True


async def answers(port: int) -> bool:
    """Whether somebody listens there."""
    try:
        _, out = await asyncio.open_connection(LOOPBACK, port)
    except OSError:
        return False
    out.close()
    return True
