"""Rows of keys: that one opens for its own node and line only, and what opens with it."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.wire.gallery_examples import HOLDER, NODE, NODE_PUBLIC, TEXT, TOWN, keys_of, line
from wire.gallery_keys import (
    TEXT_BLOCK_BYTES,
    Holder,
    KeyRow,
    LineKeys,
    open_photograph,
    open_row,
    open_text,
    seal_row,
    seal_text,
)
from wire.gallery_lines import TEXT_BYTES_MAX, EntryText, GalleryError, GalleryLine, PhotographEntry
from wire.hpke import SealError, seal
from wire.ids import NodeId
from wire.signing import SigningKey
from wire.snapshots import Town

LINE = line(17, since=4)
ROW = seal_row(keys_of(17), LINE, HOLDER, NODE_PUBLIC)


@pytest.mark.parametrize("here", [True, False])
@pytest.mark.parametrize("has_photograph", [True, False])
def test_row_opens_for_its_node_and_line(*, here: bool, has_photograph: bool) -> None:
    one, keys = (
        line(17, has_photograph=has_photograph),
        keys_of(17, has_photograph=has_photograph, here=here),
    )

    assert open_row(seal_row(keys, one, HOLDER, NODE_PUBLIC), one, HOLDER, NODE) == keys


def test_row_does_not_tell_whether_it_happened_here() -> None:
    lengths = {len(seal_row(keys_of(17, here=here), LINE, HOLDER, NODE_PUBLIC).sealed) for here in (True, False)}

    assert len(lengths) == 1


@pytest.mark.parametrize(
    "holder",
    [
        Holder(TOWN, 1, NodeId(0x11)),
        Holder(TOWN, 2, NodeId(0x10)),
        Holder(Town(SigningKey(b"b" * 32).public), 1, NodeId(0x10)),
    ],
    ids=["node", "scheme", "town"],
)
def test_row_of_another_node_scheme_or_town_does_not_open(holder: Holder) -> None:
    """Not even if it was sealed to this very key."""
    with pytest.raises(SealError):
        open_row(seal_row(keys_of(17), LINE, holder, NODE_PUBLIC), LINE, HOLDER, NODE)


def test_row_that_is_sealed_to_another_key_does_not_open() -> None:
    other = X25519PrivateKey.generate()
    with pytest.raises(SealError):
        open_row(seal_row(keys_of(17), LINE, HOLDER, other.public_key().public_bytes_raw()), LINE, HOLDER, NODE)
    with pytest.raises(SealError, match="sealing key"):
        seal_row(keys_of(17), LINE, HOLDER, bytes(32))


@pytest.mark.parametrize(
    "fields",
    [{"case": 18}, {"since": 5}, {"not_after_s": LINE.not_after_s + 1}],
    ids=["case", "since", "end"],
)
def test_row_opens_no_other_line_and_no_longer_ban(fields: dict[str, Any]) -> None:
    other = replace(LINE, **fields)
    passed_off = replace(ROW, case=other.case, since=other.since)

    for row in (ROW, passed_off):
        with pytest.raises(SealError):
            open_row(row, other, HOLDER, NODE)
    with pytest.raises(SealError):
        open_row(passed_off if passed_off != ROW else replace(ROW, case=18), LINE, HOLDER, NODE)


@pytest.mark.parametrize(
    "plaintext",
    [b"", b"\x00" + b"k" * 31, b"\x00" + b"k" * 32, b"\x00" + b"k" * 63, b"\x02" + b"k" * 64, b"\x00" + b"k" * 65],
)
def test_row_that_holds_no_keys_is_refused(plaintext: bytes) -> None:
    row = KeyRow(case=17, since=4, sealed=seal(NODE_PUBLIC, HOLDER.info(LINE), plaintext or b"\x00"))
    with pytest.raises(SealError):
        open_row(row, LINE, HOLDER, NODE)


@given(st.binary(max_size=200))
def test_any_bytes_are_no_row(data: bytes) -> None:
    with pytest.raises(SealError):
        open_row(KeyRow(case=17, since=4, sealed=data), LINE, HOLDER, NODE)


@given(st.text(max_size=120))
def test_text_is_read_back_and_its_length_tells_no_names(name: str) -> None:
    try:
        name.encode()
    except UnicodeEncodeError:
        return
    text = EntryText(reference="HART-0042", category="theft", name=name)
    one = line(17, text=text)

    assert open_text(one, keys_of(17).text, 1) == text
    assert (len(one.text) - 28) % TEXT_BLOCK_BYTES == 0
    assert len(one.text) <= TEXT_BYTES_MAX


def test_longest_text_fits_and_short_names_are_of_one_length() -> None:
    longest = EntryText(reference=f"{'H' * 32}-{'9' * 10}", category="criminal-damage", name="\N{PILE OF POO}" * 120)
    assert open_text(line(1, text=longest), keys_of(1).text, 1) == longest
    lengths = {len(line(1, text=replace(TEXT, name=name)).text) for name in ("", "Al", "Nobody Atall of Nowhere")}
    assert len(lengths) == 1
    with pytest.raises(GalleryError, match="gallery text"):
        seal_text(replace(TEXT, name="\x01" * 200), b"k" * 32, 1, 1, 1)


@pytest.mark.parametrize(
    ("one", "key", "scheme"),
    [
        (LINE, keys_of(18).text, 1),
        (LINE, keys_of(17).text, 2),
        (replace(LINE, case=18), keys_of(17).text, 1),
        (replace(LINE, since=5), keys_of(17).text, 1),
        (replace(LINE, text=LINE.text[:-1]), keys_of(17).text, 1),
        (replace(LINE, text=b"x" * 28), keys_of(17).text, 1),
        (LINE, b"", 1),
    ],
    ids=["key", "scheme", "case", "since", "cut short", "nothing in it", "no key"],
)
def test_text_of_another_line_does_not_open(one: GalleryLine, key: bytes, scheme: int) -> None:
    with pytest.raises(GalleryError, match="gallery text"):
        open_text(one, key, scheme)


@given(st.binary(max_size=100))
def test_any_bytes_that_an_office_could_seal_are_refused_as_a_text(plaintext: bytes) -> None:
    key, nonce = b"k" * 32, b"n" * 12
    sealed = nonce + ChaCha20Poly1305(key).encrypt(nonce, plaintext, b"watchlink/1/gallery text\n1\n17\n4")
    with pytest.raises(GalleryError, match="gallery text"):
        open_text(replace(LINE, text=sealed), key, 1)


def test_photograph_opens_with_its_own_key_and_is_the_file_that_the_line_names() -> None:
    key, nonce, number = b"p" * 32, b"n" * 12, "0f" * 16
    about = f"watchlink/1/photograph\n{number}\nsmall".encode()
    data = nonce + ChaCha20Poly1305(key).encrypt(nonce, b"a JPEG", about)
    entry = PhotographEntry(size="small", sha256=sha256(data).hexdigest(), file_bytes=len(data))

    assert open_photograph(data, number, entry, key) == b"a JPEG"
    wrong_ones = (
        (data[:-1], number, entry, key),
        (data, number, replace(entry, sha256="ab" * 32), key),
        (data, number, replace(entry, size="portrait"), key),
        (data, "1f" * 16, entry, key),
        (data, number, entry, b"q" * 32),
    )
    for wrong in wrong_ones:
        with pytest.raises(GalleryError, match="gallery photograph"):
            open_photograph(*wrong)


def test_keys_are_shown_in_no_log() -> None:
    assert b"k" * 32 not in repr(LineKeys(b"k" * 32, b"k" * 32)).encode()
