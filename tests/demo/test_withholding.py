"""Which rows of the table were withheld: read off what was really said meanwhile on the topics kept back."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from demo.liar import Forge, Said
from demo.lies import relayed
from demo.scripts.withholding import Withholding, count
from wire.frames import Alert, Cancel, encode
from wire.ids import NodeId, node_text
from wire.kinds import AlertKind, CancelReason
from wire.messages import SyncAnswer, encode_message
from wire.signing import SigningKey
from wire.topics import ALL_HEARD, Down, DownTopic, FrameTopic

SHOP, RELAY = NodeId(0x10), NodeId(0x11)
KEY = SigningKey(b"\x10" * 32)
FORGE = Forge(KEY, KEY, {node_text(SHOP): KEY, node_text(RELAY): KEY})
TOPIC = str(FrameTopic("hart", SHOP))
PRESS = Said(TOPIC, encode(Alert(SHOP, 1, 1_000, AlertKind.ATTACK, 1, (1,)), KEY), None)
FURTHER = Said(TOPIC, encode(Alert(SHOP, 2, 1_000, AlertKind.ATTACK, 1, (1,)), KEY), None)
CANCEL = Said(TOPIC, encode(Cancel(SHOP, 3, 1_000, 1, CancelReason.MISTAKE, (1,)), KEY), None)


class FakeLiar:
    """Notes what it withholds."""

    def __init__(self) -> None:
        self.kept: list[Said] = []
        self.withheld: set[str] = set()

    def withhold(self, topic: str, *readers: str) -> None:
        assert readers
        self.withheld.add(topic)

    def let_through(self) -> None:
        self.withheld.clear()


def begun(topic: str) -> tuple[Any, Withholding]:
    liar: Any = FakeLiar()
    liar.kept.append(PRESS)
    withholding = Withholding(liar)
    withholding.keep_back(topic, "central")
    return liar, withholding


def test_only_what_is_said_while_it_is_kept_back_counts() -> None:
    liar, withholding = begun(TOPIC)
    liar.kept.append(FURTHER)
    assert {TOPIC} == liar.withheld

    kept_back = withholding.end()
    liar.kept.append(CANCEL)

    assert {"frame: alert, further press"} == {row.name for row in kept_back}
    assert set() == liar.withheld
    assert frozenset() == withholding.end()


def test_what_is_said_on_another_topic_does_not_count() -> None:
    liar, withholding = begun(ALL_HEARD)
    liar.kept += [FURTHER, relayed(CANCEL, node_text(RELAY), FORGE)]

    assert {"heard: cancel, mistake"} == {row.name for row in withholding.end()}


def test_answer_that_also_tells_of_alerts_is_withheld_as_the_floor() -> None:
    topic = str(DownTopic(SHOP, Down.SYNC))
    liar, withholding = begun(topic)
    answer = SyncAnswer(boot_id="a", counter_floor=5, missing=(1,))
    liar.kept.append(Said(topic, encode_message(answer), None))

    assert {"syncAnswer: SyncAnswer, counter floor"} == {row.name for row in withholding.end()}


def test_row_that_was_to_be_withheld_and_was_not_said_is_missing() -> None:
    missing: list[str] = []
    stage: Any = SimpleNamespace(check=lambda is_so, what: None if is_so else missing.append(what))
    liar, withholding = begun(TOPIC)
    liar.kept += [FURTHER, CANCEL]
    further, cancel = sorted(withholding.end(), key=lambda row: row.name)

    assert 1 == count(stage, frozenset({further}), frozenset({further, cancel}))
    assert ["'frame: cancel, mistake' was said while it was withheld"] == missing
