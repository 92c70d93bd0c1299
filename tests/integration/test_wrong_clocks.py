"""One wrong clock, in real programs whose clocks libfaketime sets (N13): a sample of the matrix of tests/sim."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from central.core.view import Board
from node.hw.fake_board_client import BoardView
from provisioning.fleet import Fleet, NewNode
from runtime.atomic import PUBLIC, write_atomic
from tests.support.central_program import CentralProgram, running_central
from tests.support.fleet_broker import DEADLINE_S, free_port
from tests.support.mosquitto import Mosquitto
from tests.support.node_process import NodeProcess
from tests.support.node_town import PUB, SHOP, Town

pytestmark = [pytest.mark.integration, pytest.mark.finding(2)]
PRESSER, NEIGHBOUR = SHOP, PUB


class FakedClock:
    """The wall clock of one program, and of nothing else: its monotonic clock goes on as it is."""

    def __init__(self, file: Path, error_s: int) -> None:
        self._file = file
        self.set(error_s)

    def set(self, error_s: int) -> None:
        """Step it."""
        # A program that read half of it would end.
        write_atomic(self._file, f"{error_s:+d}s\n".encode(), PUBLIC)

    @property
    def env(self) -> dict[str, str]:
        """For the program."""
        (library,) = Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")
        return {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            # Named by process number, it outlives who is killed, and may end another of that number at its start.
            "FAKETIME_DISABLE_SHM": "1",
        }


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A town with a central and two shops of one scheme, whose broker runs; every node believes its machine's clock."""
    port = free_port()
    fleet = Fleet.init(tmp_path / "town", schemes={"hart": "HART"}, port=port, web_port=free_port())
    fleet.add_all(
        [
            NewNode("Corner Shop", "High St", ["hart"], profile="fake"),
            NewNode("Red Lion", "Mill Lane", ["hart"], profile="fake"),
        ]
    )
    for node in (PRESSER, NEIGHBOUR):
        with (fleet.node_folder(node) / "node.toml").open("a") as file:
            file.write('[clock]\nproof = "machine"\n')
    broker = Mosquitto(fleet.layout.broker / "mosquitto.conf", port)
    broker.start()
    yield Town(fleet, broker)
    broker.stop()


def is_ready(node: NodeProcess) -> None:
    """Central has answered it, and so it has learnt central's time."""
    assert node.board
    node.board.wait_for(lambda view: "Net✓" in " ".join(view.lines) or view.face == "fault", timeout_s=DEADLINE_S)


def tells_a_clock_fault(board: Board) -> bool:
    """Of central's own clock, or of a premises'."""
    return bool(board.clock_fault) or any("clock:" in fault for line in board.nodes for fault in line.faults)


def shown_next(node: NodeProcess, count: int) -> tuple[BoardView, dict[str, object]]:
    """What the neighbour's panel says of the latest press, and what its log says."""
    fact = node.wait_for_fact("shown", count)
    assert node.board
    view = node.board.wait_for(lambda view: view.face == "neighbour", timeout_s=DEADLINE_S, what="a neighbour's alert")
    return view, fact


@pytest.mark.parametrize(
    ("who", "error_s", "step_s"),
    [("central", 70, 70), ("central", 0, 1_800), ("presser", -1_800, -1_800), ("neighbour", 70, -1_800)],
)
def test_live_attack_is_live_with_one_wrong_clock_and_with_central_killed(
    town: Town, tmp_path: Path, who: str, error_s: int, step_s: int
) -> None:
    clocks = {name: FakedClock(tmp_path / f"{name}.clock", 0) for name in ("central", "presser", "neighbour")}
    clocks[who].set(error_s)
    config = town.fleet.layout.town / "central" / "central.toml"
    with contextlib.ExitStack() as programs:
        central: CentralProgram = programs.enter_context(running_central(config, env=clocks["central"].env))
        central.wait_for_board(lambda board: board.is_broker_linked, "central is linked")
        presser = programs.enter_context(NodeProcess(town.folder(PRESSER), env=clocks["presser"].env))
        neighbour = programs.enter_context(NodeProcess(town.folder(NEIGHBOUR), env=clocks["neighbour"].env))
        for node in (presser, neighbour):
            is_ready(node)
        asked_at = datetime.now(UTC)
        said_at = central.board().at - timedelta(seconds=error_s * (who == "central"))
        near = timedelta(seconds=5)
        assert asked_at - near < said_at < datetime.now(UTC) + near, "the clock is faked"
        clocks[who].set(step_s)

        presser.press("assist")
        receipt = presser.wait_for_fact("receipt")
        assert "false" == receipt["is_late"]
        view, fact = shown_next(neighbour, 1)
        assert "false" == fact["is_late"]
        assert "LATE" not in " ".join(view.lines)
        assert not central.card(str(receipt["alert"])).is_late

        central.wait_for_board(tells_a_clock_fault, "a clock fault is told")
        central.kill()
        presser.press("attack")
        _, fact = shown_next(neighbour, 2)
        assert "false" == fact["is_late"]
