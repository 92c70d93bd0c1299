"""A node's settings: signed by the authority alone, read in two steps, and never more than four things (ADR 0032)."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from tools.publish.examples import KEYS, SETTINGS, SHOP
from wire.errors import EncodeError, SettingsError
from wire.limits import SETTINGS_BYTES_MAX
from wire.node_settings import NodeSettings, PttSetting, SealedSettings, Words, open_settings, seal_settings
from wire.signing import DIRECTORY_DOMAIN, SETTINGS_DOMAIN, SigningKey

AUTHORITY = KEYS["authority"]


def signed(document: object, key: SigningKey = AUTHORITY, domain: bytes = SETTINGS_DOMAIN) -> bytes:
    """Whatever a key can be made to sign."""
    inner = document if isinstance(document, bytes) else msgspec.json.encode(document)
    return msgspec.json.encode(SealedSettings(document=inner, signature=key.sign(domain, inner)))


def refused(data: bytes) -> str:
    with pytest.raises(SettingsError) as caught:
        open_settings(data, AUTHORITY.public)
    return caught.value.reason


def test_settings_come_back_as_they_were_sealed() -> None:
    data = seal_settings(SETTINGS, AUTHORITY)
    opened = open_settings(data, AUTHORITY.public)

    assert (SHOP, SETTINGS.serial, data, SETTINGS, "") == (
        opened.node,
        opened.serial,
        opened.data,
        opened.settings,
        opened.problem,
    )


@pytest.mark.parametrize("key", ["central", "delegate", "office", "shop", "stranger"])
def test_settings_that_somebody_else_signed_are_refused(key: str) -> None:
    assert "settings signature" == refused(signed(SETTINGS, KEYS[key]))


def test_settings_signed_for_another_purpose_are_refused() -> None:
    assert "settings signature" == refused(signed(SETTINGS, domain=DIRECTORY_DOMAIN))


def test_settings_that_were_touched_are_refused() -> None:
    sealed = msgspec.json.decode(signed(SETTINGS), type=SealedSettings)
    touched = replace(sealed, document=sealed.document.replace(b"00000010", b"00000011"))

    assert "settings signature" == refused(msgspec.json.encode(touched))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"{", "settings"),
        (b"[]", "settings"),
        (b"x" * (SETTINGS_BYTES_MAX + 1), "settings too large"),
        (signed(b"[]"), "settings"),
        (signed({"node": "00000010"}), "settings"),
        (signed({"node": "00000000", "serial": 5}), "settings"),
        (signed({"node": "00000010", "serial": 0}), "settings"),
    ],
    ids=["no json", "no envelope", "too large", "a list", "no serial", "no node", "serial 0"],
)
def test_settings_without_a_head_are_refused(data: bytes, reason: str) -> None:
    assert reason == refused(data)


@pytest.mark.parametrize(
    "field", [{"volume": 3}, {"words": {"anthem": "la"}}, {"ptt": {"method": "gpio", "pull": "up"}}, {"licence": 7}]
)
def test_settings_of_a_newer_version_have_a_head_and_a_problem(field: dict[str, Any]) -> None:
    """So that an older node can refuse them in a sentence, instead of taking half of them."""
    opened = open_settings(signed({**msgspec.to_builtins(SETTINGS), **field}), AUTHORITY.public)

    assert (SHOP, SETTINGS.serial, None) == (opened.node, opened.serial, opened.settings)
    assert "this version does not understand them" in opened.problem


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"licence": "LG\n1"}, "no licence reference"),
        ({"licence": " LG 1"}, "no licence reference"),
        ({"licence": "<b>"}, "no licence reference"),
        ({"ptt": PttSetting(method="telepathy")}, "no way to key"),
        ({"ptt": PttSetting(method="gpio", gpio=4)}, "GPIO 4 cannot key"),
        ({"ptt": PttSetting(method="gpio", gpio=40)}, "GPIO 40 cannot key"),
        ({"ptt": PttSetting(method="cm108", cm108_pin=9)}, "has no pin 9"),
        ({"ptt": PttSetting(method="cm108", hidraw="/etc/shadow")}, "is no device"),
        ({"ptt": PttSetting(method="serial-rts", serial="/dev/../etc/shadow")}, "is no device"),
        ({"words": Words(voice="; rm")}, "no voice's name"),
        ({"words": Words(attack="")}, "the words for attack cannot be spoken"),
        ({"words": Words(theft="\u202eTheft")}, "the words for theft cannot be spoken"),
        ({"words": Words(neutral="...")}, "the words for neutral cannot be spoken"),
    ],
)
def test_settings_that_no_node_could_have_say_why(wrong: dict[str, Any], says: str) -> None:
    settings = replace(SETTINGS, **wrong)

    assert says in open_settings(signed(settings), AUTHORITY.public).problem
    with pytest.raises(EncodeError):
        seal_settings(settings, AUTHORITY)


@pytest.mark.parametrize(
    "right",
    [
        {"licence": ""},
        {"licence": "G4ABC"},
        {"ptt": PttSetting(method="serial-rts", serial="/dev/serial/by-id/usb-FTDI_1-if00")},
        {"ptt": PttSetting(method="cm108", hidraw="/dev/hidraw2", cm108_pin=8)},
        {"words": Words(neutral="", voice="en-gb-scotland")},
    ],
)
def test_settings_that_a_node_could_have_are_sealed(right: dict[str, Any]) -> None:
    assert seal_settings(replace(SETTINGS, **right), AUTHORITY)


def test_settings_have_no_field_for_a_secret() -> None:
    """What is here is stored by the broker, by central and by the fleet, and read by all of them."""
    assert ("node", "serial", "made_at", "licence", "profile", "ptt", "words") == NodeSettings.__struct_fields__
