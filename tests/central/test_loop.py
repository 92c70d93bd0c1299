"""The intake loop: receipts first, one commit a batch, and no single fault stops the alerts behind it (N3, F3)."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest

from central.core import effects as do
from central.core import events as ev
from central.core.bulk import EACH_TIME_MAX
from central.core.fair_queue import ALERTS_AT_ONCE
from central.core.journal import (
    ActionEntry,
    FrameEntry,
    JournalEntry,
    KeptAct,
    KeptFigures,
    KeptNode,
    Recall,
    SeenFrame,
)
from central.core.machine import CentralCore
from central.core.view import Acknowledge, Card, Change, Close, Done, Person, Refused
from central.loop import RECEIPTS_LEAVE_S, TELL_AT_ONCE, IntakeLoop
from central.net.announcer import Announcer
from central.net.inbox import Inbox, Published
from central.store.errors import StoreError
from runtime.logs import FactLog
from tests.support.central_town import ALL_RIGHTS, CORNER, JONES, KEYS, START, make_directory, opened
from wire.frames import Alert, Receipt, decode, encode
from wire.ids import CENTRAL, FrameId
from wire.kinds import AlertKind
from wire.messages import Health, RadioReport, encode_message
from wire.snapshots import Way

ASKED: tuple[tuple[int, tuple[Way, ...]], ...] = tuple((account, ("push", "sms")) for account in range(1, 17))
TOPIC = "watchlink/1/scheme/hart/frame/00000010"


@dataclass
class Rig:
    """A loop whose disk, broker and page are lists: what was done, in order."""

    done: list[str] = field(default_factory=list)
    refusal: str = ""
    counters_left: int = 1_000
    aside: list[do.SetAside] = field(default_factory=list)
    unwritable: int = 0
    is_moving: bool = True
    has_reserve: bool = True
    press_at_commit: int = 0
    fed: int = 0
    cards: list[Card] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.inbox: Inbox[ev.Event] = Inbox()
        core = CentralCore()
        data = make_directory()
        core.handle(ev.Started("boot-1", opened(data), data, Recall()), START)
        announcer = Announcer(self.publish, KEYS[CENTRAL], self.next_counter, lambda: int(START.timestamp()))
        self.facts = io.StringIO()
        self.loop = IntakeLoop(
            core,
            store=self,
            inbox=self.inbox,
            announcer=announcer,
            screen=self,
            facts=FactLog(self.facts),
            service=self,  # type: ignore[arg-type]
            set_aside=self.aside.append,
            recall_open=lambda _node, _known: ((), True),
            clock=lambda: START,
            tell=self.tell,
        )
        self.loop.step(0)
        self.done.clear()

    def watchdog(self) -> None:
        self.fed += 1

    def press(self, counter: int, incident: int = 0) -> None:
        """A message of the broker's."""
        alert = Alert(CORNER, counter, int(START.timestamp()), AlertKind.ASSIST, incident or counter, (1,))
        self.inbox.put_message(Published(TOPIC, encode(alert, KEYS[CORNER])))

    def go_on(self) -> None:
        """Until there is nothing to do."""
        while self.loop._untold or not self.inbox.is_empty:
            self.loop.step(0)

    def tell(self, order: do.Ask | do.CallOff | do.Tell) -> None:
        assert isinstance(order, do.Ask)
        self.done += [f"ask {order.scheme} {account}" for account, _ in order.people]

    def publish(self, topic: str, payload: bytes, qos: int = 0, *, signature: str | None = None) -> bool:
        frame = decode(payload).frame if topic.endswith("receipt") else None
        self.done.append(f"receipt {frame.target.counter}" if isinstance(frame, Receipt) else topic.rsplit("/", 1)[-1])
        return True

    def next_counter(self) -> int:
        if self.counters_left <= 0:
            raise StoreError("disk full")
        self.counters_left -= 1
        return 20_000 - self.counters_left

    def commit(self, entries: list[JournalEntry]) -> tuple[SeenFrame, ...]:
        if self.refusal:
            raise StoreError(self.refusal)
        if any(isinstance(entry, FrameEntry) and entry.signed.frame.counter == self.unwritable for entry in entries):
            raise OverflowError("no such number in the database")
        if self.press_at_commit:
            self.press(self.press_at_commit)
            self.press_at_commit = 0
        self.done.append(f"commit {len(entries)}")
        return ()

    def keep_nodes(self, nodes: tuple[KeptNode, ...]) -> None:
        raise NotImplementedError

    def keep_figures(self, figures: tuple[KeptFigures, ...]) -> None:
        raise NotImplementedError

    def keep_acts(self, acts: tuple[KeptAct, ...]) -> None:
        self.done.append(f"keep {len(acts)} acts")

    def keep_directory(self, serial: int, data: bytes, taken_at: datetime) -> None:
        raise NotImplementedError

    def raise_entry(self, entry: int) -> None:
        raise NotImplementedError

    def probe(self) -> None:
        raise NotImplementedError

    def show(self, change: Change) -> None:
        self.cards += change.cards
        reserve = "" if change.has_reserve is None else f" reserve={change.has_reserve}"
        self.done.append(f"show {len(change.cards)} ok={change.is_disk_ok}{reserve}")

    def answer(self, request: int, result: Done | Refused) -> None:
        self.done.append(f"answer {request} {type(result).__name__}")


@pytest.fixture
def rig(monkeypatch: pytest.MonkeyPatch) -> Rig:
    """Its time stands still: however busy the machine, nothing falls due but what a test says."""
    monkeypatch.setattr("central.loop.time", SimpleNamespace(monotonic=lambda: 1.0))
    return Rig()


def test_loop_commits_a_batch_at_once_and_sends_its_receipts_before_anything_else(rig: Rig) -> None:
    for counter in (1, 2, 3):
        rig.press(counter)

    rig.loop.step(0)

    assert ["commit 3", "receipt 1", "receipt 2", "receipt 3", "show 3 ok=None"] == rig.done[:5]
    assert ["incident"] * 3 == rig.done[5:]


def test_press_that_comes_while_the_clock_ticks_waits_for_the_disk_once(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    core = rig.loop._core
    handle = core.handle

    def tick(event: ev.Event, now_at: datetime) -> list[do.Effect]:
        if isinstance(event, ev.ActionCommitted):
            return []
        if not isinstance(event, ev.Ticked):
            return handle(event, now_at)
        rig.press(1)
        return [do.CommitAction(ActionEntry(9, "duty-ended", None, JONES, "", now_at))]

    monkeypatch.setattr(core, "handle", tick)
    rig.loop._tick_due_s = 0.0
    rig.loop.step(0)

    assert ["commit 2", "receipt 1"] == rig.done[:2]


@pytest.mark.finding(6)
def test_press_that_comes_while_an_answer_is_written_comes_after_it(rig: Rig) -> None:
    """Nobody has seen it, so nobody has answered it (N2)."""
    rig.press(1)
    rig.loop.step(0)
    rig.inbox.put(ev.ActionRequested(1, Acknowledge("00000010-1"), JONES, ALL_RIGHTS))
    rig.press(2, incident=1)

    rig.loop.step(0)

    assert ["pressed", "acknowledged", "repeated"] == [line.what for line in rig.cards[-1].history]


def test_loop_tells_the_page_only_when_no_alert_waits_any_more(rig: Rig) -> None:
    """Somebody frightened waits for the receipt; the page may wait a tenth of a second."""
    few, one_more = ALERTS_AT_ONCE, ALERTS_AT_ONCE + 1
    for counter in range(1, one_more + 1):
        rig.press(counter)

    rig.loop.step(0)
    first = tuple(rig.done)
    rig.loop.step(0)

    receipts = [f"receipt {counter}" for counter in range(1, one_more)]
    assert (f"commit {few}", *receipts) == first
    assert ["commit 1", f"receipt {one_more}"] == rig.done[one_more : one_more + 2]
    assert one_more == rig.done.count("incident")


def test_loop_lets_receipts_leave_before_it_tells_the_page(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """The telling and the thread that sends both need Python's lock: it waits, and what comes meanwhile goes first."""
    waited_s: list[float] = []
    wait = rig.inbox.wait

    def another_press_comes(timeout_s: float) -> bool:
        if rig.done and not waited_s:
            waited_s.append(timeout_s)
            rig.press(2)
        return wait(0)

    monkeypatch.setattr(rig.inbox, "wait", another_press_comes)
    rig.press(1)

    rig.loop.step(0)
    first = tuple(rig.done)
    rig.go_on()

    assert [RECEIPTS_LEAVE_S] == waited_s
    assert ("commit 1", "receipt 1") == first
    assert ["commit 1", "receipt 2"] == rig.done[2:4]
    assert 2 == rig.done.count("incident")


def test_loop_waits_for_nothing_but_receipts(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others who send all the time must not hold back what a person did."""
    waited_s: list[float] = []
    wait = rig.inbox.wait

    def note(timeout_s: float) -> bool:
        waited_s.append(timeout_s)
        return wait(0)

    monkeypatch.setattr(rig.inbox, "wait", note)
    rig.inbox.put(ev.ActionRequested(1, Acknowledge("00000010-9"), JONES, ALL_RIGHTS))

    rig.loop.step(0)

    assert {0.0} == set(waited_s)
    assert ["answer 1 Refused"] == [done for done in rig.done if done.startswith("answer")]


def test_loop_tells_everything_before_it_ends(rig: Rig) -> None:
    """Also what one share of the telling, its second being over, would leave."""
    for counter in range(1, 41):
        rig.press(counter)
    rig.loop._tick_due_s = 0.0
    rig.loop.stop()

    rig.loop.run()

    assert 40 == rig.done.count("incident")


@pytest.mark.finding(13)
def test_loop_goes_on_with_an_act_for_many_at_once_and_alerts_come_between(rig: Rig) -> None:
    """Without waiting for seconds to go by, and with nobody waiting for all of it."""
    count = 3 * EACH_TIME_MAX
    rig.counters_left = 10_000
    for counter in range(1, count + 1):
        rig.press(counter)
    rig.go_on()
    rig.done.clear()
    rig.press_at_commit = count + 1
    rig.inbox.put(
        ev.ActionRequested(1, Close("00000010-1", "Stolen", seen_through=count), Person("cctv", "Jones"), ALL_RIGHTS)
    )
    rig.go_on()

    said = [line for line in rig.done if line.startswith(("commit", "answer", "keep", "receipt"))]
    part = f"commit {EACH_TIME_MAX}"
    receipt = f"receipt {count + 1}"
    assert [part, "commit 1", receipt, "keep 1 acts", "answer 1 Done", part, part, "keep 0 acts"] == said


def test_loop_tells_the_page_when_the_reserve_is_used_and_when_it_is_whole_again(rig: Rig) -> None:
    """The journal goes on in it, so nothing else shows that the disk is full."""
    for is_whole in (False, False, True):
        rig.has_reserve = is_whole
        rig.loop.step(0)

    assert ["show 0 ok=None reserve=False", "show 0 ok=None reserve=True"] == rig.done


@pytest.mark.finding(14)
def test_loop_that_has_much_to_tell_looks_for_alerts_between(rig: Rig) -> None:
    """What a flood makes to be told stands before nobody's receipt."""
    for counter in range(1, 10 * ALERTS_AT_ONCE + 1):
        rig.press(counter)
    steps = 0
    while not rig.inbox.is_empty:
        told_before = len(rig.loop._untold)
        rig.loop.step(0)
        steps += 1
        rig.loop._tell_due_s = 0.0
        assert len(rig.loop._untold) > 0 or rig.inbox.is_empty
        assert len(rig.loop._untold) <= told_before + 4 * ALERTS_AT_ONCE
    assert 10 == steps
    assert 10 * ALERTS_AT_ONCE == rig.done.count("incident")


def test_press_waits_for_some_of_the_people_who_are_asked_and_never_for_all(rig: Rig) -> None:
    """Each is told by several messages, and a step asks many (C3, N3). One who cannot be told costs nobody else."""
    unfit: Any = ()
    rig.loop._untold.extend(
        do.Ask(FrameId(CORNER, scheme), scheme, 1, 1, is_drill=False, people=(*ASKED, unfit, *ASKED), valid_s=30)
        for scheme in (1, 2)
    )
    rig.press(1)
    rig.loop._tell()
    rig.go_on()

    people = [f"ask {scheme} {account}" for scheme in (1, 2) for account, _ in ASKED * 2]
    assert people[:TELL_AT_ONCE] == rig.done[:TELL_AT_ONCE]
    assert "receipt 1" == rig.done[TELL_AT_ONCE + 1]
    assert people == [line for line in rig.done if line.startswith("ask")]


def test_loop_gives_no_receipt_when_the_disk_refuses(rig: Rig) -> None:
    rig.refusal = "disk full"
    rig.press(1)

    rig.loop.step(0)

    assert ["show 0 ok=False"] == rig.done
    rig.refusal = ""
    rig.press(1)
    rig.loop.step(0)
    assert ["commit 1", "receipt 1", "show 1 ok=True"] == rig.done[1:4]


def test_loop_goes_on_without_receipts_when_no_counter_can_be_reserved(rig: Rig) -> None:
    """It is committed; the node sends again and is answered then."""
    rig.counters_left = 0
    rig.press(1)
    rig.loop.step(0)
    first = tuple(rig.done)
    rig.counters_left = 10
    rig.press(1)
    rig.loop.step(0)

    assert "receipt 1" not in first
    assert "show 1 ok=None" in first
    assert "receipt 1" in rig.done


def test_loop_survives_an_event_that_brings_out_a_bug(rig: Rig) -> None:
    rig.inbox.put("no event at all")  # type: ignore[arg-type]
    rig.press(1)

    rig.loop.step(0)

    assert "receipt 1" in rig.done
    assert '"reason": "internal error"' in rig.facts.getvalue()


@pytest.mark.finding(12)
def test_loop_keeps_what_brought_out_a_bug_and_says_so(rig: Rig) -> None:
    rig.inbox.put("no event at all")  # type: ignore[arg-type]

    rig.loop.step(0)

    assert [("no event at all", KeyError)] == [(order.what, type(order.error)) for order in rig.aside]


@pytest.mark.finding(12)
def test_row_that_cannot_be_written_for_a_fault_of_ours_costs_itself_only(rig: Rig) -> None:
    """It ended the program, and the node's next try ended the next one."""
    rig.unwritable = 2
    for counter in (1, 2, 3):
        rig.press(counter)

    rig.loop.step(0)

    assert ["commit 1", "receipt 1", "commit 1", "receipt 3"] == rig.done[:4]
    assert "ok=False" not in " ".join(rig.done)
    assert [OverflowError] == [type(order.error) for order in rig.aside]


@pytest.mark.finding(12)
def test_loop_feeds_the_watchdog_only_while_the_page_moves_too(
    rig: Rig, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    rig.loop.step(0)
    fed = rig.fed
    rig.is_moving = False
    rig.press(1)
    rig.loop.step(0)
    rig.loop.step(0)

    assert (fed, 1) == (rig.fed, caplog.text.count("the page's loop hangs"))
    assert "most recent call first" in capfd.readouterr().err
    assert "receipt 1" in rig.done
    rig.is_moving = True
    rig.loop.step(0)
    assert fed + 1 == rig.fed


@pytest.mark.finding(12)
def test_poison_that_comes_again_and_again_is_kept_and_told_now_and_then(rig: Rig) -> None:
    for _ in range(1_000):
        rig.inbox.put("no event at all")  # type: ignore[arg-type]
    rig.loop.step(0)
    rig.loop.step(0)

    assert 12 == len(rig.aside)
    assert 12 == rig.facts.getvalue().count('"reason": "internal error"')


def test_loop_answers_what_had_arrived_before_it_ends(rig: Rig) -> None:
    rig.press(1)
    rig.loop.stop()

    rig.loop.run()

    assert ["commit 1", "receipt 1"] == rig.done[:2]
    assert "incident" in rig.done


def test_loop_answers_over_the_air_as_soon_as_by_network(rig: Rig) -> None:
    """N9: a relay's frame takes the same way; its answer for the air waits no longer than the other."""
    radio = Health(state="armed", boot_id="n1", radio=RadioReport(state="ready"))
    rig.inbox.put_message(Published("watchlink/1/node/00000011/up/health", encode_message(radio)))
    alert = Alert(CORNER, 7, int(START.timestamp()), AlertKind.ASSIST, 7, (1,))
    rig.inbox.put_message(Published("watchlink/1/node/00000011/up/heard", encode(alert, KEYS[CORNER])))

    rig.loop.step(0)

    assert ["commit 1", "receipt 7", "air"] == [done for done in rig.done if done not in ("incident", "show")][:3]
    assert '"path": "radio", "relay": "00000011"' in rig.facts.getvalue()
