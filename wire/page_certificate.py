"""The certificate of a unit's own page, which shows its gallery to the shop's tablets (ADR 0038).

The unit makes the key and asks the office's machine port, with a PKCS #10 request (RFC 2986) in DER: P-256, and in its
subject alternative name the unit's own local name and its private addresses.
"""

from __future__ import annotations

import ipaddress
from datetime import timedelta
from typing import Annotated, Final

import msgspec

from wire.errors import DecodeError
from wire.ids import NodeId, node_text
from wire.limits import DETAIL_CHARS_MAX
from wire.messages import Message
from wire.text import display_text

LIFE: Final = timedelta(days=90)
REQUEST_BYTES_MAX: Final = 4_096
ANSWER_BYTES_MAX: Final = 32_768
NAMES_MAX: Final = 9
"""The local name, and eight addresses."""
NETWORKS: Final = tuple(
    ipaddress.ip_network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
)
"""Private addresses (RFC 1918, RFC 4193): what a unit has in its shop."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class PageCertificate(Message, frozen=True):
    """What the office answers."""

    chain: Annotated[str, msgspec.Meta(max_length=ANSWER_BYTES_MAX)]
    """PEM: the page's certificate, then its issuer's."""
    root: Annotated[str, msgspec.Meta(max_length=ANSWER_BYTES_MAX)]
    """PEM: the town's web CA, to be installed on tablets."""


_read: Final = msgspec.json.Decoder(PageCertificate).decode


def page_name(node: NodeId) -> str:
    """``NodeId(16)`` → ``"watchlink-00000010.local"``: what a unit is called in its own network (RFC 6762)."""
    return f"watchlink-{node_text(node)}.local"


def is_private(address: Address) -> bool:
    """Whether no stranger on the internet has this address. A page is served at such ones alone."""
    return any(address in network for network in NETWORKS if network.version == address.version)


def decode_certificate(data: bytes) -> PageCertificate:
    """Read an answer. What the certificates say is the caller's question.

    Raises:
        DecodeError: too large or malformed.
    """
    try:
        return _read(data if len(data) <= ANSWER_BYTES_MAX else b"")
    except (msgspec.MsgspecError, ValueError, RecursionError) as e:
        raise DecodeError("page certificate", detail=display_text(str(e), DETAIL_CHARS_MAX)) from e
