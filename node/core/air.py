"""The vocabulary of the air, shared by the rules and the adapters: modes, airtimes, phrases, limits."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

RATE_HZ: Final = 44_100
"""Samples a second, of sound everywhere: mono, signed 16 bit, little-endian."""
BLOCK_MS: Final = 20
BLOCK_BYTES: Final = 2 * RATE_HZ * BLOCK_MS // 1000
"""Size of the blocks in which sound travels between device and codec."""

OVER_MS_MAX: Final = 30_000
"""No transmission is longer (N10). The core plans within it; the PTT's guard enforces it from outside the program."""
KEY_UP_MS: Final = 350
"""From PTT to the first tone: the transmitter's rise and the far squelch (300–500 ms)."""
BURST_GAP_MS: Final = 60
"""Silence between two bursts of one over."""
SPEECH_GAP_MS: Final = 150
"""Silence between the last burst and the sentence."""
BURSTS_PER_OVER_MAX: Final = 4


class Mode(StrEnum):
    """How a burst is modulated. A listener hears all of them at once."""

    IL2P_1200 = "1200-il2p"
    FX25_1200 = "1200-fx25"
    IL2P_300 = "300-il2p"


LADDER: Final = (Mode.IL2P_1200, Mode.FX25_1200, Mode.IL2P_300)
"""From the fastest mode to the one that reaches furthest. Stronger rungs are added at the end."""

_FIXED_AND_PER_BYTE_US: Final = {
    # Audio of Dire Wolf 1.7 as node.net.radio.direwolf sets it, measured to the sample (45 … 96 bytes for FX.25, whose
    # blocks have three sizes). Bursts of one over share the first one's preamble, so a later one is 110 ms shorter.
    Mode.IL2P_1200: (340_000, 6_667),
    Mode.FX25_1200: (1_440_000, 0),
    Mode.IL2P_300: (1_013_500, 26_667),
}


def burst_ms(mode: Mode, frame_bytes: int) -> int:
    """Approximate length of a burst of that many bytes, without key-up."""
    fixed_us, per_byte_us = _FIXED_AND_PER_BYTE_US[mode]
    return (fixed_us + per_byte_us * frame_bytes) // 1000


class Phrase(StrEnum):
    """Id of a sentence spoken after the bursts; the sentence is rendered in advance from the configuration."""

    ATTACK = "attack"
    ASSIST = "assist"
    THEFT = "theft"
    SIGHTING = "sighting"
    DISORDER = "disorder"
    BREACH = "breach"
    CALL_REQUEST = "call-request"
    CANCEL = "cancel"
    TEST = "test"
    NEUTRAL = "neutral"
    """The scheme's neutral words for a silent attack (N4); only if the scheme sets them."""


def about(phrase: Phrase, reference: str) -> str:
    """Id of the same sentence about a person, who is named by reference alone; without one, the phrase's own."""
    return f"{phrase} {reference}" if reference else phrase.value


SPEECH_MS: Final = 6_000
"""Approximate length of a sentence, said twice, for the core's planning."""
