"""The publisher's sign of life: that what is published of the galleries was true at a moment.

The file ``gallery-proof.json`` lies beside the galleries and is replaced every half minute. A lease is counted from it:
when the publisher is dead, or may publish nothing, shops stop showing what nobody can take back any more.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from wire.errors import SnapshotError
from wire.gallery_lines import GalleryNumber
from wire.messages import Message, Moment, SchemeNumber, settle_moments
from wire.signing import PublicKey, SigningKey
from wire.snapshots import Town, open_named, seal_named

PROOF_NAME: Final = "gallery-proof"
PROOF_FILE: Final = f"{PROOF_NAME}.json"
PROOF_BYTES_MAX: Final = 65_536
PROOF_GALLERIES_MAX: Final = 1_024


class ProvenGallery(Message, frozen=True, gc=False):
    """A gallery that says what the office's database says."""

    scheme: SchemeNumber
    number: GalleryNumber


class GalleryProof(Message, frozen=True):
    """What was in force at a moment. Of a scheme that is not named nothing is proven."""

    made_at: Moment
    """By the office's clock."""
    galleries: Annotated[tuple[ProvenGallery, ...], msgspec.Meta(max_length=PROOF_GALLERIES_MAX)] = ()

    def __post_init__(self) -> None:
        settle_moments(self, "made_at")
        if len({one.scheme for one in self.galleries}) != len(self.galleries):
            raise ValueError("a scheme is listed twice")


_read_proof: Final = msgspec.json.Decoder(GalleryProof).decode


def seal_proof(proof: GalleryProof, town: Town, key: SigningKey) -> bytes:
    """Sign and wrap a proof: the bytes of its file.

    Raises:
        EncodeError: no reader would accept it.
    """
    return seal_named(PROOF_NAME, proof, town, key, _read_proof)


def open_proof(data: bytes, town: Town, keys: tuple[PublicKey, ...]) -> GalleryProof:
    """Verify and read a proof. Whether it is newer than the one held is the caller's question.

    Raises:
        SnapshotError: too large, malformed, of another name or town, or not signed by one of ``keys``.
    """
    if len(data) > PROOF_BYTES_MAX:
        raise SnapshotError("snapshot too large", PROOF_BYTES_MAX, f"{len(data)} bytes")
    return open_named(data, PROOF_NAME, town, keys, _read_proof)
