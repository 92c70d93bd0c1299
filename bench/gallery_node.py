"""Galleries in a process of their own, to be measured: the real running core, card and network; no page.

Each line that it prints is JSON, ``at_ms`` by the machine's monotonic clock: ``started``, then ``held`` with node and
number each time that all of a gallery is on the card and the office is about to be told so, ``photographs`` with it.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from gallery.arrivals import Arrivals
from gallery.core.effects import AskOffice
from gallery.net.changes import Own
from gallery.net.connection import Office, Spare
from gallery.net.contact import Contact, Sources
from gallery.net.fetching import Fetching
from gallery.running import Running
from gallery.store.entries import Entries
from gallery.store.gallery_store import GalleryStore
from gallery.store.pins import PinVerifier
from gallery.surroundings import Card, Surroundings
from runtime.key_pair import KeyPair
from runtime.logs import FactLog
from runtime.monotonic import monotonic_ms
from tests.support.asking_town import HOST, OFFICE, TOWN, sealing_key
from wire.gallery_views import no_views
from wire.ids import NodeId

_WRITING: Final = threading.Lock()


class MeasuredGallery:
    """One, on a thread of its own."""

    def __init__(self, given: argparse.Namespace, node: NodeId, on_held: Callable[[], None]) -> None:
        self._node = node
        self._on_held = on_held
        self._folder: Path = given.folder / f"{node:x}"
        own = given.town / f"gallery-{node:x}"
        office = Office(
            HOST, given.port, given.town / "root.pem", KeyPair(own.with_suffix(".pem"), own.with_suffix(".key"))
        )
        key = sealing_key(node)
        self._store = GalleryStore(self._folder, key)
        arrivals = Arrivals()
        card = Card(self._store, arrivals, Entries(self._store, TOWN, node, key), no_views(TOWN, node))
        # Facts are for people; here they would be written on one pipe by many.
        silence = Path(os.devnull).open("w")  # noqa: SIM115 - as long as the process
        around = Surroundings(PinVerifier(key), FactLog(silence), {}, "boot 1", now_ms=monotonic_ms)
        self._running = Running(card, around)
        sources = Sources(self._store.lines, self._store.views_after, lambda: (OFFICE.public,), monotonic_ms)
        spare = Spare(office)
        self._contact = Contact(office, Own(TOWN, node, key), sources, arrivals, self._running.put, spare=spare)
        self._fetching = Fetching(office, self._store.photographs, self._running.put, monotonic_ms, spare=spare)
        self._thread = threading.Thread(target=self._running.run, name="gallery core")

    def start(self) -> None:
        """Begin."""
        self._contact.start()
        self._fetching.start()
        self._running.start(self, self._fetching)
        self._thread.start()

    def ask(self, question: AskOffice) -> None:
        """As :class:`gallery.surroundings.Asks`, and tell what is held."""
        self._contact.ask(question)
        for held in question.held:
            if held.is_complete:
                tell("held", node=int(self._node), number=held.number, photographs=len(self._running.state.photographs))
                self._on_held()

    def stop(self) -> bool:
        """As :class:`gallery.surroundings.Asks`."""
        return self._contact.stop()

    def end(self) -> None:
        """In order, and the card is empty again."""
        self._running.stop()
        self._thread.join()
        self._running.close()
        self._store.close()
        shutil.rmtree(self._folder)


def tell(fact: str, **fields: object) -> None:
    """One line."""
    with _WRITING:
        sys.stdout.write(json.dumps({"fact": fact, "at_ms": monotonic_ms(), **fields}) + "\n")
        sys.stdout.flush()


def main() -> None:
    """Run until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--town", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True, help="of their cards")
    parser.add_argument("--in-turn", action="store_true", help="each begins when the one before has all, and is gone")
    parser.add_argument("nodes", type=int, nargs="+")
    given = parser.parse_args()
    given.folder.mkdir(exist_ok=True)
    signal.signal(signal.SIGTERM, lambda _signal, _frame: os._exit(0))
    tell("started")
    for node in map(NodeId, given.nodes):
        has_all = threading.Event()
        gallery = MeasuredGallery(given, node, has_all.set)
        gallery.start()
        if given.in_turn:
            has_all.wait()
            gallery.end()
    threading.Event().wait()


if __name__ == "__main__":
    main()
