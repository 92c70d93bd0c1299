"""Makes a new fleet folder, whole or not at all."""

from __future__ import annotations

import ipaddress
import os
import pwd
import secrets
import shutil
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from msgspec import Struct

from provisioning.authorities import make_root
from provisioning.certificates import issue_client_certificate, issue_server_certificate
from provisioning.errors import FleetError, FleetInputError
from provisioning.folder import FleetFolder
from provisioning.layout import ALERTS, CENTRAL_TEXT, FOLDER, Layout, authority_text, central_toml
from provisioning.records import (
    BrokerRecord,
    CentralRecord,
    FleetRecord,
    clean_name,
    clean_scheme,
    encode_record,
    remember,
)
from runtime.atomic import PRIVATE, PUBLIC, sync_folder, write_atomic
from wire.directory import SchemeEntry
from wire.ids import CENTRAL_ALERTS_CLIENT, FIRST_PREMISES_NODE
from wire.signing import KEY_BYTES, SigningKey

PORT_MAX: Final = 0xFFFF
LOCAL_NAMES: Final = ("localhost", "127.0.0.1", "::1")
"""The broker's certificate is valid for these too, so that a proof can be made on its own machine."""


class Plan(Struct, frozen=True):
    """The wanted fleet, unchecked; see :meth:`provisioning.fleet.Fleet.init`."""

    schemes: Mapping[str, str]
    host: str
    port: int
    bind: str
    web_port: int
    broker_folder: str
    broker_user: str


def found(town: Path, plan: Plan, clock: Callable[[], datetime]) -> None:
    """Make the folder ``town``: built beside its place, then renamed.

    Raises:
        FleetInputError: the folder is taken, or part of the plan cannot be used.
        FleetError: the disk refused.
    """
    if town.exists() and (not town.is_dir() or any(town.iterdir())):
        raise FleetInputError(f"{town} is taken and is not overwritten: choose a new or empty folder.")
    schemes, broker = _schemes(plan), _broker(plan)
    now = clock()
    staging = Layout(town.with_name(f".{town.name}.{secrets.token_hex(4)}"))
    try:
        town.parent.mkdir(parents=True, exist_ok=True)
        staging.town.mkdir(mode=FOLDER)
        staging.create()
        root = make_root(staging, town.name, (), now)
        authority_public = _write_authority(staging)
        server = issue_server_certificate(root.services, (broker.host, *LOCAL_NAMES), now=now)
        client = issue_client_certificate(root.services, CENTRAL_TEXT, now=now)
        alerts = issue_client_certificate(root.services, CENTRAL_ALERTS_CLIENT, now=now)
        seed = secrets.token_bytes(KEY_BYTES)
        staging.write_certificate(staging.broker, "server", server)
        staging.write_identity(staging.central, client, seed, root.certificate_pem, authority_public)
        staging.write_certificate(staging.central, ALERTS, alerts)
        write_atomic(staging.central / "central.toml", central_toml(broker, plan.web_port).encode(), PUBLIC)
        record = FleetRecord(
            created_at=now,
            schemes=schemes,
            broker=broker,
            broker_certificates=(remember(server),),
            central=CentralRecord(
                key=SigningKey(seed).public.raw.hex(),
                certificates=(remember(client),),
                web_port=plan.web_port,
                alerts_certificates=(remember(alerts),),
                signs=True,
            ),
            next_node=FIRST_PREMISES_NODE,
            directory_serial=1,
            directory_issued_at=now,
            issuers=root.records,
        )
        write_atomic(staging.record, encode_record(record), PUBLIC)
        folder = FleetFolder(staging, record, clock)
        folder.publish(final=Layout(town))
        folder.publish_crl()
        staging.town.replace(town)
        sync_folder(town.parent)
    except OSError as e:
        raise FleetError(f"The fleet could not be made in {town}: {e.strerror or e}.") from e
    finally:
        shutil.rmtree(staging.town, ignore_errors=True)


def _write_authority(layout: Layout) -> bytes:
    seed = secrets.token_bytes(KEY_BYTES)
    public = authority_text(SigningKey(seed))
    write_atomic(layout.authority / "authority.key", seed.hex().encode() + b"\n", PRIVATE)
    write_atomic(layout.authority / "authority.pub", public, PUBLIC)
    return public


def _schemes(plan: Plan) -> tuple[SchemeEntry, ...]:
    if not plan.schemes:
        raise FleetInputError("A fleet needs at least one scheme.")
    return tuple(clean_scheme(slug, name, number) for number, (slug, name) in enumerate(plan.schemes.items(), start=1))


def _broker(plan: Plan) -> BrokerRecord:
    for what, port in (("broker", plan.port), ("web", plan.web_port)):
        if not 1 <= port <= PORT_MAX:
            raise FleetInputError(f"{port} is not a valid {what} port: use 1 to {PORT_MAX}.")
    for what, value in (("address", plan.bind), ("folder", plan.broker_folder), ("user", plan.broker_user)):
        # These become lines of the broker's configuration.
        if not value.isprintable():
            raise FleetInputError(f"The broker's {what} has characters that cannot be in a configuration file.")
    return BrokerRecord(
        host=clean_name(plan.host, "broker's host"),
        port=plan.port,
        bind=plan.bind or _bind_address(plan.host),
        user=plan.broker_user or _own_name(),
        folder=plan.broker_folder,
        reads="subject",
    )


def _own_name() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # a user without an account cannot become another, so the broker never uses the name
        return str(os.geteuid())


def _bind_address(host: str) -> str:
    if host == "localhost":
        return "127.0.0.1"
    try:
        return str(ipaddress.ip_address(host))
    except ValueError as e:
        raise FleetInputError(
            f"{host!r} is a name: give the address to listen on with --broker-bind (0.0.0.0 for all)."
        ) from e
