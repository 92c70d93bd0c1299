"""The gallery's end of the socket, at the node's real one."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue
from typing import Final

import pytest

from gallery.core.events import CentralTimeTold, FrameHeard, ReportAlerted
from gallery.core.events import Event as GalleryEvent
from gallery.net import node_socket
from gallery.net.node_socket import NodeSocket, Unanswered
from node.core.events import AlertAsked, Event, GalleryCame, PanelFaceCame
from node.net.gallery_socket import GallerySocket
from runtime.unix_address import socket_address
from tests.support.fleet_broker import wait_until
from wire.gallery_socket import (
    PICTURE_BYTES_MAX,
    Accepted,
    CentralTime,
    Ended,
    Heard,
    Hello,
    Neighbour,
    NodeState,
    NotRaised,
    PanelFace,
    PanelKey,
    PanelVisit,
    Progress,
    Refused,
    encode_line,
)
from wire.ids import NodeId
from wire.kinds import AlertKind, LeftWhenAsked

DEADLINE_S: Final = 30
REQUEST: Final = "5" * 32
ACCEPTED: Final = Accepted(request=REQUEST, incident="00000010-7", alert="00000010-7")
REACHED: Final = NodeState(reach="central", words="Alerts reach the control room.")
SIGHTING: Final = Neighbour(incident="00000011-5", kind="sighting", scheme=1, person=42, premises="Boots")


class Unit:
    """A node's end and a gallery's, in one folder."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "node.socket"
        self.asked: SimpleQueue[Event] = SimpleQueue()
        self.heard: SimpleQueue[GalleryEvent] = SimpleQueue()
        self.gallery = NodeSocket(self.path, self.heard.put, pauses_s=(0.05,))
        self.node: GallerySocket | None = None
        self.is_connected = False

    def start_node(self) -> GallerySocket:
        self.node = GallerySocket(self.path, os.geteuid(), NodeId(0x10), self._offer)
        self.node.start()
        return self.node

    def _offer(self, event: Event, _waiting_max: int, _size_bytes: int = 0) -> bool:
        if isinstance(event, GalleryCame):
            self.is_connected = event.is_here
        else:
            self.asked.put(event)
        return True

    def close(self) -> None:
        self.gallery.stop()
        if self.node is not None:
            self.node.close()


@pytest.fixture(autouse=True)
def _node_may_take_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_socket, "ANSWER_WITHIN_S", DEADLINE_S)


@pytest.fixture
def unit(tmp_path: Path) -> Iterator[Unit]:
    made = Unit(tmp_path)
    made.gallery.start()
    yield made
    made.close()


def test_alert_is_asked_for_and_answered(unit: Unit) -> None:
    node = unit.start_node()
    answer = unit.gallery.alert("breach", 1, 42, "no", REQUEST)

    assert AlertAsked(REQUEST, AlertKind.BREACH, 1, 42, LeftWhenAsked.NO) == unit.asked.get(timeout=DEADLINE_S)
    node.tell(ACCEPTED)
    assert ACCEPTED == answer.result(DEADLINE_S)


def test_later_answer_replaces_the_first(unit: Unit) -> None:
    """Central had another alert with that number: the office must hear of the one that is."""
    node = unit.start_node()
    answer = unit.gallery.alert("breach", 1, 42, "no", REQUEST)
    unit.asked.get(timeout=DEADLINE_S)
    node.tell(ACCEPTED)
    assert ACCEPTED == answer.result(DEADLINE_S)

    node.tell(Accepted(request=REQUEST, incident="00000010-9", alert="00000010-9"))

    assert ReportAlerted(REQUEST, "00000010-9", is_later=True) == unit.heard.get(timeout=DEADLINE_S)
    wait_until(lambda: (("00000010-7", "00000010-9"),) == unit.gallery.told.renamed, "it is told to pages")


def test_node_that_may_number_an_alert_after_all_is_heard(unit: Unit) -> None:
    node = unit.start_node()
    answer = unit.gallery.alert("breach", 1, 42, "no", REQUEST)
    unit.asked.get(timeout=DEADLINE_S)
    node.tell(Refused(request=REQUEST, reason="not-stored"))
    answer.result(DEADLINE_S)

    node.tell(ACCEPTED)

    assert ReportAlerted(REQUEST, "00000010-7", is_later=True) == unit.heard.get(timeout=DEADLINE_S)


class Shown:
    """Who shows the gallery on the panel."""

    def __init__(self) -> None:
        self.lines: SimpleQueue[object] = SimpleQueue()

    def take(self, line: object) -> None:
        self.lines.put(line)

    def gone(self) -> None:
        self.lines.put("gone")


def test_panel_is_lent_and_shows_what_the_gallery_says(tmp_path: Path) -> None:
    """G5: keys come from the node, faces go to it, and a node that is gone ends the visit."""
    unit, shown = Unit(tmp_path), Shown()
    unit.gallery.lend(shown)
    unit.gallery.start()
    node = unit.start_node()
    wait_until(lambda: unit.is_connected, "the gallery has connected")
    visit = PanelVisit(visit=3, width_px=98, height_px=98, mode="RGB")
    node.tell(visit)
    node.tell(PanelKey(visit=3, key="up"))
    assert [visit, PanelKey(visit=3, key="up")] == [shown.lines.get(timeout=DEADLINE_S) for _ in range(2)]

    face = PanelFace(visit=3, lines=("HART-0042",), picture=bytes(PICTURE_BYTES_MAX))
    unit.gallery.say(face)
    assert PanelFaceCame(3, (), ("HART-0042",), face.picture) == unit.asked.get(timeout=DEADLINE_S)

    node.close()
    assert "gone" == shown.lines.get(timeout=DEADLINE_S)
    unit.close()


def test_refusal_says_why(unit: Unit) -> None:
    node = unit.start_node()
    answer = unit.gallery.alert("sighting", 1, 42, request=REQUEST)
    unit.asked.get(timeout=DEADLINE_S)
    node.tell(Refused(request=REQUEST, reason=NotRaised.RATE))

    assert Refused(request=REQUEST, reason="rate") == answer.result(DEADLINE_S)


def test_request_is_asked_again_of_a_node_that_was_restarted_before_it_answered(unit: Unit) -> None:
    unit.start_node()
    answer = unit.gallery.alert("breach", 1, 42, "no", REQUEST)
    first = unit.asked.get(timeout=DEADLINE_S)
    assert unit.node is not None
    unit.node.close()
    # Its thread may be late, and would remove the next one's.
    wait_until(lambda: not unit.path.exists(), "the socket is gone")
    node = unit.start_node()

    assert first == unit.asked.get(timeout=DEADLINE_S)
    node.tell(ACCEPTED)
    assert ACCEPTED == answer.result(DEADLINE_S)


def test_same_request_twice_is_one_question(unit: Unit) -> None:
    node = unit.start_node()
    answers = [unit.gallery.alert("breach", 1, 42, "no", REQUEST) for _ in range(2)]
    unit.asked.get(timeout=DEADLINE_S)
    node.tell(ACCEPTED)

    assert [ACCEPTED, ACCEPTED] == [answer.result(DEADLINE_S) for answer in answers]


def test_whoever_asks_is_answered_though_there_is_no_node(unit: Unit, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as hurried:
        hurried.setattr(node_socket, "ANSWER_WITHIN_S", 0.05)
        assert Unanswered.NO_NODE == unit.gallery.alert("breach", 1, 42, "no").result(DEADLINE_S)
    unit.start_node()
    unit.gallery.alert("breach", 1, 43, "no")
    late = unit.asked.get(timeout=DEADLINE_S)
    assert isinstance(late, AlertAsked)
    assert 43 == late.person, "what was given up is not asked for later"


def test_node_that_was_asked_and_is_silent_leaves_it_unknown(unit: Unit, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may have taken it: nobody says that it was not sent. Nor when it was restarted meanwhile."""
    unit.start_node()
    wait_until(lambda: unit.is_connected, "the gallery has connected")
    with monkeypatch.context() as hurried:
        hurried.setattr(node_socket, "ANSWER_WITHIN_S", 3.0)  # So long a thread may wait for its turn.
        silent = unit.gallery.alert("breach", 1, 42, "no")
        unit.asked.get(timeout=DEADLINE_S)
        assert Unanswered.NO_ANSWER == silent.result(DEADLINE_S)
    closed = unit.gallery.alert("breach", 1, 43, "no")
    unit.asked.get(timeout=DEADLINE_S)
    unit.gallery.stop()

    assert Unanswered.NO_ANSWER == closed.result(DEADLINE_S)


def test_too_many_that_wait_are_not_asked_for(unit: Unit) -> None:
    answers = [unit.gallery.alert("breach", 1, person, "no") for person in range(1, 30)]
    unit.gallery.stop()

    assert Unanswered.TOO_MANY == answers[-1].result(DEADLINE_S)
    assert Unanswered.NO_NODE == answers[0].result(DEADLINE_S)


def test_time_goes_to_the_core_and_the_rest_to_the_page(unit: Unit) -> None:
    node = unit.start_node()
    received = Progress(incident="00000010-7", state="received", words="Received by central")
    for line in (CentralTime(at_s=1_800_000_000), Heard(at_s=1_700_000_000), REACHED, received, SIGHTING):
        node.tell(line)
    wait_until(lambda: SIGHTING in unit.gallery.told.neighbours, "the neighbour's alert")

    assert (REACHED, (received,)) == (unit.gallery.told.state, unit.gallery.told.progress)
    first, second = (unit.heard.get(timeout=DEADLINE_S) for _ in range(2))
    assert {CentralTimeTold, FrameHeard} == {type(first), type(second)}

    node.tell(Ended(incident=SIGHTING.incident))
    wait_until(lambda: not unit.gallery.told.neighbours, "it is over")


def test_node_that_has_gone_is_not_said_to_reach_anybody(unit: Unit) -> None:
    node = unit.start_node()
    node.tell(REACHED)
    wait_until(lambda: unit.gallery.told.state == REACHED, "the state")
    node.close()

    wait_until(lambda: unit.gallery.told.state is None, "it is not known any more")


@pytest.mark.parametrize(
    "said",
    [encode_line(Hello(version=2, node="00000010")), b"\x00" * 2_000, b'{"type":"hello"}\n'],
    ids=["newer version", "no line", "half a line"],
)
def test_what_is_no_node_of_this_version_is_hung_up_on_and_tried_again(unit: Unit, said: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        with socket_address(unit.path) as address:
            listener.bind(address)
        listener.listen(1)
        listener.settimeout(DEADLINE_S)
        for _ in range(2):
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(DEADLINE_S)
                connection.sendall(said)
                assert b"" == connection.recv(1)

    assert unit.gallery.told.state is None
