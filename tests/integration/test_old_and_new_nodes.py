"""A town in the middle of its move: a unit of before and one of after, whole programs, warn each other (F2)."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioning.issuer_changes import new_root
from tests.integration.test_mixed_versions import NodeOfEither
from tests.support.central_program import running_central
from tests.support.first_ca import COMMIT, one_ca_fleet
from tests.support.fleet_broker import free_port
from tests.support.mosquitto import Mosquitto
from tests.support.old_version import OldVersion

pytestmark = pytest.mark.integration

OLD, NEW = "00000010", "00000012"


def test_unit_of_before_and_unit_of_after_the_move_warn_each_other(tmp_path: Path) -> None:
    """The old one has its old program, certificate and CA; central has its new files already."""
    old = OldVersion(tmp_path / "old", COMMIT)
    fleet = one_ca_fleet(old, tmp_path / "town", free_port(), free_port())
    broker = Mosquitto(fleet.layout.broker / "mosquitto.conf", fleet.record.broker.port)
    new_root(fleet.folder)
    fleet.add("Chemist", "Mill Lane", ["hart"], profile="fake")
    broker.start()
    try:
        with (
            running_central(fleet.layout.central / "central.toml") as central,
            NodeOfEither(fleet.node_folder(OLD), env=old.env) as before,
            NodeOfEither(fleet.node_folder(NEW)) as after,
        ):
            central.wait_for_board(lambda board: board.is_broker_linked, "central is linked")
            before.press("attack")
            of_before = before.wait_for_fact("receipt")["alert"]
            shown_after = after.wait_for_fact("shown")["alert"]
            after.press("attack")
            of_after = after.wait_for_fact("receipt")["alert"]
            shown_before = before.wait_for_fact("shown")["alert"]
    finally:
        broker.stop()

    assert [of_before, of_after] == [shown_after, shown_before]
