"""F4: the real RAUC writes the system that does not run, and asks our handler; what is not to be written is refused."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from appliance import bundle_installer
from appliance.bundle_installer import install
from appliance.core import events
from appliance.core.slot import Slot
from appliance.slots.autoboot import autoboot, read_primary
from images.recipe import read_recipe
from tests.support.fat_card import Card, fat_image

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(os.geteuid() != 0 or not Path("/dev/loop-control").exists(), reason="only root mounts bundles"),
]

REPOSITORY: Final = Path(__file__).parents[2]
WITHIN_S: Final = 60
SHA: Final = "ab" * 32
SYSTEM: Final = """\
[system]
compatible=watchlink-pc
bootloader=custom
activate-installed=false
mountprefix={0}/mnt
data-directory={0}/data
[handlers]
bootloader-custom-backend={0}/handler
[keyring]
path={0}/maker.pem
[slot.boot.0]
device={0}/boot-a
type=raw
parent=root.0
[slot.boot.1]
device={0}/boot-b
type=raw
parent=root.1
[slot.root.0]
device={0}/root-a
type=raw
bootname=a
[slot.root.1]
device={0}/root-b
type=raw
bootname=b
"""
BUS: Final = """\
<busconfig><type>system</type><listen>unix:path={0}/bus</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/></policy></busconfig>
"""
HANDLER: Final = """\
#!{python}
import sys
sys.path.insert(0, "{repository}")
from pathlib import Path
from appliance.errors import CardError
from appliance.image import load_image
from appliance.slots import booted, handler
folder = Path("{folder}")
with (folder / "asked").open("a") as asked:
    asked.write(" ".join(sys.argv[1:]) + "\\n")
booted.lies_on = lambda *_: True
try:
    print(handler.answer(handler.Slots(load_image(folder / "image.conf"), folder / "cmdline"), sys.argv[1:]))
except CardError as e:
    sys.exit(str(e))
"""


def run(*command: object, folder: Path) -> None:
    done = subprocess.run(
        [*map(str, command)], cwd=folder, capture_output=True, text=True, check=False, timeout=WITHIN_S
    )
    assert done.returncode == 0, done.stdout + done.stderr


class Unit:
    """A card in files, with RAUC's own service and its own message bus."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("mnt", "data", "new"):
            (folder / name).mkdir()
        (folder / "p1").write_bytes(fat_image(folder, {"autoboot.txt": autoboot("a")}))
        for name in ("boot-a", "boot-b", "root-a", "root-b"):
            (folder / name).write_bytes(name.encode() * 20_000)
        (folder / "system.conf").write_text(SYSTEM.format(folder))
        (folder / "bus.conf").write_text(BUS.format(folder))
        (folder / "image.conf").write_text(
            f"VERSION=1.0\nCOMPATIBLE=watchlink-pc\nFIRST_PARTITION={folder}/p1\nDATA_PARTITION=p7\n"
            f"ROOT_A={folder}/root-a\nROOT_B={folder}/root-b\nROOT_AT=/\n"
        )
        handler = folder / "handler"
        handler.write_text(HANDLER.format(python=sys.executable, repository=REPOSITORY, folder=folder))
        handler.chmod(0o755)
        for name in ("maker", "stranger"):
            run(
                *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
                *("-keyout", f"{name}.key", "-out", f"{name}.pem", "-days", "30", "-subj", f"/CN={name}"),
                *("-addext", "extendedKeyUsage=emailProtection", "-addext", "keyUsage=digitalSignature"),
                folder=folder,
            )
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self, booted: Slot) -> None:
        (self.folder / "cmdline").write_text(f"watchlink.slot={booted}")
        self._run("dbus-daemon", f"--config-file={self.folder}/bus.conf", "--nofork")
        self._wait_for((self.folder / "bus").exists)
        self._run("rauc", "service", f"--conf={self.folder}/system.conf", f"--override-boot-slot={booted}")
        self._wait_for(lambda: subprocess.run(["rauc", "status"], capture_output=True, check=False).returncode == 0)

    def bundle(self, compatible: str = "watchlink-pc", maker: str = "maker") -> Path:
        new = self.folder / "new"
        (new / "root.img").write_bytes(b"new root" * 9_000)
        (new / "boot.img").write_bytes(b"new boot" * 3_000)
        # Without a mapper of devices here: a card's bundles are of the format "verity".
        (new / "manifest.raucm").write_text(
            f"[update]\ncompatible={compatible}\nversion=1.1\n[bundle]\nformat=plain\n"
            "[image.root]\nfilename=root.img\n[image.boot]\nfilename=boot.img\n"
        )
        path = self.folder / f"{compatible}-{maker}.raucb"
        run("rauc", "bundle", f"--cert={maker}.pem", f"--key={maker}.key", new, path, folder=self.folder)
        return path

    def read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    @property
    def asked(self) -> list[str]:
        file = self.folder / "asked"
        return [line for line in file.read_text().splitlines() if line.startswith("set")] if file.exists() else []

    def _run(self, *command: str) -> None:
        with (self.folder / "log").open("ab") as log:
            self.processes.append(subprocess.Popen(command, stdout=log, stderr=log))

    def _wait_for(self, is_so: Callable[[], bool]) -> None:
        end = time.monotonic() + WITHIN_S
        while not is_so():
            assert time.monotonic() < end, (self.folder / "log").read_text()
            time.sleep(0.05)

    def close(self) -> None:
        for process in reversed(self.processes):
            process.terminate()
            process.wait(WITHIN_S)


@pytest.fixture
def unit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Unit]:
    made = Unit(tmp_path)
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/bus")
    yield made
    made.close()


def test_other_system_is_written_and_the_card_boots_what_it_did(unit: Unit) -> None:
    unit.start("a")

    assert events.Installed(SHA) == install(unit.bundle(), SHA)
    assert unit.read("root-b").startswith(b"new root" * 9_000)
    assert unit.read("boot-b").startswith(b"new boot" * 3_000)
    assert [b"root-a" * 20_000, b"boot-a" * 20_000] == [unit.read("root-a"), unit.read("boot-a")]
    assert "a" == read_primary(Card(unit.read("p1")))
    assert ["set-state b bad"] == unit.asked


def test_bundle_of_a_stranger_for_other_hardware_or_damaged_is_refused_with_raucs_words(unit: Unit) -> None:
    unit.start("a")
    damaged = unit.folder / "damaged.raucb"
    data = bytearray(unit.bundle().read_bytes())
    data[len(data) // 3] ^= 1
    damaged.write_bytes(data)
    short = unit.folder / "short.raucb"
    short.write_bytes(data[:1_000])

    for path, words in (
        (unit.bundle(maker="stranger"), "signature verification failed"),
        (unit.bundle(compatible="watchlink-pi"), "Compatible mismatch"),
        (damaged, "signature verification failed"),
        (short, "Invalid bundle format"),
    ):
        refused = install(path, SHA)
        assert isinstance(refused, events.InstallFailed), path
        assert refused.is_final, refused
        assert re.match(f"RAUC: {words}", refused.reason), refused
    assert b"root-b" * 20_000 == unit.read("root-b")


def test_good_system_is_not_written_over_while_another_is_tried(unit: Unit) -> None:
    """RAUC takes the one that does not run for the one to write to; that is the good one then."""
    unit.start("b")

    refused = install(unit.bundle(), SHA)
    assert isinstance(refused, events.InstallFailed)
    assert ["set-state a bad"] == unit.asked
    assert [b"root-a" * 20_000, b"boot-a" * 20_000] == [unit.read("root-a"), unit.read("boot-a")]


def test_rauc_that_is_not_there_is_asked_again_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/no-bus")

    for rauc in ("/usr/bin/rauc", "/nowhere/rauc"):
        failed = install(tmp_path / "bundle", SHA, rauc)
        assert isinstance(failed, events.InstallFailed)
        assert not failed.is_final, failed
    assert bundle_installer.WITHIN_S > 600


def test_image_has_settings_that_rauc_understands(tmp_path: Path) -> None:
    """One word that it does not know, and no unit could be updated any more."""
    layers = read_recipe("amd64", "0.1.0.1").layers
    settings = next(file for layer in layers for file in layer.files if file.path == "/etc/rauc/system.conf")
    conf = tmp_path / "system.conf"
    conf.write_bytes(settings.data)

    said = subprocess.run(["rauc", f"--conf={conf}", "info", "nothing"], capture_output=True, text=True, check=False)

    assert "failed to open" in said.stderr.lower() or "no such file" in said.stderr.lower(), said.stderr
    assert "Failed to load system config" not in said.stderr
