"""What two people compare over the phone."""

from __future__ import annotations

from wire.fingerprints import key_fingerprint
from wire.signing import SigningKey


def test_fingerprint_is_short_enough_to_be_read_out_and_never_changes() -> None:
    """It is printed by the office and by the fleet, perhaps of different versions."""
    assert "ZGQ8-EHZB-JSPY-9YAE" == key_fingerprint(SigningKey(b"o" * 32).public.raw)


def test_fingerprint_of_another_key_is_another() -> None:
    keys = [SigningKey(bytes([number]) * 32).public.raw for number in range(100)]

    assert len(keys) == len({key_fingerprint(key) for key in keys})
