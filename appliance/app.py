"""The program: one loop turns the machine; threads of their own wait for the network and for RAUC."""

from __future__ import annotations

import logging
import queue
import threading
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

from msgspec import Struct

from appliance.bundle_installer import install
from appliance.card.partition import opened
from appliance.card.seed import take_seed
from appliance.core import effects, events, machine
from appliance.core.notes import Notes
from appliance.core.slot import Slot
from appliance.core.state import State, Unit
from appliance.errors import CardError
from appliance.identity import Identity, load_identity
from appliance.image import Image
from appliance.kept import card_fault, load_notes, read_vitals, save_notes, tell
from appliance.net.releases import Releases
from appliance.slots.boot_loader import why_no_trial
from appliance.slots.handler import Slots
from appliance.slots.restart import ask_for_trial, restart
from runtime.clock_proof import is_synchronised
from runtime.monotonic import boottime_ms
from runtime.regular_file import read_regular
from wire.limits import TEXT_CHARS_MAX
from wire.text import display_text
from wire.unit_files import CARD_FILE, SYSTEM_FILE, UNIT_FILE_BYTES_MAX, VITALS_FILE, SystemReport

logger = logging.getLogger(__name__)

TURN_S: Final = 5.0
BUNDLES: Final = "bundles"
UNKNOWN: Final = "unknown"
_FAULT: Final = "A fault of this program."


class Places(Struct, frozen=True):
    """Where things lie."""

    node: Path = Path("/var/lib/watchlink-node")
    own: Path = Path("/var/lib/watchlink-appliance")
    vitals: Path = Path(VITALS_FILE)
    system: Path = Path(SYSTEM_FILE)
    card: Path = Path(CARD_FILE)


class Appliance:
    """Looks after one card.

    Args:
        image: what runs.
        slots: the card's systems.
        places: where things lie.
        boot_id: of the machine.
        wait: for that many seconds or until the program is to end; whether it is.
    """

    def __init__(self, image: Image, slots: Slots, places: Places, boot_id: str, wait: Callable[[float], bool]) -> None:
        self._boot_id = boot_id
        self._image = image
        self._slots = slots
        self._places = places
        self._wait = wait
        self._on_card = _told(places.card)
        self._reported: SystemReport | None = None
        self._answers: queue.SimpleQueue[events.Event] = queue.SimpleQueue()

    def run(self) -> None:
        """Until it is to end."""
        booted = self._known(self._slots.booted)
        self._report(booted, None)
        identity: Identity | None = None
        # Until a new unit has claimed its identity. A system on trial that cannot read it is left.
        state, releases = self._begin(None, booted), Releases(None, self._places.own / BUNDLES)
        while True:
            if identity is None and (identity := load_identity(self._places.node)) is not None:
                self._take_seed()
                state, releases = self._begin(identity, booted), Releases(identity, self._places.own / BUNDLES)
            for event in self._happened(state):
                state = self._turn(state, event, releases)
            if not state.doing:
                releases.make_room()
            self._report(booted, state)
            if self._wait(TURN_S):
                return

    def _begin(self, identity: Identity | None, booted: Slot | None) -> State:
        notes, release = load_notes(self._places.own, identity.authority) if identity else (Notes(), None)
        node = identity.node if identity else ""
        unit = Unit(
            node=node,
            version=self._image.version,
            compatible=self._image.compatible,
            booted=booted,
            primary=self._known(self._slots.primary),
            boot_id=self._boot_id,
            jitter=zlib.crc32(node.encode()) / 2**32,
            ask_every_ms=self._image.ask_every_s * 1_000,
            hurry=self._image.hurry,
            why_no_trial=why_no_trial(self._image),
        )
        now_ms = boottime_ms()
        begun = machine.begin(unit, notes, release, now_ms)
        try:
            self._carry_out(begun.effects)
        except (CardError, OSError) as e:
            logger.warning("what the start says of a trial cannot be noted: %s", e)
        return begun.state

    def _happened(self, state: State) -> list[events.Event]:
        happened: list[events.Event] = [
            events.CardChecked(card_fault(self._places.own, Path(self._image.data_partition))),
            events.VitalsRead(read_vitals(self._places.vitals)),
        ]
        if not state.is_clock_proven and is_synchronised():
            happened.append(events.ClockProven())
        while not self._answers.empty():
            happened.append(self._answers.get())
        return [*happened, events.Ticked()]

    def _turn(self, state: State, event: events.Event, releases: Releases) -> State:
        now_ms = boottime_ms()
        turned = machine.step(state, event, now_ms)
        try:
            self._carry_out(turned.effects, releases)
        except (CardError, OSError) as e:
            logger.warning("not done: %s", e)
            failed = events.EffectFailed(_sentence(e), event)
            return machine.step(state, failed, now_ms).state
        return turned.state

    def _carry_out(self, ordered: tuple[effects.Effect, ...], releases: Releases | None = None) -> None:
        for effect in ordered:
            match effect:
                case effects.SaveNotes(notes):
                    save_notes(self._places.own, notes)
                case effects.RestartOnTrial():
                    logger.warning("restarting into the other system, to try it once")
                    ask_for_trial(self._image)
                    restart()
                case effects.RestartBack():
                    logger.warning("restarting into the system of before")
                    restart()
                case effects.CommitSlot(slot):
                    self._slots.commit(slot)
                    logger.warning("system %s is kept", slot)
                case _:
                    assert releases is not None, "a start orders nothing of the network"
                    self._order(effect, releases)

    def _order(
        self,
        effect: effects.AskRelease | effects.FetchBundle | effects.InstallBundle | effects.DropBundles,
        releases: Releases,
    ) -> None:
        match effect:
            case effects.AskRelease():
                self._later(releases.ask, events.NothingNew())
            case effects.FetchBundle(bundle):
                self._later(lambda: releases.fetch(bundle), events.FetchFailed("cut", _FAULT))
            case effects.InstallBundle(bundle):
                logger.info("writing %s over the other system", bundle.sha256)
                failed = events.InstallFailed(_FAULT, is_final=False)
                self._later(lambda: install(releases.path_of(bundle), bundle.sha256), failed)
            case effects.DropBundles():
                releases.drop()

    def _later(self, ask: Callable[[], events.Event], failed: events.Event) -> None:
        def run() -> None:
            try:
                answer = ask()
            except Exception:
                logger.exception("a fault of this program")
                answer = failed
            self._answers.put(answer)

        threading.Thread(target=run, name="order", daemon=True).start()

    def _take_seed(self) -> None:
        """A seed of this unit's that is still on the card, after a power cut or with a new Wi-Fi."""
        try:
            with opened(Path(self._image.first_partition), is_written=True) as partition:
                said = take_seed(partition, self._places.node, self._places.own)
        except CardError as e:
            said = f"The card's first partition: {e}."
        self._on_card = self._on_card or said

    def _report(self, booted: Slot | None, state: State | None) -> None:
        image = self._image
        report = SystemReport(
            version=image.version,
            slot=booted or UNKNOWN,  # Never the one that is only meant to run.
            compatible=image.compatible,
            support_ends_at=state.notes.support_ends.get(image.version) if state else None,
            card=self._on_card or (state.card_fault if state else ""),
            update=machine.report(state, boottime_ms()) if state else None,
        )
        if report != self._reported:
            try:
                tell(self._places.system, report)
            except OSError as e:
                logger.warning("the node is not told: %s", e)
                return
            self._reported = report

    def _known(self, ask: Callable[[], Slot]) -> Slot | None:
        try:
            return ask()
        except CardError as e:
            logger.warning("%s", e)
            self._on_card = self._on_card or f"{_sentence(e)}."
            return None


def _told(path: Path) -> str:
    try:
        return display_text(read_regular(path, UNIT_FILE_BYTES_MAX).decode("utf-8", "replace").strip(), TEXT_CHARS_MAX)
    except OSError:
        return ""


def _sentence(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error)
    return text[:1].upper() + text[1:]
