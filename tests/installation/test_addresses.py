"""Whom each unit may reach, as its configuration says."""

from __future__ import annotations

import ipaddress
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from installation.addresses import (
    Allowed,
    Reach,
    allowed,
    judge,
    of_central,
    of_gallery,
    of_node,
    of_pages,
    of_publisher,
)
from installation.drop_in import drop_in_of, path_of
from tests.installation.conftest import BareMachine, of_the_lan

NAMES = {"broker.example": ["192.0.2.10", "2001:db8::10"], "192.0.2.7": ["192.0.2.7"], "127.0.0.1": ["127.0.0.1"]}


def resolve(host: str) -> list[str]:
    if host not in NAMES:
        raise OSError(host)
    return NAMES[host]


def texts(found: Allowed) -> list[str]:
    return [str(one) for one in found.networks]


@pytest.mark.parametrize(
    ("reach_of", "toml", "reach"),
    [
        (of_node, '[mqtt]\nhost = "192.0.2.7"', Reach(("192.0.2.7",))),
        (
            of_node,
            '[mqtt]\nhost = "b"\n[radio]\ndriver = "kiss-tnc"\n[radio.tnc]\nport = "socket://192.0.2.9:8001"',
            Reach(("b", "192.0.2.9")),
        ),
        (of_node, '[mqtt]\nhost = "b"\n[radio.tnc]\nport = "socket://192.0.2.9:8001"', Reach(("b",))),
        (of_gallery, '[office]\nhost = "192.0.2.10"\n[page]\nhost = "0.0.0.0"', Reach(("192.0.2.10",))),
        (of_gallery, "", Reach()),
        (of_central, '[mqtt]\nhost = "b"\n[web]\nhost = "127.0.0.1"', Reach(("b",))),
        (
            of_central,
            '[mqtt]\nhost = "b"\n[web]\nhost = "0.0.0.0"\n[office]\nfetch_url = "https://192.0.2.7:8091"',
            Reach(("b", "192.0.2.7"), serves_lan=True),
        ),
        (of_pages, 'database = "data/office.sqlite3"', Reach()),
        (
            of_pages,
            'database = "postgresql://u:p@db.example:5432/office"\n[mail]\nhost = "mail.example"\n[web]\nhost = ""',
            Reach(("db.example", "mail.example")),
        ),
        (of_pages, '[web]\nhost = "localhost"\n[public]\nhost = "192.0.2.1"', Reach((), serves_lan=True)),
        (of_publisher, '[web]\nhost = "0.0.0.0"\n[publisher]\nhost = "::1"', Reach()),
        (of_publisher, '[publisher]\nhost = "office.example"', Reach((), serves_lan=True)),
        (of_publisher, 'database = "postgresql://[bad"\npublisher = 7', Reach()),
    ],
)
def test_configuration_says_whom_its_unit_has_to_reach(
    reach_of: Callable[[dict[str, Any]], Reach], toml: str, reach: Reach
) -> None:
    assert reach == reach_of(tomllib.loads(toml))


def test_name_needs_its_addresses_and_the_resolver_but_not_this_machine(machine: BareMachine) -> None:
    of_the_lan(machine)

    assert ["192.0.2.10/32", "192.168.10.1/32", "2001:db8::10/128", "fe80::1/128"] == texts(
        allowed(machine, Reach(("broker.example",)), resolve)
    )
    assert ["192.0.2.7/32"] == texts(allowed(machine, Reach(("192.0.2.7", "127.0.0.1")), resolve))


def test_pages_are_for_this_machines_own_networks_not_for_what_a_router_leads_to(machine: BareMachine) -> None:
    of_the_lan(machine)
    machine.path("/proc/net/ipv6_route").write_text(
        "20010db8000000000000000000000000 40 0 0 0 00000000000000000000000000000000 0 0 00000001 eth0\n"
        "00000000000000000000000000000000 00 0 0 0 fe800000000000000000000000000001 0 0 00000003 eth0\n"
        "00000000000000000000000000000001 80 0 0 0 00000000000000000000000000000000 0 0 80200001 lo\n"
        "ff000000000000000000000000000000 08 0 0 0 00000000000000000000000000000000 0 0 00000001 eth0\n"
    )

    assert ["192.168.10.0/24", "2001:db8::/64"] == texts(allowed(machine, Reach((), serves_lan=True), resolve))


def test_host_that_nobody_knows_now_takes_nothing_away_that_was_allowed(machine: BareMachine) -> None:
    """The network may be down: a unit that was cut off for that would stay so."""
    said: list[str] = []
    reach = Reach(("nowhere.invalid",))
    assert [] == drop_in_of(machine, "watchlink-node", reach, "node", said.append)
    file = machine.path(path_of("watchlink-node"))
    file.parent.mkdir(parents=True)
    file.write_text("[Service]\nIPAddressAllow=192.0.2.7\n")

    (kept,) = drop_in_of(machine, "watchlink-node", reach, "node", said.append)
    assert file.read_bytes() == kept.data
    assert all(one.startswith("nobody here knows nowhere.invalid now") for one in said)


def test_address_that_is_no_longer_named_is_taken_out(machine: BareMachine, tmp_path: Path) -> None:
    file = machine.path(path_of("watchlink-node"))
    file.parent.mkdir(parents=True)
    file.write_text("[Service]\nIPAddressAllow=192.0.2.7\n")

    (due,) = drop_in_of(machine, "watchlink-node", Reach(("127.0.0.1",)), "node", lambda _: None)
    assert due.data.endswith(b"[Service]\n")


@pytest.mark.parametrize(
    ("effective", "written", "says"),
    [
        ("192.0.2.7/32 127.0.0.0/8", "IPAddressAllow=192.0.2.7", ""),
        ("192.0.2.0/24 ::1/128", "", ""),
        ("127.0.0.0/8 nonsense", "", "central may not reach 192.0.2.7, which its configuration names"),
        ("", "", "central may not reach 192.0.2.7, which its configuration names"),
        (
            "192.0.2.7/32 192.0.2.9/32",
            "# ours\n[Service]\nIPAddressAllow=192.0.2.7\nIPAddressAllow=192.0.2.9\n",
            "central may still reach 192.0.2.9, which its configuration no longer names",
        ),
    ],
)
def test_drop_in_that_no_longer_fits_is_told(effective: str, written: str, says: str) -> None:
    needed = Allowed((ipaddress.ip_network("192.0.2.7"),))
    (finding,) = judge("central", needed, effective, written, "Again.")

    assert (
        ("bad", says, "Again.")
        if says
        else ("ok", "those of central fit its configuration", "")
        == (
            finding.state,
            finding.text,
            finding.to_do,
        )
    )


def test_name_that_nobody_knows_is_told() -> None:
    (finding,) = judge("central", Allowed((), ("broker.example",)), "", "IPAddressAllow=192.0.2.7", "Again.")

    assert ("bad", "nobody here knows broker.example, which central has to reach") == (finding.state, finding.text)
