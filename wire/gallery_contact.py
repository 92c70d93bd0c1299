"""The one question that a node's gallery asks its office, and the answer (ADR 0034).

The question says what the node holds. It is the receipt, too: a number held means that everything which is not in it is
destroyed. The office answers as soon as something is newer, or after a while that nothing is. An answer says which
schemes the node may hold, the office's time, and until when the lease lasts.
"""

from __future__ import annotations

import zlib
from typing import Annotated, Final

import msgspec

from wire.gallery_keys import KeyRow
from wire.gallery_lines import ENTRIES_MAX, CaseNumber, GalleryError, UnixSeconds
from wire.gallery_reports import Outcomes, OutcomesVersion
from wire.gallery_staff import STAFF_MAX, StaffEntry
from wire.gallery_views import ViewHead
from wire.limits import DETAIL_CHARS_MAX, SCHEMES_PER_NODE_MAX
from wire.messages import Count, Message, SchemeNumber
from wire.snapshots import HexDigest
from wire.text import display_text

QUESTION_BYTES_MAX: Final = 4_096
ANSWER_BYTES_MAX: Final = 1_048_576
"""Before it is compressed, and after. What does not fit is fetched as files."""
ROWS_BYTES_MAX: Final = 4_194_304
"""Of a file of rows, likewise: 10,000 are 2.4 MB."""
HOLDS_MAX: Final = 16
GONE_MAX: Final = 2_000
DICTIONARY: Final = (
    b'{"now_s":17,"lease_until_s":17,"schemes":[1,2],"changes":[{"scheme":1,"head":{"name":"gallery-1","town":"01234567'
    b'89abcdef","snapshot":{"scheme":1,"number":1,"made_at":"202","lines":1,"digest":"","lease_s":604800},"signature":"'
    rb'=="},"after":1,"lines":"{\"case\":1,\"since\":1,\"not_before_s\":17,\"not_after_s\":17,\"text\":\"\",\"photograph\":'
    rb"\"\",\"photographs\":[{\"size\":\"small\",\"sha256\":\"\",\"file_bytes\":6},{\"size\":\"portrait\",\"sha256\":\"\",\"file_byt"
    rb'es\":6}]}\n","gone":[1],"keys":[{"case":1,"since":1,"sealed":"'
)
"""zlib's preset dictionary: the words of an answer, which would else be a quarter of a small one. Never changed."""


class Held(Message, frozen=True):
    """A gallery that the node holds."""

    scheme: SchemeNumber
    number: Count
    """Of its head: what is not in it is destroyed. 0 = none, or lines or rows are lost: all of it is wanted."""
    is_complete: bool = False
    """Whether it has every photograph that its rows open. The office shows that, and answers no differently."""


class GalleryQuestion(Message, frozen=True):
    """What the node holds."""

    holds: Annotated[tuple[Held, ...], msgspec.Meta(max_length=HOLDS_MAX)] = ()
    views: ViewHead | None = None
    """Where its view log has come to, so that a copied card shows; null = there is none."""
    outcomes: OutcomesVersion | None = None
    """Version of the outcomes that it holds, empty = none; null = it cannot show any."""
    staff: HexDigest | None = None
    """Digest of the list of staff that is on its disk; null = it takes no list, and is told none."""

    def __post_init__(self) -> None:
        if len({one.scheme for one in self.holds}) != len(self.holds):
            raise ValueError("a scheme is listed twice")


class GalleryChange(Message, frozen=True):
    """What is new in a scheme for this node."""

    scheme: SchemeNumber
    head: msgspec.Raw
    """The newest head, sealed: the object of its file."""
    after: Count | None = None
    """Number of the gallery from which the change starts, 0 = from nothing; null = it is too large: lines and rows are
    fetched as files."""
    lines: Annotated[str, msgspec.Meta(max_length=ANSWER_BYTES_MAX)] = ""
    """Those that became what they are after that number, as in the lines' file: each with its line feed."""
    gone: Annotated[tuple[CaseNumber, ...], msgspec.Meta(max_length=GONE_MAX)] = ()
    """Cases that have no line any more."""
    keys: Annotated[tuple[KeyRow, ...], msgspec.Meta(max_length=ENTRIES_MAX)] = ()
    """Rows of those of these lines that this node may show. The row that it held of any of them is void."""

    def __post_init__(self) -> None:
        if self.after is None and (self.lines or self.gone or self.keys):
            raise ValueError("a change that starts from nowhere")

    @property
    def head_bytes(self) -> bytes:
        """As :func:`wire.gallery_head.open_head` takes it."""
        return bytes(self.head)

    @property
    def line_bytes(self) -> bytes:
        """As :func:`wire.gallery_head.merge` takes them."""
        return self.lines.encode(errors="surrogatepass")


class GalleryAnswer(Message, frozen=True):
    """What the office says to a node."""

    now_s: UnixSeconds
    """The office's time."""
    lease_until_s: UnixSeconds
    """Until then the node may show what it holds without another contact; of each scheme no longer than its head's
    ``lease_s`` from ``now_s``. Not after ``now_s`` = at once no more."""
    schemes: Annotated[tuple[SchemeNumber, ...], msgspec.Meta(max_length=SCHEMES_PER_NODE_MAX)] = ()
    """Those that the node may hold. A gallery of any other is destroyed."""
    changes: Annotated[tuple[GalleryChange, ...], msgspec.Meta(max_length=SCHEMES_PER_NODE_MAX)] = ()
    """Of schemes with news; none of a scheme = it holds the newest."""
    outcomes: Outcomes | None = None
    """What has become of the node's reports; null = nothing else than what it holds."""
    open_schemes: Annotated[tuple[SchemeNumber, ...], msgspec.Meta(max_length=SCHEMES_PER_NODE_MAX)] = ()
    """Those of ``schemes`` that have chosen to show their gallery without proof of the time."""
    staff: Annotated[tuple[StaffEntry, ...], msgspec.Meta(max_length=STAFF_MAX)] | None = None
    """All who may sign in at its page; whoever is not among them is out. null = as before."""
    unproven: Annotated[tuple[SchemeNumber, ...], msgspec.Meta(max_length=SCHEMES_PER_NODE_MAX)] = ()
    """Those of ``schemes`` of which the office cannot tell now what is in force: their lease stays as it was."""
    views_received: ViewHead | None = None
    """Where the node's view log has come to at the office, for a node that has lost its note of it; null = nothing is
    said, as in answers with changes. It counts only if the node's own log goes on from there."""

    def __post_init__(self) -> None:
        found = {one.scheme for one in self.changes}
        if len(found) != len(self.changes) or not found <= set(self.schemes):
            raise ValueError("a change twice, or of a scheme that the node may not hold")
        if not set(self.open_schemes) <= set(self.schemes):
            raise ValueError("a scheme is open that the node may not hold")
        if self.staff is not None and len({one.person for one in self.staff}) != len(self.staff):
            raise ValueError("a person is listed twice")


_read_question: Final = msgspec.json.Decoder(GalleryQuestion).decode
_read_answer: Final = msgspec.json.Decoder(GalleryAnswer).decode
_read_rows: Final = msgspec.json.Decoder(Annotated[tuple[KeyRow, ...], msgspec.Meta(max_length=ENTRIES_MAX)]).decode


def encode_question(question: GalleryQuestion) -> bytes:
    """The body of the question: JSON."""
    return msgspec.json.encode(question)


def decode_question(data: bytes) -> GalleryQuestion:
    """Read a question.

    Raises:
        GalleryError: too large, malformed, or contradicting itself.
    """
    if len(data) > QUESTION_BYTES_MAX:
        raise GalleryError("gallery question", QUESTION_BYTES_MAX, f"{len(data)} bytes")
    try:
        return _read_question(data)
    except (msgspec.MsgspecError, ValueError, RecursionError) as e:
        raise GalleryError("gallery question", detail=display_text(str(e), DETAIL_CHARS_MAX)) from e


def encode_answer(answer: GalleryAnswer) -> bytes:
    """The body of the answer: JSON, compressed as zlib does (RFC 1950), with :data:`DICTIONARY`.

    What is secret in it is ciphertext, and nobody but the office chooses any of it: its length tells nothing.
    """
    return _compress(msgspec.json.encode(answer))


def decode_answer(data: bytes) -> GalleryAnswer:
    """Read an answer.

    Raises:
        GalleryError: too large, also once it is expanded; malformed, or contradicting itself.
    """
    try:
        return _read_answer(_expand(data, ANSWER_BYTES_MAX, "gallery answer"))
    except GalleryError:
        raise
    except (msgspec.MsgspecError, ValueError, RecursionError) as e:
        raise GalleryError("gallery answer", detail=display_text(str(e), DETAIL_CHARS_MAX)) from e


def encode_rows(rows: tuple[KeyRow, ...]) -> bytes:
    """All rows of a node in a scheme, as a file: a list in JSON, compressed like an answer."""
    return _compress(msgspec.json.encode(rows))


def decode_rows(data: bytes) -> tuple[KeyRow, ...]:
    """Read a file of rows.

    Raises:
        GalleryError: too large, also once it is expanded; malformed, or a case twice.
    """
    try:
        rows: tuple[KeyRow, ...] = _read_rows(_expand(data, ROWS_BYTES_MAX, "gallery rows"))
    except GalleryError:
        raise
    except (msgspec.MsgspecError, ValueError, RecursionError) as e:
        raise GalleryError("gallery rows", detail=display_text(str(e), DETAIL_CHARS_MAX)) from e
    if len({row.case for row in rows}) != len(rows):
        raise GalleryError("gallery rows", detail="a case twice")
    return rows


def _compress(data: bytes) -> bytes:
    compressing = zlib.compressobj(9, zdict=DICTIONARY)
    return compressing.compress(data) + compressing.flush()


def _expand(data: bytes, bytes_max: int, reason: str) -> bytes:
    """Never more bytes than the limit, whatever they would expand to."""
    expanding = zlib.decompressobj(zdict=DICTIONARY)
    try:
        expanded = b"" if len(data) > bytes_max else expanding.decompress(data, bytes_max + 1)
    except zlib.error as e:
        raise GalleryError(reason, detail="not compressed as agreed") from e
    if len(expanded) > bytes_max or not expanding.eof or expanding.unused_data:
        raise GalleryError(reason, detail="too large, cut short, or with more behind it")
    return expanded
