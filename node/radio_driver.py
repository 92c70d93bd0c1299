"""Picks the radio's driver, and joins modem, sound device, transmit key and sentences. Part of the composition root.

A driver is imported only when chosen: most nodes have one, and each costs memory and time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import msgspec

from node.config import NodeConfig
from node.core.controls import Part
from node.core.events import PartFailed, PartRecovered
from node.event_queue import EventQueue
from node.net.radio.health import words
from node.net.radio.ports import AudioPort, PttPort, RadioPort
from wire.ids import node_text
from wire.limits import DETAIL_CHARS_MAX
from wire.text import display_text

if TYPE_CHECKING:
    from node.hw.radio.phrases import SpokenPhrases

logger = logging.getLogger(__name__)

_SPEAKING: Final = frozenset({"sound", "fake"})
"""Drivers that make the sound themselves; a hardware TNC says no words."""


def open_radio(config: NodeConfig, queue: EventQueue) -> RadioPort | None:
    """The configured radio, not started; ``None`` = none, or it cannot be made.

    Its problems are reported as faults of the part, and keep no press from being stored.
    """
    try:
        return _radio(config, queue)
    except Exception as e:
        logger.exception("the radio cannot be used")
        detail = f"{e.name} is not installed" if isinstance(e, ModuleNotFoundError) and e.name else words(e)
        queue.put(PartFailed(Part.RADIO, display_text(detail, DETAIL_CHARS_MAX)))
        return None


def _radio(config: NodeConfig, queue: EventQueue) -> RadioPort | None:
    table = config.radio.table
    match table.driver:
        case "kiss-tnc":
            from node.net.radio.kiss_tnc import KissTnc  # noqa: PLC0415

            return KissTnc(table.tnc.port, table.tnc.baud, node=config.settings.node, offer=queue.offer, put=queue.put)
        case "sound":
            from node.hw.radio.audio import SoundDevice  # noqa: PLC0415
            from node.hw.radio.ptt import PttSettings  # noqa: PLC0415
            from node.hw.radio.ptt_guarded import GuardedPtt  # noqa: PLC0415

            device = SoundDevice(table.sound.input, table.sound.output)
            return _sound_modem(config, queue, device, GuardedPtt(PttSettings(**msgspec.structs.asdict(table.ptt))))
        case "fake":
            from node.hw.radio.fake_radio import FakeRadio  # noqa: PLC0415

            assert config.radio.air_socket is not None
            radio = FakeRadio(config.radio.air_socket, node_text(config.settings.node))
            return _sound_modem(config, queue, radio, radio)
        case "none":
            return None


def speech_of(config: NodeConfig) -> SpokenPhrases | None:
    """The sentences of the configured radio, to ask whether they are made; ``None`` = it speaks none."""
    return _phrases(config) if config.radio.table.driver in _SPEAKING and _may_speak(config) else None


def _may_speak(config: NodeConfig) -> bool:
    return config.radio.settings is not None and bool(config.radio.settings.licence)


def _phrases(
    config: NodeConfig, *, on_problem: Callable[[str], None] | None = None, on_made: Callable[[], None] = lambda: None
) -> SpokenPhrases:
    from node.hw.radio.phrases import SpokenPhrases  # noqa: PLC0415
    from node.hw.radio.sentences import sentences  # noqa: PLC0415

    speech, settings = config.radio.table.speech, config.settings
    return SpokenPhrases(
        sentences(settings.premises, settings.place, speech.neutral_phrase, speech.words.by_phrase),
        speech.voice,
        config.radio.phrase_dir,
        on_problem=on_problem,
        on_made=on_made,
    )


def _sound_modem(config: NodeConfig, queue: EventQueue, audio: AudioPort, ptt: PttPort) -> RadioPort:
    from node.net.radio.sound_modem import SoundModem  # noqa: PLC0415

    def without_speech(problem: str) -> None:
        logger.error("alerts go without speech: %s", problem)
        queue.put(PartFailed(Part.SPEECH, display_text(problem, DETAIL_CHARS_MAX)))

    phrases = _phrases(config, on_problem=without_speech, on_made=lambda: queue.put(PartRecovered(Part.SPEECH)))
    if _may_speak(config):
        phrases.start()
    return SoundModem(
        audio,
        ptt,
        phrases,
        node=config.settings.node,
        squelch_dbfs=config.radio.table.sound.squelch_dbfs,
        offer=queue.offer,
        put=queue.put,
    )
