"""A gallery with its real core, card and network, and the office's real machine port on the other side."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from pathlib import Path

from gallery.core import effects as do
from gallery.core import events as ev
from gallery.net.changes import Own
from gallery.net.connection import Office, Spare
from gallery.net.contact import Contact, Sources
from gallery.net.fetching import Fetching
from gallery.net.town_directory import TownDirectory
from runtime.key_pair import KeyPair
from runtime.monotonic import monotonic_ms
from tests.support.asking_town import HOST, OFFICE, SHOP, TOWN, AskingTown, sealing_key
from tests.support.fleet_broker import DEADLINE_S
from tests.support.gallery_card import CardNode
from wire.ids import NodeId
from wire.signing import PublicKey


def office_of(town: AskingTown, port: int, node: NodeId = SHOP) -> Office:
    """As a node's files say it."""
    issued = town.certificate(node)
    certificate = town.write(f"gallery-{node:x}.pem", issued.certificate_pem)
    key = town.write(f"gallery-{node:x}.key", issued.key_pem)
    return Office(HOST, port, town.folder / "root.pem", KeyPair(certificate, key))


class OnlineNode(CardNode):
    """It turns in the test's thread, whenever the test waits for something.

    Attributes:
        pauses: how long in a row answers were of no use, each time that it would have paused.
        office_keys: that it believes.
    """

    def __init__(self, folder: Path, office: Office, node: NodeId = SHOP) -> None:
        super().__init__(folder, sealing_key(node))
        self.events: queue.SimpleQueue[ev.Event] = queue.SimpleQueue()
        self.pauses: list[int] = []
        self.office_keys: tuple[PublicKey, ...] = (OFFICE.public,)
        own = Own(TOWN, node, sealing_key(node))
        self.directory: TownDirectory | None = None
        sources = Sources(
            self.store.lines, self.store.views_after, lambda: self.office_keys, monotonic_ms, self._refresh
        )
        spare = Spare(office)
        self.contact = Contact(office, own, sources, self.arrivals, self.events.put, pause=self._pause, spare=spare)
        self.fetching_thread = Fetching(
            office, self.store.photographs, self.events.put, monotonic_ms, pause=lambda _failures, _s: 0.0, spare=spare
        )
        self.contact.start()
        self.fetching_thread.start()

    def until(self, is_so: Callable[[], bool]) -> None:
        """Turn until something is so."""
        ends_ms = monotonic_ms() + int(DEADLINE_S * 1000)
        while not is_so():
            assert monotonic_ms() < ends_ms, "it did not become so"
            self.now_ms = max(self.now_ms, monotonic_ms())
            try:
                self.happen(self.events.get(timeout=0.02))
            except queue.Empty:
                self.happen(ev.Ticked())

    def _refresh(self, get: Callable[[str, int], bytes], *, is_missed: bool = False) -> bool:
        if self.directory is None or not self.directory.refresh(get, is_missed=is_missed):
            return False
        self.office_keys = self.directory.known.office_keys
        return True

    def has(self, scheme: int, number: int) -> bool:
        """Whether the office is told that all of this gallery is here."""
        return self.asked is not None and do.Held(scheme, number, is_complete=True) in self.asked.held

    def carry_out(self, effect: do.Effect) -> ev.Event | None:
        """By network, where that is the way."""
        if isinstance(effect, do.AskOffice):
            self.contact.ask(effect)
        if isinstance(effect, do.DestroyPhotographs):
            self.fetching_thread.drop(effect.digests)
        if isinstance(effect, do.FetchPhotographs):
            self.fetching_thread.fetch(effect.digests)
            return None
        return super().carry_out(effect)

    def end(self) -> None:
        """In order."""
        assert self.contact.stop(DEADLINE_S)
        assert self.fetching_thread.stop(DEADLINE_S)
        self.store.close()

    def _pause(self, times: int) -> float:
        if times:
            self.pauses.append(times)
        return 0.0


def threads() -> list[str]:
    """Those of galleries that run."""
    return sorted(one.name for one in threading.enumerate() if one.name.startswith("gallery"))
