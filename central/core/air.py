"""What central says over the air, and through whom (N9). The nodes decide how and when to transmit.

Theory. Nobody confirms what is heard on the air, and anyone can repeat what was once sent there. So:

- a frame that came by radio is also answered by radio, through one node: a gateway that may transmit, preferably one
  that heard the frame; without a gateway, the first relay. A sender that repeats itself did not hear the answer, so
  the next try goes through the next of them;
- each answer also carries other receipts of the last minute, as many as fit, those said least since they were last
  asked for first: in a storm each is said several times in no more overs, and a sender that asks too often for an
  over of its own is answered in another's;
- repetitions are answered after a gap that doubles, and within budgets per sender and for all repetitions together:
  neither a replay nor a flood of well-signed frames from a stolen node can keep the channel busy;
- a member's alert is sent for members whom the network does not reach, an acknowledgement for a presser whom it does
  not reach (:mod:`central.core.paths`).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from msgspec import field

from central.core.budget import Budget
from central.core.effects import SendFrameToAir, SendReceiptsToAir
from central.core.journal import FrameEntry
from central.core.nodes import NodeRecord, Nodes
from central.core.timing import Timing
from central.core.undo import Record, Table
from wire.answers import BATCH_DIGEST_BYTES
from wire.frames import Alert, Cancel, DigestReceiptBatch, DigestReceipted, ReceiptBatch, Receipted
from wire.ids import FrameId, NodeId
from wire.kinds import MEMBERS_WARNED, Capability, Path

HEARINGS_MAX: Final = 2_048
RELAYS_MAX: Final = 8
RECENT_MAX: Final = 64
RECENT_EACH_MAX: Final = 4
"""Per sender, so that a stolen node that repeats itself crowds nobody else out."""
WARNED_OF_MAX: Final = 256
_ALL: Final = "all"


class _Hearing(Record):
    """A frame that came by radio: its relays, the first one first, and how often it was answered there."""

    is_path_test: bool
    relays: Table[NodeId, None] = field(default_factory=Table)
    answers: int = 0
    next_at: datetime | None = None


class _Told(Record):
    """A receipt that may travel with others.

    Attributes:
        asked_at: when its frame last arrived.
        times: how often it has been said since.
    """

    receipt: Receipted | DigestReceipted
    asked_at: datetime
    times: int = 0
    said_at: datetime | None = None


class Air(Record):
    """Who heard what, and what was said. Only in memory: after a restart an unanswered sender repeats itself."""

    _timing: Timing
    _hearings: Table[FrameId, _Hearing] = field(default_factory=Table)
    _told: Table[FrameId, _Told] = field(default_factory=Table)
    _warned_of: Table[FrameId, None] = field(default_factory=Table)
    # A 1200 baud channel carries a frame a second; a relay that brings more did not hear them.
    _relays: Budget[NodeId] = field(default_factory=lambda: Budget(60, timedelta(seconds=0.5)))
    _senders: Budget[NodeId] = field(default_factory=lambda: Budget(8, timedelta(seconds=10)))
    # Separate: an answered alert must not use up what the next alert's receipt needs.
    _pressers: Budget[NodeId] = field(default_factory=lambda: Budget(8, timedelta(seconds=10)))
    # A whole town may lose its network at once, and presses by radio then.
    _waiting: Budget[str] = field(default_factory=lambda: Budget(8, timedelta(seconds=3)))
    _repeats: Budget[str] = field(default_factory=lambda: Budget(20, timedelta(seconds=3)))

    def may_relay(self, relay: NodeId, now_at: datetime) -> bool:
        """Whether to look at one more frame from ``relay``, within its budget; each costs a verification."""
        return self._relays.take(relay, now_at)

    def take_heard(self, frame: FrameId, relay: NodeId, *, is_path_test: bool) -> bool:
        """Note that ``relay`` passed on an admitted frame; returns whether it is the first copy by radio."""
        is_first = frame not in self._hearings
        hearing = self._hearings.pop(frame, None) or _Hearing(is_path_test)
        self._hearings[frame] = hearing
        if len(self._hearings) > HEARINGS_MAX:
            del self._hearings[next(iter(self._hearings))]
        if len(hearing.relays) < RELAYS_MAX:
            hearing.relays[relay] = None
        return is_first

    def was_heard(self, frame: FrameId) -> bool:
        """Whether it came by radio, too."""
        return frame in self._hearings

    def is_path_test(self, frame: FrameId) -> bool:
        """Whether it tests the radio: a receipt by any other path would prove nothing."""
        return frame in self._hearings and self._hearings[frame].is_path_test

    def answer(
        self, frame: FrameId, nodes: Nodes, now_at: datetime, *, is_late: bool, is_fresh: bool, digest: bytes = b""
    ) -> list[SendReceiptsToAir]:
        """The receipt of ``frame`` over the air; none if just said, or too often. ``is_fresh``: just committed.

        With a digest it goes through a node that understands such receipts, if there is one, with others of that kind.
        """
        hearing = self._hearings.get(frame)
        if hearing is None:
            return []
        voices = self._voices(hearing.relays, nodes, frame.node)
        if digest:
            able = [voice for voice in voices if Capability.DIGEST_RECEIPT in voice.speaks]
            voices, digest = (able, digest) if able else (voices, b"")
        named = DigestReceipted(frame, digest[:BATCH_DIGEST_BYTES], is_late) if digest else Receipted(frame, is_late)
        self._ask(named, now_at)
        if hearing.next_at is not None and now_at < hearing.next_at:
            return []
        if not voices:
            return []
        if not is_fresh and not self._repeats.take(_ALL, now_at):
            return []
        if not self._senders.take(frame.node, now_at):
            return []
        voice = voices[hearing.answers % len(voices)]
        gap = self._timing.air_repeat_first * 2 ** min(hearing.answers, 20)
        hearing.answers += 1
        hearing.next_at = now_at + min(gap, self._timing.air_repeat_longest)
        return [SendReceiptsToAir(voice.node, self._say(frame, now_at), digest)]

    def _ask(self, receipt: Receipted | DigestReceipted, now_at: datetime) -> None:
        """Its sender has not heard it: without an over of its own, it goes with the next."""
        self._told.pop(receipt.target, None)
        of_sender = [frame for frame in self._told if frame.node == receipt.target.node]
        if len(of_sender) >= RECENT_EACH_MAX:
            del self._told[of_sender[0]]
        self._told[receipt.target] = _Told(receipt, now_at)
        if len(self._told) > RECENT_MAX:
            del self._told[next(iter(self._told))]

    def _say(self, frame: FrameId, now_at: datetime) -> tuple[Receipted, ...] | tuple[DigestReceipted, ...]:
        """The receipt of ``frame`` and others that fit beside it: least said first, then longest unsaid."""
        recent = [told for told in self._told.values() if self._is_recent(told.asked_at, now_at)]
        recent.sort(key=lambda told: (told.receipt.target != frame, told.times, told.said_at or told.asked_at))
        chosen: tuple[Receipted, ...] | tuple[DigestReceipted, ...]
        if isinstance(self._told[frame].receipt, DigestReceipted):
            named = (told.receipt for told in recent if isinstance(told.receipt, DigestReceipted))
            chosen = DigestReceiptBatch.fitting(named)
        else:
            chosen = ReceiptBatch.fitting(told.receipt for told in recent if isinstance(told.receipt, Receipted))
        for receipt in chosen:
            told = self._told[receipt.target]
            told.times, told.said_at = told.times + 1, now_at
        return chosen

    @staticmethod
    def one_receipt(voice: NodeId, frame: FrameId, *, is_late: bool, digest: bytes) -> SendReceiptsToAir:
        """A receipt given before, repeated beside an answer that goes over the air."""
        return SendReceiptsToAir(voice, (DigestReceipted(frame, digest[:BATCH_DIGEST_BYTES], is_late),), digest)

    def voice_for_refusal(self, relay: NodeId, nodes: Nodes, sender: NodeId, now_at: datetime) -> NodeId | None:
        """Who refuses over the air a frame that ``relay`` heard; ``None`` if nobody can, or too often."""
        voices = self._voices({relay: None}, nodes, sender)
        able = [voice.node for voice in voices if Capability.REFUSAL in voice.speaks]
        return able[0] if able and self._senders.take(sender, now_at) else None

    def voice_to(
        self,
        presser: NodeRecord,
        nodes: Nodes,
        now_at: datetime,
        *,
        needs: frozenset[Capability] = frozenset(),
        has_waited: bool = False,
    ) -> NodeId | None:
        """Who says an acknowledgement to ``presser``, and knows such a frame; ``None`` if nobody can, or too often."""
        voices = self._voices(dict.fromkeys(reversed(presser.radio.heard_by)), nodes, presser.node)
        voices = [voice for voice in voices if needs <= voice.speaks]
        if not voices or (has_waited and not self._waiting.take(_ALL, now_at)):
            return None
        return voices[0].node if self._pressers.take(presser.node, now_at) else None

    def warn(self, entry: FrameEntry, nodes: Nodes, now_at: datetime) -> list[SendFrameToAir]:
        """Send a member's alert, or its cancel, to members whom a radio may reach but the network does not."""
        incident = self._worth_warning(entry, nodes)
        if incident is None:
            return []
        # A scheme's alert is not for another scheme's radio (G4).
        schemes = entry.signed.frame.schemes if isinstance(entry.signed.frame, Alert | Cancel) else ()
        voices = [r for r in self._voices({}, nodes, incident.node) if not r.sender.schemes.isdisjoint(schemes)]
        if not voices or not self._senders.take(incident.node, now_at):
            return []
        self._warned_of[incident] = None
        if len(self._warned_of) > WARNED_OF_MAX:
            del self._warned_of[next(iter(self._warned_of))]
        return [SendFrameToAir(voices[0].node, entry.signed.data)]

    def _worth_warning(self, entry: FrameEntry, nodes: Nodes) -> FrameId | None:
        """The incident of an alert that a member may not have heard of, or of the cancel of one that was aired."""
        frame = entry.signed.frame
        # A frame that came over the air was heard there, and a late one warns nobody.
        if not nodes.gateways or entry.path is not Path.NETWORK or entry.is_late:
            return None
        if isinstance(frame, Cancel):
            return frame.incident_id if frame.incident_id in self._warned_of else None
        if not isinstance(frame, Alert) or frame.drill or frame.kind not in MEMBERS_WARNED:
            return None
        return None if nodes.schemes_out_of_reach.isdisjoint(frame.schemes) else frame.incident_id

    def clock_was_set(self, by: timedelta) -> None:
        """Gaps and repetitions move with it."""
        for hearing in self._hearings.values():
            if hearing.next_at is not None:
                hearing.next_at += by

    def _is_recent(self, at: datetime, now_at: datetime) -> bool:
        return timedelta() <= now_at - at <= self._timing.air_batch

    @staticmethod
    def _voices(relays: dict[NodeId, None], nodes: Nodes, listener: NodeId) -> list[NodeRecord]:
        """Nodes that would transmit to ``listener`` now, the best first; no node hears itself."""
        gateways = [r for r in nodes.gateways if r.is_on_network and r.radio.may_speak and r.node != listener]
        gateways.sort(key=lambda r: (r.node not in relays, r.radio.report is None or r.radio.report.state != "ready"))
        found = [nodes.find(relay) for relay in relays]
        others = [r for r in found if r is not None and r not in gateways and r.is_on_network and r.radio.may_speak]
        return [*gateways, *(r for r in others if not r.sender.is_revoked)]
