"""The door for frames: entitled, signed, sensible, and not seen before. What passes is ordered to disk."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from central.core.events import FrameArrived
from central.core.incident import EPOCH
from central.core.incidents import Incidents
from central.core.journal import FrameEntry, Recall, SeenFrame
from central.core.nodes import Nodes
from central.core.timing import Timing
from wire.admission import FrameRefusedError, admit
from wire.directory import Directory
from wire.frames import Acknowledgement, Frame, PathTest, Receipt, ReceiptBatch, Response
from wire.ids import FrameId, NodeId
from wire.kinds import Path
from wire.topics import FrameTopic

_ID_BYTES: Final = 9
UNSURE_MAX: Final = 10_000


@dataclass(frozen=True, slots=True)
class Again:
    """Bytes that were taken before; ``is_stored``: on disk by now, so the receipt is due once more."""

    id: FrameId
    is_stored: bool


class Intake:
    """Knows every frame id of the last months, and which frames are on their way to disk."""

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        self._seen: dict[FrameId, bytes] = {}
        self._late: set[FrameId] = set()
        self._pending: dict[FrameId, FrameEntry] = {}
        # Refused by the disk, as it said: where the link to a database server broke during the commit, it may be there.
        self._unsure: dict[FrameId, bytes] = {}
        self.highest: dict[NodeId, int] = {}

    @property
    def is_idle(self) -> bool:
        """Nothing is on its way to disk."""
        return not self._pending

    def recall(self, recall: Recall) -> None:
        """Take what the disk remembers."""
        for frame in recall.seen:
            self.remember(frame)
        self.highest = dict(recall.highest_counters)

    def remember(self, frame: SeenFrame) -> None:
        """It is on disk."""
        self._seen[frame.id] = frame.digest
        if frame.is_late:
            self._late.add(frame.id)

    def is_late(self, frame_id: FrameId) -> bool:
        """As its receipt says."""
        return frame_id in self._late

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
        """Let a frame in; with it, remarks to be counted (it is accepted all the same).

        Raises:
            DecodeError: it stays out; the reason is a counter's label.
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
        _check_sense(frame, path, incidents)
        frame_id = frame.id
        if frame_id in self._pending or frame_id in self._seen:
            # Well signed, and with other bytes, or they would have been found above: a copied card.
            raise FrameRefusedError("id conflict")
        record = nodes.find(frame.sender)
        if record is not None and path is Path.NETWORK:
            nodes.take_sign_of_life(record, now_at)
        remarks = []
        if frame.counter < self.highest.get(frame.sender, 0):
            # Frames overtake one another, and late ones are real; a copied card shows here too.
            remarks.append("counter backwards (accepted)")
        is_ahead = False
        if frame.at_s:
            age = now_at - EPOCH - timedelta(seconds=frame.at_s)
            is_late, is_ahead = age > self._timing.late_after, age < -self._timing.ahead_after
        else:
            stored_at = record.ages.get(frame.counter) if record is not None else None
            is_late = stored_at is not None and now_at - stored_at > self._timing.late_after
            # What is on the air can be kept and said again next week: older than what came since, it is not live.
            is_late = is_late or (path is Path.RADIO and bool(remarks))
        if is_ahead:
            remarks.append("clock ahead (accepted)")
        entry = FrameEntry(entry_number, signed, digest, path, now_at, is_late, is_ahead, event.relay)
        self._pending[frame_id] = entry
        return entry, tuple(remarks)

    def commit(self, ids: tuple[FrameId, ...]) -> list[FrameEntry]:
        """These are on disk now; in the order of the journal."""
        entries = [self._pending.pop(frame_id) for frame_id in ids if frame_id in self._pending]
        entries.sort(key=lambda entry: entry.entry)
        for entry in entries:
            head = entry.signed.frame
            self._unsure.pop(head.id, None)
            self._seen[head.id] = entry.digest
            if entry.is_late:
                self._late.add(head.id)
            if head.counter > self.highest.get(head.sender, 0):
                self.highest[head.sender] = head.counter
        return entries

    def refuse(self, frame_id: FrameId) -> None:
        """The disk would not take it: forget it, so that it is taken when it comes again."""
        entry = self._pending.pop(frame_id, None)
        if entry is None:
            return
        if len(self._unsure) >= UNSURE_MAX:
            del self._unsure[next(iter(self._unsure))]
        self._unsure[frame_id] = entry.digest

    def was_committed_after_all(self, frame: SeenFrame) -> bool:
        """The disk has what we were told that it refused; nothing has come of it yet."""
        pending = self._pending.get(frame.id)
        return pending is not None and pending.digest == frame.digest == self._unsure.get(frame.id)

    def drop(self, frame_id: FrameId) -> FrameEntry | None:
        """It did not come on disk this way: forget it."""
        return self._pending.pop(frame_id, None)

    def _find_again(self, data: bytes, digest: bytes, topic: FrameTopic | None, directory: Directory) -> Again | None:
        """Identical bytes of an admitted frame need no second verification."""
        if len(data) < _ID_BYTES:
            return None
        sender = NodeId(int.from_bytes(data[1:5], "big"))
        frame_id = FrameId(sender, int.from_bytes(data[5:_ID_BYTES], "big"))
        pending = self._pending.get(frame_id)
        if (self._seen.get(frame_id) if pending is None else pending.digest) != digest:
            return None
        known = directory.senders.get(sender)
        if known is None or known.is_revoked or (topic is not None and topic.node != sender):
            return None
        return Again(frame_id, is_stored=pending is None)


def _check_relay(sender: NodeId, relay: NodeId | None) -> None:
    if relay == sender:
        # Nobody hears itself: it would only make its radio look as if it worked.
        raise FrameRefusedError("own relay")


def _check_sense(frame: Frame, path: Path, incidents: Incidents) -> None:
    match frame:
        case PathTest() if frame.path is not path:
            raise FrameRefusedError("wrong path")
        case Receipt() | ReceiptBatch() | Acknowledgement():
            # Central's own words, come back.
            raise FrameRefusedError("from central")
        case Response():
            incident = incidents.by_id.get(frame.target)
            is_foreign = incident is not None and not set(incident.schemes) & set(frame.schemes)
            if is_foreign or frame.target.node == frame.sender:
                raise FrameRefusedError("foreign incident")
        case _:
            pass
