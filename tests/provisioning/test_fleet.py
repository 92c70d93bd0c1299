"""A fleet folder, from its founding on: what is in it, what never happens to it (F2, F5)."""

from __future__ import annotations

import json
import stat
import threading
import tomllib
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.config import load_config
from node.hw.profiles import PROFILES as HARDWARE
from provisioning import layout
from provisioning.enforcement import reload_by_pid_file
from provisioning.errors import BrokerUnprovenError, FleetDamagedError, FleetInputError
from provisioning.fleet import Fleet, NewNode
from provisioning.records import clean_name
from wire.directory import Directory, open_directory
from wire.ids import CENTRAL, NodeId
from wire.signing import PublicKey, SigningKey
from wire.text import display_text

AUTHORITIES = ("authority", "root-1", "nodes-1", "services-1")
SECRETS = {*(f"{name}.key" for name in (*AUTHORITIES, "server", "client", "alerts", "signing")), "acl"}


def directory_of(fleet: Fleet) -> Directory:
    authority = PublicKey(bytes.fromhex((fleet.layout.authority / "authority.pub").read_text()))
    return open_directory(fleet.layout.directory.read_bytes(), authority)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_init_makes_the_folder_that_the_architecture_names(fleet: Fleet) -> None:
    assert sorted(contents(fleet.layout.town)) == [
        "authority/authority.key",
        "authority/authority.pub",
        "authority/crl.pem",
        *(f"authority/{name}.{kind}" for name in ("nodes-1", "root-1", "services-1") for kind in ("key", "pem")),
        "authority/trusted.pem",
        "broker/acl",
        "broker/ca.pem",
        "broker/crl.pem",
        "broker/door.nft",
        "broker/issuers.pem",
        "broker/mosquitto.conf",
        "broker/server.key",
        "broker/server.pem",
        "central/alerts.key",
        "central/alerts.pem",
        "central/authority.pub",
        "central/ca.pem",
        "central/central.toml",
        "central/client.key",
        "central/client.pem",
        "central/signing.key",
        "directory.json",
        "fleet.json",
    ]


def test_add_makes_the_node_folder_that_the_architecture_names(fleet: Fleet) -> None:
    node = fleet.add("Corner Shop", "High St", ["hart"])

    assert sorted(contents(fleet.node_folder(node.node))) == [
        "authority.pub",
        "ca.pem",
        "client.key",
        "client.pem",
        "directory.json",
        "node.toml",
        "signing.key",
    ]


def test_secrets_are_for_the_owner_alone(fleet: Fleet) -> None:
    fleet.add("Corner Shop", "High St", ["hart"])

    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in [fleet.layout.town, *fleet.layout.town.rglob("*")]}

    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}
    assert {path.name for path, mode in modes.items() if path.is_file() and mode == 0o600} == SECRETS


def test_no_secret_is_in_what_the_fleet_remembers(fleet: Fleet) -> None:
    node = fleet.add("Corner Shop", "High St", ["hart"])
    remembered = fleet.layout.record.read_text() + fleet.layout.directory.read_text()

    for folder in (fleet.layout.authority, fleet.layout.central, fleet.node_folder(node.node)):
        for name in ("authority.key", "signing.key"):
            if (folder / name).exists():
                assert (folder / name).read_text().strip() not in remembered


def test_directory_holds_central_and_every_member_under_a_rising_serial(fleet: Fleet) -> None:
    first = directory_of(fleet)
    node = fleet.add("Corner Shop", "High St", ["hart", "pubwatch"])
    second = directory_of(fleet)
    seed = bytes.fromhex((fleet.node_folder(node.node) / "signing.key").read_text())

    assert (first.serial, second.serial) == (1, 2)
    assert [(s.number, s.slug, s.name) for s in second.schemes.values()] == [
        (1, "hart", "HART"),
        (2, "pubwatch", "Pub Watch"),
    ]
    assert second.senders[CENTRAL].is_central
    member = second.senders[NodeId(0x10)]
    assert (member.premises, member.place, member.schemes) == ("Corner Shop", "High St", frozenset({1, 2}))
    assert member.key == SigningKey(seed).public
    assert not member.is_central


def test_gateway_is_in_the_directory_as_one_and_a_record_from_before_there_were_any_is_read(fleet: Fleet) -> None:
    """N9: who is first asked to put central's words on the air is signed by the authority, not chosen on the way."""
    fleet.add("Corner Shop", "High St", ["hart"])
    fleet.add("Control room radio", "Town Hall", ["hart", "pubwatch"], kind="gateway")
    senders = directory_of(fleet).senders

    assert [NodeId(0x11)] == [node for node, sender in senders.items() if sender.is_gateway]
    assert (False, frozenset({1, 2})) == (senders[NodeId(0x11)].is_central, senders[NodeId(0x11)].schemes)
    older = fleet.layout.record.read_text().replace('"kind": "premises"', '"x": 0').replace(',\n      "x": 0', "")
    assert '"kind": "premises"' not in older
    fleet.layout.record.write_text(older)
    assert ["premises", "gateway"] == [node.kind for node in Fleet.open(fleet.layout.town).nodes]


def test_every_node_folder_says_how_a_radio_is_added_and_has_none_until_then(fleet: Fleet) -> None:
    """N10: nothing transmits because somebody ran a command."""
    node = fleet.add("Control room radio", "Town Hall", ["hart"], kind="gateway")
    text = (fleet.node_folder(node.node) / "node.toml").read_text()
    marks_away = text.replace("# [radio]", "[radio]").replace("# driver", "driver").replace("# licence", "licence")

    assert "radio" not in tomllib.loads(text)
    assert {"driver": "none", "licence": ""} == tomllib.loads(marks_away)["radio"]


def test_node_accepts_its_folder_as_it_is(tmp_path: Path) -> None:
    """The node's own reader, with its own checks of keys, certificate and directory."""
    fleet = Fleet.init(tmp_path / "town", schemes={"hart": "HART"})
    node = fleet.add('The "Crown" \\ Café', "", ["hart"], profile="fake")

    config = load_config(fleet.node_folder(node.node) / "node.toml", "1")

    assert config.settings.premises == 'The "Crown" \\ Café'
    assert (config.link_problem, config.warnings) == ("", ())
    assert config.directory.serial == 2


def test_every_node_folder_holds_the_newest_directory(fleet: Fleet) -> None:
    """Carried out today, a node knows today's neighbours, and can warn them with central gone (N9)."""
    first = fleet.add("Corner Shop", "High St", ["hart"])
    fleet.add("Bakery", "High St", ["hart"])

    assert (fleet.node_folder(first.node) / "directory.json").read_bytes() == fleet.layout.directory.read_bytes()


def test_init_refuses_a_folder_that_is_taken_and_touches_nothing(fleet: Fleet) -> None:
    before = contents(fleet.layout.town)

    with pytest.raises(FleetInputError, match="is taken"):
        Fleet.init(fleet.layout.town, schemes={"hart": "HART"})

    assert contents(fleet.layout.town) == before


def test_init_that_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("provisioning.founding.sync_folder", refuse)
    monkeypatch.setattr("provisioning.folder.write_beside", refuse)

    with pytest.raises(Exception, match="No space left on device"):
        Fleet.init(tmp_path / "town", schemes={"hart": "HART"})

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("schemes", "words"),
    [
        ({}, "at least one scheme"),
        ({"Hart": "HART"}, "small letters"),
        ({"hart/+": "HART"}, "small letters"),
        ({"hart": ""}, "empty"),
        ({"hart": "HA\x07RT"}, "cannot be shown"),
    ],
)
def test_init_refuses_schemes_that_topics_or_screens_cannot_carry(
    tmp_path: Path, schemes: dict[str, str], words: str
) -> None:
    with pytest.raises(FleetInputError, match=words):
        Fleet.init(tmp_path / "town", schemes=schemes)

    assert list(tmp_path.iterdir()) == []


def test_init_wants_an_address_to_listen_on_for_a_broker_that_has_a_name(tmp_path: Path) -> None:
    with pytest.raises(FleetInputError, match="--broker-bind"):
        Fleet.init(tmp_path / "town", schemes={"hart": "HART"}, host="broker.example.org")

    fleet = Fleet.init(tmp_path / "town", schemes={"hart": "HART"}, host="broker.example.org", bind="0.0.0.0")
    assert "listener 8883 0.0.0.0\n" in (fleet.layout.broker / "mosquitto.conf").read_text()
    assert tomllib.loads((fleet.layout.central / "central.toml").read_text())["mqtt"]["host"] == "broker.example.org"


def test_init_refuses_a_line_break_in_the_brokers_configuration(tmp_path: Path) -> None:
    with pytest.raises(FleetInputError, match="configuration file"):
        Fleet.init(tmp_path / "town", schemes={"hart": "HART"}, broker_user="mosquitto\nallow_anonymous true")


@pytest.mark.parametrize(
    ("premises", "words"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("x" * 65, "too long"),
        ("Corner\u202eShop", "cannot be shown"),
        ("Corner\ufeffShop", "cannot be shown"),
        ("Corner\nShop", "cannot be shown"),
        ("Corner\x1b[2JShop", "cannot be shown"),
    ],
)
def test_add_refuses_a_name_that_no_screen_should_show(fleet: Fleet, premises: str, words: str) -> None:
    before = contents(fleet.layout.town)

    with pytest.raises(FleetInputError, match=words):
        fleet.add(premises, "", ["hart"])

    assert contents(fleet.layout.town) == before


@given(st.text(max_size=80))
def test_clean_name_accepts_exactly_what_screens_show_as_it_is(text: str) -> None:
    try:
        name = clean_name(text, "name")
    except FleetInputError:
        return

    assert display_text(name, 64) == name
    assert 1 <= len(name) <= 64


@pytest.mark.parametrize(("schemes", "words"), [(["tennis"], "has: hart, pubwatch"), ([], "1 to 4 schemes")])
def test_add_refuses_schemes_the_fleet_does_not_have(fleet: Fleet, schemes: list[str], words: str) -> None:
    with pytest.raises(FleetInputError, match=words):
        fleet.add("Corner Shop", "", schemes)


def test_add_all_with_one_bad_name_adds_nobody(fleet: Fleet) -> None:
    before = contents(fleet.layout.town)

    with pytest.raises(FleetInputError):
        fleet.add_all([NewNode("Corner Shop", "", ["hart"]), NewNode("\x00", "", ["hart"])])

    assert contents(fleet.layout.town) == before


def test_add_never_uses_an_id_twice_not_even_one_of_an_interrupted_add(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet.add("Corner Shop", "", ["hart"])
    with monkeypatch.context() as patch:
        patch.setattr("provisioning.folder.FleetFolder.commit", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            fleet.add("Bakery", "", ["hart"])

    added = fleet.add("Bakery", "", ["hart"])

    assert added.node == "00000012"
    assert set(directory_of(fleet).senders) == {CENTRAL, NodeId(0x10), NodeId(0x12)}


def test_add_finishes_what_was_interrupted_before_the_directory_was_written(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("provisioning.folder.FleetFolder.publish", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            fleet.add("Corner Shop", "", ["hart"])

    fleet.add("Bakery", "", ["hart"])

    assert set(directory_of(fleet).senders) == {CENTRAL, NodeId(0x10), NodeId(0x11)}
    assert "user CN=00000010,O=node" in (fleet.layout.broker / "acl").read_text()


def test_two_commands_at_once_lose_no_node(fleet: Fleet) -> None:
    commands = [
        threading.Thread(target=Fleet.open(fleet.layout.town).add, args=(f"Shop {number}", "", ["hart"]))
        for number in range(8)
    ]
    for command in commands:
        command.start()
    for command in commands:
        command.join()

    nodes = Fleet.open(fleet.layout.town).nodes

    assert [node.node for node in nodes] == [f"{number:08x}" for number in range(0x10, 0x18)]
    assert len(directory_of(fleet).senders) == 9


def test_renew_gives_a_new_key_and_remembers_both_certificates(fleet: Fleet) -> None:
    node = fleet.add("Corner Shop", "", ["hart"])
    key = (fleet.node_folder(node.node) / "client.key").read_bytes()

    folder = fleet.renew(node.node)

    assert (folder / "client.key").read_bytes() != key
    assert len({certificate.serial for certificate in fleet.nodes[0].certificates}) == 2
    assert fleet.nodes[0].certificates[0] == node.certificates[0]


def test_renew_of_the_broker_writes_where_the_broker_reads(fleet: Fleet) -> None:
    names = ("server.key", "server.pem")
    before = [(fleet.layout.broker / name).read_bytes() for name in names]
    folder = fleet.renew("broker")

    assert fleet.layout.broker == folder
    assert all(old != (folder / name).read_bytes() for old, name in zip(before, names, strict=True))


def test_renew_works_after_the_folder_was_carried_away(fleet: Fleet) -> None:
    node = fleet.add("Corner Shop", "", ["hart"])
    carried = fleet.node_folder(node.node)
    carried.rename(carried.parent.parent / "carried")

    folder = fleet.renew(node.node)

    assert {path.name for path in folder.iterdir()} == {"ca.pem", "client.key", "client.pem"}


@pytest.mark.parametrize("name", ["fleet.json", "authority/nodes-1.key", "authority/authority.key"])
@pytest.mark.parametrize("damage", [b"", b"\x00" * 40, b"{}", None])
def test_damaged_fleet_is_named_in_a_sentence(fleet: Fleet, name: str, damage: bytes | None) -> None:
    path = fleet.layout.town / name
    path.unlink() if damage is None else path.write_bytes(damage)

    with pytest.raises((FleetDamagedError, FleetInputError), match=r"\.$|: "):
        Fleet.open(fleet.layout.town).add("Corner Shop", "", ["hart"])


def test_revoke_without_an_issuers_key_still_strikes_and_takes_every_right(fleet: Fleet) -> None:
    """docs/town-keys.md, 'A lost CA key'."""
    fleet.add("Corner Shop", "", ["hart"])
    (fleet.layout.authority / "nodes-1.key").unlink()

    with pytest.raises(BrokerUnprovenError, match="NOT PROVEN: The CA nodes-1 cannot be read"):
        fleet.revoke("00000010", lambda: None)

    assert directory_of(fleet).senders[NodeId(0x10)].is_revoked
    assert "user CN=00000010,O=node\ntopic deny #" in (fleet.layout.broker / "acl").read_text()


def test_revoke_raises_the_directorys_serial(fleet: Fleet) -> None:
    """Nodes and central keep the newer of two: one that says no more is not looked at."""
    node = fleet.add("Corner Shop", "", ["hart"])
    serial = directory_of(fleet).serial

    with pytest.raises(BrokerUnprovenError):
        fleet.revoke(node.node, reload_by_pid_file(fleet.layout.pid_file))

    assert serial + 1 == directory_of(fleet).serial


def test_revoke_without_the_directorys_key_still_takes_every_right(fleet: Fleet) -> None:
    node = fleet.add("Corner Shop", "", ["hart"])
    (fleet.layout.authority / "authority.key").unlink()

    with pytest.raises(FleetDamagedError, match=r"authority\.key"):
        fleet.revoke(node.node, pytest.fail)

    assert f"user CN={node.node},O=node\ntopic deny #\n" in (fleet.layout.broker / "acl").read_text()


def test_revoke_is_not_kept_back_by_what_was_packed_beside_the_node_folders(fleet: Fleet) -> None:
    node = fleet.add("Corner Shop", "", ["hart"])
    (fleet.layout.nodes / f"{node.node}.tar.gz").write_bytes(b"to be carried")

    with pytest.raises(BrokerUnprovenError, match="is struck"):
        fleet.revoke(node.node, reload_by_pid_file(fleet.layout.pid_file))

    assert directory_of(fleet).senders[NodeId(0x10)].is_revoked


def test_node_times_come_from_the_fleets_clock(fleet: Fleet) -> None:
    node = fleet.add("Corner Shop", "", ["hart"])

    assert node.added_at == datetime(2027, 3, 1, 12, tzinfo=UTC)
    assert node.certificates[0].expires_at == datetime(2027, 5, 30, 12, tzinfo=UTC)
    assert layout.DEFAULT_PROFILE == node.profile


@pytest.mark.finding(19)
def test_fleet_knows_the_profiles_that_nodes_have() -> None:
    assert set(HARDWARE) == set(layout.PROFILES)


@pytest.mark.finding(19)
def test_struck_node_is_nobodys_namesake(fleet: Fleet) -> None:
    """Whoever replaces a stolen node is not asked."""
    node = fleet.add("Corner Shop", "High St", ["hart"])
    assert (node,) == fleet.namesakes(" CORNER  shop ")
    assert () == fleet.namesakes("Corner Shops")
    with suppress(BrokerUnprovenError):
        fleet.revoke(node.node, reload_by_pid_file(fleet.layout.pid_file), deadline_s=0.1)

    assert () == fleet.namesakes("Corner Shop")


@pytest.mark.finding(1)
def test_everybody_who_is_made_anew_must_sign(tmp_path: Path) -> None:
    fleet = Fleet.init(tmp_path / "town", schemes={"hart": "HART"})
    fleet.add("Corner Shop", "High St", ["hart"])

    assert {True} == {entry.signs for entry in fleet.record.directory().senders}
    assert 0 == fleet.require_signatures()


@pytest.mark.finding(1)
def test_town_made_before_signatures_is_told_to_sign_one_by_one_or_as_a_whole(tmp_path: Path) -> None:
    """A program that does not sign yet would be cut off, so the fleet can go in steps; and nobody goes back."""
    fleet = Fleet.init(tmp_path / "town", schemes={"hart": "HART"})
    first, second = (fleet.add(f"Shop {number}", "High St", ["hart"]) for number in (1, 2))
    old = json.loads(fleet.layout.record.read_bytes())
    for record in (old["central"], *old["nodes"]):
        record.pop("signs", None)
    fleet.layout.record.write_text(json.dumps(old))
    fleet = Fleet.open(tmp_path / "town")
    assert {False} == {entry.signs for entry in fleet.record.directory().senders}

    serial = fleet.record.directory_serial
    assert 2 == fleet.require_signatures([second.node, "central"])
    assert [True, False, True] == [entry.signs for entry in fleet.record.directory().senders]
    assert serial + 1 == fleet.record.directory_serial
    with pytest.raises(FleetInputError):
        fleet.require_signatures([first.node, "000000ff"])
    assert 1 == fleet.require_signatures()
    assert {True} == {entry.signs for entry in fleet.record.directory().senders}
