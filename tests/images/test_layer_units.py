"""Units and rules that are in the image alone: systemd and udev understand them, and they agree on their files (F5)."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final, Literal

import pytest

from appliance.app import Places
from appliance.card.wifi import WIFI_FILE
from images.recipe import LAYERS, PlacedFile, read_recipe

pytestmark = pytest.mark.integration

UNITS_AT: Final = "/etc/systemd/system/"
FILES: Final = [file for layer in read_recipe("amd64", "1.0").layers for file in layer.files]
OWN: Final = sorted(
    file.path.removeprefix(UNITS_AT).replace("@.", "@wlan0.")
    for file in FILES
    if file.path.startswith(UNITS_AT) and file.source.is_relative_to(LAYERS) and file.path.count("/") == 4
)
RULES: Final = [file for file in FILES if file.path.startswith("/etc/udev/rules.d/")]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With the image's units, this machine's own, and a stand-in for every program that ours name; ours are enabled."""
    root = tmp_path_factory.mktemp("root")
    shutil.copytree("/usr/lib/systemd/system", root / "usr/lib/systemd/system", symlinks=True)
    programs: set[str] = set()
    for file in FILES:
        if file.path.startswith(UNITS_AT):
            placed = root / file.path.lstrip("/")
            placed.parent.mkdir(parents=True, exist_ok=True)
            placed.write_bytes(file.data)
            programs |= {*re.findall(r"^Exec\w+=[-+!@:]*(/\S+)", file.data.decode(), re.MULTILINE)}
    for program in (*programs, "/bin/sh"):
        stand_in = root / program.lstrip("/")
        stand_in.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy("/usr/bin/true", stand_in)
    for name in {name for layer in read_recipe("amd64", "1.0").layers for name in layer.units.enable}:
        if any((root / folder / "systemd/system" / name).exists() for folder in ("etc", "usr/lib")):
            subprocess.run(["systemctl", f"--root={root}", "--quiet", "enable", name], check=True)
    return root


def verified(root: Path, name: str, of: Literal["no", "yes"] = "no") -> str:
    """What systemd has to say of it, or also of all that starts with it."""
    command = ["systemd-analyze", "verify", f"--recursive-errors={of}", "--man=no", f"--root={root}", name]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    return done.stdout + done.stderr + (f"status {done.returncode}" if done.returncode else "")


@pytest.mark.parametrize("name", OWN)
def test_unit_of_the_image_is_understood_without_a_word(root: Path, name: str) -> None:
    assert verified(root, name) == ""


def test_step_that_hangs_is_given_up() -> None:
    """Of what does one step systemd waits for ever, unless it says how long; the button may wait behind it."""
    units = [file for file in FILES if file.path.startswith(UNITS_AT) and file.path.endswith(".service")]
    steps = [file for file in units if b"\nType=oneshot\n" in file.data]

    assert len(steps) > 5
    assert [] == [file.path for file in steps if b"\nTimeoutStartSec=" not in file.data]


def test_no_unit_waits_for_itself(root: Path) -> None:
    """Of a circle systemd leaves one out at the start, and another one at the next."""
    assert "cycle" not in verified(root, "multi-user.target", "yes")


@pytest.mark.parametrize("rules", RULES, ids=lambda file: Path(file.path).name)
def test_rules_are_understood_by_udev(rules: PlacedFile, tmp_path: Path) -> None:
    file = tmp_path / Path(rules.path).name
    file.write_bytes(rules.data)

    subprocess.run(["udevadm", "verify", file], check=True)


def test_wifi_is_read_where_the_seed_puts_it() -> None:
    written = str(Places().own / WIFI_FILE)

    by_name = {Path(file.path).name: file.data.decode() for file in FILES}
    assert f"PathChanged={written}\n" in by_name["watchlink-wifi-changed.path"]
    read = re.findall(r"/\S+\.conf\b", by_name["watchlink-wifi@.service"])
    assert [written, written] == read, "waited for, and given to wpa_supplicant"


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts, which needs root's rights")
def test_where_the_clock_stood_is_on_the_card(tmp_path: Path) -> None:
    """By what its unit does: the root of the image forgets all that is written to it."""
    unit = next(file for file in FILES if file.path.endswith("/watchlink-clock.service")).data.decode()
    steps = re.sub(r" (/data|/var)", rf" {tmp_path}\1", "\n".join(re.findall(r"^ExecStart=(.+)$", unit, re.MULTILINE)))

    # Debian's timesyncd keeps it there (systemd-timesyncd.service(8)).
    keep = f"date > {tmp_path}/var/lib/systemd/timesync/clock"
    subprocess.run(["unshare", "--mount", "sh", "-euc", f"{steps}\n{keep}"], check=True)

    assert (tmp_path / "data/clock/clock").exists()
    assert not (tmp_path / "var/lib/systemd/timesync/clock").exists()
