"""What belongs on the machine of broker, central and office, and where. Reads and writes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

from msgspec import Struct

PROGRAM: Final = "/opt/watchlink/bin/watchlink"
SYSTEM: Final = "/etc/systemd/system"
BROKER: Final = "/etc/watchlink/broker"
CENTRAL_STATE: Final = "/var/lib/watchlink-central"
CENTRAL: Final = f"{CENTRAL_STATE}/central"
CENTRAL_TOML: Final = f"{CENTRAL}/central.toml"
DIRECTORY: Final = f"{CENTRAL_STATE}/directory.json"
OFFICE: Final = "/var/lib/watchlink-office"
OFFICE_TOML: Final = f"{OFFICE}/office.toml"
OFFICE_DIRECTORY: Final = f"{OFFICE}/directory.json"
ADDRESSES: Final = f"{SYSTEM}/watchlink-central.service.d/addresses.conf"


class Parts(Struct, frozen=True):
    """What runs on a machine: broker and central, or the office, or all of them; and whether central is backed up."""

    central: bool = True
    office: bool = False
    backup: bool = False


PACKAGES: Final = ("mosquitto", "nftables")
OFFICE_PACKAGES: Final = ("fonts-inter", "libharfbuzz-subset0", "libpangoft2-1.0-0")
"""For papers."""


class Service(Struct, frozen=True):
    """A unit of the machine.

    Attributes:
        name: without ``.service``.
        shipped: its file below ``systemd/`` of the programs, as below ``/etc/systemd/system``.
        restarts_on: paths, or folders with a slash at their end: a change there needs a restart.
        reloads_on: a change there needs a reload only.
        part: with which part it runs.
    """

    name: str
    shipped: str
    restarts_on: tuple[str, ...] = ()
    reloads_on: tuple[str, ...] = ()
    part: Literal["central", "office", "backup"] = "central"

    def act(self, changed: frozenset[str]) -> str:
        """``restart``, ``reload`` or nothing, after these paths have changed."""
        for act, places in (
            ("restart", (f"{SYSTEM}/{self.shipped}", f"{SYSTEM}/{self.name}.service.d/", *self.restarts_on)),
            ("reload", self.reloads_on),
        ):
            if any(path.startswith(one) if one[-1] == "/" else path == one for path in changed for one in places):
                return act
        return ""


BACKUP: Final = "watchlink-central-backup"
_DOOR: Final = f"{BROKER}/door.nft"
SERVICES: Final = (
    Service("watchlink-door", "watchlink-door.service", reloads_on=(_DOOR,)),
    Service(
        "mosquitto",
        "mosquitto.service.d/watchlink.conf",
        (f"{BROKER}/mosquitto.conf",),
        # Certificates and lists are read again at a reload.
        tuple(f"{BROKER}/{name}" for name in ("acl", "ca.pem", "crl.pem", "server.key", "server.pem")),
    ),
    # Not the directory: central looks for a newer one every second.
    Service("watchlink-central", "watchlink-central.service", (f"{CENTRAL}/",)),
    Service(
        "watchlink-office-publish",
        "watchlink-office-publish.service",
        (OFFICE_TOML, f"{OFFICE}/publisher/"),
        part="office",
    ),
    Service("watchlink-office", "watchlink-office.service", (OFFICE_TOML,), part="office"),
    Service("watchlink-office-papers", "watchlink-office-papers.service", part="office"),
    Service(f"{BACKUP}.timer", f"{BACKUP}.timer", part="backup"),
)
"""In the order in which they are started."""


def town_files(parts: Parts) -> tuple[str, str]:
    """The folder with the authority's public key, and the directory."""
    return (CENTRAL, DIRECTORY) if parts.central else (OFFICE, OFFICE_DIRECTORY)


def packages(parts: Parts) -> tuple[str, ...]:
    """Of Debian's, that a machine needs."""
    return (PACKAGES if parts.central else ()) + (OFFICE_PACKAGES if parts.office else ())


def services(parts: Parts) -> tuple[Service, ...]:
    """Those that run on a machine."""
    here = {"central": parts.central, "office": parts.office, "backup": parts.backup}
    return tuple(service for service in SERVICES if here[service.part])


def settings(parts: Parts) -> tuple[str, ...]:
    """Names, below ``sysusers.d`` and ``tmpfiles.d``, of users and folders."""
    return tuple(
        f"watchlink-{name}.conf" for name, is_here in (("central", parts.central), ("office", parts.office)) if is_here
    )


def shipped_files(parts: Parts) -> dict[str, str]:
    """Path on the machine → name below the programs' ``systemd/``."""
    names = (f"{kind}.d/{name}" for name in settings(parts) for kind in ("sysusers", "tmpfiles"))
    units = [one.shipped for one in SERVICES if (parts.office if one.part == "office" else parts.central)]
    units += [f"{BACKUP}.service"] if parts.central else []
    return {f"/etc/{name}": name for name in names} | {f"{SYSTEM}/{unit}": unit for unit in units}


def shipped(name: str) -> bytes:
    """A file of ``systemd/``, as it came with these programs."""
    own = Path(__file__).parent
    installed = own / "systemd" / name
    return (installed if installed.exists() else own.parent / "systemd" / name).read_bytes()


OFFICE_TABLE: Final = f"""
[office]
url = "http://localhost:8090/"
snapshots = "{OFFICE}/snapshots"
"""
"""What ``central.toml`` says of an office on the same machine, until its pages have a certificate."""


def office_toml(name: str) -> str:
    """The office's first configuration; the engineer's from then on."""
    return f"""\
# The office. Paths are relative to this folder; docs/configuration.md explains every key.
authority_file = "authority.pub"
directory_file = "directory.json"
database = "data/office.sqlite3"

[web]
host = "127.0.0.1"                    # a LAN address only with certificate_file and key_file
port = 8090
names = ["{name}"]    # the first is that of the passkeys: it stays

[central]
url = "http://localhost:8080/"
"""


def addresses_conf(addresses: tuple[str, ...]) -> str:
    """Drop-in of central's unit, which else may reach this machine's loopback alone."""
    allowed = "".join(f"IPAddressAllow={address}\n" for address in addresses)
    return f"# Where central.toml says the broker is. Made by 'watchlink central install'.\n[Service]\n{allowed}"
