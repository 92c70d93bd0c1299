"""Which byte of a frame is what, as data; the handbook's tables and annotated examples are made from it.

It deliberately does not use :mod:`wire.frames`: a test compares the two.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from wire.answers import BATCH_DIGEST_BYTES, DIGEST_BYTES
from wire.kinds import FrameKind
from wire.limits import BODY_BYTES_MAX, SCHEMES_PER_NODE_MAX, SHORT_NAME_BYTES_MAX
from wire.signing import SIGNATURE_BYTES


class Field(Struct, frozen=True):
    """One field.

    Attributes:
        path: the frame's attribute it holds; ``""`` if it holds none directly.
        width: bytes; 0 = the rest of the body.
        width_max: the most bytes, where ``width`` is 0.
        type: as in the table.
        meaning: in one line.
    """

    path: str
    width: int
    type: str
    meaning: str
    width_max: int = 0


HEAD: Final = (
    Field("", 1, "u4 · u4", "version (1) · frame kind"),
    Field("sender", 4, "u32", "sender, a node id, not 0"),
    Field("counter", 4, "u32", "the sender's counter, not 0, never reused, not even after a restore"),
    Field("at_s", 4, "u32", "Unix time of the fact in seconds; 0 = the sender's clock was not proven"),
)
SIGNATURE: Final = Field(
    "", SIGNATURE_BYTES, "bytes", "Ed25519 by the sender, over the frame domain and all bytes before it"
)

_SCHEMES: Final = Field(
    "schemes",
    0,
    "n × u16",
    f"schemes it is meant for, n = 1 … {SCHEMES_PER_NODE_MAX}, ascending, not 0, none twice",
    2 * SCHEMES_PER_NODE_MAX,
)
_DIGEST: Final = f"the first {DIGEST_BYTES} bytes of SHA-256 over all bytes"
_TARGET_NODE: Final = Field("target.node", 4, "u32", "sender of the target, not 0")
_SHORT_NAME: Final = Field(
    "name",
    0,
    "UTF-8",
    f"the person's short name, may be empty, ≤ {SHORT_NAME_BYTES_MAX} bytes",
    SHORT_NAME_BYTES_MAX,
)

BODIES: Final[dict[FrameKind, tuple[Field, ...]]] = {
    FrameKind.ALERT: (
        Field("kind", 1, "u8", "alert kind"),
        Field("", 1, "u8", "flags: 1 silent, 2 drill, 4 about a person; others must be 0"),
        Field(
            "incident",
            4,
            "u32",
            "counter of the alert that opened the incident: its own, or an earlier one (upgrade, repeat)",
        ),
        Field(
            "schemes",
            0,
            "n × u16",
            f"{_SCHEMES.meaning}. With flag 4 (a breach or a sighting, never silent): one scheme, then u32 number of "
            "the person's reference in it, not 0, then u8 left when asked",
            _SCHEMES.width_max,
        ),
    ),
    FrameKind.CANCEL: (
        Field("incident", 4, "u32", "counter of the alert that opened the incident, below its own"),
        Field("reason", 1, "u8", "cancel reason"),
        _SCHEMES,
    ),
    FrameKind.RECEIPT: (
        _TARGET_NODE,
        Field("target.counter", 4, "u32", "counter of the frame that central has committed, not 0"),
        Field("late", 1, "u8", "flags: 1 committed as late; others must be 0"),
    ),
    FrameKind.ACKNOWLEDGEMENT: (
        _TARGET_NODE,
        Field("target.counter", 4, "u32", "counter of the alert that opened the incident, not 0"),
        Field("role", 1, "u8", "role"),
        Field("state", 1, "u8", "answer state"),
        _SHORT_NAME,
    ),
    FrameKind.PATH_TEST: (Field("", 1, "u8", "path: 1 network, 2 radio"),),
    FrameKind.RESPONSE: (
        _TARGET_NODE,
        Field("target.counter", 4, "u32", "counter of the alert that opened the incident, not 0"),
        Field("response", 1, "u8", "response"),
        _SCHEMES,
    ),
    FrameKind.RECEIPT_BATCH: (
        Field(
            "targets",
            0,
            "n × (varint · varint)",
            "node minus the node before (the first minus 0) · counter × 2 + 1 if committed as late; ascending, none "
            "twice; a varint has seven bits a byte, the least first, high bit on all but its last, none in excess",
            BODY_BYTES_MAX,
        ),
    ),
    FrameKind.DIGEST_RECEIPT: (
        _TARGET_NODE,
        Field("target.counter", 4, "u32", "counter of the frame that central has committed, not 0"),
        Field("late", 1, "u8", "flags: 1 committed as late; others must be 0"),
        Field("digest", DIGEST_BYTES, "bytes", f"{_DIGEST} of the frame that central has committed"),
    ),
    FrameKind.DIGEST_RECEIPT_BATCH: (
        Field(
            "targets",
            0,
            f"n × (varint · varint · {BATCH_DIGEST_BYTES} bytes)",
            "each entry as in a receipt batch, followed by its digest: the first "
            f"{BATCH_DIGEST_BYTES} bytes of SHA-256 over all bytes of the frame that central has committed",
            BODY_BYTES_MAX,
        ),
    ),
    FrameKind.REFUSAL: (
        _TARGET_NODE,
        Field("target.counter", 4, "u32", "counter of the frame that central refuses for good, not 0"),
        Field("reason", 1, "u8", "refusal reason"),
        Field("digest", DIGEST_BYTES, "bytes", f"{_DIGEST} of the frame that central refuses"),
    ),
    FrameKind.AUTOMATIC_ACKNOWLEDGEMENT: (
        _TARGET_NODE,
        Field("target.counter", 4, "u32", "counter of the test that opened the incident, not 0"),
        Field("state", 1, "u8", "answer state"),
    ),
    FrameKind.PRESS_ACKNOWLEDGEMENT: (
        _TARGET_NODE,
        Field("target.counter", 4, "u32", "counter of the alert that opened the incident, not 0"),
        Field("press", 1, "u8", "how far the counter of the newest press that was known to the person is above that"),
        Field(
            "", 1, "u4 · u2 · u2", "role · urgency of the most urgent press known to them (0 = P1) · answer state − 1"
        ),
        _SHORT_NAME,
    ),
}


def fields(kind: FrameKind) -> tuple[Field, ...]:
    """Every field of a kind of frame, in order, the signature last."""
    return (*HEAD, *BODIES[kind], SIGNATURE)


def bytes_max(kind: FrameKind) -> int:
    """The most bytes in a frame of this kind."""
    return sum(field.width or field.width_max for field in fields(kind))


def taken_apart(kind: FrameKind, data: bytes) -> Iterator[tuple[Field, int, bytes]]:
    """Each field of a frame, its offset and its bytes."""
    offset = 0
    for field in fields(kind):
        end = offset + field.width if field.width else len(data) - SIGNATURE_BYTES
        yield field, offset, data[offset:end]
        offset = end
