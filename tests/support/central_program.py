"""Central as a real process, its facts, and its page as a person's browser uses it."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from central.core.view import Action, Board, Card, Done, Person, Refused
from demo.stand_in_office import StandInOffice
from demo.watch_room import PERSON, RefusedError, WatchRoom
from provisioning.fleet import Fleet
from tests.support.fleet_broker import DEADLINE_S, wait_until
from wire.signing import SigningKey

MAIN = "import sys; from watchlink.cli import main; sys.exit(main(['central', '--config', sys.argv[1]]))"
KILL_BEFORE_RECEIPT = """
import os, signal
from central.net.announcer import Announcer
Announcer.send_receipt = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
"""
"""Run before :data:`MAIN`: the process dies at the worst moment, after the commit and before the receipt."""


_OFFICES: dict[Path, StandInOffice] = {}
"""By central's folder: a central that is started again still knows its people."""


def office_of(config: Path) -> StandInOffice:
    """The stand-in office of a fleet's central; founded at the first question."""
    folder = config.resolve().parent
    if folder not in _OFFICES:
        _OFFICES[folder] = StandInOffice.found(Fleet.open(folder.parent))
    return _OFFICES[folder]


class OlderPeople(WatchRoom):
    """People at a central that knows no accounts: the browser says who acts."""

    def request(self, path: str, person: Person = PERSON, body: bytes | None = None) -> urllib.request.Request:
        """As the page of that version does."""
        if body is not None:
            body = msgspec.json.encode({"action": msgspec.json.decode(body)["action"], "by": person})
        return urllib.request.Request(self.url + path, body, {"content-type": "application/json", "x-watchlink": "1"})


class CentralProgram:
    """A running central. End it with :meth:`kill` or :meth:`stop`."""

    def __init__(
        self, config: Path, before: str = "", env: Mapping[str, str] | None = None, *, has_accounts: bool = True
    ) -> None:
        self.office = office_of(config) if has_accounts else StandInOffice(SigningKey(b"o" * 32).public)
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
        self.people = (WatchRoom if has_accounts else OlderPeople)(self.url, self.office)

    def wait_for_fact(self, name: str, **details: object) -> dict[str, Any]:
        """The first fact of that name with those details."""

        def found() -> list[dict[str, Any]]:
            return [f for f in self.facts if f["fact"] == name and details.items() <= f.items()]

        def is_over() -> bool:
            return bool(found()) or not self._reading.is_alive()  # It may have ended, and its last words be unread.

        wait_until(is_over, f"fact {name} {details}; {self.facts[-5:]}")
        assert found(), self.log.read_text()[-2000:]
        return found()[0]

    def count(self, name: str) -> int:
        """How often a fact was told."""
        return sum(fact["fact"] == name for fact in tuple(self.facts))

    def board(self) -> Board:
        """The page's board now."""
        return asyncio.run(self.people.board())

    def open(self, path: str = "") -> http.client.HTTPResponse:
        """A page of central's, as somebody's browser gets it."""
        answer: http.client.HTTPResponse = urllib.request.urlopen(self.people.request(path), timeout=DEADLINE_S)
        return answer

    def wait_for_board(self, is_so: Callable[[Board], bool], what: str) -> Board:
        """The board as soon as it is so: that one, for the next may be otherwise."""
        boards: list[Board] = []

        def has_come() -> bool:
            boards[:] = [self.board()]
            return is_so(boards[0])

        wait_until(has_come, what)
        return boards[0]

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
        """As the page's buttons do, by somebody whom the office lists with that name and role."""
        try:
            return asyncio.run(self.people.act(action, by))
        except RefusedError as e:
            return Refused(str(e))

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
        self.process.wait()  # Else one that does not start is left behind by whoever expects that.


@contextlib.contextmanager
def running_central(
    config: Path, before: str = "", env: Mapping[str, str] | None = None, *, has_accounts: bool = True
) -> Iterator[CentralProgram]:
    """A central that is ended in any case."""
    central = CentralProgram(config, before, env, has_accounts=has_accounts)
    try:
        yield central
    finally:
        central.kill()
