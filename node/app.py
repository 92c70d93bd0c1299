"""The composition root: picks the adapters and runs one loop over one queue: event → step → effects.

Everything that happens, on any thread, becomes an event in the queue; only the loop touches the core, the store and the
effects. It sleeps until the core's next deadline. A failure becomes an event too, so a press is stored whatever else is
broken. The loop's own progress feeds the watchdog.
"""

from __future__ import annotations

import logging
import os
import secrets
import signal
import threading
from contextlib import suppress
from types import FrameType
from typing import Final

from msgspec.structs import replace

from node.clock import WallClock
from node.config import NodeConfig
from node.core.controls import Part
from node.core.effects import NOTHING_TOLD, Effect, KeepAirtime, KeepTold
from node.core.events import (
    AlertAsked,
    CentralStatusReceived,
    DirectoryReceived,
    Event,
    FramePublished,
    FrameReceived,
    IncidentReceived,
    InputRejected,
    LinkDown,
    LinkUp,
    PartFailed,
    SessionTaken,
    SettingsReceived,
    Started,
    StopAsked,
    SyncAnswered,
    Ticked,
)
from node.core.link import told
from node.core.link.vitals import vitals
from node.core.machine import initial_state, next_deadline_ms, step
from node.core.radio import duty_cycle
from node.core.state import NodeState, wall_at_s
from node.effect_runner import EffectRunner
from node.event_queue import EventQueue
from node.health_line import health_line
from node.hw.board import Board, open_board
from node.hw.drawing import place_of_picture
from node.hw.errors import FakeBoardError, UnknownProfileError
from node.hw.profiles import profile_named
from node.machine_reading import MachineReading
from node.net.gallery_socket import GallerySocket
from node.net.mqtt import PahoUplink
from node.radio_driver import open_radio
from node.store import NodeStore, Remembered, StoreRefusedError
from node.vitals_file import VitalsFile
from runtime.boot_id import machine_boot_id
from runtime.config import ConfigError
from runtime.logs import FactLog
from runtime.monotonic import monotonic_ms
from runtime.service import Service
from wire.directory import Directory, open_directory
from wire.directory_succession import newest
from wire.errors import DirectoryError
from wire.ids import node_text
from wire.messages import Health

logger = logging.getLogger(__name__)

PRUNE_FIRST_MS: Final = 30_000
PRUNE_EVERY_MS: Final = 3_600_000
END_WITHIN_S: Final = 1.8
IDLE_MAX_MS: Final = 60_000
STALLED_WAIT_MS: Final = 50
CORE_FAILURES_MAX: Final = 50
"""After this many network events in a row on which the core raises, the program ends and systemd restarts it: the
core may be in a state in which it hears nothing."""
DEAF_ENDS_AFTER_MS: Final = 600_000
"""But no sooner after the start, or a hostile sender could keep the node from ever being up."""
CORE_FAILED: Final = "internal error"
"""The reason under which a message that was dropped for it is counted as rejected; central has the same word."""
STATUS_FAILED: Final = 1
_SECRET_BYTES: Final = 16
_FROM_NETWORK: Final = (
    LinkUp,
    LinkDown,
    SessionTaken,
    FramePublished,
    FrameReceived,
    IncidentReceived,
    CentralStatusReceived,
    SyncAnswered,
    DirectoryReceived,
    SettingsReceived,
    InputRejected,
    AlertAsked,
)
"""Events that others may send at will: a failure of the core on one of these must not end the program."""


class NodeApp:
    """One node, from its first event to its last. Build it, :meth:`run` it once."""

    def __init__(self, config: NodeConfig, facts: FactLog, service: Service) -> None:
        """Open the board, read the disk, prepare the link; nothing is sent yet.

        Raises:
            ConfigError: the board cannot be opened as it is configured.
        """
        self._config = config
        self._service = service
        self._queue = EventQueue()
        self._state: NodeState = _first_state(config)
        self._boot_id = secrets.token_hex(8)
        self._clock = WallClock(is_trusted=config.is_clock_trusted)
        self._store = NodeStore(config.state_dir, config.settings.node, config.signing_key, machine_boot_id())
        self._is_store_loaded = False
        self._airtime_to_keep = KeepAirtime(())
        self._told_to_keep = KeepTold(NOTHING_TOLD)
        self._link_problem = config.link_problem
        self._ticked_ms = -1
        self._core_failures = 0
        self._started_ms = monotonic_ms()
        self._is_local_lost = False
        self._link = "not connected yet"
        self._status = ""
        started = self._started()
        self._uplink = self._open_uplink(started.directory)
        self._board = _open_board(config, self._queue)
        self._radio = open_radio(config, self._queue)
        self._machine = MachineReading(config, self._queue.put)
        self._vitals = None if service.runtime_dir is None else VitalsFile(service.runtime_dir)
        self._gallery = _open_gallery(config, self._queue)
        about = {"node": node_text(config.settings.node), "premises": config.settings.premises}
        self._effects = EffectRunner(
            self._store,
            self._board,
            self._uplink,
            self._radio,
            facts=facts,
            about=about,
            authority=config.authority,
            proven_at_s=lambda: wall_at_s(self._state, monotonic_ms()),
            settings=config.fleet_settings,
            gallery=self._gallery,
        )
        self._prune_ms = monotonic_ms() + PRUNE_FIRST_MS
        self._begin(started)

    def run(self) -> int:
        """Arm and run until the core says stop. Returns the exit status, within two seconds of a stop request."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._asked_to_stop)
        if self._is_store_loaded:
            self._effects.fact("armed")
        self._service.ready()
        self._tell_status()
        if self._uplink:
            self._uplink.start()
        if self._radio:
            self._radio.start()
        self._machine.start()
        if self._gallery:
            self._gallery.start()
        try:
            while not (self._effects.is_stopping or self._is_local_lost or self._is_deaf):
                self._turn()
        finally:
            self._close()
        return 0 if self._effects.is_stopping else STATUS_FAILED

    @property
    def _is_deaf(self) -> bool:
        may_end = monotonic_ms() - self._started_ms >= DEAF_ENDS_AFTER_MS
        return may_end and self._core_failures >= CORE_FAILURES_MAX

    def _turn(self) -> None:
        """Take one event and carry out its effects."""
        self._service.watchdog()
        if reading := self._clock.look(monotonic_ms()):
            self._step(reading, self._queue.now_ms())
        if not self._is_store_loaded:
            self._load_late()
        found = self._next()
        if found is not None:
            self._step(*found)
            self._tell_status()
        if self._vitals:
            self._vitals.tell(vitals(self._state), monotonic_ms())

    def _tell_status(self) -> None:
        line = health_line(self._state.faults, self._link)
        if line != self._status:
            self._status = line
            self._service.status(line)

    def _next(self) -> tuple[Event, int] | None:
        if self._effects.answers:
            return self._effects.answers.popleft(), self._queue.now_ms()
        found = self._queue.get(0)
        if found is not None:
            return found
        self._effects.settle()
        if monotonic_ms() >= self._prune_ms:
            self._prune_ms = monotonic_ms() + PRUNE_EVERY_MS
            self._effects.prune()
        if self._effects.answers:
            return self._effects.answers.popleft(), self._queue.now_ms()
        now_ms = self._queue.now_ms()
        deadline_ms = next_deadline_ms(self._state)
        if deadline_ms is not None and deadline_ms <= now_ms:
            if deadline_ms > self._ticked_ms:
                self._ticked_ms = now_ms
                return Ticked(), now_ms
            # The core did not move past its own deadline: our bug, which must not eat the processor.
            deadline_ms = now_ms + STALLED_WAIT_MS
            self._ticked_ms = -1
        waits = [IDLE_MAX_MS, self._clock.due_ms - now_ms, self._prune_ms - now_ms]
        if deadline_ms is not None:
            waits.append(deadline_ms - now_ms)
        if self._vitals:
            waits.append(self._vitals.due_ms - now_ms)
        if self._service.watchdog_interval_ms is not None:
            waits.append(self._service.watchdog_interval_ms // 2)
        return self._queue.get(max(0, min(waits)))

    def _step(self, event: Event, now_ms: int) -> None:
        try:
            self._state, effects = step(self._state, event, now_ms)
        except Exception:
            # The state is unchanged, so a message can be dropped. An event from the node itself cannot: a draft whose
            # answer is lost waits for ever, while the next run sends its row from the disk.
            self._core_failures += 1
            self._is_local_lost = self._is_local_lost or not isinstance(event, _FROM_NETWORK)
            logger.exception("the core failed", extra={"event": type(event).__name__})
            if isinstance(event, _FROM_NETWORK):
                self._count_dropped(now_ms)
            return
        self._core_failures = 0
        for effect in effects:
            self._carry_out(effect)
        if isinstance(event, LinkUp):
            self._link = "connected"
        elif isinstance(event, LinkDown):
            self._link = f"not connected: {event.detail}"

    def _count_dropped(self, now_ms: int) -> None:
        """Central is told of it with our health; this is no sign that the core hears anything."""
        try:
            self._state, effects = step(self._state, InputRejected(CORE_FAILED), now_ms)
        except Exception:
            logger.exception("the core cannot count what it failed on")
            return
        for effect in effects:
            self._carry_out(effect)

    def _carry_out(self, effect: Effect) -> None:
        # These replace what earlier runs stored, so they wait until that has been read.
        if isinstance(effect, KeepAirtime) and not self._is_store_loaded:
            self._airtime_to_keep = effect
        elif isinstance(effect, KeepTold) and not self._is_store_loaded:
            self._told_to_keep = effect
        else:
            self._effects.carry_out(effect)

    def _begin(self, started: Started) -> None:
        # A stored row on which the core fails must not keep the button from working: it stays on the disk.
        bare = Started(
            started.boot_id,
            (),
            (),
            started.directory,
            started.last_counter,
            secret=started.secret,
            is_store_read=started.is_store_read,
            settings=started.settings,
        )
        for tried in (started, replace(started, inbox=()), replace(started, inbox=(), outbox=()), bare):
            self._is_local_lost = False
            self._step(tried, monotonic_ms())
            if not self._is_local_lost:
                break
            self._store.damage = "something stored cannot be taken up; the log says what"
        if reading := self._clock.look(monotonic_ms()):
            self._step(reading, monotonic_ms())
        self._effects.look_for_damage()
        if self._link_problem:
            # This is only our expectation: we still connect, and the broker decides.
            logger.error("the network will refuse us: %s", self._link_problem)
            self._step(LinkDown(self._link_problem, is_permanent=True), monotonic_ms())

    def _started(self) -> Started:
        """The run's first event, from the disk, or empty if the disk cannot be read."""
        reading = self._clock.read()
        try:
            remembered = self._store.load(monotonic_ms(), reading.wall_at_s if reading.is_proven else 0)
            self._is_store_loaded = True
        except StoreRefusedError as e:
            logger.error("what is stored cannot be read: %s", e)  # noqa: TRY400 - the sentence says it all
            self._queue.put(PartFailed(Part.STORE, str(e)))
            remembered = Remembered()
        except Exception as e:
            # The disk works, but a value on it is wrong: no reason for a dead button. Reading
            # it again would not help.
            logger.exception("what is stored cannot be understood")
            self._store.damage = f"what is stored cannot be understood: {type(e).__name__}"
            self._is_store_loaded = True
            remembered = Remembered()
        directory = self._newest_directory(remembered.directory)
        return Started(
            self._boot_id,
            remembered.outbox,
            remembered.inbox,
            directory,
            remembered.last_counter,
            remembered.tested_at_s,
            remembered.test_since_at_s,
            remembered.highest,
            remembered.scales,
            os.urandom(_SECRET_BYTES),
            remembered.airtime,
            remembered.told,
            self._is_store_loaded,
            self._config.fleet_settings.kept,
        )

    def _newest_directory(self, kept: bytes | None) -> Directory:
        first = self._config.directory
        if kept is None:
            return first
        try:
            return newest(first, open_directory(kept, self._config.authority))
        except DirectoryError:
            logger.exception("the kept directory is not the authority's; the first one counts")
            return first

    def _load_late(self) -> None:
        """The disk could not be read at the start but can be now: begin again with its contents.

        Not before every press since then is on it: its contents replace the core's knowledge of our incidents.
        """
        if Part.STORE in self._state.faults or self._state.drafts:
            return
        faults = self._state.faults
        started = self._started()
        if not self._is_store_loaded:
            return
        logger.warning("the disk can be read again: %d frames", len(started.outbox))
        airtime = KeepAirtime(duty_cycle.both(started.airtime, self._airtime_to_keep.slices))
        known = KeepTold(told.both(started.told, self._told_to_keep.told))
        self._state = _first_state(self._config)
        self._begin(replace(started, airtime=airtime.slices, told=known.told))
        self._carry_out(airtime)
        self._carry_out(known)
        for part, fault in faults.items():
            self._step(PartFailed(part, fault.detail), monotonic_ms())
        if self._uplink and self._uplink.is_up:
            self._step(LinkUp(), monotonic_ms())
        self._effects.fact("armed")

    def _open_uplink(self, directory: Directory) -> PahoUplink | None:
        config = self._config
        try:
            return PahoUplink(
                config.link,
                node=config.settings.node,
                scheme_numbers=config.settings.scheme_numbers,
                key=config.signing_key,
                authority=config.authority,
                directory=directory,
                lost=Health(state="lost", boot_id=self._boot_id, version=config.settings.version),
                offer=self._queue.offer,
            )
        except ConfigError as e:
            # Without a network a press is still stored and shown, so this is only a fault.
            self._link_problem = self._link_problem or str(e)
            return None

    def _asked_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._queue.put(StopAsked())

    def _close(self) -> None:
        # A part that hangs must not hold up the end: everything is stored.
        guard = threading.Timer(END_WITHIN_S, os._exit, (0 if self._effects.is_stopping else STATUS_FAILED,))
        guard.daemon = True
        guard.start()
        self._service.stopping()
        self._machine.close()
        if self._radio:
            self._radio.close()  # First of all: a key that stays down silences everyone (N10).
        self._store.close()
        if self._gallery:
            self._gallery.close()
        if self._vitals:
            self._vitals.close()
        if self._uplink:
            self._uplink.stop()
        self._board.close()
        guard.cancel()


def _first_state(config: NodeConfig) -> NodeState:
    place = None
    # Whoever opens the board says that there is no such profile.
    with suppress(UnknownProfileError):
        if config.gallery is not None:
            place = place_of_picture(profile_named(config.profile).panel)
    return initial_state(replace(config.settings, picture_place=place))


def _open_gallery(config: NodeConfig, queue: EventQueue) -> GallerySocket | None:
    place = config.gallery
    return None if place is None else GallerySocket(place.socket, place.user, config.settings.node, queue.offer)


def _open_board(config: NodeConfig, queue: EventQueue) -> Board:
    try:
        return open_board(profile_named(config.profile), queue.put, fake_socket=config.fake_socket)
    except UnknownProfileError as e:
        raise ConfigError(f"key hardware.profile: {e}") from e
    except FakeBoardError as e:
        raise ConfigError(f"key hardware.fake_socket: {e}") from e
