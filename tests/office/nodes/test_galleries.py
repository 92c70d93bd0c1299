"""Which files of the publisher's are used."""

from __future__ import annotations

from pathlib import Path

import pytest

from office.gallery.holders import encode_holders, first_holders, holders_file
from office.gallery.line_keys import TextKeys
from office.nodes.galleries import Galleries
from tests.support.asking_town import HART, OFFICE, TOWN, AskingTown, Entry
from wire.gallery_head import lines_file
from wire.signing import PublicKey, SigningKey


@pytest.fixture
def town(tmp_path: Path) -> AskingTown:
    return AskingTown(tmp_path)


def reading(
    town: AskingTown, office_keys: tuple[PublicKey, ...] = (OFFICE.public,), keys: TextKeys | None = None
) -> Galleries:
    return Galleries(town.folder / "snapshots", TOWN, lambda: office_keys, keys or town.text_keys)


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


def test_gallery_without_holders_of_its_very_lines_is_not_used(
    town: AskingTown, caplog: pytest.LogCaptureFixture
) -> None:
    """It would be for everybody, or for nobody."""
    number = town.publish(HART, [Entry(1, premises=(5,))])
    town.write(f"snapshots/{holders_file(HART, number)}", encode_holders(first_holders(HART, number, ())))
    galleries = reading(town)

    assert not galleries.look()
    assert "does not say whom its lines may be shown" in caplog.text


def test_gallery_under_another_gallery_key_is_not_used_and_says_what_to_do(
    town: AskingTown, caplog: pytest.LogCaptureFixture
) -> None:
    """The rows that this program makes would open nothing, on any unit."""
    town.publish(HART, [Entry(1)])
    galleries = reading(town, keys=TextKeys(b"z" * 32, TOWN))

    assert not galleries.look()
    assert not galleries.look()
    assert 1 == caplog.text.count("restart this program")
