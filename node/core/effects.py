"""Orders. The composition root carries them out in the order given, before it takes the next event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from node.core.controls import LedPattern, Part, SoundPattern
from node.core.radio.air import Mode, Phrase
from node.core.screens import Screen
from wire.directory import Directory
from wire.frames import SignedFrame
from wire.ids import U32_MAX, FrameId
from wire.kinds import AlertKind, CancelReason, MemberResponse, Path
from wire.messages import Health, Sync


@dataclass(frozen=True, slots=True)
class AlertDraft:
    """An alert without counter and signature.

    Attributes:
        incident: counter of the alert it belongs to; ``None`` opens an incident (its own counter).
    """

    kind: AlertKind
    incident: int | None
    schemes: tuple[int, ...]
    silent: bool
    drill: bool


@dataclass(frozen=True, slots=True)
class CancelDraft:
    """A cancel without counter and signature."""

    incident: int
    reason: CancelReason
    schemes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ResponseDraft:
    """*Seen* or *responding* without counter and signature."""

    target: FrameId
    response: MemberResponse
    schemes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PathTestDraft:
    """A path test without counter and signature (N11). A later run never sends it: its frame need not be kept."""

    path: Path


Draft = AlertDraft | CancelDraft | ResponseDraft | PathTestDraft


@dataclass(frozen=True, slots=True)
class StoreFrame:
    """Take the next counter, sign, and commit to disk in one transaction; answer FrameStored or StoreRefused.

    Attributes:
        draft: number by which the answer is matched.
        at_s: Unix time of the press, 0 = clock not proven.
    """

    draft: int
    content: Draft
    at_s: int


@dataclass(frozen=True, slots=True)
class PublishFrame:
    """Publish these bytes, QoS 1, to the frame topic of each scheme. Answer FramePublished at the PUBACK."""

    signed: SignedFrame
    schemes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TransmitOver:
    """Key the radio, send the bursts, speak, unkey. Answer OverStarted, then OverEnded; or OverFailed.

    At most one over is ordered at a time: the next after OverEnded or OverFailed.

    Attributes:
        over: number by which the answers are matched.
        bursts: frames, in this order, 1 … ``BURSTS_PER_OVER_MAX``.
        mode: of all of them.
        phrase: spoken after them, ``None`` = nothing.
    """

    over: int
    bursts: tuple[bytes, ...]
    mode: Mode
    phrase: Phrase | None = None


@dataclass(frozen=True, slots=True)
class StopOver:
    """Unkey now, whatever is left of it. Answer OverEnded."""

    over: int


@dataclass(frozen=True, slots=True)
class RelayFrame:
    """Publish a verified frame of somebody else's, heard on the radio, to our ``up/heard``, QoS 1."""

    id: FrameId
    data: bytes


@dataclass(frozen=True, slots=True)
class MarkReceipted:
    """Central has committed it: the outbox row is no longer to be sent."""

    id: FrameId


@dataclass(frozen=True, slots=True)
class KeepSeen:
    """Remember on disk that this frame of somebody else's was taken in (and shown)."""

    id: FrameId
    digest: bytes
    is_shown: bool


@dataclass(frozen=True, slots=True)
class KeepDirectory:
    """Replace the directory on disk.

    Attributes:
        directory: ``data``, opened and verified already; to open that of a big town costs a tenth of a second.
    """

    data: bytes
    directory: Directory | None = None


COUNTER_FLOOR_MAX: Final = U32_MAX - (1 << 24)
"""A floor above this would leave too few counters; it is a fault of its sender's."""


@dataclass(frozen=True, slots=True)
class RaiseCounterFloor:
    """No counter at or below this may be used from now on (a restored card)."""

    counter: int


@dataclass(frozen=True, slots=True)
class ShowScreen:
    """Draw this; latest wins. Answer ScreenShown once the panel has it."""

    screen: Screen


@dataclass(frozen=True, slots=True)
class PlaySound:
    """Start this pattern, replacing the one that plays."""

    pattern: SoundPattern


@dataclass(frozen=True, slots=True)
class SetLed:
    """Show this pattern."""

    pattern: LedPattern


@dataclass(frozen=True, slots=True)
class PublishHealth:
    """Publish, QoS 0; lost ones are replaced by the next."""

    health: Health


@dataclass(frozen=True, slots=True)
class PublishSync:
    """Ask central for what we may have missed."""

    sync: Sync


@dataclass(frozen=True, slots=True)
class RetryPart:
    """Try a failed part again; answer PartRecovered, or PartFailed once more."""

    part: Part


@dataclass(frozen=True, slots=True)
class ReportFact:
    """Write a line to the fact log.

    Attributes:
        fact: ``pressed``, ``stored``, ``published``, ``receipt``, ``shown``, ``acknowledged``, ``closed``,
            ``undelivered``, ``cancelled``, ``late``, ``response``.
        alert: whose.
        detail: role, name, path, response … as text.
    """

    fact: str
    alert: FrameId | None
    detail: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Stop:
    """Everything is told; the program may end."""


Effect = (
    StoreFrame
    | PublishFrame
    | TransmitOver
    | StopOver
    | RelayFrame
    | MarkReceipted
    | KeepSeen
    | KeepDirectory
    | RaiseCounterFloor
    | ShowScreen
    | PlaySound
    | SetLed
    | PublishHealth
    | PublishSync
    | RetryPart
    | ReportFact
    | Stop
)
