"""Which files of the publisher's are used."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from office.gallery.holders import encode_holders, first_holders, holders_file
from office.gallery.line_keys import TextKeys
from office.nodes.galleries import AGAIN_S, Galleries
from tests.support.asking_town import HART, OFFICE, TOWN, AskingTown, Entry
from wire.gallery_head import GalleryHead, head_file, lines_file, open_head
from wire.signing import PublicKey, SigningKey
from wire.snapshots import Town


@pytest.fixture
def town(tmp_path: Path) -> AskingTown:
    return AskingTown(tmp_path)


def reading(
    town: AskingTown,
    office_keys: tuple[PublicKey, ...] = (OFFICE.public,),
    keys: TextKeys | None = None,
    clock_s: Callable[[], float] = time.monotonic,
) -> Galleries:
    return Galleries(town.folder / "snapshots", TOWN, lambda: office_keys, keys or town.text_keys, clock_s=clock_s)


def now_s(town: AskingTown) -> int:
    return int(town.now.timestamp())


def number_of(galleries: Galleries) -> int:
    """Of HART's newest that is used; 0 = none is."""
    found = galleries.of(HART)
    return 0 if found is None else found.head.number


def test_newest_gallery_is_used_once_it_is_whole(town: AskingTown) -> None:
    galleries = reading(town)
    assert not galleries.look()

    town.publish(HART, [Entry(1)])
    second = town.publish(HART, [Entry(1), Entry(2)])
    assert galleries.look()
    assert not galleries.look()
    assert second == number_of(galleries)

    third = town.publish(HART, [])
    (town.folder / "snapshots" / lines_file(HART, third)).unlink()
    assert not galleries.look()
    assert second == number_of(galleries), "the former stays in use"


def test_gallery_of_an_office_that_the_directory_does_not_trust_is_not_used(town: AskingTown) -> None:
    town.publish(HART, [Entry(1)])
    galleries = reading(town, (SigningKey(b"z" * 32).public,))

    assert not galleries.look()


def test_gallery_without_holders_of_its_very_lines_is_not_used(town: AskingTown) -> None:
    """It would be for everybody, or for nobody."""
    number = town.publish(HART, [Entry(1, premises=(5,))])
    town.write(f"snapshots/{holders_file(HART, number)}", encode_holders(first_holders(HART, number, ())))
    galleries = reading(town)

    assert not galleries.look()
    assert "does not say whom its lines may be shown" in galleries.alarm(now_s(town))


def test_gallery_under_another_gallery_key_is_not_used_and_says_what_to_do(town: AskingTown) -> None:
    """The rows that this program makes would open nothing, on any unit."""
    town.publish(HART, [Entry(1)])
    galleries = reading(town, keys=TextKeys(b"z" * 32, TOWN))

    assert not galleries.look()
    assert not galleries.look()
    assert "restart this program" in galleries.alarm(now_s(town))


@pytest.mark.parametrize("file", [head_file, lines_file, holders_file])
def test_damaged_gallery_is_told_of_and_read_again_rarely_or_when_it_has_changed(
    town: AskingTown, file: Callable[[int, int], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four times a second it would take the machine's time from those who ask."""
    town.publish(HART, [Entry(1)])
    moments, reads = [0.0], list[bytes]()
    galleries = reading(town, clock_s=lambda: moments[-1])
    galleries.look()
    assert "" == galleries.alarm(now_s(town))
    number = town.publish(HART, [])
    path = town.folder / "snapshots" / file(HART, number)
    whole = path.read_bytes()
    path.write_bytes(b"{damaged")

    def counted(data: bytes, scheme: int, of: Town, keys: tuple[PublicKey, ...]) -> GalleryHead:
        reads.append(data)
        return open_head(data, scheme, of, keys)

    monkeypatch.setattr("office.nodes.galleries.open_head", counted)

    for _ in range(9):
        assert not galleries.look()
    assert 1 == len(reads)
    assert f"gallery {number} of scheme {HART} is not used" in galleries.alarm(now_s(town))
    assert number - 1 == number_of(galleries)
    moments.append(AGAIN_S)
    assert not galleries.look()
    assert 2 == len(reads)

    town.write(f"snapshots/{path.name}", whole)
    assert galleries.look()
    assert number == number_of(galleries)
    assert "" == galleries.alarm(now_s(town))


def test_gallery_of_which_a_file_stays_away_is_told_of(town: AskingTown) -> None:
    number = town.publish(HART, [Entry(1)])
    (town.folder / "snapshots" / holders_file(HART, number)).unlink()
    galleries = reading(town)
    galleries.look()
    assert "" == galleries.alarm(now_s(town)), "it may be replaced at this moment"

    galleries.look()
    assert "is not whole" in galleries.alarm(now_s(town))


def test_gallery_of_a_key_that_the_directory_names_later_is_read_then(town: AskingTown) -> None:
    town.publish(HART, [Entry(1)])
    keys: list[tuple[PublicKey, ...]] = [()]
    galleries = Galleries(town.folder / "snapshots", TOWN, lambda: keys[-1], town.text_keys)
    assert not galleries.look()

    keys.append((OFFICE.public,))
    assert galleries.look()
