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

from node.core.air import RATE_HZ
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
"""One to four are enough. On a small computer each takes most of a second."""
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
    for q in _BUTTERWORTH:
        samples = _filtered(samples, _LOWEST_HZ / rate_hz, q, is_high_pass=True)
        samples = _filtered(samples, _HIGHEST_HZ / rate_hz, q, is_high_pass=False)
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


def _filtered(samples: Sequence[float], share_of_rate: float, q: float, *, is_high_pass: bool) -> array[float]:
    """Filtered by one second-order section (bilinear form)."""
    angle = 2 * math.pi * share_of_rate
    cosine, alpha = math.cos(angle), math.sin(angle) / (2 * q)
    scale = 1 + alpha
    b1 = (-(1 + cosine) if is_high_pass else 1 - cosine) / scale
    b0 = abs(b1) / 2
    a1, a2 = -2 * cosine / scale, (1 - alpha) / scale
    out = array("d", bytes(8 * len(samples)))
    x1 = x2 = y1 = y2 = 0.0
    for at, x in enumerate(samples):
        y = b0 * (x + x2) + b1 * x1 - a1 * y1 - a2 * y2
        x2, x1, y2, y1 = x1, x, y1, y
        out[at] = y
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
    loud = [at for at, sample in enumerate(samples) if abs(sample) > _EDGE_BELOW_PEAK * peak]
    edge = _FADE_MS * rate_hz // 1000
    return samples[max(0, loud[0] - edge) : loud[-1] + edge]


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
    ceiling, peak = ratio(SPEECH_PEAK_DBFS) * FULL_SCALE, max(map(abs, samples))
    gain_db, step_db, missing_db = _USUAL_GAIN_DB, 0.0, 0.0
    for _ in range(_GAIN_TRIES):
        gain = ratio(gain_db) / peak
        limited = array("h", [round(ceiling * one) for one in map(math.tanh, [gain * sample for sample in samples])])
        missed_db, missing_db = missing_db, SPEECH_RMS_DBFS - active_rms_dbfs(limited.tobytes())
        if abs(missing_db) < _GAIN_WITHIN_DB:
            break
        # The more is rounded off, the less a gain brings: how much is known from the last step.
        brought_db = missed_db - missing_db
        step_db = missing_db * (
            min(max(step_db / brought_db, 1.0), _GAIN_PER_DB_MAX) if step_db and brought_db else 1.0
        )
        gain_db = min(gain_db + step_db, _GAIN_DB_MAX)
    sound = limited.tobytes()
    if not is_doubled:
        return sound
    doubled = array("h", bytes(2 * len(sound)))
    doubled[::2] = limited
    doubled[1::2] = array("h", ((here + there) // 2 for here, there in zip(limited, [*limited[1:], 0], strict=True)))
    return doubled.tobytes()


if __name__ == "__main__":
    sys.exit(main())
