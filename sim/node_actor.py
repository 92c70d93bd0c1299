"""A node in the simulation: the real core, a disk that survives it, a program that can die between any two orders."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Final

from msgspec.structs import replace

from node.core import effects as do
from node.core import events as ev
from node.core.controls import Button, Part
from node.core.listing import parts_of
from node.core.machine import initial_state, next_deadline_ms, step
from node.core.radio.duty_cycle import rebased
from node.core.settings import Settings
from node.core.state import NodeState
from sim.air import SimAir
from sim.broker import Message, SimBroker
from sim.invariants import Invariants
from sim.node_disk import DiskRow, NodeDisk
from sim.node_radio import SimRadio
from sim.node_words import event_of, told
from sim.plants import Plant, spoil_event, spoil_orders, spoil_settings, spoil_state
from sim.timeline import Timeline
from wire.directory import Directory, open_directory
from wire.errors import DecodeError
from wire.frames import decode, encode
from wire.ids import FrameId, NodeId, node_text
from wire.kinds import Path, Priority, most_urgent
from wire.messages import encode_message
from wire.signing import PublicKey, SigningKey, sign_message
from wire.topics import FrameTopic, Up, UpTopic

EPOCH_S: Final = 1_900_000_000
"""True Unix time when a run begins."""
PANEL_MS: Final = (25, 40)
RESTART_MS: Final = (1_000, 8_000)
CLOCK_EVERY_MS: Final = 60_000
CENTRAL_TIME_MS: Final = 10_000
"""How far off it may be: the delay of its message."""
_WITHOUT_EFFECT: Final = (do.KeepTold, do.PlaySound, do.PrepareSentence, do.ReportFact, do.SetLed, do.TellGallery)
"""Orders that change nothing here, though the invariants see them. An order missing from the table raises."""


class SimNode:
    """One node. The invariants see everything it does before it takes effect."""

    def __init__(
        self,
        settings: Settings,
        *,
        key: SigningKey,
        authority: PublicKey,
        directory: bytes,
        timeline: Timeline,
        broker: SimBroker,
        invariants: Invariants,
        plant: Plant | None,
        air: SimAir | None = None,
    ) -> None:
        self.settings = settings
        self.disk = NodeDisk(directory=directory)
        self.clock_error_s = 0
        self.is_clock_proven = True
        self.is_panel_dead = False
        self._is_panel_given_up = False
        self.crash_after_orders: int | None = None
        """Die after this many more orders."""
        self.boot = 0
        self.booted_ms = 0
        self._key = key
        self._authority = authority
        self._timeline = timeline
        self._broker = broker
        self._invariants = invariants
        self._plant = plant
        self._state: NodeState | None = None
        self._run = 0
        self._gathered: list[do.MarkReceipted | do.KeepSeen] = []
        self._answers: deque[ev.Event] = deque()
        self._memory_counter = 0
        self._drawing = 0
        self.radio = SimRadio(self.name, air, timeline, self._radio_tells) if air is not None else None
        self._do = self._doers(self.radio)

    @property
    def id(self) -> NodeId:
        """The node's id."""
        return self.settings.node

    @property
    def name(self) -> str:
        """Its name in the trace."""
        return node_text(self.id)

    @property
    def is_running(self) -> bool:
        """Whether the program runs."""
        return self._state is not None

    @property
    def state(self) -> NodeState | None:
        """The core's state, to read."""
        return self._state

    # Called by the scenario.

    def start(self) -> None:
        """The program starts, knowing only what is on disk."""
        if self._state is not None:
            return
        self._run += 1
        self._state = initial_state(spoil_settings(self._plant, self._drawn_settings()))
        self._gathered.clear()
        self._is_panel_given_up = self.is_panel_dead
        self._memory_counter = self.disk.counter
        directory = open_directory(self.disk.directory, self._authority)
        outbox = tuple(self._stored(row) for _, row in sorted(self.disk.rows.items()))
        inbox = tuple(ev.SeenFrame(id_, digest, shown) for id_, (digest, shown) in self.disk.seen.items())
        self._timeline.note(self.name, f"starts, {len(outbox)} rows, {len(inbox)} seen, counter {self.disk.counter}")
        boot, scales = self.disk.scales
        kept_boot, kept_ms, airtime = self.disk.airtime
        airtime = airtime if kept_boot == self.boot else rebased(airtime, kept_ms, self.monotonic_ms, None)
        started = ev.Started(f"{self.name}-{self._run}", outbox, inbox, directory, self.disk.counter)
        started = replace(started, scales=scales if boot == self.boot else (), airtime=airtime)
        # No two runs may share a nonce, or central takes the second's syncs for replays of the first's.
        self._take(replace(started, secret=f"{self.name}-{self._run}".encode()))
        if self.is_panel_dead:
            self._take(ev.PartFailed(Part.OLED, "no acknowledgement from address 0x3c"))
        if self.radio is not None:
            self.radio.start()
        self._read_clock()
        self._broker.connect(self.id)

    def crash(self, *, is_power_cut: bool, down_ms: int | None = None) -> None:
        """The program dies between two orders; a power cut also resets the machine's clock.

        It restarts in ``down_ms``, or soon.
        """
        if self._state is None:
            return
        self._state = None
        self._answers.clear()
        self._gathered.clear()
        self.crash_after_orders = None
        self._broker.gone(self.id)
        if self.radio is not None:
            self.radio.die()
        if is_power_cut:
            self.boot += 1
        self._timeline.note(self.name, "power cut" if is_power_cut else "killed")
        self._invariants.node_died(self)

        def again() -> None:
            if is_power_cut:
                self.booted_ms = self._timeline.now_ms
            self.start()

        restart_ms = self._timeline.chance.randint(*RESTART_MS) if down_ms is None else down_ms
        self._timeline.after(restart_ms, again)

    def put_back(self, copy: NodeDisk) -> None:
        """The power goes, and the card is as it was when ``copy`` was made."""
        if self._state is None:
            return
        lost = set(self.disk.rows) - set(copy.rows)
        copy.is_refusing = self.disk.is_refusing
        self.disk = copy
        self._timeline.note(self.name, f"card forgets {sorted(lost)}")
        self._invariants.memory.card_forgot(self, lost, self._invariants.truth)
        self.crash(is_power_cut=True)

    def pin(self, button: Button, *, is_down: bool) -> None:
        """An edge at the pin."""
        if self._state is not None:
            self._take(ev.PinChanged(button, is_down))

    def ask(self, asked: ev.AlertAsked) -> None:
        """The gallery beside it asks for an alert."""
        if self._state is not None:
            self._take(asked)

    def break_panel(self) -> None:
        """The bus stops answering."""
        self.is_panel_dead = self._is_panel_given_up = True
        if self._state is not None:
            self._take(ev.PartFailed(Part.OLED, "no acknowledgement from address 0x3c"))

    def set_clock(self, error_s: int, *, is_proven: bool) -> None:
        """Wall time jumps to ``error_s`` off true time."""
        self.clock_error_s, self.is_clock_proven = error_s, is_proven
        self._timeline.note(self.name, f"clock off by {error_s} s, proven {is_proven}")
        if self._state is not None:
            self._take(ev.ClockRead(self.wall_at_s, is_proven))

    @property
    def wall_at_s(self) -> int:
        """What its wall clock says, in Unix seconds."""
        return EPOCH_S + self._timeline.now_ms // 1000 + self.clock_error_s

    @property
    def is_time_true(self) -> bool:
        """Whether all that it has learnt of central's time is right."""
        scales = self._state.central.scales if self._state is not None else ()
        true_ms = EPOCH_S * 1000 + self._timeline.now_ms - self.monotonic_ms
        return all(abs(scale.offset_ms - true_ms) < CENTRAL_TIME_MS for scale in scales)

    @property
    def monotonic_ms(self) -> int:
        """Milliseconds since its boot."""
        return self._timeline.now_ms - self.booted_ms

    # Called by the broker.

    def link_up(self) -> None:
        """Connected and subscribed."""
        self._take(ev.LinkUp())

    def link_down(self) -> None:
        """The connection is lost."""
        self._take(ev.LinkDown("connection lost"))

    def receive(self, message: Message) -> None:
        """A message, read as the uplink does."""
        if self._state is None:
            return
        try:
            event = event_of(message, self._state.directory, self._authority, plant=self._plant)
        except DecodeError as e:
            event = ev.InputRejected(e.reason)
        self._take(event)

    def hear(self, data: bytes) -> None:
        """A burst, from whatever source."""
        if self._state is not None:
            self._take(ev.FrameReceived(data, None, Path.RADIO))

    # The loop.

    def _radio_tells(self, event: ev.Event) -> None:
        self._invariants.air.radio_tells(self, event)
        self._take(event)

    def _drawn_settings(self) -> Settings:
        radio = self.settings.radio
        if radio is None:
            return self.settings
        return replace(self.settings, radio=replace(radio, seed=self._timeline.chance.getrandbits(32)))

    def _take(self, event: ev.Event) -> None:
        if self._state is None:
            return
        run = self._run
        self._answers.append(event)
        while self._answers:
            event = self._answers.popleft()
            before = spoil_event(self._plant, self._state, event)
            after, effects = step(before, event, self.monotonic_ms)
            self._state = spoil_state(self._plant, before, after)
            self._timeline.note(self.name, f"{told(event)} -> {' '.join(type(effect).__name__ for effect in effects)}")
            for effect in spoil_orders(self._plant, effects, self._state, self.disk):
                self._carry_out(effect)
                if self._is_to_die():
                    self.crash(is_power_cut=self._timeline.chance.random() < 0.5)  # noqa: PLR2004 - either
                    return
                if self._run != run:
                    return
        self._flush()
        self._set_alarm()

    def _is_to_die(self) -> bool:
        if self.crash_after_orders is None:
            return False
        self.crash_after_orders -= 1
        return self.crash_after_orders <= 0

    def _set_alarm(self) -> None:
        assert self._state is not None
        due_ms = next_deadline_ms(self._state)
        if due_ms is None:
            return
        run, state = self._run, self._state

        def ring() -> None:
            if self._run == run and self._state is state:
                self._take(ev.Ticked())

        self._timeline.after(due_ms - self.monotonic_ms, ring)

    def _read_clock(self) -> None:
        run = self._run

        def read() -> None:
            if self._run == run and self._state is not None:
                self._take(ev.ClockRead(self.wall_at_s, self.is_clock_proven))
                self._timeline.after(CLOCK_EVERY_MS, read)

        read()

    def _carry_out(self, effect: do.Effect) -> None:
        self._invariants.node_orders(self, effect)
        self._do[type(effect)](effect)

    def _doers(self, radio: SimRadio | None) -> dict[type[Any], Callable[[Any], None]]:
        return {
            do.StoreFrame: self._store,
            do.MarkReceipted: self._gathered.append,
            do.ReopenFrames: self._reopen,
            do.ForgetFrame: self._forget,
            do.KeepSeen: self._keep_seen,
            do.KeepDirectory: lambda effect: self.disk.keep_directory(effect.data),
            do.KeepScales: lambda effect: self.disk.keep_scales(self.boot, effect.scales),
            do.KeepAirtime: lambda effect: self.disk.keep_airtime(self.boot, self.monotonic_ms, effect.slices),
            do.RaiseCounterFloor: self._raise_counter_floor,
            do.PublishFrame: self._publish,
            do.PublishHealth: lambda effect: self._tell_central(Up.HEALTH, encode_message(effect.health), 0),
            do.PublishSync: self._publish_sync,
            do.ConnectAnew: lambda _effect: self._broker.break_off(self.id),
            do.RelayFrame: lambda effect: self._tell_central(Up.HEARD, effect.data, 1),
            do.ShowScreen: self._show,
            do.RetryPart: lambda effect: self._retry(effect.part),
            **dict.fromkeys(_WITHOUT_EFFECT, _nothing),
        } | ({} if radio is None else {do.TransmitOver: radio.transmit, do.StopOver: lambda e: radio.stop(e.over)})

    def _store(self, effect: do.StoreFrame) -> None:
        if self.disk.is_refusing:
            self._invariants.refused(self)
            self._answers.append(ev.StoreRefused(effect.draft, "no space left on device"))
            return
        old = self.disk.rows.pop(effect.replaces, None)
        if old is not None:
            self._invariants.memory.replaced.add(FrameId(self.id, effect.replaces))
        counter = max(self.disk.counter, self._memory_counter) + 1
        data = encode(do.frame_of(effect.content, self.id, counter, effect.at_s), self._key)
        self._memory_counter = counter
        if self._plant is not Plant.COUNTER_NOT_PERSISTED:
            self.disk.counter = counter
        if not isinstance(effect.content, do.PathTestDraft):
            age = (self.monotonic_ms, self.boot) if old is None else (old.stored_ms, old.boot)
            self.disk.rows[counter] = DiskRow(data, *age, effect.wall_at_s)
        self._invariants.stored(self, decode(data), effect)
        self._answers.append(ev.FrameStored(effect.draft, decode(data)))

    def _forget(self, effect: do.ForgetFrame) -> None:
        self._invariants.memory.replaced.add(effect.id)
        self.disk.rows.pop(effect.id.counter, None)

    def _keep_seen(self, effect: do.KeepSeen) -> None:
        self._gathered.append(effect)
        if effect.shown is not None:
            self._flush()

    def _raise_counter_floor(self, effect: do.RaiseCounterFloor) -> None:
        self.disk.counter = max(self.disk.counter, effect.counter)
        self._memory_counter = max(self._memory_counter, effect.counter)

    def _reopen(self, effect: do.ReopenFrames) -> None:
        self._flush()
        rows = self.disk.reopen(effect.counters)
        if rows is not None:
            self._answers.append(ev.FramesReopened(tuple(self._stored(row) for row in rows)))

    def _publish_sync(self, effect: do.PublishSync) -> None:
        self._flush()
        for part in parts_of(effect.sync, self.disk.receipted() if effect.is_listing else ()):
            self._tell_central(Up.SYNC, encode_message(part), 1)

    def _publish(self, effect: do.PublishFrame) -> None:
        directory = self._state.directory if self._state else None
        run = self._run

        def acknowledged() -> None:
            if self._run != run or self._state is None:
                return
            if self._plant is Plant.FORGOTTEN_ON_PUBACK:
                self.disk.rows.pop(effect.signed.frame.counter, None)
            self._take(ev.FramePublished(effect.signed.frame.id))

        for scheme in _slugs(directory, effect.schemes):
            message = Message(FrameTopic(scheme, self.id), effect.signed.data)
            self._broker.publish(self.id, message, 1, acknowledged)

    def _tell_central(self, channel: Up, payload: bytes, qos: int) -> None:
        topic = UpTopic(self.id, channel)
        signature = sign_message(self._key, str(topic), payload)
        self._broker.publish(self.id, Message(topic, payload, signature), qos, lambda: None)

    def _show(self, effect: do.ShowScreen) -> None:
        if self._is_panel_given_up:
            return  # The driver draws again once a retry has found the panel.
        self._drawing += 1
        run, drawing, screen = self._run, self._drawing, effect.screen

        def drawn() -> None:
            # Latest wins: a screen replaced before it was drawn never reaches the panel.
            if self._run == run and self._drawing == drawing and not self.is_panel_dead:
                self._invariants.on_panel(self, screen)
                self._take(ev.ScreenShown(screen.concerns, screen.face, screen.priority))

        self._timeline.after(self._timeline.chance.randint(*PANEL_MS), drawn)

    def _retry(self, part: Part) -> None:
        if part is Part.CLOCK:
            return
        if part is Part.RADIO and self.radio is not None:
            self.radio.retry()
            return
        is_broken = (part is Part.STORE and self.disk.is_refusing) or (part is Part.OLED and self.is_panel_dead)
        if part is Part.OLED:
            self._is_panel_given_up = is_broken
        self._answers.append(ev.PartFailed(part, "still broken") if is_broken else ev.PartRecovered(part))

    def _flush(self) -> None:
        if self.disk.is_refusing:
            return
        for effect in self._gathered:
            if isinstance(effect, do.MarkReceipted):
                row = self.disk.rows.get(effect.id.counter)
                if row is not None:
                    row.is_receipted = True
            elif self._plant is not Plant.INBOX_FORGOTTEN:
                _, before = self.disk.seen.get(effect.id, (effect.digest, None))
                shown = most_urgent(effect.shown, before)
                if shown is not None and self._plant is Plant.UPGRADE_MISSED:
                    shown = Priority.P1
                self.disk.seen[effect.id] = (effect.digest, shown)
        self._gathered.clear()

    def _stored(self, row: DiskRow) -> ev.StoredFrame:
        stored_ms: int | None = None
        if row.boot == self.boot:
            stored_ms = row.stored_ms
        elif row.at_s and self.is_clock_proven:
            stored_ms = self.monotonic_ms - max(0, self.wall_at_s - row.at_s) * 1000
        return ev.StoredFrame(decode(row.data), stored_ms, row.is_receipted)


def _slugs(directory: Directory | None, numbers: tuple[int, ...]) -> tuple[str, ...]:
    if directory is None:
        return ()
    return tuple(directory.schemes[number].slug for number in numbers if number in directory.schemes)


def _nothing(_effect: do.Effect) -> None:
    return
