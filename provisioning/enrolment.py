"""The folder of the enrolment service: what it needs to sign for nodes, nothing that could make a central (ADR 0030).

It travels like the folders of broker and central. Of the town's secrets it has the key of the nodes' issuer alone.
"""

from __future__ import annotations

import ipaddress
import json
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from msgspec import Struct

from provisioning.certificates import issue_server_certificate
from provisioning.errors import FleetDamagedError, FleetInputError
from provisioning.folder import FleetFolder
from provisioning.issuers import has_issuers, server_issuer
from provisioning.layout import FOLDER
from provisioning.records import FleetRecord
from runtime.atomic import PRIVATE, PUBLIC, write_atomic
from wire.seed import ENROLMENT_PORT
from wire.subjects import NODES

CONFIGURATION: Final = "enrol.toml"


class Served(Struct, frozen=True):
    """Where nodes find the service.

    Attributes:
        hosts: its addresses and names; seeds name the first.
        port: its port.
    """

    hosts: tuple[str, ...]
    port: int

    def __str__(self) -> str:
        """For people."""
        return f"{' and '.join(self.hosts)}, port {self.port}"


def served(folder: FleetFolder) -> Served | None:
    """Where nodes find the service now; ``None`` = there is none yet.

    Raises:
        FleetDamagedError: its folder does not say.
    """
    own = folder.layout.enrolment
    if not own.is_dir():
        return None
    try:
        certificate = x509.load_pem_x509_certificates((own / "server.pem").read_bytes())[0]
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        settings: dict[str, Any] = tomllib.loads((own / CONFIGURATION).read_text("utf-8"))
        port = int(settings.get("web", {}).get("port", ENROLMENT_PORT))
        return Served(tuple(str(name.value) for name in names), port)
    except (OSError, ValueError, AttributeError, TypeError, x509.ExtensionNotFound) as e:
        raise FleetDamagedError(f"{own} does not say where the enrolment service is ({e}).") from e


def left_behind(record: FleetRecord, before: Served, after: Served) -> tuple[str, ...]:
    """The nodes that look for the service where it will not be any more: they renew where their card said.

    Those of a card that was written and is not collected yet are among them.
    """
    if before.port == after.port and set(before.hosts) <= set(after.hosts):
        return ()
    claimed = (node.node for node in record.nodes if not node.certificates and node.revoked_at is None)
    return (*claimed, *(claim.node for claim in record.claims))


def open_enrolment(
    folder: FleetFolder,
    hosts: Sequence[str],
    port: int | None = None,
    bind: str = "",
    *,
    is_beside_central: bool | None = None,
) -> Path:
    """Make the folder, or renew its certificates. Once its ``enrol.toml`` is there, only another port changes it.

    Args:
        folder: the fleet's.
        hosts: the service's addresses and names, as seeds name them; at least one.
        port: its port; ``None`` = as it was, and for a new one :data:`wire.seed.ENROLMENT_PORT`.
        bind: the address that it listens on; empty = the first host, if that is an address of this machine's loopback,
            else all.
        is_beside_central: it runs on central's machine, and its files travel there with central's; ``None`` = as it
            was, and for a new one: yes.

    Returns the folder. The delegate's key is not in it: the service's machine makes that, and it never leaves there.

    Raises:
        FleetInputError: the fleet has no issuers yet, no host is given, or an engineer's ``enrol.toml`` has no line
            for the port.
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
        config = own / CONFIGURATION
        if not config.exists():
            listens = bind or _bind(hosts[0])
            toml = enrol_toml(record.broker.host, record.broker.port, listens, ENROLMENT_PORT if port is None else port)
        else:
            toml = config.read_bytes() if port is None else _with_port(config, port)
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
        write_atomic(config, toml, PUBLIC)
        if is_beside:
            write_atomic(layout.beside_central, _MARK, PUBLIC)
        else:
            layout.beside_central.unlink(missing_ok=True)
    return own


_MARK: Final = b"While this file is here, 'watchlink fleet pack' hands this folder over to central's machine.\n"


def _with_port(config: Path, port: int) -> bytes:
    text = config.read_text("utf-8")
    changed, count = _PORT.subn(rf"\g<1>{port}", text)
    try:
        if count == 1 and tomllib.loads(changed)["web"]["port"] == port:
            return changed.encode()
    except (ValueError, KeyError, TypeError):
        pass
    raise FleetInputError(f"{config} has no line 'port = …' in [web]: write port = {port} there yourself.")


_PORT: Final = re.compile(r"(?m)^(\[web\]\n(?:[^\[\n].*\n|\n)*?port\s*=\s*)\d+")


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
