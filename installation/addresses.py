"""Whom a unit may reach: its configuration says so, and a drop-in of the unit lets nothing else through.

The units deny every address but this machine's own. What their configurations name is resolved when the drop-in is
written; ``check`` looks whether it still fits.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterable
from typing import Any, Final
from urllib.parse import urlsplit

from msgspec import Struct

from installation.findings import Finding, bad, good
from installation.machine import Machine

ABOUT: Final = "allowed addresses"
_ROUTES: Final = "/proc/net/route"
_ROUTES_6: Final = "/proc/net/ipv6_route"
_RESOLVERS: Final = "/etc/resolv.conf"
_UP: Final = 0x1
_BY_A_ROUTER: Final = 0x2
"""Flags of a route (linux/route.h)."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str], Iterable[str]]


class Reach(Struct, frozen=True):
    """What a program's configuration wants of the network.

    Attributes:
        hosts: names and addresses that it connects to.
        serves_lan: it has pages for other machines.
    """

    hosts: tuple[str, ...] = ()
    serves_lan: bool = False


class Allowed(Struct, frozen=True):
    """What a unit needs to let through, besides this machine.

    Attributes:
        networks: in order.
        unknown: hosts whose address nobody knows now.
    """

    networks: tuple[Network, ...]
    unknown: tuple[str, ...] = ()


def of_node(toml: dict[str, Any]) -> Reach:
    """``node.toml``: the broker, and a TNC on the network."""
    radio = _table(toml, "radio")
    port = str(_table(radio, "tnc").get("port", ""))
    tnc = port if radio.get("driver") == "kiss-tnc" and port.startswith("socket:") else ""
    return Reach(_named(_table(toml, "mqtt").get("host"), _host(tnc)))


def of_renewal(toml: dict[str, Any]) -> Reach:
    """``node.toml``, for its certificates: the enrolment service."""
    return Reach(_named(_table(toml, "enrolment").get("host")))


def of_gallery(toml: dict[str, Any]) -> Reach:
    """``gallery.toml``: the office. The unit itself lets the shop's own screens in."""
    return Reach(_named(_table(toml, "office").get("host")))


def of_central(toml: dict[str, Any]) -> Reach:
    """``central.toml``: the broker, an office on another machine, and whoever opens the page."""
    office = _host(_table(toml, "office").get("fetch_url"))
    return Reach(_named(_table(toml, "mqtt").get("host"), office), _serves(toml, "web"))


def of_lists(toml: dict[str, Any]) -> Reach:
    """``enrol.toml``, for the revocation list: the broker, by the address that nodes see."""
    return Reach(_named(_table(toml, "broker").get("host")))


def of_pages(toml: dict[str, Any]) -> Reach:
    """``office.toml``, for the pages: the database, the mail server, and whoever opens them."""
    hosts = _named(_host(toml.get("database")), _table(toml, "mail").get("host"))
    return Reach(hosts, _serves(toml, "web") or _serves(toml, "public"))


def of_publisher(toml: dict[str, Any]) -> Reach:
    """``office.toml``, for the publisher: the database, and a central on another machine."""
    return Reach(_named(_host(toml.get("database"))), _serves(toml, "publisher"))


def of_office_backup(toml: dict[str, Any]) -> Reach:
    """``office.toml``, for its backup: the database."""
    return Reach(_named(_host(toml.get("database"))))


def known_addresses(host: str) -> list[str]:
    """As this machine knows them now.

    Raises:
        OSError: it does not.
    """
    return [str(info[4][0]) for info in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]


def allowed(machine: Machine, reach: Reach, resolve: Resolve = known_addresses) -> Allowed:
    """What these hosts are now, with the resolvers if one is a name; and this machine's own networks for pages."""
    found: set[Network] = set()
    unknown = []
    for host in reach.hosts:
        try:
            found |= {ipaddress.ip_network(address) for address in resolve(host)}
        except OSError:
            unknown.append(host)
    if any(_address(host) is None for host in reach.hosts):
        found |= {ipaddress.ip_network(one) for one in _resolvers(machine)}
    if reach.serves_lan:
        found |= set(own_networks(machine))
    return Allowed(_fewest(one for one in found if not one.is_loopback), tuple(unknown))


def own_networks(machine: Machine) -> list[Network]:
    """Those that this machine is a part of: the destinations that it needs no router for."""
    found: list[Network] = []
    for line in _lines(machine, _ROUTES)[1:]:  # The first is a heading.
        _, destination, _, flags, _, _, _, mask, *_ = line.split()
        if int(flags, 16) & (_UP | _BY_A_ROUTER) == _UP:
            address, netmask = (ipaddress.ip_address(bytes.fromhex(one)[::-1]) for one in (destination, mask))
            found.append(ipaddress.ip_network(f"{address}/{netmask}"))
    for line in _lines(machine, _ROUTES_6):
        destination, length, _, _, _, _, _, _, flags, device = line.split()
        if device != "lo" and int(flags, 16) & (_UP | _BY_A_ROUTER) == _UP:
            network = ipaddress.ip_network((bytes.fromhex(destination), int(length, 16)))
            found += [] if network.is_multicast else [network]
    return [one for one in found if one.prefixlen]


def judge(unit: str, needed: Allowed, effective: str, written: str, again: str) -> list[Finding]:
    """Whether what a unit lets through still fits its configuration.

    Args:
        unit: its name.
        needed: by its configuration, now.
        effective: ``IPAddressAllow`` as systemd has it.
        written: the drop-in's contents; empty = there is none.
        again: what to do.
    """
    has = [one for one in map(_network, effective.split()) if one is not None]
    written_here = [_network(line.partition("=")[2]) for line in written.splitlines() if line.startswith("IPAddress")]
    missing = [one for one in needed.networks if not any(_is_in(one, other) for other in has)]
    stale = [one for one in written_here if one and not any(_is_in(one, other) for other in needed.networks)]
    found = [bad(ABOUT, f"nobody here knows {host}, which {unit} has to reach", _ask(host)) for host in needed.unknown]
    if missing:
        found.append(bad(ABOUT, f"{unit} may not reach {_listed(missing)}, which its configuration names", again))
    if stale and not needed.unknown:
        text = f"{unit} may still reach {_listed(stale)}, which its configuration no longer names"
        found.append(bad(ABOUT, text, again))
    return found or [good(ABOUT, f"those of {unit} fit its configuration")]


def _ask(host: str) -> str:
    return f"Is the name right, and the network up? Try 'getent hosts {host}'."


def _listed(networks: Iterable[Network]) -> str:
    return ", ".join(str(one.network_address if one.prefixlen == one.max_prefixlen else one) for one in networks)


def _table(toml: dict[str, Any], name: str) -> dict[str, Any]:
    found = toml.get(name, {})
    return found if isinstance(found, dict) else {}


def _named(*hosts: object) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for one in hosts if isinstance(one, str) and one))


def _host(url: object) -> str:
    try:
        return urlsplit(str(url or "")).hostname or ""
    except ValueError:
        return ""  # The program itself says what is wrong with it.


def _serves(toml: dict[str, Any], table: str) -> bool:
    host = str(_table(toml, table).get("host") or "localhost")
    address = _address(host)
    return host != "localhost" and (address is None or not address.is_loopback)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _network(text: str) -> Network | None:
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return None


def _is_in(network: Network, other: Network) -> bool:
    return network.version == other.version and network.subnet_of(other)  # type: ignore[arg-type] # of one version


def _fewest(networks: Iterable[Network]) -> tuple[Network, ...]:
    both = list(networks)
    fours = [one for one in both if isinstance(one, ipaddress.IPv4Network)]
    sixes = [one for one in both if isinstance(one, ipaddress.IPv6Network)]
    return (*ipaddress.collapse_addresses(fours), *ipaddress.collapse_addresses(sixes))


def _resolvers(machine: Machine) -> list[str]:
    words = [line.split() for line in _lines(machine, _RESOLVERS)]
    named = [one[1].partition("%")[0] for one in words if len(one) > 1 and one[0] == "nameserver"]
    return [one for one in named if _address(one) is not None]


def _lines(machine: Machine, path: str) -> list[str]:
    try:
        return machine.path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []  # Not of this machine.
