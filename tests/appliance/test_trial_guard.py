"""A system on trial whose card program is broken is left all the same, and no other is (F4)."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import msgspec
import pytest

from appliance.core.notes import Before, Notes, Trial
from appliance.core.slot import Slot
from appliance.kept import NOTES_FILE, save_notes
from appliance.slots.autoboot import autoboot
from tests.support.fat_card import fat_image
from wire.unit_files import Vitals

GUARD = Path(__file__).parents[2] / "systemd/watchlink-trial-guard"
TRIAL = Trial(serial=1, version="1.1", sha256="ab", slot="b", asked_in="x", attempts=1, before=Before(("oled",)))


class Unit:
    """Its files, and a systemctl that says what it is asked."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for folder in ("proc", "run/watchlink-node", "var/lib/watchlink-appliance", "usr/lib/watchlink", "bin"):
            (root / folder).mkdir(parents=True)
        (root / "usr/lib/watchlink/image.conf").write_text(f"FIRST_PARTITION={root}/p1\n")
        self.is_active = False
        self.start("b")
        self.boots_by_itself("a")
        self.note(TRIAL)

    def boots_by_itself(self, slot: Slot) -> None:
        (self.root / "p1").write_bytes(fat_image(self.root, {"autoboot.txt": autoboot(slot)}))

    def start(self, slot: str) -> None:
        (self.root / "proc/cmdline").write_text(f"quiet watchlink.slot={slot} rw\n")

    def note(self, trial: Trial | None) -> None:
        save_notes(self.root / "var/lib/watchlink-appliance", Notes(b"sealed", trial))

    def say(self, *, may_restart: bool, age_s: int = 0) -> None:
        file = self.root / "run/watchlink-node/vitals.json"
        vitals = Vitals(node="00000007", boot_id="x", written_at_ms=1, may_restart=may_restart)
        file.write_bytes(msgspec.json.encode(vitals))
        then = file.stat().st_mtime - age_s
        os.utime(file, (then, then))

    def goes_back(self) -> bool:
        systemctl = self.root / "bin/systemctl"
        systemctl.write_text(
            f'#!/bin/sh\n[ "$1" != reboot ] || {{ echo back; exit 0; }}\nexit {0 if self.is_active else 3}\n'
        )
        systemctl.chmod(0o755)
        path = {"PATH": f"{self.root}/bin:/usr/bin:/bin"}
        done = subprocess.run([GUARD, self.root], env=path, capture_output=True, text=True, check=False, timeout=60)
        return done.stdout == "back\n"


@pytest.fixture
def unit(tmp_path: Path) -> Unit:
    return Unit(tmp_path)


def test_system_on_trial_that_nobody_judges_is_left(unit: Unit) -> None:
    assert unit.goes_back()
    unit.say(may_restart=True)
    assert unit.goes_back()


def test_nobody_is_interrupted(unit: Unit) -> None:
    unit.say(may_restart=False)
    assert not unit.goes_back()

    unit.say(may_restart=False, age_s=300)
    assert unit.goes_back()


def test_system_that_is_judged_or_boots_by_itself_stays(unit: Unit) -> None:
    unit.is_active = True
    assert not unit.goes_back()
    unit.is_active = False

    unit.start("a")
    assert not unit.goes_back()
    unit.start("c")
    assert not unit.goes_back()
    unit.start("b")
    unit.boots_by_itself("b")  # It was kept, and the power went before that was noted.
    assert not unit.goes_back()


def test_system_on_trial_whose_notes_are_lost_is_left(unit: Unit) -> None:
    (unit.root / "var/lib/watchlink-appliance" / NOTES_FILE).unlink()
    assert unit.goes_back()
    unit.say(may_restart=False)
    assert not unit.goes_back()


def test_notes_count_where_the_card_does_not_say_what_it_boots(unit: Unit) -> None:
    first = unit.root / "p1"
    for said in (b"damaged", autoboot("a") + autoboot("b")):
        first.write_bytes(said)
        unit.note(TRIAL)
        assert unit.goes_back()
        unit.note(msgspec.structs.replace(TRIAL, asked_in=""))
        assert not unit.goes_back()
        unit.note(None)
        assert not unit.goes_back()
    first.unlink()
    assert not unit.goes_back()
