"""Files on the card's first partition, against the programs by which people put them there."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.card.fat import Fat
from appliance.card.partition import opened
from appliance.errors import CardError
from tests.support.fat_card import FAT_MEGABYTES, Card, PowerCutError, fat_image, listed, run

FILES = {
    "config.txt": b"x" * 700,
    "watchlink-seed.json": bytes(range(1, 256)) * 9,
    "a name that is longer than all others here.txt": b"",
    "autoboot.txt": b"y" * 512,
}
BITS = sorted(FAT_MEGABYTES)


@pytest.mark.parametrize("bits", BITS)
def test_files_are_found_by_long_and_short_names_and_read(tmp_path: Path, bits: int) -> None:
    fat = Fat(Card(fat_image(tmp_path, FILES, bits)))

    found = {name: fat.find(name.upper()) for name in FILES}
    assert FILES == {name: fat.read(file) for name, file in found.items() if file}
    assert fat.find("nothing") is None


@pytest.mark.parametrize("bits", BITS)
def test_erased_file_is_gone_and_its_bytes_with_it(tmp_path: Path, bits: int) -> None:
    card = Card(fat_image(tmp_path, FILES, bits))
    fat = Fat(card)
    file = fat.find("watchlink-seed.json")
    assert file is not None
    fat.erase(file)

    left = {name: data for name, data in FILES.items() if name != "watchlink-seed.json"}
    assert left == listed(tmp_path, card.data)
    assert bytes(range(1, 99)) not in card.data


@pytest.mark.parametrize("bits", BITS)
def test_what_was_deleted_before_is_gone_with_the_erased_file(tmp_path: Path, bits: int) -> None:
    """An editor writes anew and deletes the old one; a computer copies, and deletes the copy."""
    deleted = {"first.txt": b"old copy " * 99, "last.txt": b"old copy " * 70_000}
    files = {"first.txt": deleted["first.txt"], **FILES, "last.txt": deleted["last.txt"]}
    card = Card(fat_image(tmp_path, files, bits, tuple(deleted)))
    assert b"old copy" in card.data
    fat = Fat(card)
    file = fat.find("watchlink-seed.json")
    assert file is not None
    fat.erase(file)

    assert {name: data for name, data in FILES.items() if name != "watchlink-seed.json"} == listed(tmp_path, card.data)
    assert b"old copy" not in card.data


def test_free_space_that_is_zeros_is_not_written(tmp_path: Path) -> None:
    card = Card(fat_image(tmp_path, {**FILES, "last.txt": bytes(9_000)}, deleted=("last.txt",)))
    fat = Fat(card)
    file = fat.find("watchlink-seed.json")
    assert file is not None
    fat.erase(file)

    assert [] == card.wipes


def test_last_cluster_of_the_card_is_wiped(tmp_path: Path) -> None:
    card = Card(fat_image(tmp_path, FILES))
    fat = Fat(card)
    file = fat.find("watchlink-seed.json")
    assert file is not None
    at = fat._sectors_in(fat._clusters + 1).start
    card.data[at : at + 8] = b"old copy"
    fat.erase(file)

    assert b"old copy" not in card.data


def test_power_cut_while_erasing_hurts_no_other_file_and_it_can_be_done_again(tmp_path: Path) -> None:
    files = {"first.txt": b"old copy " * 99, **FILES, "last.txt": b"old copy " * 70_000}
    whole = fat_image(tmp_path, files, deleted=("first.txt", "last.txt"))
    fat = Fat(card := Card(whole))
    file = fat.find("watchlink-seed.json")
    assert file is not None
    fat.erase(file)
    count = len(card.writes)

    for writes in range(count):
        card = Card(whole, writes)
        with pytest.raises(PowerCutError):
            Fat(card).erase(file)
        again = Card(bytes(card.data))
        fat = Fat(again)
        for name, data in FILES.items():
            if name != "watchlink-seed.json":
                other = fat.find(name)
                assert other is not None
                assert data == fat.read(other)
        if (left := fat.find("watchlink-seed.json")) is not None:
            fat.erase(left)
        assert fat.find("watchlink-seed.json") is None
        assert bytes(range(1, 99)) not in again.data
        assert b"old copy" not in again.data
    assert count > 9


def test_file_in_several_pieces_is_read_and_erased_whole(tmp_path: Path) -> None:
    image = tmp_path / "fat.img"
    fat_image(tmp_path, {"one.txt": b"1" * 512, "two.txt": b"2" * 512, "three.txt": b"3" * 512})
    run("mdel", "-i", str(image), "::two.txt")
    (tmp_path / "pieces.txt").write_bytes(b"p" * 1_500)
    run("mcopy", "-i", str(image), str(tmp_path / "pieces.txt"), "::pieces.txt")
    fat = Fat(card := Card(image.read_bytes()))
    file = fat.find("pieces.txt")
    assert file is not None
    assert b"p" * 1_500 == fat.read(file)
    fat.erase(file)

    assert {"one.txt", "three.txt"} == listed(tmp_path, card.data).keys()
    assert b"pppp" not in card.data


@pytest.mark.parametrize("data", [bytes(4096), b"\xff" * 4096, b"EFI PART" * 512])
def test_what_is_no_fat_is_refused(data: bytes) -> None:
    with pytest.raises(CardError, match="FAT"):
        Fat(Card(data))


def test_table_that_goes_round_in_a_circle_ends(tmp_path: Path) -> None:
    card = Card(fat_image(tmp_path, {"file.txt": b"f" * 2_000}))
    fat = Fat(card)
    file = fat.find("file.txt")
    assert file is not None
    table = fat._tables[0]
    card.data[table + 2 * file.cluster : table + 2 * file.cluster + 2] = file.cluster.to_bytes(2, "little")

    with pytest.raises(CardError, match="damaged"):
        fat.read(file)


def test_partition_writes_sectors_of_a_file_that_stands_for_it(tmp_path: Path) -> None:
    path = tmp_path / "partition"
    path.write_bytes(bytes(2048))
    with opened(path, is_written=True) as partition:
        partition.write(512, b"w" * 512)
        assert b"w" * 512 == partition.read(512, 512)
        with pytest.raises(CardError, match="ends"):
            partition.read(2000, 512)

        partition.write(1536, b"w" * 512)
        partition.wipe(1024, 1024)

    assert bytes(512) + b"w" * 512 + bytes(1024) == path.read_bytes()
    with pytest.raises(CardError, match="cannot be opened"), opened(tmp_path / "none"):
        pass
