"""What somebody can do who has stolen the delegate's key and the machine it is on, and how the authority ends it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from central.core.view import Board
from provisioning.delegate import end_delegation
from runtime.atomic import PUBLIC, write_atomic
from tests.support.central_program import CentralProgram, running_central
from tests.support.delegated_town import DelegateKey
from tests.support.fleet_broker import free_port, wait_until
from tests.support.node_process import CentralStandIn, NodeProcess
from tests.support.node_town import BOTH, SHOP, Town
from wire.directory import SenderEntry
from wire.ids import parse_node
from wire.signing import SigningKey
from wire.topics import Down, DownTopic

pytestmark = pytest.mark.integration

FALSE = SenderEntry(node="00000099", key=SigningKey(b"f" * 32).public.raw, premises="False Shop", schemes=(1,))


@pytest.fixture
def thief(town: Town) -> DelegateKey:
    """It may write where central reads the directory, and has copies of all that was ever there."""
    return DelegateKey.of(town.fleet)


def says(node: str, state: str) -> Callable[[Board], bool]:
    """Central's page has that line."""
    return lambda board: any(line.node == node and line.state == state for line in board.nodes)


def test_stolen_delegate_strikes_and_invents_premises_and_nothing_else_until_the_authority_ends_it(
    town: Town, thief: DelegateKey
) -> None:
    fleet, file = town.fleet, town.fleet.layout.directory
    config = fleet.layout.central / "central.toml"
    toml = config.read_text().replace(f"port = {fleet.record.central.web_port}", f"port = {free_port()}")
    config.write_text(toml)
    with running_central(config) as central, NodeProcess(town.folder(SHOP)) as shop:
        central.wait_for_board(says(SHOP, "ok"), "the shop is there")
        base = file.read_bytes()
        worst = thief.signed(999_999, struck=(SHOP, BOTH), added=(FALSE,))

        # What it can do, with the highest number that it may use: it silences a shop, and invents one.
        write_atomic(file, worst, PUBLIC)
        central.wait_for_board(says(SHOP, "revoked"), "the shop is struck")
        assert any(line.premises == "False Shop" for line in central.board().nodes)
        shop.press("assist")
        central.wait_for_fact("rejected", reason="revoked sender")
        assert [] == [card for card in central.board().cards if card.incident.startswith(SHOP)]

        # What it cannot.
        write_atomic(file, thief.signed(999_999 + 5, struck=(SHOP, "00000001"), base=base), PUBLIC)
        central.wait_for_fact("rejected", reason="delegate change")

        # The engineer's one command.
        end_delegation(fleet.folder)
        central.wait_for_board(lambda board: not says(SHOP, "revoked")(board), "the shop is back")
        assert not any(line.premises == "False Shop" for line in central.board().nodes)
        wait_until(lambda: bool(central.board().cards), "and its alert of before, which its node still held")

        # And it stays ended, whatever the thief still signs.
        write_atomic(file, thief.signed(1, struck=(SHOP,)), PUBLIC)
        central.wait_for_fact("rejected", reason="delegate signature")
        write_atomic(file, worst, PUBLIC)
        central.wait_for_fact("rejected", reason="directory older")
        central.wait_for_board(says(SHOP, "ok"), "the shop is as before")
    assert_ended_after_restart(config, town, worst)


def assert_ended_after_restart(config: Path, town: Town, stolen: bytes) -> None:
    """Both programs remember by what is on their disks, although all files about them are the thief's."""
    with running_central(config) as central:
        assert_not_struck(central)
    folder = town.folder(SHOP)
    write_atomic(folder / "directory.json", stolen, PUBLIC)
    stand_in, shop = CentralStandIn(town.fleet, town.broker.port), parse_node(SHOP)
    try:
        with NodeProcess(folder):
            stand_in.wait_for(lambda: bool(stand_in.health(shop)), "it is linked")
            stand_in.say(str(DownTopic(shop, Down.DIRECTORY)), stolen)
            stand_in.wait_for(lambda: "old directory" in stand_in.health(shop)[-1].rejected, "it has refused it")
            assert {3_000_000} == {health.directory_serial for health in stand_in.health(shop)}
    finally:
        stand_in.close()


def assert_not_struck(central: CentralProgram) -> None:
    """Central, just started, beside a directory of the thief's."""
    board = central.board()
    assert not says(SHOP, "revoked")(board)
    assert not any(line.premises == "False Shop" for line in board.nodes)
