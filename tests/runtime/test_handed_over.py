"""Sockets that systemd has opened come by their names to the program that they are meant for, and to no child of it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from runtime.web_connections import Listener
from runtime.web_server import listen
from tests.support.socket_activation import activated

SAYS = """
import json, os
from runtime.handed_over import handed_over
found = handed_over()
print(json.dumps({
    "ports": {name: [one.getsockname()[1] for one in many] for name, many in found.items()},
    "inherited": any(one.get_inheritable() for many in found.values() for one in many),
    "blocks": any(one.gettimeout() != 0 for many in found.values() for one in many),
    "left": [name for name in os.environ if name.startswith("LISTEN_")],
    "again": list(handed_over()),
}))
"""


@pytest.fixture
def listeners() -> Iterator[list[Listener]]:
    opened = [listen("127.0.0.1", 0) for _ in range(3)]
    yield opened
    for one in opened:
        one.close()


def said(listeners: list[Listener], names: list[str], pid: str = "$$") -> dict[str, Any]:
    command = activated([sys.executable, "-c", SAYS], list(zip(names, listeners, strict=True)), pid)
    files = [one.fileno() for one in listeners]
    told: dict[str, Any] = json.loads(subprocess.run(command, pass_fds=files, capture_output=True, check=True).stdout)
    return told


def test_sockets_come_by_name_and_no_child_inherits_them(listeners: list[Listener]) -> None:
    first, second, third = (one.getsockname()[1] for one in listeners)

    assert {
        "ports": {"http": [first, third], "https": [second]},
        "inherited": False,
        "blocks": False,
        "left": [],
        "again": [],
    } == said(listeners, ["http", "https", "http"])


def test_sockets_of_another_process_are_left_alone(listeners: list[Listener]) -> None:
    assert {} == said(listeners[:1], ["http"], pid="1")["ports"]


def test_program_that_nobody_hands_any_goes_without() -> None:
    done = subprocess.run([sys.executable, "-c", SAYS], capture_output=True, check=True)

    assert {} == json.loads(done.stdout)["ports"]
