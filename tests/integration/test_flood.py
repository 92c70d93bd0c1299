"""One member's flood through a real Mosquitto, the kernel's door and central, each member with an address (N8)."""

from __future__ import annotations

import asyncio
import io
import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from typing import IO

import pytest

from demo.flood.play import Setting, play
from demo.flood.streets import HALL_ADDRESS, Streets
from provisioning import door
from provisioning.door import TABLE, render_door

pytestmark = [
    pytest.mark.integration,
    pytest.mark.finding(14),
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces and nftables need root"),
]
HALL = {"4": HALL_ADDRESS, "6": "fd77::1"}
LISTEN = """
import contextlib, selectors, socket, sys
hall = socket.create_server(("::", 8883), family=socket.AF_INET6, dualstack_ipv6=True, backlog=512)
members, asked = selectors.DefaultSelector(), selectors.DefaultSelector()
members.register(hall, selectors.EVENT_READ)
asked.register(members, selectors.EVENT_READ)
asked.register(sys.stdin, selectors.EVENT_READ)
connections = size = 0
print("ready", flush=True)
while True:
    is_asked = sys.stdin in [key.fileobj for key, _ in asked.select()]
    while came := members.select(0):
        for key, _ in came:
            if key.fileobj is hall:
                members.register(hall.accept()[0], selectors.EVENT_READ)
                connections += 1
                continue
            more = b""
            with contextlib.suppress(OSError):
                more = key.fileobj.recv(65536)
            size += len(more)
            if not more:
                members.unregister(key.fileobj)
                key.fileobj.close()
    if is_asked:
        if not sys.stdin.readline():
            break
        print(connections, size, flush=True)
"""
"""A broker that only counts connections and bytes; it says how many when it is asked."""
CONNECT = """
import socket, sys, time
for _ in range(600):
    try:
        sys.exit(socket.create_connection((sys.argv[1], 8883), timeout=5).close())
    except OSError:
        time.sleep(0.1)
sys.exit("no way to the hall")
"""
"""A network that was just made lets nothing through for a moment."""
SEND = """
import contextlib, socket, struct, sys, time
hall, *addresses = sys.argv[1:]
members = []
for address in addresses:
    member = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    member.setsockopt(socket.IPPROTO_IP, 15, 1)  # IP_FREEBIND
    member.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # nothing is sent after the end
    member.setblocking(False)
    member.bind((address, 0))
    member.connect_ex((hall, 8883))
    members.append(member)
until = time.monotonic() + 1
while time.monotonic() < until:
    for member in members:
        with contextlib.suppress(OSError):
            member.send(bytes(16384))
    time.sleep(0.001)
"""


def flood(setting: Setting) -> str:
    """What is said at the end."""
    out = io.StringIO()
    asyncio.run(play(out, is_json=False, setting=setting))
    return out.getvalue()


def test_junk_of_one_member_costs_no_other_an_alert() -> None:
    """The ratio is the script's to judge: on a busy machine it says nothing."""
    said = flood(Setting(kinds=("junk on the frame topic",), flood_s=10.0))

    assert " 0 lost;" in said, said


class Hall:
    """Behind the door, with a broker that only counts; one house can send from any address of many networks."""

    def __init__(self, streets: Streets, asked: IO[str], answers: IO[str]) -> None:
        self._streets = streets
        self._asked = asked
        self._answers = answers

    def lets_in(self, version: str, *addresses: str) -> tuple[int, int, int]:
        """How many connections, and bytes, while each sends all it can; and how many packets without a place."""
        before = self._counted()
        command = ["python3", "-c", SEND, HALL[version], *addresses]
        subprocess.run(self._streets.within_house(0, command), check=True)
        connections, size, crowded = (now - then for now, then in zip(self._counted(), before, strict=True))
        return connections, size, crowded

    def _counted(self) -> tuple[int, int, int]:
        self._asked.write("\n")
        self._asked.flush()
        connections, size = self._answers.readline().split()
        (crowded,) = re.findall(r"counter packets (\d+)", self._listed("chain", "crowd"))
        return int(connections), int(size), int(crowded)

    def nft(self, rules: str) -> None:
        subprocess.run(self._streets.within_hall(["nft", "-f", "-"]), input=rules, text=True, check=True)

    def fill(self, name: str, version: str) -> None:
        """Up to the last place, beside whoever has one."""
        places = door.ADDRESSES_MAX - len(self.elements(name + version))
        first = ip_address({"4": "11.0.0.0", "6": "3fff::"}[version])
        step = {"4": 1, "6": 1 << 64}[version]
        others = ", ".join(str(first + number * step) for number in range(places))
        self.nft(f"add element inet {TABLE} {name}{version} {{ {others} }}")

    def elements(self, name: str) -> list[str]:
        return re.findall(r"[\da-f]+[.:][\da-f.:]+", self._listed("set", name))

    def _listed(self, kind: str, name: str) -> str:
        command = self._streets.within_hall(["nft", "list", kind, "inet", TABLE, name])
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@contextmanager
def closed_hall() -> Iterator[Hall]:
    streets = Streets()
    streets.build(1)
    try:
        for command in (
            streets.within_hall(["ip", "addr", "add", f"{HALL['6']}/64", "dev", "street", "nodad"]),
            streets.within_house(0, ["ip", "addr", "add", "fd77::10/64", "dev", "eth0", "nodad"]),
            streets.within_hall(["ip", "route", "add", "10.78.0.0/16", "via", "10.77.0.10"]),
            streets.within_hall(["ip", "route", "add", "2001:db8::/32", "via", "fd77::10"]),
            streets.within_house(0, ["ip", "route", "add", "local", "10.78.0.0/16", "dev", "lo"]),
            streets.within_house(0, ["ip", "route", "add", "local", "2001:db8::/32", "dev", "lo"]),
        ):
            subprocess.run(command, check=True)
        listening = streets.within_hall(["python3", "-c", LISTEN])
        with subprocess.Popen(listening, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as broker:
            assert broker.stdin is not None
            assert broker.stdout is not None
            assert "ready\n" == broker.stdout.readline()
            for address in HALL.values():
                subprocess.run(streets.within_house(0, ["python3", "-c", CONNECT, address]), check=True)
            hall = Hall(streets, broker.stdin, broker.stdout)
            hall.nft(render_door(8883))
            yield hall
    finally:
        streets.clear()


def test_addresses_of_one_ipv6_network_share_one_budget() -> None:
    """A member has all of its /64."""
    with closed_hall() as hall:
        hall.lets_in("6", *(f"2001:db8:0:{network}::{number}" for network in (1, 2) for number in range(1, 9)))
        found = [sorted(set(hall.elements(name)) - {"fd77::"}) for name in ("fresh6", "sender6")]

    assert [["2001:db8:0:1::", "2001:db8:0:2::"]] * 2 == found


@pytest.mark.parametrize("version", ["4", "6"])
@pytest.mark.parametrize("full", ["fresh", "sender"])
def test_when_a_set_is_full_those_without_a_place_share_one_budget(full: str, version: str) -> None:
    """And whoever has a place keeps a budget of their own."""
    known, *strangers = [{"4": f"10.78.0.{n}", "6": f"2001:db8:0:{n}::1"}[version] for n in range(1, 141)]
    with closed_hall() as hall:
        hall.lets_in(version, known)
        hall.fill(full, version)
        connections, _, crowded = hall.lets_in(version, known)
        assert (1, 0) == (connections, crowded)
        started_s = time.monotonic()
        connections, size, crowded = hall.lets_in(version, *strangers)
        passed_s = time.monotonic() - started_s

    assert 0 < connections <= door.CONNECTIONS_BURST + door.CONNECTIONS_PER_S * passed_s
    assert crowded > 0
    if full == "sender":
        assert size <= 1024 * (door.ADDRESS_BURST_KBYTES + door.ADDRESS_KBYTES_PER_S * (passed_s + 1))


def test_door_is_what_the_kernel_understands_and_may_be_loaded_again() -> None:
    streets = Streets()
    streets.build(0)
    try:
        for _ in range(2):
            subprocess.run(
                streets.within_hall(["nft", "-f", "-"]), input=render_door(8883), text=True, check=True, timeout=120
            )
        listed = subprocess.run(
            streets.within_hall(["nft", "list", "table", "inet", TABLE]), capture_output=True, text=True, check=True
        ).stdout
    finally:
        streets.clear()

    assert "limit rate over 8 kbytes/second burst 32 kbytes" in listed
    assert "limit rate over 2/second burst 60 packets" in listed
    assert "tcp dport 8883 jump budget" in listed


@pytest.mark.parametrize("version", ["4", "6"])
def test_member_who_has_sent_lately_may_connect_anew_beside_a_crowd(version: str) -> None:
    """A unit whose connection broke must not share with a flood from addresses that nobody has seen before."""
    known, *strangers = [{"4": f"10.78.0.{n}", "6": f"2001:db8:0:{n}::1"}[version] for n in range(1, 141)]
    with closed_hall() as hall:
        hall.lets_in(version, known)
        hall.nft(f"flush set inet {TABLE} fresh{version}")
        hall.fill("fresh", version)
        _, _, crowded = hall.lets_in(version, *strangers)
        assert crowded > door.CONNECTIONS_BURST
        connections, _, crowded = hall.lets_in(version, known)

    assert (1, 0) == (connections, crowded)
