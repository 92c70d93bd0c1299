"""A real Mosquitto that can be killed and started again on the same port, from a fleet folder. Loopback, own pid."""

from __future__ import annotations

import contextlib
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.support.fleet_broker import DEADLINE_S, _listens, wait_until
from tests.support.frozen_process import freeze


class Mosquitto:
    """One broker. What it persists stays in the fleet folder, as on a real machine."""

    def __init__(self, configuration: Path, port: int) -> None:
        self.port = port
        self._configuration = configuration
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it listens."""
        log = self._configuration.with_name("mosquitto.log")
        with log.open("ab") as errors:
            process = subprocess.Popen(["mosquitto", "-c", str(self._configuration)], stderr=errors)
        self._process = process
        wait_until(lambda: _listens(self.port) or process.poll() is not None, "mosquitto listens")
        assert process.poll() is None, log.read_text()

    def kill(self) -> None:
        """As a power cut ends it."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """In order. Nothing if it does not run."""
        self._end(signal.SIGTERM)

    def read_rules_anew(self) -> None:
        """SIGHUP, as when a member was added or struck off."""
        assert self._process
        self._process.send_signal(signal.SIGHUP)

    @property
    def is_running(self) -> bool:
        """It has not ended, by itself or otherwise."""
        return self._process is not None and self._process.poll() is None

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """It stays connected to everybody, and does nothing."""
        assert self._process
        freeze(self._process.pid)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def _end(self, number: int) -> None:
        if self._process and self._process.poll() is None:
            self._process.send_signal(number)
            self._process.wait(DEADLINE_S)
        self._process = None
