"""Renews what is due of the certificates of central, broker, office's publisher and enrolment service (ADR 0031).

The daily timer on the fleet's machine runs it, so only those are renewed whose new files the same way brings where they
are read. The others are told by ``watchlink fleet list``, and renewed by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from cryptography import x509
from msgspec import Struct

from provisioning.enforcement import probe_of
from provisioning.enrolment import open_enrolment, served
from provisioning.errors import BrokerUnprovenError, FleetDamagedError, FleetError
from provisioning.fleet import BROKER, CENTRAL, OFFICE, Fleet
from provisioning.folder import FleetFolder
from provisioning.layout import ALERTS, ENROLMENT
from runtime.key_pair import KeyPair, PairError, check_pair
from wire.renewal import BACKDATED, Life, renewal_at
from wire.subjects import SERVICES

NAMES: Final = {
    CENTRAL: "central",
    ALERTS: "central's connection for alerts",
    BROKER: "the broker",
    OFFICE: "the office's publisher",
    ENROLMENT: "the enrolment service",
}
_TOGETHER: Final = frozenset({CENTRAL, ALERTS})
"""Of one program, which is restarted for them."""


class Renewed(Struct, frozen=True):
    """What came of it.

    Attributes:
        services: who has a new certificate.
        troubles: why others that are due have none, in sentences.
    """

    services: tuple[str, ...] = ()
    troubles: tuple[str, ...] = ()


def due(lives: Mapping[str, Life | None], now: datetime) -> tuple[str, ...]:
    """Who is to get a new certificate now. Pure.

    From half the life on, at the moment that :func:`wire.renewal.renewal_at` has for this certificate: asked every day,
    the answer changes once.

    What is not valid yet is due at once: it was made while the clock here was ahead, and everybody refuses it.

    Args:
        lives: by whose it is; ``None`` = what lies there is no certificate with its key.
        now: aware.
    """
    ripe = {who for who, life in lives.items() if life is None or now >= renewal_at(life, who)}
    ripe |= {who for who, life in lives.items() if life is not None and now < life.begins_at - BACKDATED}
    if ripe & _TOGETHER:
        ripe |= _TOGETHER
    return tuple(who for who in lives if who in ripe)


def brought(folder: FleetFolder) -> tuple[str, ...]:
    """Whose new files are brought to where they are read, together with the broker's.

    The office's publisher has one if it serves another machine. It is at the broker's address, or on a machine that
    nothing is brought to.
    """
    record, found = folder.record, [CENTRAL]
    if record.central.alerts_certificates:
        found.append(ALERTS)
    found.append(BROKER)
    if record.office.certificates and record.office.host == record.broker.host:
        found.append(OFFICE)
    if folder.layout.beside_central.exists():
        found.append(ENROLMENT)
    return tuple(found)


def renew_due(fleet: Fleet) -> Renewed:
    """Renew what is due, each as the command for one does. The old ones stay valid until they expire.

    What was interrupted is due again: the files count, and not the record.
    """
    folder = fleet.folder
    with folder.changing():
        lives = {who: _life(folder.layout.service_pairs[who]) for who in brought(folder)}
    services, troubles = [], []
    for who in due(lives, fleet.now()):
        try:
            _renew(fleet, who)
        except FleetError as e:
            troubles.append(f"The certificate of {NAMES[who]} is due and was not renewed: {e}")
        else:
            services.append(who)
    return Renewed(tuple(services), tuple(troubles))


def check_shown(fleet: Fleet) -> None:
    """See that the running broker shows its newest certificate.

    Raises:
        BrokerUnprovenError: it does not.
    """
    probe = probe_of(fleet.folder)
    try:
        shown = x509.load_der_x509_certificate(probe.shown())
    except (OSError, ValueError) as e:
        raise BrokerUnprovenError(f"The broker at {probe.host}:{probe.port} shows no certificate: {e}.") from e
    if f"{shown.serial_number:x}" != fleet.record.broker_certificates[-1].serial:
        raise BrokerUnprovenError(
            f"The broker at {probe.host}:{probe.port} still shows an older certificate, until"
            f" {shown.not_valid_after_utc:%Y-%m-%d}: after that no unit can connect. Restart it: 'systemctl restart"
            " mosquitto'."
        )


def _renew(fleet: Fleet, who: str) -> None:
    now = fleet.now()
    if now < fleet.issuer(SERVICES).certificate.not_valid_before_utc:
        raise FleetError(f"the clock here says {now:%Y-%m-%d}, before this town was: set it right ('timedatectl').")
    if who != ENROLMENT:
        fleet.renew(who)
        return
    known = served(fleet.folder)
    if known is None:
        raise FleetDamagedError("Its folder is missing: 'watchlink fleet enrolment'.")
    open_enrolment(fleet.folder, known.hosts)


def _life(pair: KeyPair) -> Life | None:
    try:
        own = check_pair(pair.certificate_file.read_bytes(), pair.key_file.read_bytes())[0]
    except (OSError, PairError):
        return None
    return Life(own.not_valid_before_utc + BACKDATED, own.not_valid_after_utc)
