"""A revocation list forgets certificates of proofs that have ended, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography import x509

from runtime.proof_serials import has_ended, proof_serial

NOW = datetime(2026, 11, 27, 22, tzinfo=UTC)


def test_serial_of_a_proof_says_when_it_ends() -> None:
    serial = proof_serial(NOW)

    assert [False, True] == [has_ended(serial, NOW - timedelta(seconds=1)), has_ended(serial, NOW)]
    assert serial != proof_serial(NOW)


def test_serial_fits_a_certificate() -> None:
    """RFC 5280: positive, and 20 bytes at most."""
    for ends_at in (datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)):
        assert 152 < proof_serial(ends_at).bit_length() < 160


def test_no_other_serial_ever_ends() -> None:
    far = datetime(9999, 1, 1, tzinfo=UTC)
    of_proof = proof_serial(NOW)
    others = [0, 7, -of_proof, of_proof >> 8, of_proof << 8, *(x509.random_serial_number() for _ in range(99))]

    assert not any(has_ended(serial, far) for serial in others)
