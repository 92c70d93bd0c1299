"""For which names and addresses a unit's page gets a certificate: its own, and no other. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Literal, TypeAlias

from wire.ids import NodeId
from wire.page_certificate import NAMES_MAX, Address, is_private, page_name

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
NamesProblem: TypeAlias = Literal["no name", "too many names", "other name", "public address", "other address"]


def why_not_sign(
    node: NodeId, names: Sequence[str], addresses: Sequence[Address], excluded: Sequence[Network] = ()
) -> NamesProblem | None:
    """Why a request is refused, whole; ``None`` = it may be signed.

    A private address is nobody's alone: that of another shop, in its own network, may be the same.

    Args:
        node: who asks, by its certificate.
        names: DNS names of the request.
        addresses: of the request.
        excluded: addresses for which the issuer cannot speak: central's and the office's.
    """
    if not names and not addresses:
        return "no name"
    if len(names) + len(addresses) > NAMES_MAX:
        return "too many names"
    if any(name != page_name(node) for name in names):
        return "other name"
    if not all(map(is_private, addresses)):
        return "public address"
    if any(one in network for one in addresses for network in excluded):
        return "other address"
    return None
