"""A unit in virtual time: two systems, a card, a node, a service with releases, and power that goes when it likes."""

from __future__ import annotations

import contextlib
import hashlib
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Literal

import msgspec

from appliance.core import effects, events
from appliance.core.machine import begin, step
from appliance.core.notes import Notes
from appliance.core.slot import Slot, other
from appliance.core.state import State, Unit
from wire.release import Bundle, Release
from wire.unit_files import Vitals

NODE: Final = "00000007"
TICK_MS: Final = 10_000
BOOT_MS: Final = 30_000
AT: Final = datetime(2026, 11, 28, tzinfo=UTC)
Quality = Literal["good", "no boot", "no node", "no central", "no button"]


class PowerCutError(Exception):
    """The power went."""


@dataclass
class System:
    """What one half of the card holds."""

    version: str
    quality: Quality = "good"

    @property
    def sha256(self) -> str:
        return hashlib.sha256(f"{self.version} {self.quality}".encode()).hexdigest()


def release(
    serial: int, system: System, *, is_rollback: bool = False, state: Literal["open", "paused"] = "open"
) -> Release:
    bundle = Bundle(compatible="watchlink-pc", sha256=system.sha256, size_bytes=1)
    return Release(
        serial=serial,
        made_at=AT,
        version=system.version,
        state=state,
        bundles=(bundle,),
        support_ends_at=AT,
        percent=100,
        is_rollback=is_rollback,
    )


@dataclass
class SimulatedUnit:
    """The card outlasts a power cut; everything else is made anew."""

    dice: random.Random
    systems: dict[Slot, System]
    primary: Slot = "a"
    notes: Notes = field(default_factory=Notes)
    offered: Release | None = None
    bundles: dict[str, System] = field(default_factory=dict)
    cut_at: int | None = None
    """The power goes after that many effects; once."""
    cuts: float = 0.0
    """How likely it goes at each effect and each tick."""
    busy: float = 0.0
    """How likely the node is in use at each tick."""
    bad_luck: float = 0.0
    """How likely something fetched or written fails."""
    is_linked: bool = True
    card_refuses: float = 0.0
    forgets: bool = False
    """The card's data can only be read: what is noted is gone with the next start."""
    loses_notes: float = 0.0
    """How likely the notes are gone at a start."""

    asks_trial: bool = False
    boots: list[Slot] = field(default_factory=list)
    committed: list[str] = field(default_factory=list)
    count: int = 0
    state: State = field(init=False)
    now_ms: int = 0
    waiting: list[events.Event] = field(default_factory=list)
    is_used: bool = False

    def __post_init__(self) -> None:
        self.boot()

    @property
    def running(self) -> System:
        return self.systems[self.boots[-1]]

    def offer(self, offered: Release, system: System) -> None:
        self.offered = offered
        self.bundles[system.sha256] = system

    def boot(self) -> None:
        while True:
            slot = other(self.primary) if self.asks_trial else self.primary
            self.asks_trial = False
            self.boots.append(slot)
            assert len(self.boots) < 400, "it restarts for ever"
            if self.systems[slot].quality != "no boot":
                break
            assert slot != self.primary, "the card boots a system that does not start"
        self.now_ms, self.waiting = BOOT_MS, []
        if self.forgets or self.dice.random() < self.loses_notes:
            self.notes = Notes()
        unit = Unit(
            node=NODE,
            version=self.running.version,
            compatible="watchlink-pc",
            booted=slot,
            primary=self.primary,
            boot_id=f"boot-{len(self.boots)}",
            jitter=self.dice.random(),
        )
        held = self.offered_before()
        begun = begin(unit, self.notes, held, self.now_ms)
        self.state = begun.state
        try:
            with contextlib.suppress(OSError):
                self.carry_out(begun.effects)
        except PowerCutError:
            self.boot()

    def offered_before(self) -> Release | None:
        return msgspec.json.decode(self.notes.sealed, type=Release) if self.notes.sealed else None

    def run(self, minutes: float) -> None:
        """Let time pass."""
        left = int(minutes * 60_000 / TICK_MS)
        while left > 0:
            left -= 1
            self.now_ms += TICK_MS
            try:
                self.flip()
                if self.now_ms == BOOT_MS + TICK_MS:
                    self.take(events.CardChecked("It can only be read." if self.forgets else ""))
                    self.take(events.ClockProven())
                self.take(events.VitalsRead(self.vitals()))
                for event in self.waiting:
                    self.waiting.remove(event)
                    self.take(event)
                self.take(events.Ticked())
            except PowerCutError:
                self.boot()

    def vitals(self) -> Vitals | None:
        quality = self.running.quality
        if quality == "no node" or self.now_ms < BOOT_MS + 2 * TICK_MS:
            return None
        self.is_used = self.dice.random() < self.busy
        return Vitals(
            node=NODE,
            boot_id="run",
            written_at_ms=self.now_ms,
            is_armed=True,
            is_linked=self.is_linked and quality != "no central",
            may_restart=not self.is_used,
            faulty=("buttons",) if quality == "no button" else (),
        )

    def take(self, event: events.Event) -> None:
        done = step(self.state, event, self.now_ms)
        before = self.state
        try:
            self.carry_out(done.effects)
        except OSError as e:
            failed = events.EffectFailed(str(e), event)
            self.state = step(before, failed, self.now_ms).state
            return
        self.state = done.state

    def carry_out(self, ordered: tuple[effects.Effect, ...]) -> None:
        for effect in ordered:
            self.do(effect)
            self.count += 1
            if self.count == self.cut_at:
                raise PowerCutError
            self.flip()

    def flip(self) -> None:
        if self.dice.random() < self.cuts:
            raise PowerCutError

    def do(self, effect: effects.Effect) -> None:
        refuses = self.dice.random() < self.card_refuses
        match effect:
            case effects.AskRelease() | effects.FetchBundle() | effects.InstallBundle():
                self.waiting.append(self.answer(effect))
            case effects.SaveNotes(notes):
                if refuses:
                    raise OSError("the card refuses")
                self.notes = notes
            case effects.RestartOnTrial():
                vitals = self.state.vitals
                assert vitals is None or vitals.written_at_ms < self.now_ms - 30_000 or not self.is_used
                self.asks_trial = True
                raise PowerCutError
            case effects.RestartBack():
                raise PowerCutError
            case effects.CommitSlot(slot):
                assert slot == self.boots[-1]
                if refuses:
                    raise OSError("the card refuses")
                assert self.running.quality == "good", "a system that does not work is kept"
                self.primary = slot
                self.committed.append(self.running.version)
            case effects.DropBundles():
                pass

    def answer(self, effect: effects.AskRelease | effects.FetchBundle | effects.InstallBundle) -> events.Event:
        fails = self.dice.random() < self.bad_luck
        match effect:
            case effects.AskRelease():
                if self.offered is None or fails:
                    return events.NothingNew()
                return events.ReleaseSeen(self.offered, msgspec.json.encode(self.offered))
            case effects.FetchBundle(bundle):
                failed = events.FetchFailed("cut", "The connection broke.")
                return failed if fails else events.BundleFetched(bundle.sha256)
            case effects.InstallBundle(bundle):
                slot = other(self.boots[-1])
                assert slot != self.primary, "the good system is written over"
                self.systems[slot] = System("half", "no boot")
                self.flip()
                if fails:
                    return events.InstallFailed("The card is slow.", is_final=False)
                self.systems[slot] = self.bundles[bundle.sha256]
                return events.Installed(bundle.sha256)
