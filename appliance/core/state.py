"""What is known, and the times of the rules."""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct

from appliance.core.effects import Effect
from appliance.core.notes import Notes, Trial
from appliance.core.slot import Slot
from wire.release import Release
from wire.unit_files import Vitals

FIRST_ASK_MS: Final = 60_000
"""The first minute belongs to the button."""
ASK_EVERY_MS: Final = 900_000
"""In a shop."""
FRESH_MS: Final = 30_000
"""An older word of the node says nothing."""
QUIET_MS: Final = 30_000
"""For that long the node must have said that it may be restarted."""
DEAD_MS: Final = 600_000
"""A node that is silent for longer does not work: nothing that it does can be interrupted."""
ON_AIR_MS: Final = 90_000
"""For that long, at most, a return waits for a radio that transmits: a burst and its sentence take less."""
PROVEN_MS: Final = 180_000
"""For that long a new system must work without a break."""
TRIAL_MS: Final = 600_000
"""After the machine's start: then a system that is not proven is given up."""
AGAIN_MS: Final = 300_000
"""After a failure that may pass."""
ROOM_AGAIN_MS: Final = 3_600_000
RESTART_MS: Final = 300_000
"""A restart that was ordered has happened, or did not work."""
FAILURES_MAX: Final = 3
"""A bundle that came wrong, or could not be written."""
ATTEMPTS_MAX: Final = 2
"""Of a system that says nothing of itself: the power may have gone."""
RETURNS_MAX: Final = 3
"""A version that was taken back that often is not tried again, whoever names it."""


class Unit(Struct, frozen=True):
    """What this unit is, in this boot.

    Attributes:
        node: its number.
        version, compatible: of the image that runs.
        booted: the system that runs; ``None`` = nobody knows.
        primary: the one that the card boots by itself; ``None`` = nobody knows.
        boot_id: of the machine.
        jitter: 0 to 1, its own: when it asks within that time.
        ask_every_ms: how often it asks for a release, with a fifth more or less.
        hurry: by how much the rules' times are shorter than in a shop. 1, but for tests of a whole image.
        why_no_trial: a sentence, if its boot loader cannot try a system; else empty.
    """

    node: str
    version: str
    compatible: str
    booted: Slot | None
    primary: Slot | None
    boot_id: str
    jitter: float = 0.5
    ask_every_ms: int = ASK_EVERY_MS
    hurry: int = 1
    why_no_trial: str = ""


class State(Struct, frozen=True):
    """All that is known.

    Attributes:
        unit: this one.
        notes: as they are on the card.
        release: of the notes.
        doing: what has been ordered and has not been answered.
        doing_since_ms: since when.
        ask_ms: when the service is asked next.
        again_ms: nothing is fetched or written before.
        failures: of this release's bundle.
        may_hold_bundle: something that was fetched may lie on the card.
        trouble: why it is not here yet; empty = nothing is wrong.
        vitals: the node's newest word.
        card_fault: why no note outlasts this boot; empty = the card keeps them.
        heard_ms: when it was last fresh.
        quiet_since_ms: since when it may be restarted; ``None`` = it may not.
        good_since_ms: since when the system on trial works; ``None`` = it does not.
        leaving_since_ms: since when a return is due; ``None`` = none is.
        was_linked: central answered the system on trial.
        is_clock_proven: the time is known.
    """

    unit: Unit
    notes: Notes
    release: Release | None = None
    doing: Literal["", "fetching", "installing", "restarting"] = ""
    doing_since_ms: int = 0
    ask_ms: int = FIRST_ASK_MS
    again_ms: int = 0
    failures: int = 0
    may_hold_bundle: bool = True
    trouble: str = ""
    vitals: Vitals | None = None
    card_fault: str = ""
    heard_ms: int = 0
    quiet_since_ms: int | None = None
    good_since_ms: int | None = None
    leaving_since_ms: int | None = None
    was_linked: bool = False
    is_clock_proven: bool = False

    def within(self, shops_ms: int) -> int:
        """One of the times above, for this unit."""
        return shops_ms // self.unit.hurry

    @property
    def is_stranded(self) -> bool:
        """Whether a system runs that the card does not boot by itself: it is on trial, with its notes or without."""
        booted, primary = self.unit.booted, self.unit.primary
        return booted is not None and primary is not None and booted != primary

    @property
    def kept(self) -> Trial | None:
        """The trial of the system that runs, which the card boots by itself now; ``None`` = that is noted already."""
        trial, unit = self.notes.trial, self.unit
        if trial is None or not trial.asked_in:
            return None
        return trial if unit.booted == unit.primary == trial.slot else None

    @property
    def on_trial(self) -> Trial | None:
        """The trial of the system that runs; ``None`` = it is not on trial."""
        trial, unit = self.notes.trial, self.unit
        if trial is None or not trial.asked_in or trial.asked_in == unit.boot_id:
            return None
        return trial if unit.booted == trial.slot and self.is_stranded else None


class Step(Struct, frozen=True):
    """What is known now, and what is ordered."""

    state: State
    effects: tuple[Effect, ...] = ()
