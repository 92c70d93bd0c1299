"""How a node asks for a new certificate: a certificate request, signed with the key that signs its alerts (ADR 0031).

The signature says who asks, and the directory says whose key that is and whether it counts. So an expired certificate
is no obstacle, and a stolen TLS key alone prolongs nothing. The request (PKCS #10) proves that the new TLS key is the
node's own. What it says about a subject is not read: the service takes that from its own record.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Final

import msgspec

from wire.errors import DecodeError
from wire.messages.fields import Message, NodeText
from wire.signing import RENEWAL_DOMAIN, SIGNATURE_BYTES, PublicKey, SigningKey

PATH: Final = "/.well-known/est/simplereenroll"
"""As in RFC 7030, section 3.2.2; the body is ours."""
REQUEST_BYTES_MAX: Final = 8_192
ANSWER_BYTES_MAX: Final = 32_768
_CSR_BYTES_MAX: Final = 2_048

PROBLEMS: Final[dict[str, str]] = {
    "malformed": "the request is none, or not signed by that node",
    "unknown node": "the town does not know this node",
    "struck": "the node was struck from the directory",
    "too old": "its last certificate ended more than a year ago",
    "slow down": "it got several today",
    "closed": "the service cannot sign now: its files are wrong, or its issuer is cut off",
}
"""Why the service refuses, in a :class:`wire.enrolment.Refusal`. A node that reads another one tells it as it is.
A good answer is PEM: the certificate, then its issuer's."""


class RenewalRequest(Message, frozen=True):
    """What is signed."""

    node: NodeText
    """Who asks."""
    csr: Annotated[bytes, msgspec.Meta(max_length=_CSR_BYTES_MAX)]
    """The certificate request in DER, signed by the new key."""
    is_for_gallery: bool = False
    """For ``gallery-NODE`` instead of the node itself."""


class SealedRenewal(Message, frozen=True):
    """What travels, as JSON."""

    document: bytes
    """A :class:`RenewalRequest` as JSON."""
    signature: Annotated[bytes, msgspec.Meta(min_length=SIGNATURE_BYTES, max_length=SIGNATURE_BYTES)]
    """Of the node's key, in a domain of its own."""


_read_sealed_renewal: Final = msgspec.json.Decoder(SealedRenewal).decode
_read_renewal_request: Final = msgspec.json.Decoder(RenewalRequest).decode


def seal_renewal(request: RenewalRequest, key: SigningKey) -> bytes:
    """The request, signed by its node."""
    document = msgspec.json.encode(request)
    return msgspec.json.encode(SealedRenewal(document=document, signature=key.sign(RENEWAL_DOMAIN, document)))


def open_renewal(data: bytes, key_of: Callable[[str], PublicKey]) -> RenewalRequest:
    """A request that its node has signed.

    Args:
        data: as it arrived.
        key_of: the key of a node's id, as the directory has it; whatever it raises passes through.

    Raises:
        DecodeError: ``renewal``: not such a request; ``signature``: not signed by that key.
    """
    if len(data) > REQUEST_BYTES_MAX:
        raise DecodeError("renewal", detail=f"{len(data)} bytes")
    try:
        sealed = _read_sealed_renewal(data)
        request = _read_renewal_request(sealed.document)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as e:
        raise DecodeError("renewal", detail=str(e)) from e
    key_of(request.node).verify(RENEWAL_DOMAIN, sealed.document, sealed.signature)
    return request
