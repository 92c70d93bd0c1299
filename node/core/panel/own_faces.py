"""The presser's own faces: what is true of one incident of ours, phase by phase (N3, N6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from node.core.incident.hush import is_blocked_to_tell
from node.core.incident.lifecycle import is_unsaved
from node.core.panel.words import (
    KIND_WORDS,
    NOBODY,
    NOBODY_TO_ASK,
    TELL,
    USE_RADIO,
    asking,
    clock,
    fullest,
    line,
    named,
    person,
    reference,
    shortened,
    span,
)
from node.core.radio.path import can_transmit
from node.core.radio.weekly_test import is_unanswered_test, paths_proven
from node.core.scales import on_our_clock_s
from node.core.screens import LINE_CHARS_MAX, Emphasis, Face, Screen
from node.core.state import CancelProgress, Incident, NodeState, wall_at_s
from node.core.table import PathPhase, Phase
from wire.ids import FrameId
from wire.kinds import PRIORITY, AlertKind, AnswerState, MemberResponse

_Words = tuple[Face, tuple[str, ...], str, str]
_MS_PER_SECOND: Final = 1_000
NEWS_GOOD_MS: Final = 22_000
"""Central is heard every ten seconds: after two misses, nobody here knows whether somebody has answered."""
NEWS_GOOD_CUT_OFF_MS: Final = 10_000
"""The same without a link, where only the air can bring news."""
_PROVEN: Final = {
    (True, True): "Net✓ Radio✓",
    (True, None): "Net✓ Radio: testing",
    (True, False): "Net✓ Radio not heard",
    (False, True): "By radio, no network",
}
_AT_CENTRAL: Final = frozenset({Phase.RECEIVED, Phase.ANSWERED, Phase.CLOSED})
_NOT_SAVED: Final = (Face.NOT_STORED, ("NOT", "SAVED"), "")


def own_face(state: NodeState, own: Incident, now_ms: int) -> Screen | None:
    """Its face; ``None`` for the first moment of a press, in which the disk is about to answer."""
    is_young = own.pressed_ms is not None and now_ms - own.pressed_ms < state.settings.timing.saving_shown_ms
    if own.phase is Phase.DRAFTED and is_young:
        return None
    if own.phase in _AT_CENTRAL and is_unanswered_test(own):
        face, headline, line_1, line_2 = _tested(state, own)
    else:
        face, headline, line_1, line_2 = _FACES[own.phase](state, own, now_ms)
    return Screen(
        face,
        headline,
        (line_1, line_2),
        _emphasis(state, own),
        PRIORITY[own.latest_kind],
        concerns=FrameId(state.settings.node, own.latest or own.key).text if own.key > 0 else "",
    )


def _emphasis(state: NodeState, own: Incident) -> Emphasis:
    is_lost = own.phase in (Phase.REFUSED, Phase.UNDELIVERED) or (
        own.phase is Phase.UNSAVED and not state.central.is_linked
    )
    if not is_lost:
        return Emphasis.PLAIN
    # Somebody comes: from afar, too, it must not look like the alarm it was a moment ago.
    is_eased = own.phase is Phase.UNDELIVERED and own.is_somebody_coming
    return Emphasis.FRAMED if is_eased else Emphasis.INVERTED


def next_second_ms(own: Incident, now_ms: int) -> int:
    """When the seconds that ON_AIR counts go on by one."""
    since_ms = _counted_from_ms(own)
    return since_ms + ((now_ms - since_ms) // _MS_PER_SECOND + 1) * _MS_PER_SECOND


def next_news_ms(state: NodeState, own: Incident, now_ms: int) -> int:
    """When RECEIVED begins to say for how long there has been no news, or that goes on by one."""
    unheard_ms = _unheard_ms(state, own, now_ms)
    if unheard_ms is not None:
        return now_ms + _MS_PER_SECOND - unheard_ms % _MS_PER_SECOND
    return _heard_ms(state, own) + _news_good_ms(state)


def _unheard_ms(state: NodeState, own: Incident, now_ms: int) -> int | None:
    """For how long central has said nothing; ``None`` while that is too short for anything to have been missed."""
    unheard_ms = now_ms - _heard_ms(state, own)
    return unheard_ms if unheard_ms >= _news_good_ms(state) else None


def _heard_ms(state: NodeState, own: Incident) -> int:
    return max(state.central.heard_ms, own.received_ms or 0)


def _news_good_ms(state: NodeState) -> int:
    return NEWS_GOOD_MS if state.central.path is PathPhase.PROVEN else NEWS_GOOD_CUT_OFF_MS


def _counted_from_ms(own: Incident) -> int:
    return own.changed_ms if own.pressed_ms is None else own.pressed_ms


def _pressed(state: NodeState, own: Incident) -> str:
    kind = KIND_WORDS[own.latest_kind]
    if own.about is not None:
        about = reference(state, own.about, LINE_CHARS_MAX)
        return fullest(f"{kind} {about}", about)
    return line(f"{kind} {clock(state, own.pressed_at_s, with_seconds=True)}")


def _drafted(state: NodeState, own: Incident, _now_ms: int) -> _Words:
    return Face.SENDING, ("PRESSED",), _pressed(state, own), "Saving"


def _refused(_state: NodeState, own: Incident, _now_ms: int) -> _Words:
    return *_NOT_SAVED, TELL if own.kind is AlertKind.TEST else USE_RADIO


def _unsaved(state: NodeState, own: Incident, now_ms: int) -> _Words:
    """Nothing here will remember it; whether anything carries it now is what there is to tell besides."""
    return (*_NOT_SAVED, "Sending it anyway") if state.central.is_linked else _refused(state, own, now_ms)


def _sending(state: NodeState, own: Incident, _now_ms: int) -> _Words:
    if state.central.path is PathPhase.DOWN:
        return Face.STORED, ("TRYING",), "Not received yet", "Saved, no network"
    return Face.SENDING, ("SENDING",), _pressed(state, own), "Saved on this unit"


def _on_air(state: NodeState, own: Incident, now_ms: int) -> _Words:
    doing = "Channel is busy" if state.radio.is_busy else "By radio now"
    news = doing + span(now_ms - _counted_from_ms(own)).rjust(LINE_CHARS_MAX - len(doing))
    if own.responders:
        return _nearby(own, news)
    if is_unsaved(state, own):
        return *_NOT_SAVED, news
    return Face.STORED, ("TRYING",), "Not received yet", news


def _undelivered(state: NodeState, own: Incident, now_ms: int) -> _Words:
    if own.responders:
        return _nearby(own, "No central: call 999")
    if own.kind is AlertKind.TEST:
        return Face.UNDELIVERED, ("TEST", "FAILED"), "", TELL
    news = "Radio busy: call 999" if is_blocked_to_tell(state, now_ms) else USE_RADIO
    if is_unsaved(state, own):
        return *_NOT_SAVED, news
    return Face.UNDELIVERED, ("NOT", "DELIVERED"), "", news


def _nearby(own: Incident, news: str) -> _Words:
    """Central does not have it, and neighbours have: the best news there is then, and no more than it is."""
    response, who = _foremost(own)
    word, by = ("COMING", "") if response is MemberResponse.RESPONDING else ("SEEN", "by ")
    return Face.NEARBY, (word,), line(f"{by}{shortened(who, LINE_CHARS_MAX - len(by))}"), news


def _received(state: NodeState, own: Incident, now_ms: int) -> _Words:
    by = "by central, LATE" if own.is_late else "by central system"
    if own.answer is not None and own.is_answer_to_earlier(own.answer):
        return Face.RECEIVED, ("RECEIVED",), "earlier answer by", person(own.answer.role, own.answer.name)
    unheard_ms = _unheard_ms(state, own, now_ms)
    if _is_nobody_asked(own) and unheard_ms is None and not own.is_restored:
        # Somebody may be on duty in a role that is not asked.
        is_duty_empty = state.central.on_duty == () and state.central.path is PathPhase.PROVEN
        by, news = NOBODY if is_duty_empty else NOBODY_TO_ASK, _member(own) if own.responders else USE_RADIO
    elif own.is_restored:
        news = "No news since restart"
    elif own.responders:
        news = _member(own)
    elif unheard_ms is not None:
        news = f"No news for {span(unheard_ms)}"
    elif asked := next((role for _, role in own.asked if role), ""):
        news = asking(asked)
    elif state.central.on_duty == () and state.central.path is PathPhase.PROVEN:
        news = NOBODY
    else:
        news = "No one answered yet"
    return Face.RECEIVED, ("RECEIVED",), by, news


def _is_nobody_asked(own: Incident) -> bool:
    """Central has looked, by the policy of each of its schemes that has one."""
    return bool(own.asked) and not any(role for _, role in own.asked)


def _tested(state: NodeState, own: Incident) -> _Words:
    """A test that reached central, and which paths it has proven (N12)."""
    network, radio = paths_proven(state, own)
    is_listener = state.settings.radio is None or not state.settings.radio.licence
    if is_listener or not (radio or can_transmit(state)):
        # By radio it came to central only if somebody else put it on the air.
        return Face.RECEIVED, ("TEST OK" if network else "RECEIVED",), "TEST reached central", _pressed(state, own)
    return (
        Face.RECEIVED,
        ("TEST OK" if network and radio else "RECEIVED",),
        "TEST reached central",
        _PROVEN[network, radio],
    )


def _answered(state: NodeState, own: Incident, _now_ms: int) -> _Words:
    who, at_s, after = _answerer(state, own)
    news = f"{clock(state, at_s, with_seconds=True)}{after}"
    return Face.ANSWERED, ("ANSWERED",), who, _member(own) if own.responders else line(news)


def _on_the_way(state: NodeState, own: Incident, _now_ms: int) -> _Words:
    who, at_s, _ = _answerer(state, own)
    news = f"on the way {clock(state, at_s)}"
    return Face.ON_THE_WAY, ("COMING",), who, _member(own) if own.responders else news


def _cancelled(_state: NodeState, own: Incident, _now_ms: int) -> _Words:
    if own.cancel is CancelProgress.RECEIVED:
        return Face.CANCELLED, ("CANCEL", "RECEIVED"), "", "Still open at central"
    return Face.CANCELLED, ("CANCEL", "SAVED"), "", "Central not told yet"


def _closed(state: NodeState, own: Incident, _now_ms: int) -> _Words:
    by, news = "by central", f"heard at {clock(state, wall_at_s(state, own.changed_ms))}"
    if own.answer is not None and own.answer.state is AnswerState.CLOSED:
        by = person(own.answer.role, own.answer.name, before="by")
        at_s = on_our_clock_s(state, own.answer.at_s)
        news = f"at {clock(state, at_s)}" if at_s else news
    return Face.CLOSED, ("CLOSED",), by, news


def _answerer(state: NodeState, own: Incident) -> tuple[str, int, str]:
    answer = own.answer
    if answer is None:
        return "by central", 0, ""
    answered_at_s = on_our_clock_s(state, answer.at_s)
    who, at_s = person(answer.role, answer.name), answered_at_s or wall_at_s(state, answer.heard_ms)
    if answer.after_s is not None:
        return who, at_s, f" after {span(_MS_PER_SECOND * answer.after_s)}"
    if own.pressed_ms is None:
        return who, at_s, ""
    after_ms = answer.heard_ms - own.pressed_ms
    if answered_at_s >= own.pressed_at_s > 0:
        # It may have been given long before we heard of it. Whole seconds of the clock, as the control room counts. By
        # a clock of central's that is behind ours it would be older than the press.
        after_ms = min(after_ms + _MS_PER_SECOND - 1, _MS_PER_SECOND * (answered_at_s - own.pressed_at_s))
    return who, at_s, f" after {span(after_ms)}"


def _member(own: Incident) -> str:
    """Who has pressed the most that anybody has, and what."""
    response, who = _foremost(own)
    before, after = ("", " coming") if response is MemberResponse.RESPONDING else ("Seen by ", "")
    return line(f"{before}{shortened(who, LINE_CHARS_MAX - len(before) - len(after))}{after}")


def _foremost(own: Incident) -> tuple[MemberResponse, str]:
    """Those who are coming, else those who have seen it: by name, or how many they are."""
    response = max(member.response for member in own.responders)
    names = [named(member.premises) for member in own.responders if member.response is response]
    return response, (names[0] or "a neighbour") if len(names) == 1 else f"{len(names)} neighbours"


_FACES: Final[dict[Phase, Callable[[NodeState, Incident, int], _Words]]] = {
    Phase.DRAFTED: _drafted,
    Phase.REFUSED: _refused,
    Phase.UNSAVED: _unsaved,
    Phase.STORED: _sending,
    Phase.PUBLISHED: _sending,
    Phase.ON_AIR: _on_air,
    Phase.UNDELIVERED: _undelivered,
    Phase.RECEIVED: _received,
    Phase.ANSWERED: _answered,
    Phase.ON_THE_WAY: _on_the_way,
    Phase.CANCELLED: _cancelled,
    Phase.CLOSED: _closed,
}
