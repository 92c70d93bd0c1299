"""``watchlink fleet list``: every node, its certificate's expiry, and what will soon go wrong."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec
from cryptography import x509

from provisioning.errors import FleetInputError
from provisioning.fleet import BROKER, CENTRAL, OFFICE, Fleet
from provisioning.issuers import current_issuer, has_issuer, has_issuers, issuers_in_force
from provisioning.layout import ALERTS, ENROLMENT
from provisioning.live_list import WHERE_FROM, late_settings, live_ends, live_rows, live_warnings
from provisioning.proposals import differences, read_proposals
from provisioning.records import (
    CertificateRecord,
    DelegationRecord,
    FleetRecord,
    IssuerRecord,
    NodeKind,
    NodeRecord,
    WebRecord,
)
from provisioning.releases_shown import release_warnings
from provisioning.service_renewal import brought
from provisioning.unproven import unproven_warnings
from provisioning.waiting_list import claim_warnings, claimed_here
from wire.fingerprints import key_fingerprint
from wire.fleet_list import FleetList
from wire.subjects import NODES, SERVICES

CRL_WARNING: Final = timedelta(days=20)
CERTIFICATE_WARNING: Final = timedelta(days=30)
"""Out of 90 days: enough time to visit a premises before its certificate expires."""
WEB_CA_WARNING: Final = timedelta(days=365)
"""Out of ten years: time to reach every PC and tablet."""

ROOT_WARNING: Final = timedelta(days=365)
"""Out of ten years: every node has to be visited before."""

_SHOWN_MAX: Final = 8
_ONE_CA: Final = (
    "One CA signs for everybody, and the broker believes the common name alone, so whoever may sign for nodes could be"
    " central: 'watchlink fleet new-root'."
)
_LIST_LOST: Final = (
    "The revocation list is missing, damaged or lacks an issuer's part; a broker that reloads now lets everybody in, or"
    " nobody of that issuer"
)
_DAILY: Final = (
    "the daily timer should have renewed it, and 'journalctl -u watchlink-fleet-lists' says why it has not; by hand"
)
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
    office_premises: int = 0
    renews: bool = False
    """It renews its certificate itself, at the enrolment service; then the end is when the fleet took it over."""
    replaced_by: str = ""
    """The number of the unit that took its place."""


class WaitingRow(msgspec.Struct, frozen=True):
    """A number that waits for its node."""

    node: str
    premises: str
    place: str
    schemes: tuple[str, ...]
    profile: str
    claim_ends_at: datetime
    office_premises: int = 0
    is_claimed: bool = False
    """A unit has claimed it, as far as is known here, and was not collected yet."""


class OfficeKeyRow(msgspec.Struct, frozen=True):
    """A key of the office that the directory lists."""

    fingerprint: str
    key: str
    trusted_at: datetime


class DelegateRow(msgspec.Struct, frozen=True):
    """Who may add and strike premises' nodes for the authority."""

    fingerprint: str
    key: str
    expires_at: datetime


class PageRow(msgspec.Struct, frozen=True):
    """A machine's certificate for browsers."""

    names: tuple[str, ...]
    certificate_expires_at: datetime


class Listing(msgspec.Struct, frozen=True):
    """The fleet at one moment; ``--json`` prints it unchanged."""

    at: datetime
    directory_serial: int
    nodes: tuple[NodeRow, ...]
    central_certificate_expires_at: datetime
    broker_certificate_expires_at: datetime
    crl_expires_at: datetime | None
    warnings: tuple[str, ...]
    office_keys: tuple[OfficeKeyRow, ...] = ()
    office_certificate_expires_at: datetime | None = None
    pages: tuple[PageRow, ...] = ()
    differences: tuple[str, ...] = ()
    """Where the office says something else than the fleet, in sentences."""
    delegate: DelegateRow | None = None
    waiting: tuple[WaitingRow, ...] = ()
    live: FleetList | None = None
    """What central's fleet page said; its needs are among the warnings."""


def list_fleet(fleet: Fleet, snapshot: Path | None = None, live: FleetList | None = None) -> Listing:
    """The listing of the fleet now.

    Args:
        fleet: the fleet.
        snapshot: the office's premises snapshot or a folder of them; ``None`` = in the fleet folder, if it has any.
        live: what central's fleet page said (:mod:`provisioning.live_list`).

    Raises:
        FleetInputError: ``snapshot`` is given and cannot be used.
    """
    record, now = fleet.record, fleet.now()
    rows = tuple(
        NodeRow(
            node.node,
            node.premises,
            node.place,
            record.scheme_slugs(node.schemes),
            node.profile,
            _latest(node.certificates) if node.certificates else node.added_at,
            node.revoked_at,
            node.kind,
            node.office_premises,
            renews=not node.certificates,
            replaced_by=node.replacement.node if node.replacement is not None else "",
        )
        for node in record.nodes
    )
    central, broker = _latest(record.central.certificates), _latest(record.broker_certificates)
    crl = fleet.crl_expires_at()
    told = live_ends(live)
    ends = [
        (row.premises, row.node, max(row.certificate_expires_at, told.get(row.node, row.certificate_expires_at)))
        for row in rows
        if row.revoked_at is None and not row.renews
    ]
    ends += [("Central", CENTRAL, central), ("The broker", BROKER, broker)]
    if record.central.alerts_certificates:
        ends.append(("Alerts' connection of central", ALERTS, _latest(record.central.alerts_certificates)))
    if record.office.certificates:
        ends.append(("The office", OFFICE, _latest(record.office.certificates)))
    daily = brought(fleet.folder) if fleet.layout.apply.exists() else ()
    no_lane = [] if record.central.alerts_certificates else [_NO_LANE]
    warnings = [
        *unproven_warnings(fleet.folder),
        *_crl_warnings(crl, now),
        *_issuer_warnings(record, now),
        *_root_warnings(fleet, now),
        *no_lane,
        *(w for end in ends for w in _certificate_warnings(*end, now, is_daily=end[1] in daily)),
    ]
    warnings += [*_web_warnings(record.web, now), *_delegate_warnings(record, now)]
    warnings += [
        f"The replacement of {node.node} ({node.premises}) is not finished: 'watchlink fleet replace {node.node}'."
        for node in record.nodes
        if node.replacement is not None and node.replacement.to_do != "nothing"
    ]
    claimed = claimed_here(fleet, live)
    warnings += [*_enrolment_warnings(fleet, now), *claim_warnings(fleet, claimed, now), *release_warnings(fleet, now)]
    if live is not None:
        warnings += late_settings(live, {node.node: node.settings.serial for node in record.nodes if node.settings})
        warnings += live_warnings(live, {row.node for row in rows} | {claim.node for claim in record.claims}, now)
    found, trouble = _differences(fleet, snapshot)
    return Listing(
        now,
        record.directory_serial,
        rows,
        central,
        broker,
        crl,
        (*warnings, *trouble),
        tuple(OfficeKeyRow(key.fingerprint, key.key, key.trusted_at) for key in record.office.trusted),
        _latest(record.office.certificates) if record.office.certificates else None,
        tuple(PageRow(page.names, page.certificate.expires_at) for page in record.web.issued) if record.web else (),
        found,
        _delegate(record.delegation),
        tuple(
            WaitingRow(
                claim.node,
                claim.premises,
                claim.place,
                record.scheme_slugs(claim.schemes),
                claim.profile,
                claim.ends_at,
                claim.office_premises,
                is_claimed=claim.node in claimed,
            )
            for claim in record.claims
        ),
        live,
    )


def as_table(listing: Listing) -> str:
    """For people: a line for each node, then the warnings."""
    # No column for an office that the fleet does not know.
    rows: list[NodeRow | WaitingRow] = [*listing.nodes, *listing.waiting]
    is_joined = bool(listing.office_keys) or any(row.office_premises for row in rows)
    head = ["NODE", "PREMISES", "PLACE", "SCHEMES", *(["OFFICE"] if is_joined else []), "CERTIFICATE UNTIL", "REVOKED"]
    lines = [
        [
            row.node,
            _shown_name(row),
            row.place,
            " ".join(row.schemes),
            *([str(row.office_premises or "")] if is_joined else []),
            *_standing(row, listing.at),
        ]
        for row in sorted(rows, key=lambda row: row.node)
    ]
    widths = [max(map(len, column)) for column in zip(head, *lines, strict=True)]
    table = ["  ".join(f"{cell:{width}}" for cell, width in zip(line, widths, strict=True)) for line in (head, *lines)]
    crl = "unreadable" if listing.crl_expires_at is None else f"good until {_day(listing.crl_expires_at)}"
    summary = (
        f"Directory serial {listing.directory_serial}. Revocation list {crl}."
        f" Certificates: central until {_day(listing.central_certificate_expires_at)},"
        f" broker until {_day(listing.broker_certificate_expires_at)}."
    )
    notes = [f"Office's key {key.fingerprint}, trusted since {_day(key.trusted_at)}." for key in listing.office_keys]
    if (delegate := listing.delegate) is not None:
        notes.append(f"Delegate's key {delegate.fingerprint}, until {_day(delegate.expires_at)}.")
    notes += [f"Page {', '.join(p.names)}: certificate until {_day(p.certificate_expires_at)}." for p in listing.pages]
    if listing.office_certificate_expires_at is not None:
        notes.append(f"Office's certificate until {_day(listing.office_certificate_expires_at)}.")
    told = [*listing.warnings, *listing.differences]
    live = [WHERE_FROM] if listing.nodes else []
    if listing.live is not None:
        live = ["", f"As central said on {listing.live.at:%Y-%m-%d at %H:%M} UTC:", *live_rows(listing.live), ""]
    return "\n".join([*(line.rstrip() for line in table), "", summary, *notes, *live, *(f"! {w}" for w in told)])


def _shown_name(row: NodeRow | WaitingRow) -> str:
    if isinstance(row, WaitingRow) or row.kind == "premises":
        return row.premises
    return f"{row.premises} ({row.kind})"


def _standing(row: NodeRow | WaitingRow, at: datetime) -> tuple[str, str]:
    """Until when its certificate or its claim is good, and when it was revoked."""
    if isinstance(row, WaitingRow):
        is_over = row.claim_ends_at <= at
        if row.is_claimed:
            return "claimed, to be collected", ""
        return (
            f"claim ended {_day(row.claim_ends_at)}"
            if is_over
            else f"waiting for its claim until {_day(row.claim_ends_at)}",
            "",
        )
    until = "renews itself" if row.renews else _day(row.certificate_expires_at)
    replaced = f", replaced by {row.replaced_by}" if row.replaced_by else ""
    return until, "" if row.revoked_at is None else f"{_day(row.revoked_at)}{replaced}"


def _enrolment_warnings(fleet: Fleet, now: datetime) -> list[str]:
    file = fleet.layout.enrolment / "server.pem"
    try:
        ends_at = x509.load_pem_x509_certificates(file.read_bytes())[0].not_valid_after_utc
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as e:
        return [f"{file} cannot be read ({e}): 'watchlink fleet enrolment'."]
    left, found = ends_at - now, _cut_off_warnings(fleet)
    is_daily = fleet.layout.apply.exists() and ENROLMENT in brought(fleet.folder)
    if left > CERTIFICATE_WARNING:
        return found
    when = "has expired" if left <= timedelta(0) else f"expires in {_days(left)}"
    then = "without it no unit is claimed or renews itself"
    by_hand = ", carry the folder there, restart the service"
    carried = ", then 'watchlink fleet renew-crl', which brings it there"
    to_do = f"'watchlink fleet enrolment'{carried if fleet.layout.beside_central.exists() else by_hand}"
    to_do = f"{_DAILY} {to_do}" if is_daily else to_do
    return [*found, f"The enrolment service's certificate {when}; {then}: {to_do}."]


def _cut_off_warnings(fleet: Fleet) -> list[str]:
    own, folder = fleet.layout.enrolment / "nodes.pem", fleet.folder
    if not own.exists() or own.read_bytes() in folder.certificates_pem(folder.issuers_in_force()):
        return []
    told = "The enrolment service signs with an issuer that was cut off, and the broker refuses what it makes"
    return [f"{told}: 'watchlink fleet enrolment'."]


def _differences(fleet: Fleet, snapshot: Path | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What the office says else, and why that could not be looked up: sentences."""
    folder = fleet.layout.snapshots
    if snapshot is not None:
        return differences(fleet.record, read_proposals(fleet.folder, snapshot)), ()
    if not fleet.record.office.trusted or not any(folder.glob("premises-*.json")):
        return (), ()
    try:
        return differences(fleet.record, read_proposals(fleet.folder, folder)), ()
    except FleetInputError as e:
        # Whoever asks for certificates must not be refused for the office's sake.
        return (), (str(e),)


def _delegate(delegation: DelegationRecord | None) -> DelegateRow | None:
    if delegation is None or delegation.key is None:
        return None
    return DelegateRow(key_fingerprint(bytes.fromhex(delegation.key)), delegation.key, delegation.expires_at)


def _delegate_warnings(record: FleetRecord, now: datetime) -> list[str]:
    delegation = record.delegation
    if delegation is None or delegation.key is None or delegation.expires_at - now > CERTIFICATE_WARNING:
        return []
    left = delegation.expires_at - now
    when = "is over" if left <= timedelta(0) else f"ends in {_days(left)}"
    first = (
        " Before any other change: once it is over, the next directory leaves out units that were not collected."
        if record.claims
        else ""
    )
    return [f"The delegation {when}: give the delegate's key again, 'watchlink fleet delegate FILE'.{first}"]


def _web_warnings(web: WebRecord | None, now: datetime) -> list[str]:
    if web is None:
        return []
    found = []
    if web.expires_at - now <= WEB_CA_WARNING:
        found.append(
            f"The web CA ends in {_days(web.expires_at - now)}: run 'watchlink fleet web-ca"
            f" --domain {web.domain} --replace'. Then each page needs a new certificate, and each PC the new root."
        )
    if web.page_issuer is not None and web.page_issuer.expires_at - now <= CERTIFICATE_WARNING:
        found.append("The issuer of units' pages ends soon: 'watchlink fleet page-issuer --out DIR', for the office.")
    for page in web.issued:
        name, left = page.names[0], page.certificate.expires_at - now
        if left <= CERTIFICATE_WARNING:
            when = "has expired, browsers refuse it" if left <= timedelta(0) else f"expires in {_days(left)}"
            found.append(
                f"The page {name}'s certificate {when}:"
                f" 'watchlink fleet web-certificate {' '.join(page.names)} --out DIR'."
            )
    return found


def _latest(certificates: tuple[CertificateRecord, ...]) -> datetime:
    return certificates[-1].expires_at


def _crl_warnings(expires_at: datetime | None, now: datetime) -> list[str]:
    command = "run 'watchlink fleet renew-crl'"
    if expires_at is None:
        return [f"{_LIST_LOST}: {command}."]
    if expires_at <= now:
        return [f"The revocation list has expired, and the broker refuses everybody: {command} at once."]
    if expires_at - now <= CRL_WARNING:
        return [
            f"The revocation list expires in {_days(expires_at - now)}, then the broker refuses everybody: {command}."
        ]
    return []


def _issuer_warnings(record: FleetRecord, now: datetime) -> list[str]:
    if not has_issuers(record):
        return [_ONE_CA]
    found = []
    if record.broker.reads == "unknown":
        found.append("The broker was not seen to read whole subjects: restart it, then 'watchlink fleet renew-crl'.")
    kinds = [one for one in (NODES, SERVICES) if has_issuer(record, one)]
    current = {current_issuer(record, one).name for one in kinds}
    for issuer in issuers_in_force(record, now):
        if issuer.name not in current:
            waiting = [node.node for node in record.nodes if node.revoked_at is None and _is_of(node, issuer)]
            shown = ", ".join(waiting[:_SHOWN_MAX]) + (", …" if len(waiting) > _SHOWN_MAX else "")
            who = f"renew {len(waiting)} nodes ({shown})" if waiting else "no node needs it any more"
            found.append(f"Certificates of {issuer.name} are good until they expire: {who}.")
    found += [f"Nobody signs {one} certificates: 'watchlink fleet new-issuer {one}'." for one in _missing(kinds)]
    return found


def _root_warnings(fleet: Fleet, now: datetime) -> list[str]:
    if not has_issuers(fleet.record):
        return []  # Told already: it needs a new root anyway.
    name = fleet.record.issuers[-1].root
    ends_at = x509.load_pem_x509_certificate(fleet.folder.certificates_pem([name])).not_valid_after_utc
    left = ends_at - now
    if left > ROOT_WARNING:
        return []
    when = "has expired, and everybody's certificates with it" if left <= timedelta(0) else f"ends in {_days(left)}"
    return [
        f"The root {name} {when}: put its key back and run 'watchlink fleet new-root --replace', then renew every node."
    ]


def _missing(kinds: list[str]) -> list[str]:
    return [one for one in (NODES, SERVICES) if one not in kinds]


def _is_of(node: NodeRecord, issuer: IssuerRecord) -> bool:
    return bool(node.certificates) and node.certificates[-1].issuer == issuer.name


def _certificate_warnings(name: str, who: str, expires_at: datetime, now: datetime, *, is_daily: bool) -> list[str]:
    command = f"'watchlink fleet renew {who}'"
    if is_daily:
        command = f"{_DAILY} {command}, then 'watchlink fleet renew-crl'"
    if expires_at <= now:
        return [f"{name}'s certificate has expired, it cannot connect: {command}."]
    if expires_at - now <= CERTIFICATE_WARNING:
        return [f"{name}'s certificate expires in {_days(expires_at - now)}: {command}."]
    return []


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"


def _days(span: timedelta) -> str:
    return "less than a day" if span.days == 0 else f"{span.days} day{'' if span.days == 1 else 's'}"
