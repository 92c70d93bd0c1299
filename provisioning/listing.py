"""``watchlink fleet list``: every node, its certificate's expiry, and what will soon go wrong."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import msgspec

from provisioning.fleet import BROKER, CENTRAL, Fleet
from provisioning.layout import ALERTS
from provisioning.records import CertificateRecord, NodeKind

CRL_WARNING: Final = timedelta(days=10)
CERTIFICATE_WARNING: Final = timedelta(days=30)
"""Out of 90 days: enough time to visit a premises before its certificate expires."""

_NO_LANE: Final = (
    "Alerts have no connection of their own at central, so one member's flood can hold up the others':"
    f" 'watchlink fleet renew {ALERTS}'."
)


class NodeRow(msgspec.Struct, frozen=True):
    """One node."""

    node: str
    premises: str
    place: str
    schemes: tuple[str, ...]
    profile: str
    certificate_expires_at: datetime
    revoked_at: datetime | None
    kind: NodeKind = "premises"


class Listing(msgspec.Struct, frozen=True):
    """The fleet at one moment; ``--json`` prints it unchanged."""

    at: datetime
    directory_serial: int
    nodes: tuple[NodeRow, ...]
    central_certificate_expires_at: datetime
    broker_certificate_expires_at: datetime
    crl_expires_at: datetime | None
    warnings: tuple[str, ...]


def list_fleet(fleet: Fleet) -> Listing:
    """The listing of the fleet now."""
    record, now = fleet.record, fleet.now()
    rows = tuple(
        NodeRow(
            node.node,
            node.premises,
            node.place,
            record.scheme_slugs(node.schemes),
            node.profile,
            _latest(node.certificates),
            node.revoked_at,
            node.kind,
        )
        for node in record.nodes
    )
    central, broker = _latest(record.central.certificates), _latest(record.broker_certificates)
    crl = fleet.crl_expires_at()
    ends = [(row.premises, row.node, row.certificate_expires_at) for row in rows if row.revoked_at is None]
    ends += [("Central", CENTRAL, central), ("The broker", BROKER, broker)]
    if record.central.alerts_certificates:
        ends.append(("Alerts' connection of central", ALERTS, _latest(record.central.alerts_certificates)))
    no_lane = [] if record.central.alerts_certificates else [_NO_LANE]
    warnings = [*_crl_warnings(crl, now), *no_lane, *(w for end in ends for w in _certificate_warnings(*end, now))]
    return Listing(now, record.directory_serial, rows, central, broker, crl, tuple(warnings))


def as_table(listing: Listing) -> str:
    """For people: a line for each node, then the warnings."""
    head = ("NODE", "PREMISES", "PLACE", "SCHEMES", "CERTIFICATE UNTIL", "REVOKED")
    lines = [
        (
            row.node,
            row.premises if row.kind == "premises" else f"{row.premises} ({row.kind})",
            row.place,
            " ".join(row.schemes),
            _day(row.certificate_expires_at),
            "" if row.revoked_at is None else _day(row.revoked_at),
        )
        for row in listing.nodes
    ]
    widths = [max(map(len, column)) for column in zip(head, *lines, strict=True)]
    table = ["  ".join(f"{cell:{width}}" for cell, width in zip(line, widths, strict=True)) for line in (head, *lines)]
    crl = "unreadable" if listing.crl_expires_at is None else f"good until {_day(listing.crl_expires_at)}"
    summary = (
        f"Directory serial {listing.directory_serial}. Revocation list {crl}."
        f" Certificates: central until {_day(listing.central_certificate_expires_at)},"
        f" broker until {_day(listing.broker_certificate_expires_at)}."
    )
    return "\n".join([*(line.rstrip() for line in table), "", summary, *(f"! {w}" for w in listing.warnings)])


def _latest(certificates: tuple[CertificateRecord, ...]) -> datetime:
    return certificates[-1].expires_at


def _crl_warnings(expires_at: datetime | None, now: datetime) -> list[str]:
    command = "run 'watchlink fleet renew-crl'"
    if expires_at is None:
        return [f"The revocation list is missing or damaged; a broker that reloads now lets everybody in: {command}."]
    if expires_at <= now:
        return [f"The revocation list has expired, and the broker refuses everybody: {command} at once."]
    if expires_at - now <= CRL_WARNING:
        return [
            f"The revocation list expires in {_days(expires_at - now)}, then the broker refuses everybody: {command}."
        ]
    return []


def _certificate_warnings(name: str, who: str, expires_at: datetime, now: datetime) -> list[str]:
    command = f"'watchlink fleet renew {who}'"
    if expires_at <= now:
        return [f"{name}'s certificate has expired, it cannot connect: {command}."]
    if expires_at - now <= CERTIFICATE_WARNING:
        return [f"{name}'s certificate expires in {_days(expires_at - now)}: {command}."]
    return []


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"


def _days(span: timedelta) -> str:
    return "less than a day" if span.days == 0 else f"{span.days} day{'' if span.days == 1 else 's'}"
