"""The seed of a new node: what is written is read, and what people do to it is told in words."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from wire.claim_code import claim_code
from wire.seed import SEED_BYTES_MAX, EnrolmentAddress, Seed, SeedError, WiFi, decode_seed, encode_seed
from wire.signing import SigningKey

CODE = claim_code(bytes(range(100, 114)))
SEED = Seed(
    node="00000010",
    claim=CODE,
    enrolment=EnrolmentAddress(host="central.watch.town.gov.uk"),
    ca_sha256=("ab" * 32,),
    authority=SigningKey(bytes(32)).public.raw.hex(),
    wifi=WiFi(name="The Anchor – guests", password="correct horse"),
)


def changed(path: str, value: object) -> bytes:
    """The seed's JSON with another value at ``wifi.password``, or without it if that is ``...``."""
    fields: dict[str, Any] = json.loads(encode_seed(SEED))
    *above, name = path.split(".")
    part = fields
    for one in above:
        part = part[one]
    if value is ...:
        del part[name]
    else:
        part[name] = value
    return json.dumps(fields).encode()


def refusal(data: bytes) -> str:
    with pytest.raises(SeedError) as caught:
        decode_seed(data)
    assert CODE not in str(caught.value)
    return caught.value.sentence


def test_seed_is_read_as_it_was_written() -> None:
    assert SEED == decode_seed(encode_seed(SEED))
    assert SEED == decode_seed(changed("later", {"version": 2}))


def test_seed_without_wifi_needs_no_wifi() -> None:
    seed = msgspec.structs.replace(SEED, wifi=None)

    assert seed == decode_seed(encode_seed(seed))


def test_seed_that_an_editor_of_windows_saved_is_read() -> None:
    assert SEED == decode_seed(b"\xef\xbb\xbf" + encode_seed(SEED).replace(b"\n", b"\r\n"))


def test_claim_in_a_seed_is_read_however_it_was_typed() -> None:
    assert SEED == decode_seed(changed("claim", f" {CODE.lower().replace('-', ' ')} "))


def test_typo_in_the_claim_is_told_with_its_group() -> None:
    typo = "-".join([*CODE.split("-")[:4], "UUUU", *CODE.split("-")[5:]])

    assert "Group 5 of the claim code cannot be right: check for typing errors." == refusal(changed("claim", typo))


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("claim", ..., "The seed lacks claim: make it again."),
        ("enrolment.port", 70_000, "The seed has a mistake in enrolment.port: make it again."),
        ("node", "10", "The seed has a mistake in node: make it again."),
        ("format", 2, "The seed has a mistake in format: make it again."),
        ("enrolment.host", "central\nx", "The enrolment service's host must be a name or an address."),
        ("enrolment.host", "", "The enrolment service's host must be a name or an address."),
        ("ca_sha256", ["AB"], "Each fingerprint of the CA must have 64 digits from 0 to 9 and a to f."),
        ("ca_sha256", [], "The seed has a mistake in ca_sha256: make it again."),
        ("authority", "ab", "The authority's key must have 64 digits from 0 to 9 and a to f."),
        ("authority", "00" * 32, "The authority's key cannot be used: make the seed again."),
        ("wifi.name", "é" * 17, "The Wi-Fi's name must have 1 to 32 bytes, without control characters."),
        ("wifi.name", "a\nb", "The Wi-Fi's name must have 1 to 32 bytes, without control characters."),
        ("wifi.name", "\ud800", "The Wi-Fi's name must have 1 to 32 bytes, without control characters."),
        (
            "wifi.password",
            "short",
            "The Wi-Fi's password must have 8 to 63 letters, digits and signs, without accents.",
        ),
        ("wifi.password", 'a"\nkey_mgmt', "The Wi-Fi's password must have 8 to 63 letters, digits and signs,"),
        ("wifi.country", "UK!", "The Wi-Fi's country must be two capitals, such as GB."),
    ],
    ids=str,
)
def test_mistake_in_a_field_is_told_in_words(path: str, value: object, sentence: str) -> None:
    assert refusal(changed(path, value)).startswith(sentence)


def test_refusal_does_not_repeat_the_password() -> None:
    assert "geheim" not in refusal(changed("wifi.password", "geheim\N{BELL}geheim"))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b'{\n "node": "00000010"\n "claim": ""}', "look for a missing quote or comma in line 3."),
        (b"[]", "This is no seed."),
        (b"\xff", "damaged"),
        (b"[" * SEED_BYTES_MAX, "damaged"),
        (b"1" * 5_000, "damaged"),
        (b" " * (SEED_BYTES_MAX + 1), "too large"),
        (b"", "line 1"),
    ],
    ids=["comma", "list", "bytes", "depth", "number", "size", "empty"],
)
def test_file_that_is_no_seed_is_told_in_words(data: bytes, sentence: str) -> None:
    assert sentence in refusal(data)


def test_seed_that_a_node_would_refuse_is_not_written() -> None:
    with pytest.raises(SeedError, match="password"):
        encode_seed(msgspec.structs.replace(SEED, wifi=WiFi(name="Anchor", password="short")))
