"""Whoever reaches the page's port and never finishes a request: the page, the log and the alerts go on (C1, N8)."""

from __future__ import annotations

import contextlib
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioning.fleet import Fleet
from tests.support.central_program import CentralProgram, running_central
from tests.support.fleet_broker import free_port, running_broker, wait_until
from tests.support.raw_member import Node, wait_for_link

pytestmark = [pytest.mark.integration, pytest.mark.finding(16)]

SHOP = "00000010"
HALF_OPEN = 1_300
FILES_MAX = 1_024
"""What a service gets that does not ask for more."""
LOG_BYTES_MAX = 100_000
SAID = "the page cannot accept connections"
FEW_FILES = f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({FILES_MAX}, {FILES_MAX}));"

OPENER = """
import contextlib, socket, sys
opened = []
for _ in range(int(sys.argv[2])):
    opened.append(socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=120))
    with contextlib.suppress(OSError):  # turned away meanwhile
        opened[-1].sendall(b"GET /board.json HTTP/1.1\\r\\nHost: 127")
print("opened", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    fleet = Fleet.init(tmp_path / "town", schemes={"hart": "HART"}, port=free_port(), web_port=free_port())
    fleet.add("Corner Shop", "High St", ["hart"])
    return fleet


@contextlib.contextmanager
def half_open(central: CentralProgram, count: int) -> Iterator[None]:
    """That many connections, each with a request begun and not ended. In a process of its own: paho counts to 1,023."""
    port = central.url.rstrip("/").rpartition(":")[2]
    opener = subprocess.Popen(
        [sys.executable, "-c", OPENER, port, str(count)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert opener.stdout
    with opener:
        assert opener.stdout.readline()
        yield
        opener.kill()


def test_half_open_requests_keep_nobody_from_page_broker_or_receipt(fleet: Fleet) -> None:
    config = fleet.layout.central / "central.toml"
    conf, port = fleet.layout.broker / "mosquitto.conf", fleet.record.broker.port
    with running_central(config, FEW_FILES) as central, half_open(central, HALF_OPEN):
        with running_broker(conf, port):
            wait_for_link(central)
            shop = Node(fleet, SHOP, "hart", 1)
            with contextlib.closing(shop.client):
                shop.send(shop.alert(7))
                shop.wait_for_receipt(7)
            central.card("00000010-7")
        open_files = len(list(Path(f"/proc/{central.process.pid}/fd").iterdir()))
    assert open_files < FILES_MAX - 100
    assert central.log.stat().st_size < LOG_BYTES_MAX


def test_file_limit_that_is_reached_all_the_same_is_logged_once(fleet: Fleet) -> None:
    with running_central(fleet.layout.central / "central.toml") as central:
        pid = central.process.pid
        few = max(int(file.name) for file in Path(f"/proc/{pid}/fd").iterdir()) + 4
        before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (few, before[1]))
        with half_open(central, 60):
            wait_until(lambda: SAID in central.log.read_text(), "it says so")
            time.sleep(2.5)  # the server tries again each second
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)

        with central.open() as page:
            assert b"Corner Shop" in page.read()
        assert 1 == central.log.read_text().count(SAID)
