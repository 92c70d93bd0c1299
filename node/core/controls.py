"""Names of buttons, parts, sounds and LED patterns, shared by core, hardware and page."""

from __future__ import annotations

from enum import StrEnum


class Button(StrEnum):
    """A physical control, by its purpose. Its pin is in the hardware profile."""

    ATTACK = "attack"
    ASSIST = "assist"
    SEEN = "seen"
    RESPONDING = "responding"
    CANCEL = "cancel"
    TEST = "test"


class Part(StrEnum):
    """A part that can be missing or fail without stopping the rest."""

    OLED = "oled"
    BUTTONS = "buttons"
    SOUNDER = "sounder"
    LED = "led"
    STORE = "store"
    NETWORK = "network"
    RADIO = "radio"
    MODEM = "modem"
    """One of the radio's modems; the others go on."""
    SPEECH = "speech"
    """The sentences spoken after a burst; overs go out without them."""
    CLOCK = "clock"
    CARD = "card"
    """The memory card's data partition, as the card's own program says; that of the node itself is the store."""


class SoundPattern(StrEnum):
    """What the sounder plays. Never during a silent attack at the presser's own premises (N4)."""

    OFF = "off"
    ATTACK = "attack"
    ASSIST = "assist"
    NOTICE = "notice"
    CONFIRM = "confirm"
    UNDELIVERED = "undelivered"


class LedPattern(StrEnum):
    """What the status LED shows."""

    OFF = "off"
    READY = "ready"
    SENDING = "sending"
    RECEIVED = "received"
    ANSWERED = "answered"
    UNDELIVERED = "undelivered"
    FAULT = "fault"
