"""The gallery's golden vectors: what rests in the repository opens to what it says, or is refused as it says."""

from __future__ import annotations

import zlib
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from tests.wire.test_golden import by_name, committed
from wire.errors import SnapshotError
from wire.gallery_contact import GalleryAnswer, decode_answer
from wire.gallery_head import GalleryHead, merge, open_head, open_lines
from wire.gallery_keys import Holder, KeyRow, open_row, open_text
from wire.gallery_lines import EntryText, GalleryError, parse_lines
from wire.gallery_proof import GalleryProof, open_proof
from wire.gallery_reports import BreachReport, decode_reports, encode_reports
from wire.gallery_staff import StaffEntry, staff_digest, start_code_check
from wire.gallery_views import continue_chain, no_views, read_views
from wire.ids import parse_node
from wire.signing import PublicKey
from wire.snapshots import Town

GALLERY = committed("gallery.json")
TOWN = Town(PublicKey(bytes.fromhex(GALLERY["town"])))
OFFICE = (PublicKey(bytes.fromhex(GALLERY["office"])),)
HEAD = open_head(GALLERY["heads"][0]["sealed"].encode(), 1, TOWN, OFFICE)
BEFORE = parse_lines(GALLERY["lines before"].encode())


@by_name(GALLERY["heads"])
def test_head_vector_opens_to_what_it_says(row: dict[str, Any]) -> None:
    read = open_head(row["sealed"].encode(), row["scheme"], TOWN, OFFICE)

    assert msgspec.convert(row["head"], GalleryHead) == read


def test_quiet_answer_vector_is_read_as_it_says() -> None:
    row = GALLERY["quiet answer"]
    read = decode_answer(compressed(row["json"].encode()))

    assert msgspec.convert(row["answer"], GalleryAnswer) == read
    assert read.views_received is not None
    assert (2, (2,)) == (read.views_received.n, read.unproven)


def compressed(data: bytes) -> bytes:
    """As the protocol says, by the vectors' own dictionary."""
    compressing = zlib.compressobj(zdict=GALLERY["dictionary"].encode())
    return compressing.compress(data) + compressing.flush()


def test_proof_vector_opens_to_what_it_says() -> None:
    row = GALLERY["proof"]

    assert msgspec.convert(row["proof"], GalleryProof) == open_proof(row["sealed"].encode(), TOWN, OFFICE)


@by_name(GALLERY["invalid heads"])
def test_invalid_head_vector_is_refused(row: dict[str, Any]) -> None:
    with pytest.raises(SnapshotError) as caught:
        open_head(row["sealed"].encode(), row["scheme"], TOWN, OFFICE)

    assert row["reason"] == caught.value.reason


def test_change_vector_gives_the_lines_that_the_head_names() -> None:
    change = GALLERY["change"]
    merged = merge(BEFORE, change["number"], HEAD, change["lines"].encode(), change["gone"])

    assert merged == open_lines(GALLERY["lines"].encode(), HEAD)


@by_name(GALLERY["invalid changes"])
def test_invalid_change_vector_is_refused(row: dict[str, Any]) -> None:
    with pytest.raises(GalleryError) as caught:
        merge(BEFORE, row["number"], HEAD, row["lines"].encode(), row["gone"])

    assert row["reason"] == caught.value.reason


def test_row_vector_opens_its_line() -> None:
    row, line = GALLERY["row"], parse_lines(GALLERY["lines"].encode())[17]
    key = X25519PrivateKey.from_private_bytes(bytes.fromhex(row["sealing_key"]))
    sealed = KeyRow(case=line.case, since=line.since, sealed=bytes.fromhex(row["sealed"]))
    keys = open_row(sealed, line, Holder(TOWN, 1, parse_node(row["node"])), key)

    assert (keys.text.hex(), keys.photograph and keys.photograph.hex()) == (row["text_key"], row["photograph_key"])
    assert keys.here is row["here"]
    assert msgspec.convert(row["text"], EntryText) == open_text(line, keys.text, 1)


def test_view_vectors_are_a_chain() -> None:
    head, views = no_views(TOWN, parse_node("00000010")), read_views(GALLERY["views"]["data"].encode())

    assert head.digest == GALLERY["views"]["start"]
    assert [view.digest for view in views] == GALLERY["views"]["digests"]
    assert continue_chain(head, views, lambda _: None).new == views


def test_report_vectors_are_what_they_say() -> None:
    data = GALLERY["reports"]["data"].encode()
    reports = decode_reports(data)

    assert msgspec.convert(GALLERY["reports"]["reports"], tuple[BreachReport, ...]) == reports
    assert encode_reports(reports) == data


def test_staff_vectors_have_their_digest_and_their_start_code() -> None:
    staff = msgspec.convert(GALLERY["staff"]["entries"], tuple[StaffEntry, ...])

    assert GALLERY["staff"]["digest"] == staff_digest(staff)
    assert GALLERY["staff"]["digest of nobody"] == staff_digest(())
    assert staff[0].code_check == start_code_check(GALLERY["staff"]["start code"])
