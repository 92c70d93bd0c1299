"""What a new node and the enrolment service say to one another (ADR 0030), and where.

The request is a document in an envelope, as a directory is: the bytes that are signed travel inside. It brings all of
the node's public keys at once, so that a claim is spent together with everything that is issued for it.

Proof of possession: each PKCS#10 request is signed with its own key, the envelope with the signing key. Of the sealing
key there is none, since X25519 cannot sign: whoever names a key that they do not hold can read nothing.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Final

import msgspec

from wire.errors import DecodeError, SignatureInvalidError
from wire.limits import DETAIL_CHARS_MAX, SCHEMES_PER_NODE_MAX
from wire.messages import Message, Name, NodeText, SchemeNumber
from wire.signing import ENROLMENT_DOMAIN, KEY_BYTES, PublicKey, SigningKey
from wire.text import display_text

ENROL_PATH: Final = "/enrol"
CA_CERTIFICATES_PATH: Final = "/.well-known/est/cacerts"
"""RFC 7030, 4.1: the roots, which a new node knows by fingerprint."""
REQUEST_BYTES_MAX: Final = 16_384
CA_CERTIFICATES_BYTES_MAX: Final = 65_536
ANSWER_BYTES_MAX: Final = 8_388_608
"""Most of it is the directory."""

GALLERY_PREFIX: Final = "gallery-"
"""Before the node's number: the common name of its gallery's certificate, to whom the broker gives no right."""

PROBLEMS: Final[dict[str, str]] = {
    "malformed": "the request is none, or not signed by its own keys",
    "unknown claim": "no claim has this code",
    "other node": "the claim is for another node",
    "expired": "the claim is older than fourteen days",
    "used": "another unit has used this claim",
    "taken": "another unit has the claim's node already, by an earlier claim",
    "replaced": "the claim's node was replaced or struck from the directory: the unit needs another claim",
    "struck": "this node was struck from the directory",
    "closed": "the service cannot sign now: its delegation has ended, or its files are wrong",
    "slow down": "too many requests, or too many wrong claims from there",
}
"""Why the service refuses. A node that reads another one tells it as it is."""
CURABLE: Final = frozenset({"closed", "slow down"})
"""Waiting helps."""

_CertificateText = Annotated[str, msgspec.Meta(max_length=16_384)]
_KeyBytes = Annotated[bytes, msgspec.Meta(min_length=KEY_BYTES, max_length=KEY_BYTES)]
_RequestBytes = Annotated[bytes, msgspec.Meta(min_length=1, max_length=2_048)]


class EnrolmentError(DecodeError):
    """No enrolment request, or not signed by the key that it names."""


class EnrolmentRequest(Message, frozen=True, kw_only=True):
    """What a new node asks for."""

    claim: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    """The claim's code, as :func:`wire.claim_code.read_claim_code` gives it."""
    node: NodeText
    """The number that the seed names: a claim for another one is not spent."""
    tls_request: _RequestBytes
    """PKCS#10 in DER of the key for the broker, P-256. Its subject is not looked at."""
    gallery_request: _RequestBytes
    """The same of the gallery's key."""
    signing_key: _KeyBytes
    """Ed25519: what its frames are signed with."""
    sealing_key: _KeyBytes
    """X25519: what photographs' keys are sealed to."""


class SealedRequest(Message, frozen=True, kw_only=True):
    """``POST /enrol``."""

    document: Annotated[bytes, msgspec.Meta(max_length=REQUEST_BYTES_MAX)]
    """UTF-8 JSON of an :class:`EnrolmentRequest` (base64 here)."""
    signature: bytes
    """Ed25519 by ``signing_key`` over the enrolment domain and ``document``."""


class EnrolmentAnswer(Message, frozen=True, kw_only=True):
    """What a node needs to be armed: its name, its certificates, the directory and the broker's address."""

    node: NodeText
    premises: Name
    place: Name = ""
    schemes: Annotated[tuple[SchemeNumber, ...], msgspec.Meta(min_length=1, max_length=SCHEMES_PER_NODE_MAX)]
    profile: Annotated[str, msgspec.Meta(max_length=64)]
    broker_host: Annotated[str, msgspec.Meta(min_length=1, max_length=253)]
    broker_port: Annotated[int, msgspec.Meta(ge=1, le=65535)]
    certificate: _CertificateText
    """PEM, with its issuer's after it."""
    gallery_certificate: _CertificateText
    """The same."""
    roots: _CertificateText
    """PEM: the issuer, then whom to trust, as ``ca.pem``."""
    directory: bytes
    """Sealed, with this node in it (base64 here). Whose to believe the seed says."""


class Refusal(Message, frozen=True, kw_only=True):
    """The answer to a request that is refused."""

    problem: Annotated[str, msgspec.Meta(max_length=64)]
    """One of :data:`PROBLEMS`."""
    retry_s: Annotated[int, msgspec.Meta(ge=0, le=86_400)] = 0
    """Not sooner than that; 0 = the node's own pace."""


_read_sealed_request: Final = msgspec.json.Decoder(SealedRequest).decode
_read_enrolment_request: Final = msgspec.json.Decoder(EnrolmentRequest).decode


def seal_request(request: EnrolmentRequest, key: SigningKey) -> bytes:
    """The request as it travels; ``key`` is its signing key."""
    document = msgspec.json.encode(request)
    return msgspec.json.encode(SealedRequest(document=document, signature=key.sign(ENROLMENT_DOMAIN, document)))


def open_request(data: bytes) -> EnrolmentRequest:
    """Read a request, and check its signature.

    Raises:
        EnrolmentError: ``enrolment``: too large, not a request, or not signed by its own key.
    """
    if len(data) > 2 * REQUEST_BYTES_MAX:
        raise EnrolmentError("enrolment", detail="too large")
    try:
        sealed = _read_sealed_request(data)
        request = _read_enrolment_request(sealed.document)
        PublicKey(request.signing_key).verify(ENROLMENT_DOMAIN, sealed.document, sealed.signature)
    except SignatureInvalidError as e:
        raise EnrolmentError("enrolment", detail="not signed by its own key") from e
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, DecodeError) as e:
        raise EnrolmentError("enrolment", detail=display_text(str(e), DETAIL_CHARS_MAX)) from e
    return request


def keys_digest(*keys: bytes) -> str:
    """Names a set of public keys, 64 hexadecimal digits: the same set asks again, another one is another unit."""
    digest = hashlib.sha256(b"watchlink/1/enrolled keys\n")
    for key in keys:
        digest.update(len(key).to_bytes(4, "big") + key)
    return digest.hexdigest()
