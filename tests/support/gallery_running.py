"""The gallery's program without its process: the real thread, core and card. The test plays the office."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import pytest

from gallery import running
from gallery.arrivals import Arrivals, core_lines
from gallery.core import effects as do
from gallery.core import events as ev
from gallery.core.machine import step
from gallery.core.staff import StaffTold
from gallery.listing import Names
from gallery.page.ports import Opened, Person
from gallery.running import Running
from gallery.store.entries import Entries
from gallery.store.gallery_store import GalleryStore
from gallery.surroundings import Card, Surroundings
from runtime.logs import FactLog
from tests.support.fleet_broker import DEADLINE_S, wait_until
from tests.support.gallery_card import DAY_S, HART, KEY, NODE, NOW_S, TOWN, Published
from wire.gallery_lines import PhotographSize
from wire.gallery_views import no_views

ALICE: Final = 7
CODE: Final = ev.Pin("999999")
PIN: Final = ev.Pin("271828")

T = TypeVar("T")


class PlainVerifier:
    """Compares as it stands: argon2id takes as long as a test."""

    def make(self, pin: ev.Pin) -> bytes:
        """The PIN."""
        return pin.text.encode()

    def is_pin(self, pin: ev.Pin, verifier: bytes) -> bool:
        """The same."""
        return pin.text.encode() == verifier

    def is_code(self, code: ev.Pin, code_check: str) -> bool:
        """The same."""
        return code.text == code_check


class PlayedOffice:
    """Both threads of the network, and the office behind them.

    Attributes:
        asked: questions.
    """

    def __init__(self) -> None:
        self.asked: list[do.AskOffice] = []
        self.fetched: list[str] = []

    def ask(self, question: do.AskOffice) -> None:
        """Nothing answers before the test does."""
        self.asked.append(question)

    def fetch(self, digests: Iterable[str]) -> None:
        """Likewise."""
        self.fetched += digests

    def drop(self, digests: Iterable[str]) -> None:
        """Nor does what was fetched come."""
        self.fetched = [one for one in self.fetched if one not in frozenset(digests)]

    def stop(self) -> bool:
        """At once."""
        return True


class RunningGallery:
    """On a thread of its own. :meth:`end` it.

    Attributes:
        running: what is tested.
        office: what was asked of it.
        now_ms: of the machine; put it forward.
    """

    def __init__(self, folder: Path, boot_id: str = "boot 1", *, battery_s: int | None = None) -> None:
        self.store = GalleryStore(folder, KEY)
        self.arrivals = Arrivals()
        self.office = PlayedOffice()
        self.now_ms = 1_000
        self._told = io.StringIO()
        self._requests = 0
        card = Card(self.store, self.arrivals, Entries(self.store, TOWN, NODE, KEY), no_views(TOWN, NODE))
        around = Surroundings(
            PlainVerifier(),
            FactLog(self._told),
            {"node": "0000000000000010"},
            boot_id,
            battery_s=lambda: battery_s,
            names=lambda: Names("Corner Shop", {HART: "HART"}),
            now_ms=lambda: self.now_ms,
        )
        self.running = Running(card, around)
        self.errors: list[BaseException] = []
        self._thread = threading.Thread(target=self._run)

    def start(self) -> RunningGallery:
        """The card is read, and the thread turns."""
        self.running.start(self.office, self.office)
        self._thread.start()
        return self

    def _run(self) -> None:
        try:
            self.running.run()
        except Exception as e:  # noqa: BLE001 - the test looks at it
            self.errors.append(e)

    def told(self, *galleries: Published, staff: tuple[StaffTold, ...] | None = None) -> None:
        """The office answers with all of these, and there are no others."""
        told = []
        for one in galleries:
            parcel = one.parcel()
            self.arrivals.add(parcel)
            lines, keys = core_lines(parcel.lines), frozenset(parcel.rows)
            told.append(ev.GalleryTold(one.scheme, one.number, parcel.head.lease_s, lines, keys))
        schemes = tuple(ev.SchemeTold(one.scheme) for one in galleries)
        self.running.put(ev.OfficeAnswered(self.now_ms, NOW_S, NOW_S + 30 * DAY_S, schemes, tuple(told), staff))

    def arrive(self, published: Published) -> None:
        """Its photographs are fetched."""
        for digest, data in published.files.items():
            self.store.photographs.keep(digest, data)
        self.running.put(ev.PhotographsStored(frozenset(published.files)))

    def until(self, is_so: Callable[[], bool]) -> None:
        """Wait for it."""
        wait_until(lambda: bool(self.errors) or is_so(), "it becomes so")
        assert [] == self.errors

    def people(self) -> list[Person]:
        """Everybody who is listed."""
        return [person for scheme in self.running.snapshot().schemes for person in scheme.people]

    def shows(self, *cases: int) -> Callable[[], bool]:
        """Whether these are listed, in this order."""
        return lambda: list(cases) == [person.case for person in self.people()]

    def sign_in(self) -> str:
        """Alice is listed, gives the start code, chooses a PIN, and is in; returns the session."""
        self.told_staff(StaffTold(ALICE, "Alice Alder", 1, CODE.text))
        asked = answer(self.running.sign_in(ev.SignInAsked("session", ALICE, CODE, is_start_code=True)))
        assert do.SignIn.CHOOSE_PIN is asked.outcome
        chosen = answer(self.running.choose_pin(ev.PinChosen("session", PIN)))
        assert do.SignIn.OPEN is chosen.outcome
        return "session"

    def told_staff(self, *staff: StaffTold) -> None:
        """The office answers with these people alone."""
        schemes = tuple(ev.SchemeTold(one) for one in self.running.state.galleries) or (ev.SchemeTold(HART),)
        until_s = NOW_S + 30 * DAY_S
        self.running.put(ev.OfficeAnswered(self.now_ms, NOW_S, until_s, schemes, staff=staff))
        self.until(lambda: len(staff) == len(self.running.snapshot().staff))

    def look(
        self, session: str, case: int, kind: str = "person", size: PhotographSize | None = None
    ) -> Opened | do.RefuseView:
        """Somebody looks at one of HART's, or at the list of all (0)."""
        self._requests += 1
        scheme = HART if case else 0
        people = frozenset((one.scheme, one.case, one.since) for one in self.people() if not case)
        asked = ev.ViewAsked(f"{self._requests}", session, scheme, case, kind, people)
        return answer(self.running.view(asked, size))

    @staticmethod
    def tick() -> ev.Event:
        """Time has passed."""
        return ev.Ticked()

    def facts(self, name: str) -> list[dict[str, Any]]:
        """Those that were told."""
        return [one for one in map(json.loads, self.told_text.splitlines()) if one["fact"] == name]

    @property
    def told_text(self) -> str:
        """The fact log."""
        return self._told.getvalue()

    def end(self) -> None:
        """In order."""
        self.running.stop()
        if self._thread.ident is not None:
            self._thread.join(DEADLINE_S)
        assert not self._thread.is_alive()
        assert self.running.close()
        self.store.close()


def answer(future: Future[T]) -> T:
    """As soon as it comes."""
    return future.result(DEADLINE_S)


@contextmanager
def hung(shop: RunningGallery, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Its core has come to an event that it does not get done with."""
    hangs, may_go_on = threading.Event(), threading.Event()

    def step_for_ever(*given: Any) -> Any:  # noqa: ANN401 - the core's own
        hangs.set()
        may_go_on.wait()
        return step(*given)

    with monkeypatch.context() as changed:
        changed.setattr(running, "step", step_for_ever)
        shop.running.put(ev.Ticked())
        assert hangs.wait(DEADLINE_S)
    try:
        yield
    finally:
        may_go_on.set()
