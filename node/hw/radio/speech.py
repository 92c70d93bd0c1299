"""Speaks one sentence: ``python -m node.hw.radio.speech VOICE``, text on standard input, samples on standard output.

A separate, low-priority program: a second of arithmetic on samples would hold up the loop that answers buttons. The
result is what a voice radio carries best: nothing outside 300 to 3,000 Hz, loud and even, no silence around it.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
from array import array
from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise
from typing import Final

from node.core.air import BLOCK_BYTES, RATE_HZ
from node.core.radio.levels import FULL_SCALE, SPEECH_PEAK_DBFS, SPEECH_RMS_DBFS, active_rms_dbfs, ratio

WORDS_PER_MINUTE: Final = 140
SPEECH_MS_MAX: Final = 12_000
"""Longer sentences are cut."""
STATUS_NO_PROGRAM: Final = 3
STATUS_NO_SPEECH: Final = 4
_PROGRAM: Final = "espeak-ng"
_SPEAK_WITHIN_S: Final = 240
"""Generous: nothing waits for a sentence, and on a busy machine the lowest priority gets a tenth of the time."""
_BELOW_ALL_OTHERS: Final = 10
_LOWEST_HZ, _HIGHEST_HZ = 300, 3_000
_LIFT_HZ: Final = 1_800
"""Below this the voice is reduced, by 5 dB at most: consonants carry the words, and are lost first."""
_FADE_MS: Final = 5
_EDGE_BELOW_PEAK: Final = 0.02
_BUTTERWORTH: Final = (0.5412, 1.3066)
"""The two Q values of a fourth-order filter."""
_USUAL_GAIN_DB: Final = 16.0
_GAIN_DB_MAX: Final = 32.0
_GAIN_WITHIN_DB: Final = 0.05
_GAIN_TRIES: Final = 8
"""One to four are enough."""
_TRIED_EACH: Final = 3
"""Of so many samples one is tried: all of them take most of a second on a small computer. It divides a block."""
_GAIN_PER_DB_MAX: Final = 8.0


class SpeechError(Exception):
    """No speech; the message is espeak-ng's or ours, in one line."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status


def main(arguments: Sequence[str] | None = None) -> int:
    """Speak standard input; returns an exit status, with the reason on standard error."""
    (voice,) = sys.argv[1:] if arguments is None else arguments
    with suppress(OSError):  # if not allowed, render anyway
        os.nice(_BELOW_ALL_OTHERS)
    try:
        sound = spoken(sys.stdin.buffer.read().decode(), voice)
    except SpeechError as e:
        sys.stderr.write(f"{e}\n")
        return e.status
    sys.stdout.buffer.write(sound)
    return 0


def spoken(text: str, voice: str) -> bytes:
    """``text`` as samples for the air.

    Raises:
        SpeechError: espeak-ng is missing, has no such voice, or produces nothing.
    """
    rate_hz, samples = _espeak(text, voice)
    return conditioned(samples, rate_hz)


def conditioned(samples: Sequence[float], rate_hz: int) -> bytes:
    """Filtered, trimmed, levelled and brought to the air's rate.

    Args:
        samples: one channel.
        rate_hz: the air's or half of it.
    """
    if rate_hz * (RATE_HZ // rate_hz) != RATE_HZ or RATE_HZ // rate_hz not in (1, 2):
        raise SpeechError(f"{_PROGRAM} speaks at {rate_hz} samples a second", STATUS_NO_SPEECH)
    samples = _filtered(samples, rate_hz)
    samples = _lifted(samples, rate_hz)
    samples = _trimmed(samples, rate_hz)[: SPEECH_MS_MAX * rate_hz // 1000]
    if not samples:
        raise SpeechError(f"{_PROGRAM} said nothing", STATUS_NO_SPEECH)
    return _levelled(_faded(samples, rate_hz), is_doubled=rate_hz != RATE_HZ)


def _espeak(text: str, voice: str) -> tuple[int, array[int]]:
    try:
        done = subprocess.run(  # noqa: S603 - one list, no shell; the text goes through a pipe
            [_PROGRAM, "-v", voice, "-s", str(WORDS_PER_MINUTE), "-z", "-b", "1", "--stdin", "--stdout"],
            input=text.encode(),
            capture_output=True,
            check=False,
            timeout=_SPEAK_WITHIN_S,
        )
    except FileNotFoundError as e:
        raise SpeechError(f"{_PROGRAM} is not installed: apt-get install {_PROGRAM}", STATUS_NO_PROGRAM) from e
    except (OSError, subprocess.TimeoutExpired) as e:
        raise SpeechError(f"{_PROGRAM} cannot be run: {e}", STATUS_NO_SPEECH) from e
    head, mark, data = done.stdout.partition(b"data")
    at = head.find(b"fmt ")
    # Its header is written before the length is known, so the length is ignored.
    if done.returncode or not mark or at < 0:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise SpeechError(said[-1] if said else f"{_PROGRAM} failed", STATUS_NO_SPEECH)
    rate_hz = int.from_bytes(head[at + 12 : at + 16], "little")
    sound = data[4:]
    return rate_hz, array("h", sound[: len(sound) & ~1])


def _section(share_of_rate: float, q: float, *, is_high_pass: bool) -> tuple[float, float, float]:
    """A second-order section (bilinear form): its gain, and what it feeds back of its last two values."""
    angle = 2 * math.pi * share_of_rate
    cosine, alpha = math.cos(angle), math.sin(angle) / (2 * q)
    scale = 1 + alpha
    gain = (1 + cosine if is_high_pass else 1 - cosine) / (2 * scale)
    return gain, -2 * cosine / scale, (1 - alpha) / scale


def _filtered(samples: Sequence[float], rate_hz: int) -> list[float]:
    """Nothing below the lowest and above the highest: four sections in one pass (transposed direct form II)."""
    (gain_1, back_11, back_12), (gain_3, back_31, back_32) = (
        _section(_LOWEST_HZ / rate_hz, q, is_high_pass=True) for q in _BUTTERWORTH
    )
    (gain_2, back_21, back_22), (gain_4, back_41, back_42) = (
        _section(_HIGHEST_HZ / rate_hz, q, is_high_pass=False) for q in _BUTTERWORTH
    )
    gain = gain_1 * gain_2 * gain_3 * gain_4
    kept_11 = kept_12 = kept_21 = kept_22 = kept_31 = kept_32 = kept_41 = kept_42 = 0.0
    out = []
    for sample in samples:
        x = gain * sample
        high_1 = x + kept_11
        kept_11 = kept_12 - x - x - back_11 * high_1
        kept_12 = x - back_12 * high_1
        low_1 = high_1 + kept_21
        kept_21 = kept_22 + high_1 + high_1 - back_21 * low_1
        kept_22 = high_1 - back_22 * low_1
        high_2 = low_1 + kept_31
        kept_31 = kept_32 - low_1 - low_1 - back_31 * high_2
        kept_32 = low_1 - back_32 * high_2
        low_2 = high_2 + kept_41
        kept_41 = kept_42 + high_2 + high_2 - back_41 * low_2
        kept_42 = high_2 - back_42 * low_2
        out.append(low_2)
    return out


def _lifted(samples: Sequence[float], rate_hz: int) -> list[float]:
    """With consonants lifted, as by a communications microphone."""
    share = math.exp(-2 * math.pi * _LIFT_HZ / rate_hz)
    return [here - share * before for before, here in pairwise((0.0, *samples))]


def _trimmed(samples: Sequence[float], rate_hz: int) -> Sequence[float]:
    """Without the silence at both ends, which costs airtime."""
    peak = max(map(abs, samples), default=0)
    if not peak:
        return ()
    loud = _EDGE_BELOW_PEAK * peak
    first = next(at for at, sample in enumerate(samples) if abs(sample) > loud)
    last = next(at for at in range(len(samples) - 1, -1, -1) if abs(samples[at]) > loud)
    edge = _FADE_MS * rate_hz // 1000
    return samples[max(0, first - edge) : last + edge]


def _faded(samples: Sequence[float], rate_hz: int) -> list[float]:
    """Faded in and out, to avoid clicks."""
    edge = min(_FADE_MS * rate_hz // 1000, len(samples) // 2)
    faded = list(samples)
    for at in range(edge):
        faded[at] *= at / edge
        faded[-1 - at] *= at / edge
    return faded


def _levelled(samples: Sequence[float], *, is_doubled: bool) -> bytes:
    """As loud as a burst. Peaks are rounded off, as a radio's own limiter would.

    A sentence that only peaks like a burst is half as loud, and is lost in noise in which this one is understood
    (docs/hardware.md).
    """
    peak, tried = max(map(abs, samples)), samples[::_TRIED_EACH]
    gain_db, step_db, missing_db = _USUAL_GAIN_DB, 0.0, 0.0
    for _ in range(_GAIN_TRIES):
        limited = _limited(tried, ratio(gain_db) / peak)
        found_db = active_rms_dbfs(limited.tobytes(), BLOCK_BYTES // _TRIED_EACH)
        missed_db, missing_db = missing_db, SPEECH_RMS_DBFS - found_db
        if abs(missing_db) < _GAIN_WITHIN_DB:
            break
        # The more is rounded off, the less a gain brings: how much is known from the last step.
        brought_db = missed_db - missing_db
        step_db = missing_db * (
            min(max(step_db / brought_db, 1.0), _GAIN_PER_DB_MAX) if step_db and brought_db else 1.0
        )
        gain_db = min(gain_db + step_db, _GAIN_DB_MAX)
    limited = _limited(samples, ratio(gain_db) / peak)
    sound = limited.tobytes()
    if not is_doubled:
        return sound
    doubled = array("h", bytes(2 * len(sound)))
    doubled[::2] = limited
    doubled[1::2] = array("h", [(here + there) // 2 for here, there in zip(limited, [*limited[1:], 0], strict=True)])
    return doubled.tobytes()


def _limited(samples: Sequence[float], gain: float) -> array[int]:
    """As integers, none above the ceiling: the nearer, the rounder."""
    ceiling = ratio(SPEECH_PEAK_DBFS) * FULL_SCALE
    return array("h", [round(ceiling * one) for one in map(math.tanh, [gain * sample for sample in samples])])


if __name__ == "__main__":
    sys.exit(main())
