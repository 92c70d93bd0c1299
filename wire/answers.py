"""Central's frames: that it has a frame, that it never will, who has answered, and how.

Members never send these (:mod:`wire.admission`). :mod:`wire.frames` reads and writes them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import ClassVar, Final, TypeVar

from msgspec import Struct

from wire.bodies import pack_digest, pack_entries, pack_pairs, pack_target
from wire.errors import EncodeError
from wire.head import Head
from wire.ids import FrameId
from wire.kinds import AnswerState, FrameKind, Priority, RefusalReason, Role
from wire.limits import BODY_BYTES_MAX, SHORT_NAME_BYTES_MAX

DIGEST_BYTES: Final = 8
"""Width of the digest in a frame that names one target."""
BATCH_DIGEST_BYTES: Final = 4
"""Width of each digest in a batch."""
PRESS_MAX: Final = 0xFF
"""Of a press whose counter is further above its incident's, acknowledgements name only the incident."""


def frame_digest(data: bytes) -> bytes:
    """The first :data:`DIGEST_BYTES` of SHA-256 over a frame's bytes, signature included."""
    return hashlib.sha256(data).digest()[:DIGEST_BYTES]


class Receipt(Head, frozen=True):
    """Central has committed ``target`` (N8); no person need have seen it.

    Body: target u32 u32 · flags u8 (1 late).
    """

    KIND: ClassVar[FrameKind] = FrameKind.RECEIPT

    target: FrameId
    late: bool = False

    def body(self) -> bytes:  # noqa: D102
        return pack_target(self.target) + bytes([self.late])


class DigestReceipt(Head, frozen=True):
    """Central has committed ``target`` with exactly the bytes that have this digest (N8).

    If a counter was used twice (a card put back), two frames have one id, and only the digest tells which of them
    central has. Body: target u32 u32 · flags u8 (1 late) · digest, 8 bytes.

    Attributes:
        digest: :func:`frame_digest` of the frame that was committed.
    """

    KIND: ClassVar[FrameKind] = FrameKind.DIGEST_RECEIPT

    target: FrameId
    digest: bytes
    late: bool = False

    def body(self) -> bytes:  # noqa: D102
        return pack_target(self.target) + bytes([self.late]) + pack_digest(self.digest, DIGEST_BYTES)


class Refusal(Head, frozen=True):
    """Central will never commit ``target`` with the bytes that have this digest.

    The sender stores its content again, under a new counter. Sent only for a frame whose signature is good.
    Body: target u32 u32 · reason u8 · digest, 8 bytes.

    Attributes:
        digest: :func:`frame_digest` of the frame that was refused.
    """

    KIND: ClassVar[FrameKind] = FrameKind.REFUSAL

    target: FrameId
    reason: RefusalReason
    digest: bytes

    def body(self) -> bytes:  # noqa: D102
        return pack_target(self.target) + bytes([self.reason]) + pack_digest(self.digest, DIGEST_BYTES)


class Acknowledgement(Head, frozen=True):
    """A named person on duty has acted on incident ``target``.

    Body: target u32 u32 · role u8 · state u8 · name, the rest, UTF-8, ≤ 9 bytes.
    """

    KIND: ClassVar[FrameKind] = FrameKind.ACKNOWLEDGEMENT

    target: FrameId
    role: Role
    state: AnswerState
    name: str = ""

    def body(self) -> bytes:  # noqa: D102
        return pack_target(self.target) + bytes([self.role, self.state]) + self._name()

    def _name(self) -> bytes:
        name = self.name.encode()
        if len(name) > SHORT_NAME_BYTES_MAX:
            raise EncodeError(f"name {self.name!r} is over {SHORT_NAME_BYTES_MAX} bytes; use wire.text.short_name")
        return name


class PressAcknowledgement(Acknowledgement, frozen=True):
    """As an acknowledgement, and names the press that the person acted on: the newest that central had, and how urgent.

    So an answer to an assist does not pass for one to an attack of the same incident, whichever was pressed first.
    Body: target u32 u32 · press u8 · role u4, urgency − 1 u2, state − 1 u2 · name, the rest, UTF-8, ≤ 9 bytes.

    Attributes:
        press: how far the newest press's counter is above the target's, at most :data:`PRESS_MAX`.
        urgency: of the most urgent press, P1 … P4; a test says P4.
    """

    KIND: ClassVar[FrameKind] = FrameKind.PRESS_ACKNOWLEDGEMENT

    press: int = 0
    urgency: Priority = Priority.P4

    def body(self) -> bytes:  # noqa: D102
        if not 0 <= self.press <= PRESS_MAX:
            raise EncodeError(f"press {self.press} is not in 0 … {PRESS_MAX}")
        if self.urgency > Priority.P4:
            raise EncodeError(f"urgency {self.urgency.name} is not in P1 … P4")
        said = self.role << 4 | (self.urgency - 1) << 2 | (self.state - 1)
        return pack_target(self.target) + bytes([self.press, said]) + self._name()


class AutomaticAcknowledgement(Head, frozen=True):
    """Watchlink itself has answered incident ``target``, a test (N12): no person has.

    Body: target u32 u32 · state u8.
    """

    KIND: ClassVar[FrameKind] = FrameKind.AUTOMATIC_ACKNOWLEDGEMENT

    target: FrameId
    state: AnswerState

    def body(self) -> bytes:  # noqa: D102
        return pack_target(self.target) + bytes([self.state])


class Receipted(Struct, frozen=True, order=True):
    """One target of a :class:`ReceiptBatch`."""

    target: FrameId
    late: bool = False


class ReceiptBatch(Head, frozen=True):
    """Central has committed all of ``targets``; means the same as one receipt for each (N8, N9).

    Body: n × (varint, node minus the node before, the first minus 0 · varint, counter × 2 + late). A varint is seven
    bits a byte, least significant first, the high bit set on all but the last, and never longer than needed. With the
    small ids of a town, six fit in the body; a single receipt takes nine bytes.

    Attributes:
        targets: ascending, no frame twice, at least one, at most what fits the body (see :meth:`fitting`).
    """

    KIND: ClassVar[FrameKind] = FrameKind.RECEIPT_BATCH

    targets: tuple[Receipted, ...]

    def body(self) -> bytes:  # noqa: D102
        return _batch(self.targets, _packed)

    @staticmethod
    def fitting(wanted: Iterable[Receipted]) -> tuple[Receipted, ...]:
        """The first of ``wanted`` that fit one frame together, in the order ``targets`` needs; at least one if any."""
        return _fitting(wanted, _packed)


class DigestReceipted(Struct, frozen=True, order=True):
    """One target of a :class:`DigestReceiptBatch`.

    Attributes:
        digest: the first :data:`BATCH_DIGEST_BYTES` of :func:`frame_digest`.
    """

    target: FrameId
    digest: bytes
    late: bool = False


class DigestReceiptBatch(Head, frozen=True):
    """Central has committed all of ``targets``, each with exactly the bytes that have its digest (N8, N9).

    Body: as a :class:`ReceiptBatch`, each entry followed by 4 bytes of digest. With the small ids of a town, two fit.

    Attributes:
        targets: ascending, no frame twice, at least one, at most what fits the body (see :meth:`fitting`).
    """

    KIND: ClassVar[FrameKind] = FrameKind.DIGEST_RECEIPT_BATCH

    targets: tuple[DigestReceipted, ...]

    def body(self) -> bytes:  # noqa: D102
        return _batch(self.targets, _packed_with_digests)

    @staticmethod
    def fitting(wanted: Iterable[DigestReceipted]) -> tuple[DigestReceipted, ...]:
        """The first of ``wanted`` that fit one frame together, in the order ``targets`` needs; at least one if any."""
        return _fitting(wanted, _packed_with_digests)


_Entry = TypeVar("_Entry", Receipted, DigestReceipted)


def _packed(entries: Iterable[Receipted]) -> bytes:
    return pack_pairs((entry.target, entry.late) for entry in entries)


def _packed_with_digests(entries: Iterable[DigestReceipted]) -> bytes:
    return pack_entries(((entry.target, entry.late, entry.digest) for entry in entries), BATCH_DIGEST_BYTES)


def _batch(entries: tuple[_Entry, ...], pack: Callable[[Iterable[_Entry]], bytes]) -> bytes:
    ids = [entry.target for entry in entries]
    if not ids or ids != sorted(set(ids)):
        raise EncodeError("a batch's targets are at least one, ascending, no frame twice")
    packed = pack(entries)
    if len(packed) > BODY_BYTES_MAX:
        raise EncodeError(f"{len(ids)} targets take {len(packed)} bytes of {BODY_BYTES_MAX}; use fitting()")
    return packed


def _fitting(wanted: Iterable[_Entry], pack: Callable[[Iterable[_Entry]], bytes]) -> tuple[_Entry, ...]:
    chosen: dict[FrameId, _Entry] = {}
    for entry in wanted:
        trial = {**chosen, entry.target: entry}
        if len(pack(sorted(trial.values()))) > BODY_BYTES_MAX:
            break
        chosen = trial
    return tuple(sorted(chosen.values()))
