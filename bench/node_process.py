"""A real node process on a fake board, timed."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from bench import town
from node.hw.fake_board_client import FakeBoardClient
from provisioning.fleet import Fleet

TAP_MS: Final = 60
LET_GO_S: Final = 0.08
"""Until the release is debounced; a press before that does not count as a new one."""


class MeasuredNode:
    """``watchlink node`` of the fleet's first premises; inside ``with`` it is running and armed.

    Attributes:
        start_to_armed_ms: from starting the program to its ``armed`` fact, interpreter and imports included.
    """

    def __init__(self, fleet: Fleet, log: Path) -> None:
        folder = fleet.node_folder(fleet.nodes[0].node)
        config = folder / "node.toml"
        text = config.read_text()
        if "\n[alerts]" not in text:
            # Without the chord a tap is an assist at once: the wait for a second button is not part of the path.
            config.write_text(text + "\n[alerts]\nchord = false\n")
        self._log = log
        self._config = config
        self._socket = folder / "board.sock"
        self._running = town.program("-m", "watchlink.cli", "node", "--config", str(config), log=log)
        self._process: subprocess.Popen[str] | None = None
        self._board: FakeBoardClient | None = None
        self.start_to_armed_ms = 0.0

    def __enter__(self) -> Self:
        start_s = time.monotonic()
        self._process = self._running.__enter__()
        armed = town.wait_for(self._process, lambda fact: fact["fact"] == "armed")
        self.start_to_armed_ms = armed["at_ms"] - start_s * 1_000
        self._board = FakeBoardClient(self._socket)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._board:
            self._board.close()
        self._running.__exit__(kind, error, trace)

    @property
    def pid(self) -> int:
        """The node's process id."""
        assert self._process is not None
        return self._process.pid

    def wait_until_central_is_seen(self) -> None:
        """Wait until the idle face shows that the network path is proven."""
        assert self._board is not None
        self._board.wait_for(
            lambda view: view.face == "ready" and any("Net✓" in line for line in view.lines),
            timeout_s=town.START_DEADLINE_S,
            what="Net✓",
        )

    def press_to_receipt_ms(self) -> float:
        """Tap *assist* at the pin; returns the time between the node's facts ``pressed`` and ``receipt``."""
        assert self._process is not None
        assert self._board is not None
        self._board.press("assist", hold_ms=TAP_MS)
        pressed = self._fact("pressed")
        elapsed_ms = float(self._fact("receipt")["at_ms"] - pressed["at_ms"])
        time.sleep(LET_GO_S)
        return elapsed_ms

    def press_to_receipts_ms(self, count: int) -> list[float]:
        """So many presses, one after another."""
        return [self.press_to_receipt_ms() for _ in range(count)]

    def _fact(self, name: str) -> dict[str, Any]:
        assert self._process is not None
        return town.wait_for(self._process, lambda fact: fact["fact"] == name)
