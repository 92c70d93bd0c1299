"""The signed directory on a unit: believed by its signatures, never an older one, and asked for when it is time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gallery.net.errors import OfficeError
from gallery.net.town_directory import EVERY_MS, MISSED_EVERY_MS, TownDirectory
from runtime.config import ConfigError
from tests.support.asking_town import (
    AUTHORITY,
    HART,
    OFFICE,
    SENDERS,
    SHOP,
    AskingTown,
    Entry,
    PortThread,
    port_thread,
)
from tests.support.gallery_online import OnlineNode, office_of
from wire.directory import DirectoryDocument, SchemeEntry, seal_directory
from wire.signing import SigningKey

OTHER = SigningKey(b"x" * 32)


def sealed(serial: int, *office_keys: SigningKey, authority: SigningKey = AUTHORITY) -> bytes:
    document = DirectoryDocument(
        serial=serial,
        issued_at=datetime(2026, 11, 27, tzinfo=UTC),
        schemes=(SchemeEntry(number=HART, slug="hart", name="HART"),),
        senders=(SENDERS[SHOP],),
        office_keys=tuple(key.public.raw for key in office_keys),
    )
    return seal_directory(document, authority)


class Card:
    """A unit's folder, and an office that gives what the test says.

    Attributes:
        given: the answer, or a status that refuses; ``None`` = there is no network.
        asked: paths.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now_ms = 0
        self.given: bytes | int | None = b""
        self.asked: list[str] = []
        (folder / "first.json").write_bytes(sealed(5, OFFICE))

    def begin(self) -> TownDirectory:
        return TownDirectory(
            AUTHORITY.public,
            SHOP,
            self.folder / "first.json",
            self.folder / "kept.json",
            now_ms=lambda: self.now_ms,
            times_s=lambda: (),
        )

    def get(self, path: str, _bytes_max: int) -> bytes:
        self.asked.append(path)
        if not isinstance(self.given, bytes):
            raise OfficeError("no", self.given or 0)
        return self.given


@pytest.fixture
def card(tmp_path: Path) -> Card:
    return Card(tmp_path)


def test_names_and_keys_are_the_directorys(card: Card) -> None:
    known = card.begin().known

    assert ("Shop 1", (OFFICE.public,), {HART: "HART"}) == (known.premises, known.office_keys, dict(known.schemes))


def test_newer_one_counts_at_once_and_after_a_start(card: Card) -> None:
    directory = card.begin()
    card.given = sealed(6, OTHER)

    assert directory.refresh(card.get)
    assert ["/gallery/directory?held=5"] == card.asked
    assert (OTHER.public,) == directory.known.office_keys
    assert (OTHER.public,) == card.begin().known.office_keys


@pytest.mark.parametrize("serial", [4, 5])
def test_older_one_is_never_taken(card: Card, serial: int) -> None:
    directory = card.begin()
    card.given = sealed(serial, OTHER)

    assert not directory.refresh(card.get)
    assert (OFFICE.public,) == directory.known.office_keys


def test_another_towns_is_never_taken(card: Card) -> None:
    directory = card.begin()
    card.given = sealed(6, OTHER, authority=OTHER)

    assert not directory.refresh(card.get)
    assert (OFFICE.public,) == card.begin().known.office_keys


def test_damaged_one_on_the_card_gives_way_to_the_first(card: Card) -> None:
    (card.folder / "kept.json").write_bytes(b"{")

    assert 5 == card.begin().known.serial


def test_card_without_any_starts_nothing(card: Card) -> None:
    (card.folder / "first.json").unlink()
    with pytest.raises(ConfigError, match="no directory of this town"):
        card.begin()


def test_it_is_asked_for_hourly_and_sooner_if_somebody_is_missed(card: Card) -> None:
    directory = card.begin()
    for now_ms, is_missed in (
        (0, False),
        (MISSED_EVERY_MS - 1, True),
        (MISSED_EVERY_MS, False),
        (MISSED_EVERY_MS, True),
        (MISSED_EVERY_MS + EVERY_MS - 1, False),
        (MISSED_EVERY_MS + EVERY_MS, False),
    ):
        card.now_ms = now_ms
        directory.refresh(card.get, is_missed=is_missed)

    assert 3 == len(card.asked)


def test_office_of_before_is_asked_again_in_an_hour_and_a_cut_at_once(card: Card) -> None:
    directory = card.begin()
    card.given = None
    with pytest.raises(OfficeError):
        directory.refresh(card.get)
    card.given = 404

    assert not directory.refresh(card.get)
    assert not directory.refresh(card.get)
    assert 2 == len(card.asked)


@pytest.fixture
def town(tmp_path: Path) -> AskingTown:
    folder = tmp_path / "town"
    folder.mkdir()
    return AskingTown(folder)


@pytest.fixture
def port(town: AskingTown) -> Iterator[PortThread]:
    with port_thread(town) as port:
        yield port


def test_head_of_an_office_that_is_not_known_yet_brings_the_directory(
    town: AskingTown, port: PortThread, tmp_path: Path
) -> None:
    """The town takes in an office while the unit runs: the gallery comes without anybody going there."""
    town.list(*SENDERS.values())
    port.wait_for_directory(town.serial)
    number = port.publish(HART, [Entry(17)])
    (tmp_path / "first.json").write_bytes(sealed(1))
    node = OnlineNode(tmp_path / "gallery", office_of(town, port.port))
    node.directory = TownDirectory(
        AUTHORITY.public,
        SHOP,
        tmp_path / "first.json",
        tmp_path / "kept.json",
        now_ms=lambda: 0,
        times_s=lambda: (),
    )
    # As if it had been asked for shortly before the office came.
    node.directory._asked_ms = -MISSED_EVERY_MS
    node.office_keys = ()
    node.start()
    node.until(lambda: node.has(HART, number))
    node.end()

    assert (OFFICE.public,) == node.office_keys
