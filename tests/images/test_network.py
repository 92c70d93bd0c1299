"""Which way to the network is which, by networkd itself: a 4G stick calls itself as the shop's cable does (F5)."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from images.recipe import LAYERS

NETWORKD = Path("/usr/lib/systemd/systemd-networkd")
FILES = LAYERS / "network/files/etc/systemd/network"
pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(os.geteuid() != 0 or not NETWORKD.exists(), reason="runs networkd, which needs root's rights"),
]
PLAY = """
mount -t sysfs -o ro sysfs /sys
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/network /run/systemd/netif
chown systemd-network /run/systemd/netif
cp "$0"/*.network /run/systemd/network/
ip link add eth7 type veth peer eth8
export SYSTEMD_LOG_TARGET=console SYSTEMD_LOG_LEVEL=debug
exec timeout 120 "$1" 2>&1
"""
CONFIGURES = re.compile(r"eth7: Configuring with \S*/(\S+)\.\n")


def drivers(file: str) -> list[str]:
    (line,) = (one for one in (FILES / file).read_text().splitlines() if one.startswith("Driver="))
    return line.removeprefix("Driver=").split()


def taken_for(driver: str, folder: Path) -> str:
    """The file by which networkd configures a device of this driver, which is played by one that can be made here."""
    for file in FILES.glob("*.network"):
        (folder / file.name).write_text(re.sub(rf"\b{driver}\b", "veth", file.read_text()))
    own = ("unshare", "--mount", "--net", "--pid", "--fork", "--kill-child")
    with subprocess.Popen([*own, "sh", "-euc", PLAY, folder, NETWORKD], stdout=subprocess.PIPE, text=True) as networkd:
        assert networkd.stdout is not None
        said = ""
        for line in networkd.stdout:
            said += line
            if found := CONFIGURES.fullmatch(line):
                networkd.kill()
                return found[1]
    raise AssertionError(said)


@pytest.mark.parametrize("driver", drivers("50-stick.network"))
def test_4g_stick_is_not_taken_for_the_shops_cable(driver: str, tmp_path: Path) -> None:
    assert "50-stick.network" == taken_for(driver, tmp_path)


def test_cable_is_taken_for_one(tmp_path: Path) -> None:
    assert "10-cable.network" == taken_for("smsc95xx", tmp_path)
