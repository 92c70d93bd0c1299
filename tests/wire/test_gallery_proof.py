"""The publisher's sign of life: nobody else can give it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from tests.wire.gallery_examples import KEYS, OFFICE, TOWN
from wire.errors import EncodeError, SnapshotError
from wire.gallery_proof import PROOF_BYTES_MAX, GalleryProof, ProvenGallery, open_proof, seal_proof
from wire.signing import SigningKey

HART = ProvenGallery(scheme=1, number=42)
PROOF = GalleryProof(made_at=datetime(2026, 11, 27, 12, tzinfo=UTC), galleries=(HART,))


def test_proof_is_read_back_as_it_was() -> None:
    assert PROOF == open_proof(seal_proof(PROOF, TOWN, OFFICE), TOWN, KEYS)


@pytest.mark.parametrize(
    ("reason", "altered"),
    [
        ("snapshot signature", lambda data: data.replace(b"2026-11-27", b"2026-12-27")),
        ("snapshot signature", lambda data: data.replace(b'"number":42', b'"number":43')),
        ("snapshot town", lambda data: data.replace(TOWN.text.encode(), b"0" * 64)),
        ("snapshot name", lambda data: data.replace(b"gallery-proof", b"gallery-1")),
        ("snapshot", lambda data: data[:-2]),
        ("snapshot too large", lambda data: data + b" " * PROOF_BYTES_MAX),
    ],
)
def test_altered_proof_is_refused(reason: str, altered: Callable[[bytes], bytes]) -> None:
    with pytest.raises(SnapshotError) as refused:
        open_proof(altered(seal_proof(PROOF, TOWN, OFFICE)), TOWN, KEYS)

    assert reason == refused.value.reason


def test_proof_of_another_signer_is_refused() -> None:
    with pytest.raises(SnapshotError, match="signature"):
        open_proof(seal_proof(PROOF, TOWN, SigningKey(b"z" * 32)), TOWN, KEYS)


def test_proof_that_names_a_scheme_twice_is_not_made() -> None:
    with pytest.raises((EncodeError, ValueError), match="twice"):
        seal_proof(GalleryProof(made_at=PROOF.made_at, galleries=(HART, HART)), TOWN, OFFICE)
