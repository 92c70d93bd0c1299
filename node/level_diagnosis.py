"""What received sound says about the wiring, in words for the installer. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from node.core.air import BLOCK_MS, RATE_HZ
from node.core.radio.levels import SILENCE_DBFS, Level, dbfs, level, ratio, rms_dbfs, samples_of
from node.step import Outcome, Step

SPEECH_DBFS_MIN: Final = -30.0
SPEECH_DBFS_MAX: Final = -6.0
"""Speech on the channel should lie between these: loud enough for the modem, with room for a shout."""
MARGIN_DB: Final = 6.0
"""Least distance of the squelch from the channel's silence and from speech."""
_CLIPPED_SHARE_MAX: Final = 0.001
_OFFSET_MAX: Final = 0.1
_HUM_HZ: Final = (50, 100, 150)
_HUM_SHARE_MAX: Final = 0.5
_HUM_DBFS_MIN: Final = -60.0
_SECOND_BLOCKS: Final = 1_000 // BLOCK_MS
_WIRING: Final = "is the radio on, its speaker plug in, its volume at half, and the capture channel up (alsamixer, F4)?"


def input_level(blocks: Sequence[bytes]) -> Step:
    """Whether sound was received, and at the right level.

    Args:
        blocks: recorded while someone spoke for part of the time and was silent for the rest; not empty.
    """
    whole = level(b"".join(blocks))
    quiet_dbfs, loud_dbfs = _quiet_and_loud(blocks)
    hum_dbfs, hum_share = _hum(blocks)
    figures = {
        "quiet_dbfs": round(quiet_dbfs, 1),
        "loud_dbfs": round(loud_dbfs, 1),
        "peak_dbfs": round(whole.peak_dbfs, 1),
        "clipped_percent": round(100 * whole.clipped_share, 2),
        "offset_percent": round(100 * whole.mean, 1),
        "hum_dbfs": round(hum_dbfs, 1),
    }

    fault = _electrical_fault(whole, hum_dbfs, hum_share) or _level_fault(whole, quiet_dbfs, loud_dbfs)
    if fault is not None:
        return Step("input", Outcome.BAD, *fault, figures)
    return Step(
        "input", Outcome.OK, f"speech at {loud_dbfs:.0f} dBFS, silence at {quiet_dbfs:.0f} dBFS", figures=figures
    )


def _electrical_fault(whole: Level, hum_dbfs: float, hum_share: float) -> tuple[str, str] | None:
    if whole.peak_dbfs <= SILENCE_DBFS:
        return "nothing comes in, not even noise", f"wrong input, or muted: {_WIRING}"
    if abs(whole.mean) > _OFFSET_MAX:
        return (
            f"the line sits at {100 * whole.mean:.0f} % of full scale",
            "direct voltage comes in: put the isolating transformer (or a capacitor) between radio and input",
        )
    if hum_share > _HUM_SHARE_MAX and hum_dbfs > _HUM_DBFS_MIN:
        return (
            f"mains hum at {hum_dbfs:.0f} dBFS",
            "the grounds of radio and Pi meet in the audio lead: use the isolating transformer, and one power strip",
        )
    return None


def _level_fault(whole: Level, quiet_dbfs: float, loud_dbfs: float) -> tuple[str, str] | None:
    if whole.clipped_share > _CLIPPED_SHARE_MAX or loud_dbfs > SPEECH_DBFS_MAX:
        return (
            f"too loud: {loud_dbfs:.0f} dBFS, {100 * whole.clipped_share:.1f} % of the samples are cut off",
            "turn the radio's volume or the capture channel down until speech is at -20 to -10 dBFS",
        )
    if loud_dbfs < quiet_dbfs + 2 * MARGIN_DB:
        return (
            f"always the same, {loud_dbfs:.0f} dBFS: nobody was heard, or the radio's squelch is open",
            f"let somebody speak on the channel for half of the time; close the squelch; {_WIRING}",
        )
    if loud_dbfs < SPEECH_DBFS_MIN:
        return (
            f"too quiet: {loud_dbfs:.0f} dBFS",
            "turn the radio's volume or the capture channel up until speech is at -20 to -10 dBFS",
        )
    return None


def squelch(blocks: Sequence[bytes], squelch_dbfs: float, busy_share: float) -> Step:
    """Whether the configured squelch separates a clear channel from a busy one.

    Args:
        blocks: as for :func:`input_level`.
        squelch_dbfs: ``[radio.sound] squelch_dbfs``.
        busy_share: share of the time, by carrier sense.
    """
    quiet_dbfs, loud_dbfs = _quiet_and_loud(blocks)
    figures = {
        "squelch_dbfs": squelch_dbfs,
        "quiet_dbfs": round(quiet_dbfs, 1),
        "loud_dbfs": round(loud_dbfs, 1),
        "busy_percent": round(100 * busy_share, 1),
    }
    between = f"{max(-90.0, (max(quiet_dbfs, -80) + loud_dbfs) / 2):.0f}"
    advice = f"set squelch_dbfs = {between} under [radio.sound]"

    def bad(text: str, advice: str) -> Step:
        return Step("carrier", Outcome.BAD, text, advice, figures)

    if loud_dbfs < quiet_dbfs + 2 * MARGIN_DB:
        return bad("silence and speech are too alike to set a squelch between them", "mend the input first")
    if quiet_dbfs > squelch_dbfs - MARGIN_DB:
        return bad(
            f"the channel would seem busy for ever: its silence, {quiet_dbfs:.0f} dBFS, is at the squelch",
            f"close the radio's own squelch; else {advice}",
        )
    if loud_dbfs < squelch_dbfs + MARGIN_DB:
        return bad(f"speech, {loud_dbfs:.0f} dBFS, would not be noticed: the node would talk over people", advice)
    return Step("carrier", Outcome.OK, f"busy for {100 * busy_share:.0f} % of the time", figures=figures)


def _quiet_and_loud(blocks: Sequence[bytes]) -> tuple[float, float]:
    """The tenth and the ninetieth percentile of the blocks' levels."""
    levels = sorted(map(rms_dbfs, blocks))
    return levels[len(levels) // 10], levels[-1 - len(levels) // 10]


def _hum(blocks: Sequence[bytes]) -> tuple[float, float]:
    """Mains hum of the quietest second, in dBFS, and its share of the sound."""
    seconds = [blocks[at : at + _SECOND_BLOCKS] for at in range(0, len(blocks), _SECOND_BLOCKS)]
    quietest = min((b"".join(second) for second in seconds if len(second) == _SECOND_BLOCKS), key=rms_dbfs, default=b"")
    samples = samples_of(quietest)
    total = ratio(rms_dbfs(quietest)) ** 2
    if not samples or not any(samples):
        return SILENCE_DBFS, 0.0
    hum = sum(_power(samples, hz) for hz in _HUM_HZ)
    return dbfs(math.sqrt(hum)), hum / total


def _power(samples: Sequence[int], hz: int) -> float:
    """Power of one tone, relative to full scale (Goertzel)."""
    turn = 2 * math.cos(2 * math.pi * hz / RATE_HZ)
    before = last = 0.0
    for sample in samples:
        before, last = last, sample + turn * last - before
    power = last * last + before * before - turn * last * before
    return 2 * power / (len(samples) * 32_768) ** 2
