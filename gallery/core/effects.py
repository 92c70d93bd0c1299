"""What the gallery orders. Carried out in the order given.

Those with a ``ticket`` must be durable, each by itself and in order, before :class:`~gallery.core.events.Stored`
answers. Destroyed means: the row is deleted, overwritten (``secure_delete``) and out of the write-ahead log, or the
file is removed and its folder synced.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from gallery.core.events import Pin
from gallery.core.holdings import Key, Line, Title
from gallery.core.ledger import Ledger
from gallery.core.readable import Why
from gallery.core.reports import ReportBook
from gallery.core.staff import StaffRow, StaffTold
from wire.gallery_reports import BreachReport
from wire.gallery_views import View, ViewHead


class KeepLedger(Struct, frozen=True):
    """Replace the row of time and lease."""

    ticket: int
    ledger: Ledger


class DestroyKeys(Struct, frozen=True):
    """Destroy rows of keys: what they open is then unreadable for ever. Rows that are not there are destroyed."""

    ticket: int
    scheme: int
    keys: tuple[Key, ...]


class KeepGallery(Struct, frozen=True):
    """Replace a gallery's title and lines, and add the rows that came with them, in one transaction.

    Attributes:
        title: with its number. Without lines, the number alone is remembered.
        lines: for the store's index; the adapter has them as they came, by scheme and number.
        keys: rows to store, as they came. Others of the scheme stay.
        elsewhere: cases that the office gave no key for.
    """

    ticket: int
    scheme: int
    title: Title
    lines: tuple[Line, ...]
    keys: frozenset[Key]
    elsewhere: frozenset[int]


class DestroyPhotographs(Struct, frozen=True):
    """Remove files of ciphertext. What of them is being fetched is not, and is not written any more."""

    ticket: int
    digests: tuple[str, ...]


class FetchPhotographs(Struct, frozen=True):
    """Fetch these files from the office, those first that stand first, and store each that matches its digest."""

    digests: tuple[str, ...]


class Held(Struct, frozen=True):
    """What the office is told of a gallery.

    Attributes:
        number: everything of it is here or coming, and nothing else is here; 0 = send all of it.
        is_complete: every key and photograph of it is here.
    """

    scheme: int
    number: int
    is_complete: bool


class AskOffice(Struct, frozen=True):
    """Ask what is new; ends the question that is under way, if any. What the office has not goes before it.

    Attributes:
        held: each gallery that this node may hold.
        views: where the log has come to.
        views_after: number of the newest view that the office is known to have.
        staff: as the office has told them and the disk has them, by number.
        reports: that it is not known to have; they go first.
        outcomes: version of those that are held.
    """

    held: tuple[Held, ...]
    views: ViewHead
    views_after: int
    staff: tuple[StaffTold, ...] = ()
    reports: tuple[BreachReport, ...] = ()
    outcomes: str = ""


class KeepStaff(Struct, frozen=True):
    """Replace what is known of a person."""

    ticket: int
    row: StaffRow


class KeepVerifier(Struct, frozen=True):
    """Make a verifier of this PIN, with the node's secret, and store it with the row, in one transaction."""

    ticket: int
    row: StaffRow
    pin: Pin


class DestroyStaff(Struct, frozen=True):
    """Destroy a person's row and verifier."""

    ticket: int
    person: int


class CheckSecret(Struct, frozen=True):
    """Compare what was typed with the person's verifier, or with the start code's."""

    attempt: str
    person: int
    secret: Pin
    is_start_code: bool


class SignIn(StrEnum):
    """What came of an attempt."""

    OPEN = "open"
    CHOOSE_PIN = "choose-pin"
    WRONG = "wrong"
    LOCKED = "locked"
    BUSY = "busy"
    NO_PIN = "no-pin"
    CODE_SPENT = "code-spent"
    PIN_REFUSED = "pin-refused"
    NOT_STORED = "not-stored"


class AnswerSignIn(Struct, frozen=True):
    """Answer whoever tried.

    Attributes:
        wait_ms: how long the next try is refused, unanswered.
        text: why a PIN is refused.
    """

    attempt: str
    outcome: SignIn
    wait_ms: int = 0
    text: str = ""


class CloseSession(Struct, frozen=True):
    """Lock this session's page at once: nothing of a picture stays on it."""

    session: str


class StoreViews(Struct, frozen=True):
    """Append to the view log, in one transaction."""

    ticket: int
    views: tuple[View, ...]


class ForgetViews(Struct, frozen=True):
    """The office has these and all before: they may be deleted, but not where the chain has come to."""

    number: int


class KeepReports(Struct, frozen=True):
    """Replace what is kept of reports, all of it."""

    ticket: int
    book: ReportBook


class ShowPicture(Struct, frozen=True):
    """The view is on the disk: open this entry and show it, watermarked. Case 0 is a list.

    Attributes:
        number, at_s: of the view's record, or that of the list in which it stands: they stand in the watermark.
    """

    request: str
    session: str
    scheme: int
    case: int
    kind: str
    number: int
    at_s: int


class NotShown(StrEnum):
    """Why a picture is not shown, beside the rules of :mod:`gallery.core.readable`."""

    SIGNED_OUT = "signed-out"
    NOT_LOGGED = "not-logged"
    LOG_FULL = "log-full"
    BUSY = "busy"


class RefuseView(Struct, frozen=True):
    """Show no picture, and say why."""

    request: str
    why: Why | NotShown


class AnswerReport(Struct, frozen=True):
    """Answer whoever reported.

    Attributes:
        why: it was not taken; ``None`` = it is on the disk, and goes to the office.
    """

    request: str
    why: Why | NotShown | None


class RedrawPages(Struct, frozen=True):
    """What may be read has changed: pages and panel must ask anew."""


class ReportFact(Struct, frozen=True):
    """Write a line to the fact log. It holds no name and no secret."""

    fact: str
    detail: tuple[tuple[str, str], ...] = ()


Effect = (
    KeepLedger
    | DestroyKeys
    | KeepGallery
    | DestroyPhotographs
    | FetchPhotographs
    | AskOffice
    | KeepStaff
    | KeepVerifier
    | DestroyStaff
    | CheckSecret
    | AnswerSignIn
    | CloseSession
    | StoreViews
    | ForgetViews
    | KeepReports
    | ShowPicture
    | RefuseView
    | AnswerReport
    | RedrawPages
    | ReportFact
)
