"""``watchlink node check`` beside a node that runs: it finds it, believes it, and leaves it alone (F3)."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from node.check import network
from node.check.report import look
from node.step import Outcome
from tests.support.fleet_broker import DEADLINE_S
from tests.support.mosquitto import Mosquitto
from tests.support.node_process import NodeProcess
from tests.support.node_town import SHOP, Town

pytestmark = pytest.mark.integration


class Systemd:
    """The far end of sd_notify."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "notify"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self.path))
        self._socket.settimeout(DEADLINE_S)
        self.said: list[str] = []

    def wait_for(self, status: str) -> None:
        """Until the node has said exactly this of itself."""
        while (word := self._socket.recv(1_000).decode()) != f"STATUS={status}":
            self.said.append(word)

    def close(self) -> None:
        self._socket.close()


def test_check_beside_a_running_node_disturbs_nothing_and_takes_its_word(
    town: Town, mosquitto: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A busy machine is no broker that is away.
    monkeypatch.setattr(network, "_WITHIN_S", DEADLINE_S)
    systemd = Systemd(tmp_path)
    node = NodeProcess(town.folder(SHOP), env={"NOTIFY_SOCKET": str(systemd.path)})
    try:
        systemd.wait_for("armed, no faults; connected")
        found = look(town.folder(SHOP) / "node.toml", "")
        steps = {step.name: step for step in found.steps}
        assert node.board is not None
        node.board.fail("led")
        systemd.wait_for("armed, faults: led; connected")  # so it never lost its link on the way
    finally:
        node.kill()
        systemd.close()

    assert node.process.pid == found.unit.holder
    assert f"a node runs (process {node.process.pid})" in steps["unit"].text
    assert [Outcome.OK, Outcome.OK] == [steps[name].outcome for name in ("store", "broker")]
    assert Outcome.NOT_DONE is steps["buttons"].outcome
    assert [] == [word for word in systemd.said if "not connected:" in word]
    assert [] == [fact for fact in node.facts if fact["fact"] == "duplicate_identity"]
