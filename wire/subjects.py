"""Whose a certificate is: its whole subject, as RFC 4514 writes it and Mosquitto names its user.

A subject is an organisation, then a common name; written, the last comes first: ``CN=00000010,O=node``. The
organisation says which issuer may have signed it, so a node's certificate that says ``CN=00000001`` is not central.
Certificates of a fleet's first CA, from before there were issuers, have a common name alone.
"""

from __future__ import annotations

from typing import Final

from wire.ids import CENTRAL, node_text

NODES: Final = "node"
"""Of the nodes' certificates. Their issuer can make no others."""
SERVICES: Final = "services"
"""Of central's, the broker's and the office's certificates. Their issuer can make no others."""


def subject_text(common_name: str, organisation: str = "") -> str:
    """The subject as text. Neither part may have a character that RFC 4514 escapes."""
    return f"CN={common_name},O={organisation}" if organisation else f"CN={common_name}"


CENTRAL_SUBJECTS: Final = frozenset(subject_text(node_text(CENTRAL), organisation) for organisation in (SERVICES, ""))
"""Central's. Without the organisation only a CA without constraints can make it, which is a fleet's first one."""
