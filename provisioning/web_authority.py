"""The town's web CA: certificates of the pages, for browsers. Apart from the fleet's CA; reads and writes no files.

Its root is installed on people's PCs and tablets. So that whoever steals it can play nobody but this town's machines,
the root itself is constrained (RFC 5280, 4.2.1.10): to the town's domain, and to addresses that no stranger on the
internet has. OpenSSL, Chromium and Firefox enforce this for roots that were installed by hand.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID

from provisioning.certificates import (
    CertificateAuthority,
    IssuedCertificate,
    issue_server_certificate,
)
from provisioning.errors import FleetDamagedError, FleetInputError
from wire.page_certificate import NETWORKS as PRIVATE_NETWORKS
from wire.renewal import BACKDATED

PAGE_LIFE: Final = timedelta(days=397) - BACKDATED
"""With the day that it is backdated by, the longest that browsers accept (CA/Browser Forum, ballot SC-22)."""
NETWORKS: Final = tuple(
    ipaddress.ip_network(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "fc00::/7", "::1/128")
)
"""Private addresses (RFC 1918, RFC 4193) and this machine itself."""
LOCALHOST: Final = "localhost"
LOCAL: Final = "local"
"""Names that a network gives itself (RFC 6762): units' pages in shops."""
ISSUER_LIFE: Final = timedelta(days=825)
DOMAIN_CHARS_MAX: Final = 200

_ENDS: Final = "The web CA ends within a month: make a new one with 'watchlink fleet web-ca --replace'."
_LABEL: Final = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST: Final = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_SHARED: Final = frozenset(
    f"{second}.uk" for second in ("ac", "co", "gov", "ltd", "me", "net", "nhs", "org", "plc", "police", "sch")
)
"""Where anybody may have a name: a root for one of these could play all of them."""


def clean_domain(text: str) -> str:
    """A domain in small letters, without a dot at its end.

    Raises:
        FleetInputError: not a domain of one organisation's own.
    """
    domain = text.strip().lower().removesuffix(".")
    if len(domain) > DOMAIN_CHARS_MAX or not _HOST.fullmatch(domain) or _is_address(domain):
        raise FleetInputError(
            f"{text!r} is not a domain: write it like town.example.org, in plain letters (xn--… for others)."
        )
    if domain.endswith(f".{LOCAL}"):
        raise FleetInputError(
            f"{domain} is a name that any machine may give itself, and units' pages have such names. Give the town's"
            " own domain, like watch.town.gov.uk."
        )
    if "." not in domain or domain in _SHARED:
        raise FleetInputError(f"{domain} belongs to many. Give the town's own domain, like watch.town.gov.uk.")
    return domain


def clean_names(names: Sequence[str], domain: str) -> tuple[str, ...]:
    """Names and addresses of one machine, each once, as they stand in a certificate.

    Raises:
        FleetInputError: none given, or one that browsers would refuse from this CA.
    """
    if not names:
        raise FleetInputError("Give the machine's name or address, as people type it into the browser.")
    return tuple(dict.fromkeys(_clean_name(name, domain) for name in names))


def create_web_authority(town: str, domain: str, now: datetime) -> CertificateAuthority:
    """A new web CA for ``domain``, valid for ten years from ``now`` (aware).

    Args:
        town: for people, in the list of roots on their machines.
        domain: as :func:`clean_domain` gives it.
        now: start of its life; it is backdated by a day.
    """
    permitted: list[x509.GeneralName] = [x509.DNSName(domain), x509.DNSName(LOCALHOST), x509.DNSName(LOCAL)]
    permitted += [x509.IPAddress(network) for network in NETWORKS]
    more: dict[x509.ExtensionType, bool] = {
        x509.NameConstraints(permitted_subtrees=permitted, excluded_subtrees=None): True,
        # For servers alone: it makes no certificates for people, e-mail or programs.
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]): False,
    }
    return CertificateAuthority.signed_by_itself(f"Watchlink pages of {town}"[:64], now, more, path_length=1)


def create_page_issuer(
    ca: CertificateAuthority, now: datetime, *, domain: str, others: Sequence[str] = ()
) -> CertificateAuthority:
    """An issuer below the web CA for the pages of units in shops, which the office's machine port is given (ADR 0038).

    It can speak for names that end with ``.local`` and for private addresses other than a machine's own, and neither
    for the town's domain, nor for the ``others``, nor for the internet.

    Args:
        ca: the web CA.
        now: start of its life, aware.
        domain: the town's. One from before :func:`clean_domain` refused it may end with ``.local``.
        others: names and addresses of pages that are not units': central's and the office's.

    Raises:
        FleetDamagedError: the CA was made before it could sign an issuer, or ends within a month.
    """
    constraints = ca.certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    if constraints.path_length == 0:
        raise FleetDamagedError(
            "This town's web CA is from before units had pages of their own, and can sign no issuer of them: make a new"
            " one with 'watchlink fleet web-ca --replace'. Then each page needs a new certificate, and each PC the new"
            " root."
        )
    life = min(ISSUER_LIFE, ca.certificate.not_valid_after_utc - now)
    if life < timedelta(days=31):
        raise FleetDamagedError(_ENDS)
    permitted: list[x509.GeneralName] = [x509.DNSName(LOCAL), *map(x509.IPAddress, PRIVATE_NETWORKS)]
    excluded: list[x509.GeneralName] = [x509.DNSName(domain)]
    excluded += [x509.IPAddress(ipaddress.ip_network(one)) for one in addresses_in(others)]
    more: dict[x509.ExtensionType, bool] = {
        x509.NameConstraints(permitted_subtrees=permitted, excluded_subtrees=excluded): True,
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]): False,
    }
    return ca.create_intermediate("Watchlink pages in shops", more, now, life)


def issue_page_certificate(ca: CertificateAuthority, names: Sequence[str], now: datetime) -> IssuedCertificate:
    """A certificate for a machine's pages, valid for each of ``names``, for 397 days at most.

    Raises:
        FleetDamagedError: the CA ends within a month.
    """
    life = min(PAGE_LIFE, ca.certificate.not_valid_after_utc - now)
    if life < timedelta(days=31):
        raise FleetDamagedError(_ENDS)
    # The name for people has a space, so that no verifier takes it for a host name and applies the constraint.
    return issue_server_certificate(ca, names, now=now, life=life, common_name=f"Watchlink page {names[0]}"[:64])


def fingerprint(ca: CertificateAuthority) -> str:
    """SHA-256 of the root's certificate, 64 hexadecimal digits."""
    return ca.certificate.fingerprint(hashes.SHA256()).hex()


def addresses_in(names: Sequence[str]) -> tuple[str, ...]:
    """Those of a page's names that are addresses, each once."""
    return tuple(dict.fromkeys(filter(_is_address, names)))


def spaced(digest: str) -> str:
    """A fingerprint as browsers and systems show it: pairs in capitals, with colons."""
    return ":".join(digest[at : at + 2] for at in range(0, len(digest), 2)).upper()


def _clean_name(text: str, domain: str) -> str:
    name = text.strip().lower().removesuffix(".")
    try:
        address = ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        pass
    else:
        if any(address in network for network in NETWORKS if network.version == address.version):
            return str(address)
        raise FleetInputError(f"{address} is not a private address: this CA may not speak for it. {_allowed(domain)}")
    if not _HOST.fullmatch(name) or len(name) > DOMAIN_CHARS_MAX:
        raise FleetInputError(f"{text!r} is not the name or address of one machine. {_allowed(domain)}")
    if name not in {LOCALHOST, domain} and not name.endswith(f".{domain}"):
        raise FleetInputError(f"{name} is not in {domain}: browsers would refuse the certificate. {_allowed(domain)}")
    return name


def _allowed(domain: str) -> str:
    return f"Allowed are {domain}, names that end with .{domain}, private addresses and {LOCALHOST}."


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
