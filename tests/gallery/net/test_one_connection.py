"""A change comes by one connection: to make another costs the unit and the office more than the change itself."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Final

import pytest

from gallery.arrivals import Arrivals
from gallery.core import effects as do
from gallery.core import events as ev
from gallery.core.contact import FEW_PHOTOGRAPHS
from gallery.net.changes import Own
from gallery.net.connection import Spare
from gallery.net.contact import Contact, Sources
from gallery.net.fetching import Fetching
from gallery.store.photographs import Photographs
from runtime.monotonic import monotonic_ms
from tests.support.asking_town import HART, OFFICE, SHOP, TOWN, AskingTown, sealing_key
from tests.support.fleet_broker import DEADLINE_S, wait_until
from tests.support.gallery_online import office_of, threads
from tests.support.scripted_office import Asked, Said, ScriptedOffice, scripted_office
from wire.gallery_contact import GalleryAnswer, encode_answer
from wire.gallery_lines import NO_LINES
from wire.gallery_paths import CONTACT_PATH
from wire.gallery_views import ViewHead

NOTHING: Final = do.AskOffice((), ViewHead(n=0, digest="0" * 64), 0)
QUIET: Final = encode_answer(GalleryAnswer(now_s=1_800_000_000, lease_until_s=1_800_000_060, schemes=(HART,)))
FILES: Final = {sha256(data).hexdigest(): data for data in (bytes([n]) * 50_000 for n in range(FEW_PHOTOGRAPHS + 1))}


class Watched(Photographs):
    """The folder; somebody looks on while a file is written."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.on_keep: Callable[[str], None] = lambda _digest: None

    def keep(self, digest: str, data: bytes) -> None:
        """As it is."""
        self.on_keep(digest)
        super().keep(digest, data)


class Both:
    """Both threads, with one spare connection."""

    def __init__(self, town: AskingTown, port: int, photographs: Photographs) -> None:
        self.events: queue.SimpleQueue[ev.Event] = queue.SimpleQueue()
        office = office_of(town, port)
        spare = Spare(office)
        sources = Sources(lambda _scheme: NO_LINES, lambda _number: b"", lambda: (OFFICE.public,), monotonic_ms)
        own = Own(TOWN, SHOP, sealing_key(SHOP))
        self.asks = Contact(office, own, sources, Arrivals(), self.events.put, spare=spare)
        self.fetches = Fetching(office, photographs, self.events.put, monotonic_ms, spare=spare)
        self.asks.start()
        self.fetches.start()

    def ask(self) -> None:
        """And wait for the answer."""
        self.asks.ask(NOTHING)
        assert isinstance(self.events.get(timeout=DEADLINE_S), ev.OfficeAnswered)

    def fetch(self, *digests: str) -> None:
        """And wait until all of them are here."""
        self.fetches.fetch(digests)
        missing = set(digests)
        while missing:
            event = self.events.get(timeout=DEADLINE_S)
            assert isinstance(event, ev.PhotographsStored)
            missing -= event.digests

    def stop(self) -> None:
        """In order."""
        assert self.asks.stop(DEADLINE_S)
        assert self.fetches.stop(DEADLINE_S)
        assert [] == threads()


def say(asked: Asked) -> Said:
    return Said(QUIET) if asked.path == CONTACT_PATH else Said(FILES[asked.path.rpartition("/")[2]])


@pytest.fixture
def town(tmp_path: Path) -> AskingTown:
    folder = tmp_path / "town"
    folder.mkdir()
    return AskingTown(folder)


@pytest.fixture
def office(town: AskingTown) -> Iterator[ScriptedOffice]:
    with scripted_office(town, say) as office:
        yield office


@pytest.fixture
def photographs(tmp_path: Path) -> Watched:
    photographs = Watched(tmp_path / "photographs")
    photographs.look()
    return photographs


@pytest.fixture
def both(town: AskingTown, office: ScriptedOffice, photographs: Watched) -> Iterator[Both]:
    both = Both(town, office.port, photographs)
    yield both
    both.stop()


def callers(office: ScriptedOffice, *, of_questions: bool) -> list[int]:
    return [one.caller for one in office.asked if of_questions == (one.path == CONTACT_PATH)]


def test_few_photographs_come_by_the_connection_of_the_question(both: Both, office: ScriptedOffice) -> None:
    both.ask()
    both.fetch(*list(FILES)[:2])
    both.ask()

    assert 4 == len(office.asked)
    assert 1 == len({one.caller for one in office.asked})


def test_many_photographs_leave_the_question_its_connection(both: Both, office: ScriptedOffice) -> None:
    """By it the office learns that the keys have come which it sent by it."""
    both.ask()
    both.fetch(*FILES)

    assert callers(office, of_questions=True)[0] not in callers(office, of_questions=False)


def test_next_file_is_asked_for_while_the_last_is_written(
    both: Both, office: ScriptedOffice, photographs: Watched
) -> None:
    first, second, *_ = FILES
    asked: dict[str, int] = {}

    def look(digest: str) -> None:
        if digest == first:
            wait_until(lambda: len(office.asked) > 1, "the second is asked for")
        asked[digest] = len(office.asked)

    photographs.on_keep = look
    both.fetch(first, second)

    assert {first: 2, second: 2} == asked
    assert FILES[second] == photographs.read(second)


def test_newer_file_goes_before_one_that_was_asked_for(both: Both, photographs: Watched) -> None:
    first, second, newer, *_ = FILES
    kept: list[str] = []

    def look(digest: str) -> None:
        kept.append(digest)
        if digest == first:
            both.fetches.fetch([newer])

    photographs.on_keep = look
    both.fetches.fetch([first, second])
    wait_until(lambda: photographs.read(second) is not None, "all are here")

    assert [first, newer, second] == kept
    assert FILES[newer] == photographs.read(newer)
