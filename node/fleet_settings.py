"""Settings from the fleet on this machine: kept in the state folder, laid over ``node.toml``, and looked at beforehand.

When they are tried and what decides a trial: :mod:`node.core.link.configuring`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec.structs import asdict, replace

from node.core.trial import Kept, Settled
from node.hw.errors import UnknownProfileError
from node.hw.profiles import profile_named
from node.hw.radio.sentences import speakable
from node.radio_config import PttTable, RadioTable
from runtime.atomic import PRIVATE, write_atomic
from runtime.config import ConfigError
from wire.errors import SettingsError
from wire.ids import node_text
from wire.limits import SETTINGS_BYTES_MAX
from wire.node_settings import SPOKEN, NodeSettings, PttSetting, SignedSettings, Words, open_settings
from wire.signing import PublicKey

if TYPE_CHECKING:
    from node.config import NodeFile

logger = logging.getLogger(__name__)

FILE: Final = "settings.json"
_FILE_BYTES_MAX: Final = 4 * SETTINGS_BYTES_MAX
_DAMAGED: Final = "what was kept of them cannot be read"


class FleetSettings:
    """The file in the state folder, and what it makes of ``node.toml``.

    Attributes:
        kept: as read, or as last written here.
    """

    def __init__(self, state_dir: Path, authority: PublicKey, file: NodeFile) -> None:
        self._file = state_dir / FILE
        self._authority = authority
        self._node_file = file
        self.kept = self._read()

    def begin(self) -> None:
        """The node starts: a trial that is due begins, and one that was cut short is over.

        Without a disk that notes the beginning there is no trial: the next start would begin it again, for ever.
        """
        started = self.kept.at_start()
        if started == self.kept:
            return
        try:
            self.keep(started)
        except OSError as e:
            logger.warning("no settings are tried: %s cannot be written: %s", self._file, e.strerror)
            self.kept = self.kept.returned(f"the card cannot be written: {e.strerror}")

    def keep(self, kept: Kept) -> None:
        """Replace the file.

        Raises:
            OSError: the disk refuses; the file is as it was.
        """
        self._file.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(self._file, msgspec.json.encode(kept), PRIVATE)
        self.kept = kept

    def applied(self, check: Callable[[NodeFile], object]) -> NodeFile:
        """``node.toml`` with the settings in force: the trial's, else the last good ones, else none.

        Args:
            check: raises :class:`ConfigError` for a file that no node can start with. What settings make of
                ``node.toml`` is not used then: the next start would be no better, and the button is dead for ever.
        """
        for settled in dict.fromkeys((self.kept.in_force, self.kept.good)):
            if not settled.serial:
                continue
            try:
                laid = _laid_over(self._node_file, self._settings(settled))
                check(laid)
            except (SettingsError, ConfigError) as e:
                reason = str(e) if isinstance(e, ConfigError) else e.detail or e.reason
                logger.error("settings %d from the fleet do not count: %s", settled.serial, reason)  # noqa: TRY400
                # Not written: on the disk they are either good, for a program that knows them, or cut short.
                self.kept = replace(self.kept.returned(reason), left=self.kept.left)
                if settled == self.kept.good:
                    self.kept = replace(self.kept, unusable=settled.serial)
            else:
                return laid
        return self._node_file

    def objection(self, signed: SignedSettings) -> str:
        """Why this node cannot be so, as a sentence without a full stop; empty = it can, as far as can be seen."""
        if signed.settings is None or signed.problem:
            return signed.problem
        settings, radio = signed.settings, self._node_file.radio
        if settings.profile is not None:
            try:
                profile_named(settings.profile)
            except UnknownProfileError as e:
                return str(e)
        ptt = settings.ptt
        name = self._node_file.hardware.profile if settings.profile is None else settings.profile
        if ptt is not None:
            pin = ptt.gpio if ptt.method == "gpio" else None
        else:
            pin = radio.ptt.gpio if radio.driver == "sound" and radio.ptt.method == "gpio" else None
        if pin is not None and (user := _user_of_pin(name, pin)):
            return f"GPIO {pin} cannot key a transmitter here: {user} of {name} is on it"
        return _of_device(ptt) or _of_words(settings.words) or self._of_buttons(name)

    def _of_buttons(self, name: str) -> str:
        """A button that is looked for on another pin is dead, and no trial sees it: nobody presses one meanwhile."""
        try:
            wanted, own = profile_named(name), profile_named(self._node_file.hardware.profile)
        except UnknownProfileError:
            return ""
        if own.is_fake or (wanted.buttons == own.buttons and not wanted.is_fake):
            return ""
        return (
            f"{wanted.name} has its buttons on other pins than {own.name}, which the unit's own file names: whoever"
            " changes the buttons writes it there"
        )

    def _settings(self, settled: Settled) -> NodeSettings:
        """Verified again: the authority's, and this node's, whatever somebody wrote to the card.

        Raises:
            SettingsError: they are not, or this program cannot be so.
        """
        signed = open_settings(settled.data, self._authority)
        settings = signed.settings
        if settings is None or signed.problem:
            raise SettingsError("settings", detail=signed.problem)
        if node_text(signed.node) != self._node_file.identity.node or signed.serial != settled.serial:
            raise SettingsError("settings", detail=_DAMAGED)
        try:
            profile_named(settings.profile or self._node_file.hardware.profile)
        except UnknownProfileError as e:
            if settings.profile:
                raise SettingsError("settings", detail=str(e)) from e
        return settings

    def _read(self) -> Kept:
        try:
            with self._file.open("rb") as source:
                # Another program may be able to use what the last one could not.
                return replace(msgspec.json.decode(source.read(_FILE_BYTES_MAX), type=Kept), unusable=0)
        except FileNotFoundError:
            return Kept()
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as e:
            # The fleet sends them again, as to a node that never had any.
            logger.warning("%s cannot be read: %s; the node's own file counts alone", self._file, e)
            return Kept()


def _laid_over(file: NodeFile, settings: NodeSettings) -> NodeFile:
    hardware, radio = file.hardware, file.radio
    if settings.profile is not None:
        hardware = replace(hardware, profile=settings.profile)
    if settings.licence is not None:
        radio = replace(radio, licence=settings.licence)
    if settings.ptt is not None:
        radio = replace(radio, ptt=PttTable(**asdict(settings.ptt)))
    if settings.words is not None:
        radio = _spoken(radio, settings.words)
    return replace(file, hardware=hardware, radio=radio)


def _spoken(radio: RadioTable, words: Words) -> RadioTable:
    speech = radio.speech
    said = {name: text for name in SPOKEN if (text := getattr(words, name)) is not None}
    speech = replace(speech, words=replace(speech.words, **said))
    if words.voice is not None:
        speech = replace(speech, voice=words.voice)
    if words.neutral is not None:
        speech = replace(speech, neutral_phrase=words.neutral)
    return replace(radio, speech=speech)


def _user_of_pin(profile_name: str, pin: int) -> str:
    """What of the profile is on that pin; empty = nothing."""
    try:
        profile = profile_named(profile_name)
    except UnknownProfileError:
        return ""
    if profile.is_fake:
        return ""
    for button, its_pin in profile.buttons.items():
        if its_pin == pin:
            return f"the button {button}"
    users = {"the LED": {profile.led_pin}, "the sounder": {profile.sounder_pin}, "the panel": profile.panel.pins}
    return next((user for user, pins in users.items() if pin in pins), "")


def _of_device(ptt: PttSetting | None) -> str:
    device = None if ptt is None else {"serial-rts": ptt.serial, "cm108": ptt.hidraw}.get(ptt.method)
    return f"{device} is not there" if device is not None and not Path(device).exists() else ""


def _of_words(words: Words | None) -> str:
    for name in SPOKEN:
        text = None if words is None else getattr(words, name)
        if text is not None and not speakable(text):
            return f"no voice can say “{text}”"
    return ""
