"""What the node says, as the page says it: nothing is called sent that central does not have."""

from __future__ import annotations

from concurrent.futures import Future
from typing import cast

import pytest

from gallery.net.node_socket import AlertAnswer as SocketAnswer
from gallery.net.node_socket import NodeSocket, Told, Unanswered
from gallery.node_alerts import REFUSED, UNANSWERED, NodeAlerts, state_of
from gallery.page.ports import AlertAnswer, AlertAsked, AlertState, Nearby
from wire.gallery_socket import Accepted, Neighbour, NodeState, NotRaised, Progress, Refused

REQUEST = "50" * 16
INCIDENT = "00000010-7"


class PlayedNode:
    """Answers at once.

    Attributes:
        asked: what it was asked for.
    """

    def __init__(self, answer: SocketAnswer, *progress: Progress) -> None:
        self._answer = answer
        self.told = Told(progress=progress)
        self.asked: list[object] = []

    def alert(self, *asked: object) -> Future[SocketAnswer]:
        self.asked.append(asked)
        future: Future[SocketAnswer] = Future()
        future.set_result(self._answer)
        return future


def answered(node: PlayedNode) -> AlertAnswer:
    return NodeAlerts(cast("NodeSocket", node)).alert(AlertAsked(REQUEST, "breach", 1, 42, "no")).result(0)


ACCEPTED = Accepted(request=REQUEST, incident=INCIDENT, alert=INCIDENT)


def test_alert_is_saved_until_central_has_it() -> None:
    node = PlayedNode(ACCEPTED, Progress(incident=INCIDENT, state="sending", words="Sending"))

    assert AlertAnswer(AlertState.SAVED, INCIDENT) == answered(node)
    assert [("breach", 1, 42, "no", REQUEST)] == node.asked


def test_alert_that_central_has_is_sent() -> None:
    other = Progress(incident="00000010-6", state="received", words="Received")
    own = Progress(incident=INCIDENT, state="received", words="Received")

    assert AlertState.SAVED is answered(PlayedNode(ACCEPTED, other)).state
    assert AlertState.SENT is answered(PlayedNode(ACCEPTED, own)).state


def test_alert_that_was_cancelled_here_is_not_said_to_be_at_central() -> None:
    """Central may never have heard of it."""
    cancelled = Progress(incident=INCIDENT, state="cancelled", words="Cancelled here. Central not told yet.")
    state = state_of(Told(NodeState(reach="nobody", words="No network"), (), (cancelled,)))

    assert state is not None
    assert [False] == [one.is_at_central for one in state.progress]
    assert AlertState.SAVED is answered(PlayedNode(ACCEPTED, cancelled)).state


@pytest.mark.parametrize("reason", [*NotRaised, "of-a-newer-node"])
def test_refusal_says_what_to_do(reason: str) -> None:
    answer = answered(PlayedNode(Refused(request=REQUEST, reason=reason)))

    assert AlertState.IMPOSSIBLE is answer.state
    assert answer.text.endswith("Use the panic button, or call 999.")
    assert not answer.incident


def test_node_that_was_asked_and_does_not_answer_is_called_neither_sent_nor_not() -> None:
    assert AlertAnswer(AlertState.UNKNOWN) == answered(PlayedNode(Unanswered.NO_ANSWER))


@pytest.mark.parametrize("unanswered", UNANSWERED)
def test_node_that_does_not_answer_is_not_called_sent(unanswered: Unanswered) -> None:
    assert AlertAnswer(AlertState.IMPOSSIBLE, text=UNANSWERED[unanswered]) == answered(PlayedNode(unanswered))


def test_every_reason_has_words() -> None:
    assert {*NotRaised} == REFUSED.keys()
    assert {*Unanswered} == {Unanswered.NO_ANSWER, *UNANSWERED}


def test_state_is_the_nodes_words_and_neighbours_newest_first() -> None:
    lines = [
        Neighbour(incident=f"00000011-{at}", kind="sighting", scheme=1, person=at, premises="Red Lion", at_s=at)
        for at in (1, 2)
    ]
    state = state_of(Told(NodeState(reach="radio", words="By radio only"), tuple(lines)))

    assert state is not None
    assert ("By radio only", True) == (state.words, state.needs_care)
    assert [2, 1] == [one.person for one in state.nearby]
    assert Nearby("00000011-2", "sighting", 1, 2, "Red Lion", at_s=2) == state.nearby[0]
    assert None is state_of(Told())


def test_page_reads_on_under_the_number_that_it_was_told() -> None:
    """Central had another alert with the first number, and the unit took the next."""
    now = Progress(incident="00000010-9", state="received", words="Received by central")
    stale = Progress(incident=INCIDENT, state="sending", words="Sending")
    state = state_of(
        Told(NodeState(reach="central", words=""), progress=(stale, now), renamed=((INCIDENT, "00000010-9"),))
    )

    assert state is not None
    assert {INCIDENT, "00000010-9"} == {one.incident for one in state.progress}
    assert all(one.is_at_central for one in state.progress)
