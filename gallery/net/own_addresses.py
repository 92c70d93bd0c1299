"""The private addresses that this machine has now, as Linux tells them to anybody."""

from __future__ import annotations

import ipaddress
import itertools
from pathlib import Path
from typing import Final

from wire.page_certificate import NAMES_MAX, Address, is_private

_IPV4: Final = Path("/proc/self/net/fib_trie")
_IPV6: Final = Path("/proc/self/net/if_inet6")
_HEX_DIGITS: Final = 32


def own_addresses() -> tuple[Address, ...]:
    """Those of all interfaces, ascending, IPv4 first; at most as many as a certificate has room for. Never raises."""
    found = {*parse_ipv4(_read(_IPV4)), *parse_ipv6(_read(_IPV6))}
    private = [address for address in found if is_private(address)]
    # One is left for the name.
    return tuple(sorted(private, key=lambda one: (one.version, int(one)))[: NAMES_MAX - 1])


def parse_ipv4(text: str) -> list[Address]:
    """``fib_trie``: each address is a line, and the line after it says what kind it is."""
    found: list[Address] = []
    lines = text.split("\n")
    for line, following in itertools.pairwise(lines):
        kind, _, address = line.strip().partition(" ")
        if kind == "|--" and following.strip() == "/32 host LOCAL":
            found.append(ipaddress.IPv4Address(address))
    return found


def parse_ipv6(text: str) -> list[Address]:
    """``if_inet6``: 32 hexadecimal digits, and more."""
    words = (line.partition(" ")[0] for line in text.split("\n"))
    return [ipaddress.IPv6Address(int(word, 16)) for word in words if len(word) == _HEX_DIGITS]


def _read(path: Path) -> str:
    try:
        return path.read_text("ascii", "replace")
    except OSError:
        return ""  # a machine without this kind of address
