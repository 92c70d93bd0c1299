"""Orders to the intake loop: receipts are sent at once, the rest is carried out in the order given.

Commits of many events may share one transaction; each is answered by exactly one of FramesCommitted, FramesKnown,
ActionCommitted, CommitFailed.
"""

from __future__ import annotations

from msgspec import Struct

from central.core.journal import ActionEntry, FrameEntry, KeptAct, KeptFigures, KeptNode
from central.core.view import Board, Change, Done, Refused
from wire.frames import DigestReceipted, Receipted
from wire.ids import FrameId, NodeId
from wire.kinds import AnswerState, Priority, RefusalReason, Role
from wire.messages import CentralStatus, IncidentState, SyncAnswer
from wire.notices import Occasion
from wire.snapshots import Way


class CommitFrame(Struct, frozen=True):
    """Write a frame to disk. Only then may anyone be told."""

    entry: FrameEntry


class CommitAction(Struct, frozen=True):
    """Write an action to disk. Only then may anyone be told."""

    entry: ActionEntry


class SendReceipt(Struct, frozen=True):
    """Sign with central's next counter and publish to ``down/receipt`` of ``node``, QoS 0.

    Attributes:
        digest: of the bytes on disk, cut as in a receipt; empty for a node that only understands older receipts.
    """

    node: NodeId
    target: FrameId
    is_late: bool
    digest: bytes = b""


class SendRefusal(Struct, frozen=True):
    """Sign with central's next counter and publish to ``down/receipt`` of ``node``, QoS 0.

    Attributes:
        digest: of the refused bytes, cut as in a refusal.
        air: a node to put the same bytes on the air (``down/air``); ``None`` = none.
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
        press: to be named, counted from the target; ``None`` = it is too far above that, or its node, or the one that
            says it, knows no such frame.
        urgency: of the most urgent press that central has; named beside ``press``.
        role: ``None`` = Watchlink itself: an automatic acknowledgement, without a name.
        name: at most nine UTF-8 bytes, as the frame allows.
        air: a node to put the same bytes on the air (``down/air``, QoS 0); ``None`` = none.
    """

    node: NodeId
    target: FrameId
    role: Role | None
    state: AnswerState
    name: str
    air: NodeId | None = None
    press: int | None = None
    urgency: Priority = Priority.P4


class SayAcknowledgement(Struct, frozen=True):
    """Publish the newest acknowledgement of ``target``, the same bytes, to ``down/air`` of ``node``, QoS 0."""

    node: NodeId
    target: FrameId


class SendReceiptsToAir(Struct, frozen=True):
    """Sign with central's next counter and publish to ``down/air`` of ``node``, QoS 0: one receipt, or a batch.

    Attributes:
        targets: fit one frame (:meth:`wire.frames.ReceiptBatch.fitting`), all of one kind.
        digest: for a single target with a digest, as much of it as a single receipt carries.
    """

    node: NodeId
    targets: tuple[Receipted, ...] | tuple[DigestReceipted, ...]
    digest: bytes = b""


class SendFrameToAir(Struct, frozen=True):
    """Publish a member's frame as it arrived to ``down/air`` of ``node``, QoS 0."""

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
    """Never use a frame counter or an entry number at or below these again, even after a restart.

    A node has seen them: this database is an older copy of the one that gave them out. 0 = unchanged.
    """

    counter: int
    entry: int


class SendDirectory(Struct, frozen=True):
    """Publish to ``down/directory`` of ``node``, QoS 1."""

    node: NodeId
    data: bytes


class SendSettings(Struct, frozen=True):
    """Publish to ``down/settings`` of ``node``, QoS 1, as the authority has sealed them."""

    node: NodeId
    data: bytes


class ShowBoard(Struct, frozen=True):
    """Show the board as at the start."""

    board: Board


class ShowChange(Struct, frozen=True):
    """Show what has changed."""

    change: Change


class AnswerAction(Struct, frozen=True):
    """Answer the person, after the change that contains the result."""

    request: int
    result: Done | Refused


class KeepNodes(Struct, frozen=True):
    """Store when these were last seen. Coarse; nothing is lost if it fails (StoreFailed)."""

    nodes: tuple[KeptNode, ...]


class KeepFigures(Struct, frozen=True):
    """Store these counts in place of those of the same days. Coarse, as :class:`KeepNodes`."""

    figures: tuple[KeptFigures, ...]


class KeepActs(Struct, frozen=True):
    """Store these as the unfinished acts for many, in place of those before."""

    acts: tuple[KeptAct, ...]


class Yield(Struct, frozen=True):
    """Answer Resumed when all effects before it are done and no alert waits, or a second later at the latest."""


class RecallOpen(Struct, frozen=True):
    """Read some more open incidents of ``node``, the most urgent and newest; answer OpenRecalled or StoreFailed.

    Attributes:
        known: counters of its incidents that are in memory, or that the act has visited.
        act: number of the act for many that alone wants them; 0 = they return to memory.
    """

    node: NodeId
    known: frozenset[int]
    act: int = 0


class ProbeStore(Struct, frozen=True):
    """Try a small durable write; answer StoreRecovered or StoreFailed."""


class Ask(Struct, frozen=True):
    """Tell people of an alert that waits, by the ways that they can be reached, beside their open pages.

    A step of a policy, which is on disk. Each message is answered by one NoticeEnded, or by nothing.

    Attributes:
        scheme: whose policy.
        entry: number of the journal entry that began the step. It names it. A restart orders it
            again with those of whom nothing was heard; of what went out before, nothing goes out twice.
        priority: 1 … 4, the most urgent first; 5 = test.
        people: accounts, each with the ways to use for it, all at the same time.
        valid_s: seconds until the next step: later, it need not be sent.
    """

    incident: FrameId
    scheme: int
    entry: int
    priority: int
    is_drill: bool
    people: tuple[tuple[int, tuple[Way, ...]], ...]
    valid_s: int


class CallOff(Struct, frozen=True):
    """It has been answered: what was ordered about it by :class:`Ask` and is not sent yet, need not be."""

    incident: FrameId


class Tell(Struct, frozen=True):
    """Tell people something that they are not asked about: it never counts as asked, and nothing is heard of it.

    It is less urgent than any :class:`Ask`.

    Attributes:
        about: names it. Ordered again with the same, the notifier sends nothing twice that it knows.
        people: accounts, each with the ways to use for it.
        valid_s: seconds for which it is worth sending.
    """

    occasion: Occasion
    about: str
    people: tuple[tuple[int, tuple[Way, ...]], ...]
    valid_s: int


class ReportFact(Struct, frozen=True):
    """Write a line to the fact log; docs/facts.md lists the facts."""

    fact: str
    alert: FrameId | None
    detail: tuple[tuple[str, str], ...] = ()


class SetAside(Struct, frozen=True):
    """Keep for an engineer what the rules failed on, and how: our bug. None of it was applied.

    Attributes:
        what: a message, event, journal entry, pending decision or incident's id, or the name of a part.
    """

    what: object
    error: Exception


class KeepDirectory(Struct, frozen=True):
    """Store it in place of any before it: central goes by it now."""

    serial: int
    data: bytes


Effect = (
    CommitFrame
    | CommitAction
    | SendReceipt
    | SendRefusal
    | SendAcknowledgement
    | SayAcknowledgement
    | SendReceiptsToAir
    | SendFrameToAir
    | PublishIncident
    | PublishStatus
    | SendSyncAnswer
    | RaiseNumbers
    | SendDirectory
    | SendSettings
    | ShowBoard
    | ShowChange
    | AnswerAction
    | KeepNodes
    | KeepFigures
    | KeepActs
    | Yield
    | RecallOpen
    | ProbeStore
    | Ask
    | CallOff
    | Tell
    | ReportFact
    | SetAside
    | KeepDirectory
)
