"""The gallery's manifest: what a reader refuses, and that one scheme's is never another's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from wire.errors import EncodeError, SnapshotError
from wire.gallery_manifest import (
    ENTRIES_MAX,
    LISTED_MAX,
    GalleryEntry,
    GalleryManifest,
    PhotographEntry,
    ciphertext_file,
    manifest_file,
    manifest_name,
    open_manifest,
    parse_ciphertext_file,
    parse_manifest_file,
    seal_manifest,
)
from wire.limits import SNAPSHOT_BYTES_MAX
from wire.signing import SigningKey
from wire.snapshots import AuditHead, People, Town, open_snapshot, parse_file_name, seal_named

OFFICE = SigningKey(b"o" * 32)
TOWN = Town(SigningKey(b"a" * 32).public)
KEYS = (OFFICE.public,)
PHOTOGRAPHS = (
    PhotographEntry(size="small", sha256="ab" * 32, file_bytes=6_000),
    PhotographEntry(size="portrait", sha256="cd" * 32, file_bytes=60_000),
)
ENTRY = GalleryEntry(
    case=17,
    reference="HART-0042",
    category="theft",
    not_before_s=1_700_000_000,
    not_after_s=1_715_000_000,
    name="Nobody Atall",
    premises=(3, 5),
    photograph="0f" * 16,
    photographs=PHOTOGRAPHS,
)
MANIFEST = GalleryManifest(
    scheme=1,
    number=9,
    made_at=datetime(2026, 11, 27, 12, tzinfo=UTC),
    audit=AuditHead(sequence=7, digest="ab" * 32),
    entries=(ENTRY, replace(ENTRY, case=18, name="", premises=None, photograph=None, photographs=())),
)


def test_manifest_is_read_back_as_it_was() -> None:
    assert MANIFEST == open_manifest(seal_manifest(MANIFEST, TOWN, OFFICE), 1, TOWN, KEYS)
    empty = replace(MANIFEST, entries=())
    assert empty == open_manifest(seal_manifest(empty, TOWN, OFFICE), 1, TOWN, KEYS)
    assert frozenset({"ab" * 32, "cd" * 32}) == MANIFEST.ciphertexts()


@pytest.mark.parametrize(
    ("reason", "altered"),
    [
        ("snapshot signature", lambda data: data.replace(b"Nobody", b"Mobody")),
        ("snapshot signature", lambda data: data.replace(b"1715000000", b"1815000000")),
        ("snapshot signature", lambda data: data.replace(b'"number":9', b'"number":8')),
        ("snapshot town", lambda data: data.replace(TOWN.text.encode(), b"0" * 64)),
        ("snapshot name", lambda data: data.replace(b'"gallery-1"', b'"gallery-2"')),
        ("snapshot", lambda data: data[:-2]),
        ("snapshot", lambda data: b"[" * 100_000),
        ("snapshot too large", lambda data: data + b" " * SNAPSHOT_BYTES_MAX),
    ],
)
def test_altered_manifest_is_refused(reason: str, altered: Callable[[bytes], bytes]) -> None:
    with pytest.raises(SnapshotError) as refused:
        open_manifest(altered(seal_manifest(MANIFEST, TOWN, OFFICE)), 1, TOWN, KEYS)

    assert reason == refused.value.reason


def test_one_schemes_manifest_is_never_anothers() -> None:
    """HART's gallery is never readable as Pub Watch's (G4)."""
    with pytest.raises(SnapshotError, match="snapshot name"):
        open_manifest(seal_manifest(MANIFEST, TOWN, OFFICE), 2, TOWN, KEYS)
    with pytest.raises(SnapshotError, match="snapshot name"):
        open_manifest(seal_named("gallery-2", MANIFEST, TOWN, OFFICE, lambda _: MANIFEST), 2, TOWN, KEYS)


def test_manifest_is_no_other_snapshot_and_no_other_signer_counts() -> None:
    data = seal_manifest(MANIFEST, TOWN, OFFICE)
    with pytest.raises(SnapshotError, match="snapshot name"):
        open_snapshot(data, People, TOWN, KEYS)
    for keys in ((), (SigningKey(b"x" * 32).public,)):
        with pytest.raises(SnapshotError, match="signature"):
            open_manifest(data, 1, TOWN, keys)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"not_after_s": ENTRY.not_before_s}, "ends before"),
        ({"photographs": (PHOTOGRAPHS[0], PHOTOGRAPHS[0])}, "size is listed twice"),
        ({"photograph": None}, "without a number"),
        ({"photographs": ()}, "without photographs"),
        ({"premises": (3, 3)}, "premises is listed twice"),
    ],
)
def test_entry_that_contradicts_itself_is_refused(fields: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why.replace("without photographs", "photographs")):
        replace(ENTRY, **fields)


def test_case_that_is_listed_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="case is listed twice"):
        replace(MANIFEST, entries=(ENTRY, ENTRY))


@pytest.mark.parametrize(
    "entry",
    [
        replace(ENTRY, premises=()),
        replace(ENTRY, premises=tuple(range(1, LISTED_MAX + 2))),
        replace(ENTRY, reference="hart-0042"),
        replace(ENTRY, reference="HART-0042\n"),
        replace(ENTRY, name="x" * 121),
        replace(ENTRY, not_before_s=-1),
        replace(ENTRY, photographs=(replace(PHOTOGRAPHS[0], file_bytes=1_048_577),)),
        replace(ENTRY, photographs=(replace(PHOTOGRAPHS[0], sha256="AB" * 32),)),
    ],
)
def test_entry_out_of_bounds_is_not_published(entry: GalleryEntry) -> None:
    with pytest.raises(EncodeError):
        seal_manifest(replace(MANIFEST, entries=(entry,)), TOWN, OFFICE)


def test_largest_manifest_fits() -> None:
    """Bounds that hold each by itself hold together."""
    numbers = tuple(2**53 - one for one in range(LISTED_MAX))
    entry = replace(ENTRY, reference=f"{'H' * 32}-{'9' * 10}", name="\N{PILE OF POO}" * 120, premises=numbers)
    entries = tuple(replace(entry, case=2**53 - one) for one in range(ENTRIES_MAX))
    largest = replace(MANIFEST, number=2**53, entries=entries)

    assert len(seal_manifest(largest, TOWN, OFFICE)) < SNAPSHOT_BYTES_MAX
    with pytest.raises(EncodeError):
        seal_manifest(replace(MANIFEST, entries=(*entries, replace(entry, case=1))), TOWN, OFFICE)


@given(st.binary(max_size=400))
def test_any_bytes_are_refused_with_a_reason(data: bytes) -> None:
    with pytest.raises(SnapshotError):
        open_manifest(data, 1, TOWN, KEYS)


@given(st.data())
def test_no_change_of_a_byte_is_taken_for_the_manifest(data: st.DataObject) -> None:
    sealed = bytearray(seal_manifest(MANIFEST, TOWN, OFFICE))
    place = data.draw(st.integers(0, len(sealed) - 1))
    sealed[place] ^= data.draw(st.integers(1, 255))
    try:
        read = open_manifest(bytes(sealed), 1, TOWN, KEYS)
    except SnapshotError:
        return

    assert read == MANIFEST


@given(
    st.builds(
        GalleryManifest,
        scheme=st.integers(1, 0xFFFF),
        number=st.integers(0, 2**53),
        made_at=st.integers(0, 2**37).map(lambda s: datetime.fromtimestamp(s, UTC)),
        audit=st.just(MANIFEST.audit),
        entries=st.sampled_from([(), (ENTRY,), MANIFEST.entries]),
    )
)
def test_any_manifest_is_read_back(manifest: GalleryManifest) -> None:
    data = seal_manifest(manifest, TOWN, OFFICE)

    assert manifest == open_manifest(data, manifest.scheme, TOWN, KEYS)
    assert msgspec.json.decode(data)["name"] == manifest_name(manifest.scheme)


def test_file_names_are_read_back_and_others_are_none() -> None:
    assert parse_manifest_file(manifest_file(1, 42)) == (1, 42)
    assert parse_ciphertext_file(ciphertext_file("ab" * 32)) == "ab" * 32
    for text in ("gallery-0-1.json", "gallery-1-0.json", "gallery-1.json", ".gallery-1-1.json", "gallery-1-1.json.x"):
        assert parse_manifest_file(text) is None
    for text in ("AB" * 32 + ".bin", "ab" * 31 + ".bin", "." + "ab" * 32 + ".bin"):
        assert parse_ciphertext_file(text) is None
    assert parse_file_name(manifest_file(1, 42)) is None
