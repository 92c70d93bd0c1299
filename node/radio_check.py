"""``watchlink node radio-check``: walks an engineer through the radio, each step with what is wrong and what to do.

It needs the sound device and the transmit key for itself: the node must not run. Nothing is transmitted unless asked
for, and never without a licence reference (N10).
"""

from __future__ import annotations

import logging
import math
import os
import pwd
import queue
import select
import sys
import termios
import time
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from node.config import NodeConfig, load_config
from node.core.air import BLOCK_BYTES, BLOCK_MS, KEY_UP_MS, LADDER, RATE_HZ, SPEECH_GAP_MS, Mode, Phrase
from node.hw.radio.alsa import Direction, SoundDeviceError, device_names
from node.hw.radio.audio import SoundDevice
from node.hw.radio.fake_radio import FakeRadio
from node.hw.radio.phrases import SpokenPhrases
from node.hw.radio.ptt import PttSettings
from node.hw.radio.ptt_guarded import GuardedPtt
from node.hw.radio.sentences import sentences
from node.level_diagnosis import input_level, squelch
from node.modem_program import modem as modem_step
from node.net.radio.carrier import CarrierSense
from node.net.radio.codec import Codec
from node.net.radio.direwolf import PEAK
from node.net.radio.over import silence
from node.net.radio.ports import AudioPort, PttPort
from node.step import Outcome, Step
from node.step import bad as _bad
from node.step import ok as _ok
from wire.ids import NodeId, node_text

LISTEN_S: Final = 10
TONE_HZ: Final = 1_000
TONE_MS: Final = 1_000
_PHRASES_WITHIN_S: Final = 180.0
_MODEM_ADVICE: Final = "is Dire Wolf fully installed, and this machine not overloaded?"
_PROVEN_WITHIN_MS: Final = 20_000
_STEP_S: Final = 0.05
_DECODED_WITHIN_MS: Final = 8_000
_FEED_S: Final = 0.01
"""Blocks are played to the decoder at twice real time: much faster ones would be dropped."""
_CLEAR_WITHIN_S: Final = 15
_BLOCK_WITHIN_S: Final = 5.0
_OVER_MARGIN_S: Final = 3.0
_STOP_NODE: Final = "a running node holds it: systemctl stop watchlink-node, and start it again afterwards"


class RadioCheckOptions(Struct, frozen=True):
    """How thorough the check is.

    Attributes:
        listen_s: how long to listen to the channel.
        is_transmitting: also key the radio, if there is a licence.
    """

    listen_s: int = LISTEN_S
    is_transmitting: bool = False


def radio_check(
    config_file: Path, version: str, *, seconds: int = LISTEN_S, transmit: bool = False, as_json: bool = False
) -> int:
    """Check and print; returns the exit status: 0 if nothing is bad.

    Raises:
        ConfigError: the configuration itself cannot be used.
    """
    config = load_config(config_file, version)
    is_good = True
    logging.disable(logging.WARNING)  # the steps say this better
    try:
        for step in RadioCheck(config, RadioCheckOptions(seconds, transmit), _tell).steps():
            is_good &= step.outcome is not Outcome.BAD
            sys.stdout.write(step.as_json if as_json else step.as_text)
            sys.stdout.flush()
    finally:
        logging.disable(logging.NOTSET)
    return 0 if is_good else 1


class RadioCheck:
    """The steps, in order of dependency.

    Args:
        config: the node's.
        options: how thorough to be.
        tell: takes instructions to the engineer during a step.
    """

    def __init__(self, config: NodeConfig, options: RadioCheckOptions, tell: Callable[[str], None]) -> None:
        self._config = config
        self._tell = tell
        self._table = config.radio.table
        self._options = options
        self._phrases: SpokenPhrases | None = None

    def steps(self) -> Iterator[Step]:
        """Yield each step as it is done; steps that need a failed one are skipped."""
        yield self._driver()
        if self._table.driver == "none":
            return
        if (stranger := self._stranger()) is not None:
            yield stranger
            return
        yield self._licence()
        if self._table.driver == "kiss-tnc":
            yield self._tnc()
            return
        modem = modem_step()
        yield modem
        if modem.outcome is Outcome.OK:
            yield from self._loop_test()
        yield self._sentences()
        try:
            yield from self._with_sound()
        finally:
            if self._phrases is not None:
                self._phrases.close()

    # -- what needs no radio ----------------------------------------------------------------------------------------

    def _driver(self) -> Step:
        table = self._table
        match table.driver:
            case "none":
                return _bad(
                    "radio",
                    "no radio is configured: alerts go by the network alone",
                    'set driver under [radio] in node.toml to "sound" or "kiss-tnc"',
                )
            case "kiss-tnc":
                text = f"TNC on {table.tnc.port}"
            case "sound":
                text = f'sound in "{table.sound.input}", out "{table.sound.output}", key by {table.ptt.method}'
            case "fake":
                text = f"simulated air at {table.fake.air_socket}"
        return _ok("radio", text)

    def _stranger(self) -> Step | None:
        """Another user would leave sentences behind that the node can neither read nor replace."""
        folder = self._config.state_dir
        owner = folder.stat().st_uid if folder.exists() else os.geteuid()
        if owner == os.geteuid():
            return None
        try:
            name = pwd.getpwuid(owner).pw_name
        except KeyError:
            name = f"#{owner}"
        return _bad(
            "user",
            f"{folder} belongs to {name}",
            f"run this as the node: sudo setpriv --reuid={name} --regid={name} --groups=gpio,audio,dialout "
            "/opt/watchlink/bin/watchlink node radio-check …",
        )

    def _licence(self) -> Step:
        if self._table.licence:
            return _ok("licence", f"transmits under {self._table.licence}")
        return _bad(
            "licence",
            "no licence reference: this node listens and never transmits",
            "once the scheme's licence allows it, write its reference into licence under [radio]",
        )

    def _tnc(self) -> Step:
        try:
            import serial  # noqa: PLC0415 - only where there is a TNC

            serial.serial_for_url(self._table.tnc.port, self._table.tnc.baud, timeout=1).close()
        except ModuleNotFoundError:
            return _bad("tnc", "library serial is not installed", "apt-get install python3-serial")
        except (OSError, ValueError, termios.error) as e:  # the last is not an OSError, and pyserial lets it through
            return _bad("tnc", str(e), "is it plugged in, the port's name right, the user in the group dialout?")
        return _ok("tnc", f"{self._table.tnc.port} opens at {self._table.tnc.baud} baud; levels and key are the TNC's")

    def _loop_test(self) -> Iterator[Step]:
        heard: list[bytes] = []
        codec = Codec(self._config.settings.node, heard.append, lambda _: None)
        try:
            if problem := _prove(codec):
                yield _bad("loop", problem, _MODEM_ADVICE)
                return
            for mode in LADDER:
                yield _loop_test(codec, mode, heard, self._config.settings.node)
        finally:
            codec.close()

    def _sentences(self) -> Step:
        settings = self._config.settings
        speech = self._table.speech
        said = sentences(settings.premises, settings.place, speech.neutral_phrase, speech.words.by_phrase)
        self._phrases = SpokenPhrases(said, self._table.speech.voice, self._config.radio.phrase_dir, lambda _: None)
        self._phrases.start()
        if not self._phrases.wait(_PHRASES_WITHIN_S):
            return _bad("sentences", "making them takes more than three minutes", "is this machine overloaded?")
        if self._phrases.problem:
            return _bad("sentences", self._phrases.problem, "data bursts still go out; handsets hear no words")
        return _ok("sentences", f"{len(said)} are ready, such as: {said[Phrase.ATTACK]}")

    # -- what does --------------------------------------------------------------------------------------------------

    def _with_sound(self) -> Iterator[Step]:
        blocks: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        audio, ptt = self._open()
        try:
            try:
                audio.start(blocks.put, lambda _: blocks.put(b""))
            except OSError as e:
                yield _bad("sound", str(e), self._what_to_do(str(e)))
            else:
                yield _ok("sound", "opens, and sound flows")
                yield from self._listen(blocks)
            yield from self._key(ptt, audio, blocks)
        finally:
            ptt.close()
            audio.close()

    def _open(self) -> tuple[AudioPort, PttPort]:
        if self._config.radio.air_socket is not None:
            radio = FakeRadio(self._config.radio.air_socket, node_text(self._config.settings.node))
            return radio, radio
        sound = self._table.sound
        ptt = GuardedPtt(PttSettings(**msgspec.structs.asdict(self._table.ptt)))
        return SoundDevice(sound.input, sound.output), ptt

    def _what_to_do(self, told: str) -> str:
        if "in use" in told or self._table.driver == "fake":
            return _STOP_NODE
        return f"inputs: {_names('input')}; outputs: {_names('output')}"

    def _listen(self, blocks: queue.SimpleQueue[bytes]) -> Iterator[Step]:
        carrier = CarrierSense(self._table.sound.squelch_dbfs)
        heard: list[bytes] = []
        busy = 0
        self._tell(f"listening for {self._options.listen_s} s: have someone speak on the channel for about half of it")
        for _ in range(self._options.listen_s * 1000 // BLOCK_MS):
            block = _next(blocks)
            if not block:
                yield _bad("input", "the sound device stopped while listening", "look at its plug and at dmesg")
                return
            carrier.hear(block)
            busy += carrier.is_busy
            heard.append(block)
        yield input_level(heard)
        yield squelch(heard, self._table.sound.squelch_dbfs, busy / len(heard))

    def _key(self, ptt: PttPort, audio: AudioPort, blocks: queue.SimpleQueue[bytes]) -> Iterator[Step]:
        try:
            ptt.unkey()
        except OSError as e:
            yield _bad("key", str(e), "nothing is transmitted until this is fixed")
            return
        yield _ok("key", "the line is guarded, and off")
        if not self._options.is_transmitting:
            yield Step("transmit", Outcome.NOT_DONE, "nothing was transmitted", "to try it: add --transmit")
        elif not self._table.licence:
            yield _bad("transmit", "nothing was transmitted: there is no licence reference", "see above")
        else:
            yield self._transmit(ptt, audio, blocks)

    def _transmit(self, ptt: PttPort, audio: AudioPort, blocks: queue.SimpleQueue[bytes]) -> Step:
        while not blocks.empty():  # drop what came in meanwhile
            blocks.get()
        self._tell("waiting for a clear channel")
        if not self._is_clear(blocks):
            return _bad(
                "transmit", "nothing was transmitted: the channel was never clear", "wait, or fix the carrier step"
            )
        speech = self._phrases.samples(Phrase.TEST) if self._phrases is not None else None
        over = silence(KEY_UP_MS) + tone(TONE_MS) + silence(SPEECH_GAP_MS) + (speech or b"")
        duration_s = len(over) / 2 / RATE_HZ
        ended: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._tell(f"transmitting for {duration_s:.0f} s: listen on another handset")
        stuck = ""
        try:
            ptt.key(round(1000 * (duration_s + _OVER_MARGIN_S)))
            audio.play(over, ended.put)
            reason = ended.get(timeout=duration_s + _OVER_MARGIN_S)
        except queue.Empty:
            reason = "the sound device did not finish"
        except OSError as e:
            reason = str(e)
        finally:
            try:
                ptt.unkey()
            except OSError as e:
                stuck = str(e)
        if stuck:
            return _bad("transmit", f"the transmit key may be ON: {stuck}", "pull its plug now, then fix this")
        if reason:
            return _bad("transmit", reason, "the key is off again: fix this and try again")
        figures = {"over_s": round(duration_s, 1)}
        if isinstance(audio, SoundDevice):
            measured = audio.figures()
            figures |= {"start_ms": measured.start_ms, "gaps": measured.gaps}
            if measured.gaps:
                return Step(
                    "transmit",
                    Outcome.BAD,
                    f"the sound had {measured.gaps} gaps",
                    "try another USB port or device, a stronger supply, and nothing else heavy on this machine",
                    figures,
                )
        said = "a tone and a sentence" if speech else "a tone"
        return Step(
            "transmit",
            Outcome.OK,
            f"{said}, {duration_s:.1f} s; on another handset, was it steady, clear and as loud as other people?",
            figures=figures,
        )

    def _is_clear(self, blocks: queue.SimpleQueue[bytes]) -> bool:
        """Wait for half a second of silence: a test must not talk over anyone."""
        carrier = CarrierSense(self._table.sound.squelch_dbfs)
        clear = 0
        for _ in range(_CLEAR_WITHIN_S * 1000 // BLOCK_MS):
            block = _next(blocks)
            if not block:
                return False
            carrier.hear(block)
            clear = 0 if carrier.is_busy else clear + 1
            if clear * BLOCK_MS >= 500:  # noqa: PLR2004 - as the docstring says
                return True
        return False


def tone(duration_ms: int) -> bytes:
    """A sine of ``TONE_HZ``, peaking like a burst."""
    turn = 2 * math.pi * TONE_HZ / RATE_HZ
    return array("h", (round(PEAK * math.sin(turn * at)) for at in range(RATE_HZ * duration_ms // 1000))).tobytes()


def _prove(codec: Codec) -> str:
    """Start the modems; returns the problem, or ``""``."""
    end_ms = _now_ms() + _PROVEN_WITHIN_MS
    while not codec.is_proven:
        codec.step(_now_ms(), is_quiet=True)
        if _now_ms() > end_ms:
            return "; ".join(codec.problems) or "the modems do not start"
        time.sleep(_STEP_S)
    return ""


def _loop_test(codec: Codec, mode: Mode, heard: list[bytes], node: NodeId) -> Step:
    """Encode a frame, play it to the decoder, and have it back."""
    name = f"loop {mode}"
    frame = f"loop test {mode} {node_text(node)}".encode()
    heard.clear()
    try:
        sound = codec.encode(mode, (frame,), lambda: False)
    except OSError as e:
        return _bad(name, f"no burst: {e}", _MODEM_ADVICE)
    padded = silence(100) + sound + silence(300)
    for at in range(0, len(padded), BLOCK_BYTES):
        codec.feed(padded[at : at + BLOCK_BYTES])
        codec.collect()
        time.sleep(_FEED_S)
    end_ms = _now_ms() + _DECODED_WITHIN_MS
    while frame not in heard and (left_ms := end_ms - _now_ms()) > 0:
        select.select(codec.descriptors(), [], [], min(left_ms, 50) / 1000)
        codec.collect()
    duration_ms = round(1000 * len(sound) / 2 / RATE_HZ)
    if frame not in heard:
        return _bad(
            name,
            "the modem does not decode its own burst",
            "another version of Dire Wolf, or too little memory?",
        )
    return Step(
        name, Outcome.OK, f"burst of {duration_ms} ms made and decoded", figures={"burst_ms": float(duration_ms)}
    )


def _next(blocks: queue.SimpleQueue[bytes]) -> bytes:
    try:
        return blocks.get(timeout=_BLOCK_WITHIN_S)
    except queue.Empty:
        return b""


def _names(direction: Direction) -> str:
    try:
        return ", ".join(device_names(direction)) or "none"
    except SoundDeviceError as e:
        return str(e)


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000


def _tell(text: str) -> None:
    sys.stderr.write(f"...  {text}\n")
