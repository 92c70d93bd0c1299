"""What goes wrong while an order is carried out becomes an event, and never stops the next order (N2)."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.core.air import Mode
from node.core.controls import LedPattern, Part, SoundPattern
from node.core.effects import (
    AlertDraft,
    CheckSettings,
    ConnectAnew,
    Effect,
    KeepDirectory,
    KeepSeen,
    KeepSettings,
    MarkReceipted,
    PlaySound,
    PublishFrame,
    PublishHealth,
    PublishSync,
    RaiseCounterFloor,
    RelayFrame,
    ReopenFrames,
    ReportFact,
    RetryPart,
    SetLed,
    ShowScreen,
    Stop,
    StopOver,
    StoreFrame,
    TransmitOver,
)
from node.core.events import (
    FramesReopened,
    FrameStored,
    OverFailed,
    PartFailed,
    PartRecovered,
    SettingsChecked,
    SettingsKept,
    StoreRefused,
)
from node.core.screens import Face, Screen
from node.core.trial import Kept
from node.effect_runner import EffectRunner
from node.store import NodeStore
from runtime.logs import FactLog
from wire.directory import EMPTY_DIRECTORY, Directory
from wire.frames import Alert, SignedFrame
from wire.ids import FrameId, NodeId
from wire.kinds import AlertKind, Priority
from wire.messages import Health, Sync
from wire.node_settings import SignedSettings
from wire.signing import SigningKey

NODE = NodeId(0x10)
KEY = SigningKey(bytes(range(32)))
DRAFT = AlertDraft(AlertKind.ATTACK, None, (1,), silent=False, drill=False)
FRAME = SignedFrame(Alert(NODE, 1, 0, AlertKind.ATTACK, 1, (1,)), b"frame")
NO_ROOM = "CREATE TEMP TRIGGER no_room BEFORE INSERT ON outbox BEGIN SELECT RAISE(ABORT, 'no room'); END"


class Broken:
    """A board, an uplink and a radio of which nothing works."""

    def start(self) -> None:
        raise OSError("does not start")

    def close(self) -> None:
        raise OSError("does not close")

    def show(self, _screen: Screen) -> None:
        raise RuntimeError("no fonts")

    def play(self, _pattern: SoundPattern) -> None:
        raise OSError("no sounder")

    def set_led(self, _pattern: LedPattern) -> None:
        raise ValueError("no LED")

    def retry(self, _part: Part) -> None:
        raise RuntimeError("cannot be retried")

    def publish_frame(self, _signed: SignedFrame, _scheme_numbers: tuple[int, ...]) -> None:
        raise RuntimeError("no network")

    def publish_health(self, _health: Health) -> None:
        raise RuntimeError("no network")

    def publish_sync(self, _sync: Sync) -> None:
        raise RuntimeError("no network")

    def connect_anew(self) -> None:
        raise RuntimeError("no network")

    def publish_relay(self, _data: bytes) -> None:
        raise RuntimeError("no network")

    def prepare(self, phrase: str) -> None:
        """Nothing speaks here."""

    def transmit(self, _over: int, _bursts: tuple[bytes, ...], _mode: str, _phrase: str | None) -> None:
        raise RuntimeError("no radio")

    def stop_over(self, _over: int) -> None:
        raise RuntimeError("no radio")

    def retry_speech(self) -> None:
        raise RuntimeError("no radio")

    def use_directory(self, _directory: Directory) -> None:
        raise RuntimeError("no network")

    def objection(self, _signed: SignedSettings) -> str:
        raise RuntimeError("no profiles")

    def keep(self, _kept: Kept) -> None:
        raise OSError(28, "No space left on device")


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def runner(state: Path, out: io.StringIO) -> Iterator[EffectRunner]:
    store = NodeStore(state, NODE, KEY, "boot")
    broken = Broken()
    yield EffectRunner(
        store,
        broken,
        broken,
        broken,
        facts=FactLog(out),
        about={"node": "00000010", "premises": "Corner Shop"},
        authority=KEY.public,
        proven_at_s=lambda: 0,
        settings=broken,
    )
    store.close()


@pytest.mark.parametrize(
    ("effect", "part"),
    [
        (ShowScreen(Screen(Face.READY, ("READY",))), Part.OLED),
        (PlaySound(SoundPattern.ATTACK), Part.SOUNDER),
        (SetLed(LedPattern.READY), Part.LED),
        (PublishFrame(FRAME, (1,)), Part.NETWORK),
        (PublishHealth(Health(state="armed", boot_id="b")), Part.NETWORK),
        (PublishSync(Sync(boot_id="b")), Part.NETWORK),
        (ConnectAnew(), Part.NETWORK),
        (RelayFrame(FRAME.frame.id, FRAME.data), Part.NETWORK),
        (StopOver(1), Part.RADIO),
        (RetryPart(Part.BUTTONS), Part.BUTTONS),
    ],
)
def test_orders_turn_a_broken_part_into_its_failure_and_still_store(
    runner: EffectRunner, effect: Effect, part: Part
) -> None:
    runner.carry_out(effect)
    runner.carry_out(StoreFrame(7, DRAFT, 0))
    failed, stored = runner.answers

    assert isinstance(failed, PartFailed)
    assert part is failed.part
    assert isinstance(stored, FrameStored)
    assert (7, 1) == (stored.draft, stored.signed.frame.counter)


def test_orders_turn_an_over_that_cannot_begin_into_its_failure_and_still_store(runner: EffectRunner) -> None:
    runner.carry_out(TransmitOver(4, (FRAME.data,), Mode.IL2P_1200))
    runner.carry_out(StoreFrame(7, DRAFT, 0))
    failed, stored = runner.answers

    assert OverFailed(4, "RuntimeError: no radio") == failed
    assert isinstance(stored, FrameStored)


@pytest.mark.parametrize("effect", [KeepDirectory(b"x"), RaiseCounterFloor(0xFFFF_FFFF), StoreFrame(3, DRAFT, -1)])
def test_orders_turn_what_cannot_be_kept_into_a_refusal(runner: EffectRunner, effect: Effect) -> None:
    runner.carry_out(effect)
    (refused,) = runner.answers

    assert isinstance(refused, StoreRefused)
    assert (effect.draft if isinstance(effect, StoreFrame) else None) == refused.draft


def test_orders_answer_for_settings_that_cannot_be_looked_at_or_kept(runner: EffectRunner) -> None:
    runner.carry_out(CheckSettings(SignedSettings(NODE, 5, b"", None, "")))
    runner.carry_out(KeepSettings(Kept(newest=5)))

    assert [
        SettingsChecked(5, "they could not be looked at: RuntimeError"),
        SettingsKept(Kept(newest=5), is_kept=False),
    ] == list(runner.answers)


def test_orders_take_a_directory_that_is_open_as_it_is(runner: EffectRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop has better to do than to open five thousand entries a second time."""
    used: list[Directory] = []
    monkeypatch.setattr(runner._uplink, "use_directory", used.append)
    runner.carry_out(KeepDirectory(b"sealed", EMPTY_DIRECTORY))

    assert [EMPTY_DIRECTORY] == used
    assert not runner.answers
    assert b"sealed" == runner._store.load(0, 0).directory


def test_orders_refuse_every_draft_but_say_once_that_the_disk_is_gone(runner: EffectRunner, state: Path) -> None:
    """A neighbour's flood on a dead disk must not become a flood of our own."""
    state.write_text("in the way")
    for n in range(200):
        runner.carry_out(KeepSeen(FrameId(NodeId(0x11), n + 1), b"d", Priority.P1))
    runner.settle()
    runner.carry_out(StoreFrame(1, DRAFT, 0))
    runner.carry_out(StoreFrame(2, DRAFT, 0))

    assert [None, 1, 2] == [answer.draft for answer in runner.answers if isinstance(answer, StoreRefused)]
    assert len(runner.answers) == 3


def test_orders_keep_what_was_gathered_until_the_disk_is_back(runner: EffectRunner, state: Path) -> None:
    runner.carry_out(StoreFrame(1, DRAFT, 0))
    runner.carry_out(MarkReceipted(FrameId(NODE, 1)))
    runner._store.close()
    state.rename(state.with_name("away"))
    state.write_text("in the way")
    runner.carry_out(MarkReceipted(FrameId(NODE, 1)))
    runner.settle()
    runner.carry_out(RetryPart(Part.STORE))
    state.unlink()
    state.with_name("away").rename(state)
    runner.carry_out(RetryPart(Part.STORE))
    kinds = [type(answer) for answer in runner.answers]

    assert [FrameStored, StoreRefused, PartFailed, PartRecovered] == kinds
    assert [True] == [row.is_receipted for row in runner._store.load(0, 0).outbox]


def test_orders_report_a_damaged_database_also_after_the_new_one_works(runner: EffectRunner, state: Path) -> None:
    state.mkdir()
    (state / "node.db").write_bytes(b"rubbish" * 1_000)
    runner.carry_out(StoreFrame(1, DRAFT, 0))
    runner.carry_out(RetryPart(Part.STORE))
    stored, damaged, still = runner.answers

    assert isinstance(stored, FrameStored)
    assert isinstance(damaged, PartFailed)
    assert isinstance(still, PartFailed)
    assert "set aside" in still.detail


def test_orders_write_facts_with_node_premises_and_alert(runner: EffectRunner, out: io.StringIO) -> None:
    runner.carry_out(ReportFact("receipt", FrameId(NODE, 7), (("path", "network"),)))
    fact = json.loads(out.getvalue())

    assert {
        "fact": "receipt",
        "path": "network",
        "node": "00000010",
        "premises": "Corner Shop",
        "alert": "00000010-7",
    } == {key: value for key, value in fact.items() if key != "at_ms"}


def test_orders_end_when_told(runner: EffectRunner) -> None:
    assert not runner.is_stopping
    runner.carry_out(Stop())

    assert runner.is_stopping


def test_orders_hand_back_the_frame_that_the_disk_refused_and_store_those_bytes_later(runner: EffectRunner) -> None:
    """ADR 0018: what is sent unsaved is what is saved at last."""
    runner.carry_out(StoreFrame(7, DRAFT, 0))
    runner._store.open()
    assert runner._store._connection is not None
    runner._store._connection.execute(NO_ROOM)
    runner.carry_out(StoreFrame(8, DRAFT, 0, pressed_ms=5))
    refused = runner.answers.pop()
    assert isinstance(refused, StoreRefused)
    assert refused.signed is not None
    assert (8, 2) == (refused.draft, refused.signed.frame.counter)

    runner._store._connection.execute("DROP TRIGGER no_room")
    runner.carry_out(StoreFrame(8, DRAFT, 0, signed=refused.signed, pressed_ms=5))
    assert FrameStored(8, refused.signed) == runner.answers.pop()
    assert 5 == runner._store.load(9, 0).outbox[-1].stored_ms


@pytest.mark.finding(4)
def test_orders_give_back_what_central_lacks_also_on_a_disk_that_takes_nothing(runner: EffectRunner) -> None:
    """It goes out again all the same, and that the card is full is told beside it."""
    runner.carry_out(StoreFrame(7, DRAFT, 0))
    runner.carry_out(MarkReceipted(FrameId(NODE, 1)))
    runner.settle()
    stored = runner.answers.pop()
    assert isinstance(stored, FrameStored)
    assert runner._store._connection is not None
    runner._store._connection.execute(NO_ROOM.replace("INSERT", "UPDATE"))
    runner.carry_out(ReopenFrames((1,)))
    reopened, refused = runner.answers

    assert isinstance(reopened, FramesReopened)
    assert [stored.signed] == [row.signed for row in reopened.frames]
    assert StoreRefused(None, "the database refuses: no room") == refused


@pytest.mark.finding(4)
def test_orders_take_a_receipt_back_before_anything_is_sent_again(runner: EffectRunner) -> None:
    """After a power cut now, the presser must not read of a receipt that central does not know."""
    runner.carry_out(StoreFrame(7, DRAFT, 0))
    runner.carry_out(MarkReceipted(FrameId(NODE, 1)))
    runner.settle()
    runner.carry_out(ReopenFrames((1,)))
    runner._store._drop_connection()

    assert [False] == [row.is_receipted for row in runner._store.load(0, 0).outbox]
