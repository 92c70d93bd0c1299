"""Who may open the page, and how: from the shop's own network, by the unit's own names, encrypted unless on the unit.

Pure. Who is signed in is not judged here. What the page tells browsers beside stands in :mod:`runtime.web_headers`.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from msgspec import Struct
from starlette.datastructures import Headers

ACTION_HEADER: Final = "x-watchlink"
FIT: Final = "/fit"
"""How a tablet is fitted: all that is answered without encryption."""
_OPEN: Final = re.compile(r"/fit(?:/ca\.crt)?|/static/[a-z0-9_./-]{1,64}")
_HOST: Final = re.compile(r"(?:\[(?P<address>[0-9a-fA-F:.]+)\]|(?P<name>[A-Za-z0-9.-]+))(?::(?P<port>[0-9]{1,5}))?")
"""A name or an address, and a port; no user, path or query, as in a URL."""
_NEAR: Final = tuple(
    map(
        ipaddress.ip_network,
        (
            "127.0.0.0/8",
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "169.254.0.0/16",
            "::1/128",
            "fc00::/7",
            "fe80::/10",
        ),
    )
)
"""Addresses of private networks and of a link (RFC 1918, 3927, 4193, 4291)."""


class Knock(Struct, frozen=True):
    """A request, before anything is done with it.

    Attributes:
        is_tls: it came encrypted.
        client: the address that it came from.
        server, port: address and port of ours that it came to.
    """

    method: str
    path: str
    is_tls: bool
    client: str
    server: str
    port: int
    headers: Headers


class Refusal(Struct, frozen=True):
    """Why it is not answered, for whoever reads it."""

    status: int
    text: str


_FAR: Final = Refusal(403, "This page is for the shop’s own network.")
PLAIN: Final = Refusal(403, "Nobody signs in here without encryption. Open /fit for how to fit this tablet.")
"""Whoever has typed the unit's address is told how to go on."""
_NOT_OURS: Final = Refusal(421, "Open this page by the unit’s own address or name.")
_FOREIGN: Final = Refusal(403, "Another site may not use this page.")
_NO_HEADER: Final = Refusal(403, f"Actions need the header {ACTION_HEADER}: 1.")


def refusal(knock: Knock, names: frozenset[str]) -> Refusal | None:
    """Why this request must be refused; ``None`` = it need not.

    Args:
        knock: the request.
        names: of the unit, in its own network.
    """
    if not is_near(knock.client):
        return _FAR
    if not _is_ours(knock, names):
        return _NOT_OURS
    if not (knock.is_tls or is_this_machine(knock) or _is_open(knock)):
        return PLAIN
    return _foreign(knock)


def is_near(address: str) -> bool:
    """Whether an address is of this machine, of a private network or of the link."""
    plain = _address(address)
    return plain is not None and any(plain in network for network in _NEAR if network.version == plain.version)


def is_this_machine(knock: Knock) -> bool:
    """Whether it came from the unit itself, as of a screen that is fitted to it."""
    return _is_loopback(knock.client) and _is_loopback(knock.server)


def _is_ours(knock: Knock, names: frozenset[str]) -> bool:
    named = _HOST.fullmatch(knock.headers.get("host", ""))
    if named is None or int(named["port"] or (443 if knock.is_tls else 80)) != knock.port:
        return False
    name = (named["address"] or named["name"]).lower().rstrip(".")
    if name in names or (name == "localhost" and is_this_machine(knock)):
        return True
    address = _address(name)
    # Whatever other addresses the unit has: this is the one that the browser has reached.
    return address is not None and address == _address(knock.server)


def _is_open(knock: Knock) -> bool:
    return knock.method in {"GET", "HEAD"} and ".." not in knock.path and _OPEN.fullmatch(knock.path) is not None


def _foreign(knock: Knock) -> Refusal | None:
    headers = knock.headers
    origin = headers.get("origin")
    is_opened = knock.method == "GET" and headers.get("sec-fetch-mode", "navigate") == "navigate"
    is_foreign = headers.get("sec-fetch-site", "none") not in {"same-origin", "none"}
    changes = knock.method not in {"GET", "HEAD"}
    ours = f"{'https' if knock.is_tls else 'http'}://{headers.get('host', '')}"
    if origin not in {None, ours} or (is_foreign and not is_opened) or (changes and origin is None):
        return _FOREIGN
    if changes and headers.get(ACTION_HEADER) != "1":
        return _NO_HEADER
    return None


def _is_loopback(address: str) -> bool:
    plain = _address(address)
    return plain is not None and plain.is_loopback


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Without the interface of a link's address; as version 4 what only comes dressed as version 6."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
