"""The core's orders. The composition root carries them out in the order given, before the next event."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from node.core.air import Mode, Phrase
from node.core.controls import LedPattern, Part, SoundPattern
from node.core.screens import Screen
from node.core.trial import Kept
from wire.directory import Directory
from wire.frames import Alert, Cancel, PathTest, Response, SignedFrame
from wire.gallery_socket import NodeLine
from wire.ids import U32_MAX, FrameId, NodeId
from wire.kinds import AlertKind, CancelReason, LeftWhenAsked, MemberResponse, Path, Priority
from wire.messages import Health, Sync
from wire.node_settings import SignedSettings


class AlertDraft(Struct, frozen=True):
    """An alert without counter and signature.

    Attributes:
        incident: counter of the alert it belongs to; ``None`` opens an incident (its own counter).
        about, left: as in :class:`wire.frames.Alert`.
    """

    kind: AlertKind
    incident: int | None
    schemes: tuple[int, ...]
    silent: bool
    drill: bool
    about: int = 0
    left: LeftWhenAsked = LeftWhenAsked.NOT_ASKED


class CancelDraft(Struct, frozen=True):
    """A cancel without counter and signature."""

    incident: int
    reason: CancelReason
    schemes: tuple[int, ...]


class ResponseDraft(Struct, frozen=True):
    """*Seen* or *responding* without counter and signature."""

    target: FrameId
    response: MemberResponse
    schemes: tuple[int, ...]


class PathTestDraft(Struct, frozen=True):
    """A path test without counter and signature (N11). Never sent by a later run, so its frame need not be kept."""

    path: Path


Draft = AlertDraft | CancelDraft | ResponseDraft | PathTestDraft


def frame_of(draft: Draft, node: NodeId, counter: int, at_s: int) -> Alert | Cancel | Response | PathTest:
    """The draft as a frame with its counter, not yet signed."""
    match draft:
        case AlertDraft(kind, incident, schemes, silent, drill, about, left):
            incident = counter if incident is None else incident
            return Alert(node, counter, at_s, kind, incident, schemes, silent, drill, about, left)
        case CancelDraft(incident, reason, schemes):
            return Cancel(node, counter, at_s, incident, reason, schemes)
        case ResponseDraft(target, response, schemes):
            return Response(node, counter, at_s, target, response, schemes)
        case PathTestDraft(path):
            return PathTest(node, counter, at_s, path)


class StoreFrame(Struct, frozen=True):
    """Number, sign and commit to disk; answer FrameStored, or StoreRefused with the frame that the disk refused.

    Attributes:
        draft: number by which the answer is matched.
        at_s: Unix time of the press for the frame, on central's scale where that is known; 0 = not known.
        replaces: counter of a frame with the same content that central will never take; deleted in the same
            transaction. The new row is as old as that one. 0 = none.
        wall_at_s: time of the press by our own proven clock, for the counter's floor and the row's age; 0 = not proven.
        signed: the frame, refused before but already sent: commit these bytes, do not sign again.
        pressed_ms: when, by the monotonic clock, for the row's age; ``None`` = now.
    """

    draft: int
    content: Draft
    at_s: int
    replaces: int = 0
    wall_at_s: int = 0
    signed: SignedFrame | None = None
    pressed_ms: int | None = None


class PublishFrame(Struct, frozen=True):
    """Publish these bytes, QoS 1, to the frame topic of each scheme. Answer FramePublished at the PUBACK."""

    signed: SignedFrame
    schemes: tuple[int, ...]


class TransmitOver(Struct, frozen=True):
    """Key the radio, send the bursts, speak, unkey. Answer OverStarted, then OverEnded; or OverFailed.

    At most one over is ordered at a time: the next after OverEnded or OverFailed.

    Attributes:
        over: number by which the answers are matched.
        bursts: frames, in order, 1 … ``BURSTS_PER_OVER_MAX``.
        mode: of all bursts.
        phrase: spoken after them; ``None`` = none.
        reference: of the person whom the phrase is about, as it is spoken: ``HART 42``; empty = nobody.
    """

    over: int
    bursts: tuple[bytes, ...]
    mode: Mode
    phrase: Phrase | None = None
    reference: str = ""


class PrepareSentence(Struct, frozen=True):
    """Make this sentence about a person ready, for an over that may follow. No answer."""

    phrase: Phrase
    reference: str


class StopOver(Struct, frozen=True):
    """Unkey now, dropping the rest. Answer OverEnded."""

    over: int


class RelayFrame(Struct, frozen=True):
    """Publish another sender's verified frame, heard on the radio, to our ``up/heard``, QoS 1."""

    id: FrameId
    data: bytes


class MarkReceipted(Struct, frozen=True):
    """Central has committed it: do not send the outbox row again."""

    id: FrameId


class ReopenFrames(Struct, frozen=True):
    """Central lacks these: withdraw their receipts on disk. Answer FramesReopened, also if it takes no writes."""

    counters: tuple[int, ...]


class ForgetFrame(Struct, frozen=True):
    """Delete the row of one of our frames that central will never take, and that nobody needs."""

    id: FrameId


class KeepSeen(Struct, frozen=True):
    """Remember on disk that another sender's frame was accepted, and how urgent the panel showed it."""

    id: FrameId
    digest: bytes
    shown: Priority | None


class KeepDirectory(Struct, frozen=True):
    """Replace the directory on disk.

    Attributes:
        directory: ``data``, already opened and verified (a big town's takes a tenth of a second).
    """

    data: bytes
    directory: Directory | None = None


class Scale(Struct, frozen=True):
    """Central's time in one of its runs, less this boot's monotonic clock.

    Attributes:
        boot_id: of that run.
        offset_ms: Unix milliseconds minus monotonic milliseconds.
        learnt_ms: when we last asked.
        way_ms: how long the answer took; the offset is accurate to half of that.
        left_ms: when a later run was found to have another time; ``None`` = the present one.
    """

    boot_id: str
    offset_ms: int
    learnt_ms: int
    way_ms: int = 0
    left_ms: int | None = None


class KeepScales(Struct, frozen=True):
    """Keep central's time, relative to our monotonic clock, on disk until the machine boots again.

    Attributes:
        scales: the present one first.
    """

    scales: tuple[Scale, ...]


class Told(Struct, frozen=True):
    """What central has said so far, so that no older message of central's overrides it after a restart.

    Attributes:
        counter, revision: the highest of its frames, and of its states of incidents, over all of its runs.
        closed: counters of our own incidents that it has closed, newest last.
        ended: others' incidents that it has closed, newest last.
        speaks: what it understands, by its last answer; ``None`` = none since this is kept.
    """

    counter: int = 0
    revision: int = 0
    closed: tuple[int, ...] = ()
    ended: tuple[FrameId, ...] = ()
    speaks: tuple[str, ...] | None = None


NOTHING_TOLD: Final = Told()


class KeepTold(Struct, frozen=True):
    """Keep on disk what central has said."""

    told: Told


COUNTER_FLOOR_MAX: Final = U32_MAX - (1 << 24)
"""A floor above this would leave too few counters: its sender is at fault."""


class KeepAirtime(Struct, frozen=True):
    """Keep our airtime of the last ten minutes on disk: ordered before each over and again at its end.

    Attributes:
        slices: of :class:`node.core.radio_state.Usage`, by this boot's monotonic clock.
    """

    slices: tuple[tuple[int, int], ...]


class CheckSettings(Struct, frozen=True):
    """Look whether this node can be so: profile, devices, words. Answer SettingsChecked."""

    signed: SignedSettings


class KeepSettings(Struct, frozen=True):
    """Write this to the disk, whole, in place of what is there. Answer SettingsKept."""

    kept: Kept


class RaiseCounterFloor(Struct, frozen=True):
    """Never use a counter at or below this again (a restored card)."""

    counter: int


class ShowScreen(Struct, frozen=True):
    """Draw this; latest wins. Answer ScreenShown once the panel has it."""

    screen: Screen


class PlaySound(Struct, frozen=True):
    """Start this pattern, replacing the one that plays."""

    pattern: SoundPattern


class SetLed(Struct, frozen=True):
    """Show this pattern."""

    pattern: LedPattern


class PublishHealth(Struct, frozen=True):
    """Publish our health, QoS 0; the next replaces a lost one."""

    health: Health


class PublishSync(Struct, frozen=True):
    """Ask central for what we may have missed.

    Attributes:
        is_listing: add every frame for which the disk holds a receipt, in as many parts as needed; answer
            ListingRefused if the disk cannot be read.
    """

    sync: Sync
    is_listing: bool = False


class ConnectAnew(Struct, frozen=True):
    """End the connection to the broker; it is made anew at once."""


class RetryPart(Struct, frozen=True):
    """Try a failed part again; answer PartRecovered, or PartFailed once more."""

    part: Part


class TellGallery(Struct, frozen=True):
    """Say this to the gallery on this unit, if it is connected."""

    line: NodeLine


class ReportFact(Struct, frozen=True):
    """Write a line to the fact log.

    Attributes:
        fact: ``pressed``, ``stored``, ``published``, ``receipt``, ``shown``, ``acknowledged``, ``closed``,
            ``undelivered``, ``cancelled``, ``late``, ``response``, ``upgrade_shown`` …
        alert: whose.
        detail: role, name, path, response … as text.
    """

    fact: str
    alert: FrameId | None
    detail: tuple[tuple[str, str], ...] = ()


class Stop(Struct, frozen=True):
    """Everything is said; the program may end."""


Effect = (
    StoreFrame
    | PublishFrame
    | TransmitOver
    | PrepareSentence
    | StopOver
    | RelayFrame
    | MarkReceipted
    | ReopenFrames
    | ForgetFrame
    | KeepSeen
    | KeepDirectory
    | KeepTold
    | KeepScales
    | KeepAirtime
    | CheckSettings
    | KeepSettings
    | RaiseCounterFloor
    | ShowScreen
    | PlaySound
    | SetLed
    | PublishHealth
    | PublishSync
    | ConnectAnew
    | RetryPart
    | TellGallery
    | ReportFact
    | Stop
)
