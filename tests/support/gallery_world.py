"""A gallery's core with a disk and an office, as its tests begin."""

from __future__ import annotations

from typing import Final

from gallery.core import events as ev
from gallery.core.readable import Why
from gallery.core.staff import StaffTold
from sim.gallery_node import GalleryDisk, GalleryNode
from sim.gallery_office import DAY_S, Book, SimOffice

NOW_S: Final = 1_800_000_000
"""A day in January 2027."""
HART: Final = 1
PUB_WATCH: Final = 2
CASE: Final = 17
ALICE: Final = 7
PIN: Final = ev.Pin("271828")


class GalleryWorld:
    """One node and its office. ``true_s`` is the time; the node's clocks are told apart from it.

    Attributes:
        node, office: the two.
        true_s: Unix time.
    """

    def __init__(self, disk: GalleryDisk | None = None) -> None:
        self.node = GalleryNode(disk)
        self.office = SimOffice()
        self.office.books = {HART: Book(), PUB_WATCH: Book()}
        self.office.allowed = {HART}
        self.true_s = NOW_S
        self._sessions = 0

    @property
    def hart(self) -> Book:
        """HART's gallery at the office."""
        return self.office.books[HART]

    def started(self) -> GalleryWorld:
        """A new boot of the machine."""
        self.node.boot()
        return self

    def with_case(self, *, days: int = 100) -> GalleryWorld:
        """A person is banned since yesterday, with a photograph; the node hears of it, and has it all."""
        self.hart.issue(CASE, self.true_s - DAY_S, self.true_s + days * DAY_S, ("small", "portrait"))
        self.contact()
        self.fetch()
        self.contact()
        return self

    def contact(self, *, took_ms: int = 0) -> None:
        """The office answers the question that is under way."""
        assert self.node.asked is not None
        asked_ms = self.node.now_ms
        self.node.happen(self.office.take(self.node.asked))
        self.pass_ms(took_ms)
        self.node.happen(self.office.answer(self.node.asked, asked_ms, self.true_s))

    def fetch(self) -> None:
        """Everything that was asked for comes."""
        digests, self.node.fetched = frozenset(self.node.fetched), []
        self.node.disk.photographs |= digests
        self.node.happen(ev.PhotographsStored(digests))

    def pass_ms(self, duration_ms: int) -> None:
        """Time passes, for everybody."""
        self.true_s += duration_ms // 1000
        self.node.wait(duration_ms)

    def pass_days(self, days: float) -> None:
        """The node is on, without contact."""
        self.pass_ms(int(days * DAY_S) * 1000)

    def off_for_days(self, days: float) -> None:
        """The node is off, then boots."""
        self.true_s += int(days * DAY_S)
        self.node.boot()

    def battery(self, *, ahead_s: int = 0) -> None:
        """A battery clock is read."""
        self.node.happen(ev.BatteryRead(self.true_s + ahead_s))

    def why(self, case: int = CASE, scheme: int = HART) -> Why | None:
        """Why the person may not be seen."""
        return self.node.why(scheme, case)

    def employ(self, *people: int, code: int = 1) -> None:
        """The office lists these people, each with a start code of six nines."""
        self.office.staff = tuple(StaffTold(person, f"Person {person}", code) for person in people)
        self.node.codes = dict.fromkeys(people, "999999")
        self.contact()

    def try_pin(self, pin: ev.Pin = PIN, person: int = ALICE, *, is_start_code: bool = False) -> str:
        """Somebody types; returns the attempt's name."""
        self._sessions += 1
        name = f"attempt {self._sessions}"
        self.node.happen(ev.SignInAsked(name, person, pin, is_start_code))
        return name

    def sign_in(self, person: int = ALICE) -> str:
        """Somebody new gives the start code, chooses a PIN, and is in; returns the session."""
        self.employ(person)
        name = self.try_pin(ev.Pin("999999"), person, is_start_code=True)
        self.node.happen(ev.PinChosen(name, PIN))
        return name

    def report(self, session: str, name: str = "ab" * 16, *, case: int = CASE, request: str = "r") -> None:
        """Somebody reports that this person is here, and did not leave."""
        self.node.happen(ev.ReportAsked(request, session, HART, case, f"HART-{case:04}", "breach", "no", name))

    def look(self, session: str, case: int = CASE, scheme: int = HART, request: str = "r") -> None:
        """Somebody opens a face."""
        self.node.happen(ev.ViewAsked(request, session, scheme, case, "person"))
