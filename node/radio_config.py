"""``[radio]`` of ``node.toml``: which radio, under which licence, and how it is keyed. Checked whole, then frozen.

Trouble with a radio never keeps a press from being stored: a mistake in the file is an error, as everywhere in it, and
the driver reports a radio that does not work as a fault of the part ``radio``.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Struct

from node.core.air import Phrase
from node.core.settings import RadioSettings, RadioTiming
from runtime.config import ConfigError
from wire.limits import NAME_CHARS_MAX

_Milliseconds = Annotated[int, msgspec.Meta(ge=1_000, le=7 * 86_400_000)]
_DEFAULTS: Final = RadioTiming()
_Path = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]


class RadioPart(msgspec.Struct, frozen=True, kw_only=True):
    """Base of the tables."""


class TncTable(RadioPart, frozen=True, kw_only=True):
    """``[radio.tnc]``: a TNC that speaks KISS."""

    port: _Path = "/dev/ttyUSB0"
    """A serial port, or ``socket://host:port``."""
    baud: Annotated[int, msgspec.Meta(ge=300, le=921_600)] = 9_600
    """Speed between node and TNC, not on the air."""


class SoundTable(RadioPart, frozen=True, kw_only=True):
    """``[radio.sound]``: the sound device between node and radio."""

    input: _Path = "default"
    """Device that the radio's loudspeaker line goes to."""
    output: _Path = "default"
    """Device that feeds the radio's microphone line."""
    squelch_dbfs: Annotated[float, msgspec.Meta(ge=-90, le=-6)] = -45.0
    """Quieter than this is a clear channel."""


class PttTable(RadioPart, frozen=True, kw_only=True):
    """``[radio.ptt]``: the line that keys the transmitter."""

    method: Literal["gpio", "serial-rts", "cm108"] = "gpio"
    """Which of the three lines below."""
    gpio: Annotated[int, msgspec.Meta(ge=0, le=27)] = 12
    """BCM number; high = transmit, through a transistor or an opto-coupler."""
    serial: _Path = "/dev/ttyUSB0"
    """Serial device whose RTS keys."""
    hidraw: _Path = "/dev/hidraw0"
    """The CM108's control device."""
    cm108_pin: Annotated[int, msgspec.Meta(ge=1, le=8)] = 3
    """The CM108's GPIO pin."""


class FakeTable(RadioPart, frozen=True, kw_only=True):
    """``[radio.fake]``: a place on the simulated air."""

    air_socket: Annotated[str, msgspec.Meta(max_length=256)] = ""
    """Unix socket."""


_Words = Annotated[str, msgspec.Meta(max_length=NAME_CHARS_MAX)]


class WordsTable(RadioPart, frozen=True, kw_only=True):
    """``[radio.speech.words]``: what is said to have happened; empty = the usual words."""

    attack: _Words = ""
    """Usually *Attack*; the premises' name and place follow."""
    assist: _Words = ""
    """Usually *Assistance needed*."""
    theft: _Words = ""
    """Usually *Theft in progress*."""
    sighting: _Words = ""
    """Usually *Sighting*. Anyone can hear it: it must accuse nobody."""
    disorder: _Words = ""
    """Usually *Disorder*."""
    breach: _Words = ""
    """Usually *Excluded person*."""
    call_request: _Words = ""
    """Usually *Please call*."""
    cancel: _Words = ""
    """Usually *Alert cancelled*."""
    test: _Words = ""
    """Usually *Test only*."""

    @property
    def by_phrase(self) -> dict[Phrase, str]:
        """Those that are set."""
        said = {Phrase(name.replace("_", "-")): text for name, text in msgspec.structs.asdict(self).items()}
        return {phrase: text for phrase, text in said.items() if text}


class SpeechTable(RadioPart, frozen=True, kw_only=True):
    """``[radio.speech]``: what every handset hears."""

    voice: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9+_-]{1,32}$")] = "en-gb"
    """An espeak-ng voice."""
    neutral_phrase: Annotated[str, msgspec.Meta(max_length=NAME_CHARS_MAX)] = ""
    """Spoken instead of a silent attack's words (N4); empty = the burst alone."""
    words: WordsTable = WordsTable()
    """What is said to have happened."""


class TimesTable(RadioPart, frozen=True, kw_only=True):
    """``[radio.times]``, milliseconds. Defaults are :class:`~node.core.settings.RadioTiming`'s."""

    attack_wait_max_ms: _Milliseconds = _DEFAULTS.attack_wait_max_ms
    """An attack breaks in on a busy channel after this."""
    path_test_ms: _Milliseconds = _DEFAULTS.path_test_ms
    """Between two tests of the radio path."""
    path_test_first_ms: _Milliseconds = _DEFAULTS.path_test_first_ms
    """The first one after a start comes within this."""


class RadioTable(RadioPart, frozen=True, kw_only=True):
    """``[radio]``."""

    driver: Literal["none", "sound", "kiss-tnc", "fake"] = "none"
    """``none``: no radio, alerts go by the network alone."""
    licence: Annotated[str, msgspec.Meta(max_length=NAME_CHARS_MAX)] = ""
    """The licence reference. Without one the node listens and never transmits (N10)."""
    tnc: TncTable = TncTable()
    sound: SoundTable = SoundTable()
    ptt: PttTable = PttTable()
    fake: FakeTable = FakeTable()
    speech: SpeechTable = SpeechTable()
    times: TimesTable = TimesTable()


class RadioConfig(Struct, frozen=True):
    """The table, with resolved paths.

    Attributes:
        table: as read.
        air_socket: driver ``fake``: resolved, else ``None``.
        phrase_dir: for rendered sentences.
        settings: for the core; ``None`` for driver ``none``.
    """

    table: RadioTable
    air_socket: Path | None
    phrase_dir: Path
    settings: RadioSettings | None


def radio_config(path: Path, table: RadioTable, folder: Path, state_dir: Path) -> RadioConfig:
    """Check ``[radio]`` beyond its types.

    Args:
        path: ``node.toml``, for messages.
        table: as read.
        folder: paths in the table are relative to it.
        state_dir: resolved.

    Raises:
        ConfigError: it contradicts itself.
    """
    if table.driver == "fake" and not table.fake.air_socket:
        raise ConfigError(f'{path}: key radio.fake.air_socket: driver "fake" needs the socket of an air')
    if table.licence != table.licence.strip():
        raise ConfigError(f"{path}: key radio.licence: {table.licence!r} begins or ends with a space")
    settings = None
    if table.driver != "none":
        settings = RadioSettings(
            licence=table.licence,
            # Two nodes that start at the same moment must not draw the same waits, or they would collide for ever.
            seed=secrets.randbits(64),
            has_neutral_phrase=bool(table.speech.neutral_phrase),
            has_key=table.driver in ("sound", "fake"),
            timing=RadioTiming(
                attack_wait_max_ms=table.times.attack_wait_max_ms,
                path_test_ms=table.times.path_test_ms,
                path_test_first_ms=table.times.path_test_first_ms,
            ),
        )
    return RadioConfig(
        table,
        folder / table.fake.air_socket if table.driver == "fake" else None,
        state_dir / "phrases",
        settings,
    )
