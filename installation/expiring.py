"""What ends by itself, or must not grow old: certificates, the revocation list, the directory, the office's lists."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509

from installation import places
from installation.authority import authority_in
from installation.errors import InstallError
from installation.findings import Finding, bad, expiry, good, look_at, why
from installation.machine import READ_BYTES_MAX, Machine
from installation.places import Parts
from installation.revocation import lists_begin_at, lists_end_at
from runtime.regular_file import read_regular
from runtime.snapshot_folder import parse_kept_name
from wire.directory import Directory, open_directory
from wire.errors import WireError
from wire.signing import PublicKey
from wire.snapshots import People, Town, open_snapshot

CERTIFICATE_WARNING: Final = timedelta(days=30)
ROOT_WARNING: Final = timedelta(days=365)
"""As ``watchlink fleet list``: every node has to be visited before."""
CRL_WARNING: Final = timedelta(days=20)
"""As central's page. The lists are renewed every day and last thirty: ten were missed."""
BACKUP_AGE_MAX: Final = timedelta(hours=36)
"""As central's page."""
SNAPSHOT_AGE_MAX: Final = timedelta(hours=3)
"""The office signs one every hour, also when nothing has changed."""

_DAILY: Final = (
    "The timer on the machine with the fleet folder has not renewed it: 'journalctl -u watchlink-fleet-lists' there"
    " says why. By hand"
)
CARRY: Final = "on the fleet's machine, and install the new pack here."
_NO_LANE: Final = "alerts have no connection of their own at central"


def certificates(machine: Machine, now: datetime, parts: Parts, pages: Iterable[tuple[str, Path]]) -> list[Finding]:
    """Of broker, central's two connections, office's publisher, enrolment service, and each page that has one."""
    found = []
    for about, path, who, is_here in (
        ("broker's certificate", f"{places.BROKER}/server.pem", "broker", parts.central),
        ("central's certificate", f"{places.CENTRAL}/client.pem", "central", parts.central),
        ("alerts' certificate", f"{places.CENTRAL}/alerts.pem", "alerts", parts.central),
        ("office's certificate", f"{places.OFFICE}/publisher/server.pem", "office", parts.office),
    ):
        by_hand = f"'watchlink fleet renew {who}' {CARRY}"
        # An office on another machine has to be carried to.
        to_do = f"{_DAILY}: {by_hand}" if parts.central else f"Run {by_hand}"
        if not is_here:
            continue
        if machine.path(path).exists():
            found.append(certificate(about, machine.path(path), now, to_do))
        elif who == "alerts":
            found.append(bad(about, _NO_LANE, f"Run {by_hand}"))
        elif who != "office":
            found.append(bad(about, f"{path} is missing", "Run 'watchlink central install' again."))
    if parts.enrolment:
        to_do = f"{_DAILY}: 'watchlink fleet enrolment --beside-central' {CARRY}"
        own = machine.path(f"{places.ENROLMENT}/enrolment/server.pem")
        found.append(certificate("enrolment's certificate", own, now, to_do))
    found += [certificate(what, path, now, f"Run 'watchlink fleet web-certificate' {CARRY}") for what, path in pages]
    return found


def certificate(about: str, path: Path, now: datetime, to_do: str) -> Finding:
    """When a file's certificate ends, or the issuer's after it, if that is earlier."""
    try:
        # Its own, then its issuer's, without which it is worth nothing either.
        own_end, *issuers_end = (one.not_valid_after_utc for one in _in(path))
    except (OSError, ValueError) as e:
        return bad(about, f"{path} cannot be read ({why(e)})", to_do)
    ends_at = min([own_end, *issuers_end])
    if ends_at < own_end:
        to_do = f"Run 'watchlink fleet new-root --replace' {CARRY}"
    return expiry(about, path.name, ends_at, now, warning=CERTIFICATE_WARNING, to_do=to_do)


def _in(path: Path) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(read_regular(path, READ_BYTES_MAX))


def root(machine: Machine, now: datetime) -> list[Finding]:
    """The newest root that the broker trusts, below which everybody's certificates are."""
    about, path = "root", machine.path(f"{places.BROKER}/ca.pem")
    try:
        ends_at = max(one.not_valid_after_utc for one in _in(path))
    except (OSError, ValueError) as e:
        return [bad(about, f"{path} cannot be read ({why(e)})", "Run 'watchlink central install' again.")]
    to_do = f"Put the root's key back and run 'watchlink fleet new-root --replace' {CARRY} Then renew every node."
    return [expiry(about, "the root certificate", ends_at, now, warning=ROOT_WARNING, to_do=to_do)]


def revocation_list(machine: Machine, now: datetime) -> Finding:
    """The broker's: damaged it lets everybody in, expired nobody."""
    about, to_do = "revocation list", f"Run 'watchlink fleet renew-crl' {CARRY}"
    path = machine.path(f"{places.BROKER}/crl.pem")
    try:
        # From before there were issuers there is one CA, in ca.pem.
        named = machine.path(f"{places.BROKER}/issuers.pem")
        named = named if named.exists() else named.with_name("ca.pem")
        issuers = _in(named)
        data = read_regular(path, READ_BYTES_MAX)
        ends_at, begins_at = lists_end_at(data, issuers), lists_begin_at(data, issuers)
    except InstallError as e:
        return bad(about, f"its file {e}", to_do)
    except (OSError, ValueError) as e:
        return bad(about, f"it is missing or damaged: a broker that reloads it lets everybody in ({why(e)})", to_do)
    if now < begins_at:
        text = f"the list is not valid before {begins_at:%Y-%m-%d}: the broker refuses everybody"
        return bad(about, text, f"See that the clock here is right ('timedatectl'). {to_do}")
    found = expiry(about, "the list", ends_at, now, warning=CRL_WARNING, to_do=to_do)
    if found.state == "ok":
        return found
    then = "the broker refuses everybody" if found.state == "bad" else "then the broker refuses everybody"
    return Finding(found.state, about, f"{found.text}: {then}", to_do)


def backups(machine: Machine, now: datetime, folder: str, unit: str = places.BACKUP) -> Finding:
    """Of central or the office, every night. That they can be opened is proven when they are made."""
    about = "backups" if unit == places.BACKUP else "office's backups"
    # Those of the office's keys are made by hand.
    made = [path.stat().st_mtime for path in machine.path(folder).glob("*.age") if "-keys-" not in path.name]
    if not made:
        return bad(about, f"there is none in {folder}", look_at(unit))
    newest = datetime.fromtimestamp(max(made), UTC)
    if now - newest > BACKUP_AGE_MAX:
        return bad(about, f"the newest in {folder} is of {newest:%Y-%m-%d}", look_at(unit))
    return good(about, f"the newest is of {newest:%Y-%m-%d %H:%M} UTC")


def directory(machine: Machine, parts: Parts) -> list[Finding]:
    """Central's or the office's; and whether they have the same."""
    about = "directory"
    try:
        authority, opened = _directory(machine, parts)
    except InstallError as e:
        return [bad(about, str(e), "Install the newest pack again.")]
    found = [good(about, f"serial {opened.serial}")]
    if parts.central and parts.office:
        # The authority's part: what the delegate adds and strikes reaches central alone; the office needs none of it.
        try:
            office = open_directory(machine.read(places.OFFICE_DIRECTORY), authority).base
        except (OSError, WireError):
            office = b""
        if office != opened.base:
            found = [bad(about, "the office has another one than central", "Run 'watchlink central install' again.")]
    return found


def snapshots(machine: Machine, now: datetime) -> list[Finding]:
    """The office's list of people, as central last took it over: who may sign in and act."""
    about = "office's list"
    try:
        authority, listed = _directory(machine, Parts())
    except InstallError:
        return []  # told already
    if not listed.office_keys:
        to_do = f"Run 'watchlink fleet trust-office' {CARRY}"
        return [bad(about, "the fleet does not trust the office yet, so nobody can sign in", to_do)]
    kept = {
        named[1]: path
        for path in machine.path(f"{places.CENTRAL}/snapshots").glob("people-*")
        if (named := parse_kept_name(path.name))
    }
    if not kept:
        return [bad(about, "central has none, so nobody can sign in", look_at("watchlink-office-publish"))]
    newest = kept[max(kept)]
    try:
        people = open_snapshot(read_regular(newest, READ_BYTES_MAX), People, Town(authority), listed.office_keys)
    except (OSError, WireError) as e:
        return [bad(about, f"{newest.name} is not believed ({why(e)})", "See 'Publishing' in docs/office.md.")]
    age = now - people.made_at
    if age > SNAPSHOT_AGE_MAX:
        hours = f"{age // timedelta(hours=1)} hours"
        text = f"the newest is {hours} old: an account ended since is not locked out"
        return [bad(about, text, f"{look_at('watchlink-office-publish')} See that the clocks are right.")]
    return [good(about, f"number {people.number}, of {people.made_at:%Y-%m-%d %H:%M} UTC")]


def _directory(machine: Machine, parts: Parts) -> tuple[PublicKey, Directory]:
    folder, file = places.town_files(parts)
    try:
        authority = authority_in(machine, folder)
        return authority, open_directory(machine.read(file), authority)
    except (OSError, ValueError, WireError) as e:
        raise InstallError(f"{getattr(e, 'filename', None) or 'it'} cannot be read: {why(e)}") from e
