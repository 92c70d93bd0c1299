"""Central as a real process, its facts, and its page as a person's browser uses it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from central.core.view import Action, Board, Card, Done, Person, Refused
from tests.support.fleet_broker import DEADLINE_S, wait_until

MAIN = "import sys; from watchlink.cli import main; sys.exit(main(['central', '--config', sys.argv[1]]))"
KILL_BEFORE_RECEIPT = """
import os, signal
from central.net.announcer import Announcer
Announcer.send_receipt = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
"""
"""Run before :data:`MAIN`: the process dies at the worst moment, after the commit and before the receipt."""


class CentralProgram:
    """A running central. End it with :meth:`kill` or :meth:`stop`."""

    def __init__(self, config: Path, before: str = "", env: Mapping[str, str] | None = None) -> None:
        self.facts: list[dict[str, Any]] = []
        self.log = config.with_name("central.log")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", before + MAIN, str(config)],
                stdout=subprocess.PIPE,
                stderr=log,
                env={**os.environ, **(env or {})},
            )
        self._reading = threading.Thread(target=self._read)
        self._reading.start()
        self.url = self.wait_for_fact("listening")["url"]

    def wait_for_fact(self, name: str, **details: object) -> dict[str, Any]:
        """The first fact of that name with those details."""

        def found() -> list[dict[str, Any]]:
            return [f for f in self.facts if f["fact"] == name and details.items() <= f.items()]

        def is_over() -> bool:
            return bool(found()) or self.process.poll() is not None

        wait_until(is_over, f"fact {name} {details}; {self.facts[-5:]}")
        assert found(), self.log.read_text()[-2000:]
        return found()[0]

    def count(self, name: str) -> int:
        """How often a fact was told."""
        return sum(fact["fact"] == name for fact in tuple(self.facts))

    def board(self) -> Board:
        """The page's board now."""
        with urllib.request.urlopen(self.url + "board.json", timeout=DEADLINE_S) as answer:
            return msgspec.json.decode(answer.read(), type=Board)

    def wait_for_board(self, is_so: Callable[[Board], bool], what: str) -> Board:
        """The board as soon as it is so."""
        wait_until(lambda: is_so(self.board()), what)
        return self.board()

    def card(self, incident: str, alert_count: int = 1) -> Card:
        """One incident as soon as it is there with so many alerts: receipts go out before the page is told."""

        def found() -> list[Card]:
            return [c for c in self.board().cards if c.incident == incident and c.alert_count >= alert_count]

        wait_until(lambda: bool(found()), f"card {incident} with {alert_count} alerts")
        return found()[0]

    def rejected(self) -> dict[tuple[str, str], int]:
        """What was dropped, as the page says."""
        return {(line.reason, line.sender): line.count for line in self.board().rejected}

    def act(self, action: Action, by: Person) -> Done | Refused:
        """As the page's buttons do."""
        headers = {"content-type": "application/json", "x-watchlink": "1"}
        body = msgspec.json.encode({"action": action, "by": by})
        request = urllib.request.Request(self.url + "actions", body, headers)
        try:
            with urllib.request.urlopen(request, timeout=DEADLINE_S) as answer:
                data = answer.read()
        except urllib.error.HTTPError as e:
            with e:
                data = e.read()
        return msgspec.json.decode(data, type=Done | Refused)

    def kill(self) -> None:
        """As the power does."""
        self.process.kill()
        self.wait()

    def stop(self) -> int:
        """As systemd does; its exit status."""
        self.process.terminate()
        return self.wait()

    def wait(self) -> int:
        """Until it has ended."""
        status = self.process.wait(DEADLINE_S)
        self._reading.join(DEADLINE_S)
        return status

    def _read(self) -> None:
        assert self.process.stdout
        with self.process.stdout as lines:
            for line in lines:
                self.facts.append(json.loads(line))


@contextlib.contextmanager
def running_central(config: Path, before: str = "", env: Mapping[str, str] | None = None) -> Iterator[CentralProgram]:
    """A central that is ended in any case."""
    central = CentralProgram(config, before, env)
    try:
        yield central
    finally:
        central.kill()
