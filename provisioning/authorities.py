"""Roots and issuers in the authority folder: making new ones. Their keys are the fleet's secrets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from msgspec import Struct

from provisioning.certificates import CertificateAuthority
from provisioning.layout import Layout
from provisioning.records import IssuerRecord
from runtime.atomic import PRIVATE, PUBLIC, write_atomic
from wire.subjects import NODES, SERVICES

_KINDS: Final = {NODES: "nodes", SERVICES: "services"}
"""What their names begin with."""


class Root(Struct, frozen=True):
    """A new root with its two issuers, all on disk.

    Attributes:
        certificate_pem: the root's.
        nodes: signs for nodes.
        services: signs for central, broker and office.
        records: of the issuers, for the fleet's record.
    """

    certificate_pem: bytes
    nodes: CertificateAuthority
    services: CertificateAuthority
    records: tuple[IssuerRecord, IssuerRecord]


def make_root(layout: Layout, town: str, known: Sequence[IssuerRecord], now: datetime) -> Root:
    """A new root and an issuer of each kind.

    Args:
        layout: the fleet folder's; it gets the files.
        town: for people.
        known: the fleet's issuers so far, cut off or not.
        now: aware.
    """
    name = _next("root", (one.root for one in known))
    root = CertificateAuthority.create_root(f"Watchlink {name} of {town}"[:64], now)
    _write(layout, name, root)
    of_nodes = IssuerRecord(name=next_name(NODES, known), organisation="node", root=name)
    of_services = IssuerRecord(name=next_name(SERVICES, known), organisation="services", root=name)
    nodes, services = (make_issuer(layout, root, one, now) for one in (of_nodes, of_services))
    return Root(root.certificate_pem, nodes, services, (of_nodes, of_services))


def make_issuer(
    layout: Layout, root: CertificateAuthority, record: IssuerRecord, now: datetime
) -> CertificateAuthority:
    """A new issuer below a root, on disk, as its record says."""
    issuer = root.create_issuer(record.organisation, record.name, now)
    _write(layout, record.name, issuer)
    return issuer


def next_name(organisation: str, known: Sequence[IssuerRecord]) -> str:
    """A name that no issuer of the fleet has had."""
    return _next(_KINDS[organisation], (one.name for one in known))


def _next(kind: str, names: Iterable[str]) -> str:
    numbers = [int(name.removeprefix(f"{kind}-")) for name in names if name.startswith(f"{kind}-")]
    return f"{kind}-{max(numbers, default=0) + 1}"


def _write(layout: Layout, name: str, authority: CertificateAuthority) -> None:
    write_atomic(layout.authority / f"{name}.key", authority.key_pem, PRIVATE)
    write_atomic(layout.authority / f"{name}.pem", authority.certificate_pem, PUBLIC)
