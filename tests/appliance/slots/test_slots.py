"""Which system the card boots by itself changes in one sector, and only for the system that runs (F4)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from appliance.core.slot import SLOTS, Slot, other
from appliance.errors import CardError
from appliance.image import Image, lies_on, load_image
from appliance.slots import booted as booting
from appliance.slots import restart as restarting
from appliance.slots.autoboot import autoboot, read_primary, write_primary
from appliance.slots.handler import Slots, answer
from appliance.slots.restart import ask_for_trial, restart
from tests.support.fat_card import Card, PowerCutError, fat_image


def test_file_fits_the_firmware_and_differs_in_the_two_numbers_alone() -> None:
    """The firmware reads 512 bytes at most."""
    a, b = autoboot("a"), autoboot("b")

    assert 512 == len(a) == len(b)
    assert [("2", "3"), ("3", "2")] == [(chr(x), chr(y)) for x, y in zip(a, b, strict=True) if x != y]
    assert b"[all]\ntryboot_a_b=1\nboot_partition=2\n[tryboot]\nboot_partition=3\n" == a.rstrip() + b"\n"


@pytest.mark.parametrize("bits", [16, 32])
def test_switch_is_one_write_of_one_sector(tmp_path: Path, bits: int) -> None:
    before = fat_image(tmp_path, {"autoboot.txt": autoboot("a"), "watchlink-seed.json": b"s" * 900}, bits)
    card = Card(before)
    write_primary(card, "b")

    (sector,) = card.writes
    assert autoboot("b") == card.data[sector : sector + 512]
    assert before[:sector] + before[sector + 512 :] == card.data[:sector] + card.data[sector + 512 :]
    assert "b" == read_primary(card)


def test_power_cut_leaves_the_old_or_the_new_system(tmp_path: Path) -> None:
    before = fat_image(tmp_path, {"autoboot.txt": autoboot("a")})
    found = []
    for writes in (0, 1):
        card = Card(before, writes)
        if writes == 0:
            with pytest.raises(PowerCutError):
                write_primary(card, "b")
        else:
            write_primary(card, "b")
        found.append(read_primary(card))

    assert ["a", "b"] == found


def test_what_is_so_already_is_not_written(tmp_path: Path) -> None:
    card = Card(fat_image(tmp_path, {"autoboot.txt": autoboot("a")}))
    write_primary(card, "a")

    assert [] == card.writes


@pytest.mark.parametrize("text", [b"", autoboot("a")[:-1], autoboot("a").replace(b"2", b"4"), b"[all]".ljust(512)])
def test_file_that_somebody_wrote_by_hand_is_left_alone(tmp_path: Path, text: bytes) -> None:
    card = Card(fat_image(tmp_path, {"autoboot.txt": text}))

    for step in (read_primary, lambda sectors: write_primary(sectors, "b")):
        with pytest.raises(CardError, match="not as this system writes it"):
            step(card)
    assert [] == card.writes


class Fitted:
    """A card in a folder: the partitions are files, and the one that is mounted is said by hand."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        (folder / "p1").write_bytes(fat_image(folder, {"autoboot.txt": autoboot("a")}))
        self.mounted: Slot = "a"
        monkeypatch.setattr(booting, "lies_on", lambda root, _at: root == self.image.root(self.mounted))
        self.run("a")

    @property
    def image(self) -> Image:
        return Image(
            version="1.2",
            compatible="watchlink-pc",
            first_partition=str(self.folder / "p1"),
            data_partition="p7",
            root_a="p5",
            root_b="p6",
            root_at="/run/root",
        )

    def run(self, slot: Slot) -> Slots:
        self.mounted = slot
        line = self.folder / "cmdline"
        line.write_text(f"console=tty1 root=/dev/ram watchlink.slot={slot} quiet\n")
        return Slots(self.image, line)


@pytest.fixture
def fitted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fitted:
    return Fitted(tmp_path, monkeypatch)


def test_rauc_is_told_what_the_card_does(fitted: Fitted) -> None:
    slots = fitted.run("b")

    said = [answer(slots, words.split()) for words in ("get-primary", "get-current", "get-state a", "get-state b")]
    assert ["a", "b", "good", "bad"] == said


def test_only_the_system_that_runs_is_kept(fitted: Fitted) -> None:
    """RAUC must not switch to what it has just written and nobody has seen run."""
    with pytest.raises(CardError, match="does not run"):
        answer(fitted.run("a"), ["set-primary", "b"])
    assert "a" == answer(fitted.run("a"), ["get-primary"])

    assert "" == answer(fitted.run("b"), ["set-primary", "b"])
    assert "b" == answer(fitted.run("b"), ["get-primary"])


def test_system_that_the_card_boots_by_itself_is_never_written_over(fitted: Fitted) -> None:
    """While another is tried, RAUC takes the good one for the one to write to."""
    with pytest.raises(CardError, match="not written over"):
        answer(fitted.run("b"), ["set-state", "a", "bad"])

    assert "" == answer(fitted.run("a"), ["set-state", "b", "bad"])


@pytest.mark.parametrize("question", [[], ["get-state", "c"], ["set-state", "a", "fine"], ["set-primary"], ["reboot"]])
def test_rauc_is_told_what_it_must_not_ask(fitted: Fitted, question: list[str]) -> None:
    with pytest.raises(CardError):
        answer(fitted.run("a"), question)


def test_system_is_the_one_that_was_booted_and_not_the_one_that_was_meant(fitted: Fitted) -> None:
    """The kernel's line comes from the boot partition; what is mounted is what runs."""
    slots = fitted.run("b")
    fitted.mounted = "a"

    with pytest.raises(CardError, match="another partition is mounted"):
        slots.booted()


@pytest.mark.parametrize("line", ["", "watchlink.slot=c", "watchlink.slot=a watchlink.slot=b", "xwatchlink.slot=a"])
def test_line_of_the_kernel_that_names_no_system_is_told(fitted: Fitted, line: str) -> None:
    (fitted.folder / "line").write_text(line)

    with pytest.raises(CardError, match=r"watchlink\.slot"):
        Slots(fitted.image, fitted.folder / "line").booted()


def test_partition_that_is_mounted_is_known_by_its_device(tmp_path: Path) -> None:
    assert not lies_on(Path("/dev/null"), Path("/"))
    assert not lies_on(tmp_path / "none", Path("/"))


def test_trial_is_asked_of_the_firmware_or_of_what_stands_for_it(
    fitted: Fitted, monkeypatch: pytest.MonkeyPatch
) -> None:
    flag = fitted.folder / "flag"
    flag.write_bytes(b"0" * 512)
    ordered = []
    monkeypatch.setattr(restarting, "_order", lambda *words: ordered.append(words))
    ask_for_trial(replace(fitted.image, stand_in=str(flag)))
    assert (b"1" + b"0" * 511, []) == (flag.read_bytes(), ordered)

    ask_for_trial(fitted.image)
    restart()
    assert [("start", "watchlink-tryboot.service"), ("reboot",)] == ordered
    with pytest.raises(CardError, match="cannot be asked for"):
        ask_for_trial(replace(fitted.image, stand_in="/nowhere/flag"))


def test_machine_without_systemd_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for command in ("/bin/false", "/nowhere/systemctl"):
        monkeypatch.setattr(restarting, "_SYSTEMCTL", command)
        with pytest.raises(CardError, match="systemd"):
            restart()


def test_image_says_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "image.conf"
    path.write_text(
        "# made with the image\nVERSION=0.1.0.202611280725\nCOMPATIBLE=watchlink-pi\nFIRST_PARTITION=/dev/x1\n"
        'DATA_PARTITION="/dev/x7"\nROOT_A=/dev/x5\nROOT_B=/dev/x6\nROOT_AT=/run/watchlink-root\nLATER=more\n'
    )
    image = load_image(path)

    assert ("0.1.0.202611280725", "/dev/x7", "") == (image.version, image.data_partition, image.stand_in)
    assert ["/dev/x5", "/dev/x6"] == [str(image.root(slot)) for slot in SLOTS]
    assert ["b", "a"] == [other(slot) for slot in SLOTS]


@pytest.mark.parametrize(("stand_in", "hurry", "ask_every_s"), [("", 1, 900), ("STAND_IN=/dev/vdb", 20, 15)])
def test_pi_never_hurries(tmp_path: Path, stand_in: str, hurry: int, ask_every_s: int) -> None:
    """Its updates are tried as long as they say, also if an image for tests comes into a shop."""
    path = tmp_path / "image.conf"
    lines = (
        "VERSION=1.0",
        "COMPATIBLE=x",
        "FIRST_PARTITION=x1",
        "DATA_PARTITION=x7",
        "ROOT_A=x5",
        "ROOT_B=x6",
        "ROOT_AT=/",
    )
    path.write_text("\n".join((*lines, "HURRY=20", "ASK_EVERY_S=15", stand_in)))

    image = load_image(path)
    assert (hurry, ask_every_s) == (image.hurry, image.ask_every_s)


@pytest.mark.parametrize("text", ["", "VERSION", "VERSION='", re.sub("x", "y", "VERSION=1.2\n")])
def test_machine_that_is_no_image_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "image.conf").write_text(text)

    with pytest.raises(CardError, match="cannot be used"):
        load_image(tmp_path / "image.conf")
