"""What happens to the gallery: told by its adapters, with the monotonic moment.

``ticket`` is the number of an effect of ours that was to become durable. Its answer is either
:class:`Stored`: it is on the disk, and outlives a power cut; or :class:`StoreRefused`: nothing of it is.
"""

from __future__ import annotations

from msgspec import Struct

from gallery.core.holdings import Key, Line, Title
from gallery.core.ledger import Ledger
from gallery.core.reports import ReportBook
from gallery.core.staff import StaffRow, StaffTold
from wire.gallery_head import GalleryHead
from wire.gallery_lines import GalleryLine, Lines
from wire.gallery_reports import Kind, Left, Outcomes
from wire.gallery_views import ViewHead


class KeptGallery(Struct, frozen=True):
    """A gallery on the disk.

    Attributes:
        scheme: whose.
        title: as it was kept last.
        lines: with it.
        keys: every row of a key that is there.
        elsewhere: as they were kept.
    """

    scheme: int
    title: Title
    lines: tuple[Line, ...] = ()
    keys: frozenset[Key] = frozenset()
    elsewhere: frozenset[int] = frozenset()


class Started(Struct, frozen=True):
    """The program is up; the disk's contents. First event of every run.

    From a disk that cannot be read nothing is started: its view log would begin anew, which looks like a copied card.

    Attributes:
        boot_id: of the machine's boot, not of the program's run.
        ledger: empty if there is none yet.
        galleries: all that are on the disk.
        photographs: SHA-256 of every file of ciphertext that is there, whole.
        staff: everybody who is on the disk.
        chain: where the view log has come to; :func:`wire.gallery_views.no_views` at first.
        delivered: number of the newest view that the office has.
        book: reports, and what the office has said of them.
    """

    boot_id: str
    chain: ViewHead
    ledger: Ledger = Ledger()
    galleries: tuple[KeptGallery, ...] = ()
    photographs: frozenset[str] = frozenset()
    staff: tuple[StaffRow, ...] = ()
    delivered: int = 0
    book: ReportBook = ReportBook()


class Ticked(Struct, frozen=True):
    """The moment named by :func:`gallery.core.machine.next_deadline_ms` has come."""


class BatteryRead(Struct, frozen=True):
    """A clock with a battery of its own was read: at start and every minute. Without one there is no such event.

    Attributes:
        at_s: Unix time.
    """

    at_s: int


class CentralTimeTold(Struct, frozen=True):
    """The node told central's time over its socket, as it has learnt it in this boot from a signed answer.

    Attributes:
        at_s: Unix time at this moment.
    """

    at_s: int


class FrameHeard(Struct, frozen=True):
    """The node told that a verified frame bears a time. It may be a recording.

    Attributes:
        at_s: Unix time.
    """

    at_s: int


class SchemeTold(Struct, frozen=True):
    """A scheme whose gallery the node may hold."""

    scheme: int
    shows_without_proof: bool = False


class GalleryTold(Struct, frozen=True):
    """A newer gallery: head verified, lines put together and compared with its digest.

    Attributes:
        scheme: whose; the head says so.
        number: of the head.
        lease_s: of the head.
        lines: all of them.
        keys: rows that came with it and open. They are stored together with the lines.
        after: number of the gallery that it was a change of: keys of older lines stay as they are. 0 = it is whole.
        unopened: cases whose row does not open.
    """

    scheme: int
    number: int
    lease_s: int
    lines: tuple[Line, ...]
    keys: frozenset[Key] = frozenset()
    after: int = 0
    unopened: frozenset[int] = frozenset()

    @staticmethod
    def of(
        head: GalleryHead, lines: Lines, keys: frozenset[Key], after: int, unopened: frozenset[int] = frozenset()
    ) -> GalleryTold:
        """From what :mod:`wire.gallery_head` has verified and put together."""
        told = tuple(_line(line) for line in lines.values())
        return GalleryTold(head.scheme, head.number, head.lease_s, told, keys, after, unopened)


def _line(line: GalleryLine) -> Line:
    digests = tuple(one.sha256 for one in line.photographs)
    return Line(line.case, line.since, line.not_before_s, line.not_after_s, digests)


class OfficeAnswered(Struct, frozen=True):
    """The office's answer to our question, over TLS with its certificate checked.

    Attributes:
        asked_ms: when the question was sent.
        now_s: the office's time.
        lease_until_s: until when the gallery may be shown without another answer.
        schemes: that the node may hold; a gallery of any other is destroyed.
        galleries: those with news.
        staff: who may sign in; ``None`` = as before.
        views_received: number of the newest view that the office has committed.
        outcomes: what has become of reports; ``None`` = as before.
        unproven: schemes of which it is not known what is in force: their lease stays as it was.
    """

    asked_ms: int
    now_s: int
    lease_until_s: int
    schemes: tuple[SchemeTold, ...] = ()
    galleries: tuple[GalleryTold, ...] = ()
    staff: tuple[StaffTold, ...] | None = None
    views_received: int = 0
    outcomes: Outcomes | None = None
    unproven: tuple[int, ...] = ()


class ReportsAnswered(Struct, frozen=True):
    """The office has answered to reports that went before the question.

    Attributes:
        committed: ids of those that it has.
        refused: ids of those that it will never take.
    """

    committed: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()


class OfficeFailed(Struct, frozen=True):
    """The question was not answered.

    Attributes:
        reason: for the log.
    """

    reason: str


class PhotographsStored(Struct, frozen=True):
    """Files that were fetched are on the disk, whole and with the right digest."""

    digests: frozenset[str]


class PhotographsFailed(Struct, frozen=True):
    """They could not be fetched, or a file on the disk was not what its digest says, and is removed."""

    digests: frozenset[str]
    reason: str


class KeysLost(Struct, frozen=True):
    """Rows on the disk were found not to open any more, and are removed."""

    scheme: int
    keys: frozenset[Key]


class Stored(Struct, frozen=True):
    """What the effect ordered is on the disk."""

    ticket: int


class StoreRefused(Struct, frozen=True):
    """Nothing of what the effect ordered is on the disk."""

    ticket: int
    reason: str


class Pin(Struct, frozen=True):
    """A PIN or a start code, as it was typed. It never shows in a log."""

    text: str

    def __repr__(self) -> str:
        return "Pin(…)"


class SignInAsked(Struct, frozen=True):
    """Somebody typed a PIN, or the start code.

    Attributes:
        attempt: drawn at random by the page, at least 128 bits; the session is called so, if it becomes one.
        person: who they say they are.
        secret: what they typed.
        is_start_code: it is the code that the office gave, not a PIN.
    """

    attempt: str
    person: int
    secret: Pin
    is_start_code: bool = False


class SecretChecked(Struct, frozen=True):
    """The verifier's answer."""

    attempt: str
    is_right: bool


class PinChosen(Struct, frozen=True):
    """Whoever gave the right start code chose a PIN."""

    attempt: str
    pin: Pin


class SessionUsed(Struct, frozen=True):
    """A signed-in person touched the page. Its own polling is no touch."""

    session: str


class SignedOut(Struct, frozen=True):
    """They left, or the page's lock was pressed."""

    session: str


class ViewAsked(Struct, frozen=True):
    """A picture, or a list, is about to be shown.

    Attributes:
        request: names this picture for its page.
        session: who looks.
        scheme, case: at whom. A list is case 0, of one scheme or of all (scheme 0).
        kind: ``list``, ``search``, ``person``, ``photograph``, ``panel`` … A case of a list that was shown in this
            session is one of its small pictures.
        people: of a list, who stands in it: scheme, case and ``since`` of each.
    """

    request: str
    session: str
    scheme: int
    case: int
    kind: str
    people: frozenset[tuple[int, int, int]] = frozenset()


class ReportAsked(Struct, frozen=True):
    """Somebody reports a person whom they have on the page.

    Attributes:
        request: names this answer for its page.
        session: who reports.
        scheme, case: whom, as in the line.
        reference: as in the line's text: ``HART-0042``.
        kind, left: what they pressed.
        report: its id, 32 hexadecimal digits, drawn at random by the caller; a press that is repeated bears the same.
    """

    request: str
    session: str
    scheme: int
    case: int
    reference: str
    kind: Kind
    left: Left
    report: str


class ReportAlerted(Struct, frozen=True):
    """The node has answered what it was asked for a report.

    Attributes:
        incident: id of the alert that went out; empty = none did.
        is_later: it replaces an earlier answer, or comes when nobody waits any more.
    """

    report: str
    incident: str
    is_later: bool = False


Event = (
    Started
    | Ticked
    | BatteryRead
    | CentralTimeTold
    | FrameHeard
    | OfficeAnswered
    | ReportsAnswered
    | OfficeFailed
    | PhotographsStored
    | PhotographsFailed
    | KeysLost
    | Stored
    | StoreRefused
    | SignInAsked
    | SecretChecked
    | PinChosen
    | SessionUsed
    | SignedOut
    | ViewAsked
    | ReportAsked
    | ReportAlerted
)
