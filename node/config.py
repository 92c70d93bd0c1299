"""``node.toml``, read once and checked whole: frozen objects, loaded keys, every mistake in one sentence.

Two kinds of trouble are kept apart. A mistake that makes an alert impossible, or is a slip of the pen (an unknown key,
a missing file, an invalid signing key), ends the program with a :class:`~runtime.config.ConfigError`. One that only
costs the network (a certificate that has expired, or of another CA or node) goes into :attr:`NodeConfig.link_problem`:
the node still arms, and says so.
"""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from msgspec import Struct

from node.core.settings import Settings, Timing
from node.fleet_settings import FleetSettings
from node.radio_config import RadioConfig, RadioTable, radio_config
from runtime.config import ConfigError, load_toml
from runtime.mqtt_link import LinkSettings
from wire.directory import Directory, open_directory
from wire.errors import DirectoryError
from wire.ids import CENTRAL, NodeId, node_text, parse_node
from wire.limits import NAME_CHARS_MAX, SCHEMES_PER_NODE_MAX
from wire.seed import ENROLMENT_PORT
from wire.signing import KEY_BYTES, PublicKey, SigningKey

Scheme = Annotated[int, msgspec.Meta(ge=1, le=0xFFFF)]
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=NAME_CHARS_MAX)]


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """Base of the tables."""


class IdentityTable(Table, frozen=True, kw_only=True):
    """``[identity]``: who this node is."""

    node: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{8}$")]
    """Eight hexadecimal digits; the certificate's common name."""
    premises: _Name
    """The premises' name, on its own screen."""
    place: Annotated[str, msgspec.Meta(max_length=NAME_CHARS_MAX)] = ""
    """Where it is."""
    schemes: Annotated[tuple[Scheme, ...], msgspec.Meta(min_length=1, max_length=SCHEMES_PER_NODE_MAX)]
    """Numbers of its schemes, as in the directory."""
    signing_key_file: str
    """32-byte Ed25519 seed as 64 hexadecimal digits."""
    authority_file: str
    """The authority's public key, likewise."""
    directory_file: str
    """The first directory; newer ones are kept in the state folder."""


class HardwareTable(Table, frozen=True, kw_only=True):
    """``[hardware]``: what is built in."""

    profile: str = "ssd1309-128x64"
    """See docs/hardware.md."""
    fake_socket: str = ""
    """Profile ``fake``: the Unix socket of the fake board."""


class AlertsTable(Table, frozen=True, kw_only=True):
    """``[alerts]``: how pressing works here."""

    silent_attack: bool = False
    """Attack leaves the idle face and makes no sound (N4)."""
    chord: bool = True
    """Attack and assist pressed together are an attack (N1)."""
    hold_ms: Annotated[int, msgspec.Meta(ge=200, le=5_000)] = 1_000
    """How long attack is held."""
    debounce_ms: Annotated[int, msgspec.Meta(ge=5, le=100)] = 20
    """How long a level must hold to count."""
    receipt_due_ms: Annotated[int, msgspec.Meta(ge=500, le=10_000)] = 2_000
    """After this without central's receipt the radio is due, or without a radio NOT DELIVERED is shown (N8)."""


class ClockTable(Table, frozen=True, kw_only=True):
    """``[clock]``: when the machine's time is believed."""

    proof: Literal["ntp", "machine"] = "ntp"
    """``ntp``: once the kernel says it is synchronised. ``machine``: always (a battery-backed clock)."""


class EnrolmentTable(Table, frozen=True, kw_only=True):
    """``[enrolment]``: where certificates are renewed."""

    host: Annotated[str, msgspec.Meta(max_length=253)] = ""
    """A name or an address; empty = an engineer carries certificates here."""
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = ENROLMENT_PORT


class SettingsTable(Table, frozen=True, kw_only=True):
    """``[settings]``: how long settings from the fleet are tried (ADR 0032)."""

    steady_ms: Annotated[int, msgspec.Meta(ge=1_000, le=600_000)] = Timing().settings_steady_ms
    """They are taken once all has worked for this long."""
    trial_ms: Annotated[int, msgspec.Meta(ge=2_000, le=3_600_000)] = Timing().settings_trial_ms
    """At most this long, then those of before count again."""


class GalleryTable(Table, frozen=True, kw_only=True):
    """``[gallery]``: the gallery on this unit (docs/gallery-socket.md)."""

    socket: Annotated[str, msgspec.Meta(max_length=256)] = ""
    """Unix socket at which the node listens for it; empty = there is no gallery."""
    user: Annotated[str, msgspec.Meta(max_length=32)] = ""
    """Its user; nobody else is heard. Empty = the node's own."""


class NodeFile(Table, frozen=True, kw_only=True):
    """The whole file."""

    state_dir: str = "state"
    """For SQLite; made if missing."""
    identity: IdentityTable
    mqtt: LinkSettings
    hardware: HardwareTable = HardwareTable()
    alerts: AlertsTable = AlertsTable()
    clock: ClockTable = ClockTable()
    radio: RadioTable = RadioTable()
    enrolment: EnrolmentTable = EnrolmentTable()
    settings: SettingsTable = SettingsTable()
    gallery: GalleryTable = GalleryTable()


class GalleryPlace(Struct, frozen=True):
    """Where the gallery is heard, and by which user id alone."""

    socket: Path
    user: int


class NodeConfig(Struct, frozen=True):
    """Everything the composition root needs, checked.

    Attributes:
        settings: for the core.
        link: with resolved paths.
        signing_key, authority: ours, and the one that signs directories.
        directory: the first directory, verified.
        state_dir, fake_socket: resolved; ``fake_socket`` ``None`` without one.
        profile: name of the hardware profile, not checked here.
        is_clock_trusted: believe the machine's clock without NTP.
        link_problem: why the broker will refuse us, in one sentence; empty if none is known.
        radio: the radio, with ``settings.radio`` made from it.
        enrolment: where certificates are renewed.
        warnings: problems that do no harm yet, a sentence each.
        fleet_settings: those from the fleet; the ones in force are in all of the above.
        gallery: ``None`` = there is none on this unit.
    """

    settings: Settings
    link: LinkSettings
    signing_key: SigningKey
    authority: PublicKey
    directory: Directory
    state_dir: Path
    profile: str
    fake_socket: Path | None
    is_clock_trusted: bool
    link_problem: str
    radio: RadioConfig
    warnings: tuple[str, ...]
    fleet_settings: FleetSettings
    enrolment: EnrolmentTable = EnrolmentTable()
    gallery: GalleryPlace | None = None


EXPIRES_SOON_DAYS: Final = 14


def load_config(path: Path, version: str, now: datetime | None = None, *, is_start: bool = False) -> NodeConfig:
    """Read ``path`` and every file it names.

    Args:
        path: ``node.toml``; the paths in it are relative to its folder.
        version: the program's.
        now: aware; the machine's clock if ``None``.
        is_start: the node starts with it: settings from the fleet that are to be tried are tried.

    Raises:
        ConfigError: unusable; the message names file and key and says what is allowed.
    """
    file = load_toml(path, NodeFile)
    folder = path.absolute().parent
    node = _node(path, file.identity)
    seed = _hex_key(path, "identity.signing_key_file", folder / file.identity.signing_key_file)
    authority_raw = _hex_key(path, "identity.authority_file", folder / file.identity.authority_file)
    try:
        authority = PublicKey(authority_raw)
    except ValueError as e:
        raise ConfigError(f"{path}: key identity.authority_file: not an Ed25519 public key") from e
    signing_key = SigningKey(seed)
    directory = _directory(path, folder / file.identity.directory_file, authority)
    link = file.mqtt.resolved(folder)
    problem, soon = check_certificate(path, link, node, now or datetime.now(UTC))
    schemes = tuple(sorted(file.identity.schemes))
    if len(set(schemes)) != len(schemes):
        raise ConfigError(f"{path}: key identity.schemes: a scheme is listed twice")
    state_dir = folder / file.state_dir
    fleet_settings = FleetSettings(state_dir, authority, file)
    if is_start:
        fleet_settings.begin()
    file = fleet_settings.applied(lambda tried: radio_config(path, tried.radio, folder, state_dir))
    alerts, tried = file.alerts, file.settings
    radio = radio_config(path, file.radio, folder, state_dir)
    gallery, no_gallery = _gallery(path, file.gallery, folder)
    return NodeConfig(
        settings=Settings(
            node=node,
            premises=file.identity.premises,
            place=file.identity.place,
            scheme_numbers=schemes,
            is_attack_silent=alerts.silent_attack,
            is_chord_enabled=alerts.chord,
            version=version,
            timing=Timing(
                hold_ms=alerts.hold_ms,
                debounce_ms=alerts.debounce_ms,
                receipt_due_ms=alerts.receipt_due_ms,
                settings_steady_ms=tried.steady_ms,
                settings_trial_ms=tried.trial_ms,
            ),
            radio=radio.settings,
            has_gallery=gallery is not None,
        ),
        link=link,
        signing_key=signing_key,
        authority=authority,
        directory=directory,
        state_dir=state_dir,
        profile=file.hardware.profile,
        fake_socket=folder / file.hardware.fake_socket if file.hardware.fake_socket else None,
        is_clock_trusted=file.clock.proof == "machine",
        link_problem=problem,
        radio=radio,
        warnings=(
            *soon,
            *no_gallery,
            *check_directory(directory, node, schemes, signing_key),
            *_check_secrecy(folder / file.identity.signing_key_file, Path(link.key_file)),
        ),
        enrolment=file.enrolment,
        fleet_settings=fleet_settings,
        gallery=gallery,
    )


def _gallery(path: Path, table: GalleryTable, folder: Path) -> tuple[GalleryPlace | None, tuple[str, ...]]:
    """Where it is heard, and why it is not: the button works without it."""
    if not table.socket:
        return None, ()
    try:
        user = pwd.getpwnam(table.user).pw_uid if table.user else os.geteuid()
    except KeyError:
        return None, (f"{path}: key gallery.user: this machine has no user {table.user}, so no gallery is heard",)
    return GalleryPlace(folder / table.socket, user), ()


def _node(path: Path, identity: IdentityTable) -> NodeId:
    if int(identity.node, 16) in (0, CENTRAL):
        raise ConfigError(f"{path}: key identity.node: {identity.node} is not a node's id (00000002 … ffffffff)")
    return parse_node(identity.node)


def _read(path: Path, key: str, file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as e:
        raise ConfigError(f"{path}: key {key}: {file} cannot be read: {e.strerror}") from e


def _hex_key(path: Path, key: str, file: Path) -> bytes:
    text = _read(path, key, file).strip()
    try:
        raw = bytes.fromhex(text.decode("ascii"))
    except (ValueError, UnicodeDecodeError):
        raw = b""
    if len(raw) != KEY_BYTES:
        # Never quote the file's content: it may be a secret.
        raise ConfigError(f"{path}: key {key}: {file} does not hold 64 hexadecimal digits")
    return raw


def _directory(path: Path, file: Path, authority: PublicKey) -> Directory:
    try:
        return open_directory(_read(path, "identity.directory_file", file), authority)
    except DirectoryError as e:
        raise ConfigError(
            f"{path}: key identity.directory_file: {file} is not a directory signed by the authority ({e.reason})"
        ) from e


def check_certificate(path: Path, link: LinkSettings, node: NodeId, now: datetime) -> tuple[str, tuple[str, ...]]:
    """Problem with our certificate now, and a warning about its expiry.

    Raises:
        ConfigError: a file cannot be read.
    """
    file, ca_file = Path(link.certificate_file), Path(link.ca_file)
    _read(path, "mqtt.key_file", Path(link.key_file))
    pems = _read(path, "mqtt.certificate_file", file), _read(path, "mqtt.ca_file", ca_file)
    try:
        (ours, *between), roots = map(x509.load_pem_x509_certificates, pems)
    except ValueError:
        return f"{file} or {ca_file} is not a PEM certificate", ()
    names = [str(attribute.value) for attribute in ours.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)]
    if names != [node_text(node)]:
        owner = ", ".join(names) or "nobody"
        return f"{file}: is the certificate of {owner}, not of this node, {node_text(node)}", ()
    chain = chain_to_root(ours, between, roots)
    if not chain:
        return f"{file}: is from another CA than ca_file", ()
    ends_at = min(certificate.not_valid_after_utc for certificate in chain)
    if now > ends_at:
        return f"{file}: expired on {ends_at:%d %b %Y}, by the clock here", ()
    # "Not yet valid" proves nothing: a node without a battery-backed clock starts in the past.
    days = (ends_at - now).days
    return "", (f"{file}: expires on {ends_at:%d %b %Y}, in {days} days",) * (days < EXPIRES_SOON_DAYS)


def chain_to_root(
    ours: x509.Certificate, between: Sequence[x509.Certificate], roots: Sequence[x509.Certificate]
) -> list[x509.Certificate]:
    """From our certificate to a root, by way of one issuer at most; empty = from another root."""
    for issuer in (None, *between):
        chain = [ours] if issuer is None else [ours, issuer]
        for root in roots:
            if all(_has_signed(upper, lower) for lower, upper in pairwise([*chain, root])):
                return [*chain, root]
    return []


def _has_signed(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def check_directory(
    directory: Directory, node: NodeId, schemes: tuple[int, ...], signing_key: SigningKey
) -> tuple[str, ...]:
    """Warnings only: a newer directory may be in the state folder, or on its way."""
    us = directory.senders.get(node)
    if us is None:
        return (f"the directory {directory.serial} does not know this node, {node_text(node)}",)
    found = []
    if us.key != signing_key.public:
        found.append(f"the directory {directory.serial} has another signing key for this node")
    if us.is_revoked:
        found.append(f"the directory {directory.serial} says that this node is revoked")
    if foreign := set(schemes) - us.schemes:
        numbers = ", ".join(map(str, sorted(foreign)))
        found.append(f"the directory {directory.serial} does not have this node in scheme {numbers}")
    return tuple(found)


def _check_secrecy(*files: Path) -> tuple[str, ...]:
    return tuple(
        f"{file}: others than its owner can read this key; chmod 600 it"
        for file in files
        if file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    )
