"""Ports of a town, while another town and other programs look for theirs."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from demo import ports
from demo.ports import LOOPBACK, NoPortError, claim_ports

ANOTHER_TOWN = """
import sys
from demo import ports
ports._RANGE = range(int(sys.argv[1]), int(sys.argv[1]) + 1)
print(*ports.claim_ports(1))
"""


def test_claimed_port_is_for_our_programs_alone_even_between_a_stop_and_a_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The broker of one town was killed, and before it came back another town had its port."""
    (port,) = claim_ports(1)
    for _ in range(2):
        theirs = subprocess.run(
            [sys.executable, "-c", ANOTHER_TOWN, str(port)], capture_output=True, check=False, text=True
        )
        assert f"no 1 free ports between {port} and" in theirs.stderr
        with socket.socket() as another, pytest.raises(OSError, match="in use"):
            another.bind((LOOPBACK, port))
        with (
            socket.create_server((LOOPBACK, port)) as server,
            socket.create_connection((LOOPBACK, port)),
        ):
            server.accept()[0].close()
    monkeypatch.setattr(ports, "_RANGE", range(port, port + 1))
    with pytest.raises(NoPortError, match="no 1 free ports"):
        claim_ports(1)
