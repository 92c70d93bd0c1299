from __future__ import annotations

import random

import msgspec
import pytest

from runtime import mqtt_link
from wire.directory import open_directory
from wire.directory_parts import PARTS_MAX, DirectoryPart, DirectoryParts, split_directory
from wire.errors import DirectoryError
from wire.limits import DIRECTORY_BYTES_MAX, MESSAGE_BYTES_MAX, PACKET_BYTES_MAX
from wire.signing import SigningKey

pytestmark = pytest.mark.finding(15)

LARGE = random.Random(1).randbytes(200_000)
OTHER = random.Random(2).randbytes(200_000)


def test_packet_has_one_size_for_link_and_contract() -> None:
    assert mqtt_link.PACKET_BYTES_MAX == PACKET_BYTES_MAX
    assert MESSAGE_BYTES_MAX + 1024 <= PACKET_BYTES_MAX


def test_directory_that_fits_travels_whole_so_that_old_nodes_read_it() -> None:
    sealed = b"{" * MESSAGE_BYTES_MAX

    assert (sealed,) == split_directory(sealed)
    assert sealed == DirectoryParts().take(sealed)


@pytest.mark.parametrize("size", [MESSAGE_BYTES_MAX + 1, 90_000, 90_001, DIRECTORY_BYTES_MAX])
def test_larger_directory_travels_in_parts_that_are_messages(size: int) -> None:
    sealed = random.Random(size).randbytes(size)

    pieces = split_directory(sealed)

    assert max(map(len, pieces)) <= MESSAGE_BYTES_MAX
    assert 2 <= len(pieces) <= PARTS_MAX
    parts = DirectoryParts()
    assert [None] * (len(pieces) - 1) + [sealed] == [parts.take(piece) for piece in pieces]
    assert 0 == parts.held_bytes


def test_reader_from_before_parts_refuses_one_and_goes_on() -> None:
    with pytest.raises(DirectoryError):
        open_directory(split_directory(LARGE)[0], SigningKey(bytes(32)).public)


def test_parts_may_come_twice_and_in_any_order() -> None:
    parts, pieces = DirectoryParts(), split_directory(LARGE)

    taken = [parts.take(piece) for piece in (*pieces[:0:-1], *pieces[:0:-1], pieces[0])]

    assert LARGE == taken[-1]
    assert {None} == set(taken[:-1])


def test_part_of_another_directory_begins_that_one() -> None:
    parts = DirectoryParts()
    for piece in split_directory(LARGE)[:-1]:
        assert parts.take(piece) is None

    taken = [parts.take(piece) for piece in split_directory(OTHER)]

    assert OTHER == taken[-1]


def test_parts_that_lie_are_refused_and_forgotten() -> None:
    parts = DirectoryParts()
    *first, last = (msgspec.json.decode(piece, type=DirectoryPart) for piece in split_directory(LARGE))
    for part in first:
        parts.take(msgspec.json.encode(part))
    with pytest.raises(DirectoryError, match="directory part"):
        parts.take(msgspec.json.encode(msgspec.structs.replace(last, data=b"x" + last.data[1:])))
    with pytest.raises(DirectoryError, match="directory part"):
        parts.take(msgspec.json.encode(msgspec.structs.replace(last, part=last.parts + 1)))

    assert 0 == parts.held_bytes


def test_parts_of_many_directories_hold_one_directorys_bytes() -> None:
    """Who holds the broker sends first parts for ever."""
    parts = DirectoryParts()
    for number in range(50):
        for piece in split_directory(random.Random(number).randbytes(300_000))[:-1]:
            parts.take(piece)

    assert parts.held_bytes < 300_000
