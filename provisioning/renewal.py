"""New certificates in place of older ones. The caller holds the folder's lock.

Each is recorded before it is written, so that revoking misses none.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from provisioning.certificates import issue_client_certificate, issue_server_certificate
from provisioning.ended import ended
from provisioning.errors import FleetInputError
from provisioning.folder import FleetFolder
from provisioning.founding import LOCAL_NAMES
from provisioning.issuers import server_issuer
from provisioning.layout import ALERTS, CENTRAL_TEXT, FOLDER
from provisioning.records import NodeRecord, remember
from runtime.atomic import PUBLIC, write_atomic
from wire.ids import CENTRAL_ALERTS_CLIENT
from wire.subjects import NODES, SERVICES


def renew_nodes(folder: FleetFolder, nodes: Sequence[NodeRecord]) -> tuple[Path, ...]:
    """A new certificate for each of the nodes; returns the folders with them.

    Raises:
        FleetInputError: one is revoked; nothing was changed.
    """
    for node in nodes:
        if node.revoked_at is not None:
            raise FleetInputError(ended(folder.record, node, "renew"))
    issuer, now = folder.issuer(NODES), folder.now()
    issued = {node.node: issue_client_certificate(issuer, node.node, now=now) for node in nodes}
    changed = tuple(
        msgspec.structs.replace(node, certificates=(*node.certificates, remember(issued[node.node])))
        if node.node in issued
        else node
        for node in folder.record.nodes
    )
    folder.commit(msgspec.structs.replace(folder.record, nodes=changed))
    trust = folder.trust_pem(issuer)
    for name, client in issued.items():
        carried = folder.layout.node(name)
        carried.mkdir(mode=FOLDER, exist_ok=True)
        write_atomic(carried / "ca.pem", trust, PUBLIC)
        folder.layout.write_certificate(carried, "client", client)
    return tuple(folder.layout.node(name) for name in issued)


def renew_central(folder: FleetFolder, *, is_alerts: bool) -> None:
    """A new certificate for central, or for its connection for alerts."""
    name = CENTRAL_ALERTS_CLIENT if is_alerts else CENTRAL_TEXT
    client = issue_client_certificate(folder.issuer(SERVICES), name, now=folder.now())
    central = folder.record.central
    if is_alerts:
        known = (*central.alerts_certificates, remember(client))
        central = msgspec.structs.replace(central, alerts_certificates=known)
    else:
        central = msgspec.structs.replace(central, certificates=(*central.certificates, remember(client)))
    folder.commit(msgspec.structs.replace(folder.record, central=central))
    write_atomic(folder.layout.central / "ca.pem", folder.trust_pem(), PUBLIC)
    folder.layout.write_certificate(folder.layout.central, ALERTS if is_alerts else "client", client)


def renew_broker(folder: FleetFolder) -> None:
    """A new certificate for the broker, of an issuer whose root every sender in use trusts."""
    record, now = folder.record, folder.now()
    issuer = folder.authority(server_issuer(record, now).name)
    server = issue_server_certificate(issuer, (record.broker.host, *LOCAL_NAMES), now=now)
    folder.commit(msgspec.structs.replace(record, broker_certificates=(*record.broker_certificates, remember(server))))
    folder.layout.write_certificate(folder.layout.broker, "server", server)
