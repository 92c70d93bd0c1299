"""The signed directory at the machine port: for nodes of the town alone, and nothing to who has it already."""

from __future__ import annotations

import pytest

from tests.support.asking_town import AUTHORITY, SHOP, AskingTown, PortThread
from wire.directory import open_directory
from wire.gallery_paths import DIRECTORY_PATH, directory_path


def test_node_gets_the_newest_and_nothing_twice(town: AskingTown, port: PortThread) -> None:
    shop = port.unit()
    status, first = shop.request("GET", DIRECTORY_PATH)
    serial = open_directory(first, AUTHORITY.public).serial

    assert (200, town.serial) == (status, serial)
    assert (200, b"") == shop.request("GET", directory_path(serial))
    assert (200, first) == shop.request("GET", directory_path(serial - 1))


@pytest.mark.parametrize("held", ["-1", "1x", "", "1" * 20])
def test_serial_that_is_none_is_malformed(port: PortThread, held: str) -> None:
    assert "malformed" == port.unit().problem("GET", f"{DIRECTORY_PATH}?held={held}")


def test_who_is_struck_gets_none(town: AskingTown, port: PortThread) -> None:
    town.strike(SHOP)
    port.wait_for_directory(town.serial)

    assert "struck" == port.unit().problem("GET", DIRECTORY_PATH)
