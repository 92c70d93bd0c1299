"""What the initramfs does for a unit, by its own scripts in a folder that stands for its root (F4, F5)."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from images.recipe import read_recipe

SCRIPTS = "/etc/initramfs-tools/scripts"
RULE = "run/udev/rules.d/60-watchlink-card.rules"


def play(name: str, root: Path) -> None:
    """The script, as the Pi's image has it."""
    files = {file.path: file for layer in read_recipe("arm64", "1.0").layers for file in layer.files}
    script = files[f"{SCRIPTS}/{name}"].source
    assert os.access(script, os.X_OK)
    subprocess.run(["sh", "-eu", script, root], env={"rootmnt": "/root", "PATH": os.defpath}, check=True)


def block_device(root: Path, number: str, disk: str, partition: str) -> None:
    folder = root / "sys/devices/bus" / disk / partition
    folder.mkdir(parents=True)
    link = root / "sys/dev/block" / number
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(os.path.relpath(folder, link.parent))


@pytest.mark.parametrize(("booted", "disk"), [("179:5", "mmcblk0"), ("8:6", "sda")])
def test_partitions_are_those_of_the_card_that_was_booted(tmp_path: Path, booted: str, disk: str) -> None:
    """A second card of ours is in a reader, with the same numbers in its table."""
    block_device(tmp_path, "179:5", "mmcblk0", "mmcblk0p5")
    block_device(tmp_path, "8:6", "sda", "sda6")
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/mountinfo").write_text(
        "22 1 0:20 / /sys rw - sysfs sysfs rw\n"
        f"36 1 {booted} / /root ro,relatime - squashfs /dev/disk/by-partuuid/574c4b31-05 ro\n"
        "37 1 0:21 / /run rw - tmpfs tmpfs rw\n"
    )

    play("local-bottom/watchlink-card", tmp_path)

    rule = 'SUBSYSTEM=="block", ENV{DEVTYPE}=="partition", KERNELS=="%s", SYMLINK+="card/%%n"\n'
    assert rule % disk == (tmp_path / RULE).read_text()
    if (udevadm := shutil.which("udevadm")) is not None:
        subprocess.run([udevadm, "verify", tmp_path / RULE], check=True)


def test_image_names_no_partition_by_the_number_that_all_cards_share() -> None:
    recipe = read_recipe("arm64", "1.0")

    naming = [file.path for layer in recipe.layers for file in layer.files if b"by-partuuid" in file.data]
    assert [] == naming
    conf = next(file for layer in recipe.layers for file in layer.files if file.path.endswith("/image.conf"))
    assert b"\nDATA_PARTITION=/dev/card/7\n" in conf.data


@pytest.mark.parametrize(
    ("words", "left"),
    [
        ("root=PARTUUID=574c4b31-05 watchlink.slot=a quiet\n", ""),
        ("root=PARTUUID=574c4b31-05 systemd.watchdog_sec=0 quiet\n", "asleep"),
    ],
)
def test_start_is_watched_before_systemd_is_there(tmp_path: Path, words: str, left: str) -> None:
    """Opened, and closed without the "V" that would stop it; not where QEMU plays the Pi."""
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cmdline").write_text(words)
    (tmp_path / "dev").mkdir()
    watchdog = tmp_path / "dev/watchdog"
    watchdog.write_text("asleep")

    play("init-premount/watchlink-watchdog", tmp_path)

    assert left == watchdog.read_text()


def test_machine_without_a_watchdog_starts_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cmdline").write_text("quiet\n")
    (tmp_path / "dev").mkdir()

    play("init-premount/watchlink-watchdog", tmp_path)

    assert [] == list((tmp_path / "dev").iterdir())
