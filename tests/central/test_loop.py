"""The intake loop: receipts first, one commit a batch, and no single fault stops the alerts behind it (N3, F3)."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from datetime import datetime

import pytest

from central.core import events as ev
from central.core.journal import JournalEntry, KeptNode, Recall, SeenFrame
from central.core.machine import CentralCore
from central.core.view import Change, Done, Refused
from central.loop import IntakeLoop
from central.net.announcer import Announcer
from central.net.inbox import Inbox, Published
from central.store.errors import StoreError
from runtime.logs import FactLog
from runtime.service import Service
from tests.support.central_town import CORNER, KEYS, START, make_directory, opened
from wire.frames import Alert, Receipt, decode, encode
from wire.ids import CENTRAL
from wire.kinds import AlertKind
from wire.messages import Health, RadioReport, encode_message

TOPIC = "watchlink/1/scheme/hart/frame/00000010"


@dataclass
class Rig:
    """A loop whose disk, broker and page are lists: what was done, in order."""

    done: list[str] = field(default_factory=list)
    refusal: str = ""
    counters_left: int = 1_000

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
            service=Service(),
            clock=lambda: START,
        )
        self.loop.step(0)
        self.done.clear()

    def press(self, counter: int) -> None:
        """A message of the broker's."""
        alert = Alert(CORNER, counter, int(START.timestamp()), AlertKind.ASSIST, counter, (1,))
        self.inbox.put_message(Published(TOPIC, encode(alert, KEYS[CORNER])))

    def publish(self, topic: str, payload: bytes, qos: int = 0) -> bool:
        frame = decode(payload).frame if topic.endswith("receipt") else None
        self.done.append(f"receipt {frame.target.counter}" if isinstance(frame, Receipt) else topic.rsplit("/", 1)[-1])
        return True

    def next_counter(self) -> int:
        if self.counters_left <= 0:
            raise StoreError("disk full")
        self.counters_left -= 1
        return 1_000 - self.counters_left

    def commit(self, entries: list[JournalEntry]) -> tuple[SeenFrame, ...]:
        if self.refusal:
            raise StoreError(self.refusal)
        self.done.append(f"commit {len(entries)}")
        return ()

    def keep_nodes(self, nodes: tuple[KeptNode, ...]) -> None:
        raise NotImplementedError

    def keep_directory(self, serial: int, data: bytes, taken_at: datetime) -> None:
        raise NotImplementedError

    def probe(self) -> None:
        raise NotImplementedError

    def show(self, change: Change) -> None:
        self.done.append(f"show {len(change.cards)} ok={change.is_disk_ok}")

    def answer(self, request: int, result: Done | Refused) -> None:
        self.done.append(f"answer {request} {type(result).__name__}")


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_loop_commits_a_batch_at_once_and_sends_its_receipts_before_anything_else(rig: Rig) -> None:
    for counter in (1, 2, 3):
        rig.press(counter)

    rig.loop.step(0)

    assert ["commit 3", "receipt 1", "receipt 2", "receipt 3", "show 3 ok=None"] == rig.done[:5]
    assert ["incident"] * 3 == rig.done[5:]


def test_loop_tells_the_page_only_when_no_alert_waits_any_more(rig: Rig) -> None:
    """Somebody frightened waits for the receipt; the page may wait a tenth of a second."""
    for counter in range(1, 502):
        rig.press(counter)

    rig.loop.step(0)
    first = tuple(rig.done)
    rig.loop.step(0)

    receipts = [f"receipt {counter}" for counter in range(1, 501)]
    assert ("commit 500", *receipts) == first
    assert ["commit 1", "receipt 501"] == rig.done[501:503]
    assert 501 == rig.done.count("incident")


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
