"""The program with a real card in files, a node's word, and a service that has a release (F4)."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from appliance import app, kept
from appliance.app import Appliance, Places
from appliance.core import events
from appliance.core.notes import Notes, Trial
from appliance.core.slot import Slot
from appliance.image import Image
from appliance.kept import NOTES_FILE, ONLY_READ, load_notes, save_notes
from appliance.net.releases import Releases
from appliance.slots import booted as booting
from appliance.slots.autoboot import autoboot
from appliance.slots.handler import Slots
from tests.support.fat_card import fat_image
from wire.release import Bundle, Release, seal_release
from wire.signing import SigningKey
from wire.unit_files import SystemReport, Vitals

AUTHORITY = SigningKey(b"a" * 32)
BUNDLE = Bundle(compatible="watchlink-pc", sha256=hashlib.sha256(b"new").hexdigest(), size_bytes=3)
AT = datetime(2030, 1, 1, tzinfo=UTC)
RELEASE = Release(serial=5, made_at=AT, version="1.1", state="open", bundles=(BUNDLE,), support_ends_at=AT, percent=100)
MINUTE_MS = 60_000


class RestartedError(Exception):
    """The machine went down."""


class Machine:
    """A unit whose time is told by hand, with the real adapters of its card."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.now_ms, self.boot_id = folder, 30_000, "one"
        self.running: Slot = "a"
        self.version = "1.0"
        for name in ("node", "own", "run"):
            (folder / name).mkdir()
        (folder / "p1").write_bytes(fat_image(folder, {"autoboot.txt": autoboot("a")}))
        self.flag = folder / "flag"
        self.flag.write_bytes(b"0" * 512)
        self.places = Places(
            node=folder / "node",
            own=folder / "own",
            vitals=folder / "run/vitals.json",
            system=folder / "run/system.json",
            card=folder / "run/card.txt",
        )
        self.release: Release | None = RELEASE
        self.installs: list[str] = []
        self.refusal = ""
        self.vitals: dict[str, object] = {"is_armed": True, "is_linked": True, "may_restart": True}
        monkeypatch.setattr(app, "boottime_ms", lambda: self.now_ms)
        monkeypatch.setattr(app, "is_synchronised", lambda: True)
        monkeypatch.setattr(app, "restart", self.restart)
        monkeypatch.setattr(app, "install", self.install)
        monkeypatch.setattr(Releases, "ask", lambda it: self.ask() if it._identity else events.NothingNew())
        monkeypatch.setattr(Releases, "fetch", lambda _, bundle: events.BundleFetched(bundle.sha256))
        monkeypatch.setattr(Appliance, "_later", lambda self, ask, _: self._answers.put(ask()))
        monkeypatch.setattr(booting, "lies_on", lambda root, _: root == self.image.root(self.running))
        self.keeps = True
        monkeypatch.setattr(kept, "lies_on", lambda *_: self.keeps)

    @property
    def image(self) -> Image:
        return Image(
            version=self.version,
            compatible="watchlink-pc",
            first_partition=str(self.folder / "p1"),
            data_partition="",
            root_a="/a",
            root_b="/b",
            root_at="/run/root",
            stand_in=str(self.flag),
        )

    def claim(self) -> None:
        (self.folder / "node/authority.pub").write_text(AUTHORITY.public.raw.hex())
        toml = '[identity]\nnode = "00000007"\n[enrolment]\nhost = "town.example"\n'
        (self.folder / "node/node.toml").write_text(toml)

    def ask(self) -> events.Event:
        if self.release is None:
            return events.NothingNew()
        return events.ReleaseSeen(self.release, seal_release(self.release, AUTHORITY))

    def install(self, path: Path, sha256: str) -> events.Event:
        self.installs.append(path.name)
        return events.InstallFailed(self.refusal, is_final=True) if self.refusal else events.Installed(sha256)

    def restart(self) -> None:
        raise RestartedError

    def boot(self, slot: Slot, version: str) -> None:
        self.running, self.version, self.boot_id, self.now_ms = slot, version, f"after {self.boot_id}", 30_000

    def run(self, minutes: float, wait: Callable[[], None] = lambda: None) -> bool:
        """Whether it restarted the machine."""
        line = self.folder / "cmdline"
        line.write_text(f"watchlink.slot={self.running}")
        end_ms = self.now_ms + int(minutes * MINUTE_MS)

        def turn(seconds: float) -> bool:
            wait()
            self.now_ms += int(seconds * 1000)
            said = Vitals(node="00000007", boot_id="run", written_at_ms=self.now_ms, **self.vitals)  # type: ignore[arg-type]
            self.places.vitals.write_bytes(msgspec.json.encode(said))
            return self.now_ms >= end_ms

        try:
            Appliance(self.image, Slots(self.image, line), self.places, self.boot_id, turn).run()
        except RestartedError:
            return True
        return False

    @property
    def told(self) -> SystemReport:
        return msgspec.json.decode(self.places.system.read_bytes(), type=SystemReport)

    @property
    def update(self) -> tuple[str, str]:
        update = self.told.update
        return (update.state, update.reason) if update else ("", "")


@pytest.fixture
def unit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


def test_unit_is_updated_tried_and_kept(unit: Machine) -> None:
    unit.claim()
    assert unit.run(minutes=30)
    assert [f"{BUNDLE.sha256}.raucb"] == unit.installs
    assert b"1" == unit.flag.read_bytes()[:1]
    assert b"boot_partition=2" in (unit.folder / "p1").read_bytes().partition(b"[tryboot]")[0]

    unit.boot("b", "1.1")
    assert not unit.run(minutes=2)
    assert ("1.1", "b", ("trying", "")) == (unit.told.version, unit.told.slot, unit.update)
    assert not unit.run(minutes=5)

    assert ("1.1", "b", ("taken", "")) == (unit.told.version, unit.told.slot, unit.update)
    assert AT == unit.told.support_ends_at
    assert b"boot_partition=3" in (unit.folder / "p1").read_bytes().partition(b"[tryboot]")[0]


def test_unit_goes_back_from_what_does_not_work_and_says_why(unit: Machine) -> None:
    unit.claim()
    assert unit.run(minutes=30)
    unit.boot("b", "1.1")
    unit.vitals |= {"faulty": ("buttons",)}
    assert unit.run(minutes=30)
    unit.boot("a", "1.0")
    unit.vitals |= {"faulty": ()}
    assert not unit.run(minutes=60)

    assert ("1.0", "a", ("returned", "Did not work: buttons.")) == (unit.told.version, unit.told.slot, unit.update)
    assert b"boot_partition=2" in (unit.folder / "p1").read_bytes().partition(b"[tryboot]")[0]


def test_unit_leaves_a_system_on_trial_whose_notes_are_lost(unit: Machine) -> None:
    unit.claim()
    assert unit.run(minutes=30)
    (unit.places.own / NOTES_FILE).write_bytes(b"{")
    unit.boot("b", "1.1")

    assert unit.run(minutes=30)
    assert b"boot_partition=2" in (unit.folder / "p1").read_bytes().partition(b"[tryboot]")[0]


def test_unit_leaves_a_system_on_trial_that_cannot_read_who_it_is(unit: Machine) -> None:
    """The new system cannot mount the data partition, say: it has neither an identity nor the notes."""
    unit.claim()
    assert unit.run(minutes=30)
    identity = unit.folder / "node/node.toml"
    said = identity.read_text()
    identity.unlink()
    unit.boot("b", "1.1")
    unit.vitals |= {"is_armed": False, "is_linked": False}
    assert not unit.run(minutes=9)
    assert unit.run(minutes=30)

    identity.write_text(said)
    unit.boot("a", "1.0")
    unit.vitals |= {"is_armed": True, "is_linked": True}
    assert unit.run(minutes=30)
    unit.boot("a", "1.0")
    unit.run(minutes=60)
    assert ("returned", "It did not come up.") == unit.update


def test_card_that_forgets_takes_no_update_and_says_so(unit: Machine) -> None:
    unit.claim()
    unit.keeps = False
    assert not unit.run(minutes=60)

    assert ("refused", ONLY_READ) == unit.update
    assert ONLY_READ == unit.told.card
    assert [] == unit.installs


def test_card_that_fills_up_while_the_rest_is_waited_for_has_its_room_back(
    unit: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    part, seen = unit.places.own / "bundles/half.part", []

    def fill() -> None:
        seen.append(part.exists())
        part.parent.mkdir(exist_ok=True)
        part.write_bytes(b"half")

    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=0))
    unit.run(minutes=2, wait=fill)

    assert len(seen) > 9
    assert not any(seen)


def test_version_told_is_of_what_was_booted_while_another_waits(unit: Machine) -> None:
    unit.claim()
    unit.vitals |= {"may_restart": False}
    unit.run(minutes=30)

    assert ("1.0", "a", "1.1") == (unit.told.version, unit.told.slot, unit.told.update and unit.told.update.version)
    assert "waiting" == unit.update[0]


def test_system_that_cannot_be_told_is_told_as_unknown_and_nothing_is_written_over(unit: Machine) -> None:
    unit.claim()
    line_slot, unit.running = "a", "b"
    (unit.folder / "cmdline").write_text(f"watchlink.slot={line_slot}")
    appliance = Appliance(unit.image, Slots(unit.image, unit.folder / "cmdline"), unit.places, "one", lambda _: True)
    appliance.run()

    assert ("1.0", "unknown") == (unit.told.version, unit.told.slot)
    assert "another partition is mounted" in unit.told.card
    assert [] == unit.installs


def test_new_unit_waits_for_its_identity(unit: Machine) -> None:
    unit.run(minutes=5)
    assert ("1.0", None) == (unit.told.version, unit.told.update)
    assert [] == list(unit.places.own.iterdir())

    assert unit.run(minutes=30, wait=unit.claim)


def test_refusal_is_told_with_raucs_own_words(unit: Machine) -> None:
    unit.claim()
    unit.refusal = "RAUC: Compatible mismatch"
    assert not unit.run(minutes=60)

    assert ("refused", "RAUC: Compatible mismatch") == unit.update
    assert 1 == len(unit.installs)


def test_machine_that_could_not_go_back_is_not_updated(unit: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    unit.claim()
    monkeypatch.setattr(app, "why_no_trial", lambda _: "Its boot loader is too old.")
    assert not unit.run(minutes=60)

    assert ("refused", "Its boot loader is too old.") == unit.update
    assert [] == unit.installs


def test_card_that_cannot_be_written_is_told_and_tries_nothing(unit: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    unit.claim()
    unit.places.card.write_text("The card can no longer be written.\n")

    def refuse(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(app, "save_notes", refuse)
    assert not unit.run(minutes=60)

    assert [] == unit.installs
    assert "The card can no longer be written." == unit.told.card


def test_notes_are_whole_or_nothing(tmp_path: Path) -> None:
    trial = Trial(serial=5, version="1.1", sha256="ab", slot="b", asked_in="x", attempts=1, has_begun=True)
    notes = Notes(seal_release(RELEASE, AUTHORITY), trial, returns={"1.0": 2}, support_ends={"1.1": AT})
    save_notes(tmp_path, notes)

    assert (notes, RELEASE) == load_notes(tmp_path, AUTHORITY.public)
    assert (notes, None) == load_notes(tmp_path, SigningKey(b"b" * 32).public)
    (tmp_path / NOTES_FILE).write_bytes(b"{")
    assert (Notes(), None) == load_notes(tmp_path, AUTHORITY.public)
    assert (Notes(), None) == load_notes(tmp_path / "none", AUTHORITY.public)


def test_fault_of_the_program_ends_no_order_without_an_answer(unit: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    appliance = Appliance(unit.image, Slots(unit.image), unit.places, "one", lambda _: True)

    def fail() -> events.Event:
        raise ZeroDivisionError

    appliance._later(fail, replace(events.NothingNew(), again_s=7))

    assert events.NothingNew(7) == appliance._answers.get(timeout=120)
