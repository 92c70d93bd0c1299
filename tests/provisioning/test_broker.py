from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

import pytest

from provisioning.broker import BrokerSettings, Member, Services, render_acl, render_configuration
from provisioning.fleet import Fleet
from wire.ids import NodeId


def test_acl_names_every_right_and_takes_all_from_the_revoked() -> None:
    """The whole file, because what it does not say is forbidden."""
    members = [
        Member(NodeId(0x10), ("hart",), ("CN=00000010,O=node",)),
        Member(NodeId(0x11), ("hart", "pubwatch"), ("CN=00000011,O=node",)),
        Member(NodeId(0x12), ("hart",), ("CN=00000012", "CN=00000012,O=node"), is_revoked=True),
    ]
    services = Services(("CN=00000001,O=services",), ("CN=00000001-alerts,O=services",), ("CN=proof,O=node",))

    assert (
        render_acl(members, ["hart", "pubwatch"], services, 3).splitlines()[1:]
        == """\
user proof
topic write watchlink/1/proof/3/believed

user CN=proof,O=node
topic write watchlink/1/proof/3

user CN=00000001,O=services
topic read watchlink/1/scheme/+/frame/+
topic read watchlink/1/node/+/up/+
topic write watchlink/1/node/+/down/+
topic write watchlink/1/scheme/hart/incident
topic write watchlink/1/scheme/hart/central
topic write watchlink/1/scheme/pubwatch/incident
topic write watchlink/1/scheme/pubwatch/central

user CN=00000001-alerts,O=services
topic read watchlink/1/scheme/+/frame/+
topic read watchlink/1/node/+/up/heard
topic read watchlink/1/node/+/up/sync
topic write watchlink/1/node/+/down/receipt
topic write watchlink/1/node/+/down/ack
topic write watchlink/1/node/+/down/air
topic read watchlink/1/node/00000001/down/receipt

user CN=00000010,O=node
topic write watchlink/1/node/00000010/up/+
topic read watchlink/1/node/00000010/down/+
topic write watchlink/1/scheme/hart/frame/00000010
topic read watchlink/1/scheme/hart/frame/+
topic read watchlink/1/scheme/hart/incident
topic read watchlink/1/scheme/hart/central

user CN=00000011,O=node
topic write watchlink/1/node/00000011/up/+
topic read watchlink/1/node/00000011/down/+
topic write watchlink/1/scheme/hart/frame/00000011
topic read watchlink/1/scheme/hart/frame/+
topic read watchlink/1/scheme/hart/incident
topic read watchlink/1/scheme/hart/central
topic write watchlink/1/scheme/pubwatch/frame/00000011
topic read watchlink/1/scheme/pubwatch/frame/+
topic read watchlink/1/scheme/pubwatch/incident
topic read watchlink/1/scheme/pubwatch/central

user CN=00000012
topic deny #

user CN=00000012,O=node
topic deny #""".splitlines()
    )


def test_configuration_names_its_files_where_the_broker_will_find_them() -> None:
    settings = BrokerSettings(PurePosixPath("/a town/broker"), PurePosixPath("/state"), "127.0.0.1", 1883, "mosquitto")

    lines = render_configuration(settings).splitlines()

    assert "listener 1883 127.0.0.1" in lines
    assert "user mosquitto" in lines
    assert "crlfile /a town/broker/crl.pem" in lines
    assert "persistence_location /state/" in lines
    assert not [line for line in lines if line.startswith("pid_file")]


@pytest.mark.finding(14)
def test_fleet_budgets_bytes_and_new_connections_by_address_before_the_broker(tmp_path: Path) -> None:
    """And a connection's bytes by its port, for shops may share an address."""
    fleet = Fleet.init(tmp_path / "town", schemes={"hart": "HART"})
    rules = [path.read_text() for path in fleet.layout.broker.glob("*.nft")]

    budgets = [re.findall(r"\{ (ip saddr[. a-z]*?)[\s\\]+limit rate over \d+( kbytes)?/second", text) for text in rules]

    assert [[("ip saddr", ""), ("ip saddr", " kbytes"), ("ip saddr . tcp sport", " kbytes")]] == budgets


@pytest.mark.finding(15)
def test_configuration_bounds_memory_in_bytes() -> None:
    settings = BrokerSettings(PurePosixPath("/broker"), PurePosixPath("/state"), "127.0.0.1", 1883, "mosquitto")

    lines = dict(line.rsplit(" ", 1) for line in render_configuration(settings).splitlines() if line and line[0] != "#")

    assert ("65536", "8388608", "268435456") == tuple(
        lines.get(name) for name in ("max_packet_size", "max_queued_bytes", "memory_limit")
    )


def test_broker_that_root_starts_runs_as_who_made_the_town_or_as_was_said(tmp_path: Path) -> None:
    """It could read no key of the town's otherwise."""
    own = Fleet.init(tmp_path / "own", schemes={"hart": "HART"}).layout
    said = Fleet.init(tmp_path / "said", schemes={"hart": "HART"}, broker_user="mosquitto").layout
    users = [
        [line for line in (layout.broker / "mosquitto.conf").read_text().splitlines() if line.startswith("user ")]
        for layout in (own, said)
    ]

    assert [[f"user {own.town.owner()}"], ["user mosquitto"]] == users


def test_broker_on_a_machine_of_its_own_finds_its_files_there(tmp_path: Path) -> None:
    fleet = Fleet.init(tmp_path / "town", schemes={"hart": "HART"}, broker_folder="/etc/mosquitto/watchlink")

    lines = (fleet.layout.broker / "mosquitto.conf").read_text().splitlines()

    assert "crlfile /etc/mosquitto/watchlink/crl.pem" in lines
    assert "persistence_location /var/lib/mosquitto/" in lines, "Debian's, which its user may write"
    assert not [line for line in lines if line.startswith("pid_file") or str(tmp_path) in line]


def test_configuration_of_a_new_town_names_only_what_is_there(tmp_path: Path) -> None:
    """The town is built beside its place. A broker without its ACL or list would let everybody do everything."""
    fleet = Fleet.init(tmp_path / "town", schemes={"hart": "HART"})

    lines = (fleet.layout.broker / "mosquitto.conf").read_text().splitlines()
    named = {name: Path(value) for name, _, value in (line.partition(" ") for line in lines) if value.startswith("/")}

    assert {"cafile", "certfile", "keyfile", "crlfile", "acl_file", "persistence_location", "pid_file"} == set(named)
    assert fleet.layout.pid_file == named.pop("pid_file"), "the broker makes it"
    assert [] == [path for path in named.values() if not path.exists()]


def test_only_a_proof_of_the_services_issuer_hears_health() -> None:
    """The nodes' issuer is on a machine with a network: whoever steals it must hear nothing."""
    acl = render_acl([], [], Services((), (), ("CN=proof,O=node", "CN=proof", "CN=proof,O=services")), 3)
    blocks = {block.splitlines()[0]: block for block in acl.split("\n\n") if "up/health" in block}

    assert ["user CN=proof,O=services"] == list(blocks)
