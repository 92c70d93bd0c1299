"""What the disk knows of settings from the fleet: the last good ones, those on trial, and what became of the newest.

A trial is on the disk before the node starts with it, and the start is on the disk before the settings are used. So a
node that starts and finds a trial that has begun knows that it did not get through: by loss of power, a crash, the
watchdog or a hand on the switch. It never begins twice.

| on the disk | at the next start |
|---|---|
| nothing on trial | the last good ones |
| a trial, not begun | it is marked as begun, and used |
| a trial, begun | it is dropped, and the last good ones are used |
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from node.core.controls import Button, Part
from wire.messages import SettingsReport

CUT_SHORT: Final = "the node was restarted, or lost power, before they were proven"
MAY_FAIL: Final = frozenset((Part.OLED, Part.BUTTONS, Part.SOUNDER, Part.LED, Part.RADIO, Part.MODEM, Part.SPEECH))
"""Parts that settings can put out of order."""


class Before(Struct, frozen=True):
    """How the node was before a trial, which is what it must be again.

    Attributes:
        faults: parts that did not work.
        is_radio_proven: its radio path was ready.
        stuck: buttons that were stuck.
    """

    faults: tuple[Part, ...] = ()
    is_radio_proven: bool = False
    stuck: tuple[Button, ...] = ()


class Settled(Struct, frozen=True):
    """One document: its serial, and the sealed bytes as they came. Serial 0 = none."""

    serial: int = 0
    data: bytes = b""


NONE: Final = Settled()


class Kept(Struct, frozen=True):
    """The file's contents.

    Attributes:
        good: the last that were proven.
        trial: those that are to be proven.
        is_begun: the node has started with them.
        before: how it was without them.
        left: the last that were tried and given up: the line that they keyed is put off before each start.
        newest: serial of the newest that was judged; what is not above it counts for nothing.
        state, reason: what became of it, as in :class:`~wire.messages.SettingsReport`.
        unusable: serial of ``good``, if this program cannot use them: the node's own file counts alone.
    """

    good: Settled = NONE
    trial: Settled = NONE
    is_begun: bool = False
    before: Before = Before()
    left: Settled = NONE
    newest: int = 0
    state: str = ""
    reason: str = ""
    unusable: int = 0

    @property
    def in_force(self) -> Settled:
        """Those that this run uses, if it began with this on the disk."""
        return self.trial if self.is_begun else self.good

    @property
    def good_serial(self) -> int:
        """Of the last good ones, as far as this program can use them; 0 = the node's own file counts alone."""
        return 0 if self.good.serial == self.unusable else self.good.serial

    @property
    def is_on_trial(self) -> bool:
        """Whether a trial is on the disk, begun or not."""
        return self.trial.serial != 0

    def refused(self, serial: int, reason: str) -> Kept:
        """They will never be used."""
        return replace(self, newest=serial, state="refused", reason=reason)

    def tried(self, settled: Settled, before: Before) -> Kept:
        """The next start uses them."""
        return replace(
            self, trial=settled, is_begun=False, before=before, newest=settled.serial, state="trial", reason=""
        )

    def at_start(self) -> Kept:
        """What a start makes of it. To be written before anything is used."""
        if not self.is_on_trial:
            return self
        return self.returned(CUT_SHORT) if self.is_begun else replace(self, is_begun=True)

    def taken(self) -> Kept:
        """The trial was passed."""
        return replace(self, good=self.trial, trial=NONE, is_begun=False, state="taken", reason="", unusable=0)

    def returned(self, reason: str) -> Kept:
        """The trial was not passed: the last good ones count again."""
        return replace(self, trial=NONE, is_begun=False, left=self.trial, state="returned", reason=reason)

    def report(self) -> SettingsReport | None:
        """For health; ``None`` = none ever came."""
        if not self.newest:
            return None
        return SettingsReport(
            serial=self.newest, state=self.state or "taken", reason=self.reason, in_force=self.good_serial
        )
