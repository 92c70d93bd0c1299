"""Orders. The composition root carries them out in the order given.

Commit orders may be gathered over many events and done in one transaction; every one is answered by exactly
one of FramesCommitted, FramesKnown, ActionCommitted, CommitFailed.
"""

from __future__ import annotations

from dataclasses import dataclass

from central.core.journal import ActionEntry, FrameEntry, KeptFigures, KeptNode
from central.core.view import Board, Change, Done, Refused
from wire.frames import Receipted
from wire.ids import FrameId, NodeId
from wire.kinds import AnswerState, Role
from wire.messages import CentralStatus, IncidentState, SyncAnswer


@dataclass(frozen=True, slots=True)
class CommitFrame:
    """Write it to disk. Only then may anybody be told."""

    entry: FrameEntry


@dataclass(frozen=True, slots=True)
class CommitAction:
    """Write it to disk. Only then may anybody be told."""

    entry: ActionEntry


@dataclass(frozen=True, slots=True)
class SendReceipt:
    """Sign with central's next counter and publish to ``down/receipt`` of ``node``, QoS 1."""

    node: NodeId
    target: FrameId
    is_late: bool


@dataclass(frozen=True, slots=True)
class SendAcknowledgement:
    """Sign with central's next counter and publish to ``down/ack`` of ``node``, QoS 1.

    Attributes:
        target: the incident.
        name: fits the frame: at most nine UTF-8 bytes.
        air: a node that is asked to put the same bytes on the air (``down/air``, QoS 0), or nobody.
    """

    node: NodeId
    target: FrameId
    role: Role
    state: AnswerState
    name: str
    air: NodeId | None = None


@dataclass(frozen=True, slots=True)
class RepeatAcknowledgement:
    """Publish the bytes of the newest acknowledgement of ``target`` to ``down/air`` of ``node`` once more, QoS 0."""

    node: NodeId
    target: FrameId


@dataclass(frozen=True, slots=True)
class SendReceiptsToAir:
    """Sign with central's next counter and publish to ``down/air`` of ``node``, QoS 0: one receipt, or a batch.

    Attributes:
        targets: fit one frame (:meth:`wire.frames.ReceiptBatch.fitting`).
    """

    node: NodeId
    targets: tuple[Receipted, ...]


@dataclass(frozen=True, slots=True)
class SendFrameToAir:
    """Publish a member's frame as it came to ``down/air`` of ``node``, QoS 0."""

    node: NodeId
    data: bytes


@dataclass(frozen=True, slots=True)
class PublishIncident:
    """Publish to ``scheme/{state.scheme}/incident``, QoS 1."""

    state: IncidentState


@dataclass(frozen=True, slots=True)
class PublishStatus:
    """Publish to ``scheme/{scheme}/central``, QoS 0; a lost one is replaced by the next."""

    scheme: str
    status: CentralStatus


@dataclass(frozen=True, slots=True)
class SendSyncAnswer:
    """Publish to ``down/sync`` of ``node``, QoS 1."""

    node: NodeId
    answer: SyncAnswer


@dataclass(frozen=True, slots=True)
class SendDirectory:
    """Publish to ``down/directory`` of ``node``, QoS 1."""

    node: NodeId
    data: bytes


@dataclass(frozen=True, slots=True)
class ShowBoard:
    """The board as it is at the start."""

    board: Board


@dataclass(frozen=True, slots=True)
class ShowChange:
    """What differs now."""

    change: Change


@dataclass(frozen=True, slots=True)
class AnswerAction:
    """Tell the person. Comes after the change that contains it."""

    request: int
    result: Done | Refused


@dataclass(frozen=True, slots=True)
class KeepNodes:
    """Remember on disk when these were last seen. Coarse; nothing is lost if it fails (StoreFailed)."""

    nodes: tuple[KeptNode, ...]


@dataclass(frozen=True, slots=True)
class KeepFigures:
    """Put these days' counts in place of what is there of the same days. Coarse, as :class:`KeepNodes`."""

    figures: tuple[KeptFigures, ...]


@dataclass(frozen=True, slots=True)
class ProbeStore:
    """Try a small durable write; answer StoreRecovered or StoreFailed."""


@dataclass(frozen=True, slots=True)
class ReportFact:
    """Write a line to the fact log: ``committed``, ``rejected``, ``late``, ``response``."""

    fact: str
    alert: FrameId | None
    detail: tuple[tuple[str, str], ...] = ()


Effect = (
    CommitFrame
    | CommitAction
    | SendReceipt
    | SendAcknowledgement
    | RepeatAcknowledgement
    | SendReceiptsToAir
    | SendFrameToAir
    | PublishIncident
    | PublishStatus
    | SendSyncAnswer
    | SendDirectory
    | ShowBoard
    | ShowChange
    | AnswerAction
    | KeepNodes
    | KeepFigures
    | ProbeStore
    | ReportFact
)
