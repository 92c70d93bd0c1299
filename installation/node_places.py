"""What belongs on a node's machine, and where. Reads and writes nothing."""

from __future__ import annotations

from typing import Any, Final

from installation.services import RULES, SYSTEM, Service

STATE: Final = "/var/lib/watchlink-node"
NODE_TOML: Final = f"{STATE}/node.toml"
UNIT: Final = "watchlink-node"
ADOPT: Final = "/opt/watchlink/libexec/watchlink-adopt"
RECORD: Final = "/var/lib/watchlink/installed-node.json"
"""Of its own: a gateway may stand on central's machine."""

SERVICES: Final = (Service(UNIT, f"{UNIT}.service", (f"{STATE}/", ADOPT), part="node"),)
SETTINGS: Final = ("watchlink-node.conf",)
SHIPPED: Final = {
    ADOPT: "watchlink-adopt",
    f"{RULES}/60-watchlink-radio.rules": "udev/60-watchlink-radio.rules",
    **{f"/etc/{kind}.d/{name}": f"{kind}.d/{name}" for kind in ("sysusers", "tmpfiles") for name in SETTINGS},
    f"{SYSTEM}/{UNIT}.service": f"{UNIT}.service",
}
"""Path on the machine → name below the programs' ``systemd/``."""

PACKAGES: Final = ("xfonts-terminus",)
"""For the screen."""
BOARD_PACKAGES: Final = ("python3-lgpio", "python3-spidev")
"""For a Pi's pins and buses: there are no wheels for Debian's Python."""
SOUND_PACKAGES: Final = ("alsa-utils", "direwolf", "espeak-ng")


def packages(toml: dict[str, Any]) -> tuple[str, ...]:
    """Of Debian's, that a node of this configuration needs."""
    board = () if toml.get("hardware", {}).get("profile") == "fake" else BOARD_PACKAGES
    sound = SOUND_PACKAGES if toml.get("radio", {}).get("driver") == "sound" else ()
    return PACKAGES + board + sound
