"""What only memory may hold is on no card, whatever was shown from it; with sealing switched off it would be found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

import tests.support.gallery_card
from demo.leaks import Needles, search
from gallery.page.ports import Opened
from gallery.store.staff_seal import StaffSeal
from tests.support.gallery_card import Published
from tests.support.gallery_running import RunningGallery
from wire.gallery_lines import EntryText

FACE = (Path(__file__).parents[2] / "demo/faces/nobody-13.jpg").read_bytes()


@pytest.fixture
def needles() -> Needles:
    needles = Needles()
    needles.name("Larkin Thorne")
    needles.name("Alice Alder")
    needles.picture("photograph", FACE)
    return needles


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[RunningGallery]:
    shop = RunningGallery(tmp_path / "card").start()
    yield shop
    shop.end()


def show(shop: RunningGallery) -> Published:
    """Somebody signs in and sees the person."""
    hart = Published().issue(17, "Larkin Thorne", FACE)
    shop.told(hart)
    shop.arrive(hart)
    session = shop.sign_in()
    shop.look(session, 17, size="small")
    return hart


def test_card_of_what_was_shown_holds_neither_name_nor_key_nor_picture(
    shop: RunningGallery, needles: Needles, tmp_path: Path
) -> None:
    hart = show(shop)
    session = "session"
    opened = shop.look(session, 17, size="small")
    assert isinstance(opened, Opened)
    assert FACE == opened.photograph
    keys = hart.keys[17]
    needles.key("key of a text", keys.text)
    assert keys.photograph is not None
    needles.key("key of a photograph", keys.photograph)

    assert [] == search(needles, tmp_path)
    assert "Thorne" not in shop.told_text


def test_search_finds_everything_where_nothing_is_sealed(
    shop: RunningGallery, needles: Needles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def plain(text: EntryText, *_: object) -> bytes:
        return bytes(28) + msgspec.json.encode(text)

    class Open:
        def __init__(self, _key: bytes) -> None:
            pass

        def encrypt(self, _nonce: bytes, data: bytes, _about: bytes) -> bytes:
            return data

    monkeypatch.setattr(tests.support.gallery_card, "seal_text", plain)
    monkeypatch.setattr(tests.support.gallery_card, "ChaCha20Poly1305", Open)
    monkeypatch.setattr(StaffSeal, "seal", lambda _self, data: data)
    monkeypatch.setattr(StaffSeal, "open", lambda _self, data: data)
    hart = Published().issue(17, "Larkin Thorne", FACE)
    shop.told(hart)
    shop.arrive(hart)
    shop.sign_in()

    assert needles.sorts.keys() == {leak.what for leak in search(needles, tmp_path)}
