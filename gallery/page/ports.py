"""What the page asks of the gallery, and of the node. Everything may be called from any thread.

The page decides nothing about faces: it asks for a view, and shows what comes. What is listed is a snapshot, which is
replaced as a whole when something changes, so that the page never sees half of a change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Literal, Protocol

from msgspec import Struct

from gallery.core.effects import AnswerReport, AnswerSignIn, CloseSession, RedrawPages, RefuseView
from gallery.core.events import PinChosen, ReportAlerted, ReportAsked, SignInAsked, ViewAsked
from gallery.core.readable import Why
from wire.gallery_lines import EntryText, PhotographSize

Left = Literal["yes", "no", "not-asked"]
"""Whether somebody who is banned left when they were asked to."""


PANEL_SESSION: Final = "panel "
"""So begins the name of a session at the unit's own panel, which locks by the node's rules and not by the page's."""


class Person(Struct, frozen=True):
    """Somebody who may be shown now, as lists have them: opened, in memory alone, and without a photograph.

    Attributes:
        scheme, case: of the ban.
        since: number of the gallery with which it became what it is.
        text: reference, category, name.
        is_here: it happened at these premises, or concerns them.
        not_before_s: begin of the first day, Unix time.
        last_day: until when they are banned.
        sizes: of the photograph, on the card; empty = there is none.
    """

    scheme: int
    case: int
    since: int
    text: EntryText
    is_here: bool
    not_before_s: int
    last_day: date
    sizes: frozenset[PhotographSize] = frozenset()


class SchemeGallery(Struct, frozen=True):
    """The gallery of one scheme that this unit may hold.

    Attributes:
        scheme: its number in the directory.
        name: ``HART``.
        off: why the whole of it is not shown; ``None`` = it is on.
        people: who may be shown now, those first whose ban began or changed last. Empty while it is off.
        coming: how many more are on their way.
    """

    scheme: int
    name: str
    off: Why | None = None
    people: tuple[Person, ...] = ()
    coming: int = 0

    def reference(self, number: int) -> str:
        """As people say it: ``HART-0042``."""
        of_somebody = next((one.text.reference for one in self.people), f"{self.name.upper().replace(' ', '-')}-")
        return f"{of_somebody.rpartition('-')[0]}-{number:04}"


class Staff(Struct, frozen=True):
    """Somebody who may sign in here.

    Attributes:
        person: their number.
        name: as they are listed.
        has_pin: they have chosen a PIN on this unit, and it counts.
    """

    person: int
    name: str
    has_pin: bool


class Reported(Struct, frozen=True):
    """A breach or sighting that was reported on this unit, and what has become of it.

    Attributes:
        report: its id.
        reference: of the person: ``HART-0042``.
        at_s: when it was reported, Unix time.
        state: ``waiting`` = on this unit's card, the office does not have it yet; ``sent`` = it has; ``refused`` = it
            will never take it; or as the office says: ``received``, ``in-hand``, ``closed``.
        words: the office's, for the reporter; empty = none yet.
        told_at_s: since when it is so at the office; 0 = it has not said anything.
    """

    report: str
    kind: Literal["breach", "sighting"]
    scheme: int
    case: int
    reference: str
    at_s: int
    left: Left
    state: str
    words: str = ""
    told_at_s: int = 0


class Snapshot(Struct, frozen=True):
    """All that the page lists. Never changed: another takes its place.

    Attributes:
        premises: as people say it: ``Corner Shop, High Street``.
        schemes: each whose gallery this unit may hold; empty = none, or the office has never answered.
        staff: who may sign in, by name.
        sessions: who is signed in: number of the person, by the name of the session.
        now_s: Unix time, as late as it is known to be; 0 = not known at all.
        heard_at_s: when the office answered last, by its own clock; 0 = never.
        reports: of the last weeks, newest first. Show them to whoever is signed in.
    """

    premises: str
    schemes: tuple[SchemeGallery, ...] = ()
    staff: tuple[Staff, ...] = ()
    sessions: Mapping[str, int] = MappingProxyType({})
    now_s: int = 0
    heard_at_s: int = 0
    reports: tuple[Reported, ...] = ()


class Opened(Struct, frozen=True):
    """A view that is on the disk: show it now.

    Attributes:
        text: of a person; ``None`` = it is a list.
        is_here: as :class:`Person`.
        photograph: JPEG of the size that was asked for, no more trusted than any other; ``None`` = there is none.
        number, at_s: of the view’s record, of a list’s for a small picture in it. They stand in the watermark.
    """

    text: EntryText | None = None
    is_here: bool = False
    photograph: bytes | None = None
    number: int = 0
    at_s: int = 0


class GalleryPort(Protocol):
    """The gallery's one thread, as the page sees it. A future is answered within a minute."""

    def snapshot(self) -> Snapshot:
        """What may be listed now. After a future it is at least as new as what the future answered."""

    def sign_in(self, asked: SignInAsked) -> Future[AnswerSignIn]:
        """Somebody typed a PIN or a start code."""

    def choose_pin(self, chosen: PinChosen) -> Future[AnswerSignIn]:
        """Whoever gave the right start code chose a PIN."""

    def view(self, asked: ViewAsked, size: PhotographSize | None = None) -> Future[Opened | RefuseView]:
        """Write down a view; answered once it is on the disk.

        A list or a search is of case 0, and names who stands in it. Once it is written down, pictures of these are
        views of kind ``list`` with a case, in the same session, and no records of their own.
        """

    def report(self, asked: ReportAsked) -> Future[AnswerReport]:
        """Write down a breach or a sighting for the office; answered once it is on the disk, or with why it is not.

        The alert goes by the node, at once and beside it. A press that is repeated bears the same id.
        """

    def alerted(self, told: ReportAlerted) -> None:
        """The node has answered the alert of a report: its id goes to the office with the report."""

    def use(self, session: str) -> None:
        """Somebody touched the page."""

    def sign_out(self, session: str) -> None:
        """Lock it."""

    def turn(self) -> Future[bool]:
        """True at the gallery's next turn. If it does not come, the gallery hangs."""

    def changed(self, callback: Callable[[CloseSession | RedrawPages], None]) -> None:
        """Call this whenever a session was closed or what may be read has changed, and the snapshot says so.

        It is called on the gallery's thread, returns at once, and never raises.
        """


class AlertState(StrEnum):
    """What is true of a report at this moment."""

    SENT = "sent"
    """It is in central's hands."""
    SAVED = "saved"
    """It is on the unit's card, and the unit goes on trying."""
    IMPOSSIBLE = "impossible"
    """It was not taken, and nobody will hear of it."""
    UNKNOWN = "unknown"
    """The unit was asked and has not answered. Asked again with the same id, nothing is raised twice."""


class AlertAsked(Struct, frozen=True):
    """Somebody at the counter reports a person.

    Attributes:
        request: 32 hexadecimal digits, that of the report: asked again, nothing is raised twice.
        kind: they are here, or were seen nearby.
        scheme, person: ``HART-0042`` is number 42 of HART.
        left: of a breach; ``None`` of a sighting.
    """

    request: str
    kind: Literal["breach", "sighting"]
    scheme: int
    person: int
    left: Left | None = None


class AlertAnswer(Struct, frozen=True):
    """What came of it so far.

    Attributes:
        incident: as the node named it; empty if it did not.
        text: why it was not taken, for the person at the counter.
    """

    state: AlertState
    incident: str = ""
    text: str = ""


class AlertPort(Protocol):
    """The node, asked by its socket."""

    def alert(self, asked: AlertAsked) -> Future[AlertAnswer]:
        """A breach or a sighting. Answered within seconds, by what is true then."""


class Nearby(Struct, frozen=True):
    """Another shop's open alert about a person: nobody is named, but by reference.

    Attributes:
        scheme, person: ``HART-0042`` is number 42 of HART.
        at_s: Unix time; 0 = not known.
        is_late: it waited for over a minute, and is not happening now.
    """

    incident: str
    kind: Literal["breach", "sighting"]
    scheme: int
    person: int
    premises: str
    place: str = ""
    at_s: int = 0
    is_late: bool = False


class AlertProgress(Struct, frozen=True):
    """How far an alert of this page's has come.

    Attributes:
        incident: as :class:`AlertAnswer`.
        words: ``Received by central``.
        is_at_central: central has it.
    """

    incident: str
    words: str
    is_at_central: bool


class NodeState(Struct, frozen=True):
    """The unit in words, for the strip on top of every page, locked or not.

    Attributes:
        words: ``Alerts reach the control room.``
        needs_care: somebody should look.
        nearby: alerts of other shops, newest first.
        progress: of what was reported here lately.
    """

    words: str
    needs_care: bool = False
    nearby: tuple[Nearby, ...] = ()
    progress: tuple[AlertProgress, ...] = ()


NodeStates = Callable[[], NodeState | None]
"""The unit's state now; ``None`` = the node does not say."""
