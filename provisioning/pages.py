"""The web CA in the fleet folder, and what it issues for the pages of central and the office."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from provisioning.certificates import CertificateAuthority, IssuedCertificate
from provisioning.errors import FleetDamagedError, FleetInputError
from provisioning.folder import FleetFolder
from provisioning.layout import FOLDER
from provisioning.records import CertificateRecord, WebCertificateRecord, WebRecord, remember
from provisioning.web_authority import (
    addresses_in,
    clean_domain,
    clean_names,
    create_page_issuer,
    create_web_authority,
    fingerprint,
    issue_page_certificate,
)
from runtime.atomic import PUBLIC, write_atomic

AUTHORITY: Final = "web-ca"
PAGE: Final = "page"
PAGE_ISSUER: Final = "pages"
"""Names of the files."""


def make_web_authority(folder: FleetFolder, domain: str, *, is_replacement: bool = False) -> WebRecord:
    """Make the town's web CA: ``authority/web-ca.pem``, to be installed, and ``web-ca.key``.

    Asked for the same domain again, it changes nothing.

    Raises:
        FleetInputError: the domain cannot be used, or there is a web CA for another and this is no replacement.
    """
    domain = clean_domain(domain)
    with folder.changing():
        web = folder.record.web
        if web is not None and not is_replacement:
            if web.domain != domain:
                raise FleetInputError(
                    f"This town's web CA is for {web.domain}. With --replace there is a new one for {domain}, and every"
                    " page needs a new certificate, every PC and tablet the new root."
                )
            return web
        layout = folder.layout
        ca = create_web_authority(layout.town.name, domain, folder.now())
        issued = IssuedCertificate(
            ca.certificate_pem, ca.key_pem, ca.certificate.serial_number, ca.certificate.not_valid_after_utc
        )
        layout.write_certificate(layout.authority, AUTHORITY, issued)
        # Recorded last: without its record a CA counts for nothing and is made anew.
        web = WebRecord(domain=domain, fingerprint=fingerprint(ca), expires_at=issued.expires_at)
        folder.commit(msgspec.structs.replace(folder.record, web=web))
        return web


def issue_for_page(folder: FleetFolder, names: Sequence[str], out: Path) -> WebCertificateRecord:
    """Put ``page.pem``, ``page.key`` and the root ``web-ca.pem`` into ``out``, for a machine with these names.

    Raises:
        FleetInputError: there is no web CA yet, or it may not speak for one of the names; nothing was changed.
        FleetDamagedError: the CA is missing, damaged, or about to end.
    """
    with folder.changing():
        web = folder.record.web
        if web is None:
            raise FleetInputError("This town has no web CA yet: make it with 'watchlink fleet web-ca --domain NAME'.")
        wanted = clean_names(names, web.domain)
        ca = _authority(folder, web)
        certificate = issue_page_certificate(ca, wanted, folder.now())
        issued = WebCertificateRecord(names=wanted, certificate=remember(certificate))
        others = tuple(one for one in web.issued if set(one.names) != set(wanted))
        # Written before it is recorded: a record without its files would hide that the old one is about to expire.
        out.mkdir(mode=FOLDER, parents=True, exist_ok=True)
        write_atomic(out / f"{AUTHORITY}.pem", ca.certificate_pem, PUBLIC)
        folder.layout.write_certificate(out, PAGE, certificate)
        web = msgspec.structs.replace(web, issued=(*others, issued))
        folder.commit(msgspec.structs.replace(folder.record, web=web))
        return issued


def make_page_issuer(folder: FleetFolder, out: Path) -> CertificateRecord:
    """Put ``pages.pem``, ``pages.key`` and the root ``web-ca.pem`` into ``out``, for the office's machine port.

    It cannot speak for an address for which a page has a certificate by now: see :func:`not_excluded_yet`.

    Raises:
        FleetInputError: there is no web CA yet; nothing was changed.
        FleetDamagedError: the CA is missing, damaged, too old for this, or about to end.
    """
    with folder.changing():
        web = folder.record.web
        if web is None:
            raise FleetInputError("This town has no web CA yet: make it with 'watchlink fleet web-ca --domain NAME'.")
        ca = _authority(folder, web)
        made = create_page_issuer(ca, folder.now(), domain=web.domain, others=_issued_names(web))
        ends_at = made.certificate.not_valid_after_utc
        issued = IssuedCertificate(made.certificate_pem, made.key_pem, made.certificate.serial_number, ends_at)
        out.mkdir(mode=FOLDER, parents=True, exist_ok=True)
        write_atomic(out / f"{AUTHORITY}.pem", ca.certificate_pem, PUBLIC)
        folder.layout.write_certificate(out, PAGE_ISSUER, issued)
        web = msgspec.structs.replace(web, page_issuer=remember(issued))
        folder.commit(msgspec.structs.replace(folder.record, web=web))
        return remember(issued)


def not_excluded_yet(before: WebRecord | None, issued: WebCertificateRecord) -> tuple[str, ...]:
    """Addresses of a page for which the issuer of units' pages can speak as well, until it is made anew.

    Args:
        before: the record before the certificate was issued.
        issued: the certificate.
    """
    if before is None or before.page_issuer is None:
        return ()
    known = _issued_names(before)
    return tuple(one for one in addresses_in(issued.names) if one not in known)


def _issued_names(web: WebRecord) -> tuple[str, ...]:
    return tuple(name for page in web.issued for name in page.names)


def _authority(folder: FleetFolder, web: WebRecord) -> CertificateAuthority:
    layout = folder.layout
    try:
        certificate_pem = (layout.authority / f"{AUTHORITY}.pem").read_bytes()
        key_pem = (layout.authority / f"{AUTHORITY}.key").read_bytes()
    except OSError as e:
        raise FleetDamagedError(
            f"The web CA cannot be read ({e.filename}: {e.strerror}). Put it back from the copy of"
            f" {layout.authority}, or make a new one with 'watchlink fleet web-ca --replace'."
        ) from e
    ca = CertificateAuthority.load(certificate_pem, key_pem, AUTHORITY)
    if fingerprint(ca) != web.fingerprint:
        raise FleetDamagedError(
            f"{layout.authority / AUTHORITY}.pem is not the web CA of this town's record: put the right one back, or"
            " make a new one with 'watchlink fleet web-ca --replace'."
        )
    return ca
