"""Orders. The composition root carries them out in the order given.

Commit orders may be gathered over many events and done in one transaction; every one is answered by exactly
one of FramesCommitted, FramesKnown, ActionCommitted, CommitFailed.
"""

from __future__ import annotations

from msgspec import Struct

from central.core.journal import ActionEntry, FrameEntry, KeptAct, KeptFigures, KeptNode
from central.core.view import Board, Change, Done, Refused
from wire.frames import DigestReceipted, Receipted
from wire.ids import FrameId, NodeId
from wire.kinds import AnswerState, RefusalReason, Role
from wire.messages import CentralStatus, IncidentState, SyncAnswer


class CommitFrame(Struct, frozen=True):
    """Write it to disk. Only then may anybody be told."""

    entry: FrameEntry


class CommitAction(Struct, frozen=True):
    """Write it to disk. Only then may anybody be told."""

    entry: ActionEntry


class SendReceipt(Struct, frozen=True):
    """Sign with central's next counter and publish to ``down/receipt`` of ``node``, QoS 0.

    Attributes:
        digest: of the bytes on disk, as a receipt carries it; empty for a node that knows only the older receipts.
    """

    node: NodeId
    target: FrameId
    is_late: bool
    digest: bytes = b""


class SendRefusal(Struct, frozen=True):
    """Sign with central's next counter and publish to ``down/receipt`` of ``node``, QoS 0.

    Attributes:
        digest: of the bytes that are refused, as a refusal carries it.
        air: a node that is asked to put the same bytes on the air (``down/air``), or nobody.
    """

    node: NodeId
    target: FrameId
    reason: RefusalReason
    digest: bytes
    air: NodeId | None = None


class SendAcknowledgement(Struct, frozen=True):
    """Sign with central's next counter and publish to ``down/ack`` of ``node``, QoS 1.

    Attributes:
        target: the incident.
        role: ``None`` = Watchlink itself: an automatic acknowledgement, without a name.
        name: fits the frame: at most nine UTF-8 bytes.
        air: a node that is asked to put the same bytes on the air (``down/air``, QoS 0), or nobody.
    """

    node: NodeId
    target: FrameId
    role: Role | None
    state: AnswerState
    name: str
    air: NodeId | None = None


class RepeatAcknowledgement(Struct, frozen=True):
    """Publish the bytes of the newest acknowledgement of ``target`` to ``down/air`` of ``node`` once more, QoS 0."""

    node: NodeId
    target: FrameId


class SendReceiptsToAir(Struct, frozen=True):
    """Sign with central's next counter and publish to ``down/air`` of ``node``, QoS 0: one receipt, or a batch.

    Attributes:
        targets: fit one frame (:meth:`wire.frames.ReceiptBatch.fitting`), all of one kind.
        digest: where there is one target that names its bytes, as much of their digest as a single receipt carries.
    """

    node: NodeId
    targets: tuple[Receipted, ...] | tuple[DigestReceipted, ...]
    digest: bytes = b""


class SendFrameToAir(Struct, frozen=True):
    """Publish a member's frame as it came to ``down/air`` of ``node``, QoS 0."""

    node: NodeId
    data: bytes


class PublishIncident(Struct, frozen=True):
    """Publish to ``scheme/{state.scheme}/incident``, QoS 1."""

    state: IncidentState


class PublishStatus(Struct, frozen=True):
    """Publish to ``scheme/{scheme}/central``, QoS 0; a lost one is replaced by the next."""

    scheme: str
    status: CentralStatus


class SendSyncAnswer(Struct, frozen=True):
    """Publish to ``down/sync`` of ``node``, QoS 1."""

    node: NodeId
    answer: SyncAnswer


class RaiseNumbers(Struct, frozen=True):
    """Never use a frame counter or an entry number at or below these again, also after a restart.

    A node has seen them: this database is an older copy of the one that gave them out. 0 = leave as it is.
    """

    counter: int
    entry: int


class SendDirectory(Struct, frozen=True):
    """Publish to ``down/directory`` of ``node``, QoS 1."""

    node: NodeId
    data: bytes


class ShowBoard(Struct, frozen=True):
    """The board as it is at the start."""

    board: Board


class ShowChange(Struct, frozen=True):
    """What differs now."""

    change: Change


class AnswerAction(Struct, frozen=True):
    """Tell the person. Comes after the change that contains it."""

    request: int
    result: Done | Refused


class KeepNodes(Struct, frozen=True):
    """Remember on disk when these were last seen. Coarse; nothing is lost if it fails (StoreFailed)."""

    nodes: tuple[KeptNode, ...]


class KeepFigures(Struct, frozen=True):
    """Put these days' counts in place of what is there of the same days. Coarse, as :class:`KeepNodes`."""

    figures: tuple[KeptFigures, ...]


class KeepActs(Struct, frozen=True):
    """Remember on disk, instead of those before, which acts for many are not carried out to their end."""

    acts: tuple[KeptAct, ...]


class Yield(Struct, frozen=True):
    """Answer Resumed when everything ordered before is done and no alert waits, or a second later at the latest."""


class RecallOpen(Struct, frozen=True):
    """Read some more of what is open of ``node``, the newest first; answer OpenRecalled or StoreFailed.

    Attributes:
        known: counters of those of its incidents that are in memory, or that the act has been through.
        act: the number of the act for many that alone wants them; 0 = they are to be in memory again.
    """

    node: NodeId
    known: frozenset[int]
    act: int = 0


class ProbeStore(Struct, frozen=True):
    """Try a small durable write; answer StoreRecovered or StoreFailed."""


class ReportFact(Struct, frozen=True):
    """Write a line to the fact log: ``committed``, ``rejected``, ``late``, ``response``."""

    fact: str
    alert: FrameId | None
    detail: tuple[tuple[str, str], ...] = ()


class SetAside(Struct, frozen=True):
    """Keep what the rules failed on, and how, for an engineer: a bug of ours. Nothing of it was applied.

    Attributes:
        what: an event, an entry of the journal, something pending, or the name of one of the second's duties.
    """

    what: object
    error: Exception


class KeepDirectory(Struct, frozen=True):
    """Remember it on disk, instead of any before it: central goes by it now."""

    serial: int
    data: bytes


Effect = (
    CommitFrame
    | CommitAction
    | SendReceipt
    | SendRefusal
    | SendAcknowledgement
    | RepeatAcknowledgement
    | SendReceiptsToAir
    | SendFrameToAir
    | PublishIncident
    | PublishStatus
    | SendSyncAnswer
    | RaiseNumbers
    | SendDirectory
    | ShowBoard
    | ShowChange
    | AnswerAction
    | KeepNodes
    | KeepFigures
    | KeepActs
    | Yield
    | RecallOpen
    | ProbeStore
    | ReportFact
    | SetAside
    | KeepDirectory
)
