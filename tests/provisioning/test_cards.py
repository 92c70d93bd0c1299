"""Seeds for cards that are not mounted: written into the image's first FAT, without root."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from provisioning.claims import MadeClaim, reserve
from provisioning.cli import main
from provisioning.enrolment import open_enrolment
from provisioning.fleet import Fleet, NewNode
from tests.support.card_image import card_image, fault_of, files_on, free_bytes, put_on, seed_on
from tests.support.fat_card import FAT_MEGABYTES, fat_image
from wire.seed import SEED_FILE, decode_seed


@pytest.fixture
def shop(fleet: Fleet) -> MadeClaim:
    """A shop that waits for its claim, in a town with an enrolment service, and a pub."""
    made = reserve(fleet, [NewNode("Corner Shop", "High St", ["hart"]), NewNode("The Anchor", "Quay", ["pubwatch"])])
    open_enrolment(fleet.folder, ["enrol.town"])
    return made[0]


def seed_card(fleet: Fleet, card: Path, *more: str, node: str = "00000010") -> int:
    return main(["seed-card", "--dir", str(fleet.layout.town), *more, str(card), node])


def refusal(fleet: Fleet, card: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """Of a card that is refused before the label is made worthless."""
    claims = Fleet.open(fleet.layout.town).record.claims
    assert 2 == seed_card(fleet, card, "--new-code")
    assert claims == Fleet.open(fleet.layout.town).record.claims
    return capsys.readouterr().err


def test_seed_goes_onto_the_first_fat_of_an_image(fleet: Fleet, shop: MadeClaim, tmp_path: Path) -> None:
    card = card_image(tmp_path / "card.img")
    before = files_on(card)
    code = tmp_path / "code.txt"
    code.write_text(shop.code)

    assert 0 == seed_card(fleet, card, "--code-file", str(code))

    seed = decode_seed(seed_on(card))
    assert ("00000010", shop.code) == (seed.node, seed.claim)
    assert before == {name: data for name, data in files_on(card).items() if name != SEED_FILE}
    assert "" == fault_of(card)


def test_seed_of_the_same_unit_is_written_anew(
    fleet: Fleet, shop: MadeClaim, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    card = card_image(tmp_path / "card.img")
    assert 0 == seed_card(fleet, card, "--new-code")
    before = decode_seed(seed_on(card)).claim

    assert 0 == seed_card(fleet, card, "--new-code")

    assert before != decode_seed(seed_on(card)).claim
    assert f"{card}: the seed of 00000010 (Corner Shop) is written" in capsys.readouterr().out


def test_card_with_another_units_seed_is_not_overwritten(
    fleet: Fleet, shop: MadeClaim, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    card = card_image(tmp_path / "card.img")
    assert 0 == seed_card(fleet, card, "--new-code", node="00000011")

    assert "the seed of 00000011 is there. Take another card" in refusal(fleet, card, capsys)
    assert "00000011" == decode_seed(seed_on(card)).node


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    "wrong",
    [
        (0x00, "autoboot.txt", "has no partitions: write the Watchlink image to it first."),
        (0xEE, "autoboot.txt", "has a GPT, so it is no card of Watchlink"),
        (0x83, "autoboot.txt", "The first partition of"),
        (0x0C, "config.txt", "is no card of Watchlink: write the Watchlink image to it first."),
        (0x0C, "", "is no card of Watchlink"),
    ],
)
def test_what_is_no_card_of_ours_is_refused(
    fleet: Fleet, tmp_path: Path, capsys: pytest.CaptureFixture[str], wrong: tuple[int, str, str]
) -> None:
    kind, boot_file, said = wrong
    card = card_image(tmp_path / "card.img", kind=kind, boot_file=boot_file)
    if kind == 0:
        card.write_bytes(bytes(512) + card.read_bytes()[512:])
    before = card.read_bytes()

    assert said in refusal(fleet, card, capsys)
    assert before == card.read_bytes()


def test_partition_without_a_file_system_is_refused(
    fleet: Fleet, shop: MadeClaim, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    card = card_image(tmp_path / "card.img")
    card.write_bytes(card.read_bytes()[:512] + bytes(card.stat().st_size - 512))

    assert "is no card of Watchlink" in refusal(fleet, card, capsys)


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("entry", [446, 462])
def test_image_that_is_half_written_is_refused(
    fleet: Fleet, tmp_path: Path, capsys: pytest.CaptureFixture[str], entry: int
) -> None:
    card = card_image(tmp_path / "card.img")
    with card.open("r+b") as image:
        image.seek(entry + 12)
        image.write((100_000).to_bytes(4, "little"))

    assert "ends before its last partition: the image is cut short" in refusal(fleet, card, capsys)


def test_file_that_is_too_short_is_refused(
    fleet: Fleet, shop: MadeClaim, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    card = tmp_path / "card.img"
    card.write_bytes(b"short")

    assert "has no partitions" in refusal(fleet, card, capsys)


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    "wrong",
    [
        (errno.EBUSY, "it is mounted. Unmount it first"),
        (errno.EACCES, "it may not be written by you. Put 'sudo' before this"),
        (errno.EROFS, "Is the card's lock switched on?"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_card_that_cannot_be_opened_says_what_to_do(
    fleet: Fleet,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    wrong: tuple[int, str],
) -> None:
    (code, said), really = wrong, os.open
    card = card_image(tmp_path / "card.img")

    def refuse(path: os.PathLike[str], *more: int, **named: int) -> int:
        if path == card:
            raise OSError(code, os.strerror(code), str(card))
        return really(path, *more, **named)

    monkeypatch.setattr("os.open", refuse)

    assert said in refusal(fleet, card, capsys)


@pytest.mark.usefixtures("shop")
def test_partition_of_a_card_is_refused_with_the_name_of_the_card(
    fleet: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It has no partitions, and whoever believes that writes the image anew, in vain."""
    card = card_image(tmp_path / "sdb1")
    partition = tmp_path / "devices" / "sdb" / "sdb1"
    partition.mkdir(parents=True)
    (partition / "partition").write_text("1\n")
    number = card.stat().st_rdev
    (tmp_path / f"{os.major(number)}:{os.minor(number)}").symlink_to(partition)
    monkeypatch.setattr("provisioning.cards._DEVICES", tmp_path)
    monkeypatch.setattr("stat.S_ISBLK", lambda _: True)

    assert f"{card} is one partition of a card: give the whole card, /dev/sdb." in refusal(fleet, card, capsys)


@pytest.mark.parametrize("bits", sorted(FAT_MEGABYTES))
def test_image_of_the_first_partition_alone_is_refused_with_what_to_give(
    fleet: Fleet, shop: MadeClaim, tmp_path: Path, capsys: pytest.CaptureFixture[str], bits: int
) -> None:
    card = tmp_path / "card.img"
    card.write_bytes(fat_image(tmp_path, {"autoboot.txt": b"[all]\n"}, bits))

    assert f"{card} is one partition alone: give the whole card, such as /dev/sdb" in refusal(fleet, card, capsys)


def test_card_that_is_not_in_says_so(
    fleet: Fleet, shop: MadeClaim, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "Is the card in? 'lsblk' lists them" in refusal(fleet, tmp_path / "sdx", capsys)


def test_folder_is_told_the_other_command(
    fleet: Fleet, shop: MadeClaim, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "'watchlink fleet seed --to FOLDER'" in refusal(fleet, tmp_path, capsys)


def test_machine_without_mtools_is_told_what_to_install(
    fleet: Fleet,
    shop: MadeClaim,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    card = card_image(tmp_path / "card.img")
    monkeypatch.setenv("PATH", str(tmp_path))

    assert "apt install mtools." in refusal(fleet, card, capsys)


def test_full_card_says_so_and_keeps_its_files(
    fleet: Fleet, shop: MadeClaim, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    card = card_image(tmp_path / "card.img")
    put_on(card, "filling", bytes(free_bytes(card)))
    capsys.readouterr()

    assert 1 == seed_card(fleet, card, "--new-code")
    assert "did not keep what was written: it is full or damaged." in capsys.readouterr().err
    assert SEED_FILE not in files_on(card)
