"""Past facts: what happened outside the core. Only adapters make them.

``…_ms`` is the monotonic clock of this boot; ``…_at_s`` is Unix time.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from node.core.controls import Button, Part
from node.core.effects import NOTHING_TOLD, Scale, Told
from node.core.trial import Kept
from wire.directory import Directory
from wire.frames import SignedFrame
from wire.ids import FrameId
from wire.kinds import AlertKind, LeftWhenAsked, Path, Priority
from wire.messages import CentralStatus, IncidentState, MachineReport, SyncAnswer
from wire.node_settings import SignedSettings
from wire.topics import FrameTopic


class StoredFrame(Struct, frozen=True):
    """A row of the outbox, as on disk.

    Attributes:
        signed: the frame and its bytes.
        stored_ms: when, on this boot's clock; negative for rows of an earlier boot whose age is known,
            ``None`` where it is not.
        is_receipted: central has it; kept for the screen after a restart.
    """

    signed: SignedFrame
    stored_ms: int | None
    is_receipted: bool


class SeenFrame(Struct, frozen=True):
    """A row of the inbox: another sender's frame that was accepted.

    Attributes:
        digest: SHA-256 of the bytes: the same id with another digest is the sender's fault.
        shown: the highest urgency at which the panel showed it; ``None`` = never shown.
    """

    id: FrameId
    digest: bytes
    shown: Priority | None


class Started(Struct, frozen=True):
    """The program is up; the disk's contents. First event of every run.

    Attributes:
        boot_id: new at every start.
        outbox: not yet receipted, and receipted of the last 24 h, oldest first.
        inbox: seen frames of the last 48 h.
        directory: verified, from disk; empty if there is none.
        last_counter: the highest counter ever stored.
        tested_at_s: Unix time at which a test that staff pressed last reached central; 0 = never, or not known when.
        test_since_at_s: Unix time from which a first one is asked for; 0 = not known.
        highest: the highest counter ever seen of each sender.
        scales: central's time, learnt in this boot of the machine, the present scale first.
        airtime: how much of the last ten minutes our overs took, in slices of this boot's monotonic clock.
        told: what central had said to earlier runs.
        secret: random bytes, known to nobody else and new in every run.
        is_store_read: whether the disk could be read; if not, only a proven clock gives a press a number.
        settings: settings from the fleet, as on disk; ``settings`` of the core are made with those in force.
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
    settings: Kept = Kept()


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


class MachineRead(Struct, frozen=True):
    """What the node's machine says of itself, at start and every minute.

    Attributes:
        machine: its ``clock`` is ``ntp``, ``machine`` or absent; the core adds what it knows of central's time.
        certificate_ends_at: when our certificate for the network ends; ``None`` = it cannot be read.
        card: what is wrong with the card's data partition; empty = nothing; ``None`` = nobody says.
    """

    machine: MachineReport
    certificate_ends_at: datetime | None = None
    card: str | None = None


class Ticked(Struct, frozen=True):
    """The moment named by :func:`node.core.machine.next_deadline_ms` has come."""


class PinChanged(Struct, frozen=True):
    """A raw electrical edge, bounces and all. ``now_ms`` of its step is when the edge happened.

    Attributes:
        is_initial: not an edge but the level at the first read: a button that is already down then is stuck or
            leaned on, not pressed (N1).
        at_ms: when the kernel saw it, by the monotonic clock; ``None`` = just now.
    """

    button: Button
    is_down: bool
    is_initial: bool = False
    at_ms: int | None = None


class FrameStored(Struct, frozen=True):
    """The draft is on disk, numbered and signed; the power may fail now."""

    draft: int
    signed: SignedFrame


class StoreRefused(Struct, frozen=True):
    """The disk refused it (full, read-only, broken). The draft is *not* stored.

    Attributes:
        draft: which draft, or ``None`` for other writes.
        signed: its frame, with a number that no restart gives out again; ``None`` = it could not be numbered.
    """

    draft: int | None
    detail: str
    signed: SignedFrame | None = None


class FramesReopened(Struct, frozen=True):
    """Rows that central lacks: to be sent again, in the same bytes."""

    frames: tuple[StoredFrame, ...]


class ListingRefused(Struct, frozen=True):
    """The disk could not list its receipts, so the sync did not either."""


class LinkUp(Struct, frozen=True):
    """Connected to the broker and subscribed. Says nothing about central."""


class LinkDown(Struct, frozen=True):
    """Not connected. ``is_permanent``: retrying unchanged cannot help (certificate refused, wrong CA)."""

    detail: str
    is_permanent: bool = False


class SessionTaken(Struct, frozen=True):
    """Another program with our certificate took our session. ``LinkDown`` follows."""


class FramePublished(Struct, frozen=True):
    """The broker has accepted it (PUBACK). Not delivery."""

    id: FrameId


class FrameReceived(Struct, frozen=True):
    """Bytes that claim to be a frame; the core admits or refuses them.

    Attributes:
        topic: where it was published; ``None`` for ``down`` topics and the radio.
    """

    data: bytes
    topic: FrameTopic | None
    path: Path


class ChannelChanged(Struct, frozen=True):
    """Someone began or stopped speaking on the channel, by voice or data. Never about our own over."""

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
    """The over did not go out, or not completely; the transmitter is unkeyed.

    Attributes:
        airtime_ms: for how long it was keyed, 0 = never.
    """

    over: int
    detail: str
    airtime_ms: int = 0


class KeyProven(Struct, frozen=True):
    """The transmit key's line was switched off by order for the first time in this run, so somebody holds it."""


class AirAsked(Struct, frozen=True):
    """Central asks us to put this frame on the air; the core admits or refuses it like any other."""

    data: bytes


class IncidentReceived(Struct, frozen=True):
    """Central's state of an incident of one of our schemes; ``is_signed``: verified as central's."""

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
    """A directory whose signatures the adapter has verified from the pinned authority key on.

    Attributes:
        data: the sealed document, for the disk.
    """

    directory: Directory
    data: bytes


class SettingsReceived(Struct, frozen=True):
    """Settings from the fleet; the adapter has verified the authority's signature."""

    signed: SignedSettings


class SettingsChecked(Struct, frozen=True):
    """Answer to CheckSettings: why this node cannot be so, as a sentence without a full stop; empty = it can."""

    serial: int
    objection: str


class SettingsKept(Struct, frozen=True):
    """Answer to KeepSettings; ``is_kept``: it is on the disk."""

    kept: Kept
    is_kept: bool


class InputRejected(Struct, frozen=True):
    """An adapter dropped malformed input; ``reason`` is a counter's label."""

    reason: str


class AlertAsked(Struct, frozen=True):
    """The gallery on this unit asks for an alert about a person; the adapter has checked who is asking."""

    request: str
    kind: AlertKind
    scheme: int
    person: int
    left: LeftWhenAsked = LeftWhenAsked.NOT_ASKED


class GalleryCame(Struct, frozen=True):
    """A gallery has connected, anew or for the first time; or it is gone."""

    is_here: bool


class PanelFaceCame(Struct, frozen=True):
    """What the gallery shows on the panel during a visit: :class:`wire.gallery_socket.PanelFace`."""

    visit: int
    headline: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    pixels: bytes = b""
    is_over: bool = False


class ScreenShown(Struct, frozen=True):
    """The panel has accepted the pixels of this screen (or, with a dead panel, has not: see PartFailed).

    Attributes:
        concerns, face, priority: the screen's.
    """

    concerns: str
    face: str
    priority: Priority | None = None


class PartFailed(Struct, frozen=True):
    """A part does not work. At most once until it recovers."""

    part: Part
    detail: str


class PartRecovered(Struct, frozen=True):
    """The part works again."""

    part: Part


class StopAsked(Struct, frozen=True):
    """SIGTERM, Ctrl-C."""


Event = (
    Started
    | ClockRead
    | MachineRead
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
    | KeyProven
    | AirAsked
    | IncidentReceived
    | CentralStatusReceived
    | SyncAnswered
    | DirectoryReceived
    | SettingsReceived
    | SettingsChecked
    | SettingsKept
    | InputRejected
    | AlertAsked
    | GalleryCame
    | PanelFaceCame
    | ScreenShown
    | PartFailed
    | PartRecovered
    | StopAsked
)

Emit = Callable[[Event], None]
"""Takes an event made by the node, from any thread; never drops it, and may only enqueue."""


class Offer(Protocol):
    """Takes an event from outside, from any thread, if there is room; may only enqueue."""

    def __call__(self, event: Event, waiting_max: int, size_bytes: int = 0, /) -> bool:
        """Whether it was accepted: at most ``waiting_max`` were waiting, and its bytes fit."""
