"""The panel when nothing happens: what a press would come to now, and nothing that is not proven (N11).

``Net✓`` is central's own word, lately; ``Radio✓`` a path test that came back over the air, lately. *Alerts go by radio*
is promised on the strength of such a test alone; without one the face is NO LINK, though the radio tries all the same.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from msgspec.structs import replace

from node.core.controls import Button, Part
from node.core.incident.hush import faults_to_tell, hushed_since_ms, is_blocked_to_tell
from node.core.panel.words import TELL, USE_RADIO, clock, fullest, line, named, on_duty, span
from node.core.radio import weekly_test
from node.core.radio.path import RadioPath, radio_path
from node.core.screens import Emphasis, Face, Screen
from node.core.state import Fault, NodeState, stuck_buttons, wall_at_s
from node.core.table import PathPhase
from wire.kinds import Priority

_PART_WORDS: Final = {
    Part.OLED: "Screen fault",
    Part.SOUNDER: "Sounder fault",
    Part.LED: "Lamp fault",
    Part.STORE: "Storage fault",
    Part.CARD: "Memory card fault",
    Part.NETWORK: "Unit fault: network",
    Part.RADIO: "Radio fault",
    Part.MODEM: "Radio modem fault",
    Part.SPEECH: "No spoken alerts",
    Part.CLOCK: "Clock fault",
}
_BY_THE_MINUTE: Final = frozenset({Face.READY, Face.SILENT, Face.TEST_DUE})
_MS_PER_MINUTE: Final = 60_000
_MS_PER_DAY: Final = 86_400_000
_RADIO_MARKS: Final = {
    RadioPath.READY: " Radio✓",
    RadioPath.UNTESTED: " Radio?",
    RadioPath.LISTENING: " Radio RX",
}


def idle_face(state: NodeState, now_ms: int) -> Screen:
    """While no alert has the panel."""
    told = faults_to_tell(state, now_ms)
    return (
        _cannot_alert(state, told, now_ms)
        or _duplicate(state, now_ms)
        or _no_path(state, told, now_ms)
        or _ready(state, told, now_ms)
    )


def _cannot_alert(state: NodeState, told: tuple[Part, ...], now_ms: int) -> Screen | None:
    """Pressing would not help, or is not saved: said before everything else."""
    stuck, news = stuck_buttons(state.buttons), USE_RADIO
    if Part.STORE in told and state.is_store_refusing:
        trouble = "Alerts are NOT saved"
        if state.central.path is PathPhase.PROVEN and _is_sent_unsaved(state, now_ms):
            news = TELL  # What is pressed goes out all the same.
    elif Part.STORE in told and state.is_store_refusing is None:
        trouble = "Storage fault"
    elif Part.BUTTONS in told:
        trouble = "Buttons do not work"
    elif Button.ATTACK in stuck or Button.ASSIST in stuck:
        trouble = f"{'ATTACK' if Button.ATTACK in stuck else 'ASSIST'} button is stuck"
    else:
        return None
    return Screen(Face.FAULT, ("FAULT",), (trouble, news))


def _is_sent_unsaved(state: NodeState, now_ms: int) -> bool:
    """What came of the last press tells; before the first, whether the next would have a number."""
    if state.is_sent_unsaved is not None:
        return state.is_sent_unsaved
    return state.is_store_read or wall_at_s(state, now_ms) > 0


def _duplicate(state: NodeState, now_ms: int) -> Screen | None:
    """Another unit has our identity. A silent attack neither brings this nor takes it away (N4)."""
    if state.central.duplicate_since_ms(_unwatched_ms(state, now_ms)) is None:
        return None
    news = TELL if _is_odd_minute(state, now_ms) else USE_RADIO
    return Screen(Face.DUPLICATE, ("DUPLICATE", "IDENTITY"), ("", news))


def moments_ms(state: NodeState, now_ms: int) -> list[int]:
    """When the idle face would say something else although nothing happens; some of them may have passed."""
    moments = []
    if state.central.path is not PathPhase.PROVEN:
        moments.append(state.started_ms + state.settings.timing.boot_shown_ms)
    settings, radio = state.settings.radio, state.radio
    if settings is not None and radio.blocked_since_ms is not None:
        moments.append(radio.blocked_since_ms + settings.timing.blocked_after_ms)
    if settings is not None and radio.tests.passed_ms is not None:
        moments.append(radio.tests.passed_ms + settings.timing.path_test_valid_ms)
    duplicate_ms = None if state.central.taken is None else state.central.taken.told_until_ms
    if duplicate_ms is not None:
        moments.append(duplicate_ms)
    due_ms = weekly_test.next_moment_ms(state, now_ms)
    if due_ms is not None and state.central.path is PathPhase.PROVEN:
        moments.append(due_ms)
    screen = state.screen
    is_idle = screen is not None and (screen.face in _BY_THE_MINUTE or _takes_turns(screen))
    if is_idle and (wall_at_s(state, now_ms) or due_ms is None):
        moments.append(now_ms + _MS_PER_MINUTE - _wall_or_own_ms(state, now_ms) % _MS_PER_MINUTE)
    return moments


def _no_path(state: NodeState, told: tuple[Part, ...], now_ms: int) -> Screen | None:
    """Central is not heard: alerts go by radio, where that is proven, or nothing is promised."""
    central = state.central
    if central.path is PathPhase.PROVEN:
        return None
    if central.is_refused:
        # Whoever refuses the unit may refuse its frames as well, whatever way they come.
        return Screen(Face.FAULT, ("REFUSED",), (TELL, USE_RADIO))
    radio = _radio_to_tell(state, told, now_ms)
    if now_ms - state.started_ms < state.settings.timing.boot_shown_ms and not central.boot_id:
        news = "Radio: listens only" if radio is RadioPath.LISTENING else "Looking for central"
        return Screen(Face.BOOT, ("STARTING",), (line(f"Watchlink {named(state.settings.version)}"), news))
    if is_blocked_to_tell(state, now_ms):
        return Screen(Face.FAULT, ("NO LINK",), ("Radio channel blocked", "In danger: call 999"))
    if radio is RadioPath.READY:
        trouble = "Network down" if central.path is PathPhase.DOWN else "Central not heard"
        return Screen(Face.FAULT, ("BY RADIO",), (trouble, "Alerts go by radio"))
    return Screen(Face.FAULT, ("NO LINK",), ("Alerts are saved here", USE_RADIO))


def _ready(state: NodeState, told: tuple[Part, ...], now_ms: int) -> Screen:
    duty = on_duty(state.central.on_duty) if state.central.on_duty is not None else "On duty: not known"
    stuck = stuck_buttons(state.buttons)
    faults = [word for part, word in _PART_WORDS.items() if part in told]
    faults += [f"{button.upper()} stuck down" for button in stuck]
    if is_blocked_to_tell(state, now_ms):
        faults.append("Radio channel blocked")
    if faults:
        # The frame tells from afar that something wants mending; who is on duty is to be seen as well.
        news = TELL if _is_odd_minute(state, now_ms) else duty
        return Screen(Face.FAULT, ("READY",), (line(faults[0]), news), Emphasis.FRAMED)
    if _asks_for_test(state, now_ms):
        lines = ("Press Test when quiet", _last_good(state, _unwatched_ms(state, now_ms)))
        return Screen(Face.TEST_DUE, ("TEST DUE",), lines, priority=Priority.TEST, is_dim=True)
    radio = _radio_to_tell(state, told, now_ms)
    if radio is RadioPath.UNTESTED and state.radio.tests.is_failed:
        return Screen(Face.READY, ("READY",), ("Radio test failed", duty), is_dim=True)
    paths = f"{clock(state, wall_at_s(state, now_ms))}  Net✓{_RADIO_MARKS.get(radio, '')}"
    return Screen(Face.READY, ("READY",), (paths, duty), is_dim=True)


def _asks_for_test(state: NodeState, now_ms: int) -> bool:
    """In every other minute once one is due: who is on duty is to be seen as well.

    A silent attack leaves this as it was (N4): a face that came or went with the press would tell of it.
    """
    at_ms = _unwatched_ms(state, now_ms)
    return weekly_test.is_due(state, at_ms) and _is_odd_minute(state, at_ms)


def _takes_turns(screen: Screen) -> bool:
    return screen.face is Face.DUPLICATE or (screen.face is Face.FAULT and screen.emphasis is Emphasis.FRAMED)


def _is_odd_minute(state: NodeState, at_ms: int) -> bool:
    return _wall_or_own_ms(state, at_ms) // _MS_PER_MINUTE % 2 == 1


def _unwatched_ms(state: NodeState, now_ms: int) -> int:
    since_ms = hushed_since_ms(state, now_ms)
    return now_ms if since_ms is None else since_ms


def _wall_or_own_ms(state: NodeState, at_ms: int) -> int:
    return at_ms + (state.clock.offset_ms if state.clock.is_proven and state.clock.offset_ms is not None else 0)


def _radio_to_tell(state: NodeState, told: tuple[Part, ...], now_ms: int) -> RadioPath:
    """What is known of the radio, less a fault that would show a silent press (N4)."""
    radio = radio_path(state, now_ms)
    if radio is not RadioPath.FAULT or Part.RADIO in told:
        return radio
    others: dict[Part, Fault] = {part: fault for part, fault in state.faults.items() if part is not Part.RADIO}
    return radio_path(replace(state, faults=MappingProxyType(others)), now_ms)


def _last_good(state: NodeState, now_ms: int) -> str:
    tests = state.weekly_test
    if tests.good_ms is None and not (tests.good_at_s and wall_at_s(state, now_ms)):
        return "Last good: not known"
    age_ms = now_ms - weekly_test.since_ms(state, now_ms)
    if age_ms < 2 * _MS_PER_DAY:
        return fullest(f"Last good: {span(age_ms)} ago")
    days = f"{age_ms // _MS_PER_DAY} days"
    return fullest(f"Last good: {days} ago", f"Last good {days} ago", f"Last good: {days}")
