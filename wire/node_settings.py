"""A node's settings, signed by the authority: licence, transmit key, hardware profile and words (ADR 0032).

They stand above ``node.toml``: what is absent is as that file says. Each document holds all that is set, and replaces
the one before. There is no field for a key, a password or an address, and none is ever added: the broker stores it.

A document is read in two steps. Its head says whose it is and which one; only then is the rest read, so that a node of
an older version refuses what it does not know in a sentence, instead of dropping it without a word.
"""

from __future__ import annotations

import re
from typing import Annotated, Final

import msgspec
from msgspec import Struct

from wire.errors import EncodeError, SettingsError, SignatureInvalidError
from wire.ids import NodeId, parse_node
from wire.limits import DETAIL_CHARS_MAX, NAME_CHARS_MAX, SETTINGS_BYTES_MAX
from wire.messages import Count, Message, Moment, Name, NodeText, settle_moments
from wire.signing import SETTINGS_DOMAIN, PublicKey, SigningKey
from wire.text import display_text

SERIAL_MAX: Final = 2**53
PTT_METHODS: Final = ("gpio", "serial-rts", "cm108")
GPIO_PINS: Final = range(9, 28)
"""The Pi pulls 0 to 8 up from power-up, long before any program runs, which would key a radio on them."""
CM108_PINS: Final = range(1, 9)
_DEVICE: Final = re.compile(r"/dev/[A-Za-z0-9][A-Za-z0-9_.:-]*(/[A-Za-z0-9][A-Za-z0-9_.:-]*)*")
_LICENCE: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9 /.-]*[A-Za-z0-9])?")
_VOICE: Final = re.compile(r"[A-Za-z0-9+_-]{1,32}")

Serial = Annotated[int, msgspec.Meta(ge=1, le=SERIAL_MAX)]


class PttSetting(Message, frozen=True, forbid_unknown_fields=True):
    """The line that keys the transmitter, as ``[radio.ptt]``."""

    method: Name
    """``gpio``, ``serial-rts`` or ``cm108``."""
    gpio: Count = 12
    """BCM number, 9 … 27."""
    serial: Name = "/dev/ttyUSB0"
    """Serial device whose RTS keys."""
    hidraw: Name = "/dev/hidraw0"
    """The CM108's control device."""
    cm108_pin: Count = 3
    """The CM108's pin, 1 … 8."""


class Words(Message, frozen=True, forbid_unknown_fields=True):
    """What is spoken on the air before the premises' name; absent = the usual words."""

    voice: Name | None = None
    """An espeak-ng voice."""
    neutral: Name | None = None
    """Spoken instead of a silent attack's words; empty = the burst alone."""
    attack: Name | None = None
    """For an attack."""
    assist: Name | None = None
    """For an assist."""
    theft: Name | None = None
    """For a theft in progress."""
    sighting: Name | None = None
    """For a sighting."""
    disorder: Name | None = None
    """For disorder."""
    breach: Name | None = None
    """For an excluded person."""
    call_request: Name | None = None
    """For a call request."""
    cancel: Name | None = None
    """For an alert that is cancelled."""
    test: Name | None = None
    """For a test."""


SPOKEN: Final = tuple(name for name in Words.__struct_fields__ if name not in ("voice", "neutral"))
"""The fields of :class:`Words` that say what has happened. None of them may be empty."""


class NodeSettings(Message, frozen=True, forbid_unknown_fields=True):
    """``node/{node}/down/settings``, inside its envelope: all settings of one node that come from the fleet."""

    node: NodeText
    """Whose they are. Every other node refuses them."""
    serial: Serial
    """Rises with each document for this node; one with a lower or the same serial counts for nothing."""
    made_at: Moment
    """By the fleet's clock: for people only."""
    licence: Name | None = None
    """The licence reference; empty = the node only listens. Absent = as in the node's own file, like all below."""
    profile: Name | None = None
    """The hardware profile."""
    ptt: PttSetting | None = None
    """The line that keys the transmitter."""
    words: Words | None = None
    """What is spoken on the air."""

    def __post_init__(self) -> None:
        settle_moments(self, "made_at")


class SealedSettings(Message, frozen=True):
    """``node/{node}/down/settings``: the signed bytes inside a JSON envelope."""

    document: bytes
    """UTF-8 JSON of a :class:`~wire.node_settings.NodeSettings` (base64 here)."""
    signature: bytes
    """Ed25519 by the authority over the settings domain and ``document``: 64 bytes (base64 here)."""


class SettingsFile(Message, frozen=True):
    """``settings.json`` beside ``central.toml``: the newest settings of each node that has any."""

    nodes: tuple[SealedSettings, ...] = ()


class SignedSettings(Struct, frozen=True):
    """Settings whose signature was verified.

    Attributes:
        node, serial: of the head.
        data: the sealed bytes, as they travel and as they are kept.
        settings: ``None`` = this version does not understand them.
        problem: why they cannot be used, as a sentence; empty = as far as can be said without the node, they can.
    """

    node: NodeId
    serial: int
    data: bytes
    settings: NodeSettings | None
    problem: str


class _Head(Struct, frozen=True):
    node: NodeText
    serial: Serial


_read_sealed_settings: Final = msgspec.json.Decoder(SealedSettings).decode
_read_head: Final = msgspec.json.Decoder(_Head).decode
_read_node_settings: Final = msgspec.json.Decoder(NodeSettings).decode


def seal_settings(settings: NodeSettings, authority: SigningKey) -> bytes:
    """Sign.

    Raises:
        EncodeError: no node would accept it.
    """
    document = msgspec.json.encode(settings)
    data = msgspec.json.encode(SealedSettings(document=document, signature=authority.sign(SETTINGS_DOMAIN, document)))
    try:
        problem = open_settings(data, authority.public).problem
    except SettingsError as e:
        raise EncodeError(f"settings: {e}") from e
    if problem:
        raise EncodeError(f"settings: {problem}")
    return data


def open_settings(data: bytes, authority: PublicKey) -> SignedSettings:
    """Check the signature, and read them.

    Whose they are, and whether they are newer than those held, is the caller's question.

    Raises:
        SettingsError: too large, malformed, or not signed by ``authority``.
    """
    if len(data) > SETTINGS_BYTES_MAX:
        raise SettingsError("settings too large", SETTINGS_BYTES_MAX, f"{len(data)} bytes")
    try:
        sealed = _read_sealed_settings(data)
        authority.verify(SETTINGS_DOMAIN, sealed.document, sealed.signature)
        head = _read_head(sealed.document)
    except SignatureInvalidError as e:
        raise SettingsError("settings signature") from e
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as e:
        raise SettingsError("settings", detail=display_text(str(e), DETAIL_CHARS_MAX)) from e
    node = parse_node(head.node)
    try:
        settings = _read_node_settings(sealed.document)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as e:
        why = display_text(f"this version does not understand them: {e}", DETAIL_CHARS_MAX)
        return SignedSettings(node, head.serial, data, None, why)
    return SignedSettings(node, head.serial, data, settings, objection(settings))


def objection(settings: NodeSettings) -> str:
    """Why these can be nobody's settings, as a sentence without a full stop; empty = they can."""
    if settings.licence and not _LICENCE.fullmatch(settings.licence):
        return f"{_quoted(settings.licence)} is no licence reference: letters, digits, spaces, and / . - between them"
    problem = _of_ptt(settings.ptt) if settings.ptt is not None else ""
    return problem or (_of_words(settings.words) if settings.words is not None else "")


def _of_ptt(ptt: PttSetting) -> str:
    if ptt.method not in PTT_METHODS:
        return f"{_quoted(ptt.method)} is no way to key a transmitter: it is one of {', '.join(PTT_METHODS)}"
    if ptt.method == "gpio" and ptt.gpio not in GPIO_PINS:
        low = f"{GPIO_PINS[0]} to {GPIO_PINS[-1]}"
        return f"GPIO {ptt.gpio} cannot key a transmitter: only {low} are low while a Pi starts"
    if ptt.method == "cm108" and ptt.cm108_pin not in CM108_PINS:
        return f"a CM108 has no pin {ptt.cm108_pin}: it has {CM108_PINS[0]} to {CM108_PINS[-1]}"
    device = {"serial-rts": ptt.serial, "cm108": ptt.hidraw}.get(ptt.method)
    if device is not None and not _DEVICE.fullmatch(device):
        return f"{_quoted(device)} is no device: write /dev/…"
    return ""


def _of_words(words: Words) -> str:
    if words.voice is not None and not _VOICE.fullmatch(words.voice):
        return f"{_quoted(words.voice)} is no voice's name"
    for name in (*SPOKEN, "neutral"):
        text: str | None = getattr(words, name)
        if text is None or (name == "neutral" and not text):
            continue
        if display_text(text, NAME_CHARS_MAX) != text or not any(c.isalnum() for c in text):
            return f"the words for {name} cannot be spoken: {_quoted(text)}"
    return ""


def _quoted(text: str) -> str:
    return f"“{display_text(text, NAME_CHARS_MAX)}”"
