"""What the node tells the gallery on this unit by itself: the time, whom a press reaches, and alerts about persons.

At the end of each step whatever has changed is told. Who connects gets the newest of each from the adapter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, TypeVar

from msgspec.structs import replace

from node.core import scales
from node.core.effects import TellGallery
from node.core.gallery_state import Told
from node.core.panel.neighbour_faces import pressed_at_s
from node.core.panel.words import USE_RADIO, person
from node.core.radio.path import can_transmit
from node.core.state import CancelProgress, Incident, Neighbour, NodeState
from node.core.table import PathPhase, Phase
from node.core.turn import Turn
from wire import gallery_socket as said
from wire.ids import U32_MAX, FrameId
from wire.kinds import AlertKind, LeftWhenAsked
from wire.limits import NAME_CHARS_MAX
from wire.text import display_text

_L = TypeVar("_L")
HEARD_EVERY_S: Final = 10

_REACHES_CENTRAL: Final = said.NodeState(reach="central", words="Alerts reach the control room.")
_REACHES_CENTRAL_ALONE: Final = said.NodeState(
    reach="central", words="Alerts reach central, but nobody is on duty. Call 999."
)
_REACHES_RADIO: Final = said.NodeState(reach="radio", words="No network. Alerts go out by radio.")
_REACHES_NOBODY: Final = said.NodeState(reach="nobody", words="No network. Use the radio or call 999.")
_LEFT: Final[dict[LeftWhenAsked, said.LeftText]] = {
    LeftWhenAsked.NOT_ASKED: "not-asked",
    LeftWhenAsked.YES: "yes",
    LeftWhenAsked.NO: "no",
}
_PROGRESS: Final[dict[Phase, tuple[said.Stage, str]]] = {
    Phase.DRAFTED: ("sending", "Saving"),
    Phase.REFUSED: ("not-delivered", f"Not saved. {USE_RADIO}."),
    Phase.UNSAVED: ("sending", "Being sent, but not saved on this unit"),
    Phase.STORED: ("sending", "Saved, being sent"),
    Phase.PUBLISHED: ("sending", "Saved, being sent"),
    Phase.ON_AIR: ("sending", "Being sent by radio"),
    Phase.UNDELIVERED: ("not-delivered", f"Not delivered. {USE_RADIO}."),
    Phase.RECEIVED: ("received", "Received by central. No one has answered yet."),
    Phase.ANSWERED: ("answered", "Answered"),
    Phase.ON_THE_WAY: ("on-the-way", "Somebody is on the way"),
    Phase.CANCELLED: ("cancelled", "Cancelled here. Still open at central."),
    Phase.CLOSED: ("closed", "Closed by central"),
}


def heard(turn: Turn, at_s: int) -> None:
    """A frame that central signed bears this time."""
    told = turn.state.gallery.told
    if turn.settings.has_gallery and told.heard_s + HEARD_EVERY_S <= at_s <= U32_MAX:
        _note(turn, replace(told, heard_s=at_s))
        turn.order(TellGallery(said.Heard(at_s=at_s)))


def settle(turn: Turn) -> None:
    """Tell what has changed."""
    if not turn.settings.has_gallery or not turn.state.is_started:
        return
    state, told = turn.state, turn.state.gallery.told
    scale = scales.present(state)
    now = Told(
        None if scale is None else scale.offset_ms,
        told.heard_s,
        _reach(state),
        tuple(_present(_progress(state, key) for key in state.recent)),
        tuple(_present(_neighbour(state, neighbour) for neighbour in state.neighbours)),
    )
    if now != told:
        for line in _news(told, now, turn.now_ms):
            turn.order(TellGallery(line))
        _note(turn, now)


def _news(told: Told, now: Told, now_ms: int) -> Iterator[said.NodeLine]:
    if now.offset_ms is not None and now.offset_ms != told.offset_ms:
        yield said.CentralTime(at_s=min(max(1, (now.offset_ms + now_ms) // 1000), U32_MAX))
    if now.reach is not None and now.reach != told.reach:
        yield now.reach
    yield from (step for step in now.progress if step not in told.progress)
    yield from (alert for alert in now.neighbours if alert not in told.neighbours)
    present = {alert.incident for alert in now.neighbours}
    yield from (said.Ended(incident=alert.incident) for alert in told.neighbours if alert.incident not in present)


def _present(lines: Iterable[_L | None]) -> Iterator[_L]:
    return (line for line in lines if line is not None)


def _note(turn: Turn, told: Told) -> None:
    turn.state.gallery = replace(turn.state.gallery, told=told)


def _reach(state: NodeState) -> said.NodeState:
    if state.central.path is PathPhase.PROVEN:
        return _REACHES_CENTRAL_ALONE if state.central.on_duty == () else _REACHES_CENTRAL
    return _REACHES_RADIO if can_transmit(state) else _REACHES_NOBODY


def _progress(state: NodeState, key: int) -> said.Progress | None:
    incident = state.incidents.get(key)
    if incident is None or incident.about is None or key <= 0:
        return None
    word, words = _PROGRESS[incident.phase]
    if incident.phase is Phase.CANCELLED and incident.cancel is not CancelProgress.RECEIVED:
        words = "Cancelled here. Central not told yet."
    return said.Progress(
        incident=FrameId(state.settings.node, key).text,
        state=word,
        words=display_text(_answered(incident, words), NAME_CHARS_MAX),
    )


def _answered(incident: Incident, words: str) -> str:
    answer = incident.answer
    if answer is None or incident.phase not in (Phase.ANSWERED, Phase.ON_THE_WAY):
        return words
    who = person(answer.role, answer.name)
    return f"Answered by {who}" if incident.phase is Phase.ANSWERED else f"{who} is on the way"


def _neighbour(state: NodeState, neighbour: Neighbour) -> said.Neighbour | None:
    if neighbour.about is None or neighbour.cancel_counter:
        return None
    is_breach = neighbour.kind is AlertKind.BREACH
    return said.Neighbour(
        incident=neighbour.incident.text,
        kind="breach" if is_breach else "sighting",
        scheme=neighbour.about.scheme,
        person=neighbour.about.number,
        left=_LEFT[neighbour.left] if is_breach else None,
        premises=neighbour.premises,
        place=neighbour.place,
        at_s=pressed_at_s(state, neighbour),
        is_late=neighbour.is_late,
    )
