"""What central says of a member's frame: that it has it, that it never will, what a person answered to it.

A receipt is given only for what the disk has: when a frame is committed or comes again, and beside a person's answer.

A card that lost its last writes may give out a counter twice. So a receipt names the bytes on disk, and a frame with
other bytes is refused, which makes its node press it anew. Nodes whose signed health shows an older version get the
receipts that they understand, and no refusals.
"""

from __future__ import annotations

from datetime import datetime

from central.core.air import Air
from central.core.effects import Effect, SendAcknowledgement, SendReceipt, SendReceiptsToAir, SendRefusal
from central.core.incident import Incident
from central.core.intake import Intake, RefusedForGoodError
from central.core.journal import ActionEntry
from central.core.nodes import Nodes
from central.core.outbound import acknowledgement_of
from central.core.paths import Paths
from central.core.people import is_automatic
from central.core.undo import Record
from wire.answers import DIGEST_BYTES, PRESS_MAX
from wire.ids import FrameId, NodeId
from wire.kinds import AUTOMATIC_NAME, PRIORITY, AnswerState, Capability, Priority, RefusalReason, Role


class Receipts(Record):
    """By every path that may reach the sender."""

    _intake: Intake
    _nodes: Nodes
    _paths: Paths
    _air: Air

    def receipt(
        self, frame_id: FrameId, now_at: datetime, *, by_air: bool, is_fresh: bool = False
    ) -> list[SendReceipt | SendReceiptsToAir]:
        """The receipt of a frame on disk; ``by_air``: by radio too; ``is_fresh``: just committed."""
        is_late, digest = self._intake.is_late(frame_id), self._digest(frame_id)
        said: list[SendReceipt | SendReceiptsToAir] = []
        # By both paths if it came by radio: which works is not known. A path test's is worth nothing by the other.
        if not self._air.is_path_test(frame_id):
            said.append(SendReceipt(frame_id.node, frame_id, is_late, digest))
        if by_air:
            said += self._air.answer(frame_id, self._nodes, now_at, is_late=is_late, is_fresh=is_fresh, digest=digest)
        return said

    def answer(self, entry: ActionEntry, card: Incident | None, now_at: datetime) -> list[Effect]:
        """What a person said of an incident, if its presser is to be told.

        With it goes the receipt of the newest press: the answer is no receipt, and the one sent before may be lost.
        """
        told = acknowledgement_of(entry, card) if card is not None else None
        record = self._nodes.find(card.id.node) if card is not None else None
        # A node that was struck off is told nothing any more.
        if card is None or told is None or record is None or record.sender.is_revoked:
            return []
        order = self._acknowledge(card, told, now_at, is_automatic=is_automatic(entry.by))
        said: list[Effect] = [order]
        frame_id = FrameId(card.id.node, card.newest_counter)
        digest = self._digest(frame_id)
        if digest:
            is_late, voice = self._intake.is_late(frame_id), order.air
            said.append(SendReceipt(frame_id.node, frame_id, is_late, digest))
            if voice is not None and self._nodes.speaks(voice, Capability.DIGEST_RECEIPT):
                said.append(self._air.one_receipt(voice, frame_id, is_late=is_late, digest=digest))
        return said

    def asked_anew(self, card: Incident, now_at: datetime) -> list[Effect]:
        """Tell its presser that nobody has answered the press that just came: an earlier answer does not cover it."""
        record = self._nodes.find(card.id.node)
        if record is None or record.sender.is_revoked:
            return []
        # Older nodes do not know Watchlink as a role.
        told = (Role.CO_ORDINATOR, AnswerState.UNANSWERED, AUTOMATIC_NAME)
        return [self._acknowledge(card, told, now_at, is_automatic=False)]

    def _acknowledge(
        self, card: Incident, told: tuple[Role, AnswerState, str], now_at: datetime, *, is_automatic: bool
    ) -> SendAcknowledgement:
        incident, (role, state, name) = card.id, told
        voice = self._paths.voice_to_presser(incident, now_at)
        needs: frozenset[Capability] = frozenset()
        if is_automatic and self._speak(Capability.AUTOMATIC, incident.node, voice):
            needs = frozenset({Capability.AUTOMATIC})
            order = SendAcknowledgement(incident.node, incident, None, state, "", voice)
        else:
            press = _press_of(card, state) if self._speak(Capability.PRESS, incident.node, voice) else None
            needs = needs if press is None else frozenset({Capability.PRESS})
            urgency = min(PRIORITY[card.kind], Priority.P4)
            order = SendAcknowledgement(incident.node, incident, role, state, name, voice, press, urgency)
        self._paths.keep_acknowledgement(incident, now_at, needs, is_on_air=voice is not None)
        return order

    def refusal(self, refused: RefusedForGoodError, relay: NodeId | None, now_at: datetime) -> list[SendRefusal]:
        """Tell a frame's sender that it will never be taken; ``relay``: who heard it on the air."""
        return self.conflict(refused.id, refused.digest, now_at, relay=relay, because=refused.because)

    def conflict(
        self,
        frame_id: FrameId,
        digest: bytes,
        now_at: datetime,
        *,
        relay: NodeId | None = None,
        because: RefusalReason = RefusalReason.ID_CONFLICT,
    ) -> list[SendRefusal]:
        """Refuse a frame with these bytes, by default because the disk has others under its id."""
        if not self._nodes.speaks(frame_id.node, Capability.REFUSAL):
            return []
        voice = None if relay is None else self._air.voice_for_refusal(relay, self._nodes, frame_id.node, now_at)
        return [SendRefusal(frame_id.node, frame_id, because, digest[:DIGEST_BYTES], voice)]

    def _speak(self, capability: Capability, presser: NodeId, voice: NodeId | None) -> bool:
        """Whether the presser knows such a frame, and so does who says it by radio."""
        return all(self._nodes.speaks(node, capability) for node in (presser, voice) if node is not None)

    def _digest(self, frame_id: FrameId) -> bytes:
        if not self._nodes.speaks(frame_id.node, Capability.DIGEST_RECEIPT):
            return b""
        return self._intake.digest_of(frame_id)[:DIGEST_BYTES]


def _press_of(card: Incident, state: AnswerState) -> int | None:
    """The newest press that was known to whoever answered, closed it or took an answer back; ``None`` = too far on."""
    is_answer = state in (AnswerState.ANSWERED, AnswerState.ON_THE_WAY)
    press = (card.answered_press if is_answer else card.newest_counter) - card.id.counter
    return press if 0 <= press <= PRESS_MAX else None
