"""The door for frames: entitled, signed, sensible and not seen before. What passes is ordered to disk."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from msgspec import Struct, field

from central.core.events import FrameArrived
from central.core.incident import EPOCH
from central.core.incidents import Incidents
from central.core.journal import FrameEntry, Recall, SeenFrame
from central.core.nodes import Nodes
from central.core.timing import Timing
from central.core.undo import Record, Table
from wire.admission import FrameRefusedError, admit
from wire.directory import Directory
from wire.frames import Alert, Cancel, Frame, PathTest, Response
from wire.ids import FrameId, NodeId
from wire.kinds import Path, RefusalReason
from wire.lateness import SCALE_KEPT_MS, judge
from wire.messages import ReceiptedFrame
from wire.topics import FrameTopic

_ID_BYTES: Final = 9
SEEN_EACH_MAX: Final = 2_000
"""Of one sender, in memory: a year of an honest one. The disk knows forgotten ones that come again, so a flood only
makes its own sender's frames cost more."""
UNSURE_MAX: Final = 10_000
_NONE_OF_ITS: Final[Mapping[int, tuple[bytes, bool]]] = MappingProxyType({})


class Again(Struct, frozen=True):
    """Bytes that were taken before; ``is_stored``: already on disk, so the receipt is due once more."""

    id: FrameId
    is_stored: bool


class RefusedForGoodError(FrameRefusedError):
    """Well signed but never to be committed, however often it comes: its sender must say it anew, or not at all.

    Attributes:
        id, digest: of the frame; SHA-256 of its bytes.
        because: what its sender is told.
    """

    def __init__(self, reason: str, frame_id: FrameId, digest: bytes, because: RefusalReason) -> None:
        super().__init__(reason)
        self.id = frame_id
        self.digest = digest
        self.because = because


class Intake(Record):
    """Knows the newest frames of each sender, and which frames are on their way to disk."""

    _timing: Timing
    _earlier: tuple[timedelta, ...] = ()
    _earlier_until: datetime = EPOCH
    # By sender and counter: the digest, and whether it was late.
    _seen: Table[NodeId, Table[int, tuple[bytes, bool]]] = field(default_factory=Table)
    # By sender with forgotten frames: the highest counter among those.
    _forgotten: Table[NodeId, int] = field(default_factory=Table)
    _pending: Table[FrameId, FrameEntry] = field(default_factory=Table)
    # Without effect so far, though they may be on disk: refused by it, or so it said (if the link to a database server
    # broke during the commit, they may be there), or read back from it by rules that failed on them.
    _unsure: Table[FrameId, bytes] = field(default_factory=Table)
    highest: Table[NodeId, int] = field(default_factory=Table)

    def _scales(self, now_at: datetime) -> tuple[timedelta, ...]:
        return (timedelta(), *self._earlier) if now_at < self._earlier_until else (timedelta(),)

    @property
    def is_idle(self) -> bool:
        """Whether no frame is on its way to disk."""
        return not self._pending

    def recall(self, recall: Recall, earlier: tuple[timedelta, ...], now_at: datetime) -> None:
        """Take what the disk remembers, and the times of ``earlier`` runs: presses may bear them for three days."""
        self._earlier, self._earlier_until = earlier, now_at + timedelta(milliseconds=SCALE_KEPT_MS)
        for frame in recall.seen:
            self.remember(frame)
        self.highest = Table(recall.highest_counters)

    def remember(self, frame: SeenFrame) -> None:
        """Note a frame that is on disk."""
        of_sender = self._seen.get(frame.id.node)
        if of_sender is None:
            of_sender = self._seen[frame.id.node] = Table()
        of_sender[frame.id.counter] = (frame.digest, frame.is_late)
        if len(of_sender) > SEEN_EACH_MAX:
            oldest = next(iter(of_sender))
            del of_sender[oldest]
            self._forgotten[frame.id.node] = max(oldest, self._forgotten.get(frame.id.node, 0))

    def lacking(self, node: NodeId, receipted: Iterable[ReceiptedFrame]) -> tuple[int, ...]:
        """Counters of frames for which a node holds a receipt but which are not here, or not with those bytes.

        Not those that may only be forgotten here and are on disk: each one asked for would push out another, for ever.
        Those without effect are named, wherever they are.
        """
        lacking, forgotten = [], self._forgotten.get(node, 0)
        for told in receipted:
            frame_id, digest = FrameId(node, told.counter), bytes.fromhex(told.digest)
            pending = self._pending.get(frame_id)
            known = self.digest_of(frame_id) if pending is None else pending.digest
            may_be_on_disk = not known and told.counter <= forgotten and frame_id not in self._unsure
            if not known.startswith(digest) and not may_be_on_disk:
                lacking.append(told.counter)
        return tuple(lacking)

    def digest_of(self, frame_id: FrameId) -> bytes:
        """SHA-256 of the bytes on disk under this id; empty if there are none or they are no longer remembered."""
        return self._known(frame_id)[0]

    def is_late(self, frame_id: FrameId) -> bool:
        """As its receipt says."""
        return self._known(frame_id)[1]

    def arrive(
        self,
        event: FrameArrived,
        *,
        entry_number: int,
        directory: Directory,
        nodes: Nodes,
        incidents: Incidents,
        now_at: datetime,
    ) -> tuple[FrameEntry | Again, tuple[str, ...]]:
        """Admit a frame. Returned with it: remarks to be counted (it is accepted all the same).

        Raises:
            DecodeError: rejected; the reason is a counter's label.
            RefusedForGoodError: for good; its sender is told.
        """
        data, path = event.data, event.path
        digest = hashlib.sha256(data).digest()
        again = self._find_again(data, digest, event.topic, directory)
        if again is not None:
            _check_relay(again.id.node, event.relay)
            return again, ()
        signed = admit(data, directory, event.topic).signed
        frame = signed.frame
        _check_relay(frame.sender, event.relay)
        frame_id = frame.id
        if _is_foreign(frame, path, incidents):
            raise RefusedForGoodError("foreign incident", frame_id, digest, RefusalReason.FOREIGN_INCIDENT)
        if self.digest_of(frame_id):
            # Well signed, with other bytes, or it would have been found above: a card that was copied or restored.
            raise RefusedForGoodError("id conflict", frame_id, digest, RefusalReason.ID_CONFLICT)
        if frame_id in self._pending:
            raise FrameRefusedError("id conflict")  # The disk may yet refuse the other one.
        record = nodes.find(frame.sender)
        remarks = []
        if frame.counter < self.highest.get(frame.sender, 0):
            # Frames overtake one another, and late ones are real; but a copied card shows here too.
            remarks.append("counter backwards (accepted)")
        stored_at = record.ages.get(frame.counter) if record is not None else None
        judgement = judge(
            frame.at_s,
            [int((now_at + gap).timestamp()) for gap in self._scales(now_at)],
            is_newest=not remarks,
            waited_s=None if stored_at is None else int((now_at - stored_at).total_seconds()),
        )
        # The broker may have held it back: a late frame, or one without a time, brings no dead unit back to life.
        is_of_now = not judgement.is_late and (frame.at_s > 0 or (record is not None and record.is_on_network))
        if record is not None and path is Path.NETWORK and is_of_now:
            nodes.take_sign_of_life(record, now_at)
        relay = None if event.relay is None else nodes.find(event.relay)
        if relay is not None and relay.is_on_network and frame.at_s and not judgement.is_late:
            # What it has just heard bears a time: its health may hang on the other connection.
            nodes.take_sign_of_life(relay, now_at)
        is_ahead = bool(frame.at_s) and EPOCH + timedelta(seconds=frame.at_s) - now_at > self._timing.ahead_after
        if is_ahead:
            remarks.append("clock ahead (accepted)")
        entry = FrameEntry(entry_number, signed, digest, path, now_at, judgement.is_late, is_ahead, event.relay)
        self._pending[frame_id] = entry
        return entry, tuple(remarks)

    def commit(self, ids: tuple[FrameId, ...]) -> list[FrameEntry]:
        """These are on disk; returns their entries, in order."""
        entries = [self._pending.pop(frame_id) for frame_id in ids if frame_id in self._pending]
        entries.sort(key=lambda entry: entry.entry)
        for entry in entries:
            head = entry.signed.frame
            self._unsure.pop(head.id, None)
            self.remember(SeenFrame(head.id, entry.digest, entry.is_late))
            if head.counter > self.highest.get(head.sender, 0):
                self.highest[head.sender] = head.counter
        return entries

    def refuse(self, frame_id: FrameId) -> None:
        """The disk refused it: forget it, so that it is taken when it comes again."""
        entry = self._pending.pop(frame_id, None)
        if entry is not None:
            self._doubt(frame_id, entry.digest)

    def forget_unapplied(self, entry: FrameEntry) -> None:
        """The disk has it and the rules failed on it: nobody sees it, so it is tried again when it comes again."""
        frame_id = entry.signed.frame.id
        if of_sender := self._seen.get(frame_id.node):
            of_sender.pop(frame_id.counter, None)
        self._doubt(frame_id, entry.digest)

    def was_committed_after_all(self, frame: SeenFrame) -> bool:
        """Whether the disk has a frame that had no effect when it was written or read back."""
        pending = self._pending.get(frame.id)
        return pending is not None and pending.digest == frame.digest == self._unsure.get(frame.id)

    def drop(self, frame_id: FrameId) -> FrameEntry | None:
        """Forget a pending frame that was not written; returns its entry."""
        return self._pending.pop(frame_id, None)

    def _doubt(self, frame_id: FrameId, digest: bytes) -> None:
        if len(self._unsure) >= UNSURE_MAX:
            del self._unsure[next(iter(self._unsure))]
        self._unsure[frame_id] = digest

    def _known(self, frame_id: FrameId) -> tuple[bytes, bool]:
        return self._seen.get(frame_id.node, _NONE_OF_ITS).get(frame_id.counter, (b"", False))

    def _find_again(self, data: bytes, digest: bytes, topic: FrameTopic | None, directory: Directory) -> Again | None:
        """Identical bytes of an admitted frame need no second verification."""
        if len(data) < _ID_BYTES:
            return None
        sender = NodeId(int.from_bytes(data[1:5], "big"))
        frame_id = FrameId(sender, int.from_bytes(data[5:_ID_BYTES], "big"))
        pending = self._pending.get(frame_id)
        if (self.digest_of(frame_id) if pending is None else pending.digest) != digest:
            return None
        known = directory.senders.get(sender)
        if known is None or known.is_revoked or (topic is not None and topic.node != sender):
            return None
        return Again(frame_id, is_stored=pending is None)


def _check_relay(sender: NodeId, relay: NodeId | None) -> None:
    if relay == sender:
        # No node hears itself: this would only make its radio look as if it worked.
        raise FrameRefusedError("own relay")


def _is_foreign(frame: Frame, path: Path, incidents: Incidents) -> bool:
    """Whether it answers what is none of its sender's business; raises if it makes no sense at all."""
    match frame:
        case PathTest() if frame.path is not path:
            raise FrameRefusedError("wrong path")
        case Response():
            incident = incidents.by_id.get(frame.target)
            is_foreign = incident is not None and not set(incident.schemes) & set(frame.schemes)
            return is_foreign or frame.target.node == frame.sender
        case Alert() | Cancel() | PathTest():
            return False
        case _:
            # Central's own frames, come back.
            raise FrameRefusedError("from central")
