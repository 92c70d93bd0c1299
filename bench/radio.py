"""``make bench-radio``: how much noise each rung of the ladder bears, beside plain AX.25, by real Dire Wolf.

Every frame is a real signed alert of 89 bytes, encoded by one Dire Wolf, sent through :mod:`bench.voice_channel` and
decoded by another. *Ladder* is what the node does: the next rung when the one before was not received. Airtime is shown
beside the least possible at that speed: the frame's bits and nothing else.
"""

from __future__ import annotations

import argparse
import os
import select
import time
from collections.abc import Sequence
from typing import Final

import numpy as np

from bench.voice_channel import through_fm
from node.core.air import LADDER, RATE_HZ, Mode
from node.net.radio.ax25 import decode_ui, encode_ui
from node.net.radio.direwolf import MODEMS, DireWolf, Modem
from node.net.radio.errors import Ax25DecodeError
from wire.frames import Alert, encode
from wire.ids import NodeId
from wire.kinds import AlertKind
from wire.signing import SigningKey

NODE: Final = NodeId(0x10)
FRAME_BYTES: Final = 89
LEVELS_DB: Final = (12.0, 10.0, 9.0, 8.0, 7.0, 6.0, 5.0, 4.5, 4.0, 3.0)
_KEY: Final = SigningKey(bytes(32))
_SCHEMES: Final = (1, 2, 3)
_PAUSE: Final = bytes(2 * (RATE_HZ // 4))
_WAIT_S: Final = 60.0
_LOOK_MS: Final = 1_000
_CLEAR_DB: Final = 40.0
"""Of one last burst: once that is decoded, so is everything before it, however busy the machine."""
_PEER: Final = "1200 AX.25 (peer)"
# Plain AX.25 protects nothing, so only flags, address and checksum are added; and, as the data has it, some bits.
# Too low a figure would end a burst where a busy machine pauses in it.
_PLAIN: Final = Modem(Mode.IL2P_1200, 1200, "", is_receiver=True, lead_us=0, fixed_us=242_000, short_us=242_000,
                      per_byte_us=6_666)  # fmt: skip


def run(frames: int, levels_db: Sequence[float], seed: int) -> None:
    """Print airtime, and delivery by noise, of each rung."""
    alerts = [_alert(number) for number in range(1, frames + 1)]
    assert {FRAME_BYTES} == {len(alert) for alert in alerts}
    by_mode = {modem.mode: modem for modem in MODEMS}
    rungs = [(_PEER, _PLAIN), *((mode.value, by_mode[mode]) for mode in LADDER)]
    audio = {name: _bursts(modem, [*alerts, _alert(frames + 1)]) for name, modem in rungs}
    print(f"airtime of {FRAME_BYTES} bytes, without key-up")
    for name, modem in rungs:
        mean_ms = sum(map(len, audio[name][:frames])) * 1000 / (2 * RATE_HZ * frames)
        least_ms = FRAME_BYTES * 8000 / modem.baud
        print(f"  {name:<20}{mean_ms:7.0f} ms   least {least_ms:5.0f} ms   × {mean_ms / least_ms:.2f}")
    print(f"\ndelivered %, {frames} frames of {FRAME_BYTES} bytes each, by carrier-to-noise ratio")
    print(f"  {'dB':<20}" + "".join(f"{level:>6g}" for level in levels_db))
    received = {name: [_received(modem, audio[name], level, seed) for level in levels_db] for name, modem in rungs}
    for name, _ in rungs:
        _print_row(name, [len(found) for found in received[name]], frames)
    ladder = [set().union(*(received[mode.value][i] for mode in LADDER)) for i in range(len(levels_db))]
    _print_row("whole ladder", [len(found) for found in ladder], frames)


def _print_row(name: str, counts: Sequence[int], frames: int) -> None:
    print(f"  {name:<20}" + "".join(f"{100 * count / frames:>6.0f}" for count in counts))


def _alert(number: int) -> bytes:
    at_s = 1_772_926_805 + number
    schemes = _SCHEMES[: (FRAME_BYTES - 83) // 2]
    return encode(Alert(NODE, number, at_s, AlertKind.ATTACK, number, schemes), _KEY)


def _bursts(modem: Modem, alerts: Sequence[bytes]) -> list[bytes]:
    """Each alert as audio, from a Dire Wolf each: after a burst, one waits for as long as it believes to transmit."""
    bursts = []
    for alert in alerts:
        wolf = DireWolf(modem)
        try:
            wolf.await_listening(lambda: False)
            bursts.append(wolf.encode((encode_ui(alert, NODE),), modem.bytes_min((alert,)), lambda: False))
        finally:
            wolf.close()
    return bursts


def _received(modem: Modem, bursts: Sequence[bytes], level_db: float, seed: int) -> set[int]:
    """Numbers of the frames decoded at the other end, less the last burst's, which comes without noise.

    Raises:
        TimeoutError: even that one was not decoded.
    """
    *noisy, last = bursts
    random = np.random.default_rng([seed, round(10 * level_db), modem.baud])
    wolf = DireWolf(modem)
    found: set[int] = set()
    try:
        wolf.await_listening(lambda: False)
        for burst in noisy:
            _feed(wolf, through_fm(_PAUSE + burst + _PAUSE, level_db, random))
            found |= _numbers(wolf.received(), bursts)
        _feed(wolf, through_fm(_PAUSE + last + _PAUSE + bytes(2 * RATE_HZ), _CLEAR_DB, random))
        end_s = time.monotonic() + _WAIT_S
        while len(bursts) not in found:
            if time.monotonic() > end_s:
                raise TimeoutError(f"Dire Wolf has not decoded a burst without noise in {_WAIT_S:.0f} s")
            found |= _numbers(wolf.wait_received(_LOOK_MS), bursts)
        return found - {len(bursts)}
    finally:
        wolf.close()


def _numbers(ax25: Sequence[bytes], bursts: Sequence[bytes]) -> set[int]:
    found = set()
    for frame in ax25:
        try:
            info = decode_ui(frame)
        except Ax25DecodeError:
            continue
        number = int.from_bytes(info[5:9], "big")
        if 0 < number <= len(bursts) and info == _alert(number):
            found.add(number)
    return found


def _feed(wolf: DireWolf, samples: bytes) -> None:
    """Feed it as fast as it reads: nothing here is live."""
    descriptor = wolf.audio_descriptor
    for start in range(0, len(samples), select.PIPE_BUF):
        select.select([], [descriptor], [])
        os.write(descriptor, samples[start : start + select.PIPE_BUF])


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(prog="python -m bench.radio", description=__doc__)
    parser.add_argument("--frames", type=int, default=40, metavar="N", help="frames per level (default %(default)s)")
    parser.add_argument("--levels", type=float, nargs="+", default=LEVELS_DB, metavar="DB")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="seed of the noise (default %(default)s)")
    options = parser.parse_args()
    run(options.frames, options.levels, options.seed)


if __name__ == "__main__":
    main()
