"""What belongs on the machine of broker, central and office, and where. Reads and writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from installation.addresses import Reach, of_central, of_lists, of_office_backup, of_pages, of_publisher
from installation.services import SYSTEM, Service
from wire.fleet_files import ENROLMENT_FILES

PROGRAM: Final = "/opt/watchlink/bin/watchlink"
BROKER: Final = "/etc/watchlink/broker"
CENTRAL_STATE: Final = "/var/lib/watchlink-central"
CENTRAL: Final = f"{CENTRAL_STATE}/central"
CENTRAL_TOML: Final = f"{CENTRAL}/central.toml"
DIRECTORY: Final = f"{CENTRAL_STATE}/directory.json"
SETTINGS: Final = f"{CENTRAL}/settings.json"
OFFICE: Final = "/var/lib/watchlink-office"
OFFICE_TOML: Final = f"{OFFICE}/office.toml"
OFFICE_NODES_TOML: Final = f"{OFFICE}/nodes/nodes.toml"
"""Without it the office answers no nodes. Written once, beside central and enrolment service; elsewhere by hand."""
OFFICE_DIRECTORY: Final = f"{OFFICE}/directory.json"
ENROLMENT: Final = "/var/lib/watchlink-enrol"
ENROLMENT_OWN: Final = f"{ENROLMENT}/enrolment"
ENROLMENT_TOML: Final = f"{ENROLMENT_OWN}/enrol.toml"
NOTIFIER: Final = "/var/lib/watchlink-notifier"
NOTIFIER_TOML: Final = f"{NOTIFIER}/notifier.toml"
"""Without it nobody is told by phone. Written by hand (docs/notifier.md)."""
CHANGED: Final = f"{ENROLMENT_OWN}/changed/directory.json"
"""The directory with the delegate's changes, for central."""
LISTS: Final = f"{BROKER}/crl.pem"
BROKERS_PAIR: Final = f"{BROKER}/server"
PAIRS: Final = (
    BROKERS_PAIR,
    *(f"{CENTRAL}/client", f"{CENTRAL}/alerts"),
    f"{OFFICE}/publisher/server",
    *(f"{ENROLMENT_OWN}/server", f"{ENROLMENT_OWN}/nodes"),
)
"""Certificates (``.pem``) and their keys (``.key``)."""


class Parts(Struct, frozen=True):
    """What runs on a machine: broker and central, or the office, or all of them; and which of the two is backed up.

    The enrolment service is put in place beside central, if the fleet says so. On a machine of its own it is set up by
    hand (docs/enrolment.md).
    """

    central: bool = True
    office: bool = False
    backup: bool = False
    office_backup: bool = False
    office_nodes: bool = False
    enrolment: bool = False
    notifier: bool = False


PACKAGES: Final = ("mosquitto", "nftables")
OFFICE_PACKAGES: Final = ("fonts-inter", "libharfbuzz-subset0", "libpangoft2-1.0-0")
"""For papers."""


BACKUP: Final = "watchlink-central-backup"
OFFICE_BACKUP: Final = "watchlink-office-backup"
ENROL: Final = "watchlink-enrol"
ENROL_LIST: Final = "watchlink-enrol-list"
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
    # Central looks every second for a newer directory, and for newer settings of nodes.
    Service("watchlink-central", "watchlink-central.service", (f"{CENTRAL}/",), sees=(SETTINGS,)),
    Service(
        "watchlink-office-publish",
        "watchlink-office-publish.service",
        (OFFICE_TOML, f"{OFFICE}/publisher/"),
        part="office",
    ),
    Service("watchlink-office", "watchlink-office.service", (OFFICE_TOML,), part="office"),
    # Its certificate and keys are the publisher's and the pages'.
    Service(
        "watchlink-office-nodes",
        "watchlink-office-nodes.service",
        (f"{OFFICE}/publisher/", f"{OFFICE}/nodes/"),
        part="office-nodes",
    ),
    Service("watchlink-office-papers", "watchlink-office-papers.service", part="office"),
    Service(f"{BACKUP}.timer", f"{BACKUP}.timer", part="backup"),
    Service(f"{OFFICE_BACKUP}.timer", f"{OFFICE_BACKUP}.timer", part="office-backup"),
    Service(f"{ENROL_LIST}.timer", f"{ENROL_LIST}.timer", part="enrolment"),
    Service("watchlink-notifier", "watchlink-notifier.service", (NOTIFIER_TOML,), part="notifier"),
    # The last: whatever is wrong with it, alerts have all they need.
    Service(
        ENROL,
        f"{ENROL}.service",
        tuple(f"{ENROLMENT_OWN}/{name}" for name in (*ENROLMENT_FILES, "delegate.key")),
        part="enrolment",
    ),
)
"""In the order in which they are started."""
BROKERS: Final = ("watchlink-door", "mosquitto")
"""Those of them that let nodes in, or keep them out."""


CONFIGURED: Final[tuple[tuple[str, str, Callable[[dict[str, Any]], Reach]], ...]] = (
    ("watchlink-central", CENTRAL_TOML, of_central),
    ("watchlink-office", OFFICE_TOML, of_pages),
    ("watchlink-office-publish", OFFICE_TOML, of_publisher),
    (OFFICE_BACKUP, OFFICE_TOML, of_office_backup),
    (ENROL_LIST, ENROLMENT_TOML, of_lists),
)
"""Units, and the configuration that says whom each has to reach."""


def configured(parts: Parts) -> list[tuple[str, str, Callable[[dict[str, Any]], Reach]]]:
    """Those of a machine."""
    here = {CENTRAL_TOML: parts.central, OFFICE_TOML: parts.office, ENROLMENT_TOML: enrols(parts)}
    return [one for one in CONFIGURED if here[one[1]]]


def enrols(parts: Parts) -> bool:
    """Whether the enrolment service runs beside central."""
    return parts.central and parts.enrolment


def town_files(parts: Parts) -> tuple[str, str]:
    """The folder with the authority's public key, and the directory."""
    return (CENTRAL, DIRECTORY) if parts.central else (OFFICE, OFFICE_DIRECTORY)


def town_paths(parts: Parts) -> tuple[str, ...]:
    """What a machine cannot be without: the fleet's configuration of it, its directory and who signs that."""
    folder, directory = town_files(parts)
    return (*((CENTRAL_TOML,) if parts.central else ()), f"{folder}/authority.pub", directory)


def packages(parts: Parts) -> tuple[str, ...]:
    """Of Debian's, that a machine needs."""
    return (PACKAGES if parts.central else ()) + (OFFICE_PACKAGES if parts.office else ())


def services(parts: Parts) -> tuple[Service, ...]:
    """Those that run on a machine."""
    here = {
        "central": parts.central,
        "office": parts.office,
        "backup": parts.backup,
        "office-backup": parts.office_backup,
        "office-nodes": parts.office and parts.office_nodes,
        "enrolment": enrols(parts),
        "notifier": parts.central and parts.notifier,
    }
    return tuple(service for service in SERVICES if here[service.part])


def settings(parts: Parts) -> tuple[str, ...]:
    """Names, below ``sysusers.d`` and ``tmpfiles.d``, of users and folders."""
    here = {
        "central": parts.central,
        # Also before it is configured: its folder is there, and central may order as soon as it is.
        "notifier": parts.central,
        "office": parts.office,
        "enrol": enrols(parts),
    }
    return tuple(f"watchlink-{name}.conf" for name, is_here in here.items() if is_here)


def shipped_files(parts: Parts) -> dict[str, str]:
    """Path on the machine → name below the programs' ``systemd/``."""
    names = (f"{kind}.d/{name}" for name in settings(parts) for kind in ("sysusers", "tmpfiles"))
    here = {
        "office": parts.office,
        "office-backup": parts.office,
        "office-nodes": parts.office,
        "enrolment": enrols(parts),
    }
    units = [one.shipped for one in SERVICES if here.get(one.part, parts.central)]
    units += [f"{BACKUP}.service"] if parts.central else []
    units += [f"{OFFICE_BACKUP}.service"] if parts.office else []
    units += [f"{ENROL_LIST}.service"] if enrols(parts) else []
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


NODES_NEED: Final = (
    *(f"{OFFICE}/publisher/{name}" for name in ("gallery.key", "server.pem", "server.key")),
    f"{OFFICE}/keys/photographs.key",
    f"{ENROLMENT_OWN}/nodes.pem",
)
"""What the port cannot be without: publisher and pages have made the keys, the fleet the certificate."""
_HANDED: Final = "/run/credentials/watchlink-office-nodes.service"
NODES_TOML: Final = f"""\
# The office's machine port. Paths are relative to this folder; docs/configuration.md explains every key.
[web]
certificate_file = "{_HANDED}/server.pem"
key_file = "{_HANDED}/server.key"

[town]
delegated_file = "{CHANGED}"
issuers_file = "{ENROLMENT_OWN}/nodes.pem"

[keys]
gallery_key_file = "{_HANDED}/gallery.key"
photographs_key_file = "{_HANDED}/photographs.key"
"""
"""On one machine with central and enrolment service; the engineer's from then on."""


def office_toml(name: str) -> str:
    """The office's first configuration; the engineer's from then on."""
    # By the second, the pages answer whom central sends there (:data:`OFFICE_TABLE`).
    names = ", ".join(f'"{one}"' for one in dict.fromkeys((name, "localhost")))
    return f"""\
# The office. Paths are relative to this folder; docs/configuration.md explains every key.
authority_file = "authority.pub"
directory_file = "directory.json"
database = "data/office.sqlite3"

[web]
host = "127.0.0.1"                    # a LAN address only with certificate_file and key_file
port = 8090
names = [{names}]    # the first is that of the passkeys: it stays

[central]
url = "http://localhost:8080/"
"""
