"""The version before this one beside ours: old nodes and a new central, new nodes and an old central (F5)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from central.core.view import Acknowledge, Person, StartDuty
from provisioning.fleet import Fleet, NewNode
from provisioning.office import change_keys
from tests.support.central_program import CentralProgram, running_central
from tests.support.delegated_town import DelegateKey
from tests.support.fleet_broker import free_port, wait_until
from tests.support.mosquitto import Mosquitto
from tests.support.node_process import NodeProcess
from tests.support.node_town import SHOP, Town
from tests.support.old_version import OldVersion
from wire.ids import NodeId
from wire.signing import SigningKey

pytestmark = [pytest.mark.integration, pytest.mark.finding(3)]

PCSO = Person("pcso", "Jaswinder Patel")
MAKE_TOWN = """
import sys
from pathlib import Path
from provisioning.fleet import Fleet, NewNode
town, port, web_port = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
fleet = Fleet.init(town, schemes={"hart": "HART"}, port=port, web_port=web_port)
fleet.add_all([NewNode("Corner Shop", "High St", ["hart"], profile="fake")])
"""


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> OldVersion:
    version = OldVersion(tmp_path_factory.mktemp("version") / "old")
    version.run("import node.core, central.core, wire.kinds; assert not hasattr(wire.kinds, 'Capability')")
    return version


@pytest.fixture
def town(tmp_path: Path, old: OldVersion) -> Iterator[Town]:
    """A town that the old version made: its directory says of nobody that they sign."""
    port = free_port()
    old.run(MAKE_TOWN, str(tmp_path / "town"), str(port), str(free_port()))
    fleet = Fleet.open(tmp_path / "town")
    broker = Mosquitto(fleet.layout.broker / "mosquitto.conf", port)
    broker.start()
    yield Town(fleet, broker)
    broker.stop()


READ_DIRECTORY = """
import sys
from pathlib import Path
from wire.directory import open_directory
from wire.ids import NodeId
from wire.signing import PublicKey
sealed, authority = (Path(name).read_bytes() for name in sys.argv[1:3])
directory = open_directory(sealed, PublicKey(bytes.fromhex(authority.decode().strip())))
assert not hasattr(directory, "office_keys")
assert directory.senders[NodeId(0x10)].premises == "Corner Shop"
"""


def test_directory_with_an_office_is_read_by_the_old_version(tmp_path: Path, old: OldVersion) -> None:
    """A town's nodes are updated one by one, its directory at once."""
    fleet = Fleet.init(tmp_path / "town", schemes={"hart": "HART"})
    fleet.add_all([NewNode("Corner Shop", "High St", ["hart"], office_premises=5)])
    change_keys(fleet.folder, trust=SigningKey(b"o" * 32).public.raw)

    old.run(READ_DIRECTORY, str(fleet.layout.directory), str(fleet.layout.authority / "authority.pub"))


def test_directory_that_a_delegate_has_changed_is_read_by_the_old_version_as_the_authoritys(
    tmp_path: Path, old: OldVersion
) -> None:
    """It knows nothing of the delegate, but is not stuck: the authority's part is signed as ever."""
    fleet = Fleet.init(tmp_path / "town", schemes={"hart": "HART"})
    fleet.add_all([NewNode("Corner Shop", "High St", ["hart"])])
    delegate = DelegateKey.of(fleet)
    changed = tmp_path / "directory.json"
    changed.write_bytes(delegate.signed(1, struck=(SHOP,)))
    assert delegate.opened(changed.read_bytes()).senders[NodeId(0x10)].is_revoked

    code = READ_DIRECTORY + "assert directory.serial == 1_000_000 and not directory.senders[NodeId(0x10)].is_revoked"
    old.run(code, str(changed), str(fleet.layout.authority / "authority.pub"))


class NodeOfEither(NodeProcess):
    """Its board's lines bear no moment: the version before this one knows none."""

    def put(self, button: str, level: str) -> None:
        assert self.board
        self.board.send({"button": button, "level": level})


def open_incidents(central: CentralProgram) -> set[str]:
    """As its page has them; an older page has other fields."""
    with central.open("board.json") as answer:
        return {card["incident"] for card in json.loads(answer.read())["cards"]}


@pytest.mark.parametrize(("node", "central"), [("old", "new"), ("new", "old"), ("new", "new")])
def test_alert_is_received_and_answered_whichever_of_the_two_is_older(
    town: Town, old: OldVersion, node: str, central: str
) -> None:
    env: dict[str, Mapping[str, str]] = {"old": old.env, "new": {}}
    config = town.fleet.layout.town / "central" / "central.toml"
    with (
        running_central(config, env=env[central], has_accounts=central == "new") as program,
        NodeOfEither(town.folder(SHOP), env=env[node]) as shop,
    ):
        program.wait_for_board(lambda board: board.is_broker_linked, "central is linked")
        program.act(StartDuty("page"), PCSO)
        shop.press("attack")
        shop.wait_for_face("received")
        alert = shop.wait_for_fact("receipt")["alert"]
        with sqlite3.connect(config.parent / "state" / "central.db") as disk:
            rows = disk.execute("SELECT sender, counter FROM frames").fetchall()
        disk.close()
        assert [alert] == [f"{sender:08x}-{counter}" for sender, counter in rows]
        wait_until(lambda: alert in open_incidents(program), "its card")
        program.act(Acknowledge(alert, "attack"), PCSO)
        shop.wait_for_face("answered")
