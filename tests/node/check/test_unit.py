"""The unit in systemd's words, and the running node's own (F3)."""

from __future__ import annotations

import pytest

from node.check.report import look
from node.check.unit import look_at_unit
from node.step import Outcome, Step
from node.store.node_store import NodeStore
from tests.support.fitted_unit import FittedUnit
from wire.ids import NodeId
from wire.signing import SigningKey


def found(fitted: FittedUnit, name: str = "unit") -> Step:
    return next(step for step in look(fitted.file, "", fitted.machine).steps if step.name == name)


@pytest.mark.parametrize(
    ("properties", "outcome", "words"),
    [
        ({}, Outcome.OK, "active (running): armed, no faults; connected; restarted 0 times"),
        ({"NRestarts": "7"}, Outcome.BAD, "restarted 7 times"),
        ({"UnitFileState": "disabled"}, Outcome.BAD, "does not start by itself"),
        (
            {"ActiveState": "failed", "SubState": "failed", "Result": "exit-code", "ExecMainStatus": "2"},
            Outcome.BAD,
            "is failed (failed), result exit-code, exit status 2",
        ),
        ({"LoadState": "not-found"}, Outcome.BAD, "is not installed here"),
        ({"ExecStart": "{ argv[]=/opt/x node --config /elsewhere.toml ; }"}, Outcome.BAD, "does not start with"),
    ],
)
def test_unit_says_how_it_does(fitted: FittedUnit, properties: dict[str, str], outcome: Outcome, words: str) -> None:
    fitted.systemd(**properties)
    step = found(fitted)

    assert outcome is step.outcome
    assert words in step.text


def test_faults_that_the_running_node_reports_are_told(fitted: FittedUnit) -> None:
    fitted.systemd(StatusText="armed, faults: network oled; not connected: no broker answers at 192.0.2.7:8883")

    assert "network, oled" in found(fitted, "parts").text
    assert "no broker answers at 192.0.2.7:8883" in found(fitted, "link").text


@pytest.mark.parametrize(("allowed", "blocks"), [("127.0.0.0/8 ::1/128", True), ("192.0.2.0/24", False)])
def test_door_that_does_not_let_the_broker_through_is_told(fitted: FittedUnit, allowed: str, *, blocks: bool) -> None:
    """The unit lets nothing out until the broker is named: forgotten, the node never connects."""
    fitted.systemd(IPAddressDeny="::/0 0.0.0.0/0", IPAddressAllow=allowed)

    assert blocks == look_at_unit(fitted.machine, fitted.file, None).blocks("192.0.2.7")


def test_node_that_somebody_started_by_hand_is_seen_by_its_lock(fitted: FittedUnit) -> None:
    store = NodeStore(fitted.folder / "state", NodeId(0x10), SigningKey(bytes(32)), "boot")
    store.open()
    fitted.holds_store()
    try:
        assert "a node runs (process 4711), not as watchlink-node.service" in found(fitted).text
    finally:
        store.close()


def test_lock_on_another_file_is_nobody_of_ours(fitted: FittedUnit) -> None:
    (fitted.folder / "state").mkdir()
    (fitted.folder / "state" / "node.db").touch()
    fitted.kernel("/proc/locks", "1: POSIX  ADVISORY  WRITE 4711 08:01:1 1073741826 1073742335\n2: FLOCK x\n")

    assert 0 == look_at_unit(fitted.machine, fitted.file, fitted.folder / "state").holder
