"""What the image's firewall lets in from the shop's network: to the page, and to the unit's name while it is told."""

from __future__ import annotations

import os
import select
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from images.recipe import LAYERS
from tests.support.fleet_broker import DEADLINE_S

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(os.geteuid() != 0, reason="makes networks of its own, which needs root's rights"),
]
HARDENING = LAYERS / "hardening/files/etc"
UNIT, SHOP = f"unit-{os.getpid()}", f"shop-{os.getpid()}"
HEAR = """
import socket
hearing = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
hearing.bind(("", {port}))
hearing.settimeout({within_s})
group = socket.inet_aton("224.0.0.251") + socket.inet_aton("192.168.77.1")
hearing.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
print("ready", flush=True)
print(hearing.recv(99).decode(), flush=True)
"""
ASK = """
import socket
asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asking.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("192.168.77.2"))
asking.sendto(b"who?", ("{address}", {port}))
"""
SAY = """
import socket
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"nothing", ("127.0.0.1", {port}))
"""
LISTEN = """
import socket
listening = [socket.create_server(("", port)) for port in {ports}]
print("ready", flush=True)
input()
"""
CONNECT = """
import contextlib, socket
for port in {ports}:
    with contextlib.suppress(TimeoutError), socket.create_connection(("192.168.77.1", port), timeout=1):
        print(port)
"""
PORTS = [22, 80, 443, 8443]


def inside(network: str, *command: str | Path) -> None:
    subprocess.run(["ip", "netns", "exec", network, *command], check=True)


@pytest.fixture
def cable() -> Iterator[None]:
    """A unit and a tablet, each in a network of its own, with a cable between."""
    for network in (UNIT, SHOP):
        subprocess.run(["ip", "netns", "add", network], check=True)
    try:
        subprocess.run(
            ["ip", "-n", UNIT, "link", "add", "cable", "type", "veth", "peer", "cable", "netns", SHOP], check=True
        )
        for network, address in ((UNIT, "192.168.77.1/24"), (SHOP, "192.168.77.2/24")):
            subprocess.run(["ip", "-n", network, "address", "add", address, "dev", "cable"], check=True)
            subprocess.run(["ip", "-n", network, "link", "set", "cable", "up"], check=True)
        inside(UNIT, "ip", "link", "set", "lo", "up")
        inside(UNIT, "nft", "--file", HARDENING / "nftables.conf")
        yield
    finally:
        for network in (UNIT, SHOP):
            subprocess.run(["ip", "netns", "delete", network], check=False)


def heard(address: str = "224.0.0.251", port: int = 5353, *, is_awaited: bool = False) -> str:
    """What a program of the unit hears: what the tablet asks, or else ``nothing``, which the unit says after it."""
    hearing = ["ip", "netns", "exec", UNIT, "python3", "-c", HEAR.format(port=port, within_s=2 * DEADLINE_S)]
    with subprocess.Popen(hearing, stdout=subprocess.PIPE, text=True) as unit:
        assert unit.stdout is not None
        assert "ready\n" == unit.stdout.readline()
        inside(SHOP, "python3", "-c", ASK.format(address=address, port=port))
        if not (is_awaited and select.select([unit.stdout], [], [], DEADLINE_S)[0]):
            inside(UNIT, "python3", "-c", SAY.format(port=port))
        return unit.stdout.read().strip()


def let_in() -> list[int]:
    """To which of :data:`PORTS` the tablet can connect while programs of the unit listen at all of them."""
    own = ["ip", "netns", "exec"]
    listening = [*own, UNIT, "python3", "-c", LISTEN.format(ports=PORTS)]
    with subprocess.Popen(listening, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as unit:
        assert unit.stdin is not None
        assert unit.stdout is not None
        assert "ready\n" == unit.stdout.readline()
        connecting = [*own, SHOP, "python3", "-c", CONNECT.format(ports=PORTS)]
        done = subprocess.run(connecting, capture_output=True, text=True, check=True)
        unit.stdin.write("\n")
        unit.stdin.flush()
    return [int(port) for port in done.stdout.split()]


def is_a_stick() -> None:
    """What networkd does with one."""
    stick = (LAYERS / "network/files/etc/systemd/network/50-stick.network").read_text()
    (group,) = (line.removeprefix("Group=") for line in stick.splitlines() if line.startswith("Group="))
    subprocess.run(["ip", "-n", UNIT, "link", "set", "cable", "group", group], check=True)


def act(key: str) -> None:
    """What systemd does with Avahi."""
    lines = (HARDENING / "systemd/system/avahi-daemon.service.d/firewall.conf").read_text().splitlines()
    (command,) = (line.removeprefix(f"{key}=-+").split() for line in lines if line.startswith(f"{key}="))
    inside(UNIT, *command)


@pytest.mark.usefixtures("cable")
def test_name_is_asked_for_only_while_it_is_told() -> None:
    assert "nothing" == heard()
    act("ExecStartPost")
    assert "who?" == heard(is_awaited=True)
    assert "nothing" == heard(address="192.168.77.1")
    assert "nothing" == heard(port=5354)
    act("ExecStopPost")
    assert "nothing" == heard()


@pytest.mark.usefixtures("cable")
def test_name_is_not_told_on_a_4g_stick() -> None:
    act("ExecStartPost")
    is_a_stick()

    assert "nothing" == heard()


@pytest.mark.usefixtures("cable")
def test_nothing_is_let_in_but_the_page_and_nothing_at_all_from_a_4g_stick() -> None:
    assert [80, 443] == let_in()
    is_a_stick()
    assert [] == let_in()
