"""A network of the test's own, in which this machine has an address as in a shop: what it serves is off loopback."""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ADDRESS: Final = "192.168.77.1"
_NETWORK: Final = 0x40000000
"""``CLONE_NEWNET``, unshare(2)."""


@contextlib.contextmanager
def shop_network() -> Iterator[str]:
    """For this thread, and what it starts meanwhile. Gives the address."""
    if os.geteuid() != 0:
        pytest.skip("only root may make a network")
    libc = ctypes.CDLL(None, use_errno=True)
    with Path("/proc/thread-self/ns/net").open("rb") as before:
        if libc.unshare(_NETWORK):
            pytest.skip(f"no network of one's own here: {os.strerror(ctypes.get_errno())}")
        try:
            for command in ("link set lo up", f"address add {ADDRESS}/32 dev lo"):
                subprocess.run(["ip", *command.split()], check=True)
            yield ADDRESS
        finally:
            assert not libc.setns(before.fileno(), _NETWORK)
