"""What belongs on a node's machine, and where. Reads and writes nothing."""

from __future__ import annotations

from typing import Any, Final

from installation.addresses import of_gallery, of_node, of_renewal
from installation.places import shipped
from installation.services import RULES, SYSTEM, Service
from wire.seed import SEED_FILE

STATE: Final = "/var/lib/watchlink-node"
NODE_TOML: Final = f"{STATE}/node.toml"
PAIRS: Final = (f"{STATE}/client", f"{STATE}/gallery")
"""Certificates (``.pem``) and their keys (``.key``)."""
UNIT: Final = "watchlink-node"
RENEW: Final = "watchlink-node-renew"
ENROL: Final = "watchlink-node-enrol"
SEED: Final = f"{STATE}/{SEED_FILE}"
ADOPT: Final = "/opt/watchlink/libexec/watchlink-adopt"
RECORD: Final = "/var/lib/watchlink/installed-node.json"
"""Of its own: a gateway may stand on central's machine."""

GALLERY: Final = "watchlink-gallery"
GALLERY_TOML: Final = f"{STATE}/gallery.toml"
"""Written as the unit claims its identity, if its seed names an office; without it there is no gallery."""
AVAHI: Final = "avahi-daemon"
"""Debian's; without it the unit has no name in the shop's network, only addresses."""
AVAHI_CONF: Final = "/etc/avahi/watchlink.conf"
AVAHI_DROP_IN: Final = "avahi-daemon.service.d/watchlink.conf"
ANNOUNCER: Final = Service(AVAHI, AVAHI_DROP_IN, (AVAHI_CONF,), part="node")
GALLERY_SOCKETS: Final = (f"{GALLERY}-http.socket", f"{GALLERY}-https.socket")
"""Started and stopped with the gallery."""

SERVICES: Final = (
    Service(UNIT, f"{UNIT}.service", (f"{STATE}/", ADOPT), part="node"),
    Service(f"{RENEW}.timer", f"{RENEW}.timer", part="node"),
)
WITH_GALLERY: Final = (
    *SERVICES,
    Service(
        GALLERY,
        f"{GALLERY}.service",
        (
            *(f"{STATE}/{name}" for name in ("gallery.toml", "ca.pem", "gallery.pem", "gallery.key", "sealing.key")),
            *(f"{SYSTEM}/{name}" for name in GALLERY_SOCKETS),
        ),
        part="node",
    ),
)
_CLAIM: Final = Service(ENROL, f"{ENROL}.service", (SEED, ADOPT), part="node", waits=False)
CLAIMING: Final = (_CLAIM, *SERVICES)
"""Of a unit that is to claim its identity first: the node itself starts when that is done."""
CLAIMING_WITH_GALLERY: Final = (_CLAIM, *WITH_GALLERY)
CONFIGURED: Final = (
    (UNIT, NODE_TOML, of_node),
    (RENEW, NODE_TOML, of_renewal),
    (ENROL, NODE_TOML, of_renewal),
    (GALLERY, GALLERY_TOML, of_gallery),
)
"""Units, and whom each has to reach by which file."""
SETTINGS: Final = ("watchlink-node.conf",)
SHIPPED: Final = {
    ADOPT: "watchlink-adopt",
    **{f"{RULES}/60-watchlink-{name}.rules": f"udev/60-watchlink-{name}.rules" for name in ("board", "radio")},
    **{f"/etc/{kind}.d/{name}": f"{kind}.d/{name}" for kind in ("sysusers", "tmpfiles") for name in SETTINGS},
    **{f"{SYSTEM}/{name}.service": f"{name}.service" for name in (UNIT, RENEW, ENROL, GALLERY)},
    f"{SYSTEM}/{RENEW}.timer": f"{RENEW}.timer",
    **{f"{SYSTEM}/{name}": name for name in GALLERY_SOCKETS},
}
"""Path on the machine → name below the programs' ``systemd/``."""

PACKAGES: Final = ("xfonts-terminus",)
"""For the screen."""
BOARD_PACKAGES: Final = ("python3-spidev",)
"""For a Pi's buses: there are no wheels for Debian's Python."""
PINS_PACKAGE: Final = "python3-lgpio"
"""For a Pi's pins. Raspberry Pi OS has it, Debian 13 has not; the card's image brings the library itself."""
PINS_LIBRARY: Final = "/opt/watchlink/lib/python3.13/site-packages/lgpio.py"
SOUND_PACKAGES: Final = ("alsa-utils", "direwolf", "espeak-ng")


def avahi_conf(node: str) -> str:
    """What Avahi says of the node with this number: its name."""
    return shipped("avahi/watchlink.conf.in").decode().replace("NODE", node)


def has_pins(toml: dict[str, Any]) -> bool:
    """Whether a node of this configuration uses a Pi's own pins."""
    return bool(toml.get("hardware", {}).get("profile") != "fake")


def packages(toml: dict[str, Any]) -> tuple[str, ...]:
    """Of Debian's, that a node of this configuration needs."""
    board = BOARD_PACKAGES if has_pins(toml) else ()
    sound = SOUND_PACKAGES if toml.get("radio", {}).get("driver") == "sound" else ()
    return PACKAGES + board + sound
