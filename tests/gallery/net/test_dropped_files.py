"""What is withdrawn while it is fetched is not written."""

from __future__ import annotations

import queue
import threading
from hashlib import sha256
from pathlib import Path

from gallery.core import events as ev
from gallery.net.fetching import Fetching
from gallery.store.photographs import Photographs
from runtime.monotonic import monotonic_ms
from tests.support.asking_town import AskingTown
from tests.support.fleet_broker import DEADLINE_S
from tests.support.gallery_online import office_of
from tests.support.scripted_office import Asked, Said, scripted_office

FILE = bytes(range(256)) * 300
DIGEST = sha256(FILE).hexdigest()
OTHER = "ab" * 32


def test_file_that_is_dropped_as_it_comes_is_not_written_and_comes_when_it_is_wanted_again(tmp_path: Path) -> None:
    """A face is withdrawn in the midst of its download: the receipt says that nothing of it is here."""
    (tmp_path / "town").mkdir()
    town, photographs = AskingTown(tmp_path / "town"), Photographs(tmp_path / "photographs")
    photographs.look()
    is_asked, is_dropped = threading.Event(), threading.Event()
    events: queue.SimpleQueue[ev.Event] = queue.SimpleQueue()

    def slow(_asked: Asked) -> Said:
        is_asked.set()
        assert is_dropped.wait(DEADLINE_S)
        return Said(FILE)

    with scripted_office(town, slow) as office:
        fetching = Fetching(
            office_of(town, office.port), photographs, events.put, monotonic_ms, pause=lambda _failures, _s: 0.0
        )
        fetching.start()
        fetching.fetch((DIGEST, OTHER))
        assert is_asked.wait(DEADLINE_S)
        fetching.drop((DIGEST, OTHER))
        is_dropped.set()
        fetching.fetch(("cd" * 32,))

        assert isinstance(events.get(timeout=DEADLINE_S), ev.PhotographsFailed), "it is not what its name says"
        assert [] == list((tmp_path / "photographs").iterdir())
        fetching.fetch((DIGEST,))
        assert ev.PhotographsStored(frozenset({DIGEST})) == events.get(timeout=DEADLINE_S)
        assert fetching.stop(DEADLINE_S)
