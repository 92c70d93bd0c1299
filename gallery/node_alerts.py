"""The node as the page sees it: asked for an alert by its socket, and its state in the page's words."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Final

from gallery.net.node_socket import AlertAnswer as SocketAnswer
from gallery.net.node_socket import NodeSocket, Told, Unanswered
from gallery.page.ports import AlertAnswer, AlertAsked, AlertProgress, AlertState, Nearby, NodeState
from wire.gallery_socket import Accepted, NotRaised, Progress

_CALL: Final = "Use the panic button, or call 999."
REFUSED: Final = {
    NotRaised.RATE: f"Too many were sent in a short time, so this one was not. {_CALL}",
    NotRaised.SCHEME: f"This shop’s unit is not in that scheme, so nobody was warned. {_CALL}",
    NotRaised.NOT_ARMED: f"The unit is starting or stopping, so nobody was warned. {_CALL}",
    NotRaised.NOT_STORED: f"The unit’s memory card refuses it: nobody is warned yet, and it goes on trying. {_CALL}",
}
UNANSWERED: Final = {
    Unanswered.NO_NODE: f"The unit does not answer, so nobody was warned. {_CALL}",
    Unanswered.TOO_MANY: f"Too much was asked of the unit at once, so nobody was warned. {_CALL}",
}
_AT_CENTRAL: Final = frozenset({"received", "answered", "on-the-way", "closed"})


class NodeAlerts:
    """It is a :class:`gallery.page.ports.AlertPort`.

    Args:
        node: its socket.
    """

    def __init__(self, node: NodeSocket) -> None:
        self._node = node

    def alert(self, asked: AlertAsked) -> Future[AlertAnswer]:
        """Answered as soon as the node has its number, with what is true by then."""
        answer: Future[AlertAnswer] = Future()
        answer.set_running_or_notify_cancel()

        def answered(done: Future[SocketAnswer]) -> None:
            answer.set_result(_answer(done.result(), self._node.told.progress))

        self._node.alert(asked.kind, asked.scheme, asked.person, asked.left, asked.request).add_done_callback(answered)
        return answer

    def state(self) -> NodeState | None:
        """In words; ``None`` = the node is not connected, or has not said."""
        return state_of(self._node.told)


def state_of(told: Told) -> NodeState | None:
    """What the node has told, as the page shows it."""
    if told.state is None:
        return None
    nearby = tuple(
        Nearby(
            one.incident,
            one.kind,
            one.scheme,
            one.person,
            one.premises,
            one.place,
            one.at_s,
            is_late=one.is_late,
        )
        for one in reversed(told.neighbours)
    )
    progress = {one.incident: one for one in told.progress}
    # A page that was told the earlier number reads under it how the alert goes on.
    progress.update({was: progress[now] for was, now in told.renamed if now in progress})
    own = tuple(
        AlertProgress(incident, one.words, is_at_central=one.state in _AT_CENTRAL) for incident, one in progress.items()
    )
    return NodeState(told.state.words, told.state.reach != "central", nearby, own)


def _answer(answer: SocketAnswer, progress: tuple[Progress, ...]) -> AlertAnswer:
    if answer is Unanswered.NO_ANSWER:
        return AlertAnswer(AlertState.UNKNOWN)
    if isinstance(answer, Unanswered):
        return AlertAnswer(AlertState.IMPOSSIBLE, text=UNANSWERED[answer])
    if not isinstance(answer, Accepted):
        text = REFUSED.get(NotRaised(answer.reason), _CALL) if answer.reason in {*NotRaised} else _CALL
        return AlertAnswer(AlertState.IMPOSSIBLE, text=text)
    is_received = any(one.incident == answer.incident and one.state in _AT_CENTRAL for one in progress)
    return AlertAnswer(AlertState.SENT if is_received else AlertState.SAVED, answer.incident)
