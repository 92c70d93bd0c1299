"""A unit whose updates are played event by event, and the notes and releases to begin with."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from appliance.core import events
from appliance.core.effects import Effect
from appliance.core.machine import begin, report, step
from appliance.core.notes import Before, Notes, Trial
from appliance.core.state import State, Unit
from wire.messages import UpdateReport
from wire.release import Bundle, Release
from wire.unit_files import Vitals

NODE = "00000007"
UNIT = Unit(node=NODE, version="1.0", compatible="watchlink-pc", booted="a", primary="a", boot_id="one")
BUNDLE = Bundle(compatible="watchlink-pc", sha256="ab" * 32, size_bytes=9)
AT = datetime(2026, 11, 28, tzinfo=UTC)
RELEASE = Release(serial=5, made_at=AT, version="1.1", state="open", bundles=(BUNDLE,), support_ends_at=AT, percent=100)
WRITTEN = Trial(serial=5, version="1.1", sha256=BUNDLE.sha256, slot="b")


class Played:
    """A unit to which things happen."""

    def __init__(self, unit: Unit = UNIT, notes: Notes | None = None, release: Release | None = None) -> None:
        self.now_ms = 30_000
        begun = begin(unit, notes or Notes(), release, self.now_ms)
        self.state: State = begun.state
        self.ordered: list[Effect] = list(begun.effects)

    def take(self, event: events.Event) -> list[Effect]:
        done = step(self.state, event, self.now_ms)
        self.state = done.state
        self.ordered += done.effects
        return list(done.effects)

    def pass_s(self, seconds: int, **vitals: object) -> list[Effect]:
        """Time passes, and the node says every ten seconds how it is; nothing if it is silent."""
        ordered = []
        for _ in range(seconds // 10):
            self.now_ms += 10_000
            if not vitals.get("silent"):
                ordered += self.take(events.VitalsRead(self.vitals(**vitals)))
            ordered += self.take(events.Ticked())
        return ordered

    def vitals(self, **how: object) -> Vitals:
        kind: dict[str, Any] = {"is_armed": True, "is_linked": True, "may_restart": True, **how}
        return Vitals(node=NODE, boot_id="run", written_at_ms=self.now_ms, **kind)

    @property
    def report(self) -> UpdateReport | None:
        return report(self.state, self.now_ms)

    @property
    def said(self) -> tuple[str, str]:
        said = self.report
        return (said.state, said.reason) if said else ("", "")


def waiting(**changes: object) -> Played:
    """Written, and about to be tried."""
    changed: dict[str, Any] = changes
    played = Played(notes=Notes(trial=WRITTEN), release=replace(RELEASE, **changed))
    played.take(events.ClockProven())
    return played


def on_trial(before: Before | None = None, unit: Unit | None = None) -> Played:
    trial = replace(WRITTEN, asked_in="zero", attempts=1, has_begun=True, before=before or Before())
    return Played(unit or replace(UNIT, version="1.1", booted="b"), Notes(trial=trial), RELEASE)


def seen(release: Release) -> Played:
    played = Played()
    played.take(events.ClockProven())
    played.take(events.ReleaseSeen(release, b"sealed"))
    return played
