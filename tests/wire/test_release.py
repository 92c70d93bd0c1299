"""A release: signed by the authority alone, readable by each later version, and for more units step by step (F4)."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest
from msgspec.structs import replace

from tools.publish.examples import KEYS
from wire.errors import EncodeError, ReleaseError
from wire.limits import RELEASE_BYTES_MAX
from wire.release import Bundle, Release, SealedRelease, open_release, seal_release, version_numbers
from wire.signing import RELEASE_DOMAIN, SETTINGS_DOMAIN, SigningKey

AUTHORITY = KEYS["authority"]
PI = Bundle(compatible="watchlink-pi", sha256="ab" * 32, size_bytes=230_000_000)
RELEASE = Release(
    serial=1_764_000_000,
    made_at=datetime(2026, 11, 28, tzinfo=UTC),
    version="0.1.0.202611280725",
    state="open",
    bundles=(PI,),
    canaries=("00000010",),
    percent=10,
    support_ends_at=datetime(2028, 7, 1, tzinfo=UTC),
)
TOWN = [f"{number:08x}" for number in range(16, 1016)]


def signed(document: object, key: SigningKey = AUTHORITY, domain: bytes = RELEASE_DOMAIN) -> bytes:
    """Whatever a key can be made to sign."""
    inner = document if isinstance(document, bytes) else msgspec.json.encode(document)
    return msgspec.json.encode(SealedRelease(document=inner, signature=key.sign(domain, inner)))


def refused(data: bytes) -> str:
    with pytest.raises(ReleaseError) as caught:
        open_release(data, AUTHORITY.public)
    return str(caught.value)


def test_release_comes_back_as_it_was_sealed() -> None:
    assert RELEASE == open_release(seal_release(RELEASE, AUTHORITY), AUTHORITY.public)


@pytest.mark.parametrize("key", ["central", "delegate", "office", "shop", "stranger"])
def test_release_that_somebody_else_signed_is_refused(key: str) -> None:
    assert "release signature" in refused(signed(RELEASE, KEYS[key]))


def test_release_signed_for_another_purpose_is_refused() -> None:
    assert "release signature" in refused(signed(RELEASE, domain=SETTINGS_DOMAIN))


def test_release_that_was_touched_is_refused() -> None:
    sealed = msgspec.json.decode(signed(RELEASE), type=SealedRelease)
    touched = replace(sealed, document=sealed.document.replace(b'"percent":10', b'"percent":99'))

    assert "release signature" in refused(msgspec.json.encode(touched))


def test_release_of_a_later_version_is_read_without_its_new_fields() -> None:
    """A unit that could not read it could never be updated."""
    later = msgspec.json.decode(msgspec.json.encode(RELEASE))
    later["colour"] = "green"
    later["bundles"][0]["delta_from"] = "0.1.0"

    assert RELEASE == open_release(signed(later), AUTHORITY.public)


@pytest.mark.parametrize(
    "wrong",
    [
        {"version": "newest"},
        {"version": "1"},
        {"version": "1..2"},
        {"version": "1.2\n"},
        {"version": "1.٣"},
        {"serial": 0},
        {"state": "stopped"},
        {"percent": 101},
        {"bundles": []},
        {"bundles": [{"compatible": "watchlink-pi", "sha256": "AB" * 32, "size_bytes": 1}]},
        {"bundles": [{"compatible": "watchlink-pi", "sha256": "ab" * 32, "size_bytes": 0}]},
        {"bundles": [{"compatible": "watchlink-pi", "sha256": "ab" * 32, "size_bytes": 1}] * 2},
        {"canaries": ["a shop"]},
        {"support_ends_at": "2028-07-01T00:00:00"},
    ],
)
def test_release_with_a_wrong_field_is_refused(wrong: dict[str, object]) -> None:
    refused(signed({**msgspec.json.decode(msgspec.json.encode(RELEASE)), **wrong}))


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"\xff", b"[" * 5000, b" " * (RELEASE_BYTES_MAX + 1)])
def test_junk_is_refused(data: bytes) -> None:
    refused(data)


def test_release_that_no_unit_would_accept_is_not_signed() -> None:
    with pytest.raises(EncodeError, match="is no version"):
        seal_release(replace(RELEASE, version="next"), AUTHORITY)


def test_canaries_are_always_asked_and_the_others_by_their_share() -> None:
    asked = [node for node in TOWN if RELEASE.applies_to(node)]

    assert "00000010" in asked
    assert 60 < len(asked) < 150


def test_wider_ring_holds_all_of_the_narrower() -> None:
    narrow = {node for node in TOWN if RELEASE.applies_to(node)}
    wide = {node for node in TOWN if replace(RELEASE, percent=50).applies_to(node)}

    assert narrow < wide
    assert set(TOWN) == {node for node in TOWN if replace(RELEASE, percent=100).applies_to(node)}


def test_canaries_alone_are_asked_at_first() -> None:
    assert ["00000010"] == [node for node in TOWN if replace(RELEASE, percent=0).applies_to(node)]


def test_each_version_draws_anew() -> None:
    """Or the same shops would be the first to suffer each time."""
    one, other = ({n for n in TOWN if replace(RELEASE, version=v).applies_to(n)} for v in ("1.0", "1.1"))

    assert len(one - other) > len(one) // 2


def test_paused_release_applies_to_nobody() -> None:
    paused = replace(RELEASE, state="paused", percent=100)

    assert not any(paused.applies_to(node) for node in TOWN)


def test_bundle_is_found_by_its_hardware() -> None:
    assert PI == RELEASE.bundle_for("watchlink-pi")
    assert RELEASE.bundle_for("watchlink-pc") is None


def test_versions_are_compared_by_their_numbers() -> None:
    numbers = [version_numbers(v) for v in ("0.1.0.202611280725", "0.1.0.202612010000", "0.2.0.1", "0.10.0.1")]

    assert None not in numbers
    assert numbers == sorted(n for n in numbers if n)
