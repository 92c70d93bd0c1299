"""The loop: what happens here is looked at in its order, whatever the disk does meanwhile (N1)."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from node import app, effect_runner, event_queue
from node.app import NodeApp
from node.config import load_config
from node.core.controls import Button, Part
from node.core.effects import AlertDraft, Effect, KeepAirtime, KeepTold, Told
from node.core.events import Event, FrameStored, InputRejected, LinkDown, PinChanged, Started, StopAsked
from node.core.link.supervision import health
from node.core.machine import step
from node.core.state import NodeState
from node.store import NodeStore
from provisioning.fleet import Fleet, NewNode
from runtime.boot_id import machine_boot_id
from runtime.logs import FactLog
from runtime.monotonic import monotonic_ms
from runtime.service import Service
from wire.ids import FrameId, NodeId
from wire.kinds import AlertKind

NODE = "00000010"
DISK_MS = 500
"""An SD card that tidies up takes longer than any contact bounces, and than half a hold."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    fleet = Fleet.init(tmp_path / "town", schemes={"hart": "HART"})
    fleet.add_all([NewNode("Corner Shop", "High St", ["hart"], profile="fake")])
    return fleet.node_folder(NODE) / "node.toml"


class Bench:
    """A node whose clock and disk are in our hand: what is in ``during_flush`` happens while the disk is busy."""

    def __init__(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_ms = monotonic_ms()
        for module in (app, event_queue, effect_runner):
            monkeypatch.setattr(module, "monotonic_ms", lambda: self.now_ms)
        self.facts = io.StringIO()
        self.app = NodeApp(load_config(file, ""), FactLog(self.facts), Service())
        self.during_flush: list[tuple[int, Event]] = []
        monkeypatch.setattr(self.app._store, "flush", self._flush)
        self._wrapped("get")

    def press(self, button: Button, *, is_down: bool) -> None:
        self.app._queue.put(PinChanged(button, is_down=is_down))

    def turns(self, count: int) -> None:
        for _ in range(count):
            self.app._turn()

    def pressed(self) -> list[str]:
        lines = [json.loads(line) for line in self.facts.getvalue().splitlines()]
        return [line["kind"] for line in lines if line["fact"] == "pressed"]

    def _flush(self) -> None:
        if not self.during_flush:
            return
        started_ms = self.now_ms
        for after_ms, event in self.during_flush:
            self.now_ms = started_ms + after_ms
            self.app._queue.put(event)
        self.during_flush = []
        self.now_ms = started_ms + DISK_MS

    def _wrapped(self, name: str) -> None:
        """Waiting costs no time here: the clock goes to the end of the wait."""
        get: Callable[[int], tuple[Event, int] | None] = getattr(self.app._queue, name)

        def at_once(timeout_ms: int) -> tuple[Event, int] | None:
            found = get(0)
            if found is None:
                self.now_ms += timeout_ms
            return found

        setattr(self.app._queue, name, at_once)


@pytest.fixture
def bench(file: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    made = Bench(file, monkeypatch)
    made.turns(20)
    yield made
    made.app._close()


@pytest.mark.parametrize("button", [Button.TEST, Button.ASSIST])
def test_bounce_during_a_slow_commit_is_no_press(bench: Bench, button: Button) -> None:
    bench.press(button, is_down=True)
    bench.during_flush = [(10, PinChanged(button, is_down=False))]
    bench.turns(10)

    assert [] == bench.pressed()


def test_hold_let_go_too_soon_during_a_slow_commit_is_no_attack(bench: Bench) -> None:
    bench.press(Button.ATTACK, is_down=True)
    bench.turns(1)
    bench.now_ms += 800
    bench.during_flush = [(100, PinChanged(Button.ATTACK, is_down=False))]
    bench.turns(10)

    assert [] == bench.pressed()


def test_press_that_was_whole_during_a_slow_commit_counts(bench: Bench) -> None:
    bench.during_flush = [(10, PinChanged(Button.TEST, is_down=True)), (90, PinChanged(Button.TEST, is_down=False))]
    bench.turns(10)

    assert ["test"] == bench.pressed()


def press(bench: Bench) -> None:
    bench.press(Button.ASSIST, is_down=True)
    bench.turns(1)
    bench.now_ms += 60
    bench.press(Button.ASSIST, is_down=False)


class FailsOnce:
    """The core, with a fault at its first event of one kind; whoever goes on after it is asked to stop."""

    def __init__(self, bench: Bench, kind: type[Event], monkeypatch: pytest.MonkeyPatch) -> None:
        self._bench = bench
        self._kind = kind
        self.has_failed = False
        monkeypatch.setattr(app, "step", self._step)
        monkeypatch.setattr(signal, "signal", lambda *_: None)
        assert bench.app._uplink
        monkeypatch.setattr(bench.app._uplink, "start", lambda: None)

    def _step(self, state: NodeState, event: Event, now_ms: int) -> tuple[NodeState, tuple[Effect, ...]]:
        if isinstance(event, self._kind) and not self.has_failed:
            self.has_failed = True
            self._bench.app._queue.put(StopAsked())
            raise ZeroDivisionError
        return step(state, event, now_ms)


def test_core_that_fails_on_what_was_stored_ends_the_program_and_the_next_run_has_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """N2: the alert must not wait for somebody to restart the node."""
    core = FailsOnce(bench, FrameStored, monkeypatch)
    bench.press(Button.ASSIST, is_down=True)
    bench.now_ms += 60
    bench.press(Button.ASSIST, is_down=False)
    status = bench.app.run()

    assert (True, app.STATUS_FAILED) == (core.has_failed, status)
    assert [False] == [row.is_receipted for row in bench.app._store.load(bench.now_ms, 0).outbox]


def test_core_that_fails_on_what_the_network_said_goes_on(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """N2: nobody out there can end the program."""
    core = FailsOnce(bench, LinkDown, monkeypatch)
    bench.app._queue.offer(LinkDown("gone"), 10)
    status = bench.app.run()

    assert (True, 0) == (core.has_failed, status)


@pytest.mark.finding(12)
def test_flood_on_which_the_core_fails_does_not_end_the_program(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail_on_link_down(state: NodeState, event: Event, now_ms: int) -> tuple[NodeState, tuple[Effect, ...]]:
        if isinstance(event, LinkDown):
            failed.append(event)
            if len(failed) == 150:
                bench.app._queue.put(StopAsked())
            raise ZeroDivisionError
        return step(state, event, now_ms)

    failed: list[Event] = []
    bench.app._started_ms = bench.now_ms
    FailsOnce(bench, LinkDown, monkeypatch)
    monkeypatch.setattr(app, "step", fail_on_link_down)
    for _ in range(200):
        bench.app._queue.offer(LinkDown("gone"), 200)

    assert (0, 150) == (bench.app.run(), len(failed))


@pytest.mark.parametrize("is_counting_broken", [False, True])
def test_messages_on_which_the_core_fails_are_counted_in_what_central_is_told(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, *, is_counting_broken: bool
) -> None:
    """Nobody out there read of them. What cannot be counted either is only in the log, and the node goes on."""

    def fail(state: NodeState, event: Event, now_ms: int) -> tuple[NodeState, tuple[Effect, ...]]:
        if isinstance(event, LinkDown) or (is_counting_broken and isinstance(event, InputRejected)):
            raise ZeroDivisionError
        return step(state, event, now_ms)

    monkeypatch.setattr(app, "step", fail)
    for _ in range(40):
        bench.app._step(LinkDown("gone"), bench.now_ms)

    rejected = health(bench.app._state, bench.now_ms).rejected
    assert ({} if is_counting_broken else {"internal error": 40}) == rejected
    assert 40 == bench.app._core_failures, "and the node notices that it is deaf"
    press(bench)
    bench.turns(20)
    assert ["assist"] == bench.pressed()


@pytest.mark.finding(12)
@pytest.mark.parametrize("poison", ["inbox", "outbox", "airtime"])
def test_row_on_which_the_core_fails_at_the_start_keeps_no_button_from_working(
    file: Path, monkeypatch: pytest.MonkeyPatch, poison: str
) -> None:
    def fail_on_start(state: NodeState, event: Event, now_ms: int) -> tuple[NodeState, tuple[Effect, ...]]:
        if isinstance(event, Started) and getattr(event, poison):
            raise ZeroDivisionError
        return step(state, event, now_ms)

    bench = Bench(file, monkeypatch)
    bench.turns(20)
    press(bench)
    bench.turns(20)
    poisoned = replace(bench.app._started(), **{poison: ("a row",)})  # type: ignore[arg-type]  # what no disk holds
    bench.app._close()
    monkeypatch.setattr(app, "step", fail_on_start)
    monkeypatch.setattr(NodeApp, "_started", lambda _: poisoned)
    again = Bench(file, monkeypatch)
    again.turns(20)
    press(again)
    again.turns(20)

    assert not again.app._is_local_lost
    assert ["assist"] == again.pressed()
    assert "cannot be taken up" in again.app._state.faults[Part.STORE].detail
    again.app._close()


def test_store_that_fails_in_whatever_way_keeps_no_button_from_working(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        tries.append(1)
        raise LookupError

    tries: list[int] = []
    monkeypatch.setattr(NodeStore, "load", fail)
    bench = Bench(file, monkeypatch)
    bench.turns(20)
    press(bench)
    bench.turns(20)

    assert ["assist"] == bench.pressed()
    assert "cannot be understood" in bench.app._state.faults[Part.STORE].detail
    assert [1] == [counter for counter, _ in bench.app._state.outbox.rows.oldest()]
    assert 1 == len(tries), "to read it again would not help"
    bench.app._close()


def test_disk_that_comes_back_late_keeps_what_earlier_runs_and_this_one_have_kept_there(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """N10: the airtime of both counts; N3: so do central's closings."""

    def orders_of(state: NodeState, event: Event, now_ms: int) -> tuple[NodeState, tuple[Effect, ...]]:
        after, effects = step(state, event, now_ms)
        return after, (*effects, *kept) if isinstance(event, LinkDown) else effects

    kept = (KeepAirtime(((1, 300), (2, 40))), KeepTold(Told(9, 70, (4, 5), (FrameId(NodeId(0x12), 7),))))
    config = load_config(file, "")
    disk, away = config.state_dir, config.state_dir.with_name("away")
    earlier = NodeStore(disk, config.settings.node, config.signing_key, machine_boot_id())
    earlier.keep_airtime(((0, 5_000), (1, 600)), 0, 0)
    earlier.keep_told(Told(12, 60, (3, 4), (FrameId(NodeId(0x11), 6),)))
    earlier.close()
    disk.rename(away)
    disk.write_text("no folder")
    bench = Bench(file, monkeypatch)
    is_read_without_a_folder = bench.app._state.is_store_read
    assert not is_read_without_a_folder
    monkeypatch.setattr(app, "step", orders_of)
    bench.app._step(LinkDown("gone"), bench.now_ms)
    disk.unlink()
    away.rename(disk)
    bench.app._step(LinkDown("gone"), bench.now_ms)
    bench.turns(200)
    used = bench.app._state.radio.own_use.slices
    assert bench.app._state.is_store_read
    bench.app._close()
    next_run = NodeStore(disk, config.settings.node, config.signing_key, machine_boot_id())
    found = next_run.load(bench.now_ms, 0)
    next_run.close()
    told = Told(12, 70, (3, 4, 5), (FrameId(NodeId(0x11), 6), FrameId(NodeId(0x12), 7)))

    assert ((0, 5_000), (1, 900), (2, 40)) == used == found.airtime
    assert told == found.told


def test_wrong_profile_is_told_with_file_key_and_what_there_is(file: Path) -> None:
    file.write_text(file.read_text().replace('profile = "fake"', 'profile = "ssd1309"'))
    program = [sys.executable, "-c", "import sys; from node.cli import main; sys.exit(main())", "--config", str(file)]
    ended = subprocess.run(program, capture_output=True, text=True, timeout=120, check=False)

    assert 2 == ended.returncode
    assert f"{file}: key hardware.profile: no hardware profile 'ssd1309'; there are: " in ended.stderr.splitlines()[-1]


def test_time_of_the_last_good_test_is_known_to_the_next_run(file: Path) -> None:
    """N12."""
    config = load_config(file, "")
    store = NodeStore(config.state_dir, config.settings.node, config.signing_key, "boot")
    draft = AlertDraft(AlertKind.TEST, None, (1,), silent=False, drill=False)
    store.mark_receipted(store.store_frame(draft, 1_795_000_000, 5).frame.counter, 1_795_000_060)
    store.close()
    made = NodeApp(config, FactLog(io.StringIO()), Service())
    known = made._state.weekly_test
    made._close()

    assert (1_795_000_060, 1_795_000_060) == (known.good_at_s, known.since_at_s)
