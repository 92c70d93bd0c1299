"""Past facts, each one thing that happened outside the core. Adapters make them; nothing else does.

``…_ms`` is the monotonic clock of this boot; ``…_at_s`` is Unix time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from msgspec import Struct

from node.core.controls import Button, Part
from node.core.effects import NOTHING_TOLD, Scale, Told
from wire.directory import Directory
from wire.frames import SignedFrame
from wire.ids import FrameId
from wire.kinds import Path, Priority
from wire.messages import CentralStatus, IncidentState, SyncAnswer
from wire.topics import FrameTopic


class StoredFrame(Struct, frozen=True):
    """A row of the outbox as it rests on disk.

    Attributes:
        signed: the frame and its bytes.
        stored_ms: when, on this boot's clock; negative for rows of an earlier boot whose age is known,
            ``None`` where it is not.
        is_receipted: central has it; kept so that the screen survives a restart.
    """

    signed: SignedFrame
    stored_ms: int | None
    is_receipted: bool


class SeenFrame(Struct, frozen=True):
    """A row of the inbox: a frame of somebody else's that was already taken in.

    Attributes:
        digest: SHA-256 of the bytes: the same id with another digest is a fault of its sender's.
        shown: how urgent it was, at the most, when the panel had it; ``None`` = it never had.
    """

    id: FrameId
    digest: bytes
    shown: Priority | None


class Started(Struct, frozen=True):
    """The program is up; what the disk remembers. First event of every run.

    Attributes:
        boot_id: new at every start.
        outbox: not yet receipted, and receipted of the last 24 h, oldest first.
        inbox: seen frames of the last 48 h.
        directory: verified, from disk; the empty one if there is none.
        last_counter: the highest counter ever stored.
        tested_at_s: Unix time at which a test that staff pressed last reached central; 0 = never, or not known when.
        test_since_at_s: Unix time from which one is asked for where none ever did; 0 = not known.
        highest: the highest counter ever seen of each sender.
        scales: central's time, learnt in this boot of the machine, the present one first.
        airtime: how much of the last ten minutes our overs took, in slices of this boot's monotonic clock.
        told: what central had told earlier runs.
        secret: random bytes that nobody else knows and no other run has.
        is_store_read: whether the disk could be read; if not, only a proven clock gives a press a number.
    """

    boot_id: str
    outbox: tuple[StoredFrame, ...]
    inbox: tuple[SeenFrame, ...]
    directory: Directory
    last_counter: int
    tested_at_s: int = 0
    test_since_at_s: int = 0
    highest: tuple[FrameId, ...] = ()
    scales: tuple[Scale, ...] = ()
    secret: bytes = b""
    airtime: tuple[tuple[int, int], ...] = ()
    told: Told = NOTHING_TOLD
    is_store_read: bool = True


class ClockRead(Struct, frozen=True):
    """Wall time, at start, every minute and after a jump.

    Attributes:
        wall_at_s: Unix time.
        is_proven: NTP vouches for it. (Central's word is weighed by the core itself.)
        utc_offset_s: local time minus UTC just now, for the clock on the screen.
    """

    wall_at_s: int
    is_proven: bool
    utc_offset_s: int = 0


class Ticked(Struct, frozen=True):
    """The moment the core asked for with :func:`node.core.machine.next_deadline_ms` has come."""


class PinChanged(Struct, frozen=True):
    """A raw electrical edge, bounces and all. ``now_ms`` of its step is when the edge happened.

    Attributes:
        is_initial: not an edge but the level found when the pin was first read: a button that is already
            down then is stuck or leaned on, and is no press (N1).
        age_ms: how long before it was handed over the kernel saw it, where the pin library knows.
    """

    button: Button
    is_down: bool
    is_initial: bool = False
    age_ms: int = 0


class FrameStored(Struct, frozen=True):
    """The draft is on disk, numbered and signed; the power may go now."""

    draft: int
    signed: SignedFrame


class StoreRefused(Struct, frozen=True):
    """The disk would not take it (full, read-only, broken). The draft is *not* stored.

    Attributes:
        draft: which draft, or ``None`` for other writes.
        signed: its frame, with a number that no restart gives out again; ``None`` = it could not be numbered.
    """

    draft: int | None
    detail: str
    signed: SignedFrame | None = None


class FramesReopened(Struct, frozen=True):
    """Rows whose receipts were taken back: they are to be sent again, the same bytes."""

    frames: tuple[StoredFrame, ...]


class ListingRefused(Struct, frozen=True):
    """The disk would not say which receipts it holds: the sync that was to list them did not."""


class LinkUp(Struct, frozen=True):
    """Connected to the broker and subscribed. Says nothing about central."""


class LinkDown(Struct, frozen=True):
    """Not connected. ``is_permanent``: retrying as things are cannot help (certificate refused, wrong CA)."""

    detail: str
    is_permanent: bool = False


class SessionTaken(Struct, frozen=True):
    """The broker gave our session to another program that has our certificate. ``LinkDown`` follows."""


class FramePublished(Struct, frozen=True):
    """The broker has taken it (PUBACK). Not delivery."""

    id: FrameId


class FrameReceived(Struct, frozen=True):
    """Bytes that claim to be a frame. The core admits or refuses them.

    Attributes:
        topic: where it was published; ``None`` for ``down`` topics and the radio.
    """

    data: bytes
    topic: FrameTopic | None
    path: Path


class ChannelChanged(Struct, frozen=True):
    """Somebody speaks on the channel, by voice or data, or nobody does any more. Never about our own over."""

    is_busy: bool


class OverStarted(Struct, frozen=True):
    """The transmitter is keyed and sound is going out."""

    over: int


class OverEnded(Struct, frozen=True):
    """The transmitter is unkeyed after the over, or after StopOver.

    Attributes:
        airtime_ms: for how long it was keyed.
    """

    over: int
    airtime_ms: int


class OverFailed(Struct, frozen=True):
    """The over did not go out, or not whole; the transmitter is unkeyed.

    Attributes:
        airtime_ms: for how long it was keyed, 0 = never.
    """

    over: int
    detail: str
    airtime_ms: int = 0


class AirAsked(Struct, frozen=True):
    """Central asks us to put this frame on the air. The core admits or refuses it like any other."""

    data: bytes


class IncidentReceived(Struct, frozen=True):
    """Central's state of an incident of one of our schemes; ``is_signed``: by central, and not just by anybody."""

    state: IncidentState
    is_signed: bool = False


class CentralStatusReceived(Struct, frozen=True):
    """Central's heartbeat; ``is_signed`` as above."""

    status: CentralStatus
    is_signed: bool = False


class SyncAnswered(Struct, frozen=True):
    """Central's answer to our sync; ``is_signed`` as above."""

    answer: SyncAnswer
    is_signed: bool = False


class DirectoryReceived(Struct, frozen=True):
    """A directory whose signature the adapter has verified against the pinned authority key.

    Attributes:
        data: the sealed document, to be kept.
    """

    directory: Directory
    data: bytes


class InputRejected(Struct, frozen=True):
    """An adapter dropped something malformed; ``reason`` is a counter's label."""

    reason: str


class ScreenShown(Struct, frozen=True):
    """The panel has accepted the pixels of this screen (or, with a dead panel, has not: see PartFailed).

    Attributes:
        concerns, face, priority: the screen's.
    """

    concerns: str
    face: str
    priority: Priority | None = None


class PartFailed(Struct, frozen=True):
    """A part does not work. Comes at most once until it recovers."""

    part: Part
    detail: str


class PartRecovered(Struct, frozen=True):
    """It works again."""

    part: Part


class StopAsked(Struct, frozen=True):
    """SIGTERM, Ctrl-C."""


Event = (
    Started
    | ClockRead
    | Ticked
    | PinChanged
    | FrameStored
    | StoreRefused
    | FramesReopened
    | ListingRefused
    | LinkUp
    | LinkDown
    | SessionTaken
    | FramePublished
    | FrameReceived
    | ChannelChanged
    | OverStarted
    | OverEnded
    | OverFailed
    | AirAsked
    | IncidentReceived
    | CentralStatusReceived
    | SyncAnswered
    | DirectoryReceived
    | InputRejected
    | ScreenShown
    | PartFailed
    | PartRecovered
    | StopAsked
)

Emit = Callable[[Event], None]
"""Takes what happened at the node, from any thread; never drops it, and may only enqueue."""


class Offer(Protocol):
    """Takes what came from outside, from any thread, if there is room for it; may only enqueue."""

    def __call__(self, event: Event, waiting_max: int, size_bytes: int = 0, /) -> bool:
        """Whether it was taken: no more than ``waiting_max`` waited, and there was room for its bytes."""
