"""``watchlink node install``: puts a unit's programs, rights and identity in place, and does nothing twice."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from msgspec import Struct
from msgspec.structs import replace

from installation import node_places
from installation.authority import authority_of
from installation.drop_in import drop_in_of
from installation.errors import InstallError, PackError
from installation.files import Change, Record, Wanted, alone, load_record, read, save_record, sweep
from installation.machine import Machine
from installation.node_pack import CERTIFICATE, FILES, Identity, identity_of
from installation.places import PROGRAM, shipped
from installation.private_keys import public_part
from installation.services import SYSTEM, Service, run_services
from installation.steps import (
    Say,
    changes_of,
    make_users_and_folders,
    note_changes,
    put_all,
    settle_pairs,
    want_programs,
)
from runtime.atomic import PRIVATE, PUBLIC
from wire.directory import Directory, open_directory
from wire.directory_succession import newest
from wire.errors import WireError
from wire.ids import NodeId, node_text, parse_node
from wire.seed import SEED_FILE, SeedError, decode_seed
from wire.signing import PublicKey

EXECUTABLE: Final = 0o755
_BEGINNING: Final = datetime.min.replace(tzinfo=UTC)


class Unit(Struct, frozen=True):
    """What this machine is to be.

    Attributes:
        node: which node.
        files: of its identity, or the seed with which it will claim it.
        toml: its configuration, as far as it is known.
        gallery: its gallery's, likewise; empty = it has none.
        services: to be run.
    """

    node: NodeId
    files: list[Wanted]
    toml: dict[str, Any]
    gallery: dict[str, Any]
    services: tuple[Service, ...]


def install_node(machine: Machine, given: Mapping[str, bytes], say: Say, now: datetime | None = None) -> None:
    """Install, or bring up to date. ``say`` takes a sentence for each thing done.

    Args:
        machine: this one.
        given: a node's files by name, or a seed; none = those that are here.
        say: is told.
        now: aware; ``None`` = the system's clock.

    Raises:
        PackError: the files are not one node's, or this machine is another node. Nothing was changed.
        InstallError: it cannot go on.
    """
    with alone(machine):
        settle_pairs(machine, node_places.PAIRS)  # Of a run that was cut short, which has noted whom to tell.
        record = load_record(machine, node_places.RECORD)
        here = {name: data for name in FILES if (data := read(machine.path(f"{node_places.STATE}/{name}"))) is not None}
        unit = _claiming(machine, given, here) or _armed(machine, record, given, here, now or datetime.now(UTC))
        want_programs(machine, PROGRAM, node_places.packages(unit.toml))
        if node_places.has_pins(unit.toml):
            _want_pins(machine)
        ours = [
            Wanted(path, shipped(name), EXECUTABLE if path == node_places.ADOPT else PUBLIC, is_editable=True)
            for path, name in node_places.SHIPPED.items()
        ]
        services = unit.services
        if _is_announced(machine, unit):
            conf = node_places.avahi_conf(node_text(unit.node)).encode()
            drop_in = Wanted(f"{SYSTEM}/{node_places.AVAHI_DROP_IN}", shipped(node_places.AVAHI_DROP_IN), PUBLIC)
            ours += [Wanted(node_places.AVAHI_CONF, conf, PUBLIC, is_editable=True), drop_in]
            services = (*services, node_places.ANNOUNCER)
        tomls = {node_places.NODE_TOML: unit.toml, node_places.GALLERY_TOML: unit.gallery}
        for name, path, reach_of in node_places.CONFIGURED:
            ours += drop_in_of(machine, name, reach_of(tomls[path]), "node", say)
        files, system = changes_of(machine, record, unit.files), changes_of(machine, record, ours)
        sweep(machine, [*unit.files, *ours], node_places.RECORD)
        changed = note_changes(machine, record, [*system, *files], node_places.RECORD)
        put_all(machine, record, system, say)
        make_users_and_folders(machine, node_places.SETTINGS)
        put_all(machine, record, files, say)
        is_busy = bool(changed or system or files)
        if is_busy:  # Whatever fails from here on, these files are ours.
            save_record(machine, record, node_places.RECORD)
        is_busy |= run_services(machine, services, changed, say)
        if is_busy:
            record.unfinished = []
            save_record(machine, record, node_places.RECORD)
    is_claiming = unit.services[0].name == node_places.ENROL
    name = f"{node_text(unit.node)} {'is being claimed' if is_claiming else 'is here'}"
    say(f"Everything is in place: {name}." if is_busy else f"Nothing to do: everything is in place, {name}.")


def _want_pins(machine: Machine) -> None:
    if machine.path(node_places.PINS_LIBRARY).exists() or not machine.missing_packages((node_places.PINS_PACKAGE,)):
        return
    raise InstallError(
        f"The library for a Pi's pins is missing. On Raspberry Pi OS: apt install {node_places.PINS_PACKAGE}."
        " Debian 13 has no such package: use the image for a unit's card. Nothing was changed."
    )


def _is_announced(machine: Machine, unit: Unit) -> bool:
    """Whether the shop's network is told its name: it has a gallery, and the machine has what tells, and lets it."""
    has_gallery = any(one.name == node_places.GALLERY for one in unit.services)
    if not has_gallery or machine.missing_packages((node_places.AVAHI,)):
        return False
    return machine.run("systemctl", "is-enabled", node_places.AVAHI).text.strip() != "masked"


def _claiming(machine: Machine, given: Mapping[str, bytes], here: Mapping[str, bytes]) -> Unit | None:
    """With a seed; ``None`` = it is a node already, or is given all that one needs.

    Raises:
        PackError: the seed cannot be used, or this machine is another node.
    """
    data = given.get(SEED_FILE) or (None if given or "node.toml" in here else read(machine.path(node_places.SEED)))
    if data is None:
        return None
    try:
        seed = decode_seed(data)
        node, authority = parse_node(seed.node), PublicKey(bytes.fromhex(seed.authority))
    except SeedError as e:
        raise PackError(e.sentence) from e
    known = _known(here)
    if known is not None:
        _refuse_another(known, (node, authority))
        return None  # It has done its work.
    services = node_places.CLAIMING if seed.office is None else node_places.CLAIMING_WITH_GALLERY
    # Most towns have all of it on one machine. Where the broker is elsewhere, 'node install' says so afterwards.
    address = {"host": seed.enrolment.host}
    toml = {"hardware": {"profile": "fake"}, "mqtt": address, "enrolment": address}
    gallery = {} if seed.office is None else {"office": {"host": seed.office.host}}
    return Unit(node, [Wanted(node_places.SEED, data, PRIVATE)], toml, gallery, services)


def _armed(
    machine: Machine, record: Record, given: Mapping[str, bytes], here: Mapping[str, bytes], now: datetime
) -> Unit:
    """With an identity.

    Raises:
        PackError: the files are not one node's, or this machine is another node.
    """
    identity = _identity({name: data for name, data in given.items() if name in FILES}, here, now)
    files = [_file(name, identity.files[name]) for name in FILES]
    toml = _toml_in_force(machine, identity, changes_of(machine, record, files))
    if not machine.path(node_places.GALLERY_TOML).exists():
        return Unit(identity.node, files, toml, {}, node_places.SERVICES)
    return Unit(identity.node, files, toml, _read_toml(machine, node_places.GALLERY_TOML), node_places.WITH_GALLERY)


def _identity(given: Mapping[str, bytes], here: Mapping[str, bytes], now: datetime) -> Identity:
    """What is to be here: of what was given and what is here, the newer.

    Raises:
        PackError: they do not belong together.
    """
    taken = dict(given)
    if _began_at(here) > _began_at(given):
        for name in CERTIFICATE:  # The node has a newer one.
            taken.pop(name, None)
    identity = identity_of({**here, **taken}, now if "client.pem" in taken else _BEGINNING)
    known = _known(here)
    if known is not None:
        _refuse_another(known, (identity.node, identity.authority))
    kept = _directory(here, identity)
    if kept is not None and newest(identity.directory, kept) is kept:
        return replace(identity, files={**identity.files, "directory.json": here["directory.json"]})
    return identity


def _refuse_another(known: tuple[NodeId, PublicKey], wanted: tuple[NodeId, PublicKey]) -> None:
    if known != wanted:
        raise PackError(
            f"This machine is the unit {node_text(known[0])}; this is for {node_text(wanted[0])}, or another town."
            f" Nothing was changed. To make it another unit: 'systemctl stop {node_places.UNIT}', move"
            f" {node_places.STATE} away, and run this again."
        )


def _toml_in_force(machine: Machine, identity: Identity, changes: Iterable[Change]) -> dict[str, Any]:
    """The configuration as it will be: an engineer's own is kept."""
    if any(change.wanted.path == node_places.NODE_TOML and change.how != "kept" for change in changes):
        return identity.toml
    return _read_toml(machine, node_places.NODE_TOML)


def _read_toml(machine: Machine, path: str) -> dict[str, Any]:
    try:
        return tomllib.loads(machine.path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as e:
        raise InstallError(f"{path} cannot be read: {e}. Mend or delete it. Nothing was changed.") from e


def _known(here: Mapping[str, bytes]) -> tuple[NodeId, PublicKey] | None:
    """Whose machine it is; ``None`` = nobody's yet, as far as can be read."""
    try:
        node = parse_node(str(tomllib.loads(here["node.toml"].decode("utf-8"))["identity"]["node"]))
        return node, authority_of(here["authority.pub"])
    except (KeyError, TypeError, ValueError, WireError):
        return None


def _began_at(files: Mapping[str, bytes]) -> datetime:
    try:
        certificate = x509.load_pem_x509_certificates(files["client.pem"])[0]
        key = serialization.load_pem_private_key(files["client.key"], password=None)
    except (KeyError, ValueError):
        return _BEGINNING
    # Of a power cut between the two: worth nothing.
    is_whole = public_part(certificate.public_key()) == public_part(key.public_key())
    return certificate.not_valid_before_utc if is_whole else _BEGINNING


def _directory(here: Mapping[str, bytes], identity: Identity) -> Directory | None:
    try:
        return open_directory(here["directory.json"], identity.authority)
    except (KeyError, WireError):
        return None


def _file(name: str, data: bytes) -> Wanted:
    mode = PRIVATE if name.endswith(".key") else PUBLIC
    return Wanted(f"{node_places.STATE}/{name}", data, mode, is_editable=name == "node.toml")
