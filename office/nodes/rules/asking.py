"""Who asks: the certificate says a name, and the signed directory says whether that is anybody. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from wire.directory import Directory
from wire.enrolment import GALLERY_PREFIX
from wire.errors import DecodeError
from wire.ids import NodeId, node_text, parse_node
from wire.subjects import NODES, subject_text

Problem: TypeAlias = Literal["other certificate", "expired", "revoked", "no list", "unknown node", "struck", "no key"]
PROBLEMS: Final[Mapping[Problem, str]] = {
    "other certificate": "the certificate is no gallery's",
    "expired": "the certificate is not valid now",
    "revoked": "the certificate is on the revocation list",
    "no list": "the office has no revocation list of the certificate's issuer that is in force",
    "unknown node": "the directory lists no such node of a premises",
    "struck": "the node was struck from the directory",
    "no key": "the directory does not say what to seal to for this node",
}
"""Why a node is not answered."""


class Certificate(Struct, frozen=True):
    """A certificate that TLS has verified.

    Attributes:
        subject: as RFC 4514 writes it.
        issuer: the same, of who signed it.
        serial: its number.
        begins_s, ends_s: Unix time.
    """

    subject: str
    issuer: str
    serial: int
    begins_s: int
    ends_s: int


class Revoked(Struct, frozen=True):
    """A revocation list whose signature was checked.

    Attributes:
        serials: of the certificates that it revokes.
        ends_s: Unix time; from then on it says nothing.
    """

    serials: frozenset[int]
    ends_s: int


class Asker(Struct, frozen=True):
    """A node that may be answered, as the directory says.

    Attributes:
        premises: its number at the office; 0 = not joined with one.
        sealing_key: X25519, 32 raw bytes.
    """

    node: NodeId
    premises: int
    schemes: frozenset[int]
    sealing_key: bytes


def judge(certificate: Certificate, directory: Directory, lists: Mapping[str, Revoked], now_s: int) -> Asker | Problem:
    """Who asks, or why nobody is answered. It is found out for each request: a connection may be older than a strike.

    Args:
        certificate: verified by TLS, when the connection was made.
        directory: the newest.
        lists: of each issuer whose list is held.
        now_s: Unix time, by the office's clock.
    """
    node = _named(certificate.subject)
    if node is None:
        return "other certificate"
    sender = directory.senders.get(node)
    if sender is None or sender.is_central or sender.is_gateway:
        return "unknown node"
    if sender.is_revoked:
        return "struck"
    if not sender.sealing_key:
        return "no key"
    problem = _fault(certificate, lists.get(certificate.issuer), now_s)
    return problem or Asker(node, sender.office_premises, sender.schemes, sender.sealing_key)


def _fault(certificate: Certificate, held: Revoked | None, now_s: int) -> Problem | None:
    if not certificate.begins_s <= now_s < certificate.ends_s:
        return "expired"
    # As the broker does it: of an issuer without a list, or with one that has ended, nobody is let in.
    if held is None or now_s >= held.ends_s:
        return "no list"
    return "revoked" if certificate.serial in held.serials else None


def _named(subject: str) -> NodeId | None:
    """The node whose gallery a subject names; ``None`` = it names something else.

    The whole subject, and never the common name alone: only the nodes' issuer can sign for this organisation.
    """
    try:
        node = parse_node(subject.removeprefix(f"CN={GALLERY_PREFIX}").removesuffix(f",O={NODES}"))
    except DecodeError:
        return None
    return node if subject == subject_text(GALLERY_PREFIX + node_text(node), NODES) else None
