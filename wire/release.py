"""A release of the unit's system: which bundle for which hardware, for whom, and until when it is supported (ADR 0041).

The town's authority signs it. It lies with the enrolment service (:data:`RELEASE_PATH`), and units ask for it there. A
unit believes the authority alone: whoever holds that service can withhold a release and change nothing. What a bundle
contains is signed by its maker as well, and checked before it is written.

Each release holds all that counts, so the newest alone counts. To pause, to widen the ring and to go back are new
releases with a higher serial. A field that a later version adds is skipped: a unit that could not read a release could
not be updated any more.
"""

from __future__ import annotations

import hashlib
import re
from typing import Annotated, Final, Literal

import msgspec

from wire.errors import EncodeError, ReleaseError, SignatureInvalidError
from wire.limits import DETAIL_CHARS_MAX, RELEASE_BYTES_MAX
from wire.messages import Message, Moment, Name, NodeText, Slug, settle_moments
from wire.signing import RELEASE_DOMAIN, PublicKey, SigningKey
from wire.text import display_text

RELEASE_PATH: Final = "/release"
"""``GET``: the newest :class:`SealedRelease`; 404 = there has never been one."""
BUNDLE_PATH: Final = "/release/bundles/"
"""``GET``, with the bundle's SHA-256 as 64 hexadecimal digits behind it: its bytes, whole or by ``Range``."""
SERIAL_MAX: Final = 2**53
BUNDLES_MAX: Final = 8
CANARIES_MAX: Final = 256
_VERSION: Final = re.compile(r"[0-9]{1,14}(\.[0-9]{1,14}){1,5}")

Sha256Text = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]
Percent = Annotated[int, msgspec.Meta(ge=0, le=100)]


class Bundle(Message, frozen=True):
    """The system for one sort of hardware, as one file."""

    compatible: Slug
    """Which: ``watchlink-pi`` or ``watchlink-pc``, as the image calls itself."""
    sha256: Sha256Text
    size_bytes: Annotated[int, msgspec.Meta(ge=1, le=2**40)]


class Release(Message, frozen=True):
    """What units are to run."""

    serial: Annotated[int, msgspec.Meta(ge=1, le=SERIAL_MAX)]
    """Follows the clock, and is above the last; one that is not above the newest held counts for nothing."""
    made_at: Moment
    """By the fleet's clock: for people only."""
    version: Name
    """Numbers with dots, as the image says of itself: ``0.1.0.202611280725``."""
    state: Literal["open", "paused"]
    """``paused``: nobody begins. Who has begun to try it finishes that."""
    bundles: Annotated[tuple[Bundle, ...], msgspec.Meta(min_length=1, max_length=BUNDLES_MAX)]
    """At most one for each sort of hardware."""
    support_ends_at: Moment
    """Midnight after the last day on which this version is supported."""
    canaries: Annotated[tuple[NodeText, ...], msgspec.Meta(max_length=CANARIES_MAX)] = ()
    """Nodes that are always among those to whom it applies."""
    percent: Percent = 0
    """How many in a hundred of the other nodes it applies to."""
    is_rollback: bool = False
    """It may be older than what a unit runs. Without it, an older one is refused."""

    def __post_init__(self) -> None:
        settle_moments(self, "made_at", "support_ends_at")

    def applies_to(self, node: str) -> bool:
        """Whether this node is to run it. A wider ring holds all of a narrower one's, and each version draws anew."""
        if self.state != "open":
            return False
        draw = hashlib.sha256(f"{self.version} {node}".encode()).digest()
        return node in self.canaries or int.from_bytes(draw[:4]) * 100 < self.percent << 32

    def bundle_for(self, compatible: str) -> Bundle | None:
        """The bundle for this hardware, or ``None``."""
        return next((bundle for bundle in self.bundles if bundle.compatible == compatible), None)


class SealedRelease(Message, frozen=True):
    """The signed bytes inside a JSON envelope."""

    document: bytes
    """UTF-8 JSON of a :class:`Release` (base64 here)."""
    signature: bytes
    """Ed25519 by the authority over the release domain and ``document``: 64 bytes (base64 here)."""


_read_sealed_release: Final = msgspec.json.Decoder(SealedRelease).decode
_read_release: Final = msgspec.json.Decoder(Release).decode


def version_numbers(version: str) -> tuple[int, ...] | None:
    """For comparing; ``None`` = it is no version."""
    return tuple(map(int, version.split("."))) if _VERSION.fullmatch(version) else None


def seal_release(release: Release, authority: SigningKey) -> bytes:
    """Sign.

    Raises:
        EncodeError: no unit would accept it.
    """
    document = msgspec.json.encode(release)
    data = msgspec.json.encode(SealedRelease(document=document, signature=authority.sign(RELEASE_DOMAIN, document)))
    try:
        open_release(data, authority.public)
    except ReleaseError as e:
        raise EncodeError(f"release: {e}") from e
    return data


def open_release(data: bytes, authority: PublicKey) -> Release:
    """Check the signature, and read it. Whether it is newer than the one held is the caller's question.

    Raises:
        ReleaseError: too large, malformed, not signed by ``authority``, no version, or two bundles for one hardware.
    """
    if len(data) > RELEASE_BYTES_MAX:
        raise ReleaseError("release too large", RELEASE_BYTES_MAX, f"{len(data)} bytes")
    try:
        sealed = _read_sealed_release(data)
        authority.verify(RELEASE_DOMAIN, sealed.document, sealed.signature)
        release = _read_release(sealed.document)
    except SignatureInvalidError as e:
        raise ReleaseError("release signature") from e
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as e:
        raise ReleaseError("release", detail=display_text(str(e), DETAIL_CHARS_MAX)) from e
    if version_numbers(release.version) is None:
        raise ReleaseError("release", detail=f"“{display_text(release.version, 32)}” is no version")
    if len({bundle.compatible for bundle in release.bundles}) < len(release.bundles):
        raise ReleaseError("release", detail="two bundles for one sort of hardware")
    return release
