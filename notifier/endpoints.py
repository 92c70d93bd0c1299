"""Where a push may go. An endpoint comes from a browser, from outside: it must not reach into our own network."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_TRANSLATED: Final = ipaddress.IPv6Network("64:ff9b::/96")
"""NAT64 (RFC 6052): the last 32 bits are an IPv4 address."""
_HTTPS: Final = 443


class Endpoint(Struct, frozen=True):
    """The parts of an endpoint's address."""

    host: str
    port: int
    target: str
    """Path and query."""
    authority: str
    """For the Host field and the audience: the port only if it is not 443."""


def parse_endpoint(text: str) -> Endpoint:
    """Its parts.

    Raises:
        ValueError: not https, no host, a user in it, or no port that exists.
    """
    parts = urlsplit(text)
    if parts.scheme != "https" or not parts.hostname or "@" in parts.netloc:
        raise ValueError("not an https address")
    # A name in another alphabet is sent in its ASCII form by browsers; anything else here is no name.
    if not parts.hostname.isascii() or any(c in parts.hostname for c in " \\\"'<>"):
        raise ValueError("no host")
    port = parts.port or _HTTPS
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Endpoint(parts.hostname, port, target, name if port == _HTTPS else f"{name}:{port}")


def may_reach(address: str, allowed: Iterable[Network]) -> bool:
    """Whether a push may go to this address: a public one, or one of the ``allowed`` networks."""
    ip = _meant(ipaddress.ip_address(address.partition("%")[0]))
    if any(ip in network for network in allowed):
        return True
    # Python counts the private networks of early IPv6 (RFC 3879) as public.
    is_old_private = isinstance(ip, ipaddress.IPv6Address) and ip.is_site_local
    return ip.is_global and not ip.is_multicast and not ip.is_reserved and not is_old_private


def _meant(ip: IpAddress) -> IpAddress:
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return ip.ipv4_mapped
        if ip.sixtofour is not None:
            return ip.sixtofour
        if ip in _TRANSLATED:
            return ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
    return ip
