"""The folder of the enrolment service: what it needs to sign for nodes, nothing that could make a central (ADR 0030).

It travels like the folders of broker and central. Of the town's secrets it has the key of the nodes' issuer alone.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from provisioning.certificates import issue_server_certificate
from provisioning.errors import FleetInputError
from provisioning.folder import FleetFolder
from provisioning.issuers import has_issuers, server_issuer
from provisioning.layout import FOLDER
from runtime.atomic import PRIVATE, PUBLIC, write_atomic
from wire.seed import ENROLMENT_PORT
from wire.subjects import NODES


def open_enrolment(
    folder: FleetFolder,
    hosts: Sequence[str],
    port: int = ENROLMENT_PORT,
    bind: str = "",
    *,
    is_beside_central: bool | None = None,
) -> Path:
    """Make the folder, or renew its certificates. Its ``enrol.toml`` stays as it is once it is there.

    Args:
        folder: the fleet's.
        hosts: the service's addresses and names, as seeds name them; at least one.
        port: its port.
        bind: the address that it listens on; empty = the first host, if that is an address of this machine's loopback,
            else all.
        is_beside_central: it runs on central's machine, and its files travel there with central's; ``None`` = as it
            was, and for a new one: yes.

    Returns the folder. The delegate's key is not in it: the service's machine makes that, and it never leaves there.

    Raises:
        FleetInputError: the fleet has no issuers yet, or no host is given.
    """
    if not hosts:
        raise FleetInputError("Give --host: the address at which nodes find the enrolment service.")
    with folder.changing():
        record, layout = folder.record, folder.layout
        if not has_issuers(record):
            raise FleetInputError(
                "This fleet has one CA for everybody, which must not be online. Run 'watchlink fleet new-root' first."
            )
        own = layout.enrolment
        # One from before there was this mark was carried by hand, to whatever machine.
        is_beside = (
            is_beside_central if is_beside_central is not None else layout.beside_central.exists() or not own.exists()
        )
        for place in (own, own / "changed"):
            place.mkdir(mode=FOLDER, exist_ok=True)
        nodes = folder.issuer(NODES)
        write_atomic(own / "authority.pub", (layout.authority / "authority.pub").read_bytes(), PUBLIC)
        write_atomic(own / "ca.pem", folder.trust_pem(nodes), PUBLIC)
        write_atomic(own / "nodes.key", nodes.key_pem, PRIVATE)
        write_atomic(own / "nodes.pem", nodes.certificate_pem, PUBLIC)
        server = issue_server_certificate(
            folder.authority(server_issuer(record, folder.now()).name), hosts, now=folder.now()
        )
        layout.write_certificate(own, "server", server)
        config = own / "enrol.toml"
        if not config.exists():
            write_atomic(
                config, enrol_toml(record.broker.host, record.broker.port, bind or _bind(hosts[0]), port), PUBLIC
            )
        if is_beside:
            write_atomic(layout.beside_central, _MARK, PUBLIC)
        else:
            layout.beside_central.unlink(missing_ok=True)
    return own


_MARK: Final = b"While this file is here, 'watchlink fleet pack' hands this folder over to central's machine.\n"


def enrol_toml(broker_host: str, broker_port: int, bind: str, port: int) -> bytes:
    """The service's configuration."""
    return f"""\
# The enrolment service. Paths are relative to this folder; docs/configuration.md explains every key.
claims_file = "../claims.json"

[directory]
file = "../directory.json"

[broker]
host = {json.dumps(broker_host, ensure_ascii=False)}
port = {broker_port}

[web]
host = {json.dumps(bind)}
port = {port}
""".encode()


def _bind(host: str) -> str:
    try:
        return host if ipaddress.ip_address(host).is_loopback else "0.0.0.0"  # noqa: S104 - nodes are elsewhere
    except ValueError:
        return "0.0.0.0"  # noqa: S104
