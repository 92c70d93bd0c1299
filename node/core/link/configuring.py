"""Settings from the fleet: when they are tried, and what decides a trial (ADR 0032).

An alert goes before settings. The node starts again, which takes a second or two in which no press is seen, only while
nobody needs it: no button is down, no alert of its own is open or on its way, no neighbour's alert is on the panel, and
its radio is silent. That is so for the start of a trial and for the return from one. With one exception: if a press
has got no receipt and the settings on trial have put the radio out of order, the return is what the alert needs, and
comes at once. A wrong line keys nothing and reports no fault: so it also comes if the radio path was proven before, is
not so with these settings, and the press has been without a receipt for a while. The press is on the disk, and the next
run sends it.

A trial is passed once the node has been steady for a while: central has answered, no part fails that worked before,
the transmit key has moved by order, and a radio path that was proven is proven again by a path test. It has failed
when a part stays out of order, or when its time is over. A button that was not stuck before, and is down from the
trial's start on, is such a part: a line that the settings name may hold it down. One that gets stuck later is not the
settings' doing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from msgspec.structs import replace

from node.core import parts
from node.core.controls import Part
from node.core.effects import CheckSettings, KeepSettings
from node.core.events import SettingsChecked, SettingsKept, SettingsReceived
from node.core.radio.path import RadioPath, radio_path
from node.core.state import NodeState, stuck_buttons
from node.core.table import ButtonPhase, PathPhase, Phase
from node.core.trial import MAY_FAIL, NONE, Before, Settled
from node.core.turn import Timer, Turn
from wire.frames import PathTest

RETRY_MS: Final = 60_000
"""After the disk has refused to keep them."""
_RADIO: Final = frozenset((Part.RADIO, Part.MODEM))
_AT_REST: Final = frozenset((ButtonPhase.UP, ButtonPhase.STUCK, ButtonPhase.STUCK_OPENING))
"""One that is stuck calls nobody, and may be so for weeks."""
_PRESSING: Final = frozenset((ButtonPhase.CLOSING, ButtonPhase.DOWN, ButtonPhase.OPENING))
"""What it means is not known yet, and would be lost."""
_NO_DISK: Final = "the card cannot be written"
FOUND_MS: Final = 2_000
"""A button that is down by then was found so at the start."""
_UNHEARD: Final = "an alert got no receipt, and no path test had come back by radio, as it did before"


def came(turn: Turn, event: SettingsReceived) -> None:
    """The authority's, by its signature. Ours, and newer than all that were judged?"""
    signed, configuring = event.signed, turn.state.configuring
    if signed.node != turn.settings.node:
        turn.reject("settings of another node")
        return
    if configuring.kept.is_on_trial:
        return  # One after the other: central offers these again.
    known = max(configuring.kept.newest, configuring.offered.serial, configuring.checking.serial)
    if signed.serial <= known:
        if signed.serial < known:
            turn.reject("old settings")
        return
    _keep(turn, checking=Settled(signed.serial, signed.data))
    turn.order(CheckSettings(signed))


def checked(turn: Turn, event: SettingsChecked) -> None:
    """Whether this node can be so at all. If not they are refused, and nothing else changes."""
    configuring = turn.state.configuring
    if event.serial != configuring.checking.serial:
        return  # Newer ones came meanwhile.
    if event.objection:
        kept = configuring.kept.refused(event.serial, event.objection)
        _keep(turn, checking=NONE, offered=NONE, kept=kept)
        turn.order(KeepSettings(kept))
        _tell(turn, "refused", event.serial)
    else:
        _keep(turn, checking=NONE, offered=configuring.checking, waits_for="")


def kept(turn: Turn, event: SettingsKept) -> None:
    """The disk has answered."""
    configuring = turn.state.configuring
    if not event.is_kept:
        _keep(turn, is_writing=False, retry_ms=turn.now_ms + RETRY_MS, waits_for=_NO_DISK)
        return
    if event.kept.is_on_trial and not event.kept.is_begun:
        # From here on the next start uses them, whenever it comes.
        _keep(turn, kept=event.kept, offered=NONE, is_writing=False, is_leaving=True)
        _tell(turn, "trial", event.kept.newest)
    elif configuring.kept.is_begun:
        is_over = event.kept.state == "returned"
        _keep(turn, kept=event.kept, is_writing=False, is_leaving=is_over, is_trial=is_over)
        _tell(turn, event.kept.state, event.kept.newest)


def key_proven(turn: Turn) -> None:
    """The transmit key has moved by order."""
    _keep(turn, is_key_proven=True)


def settle(turn: Turn) -> bool:
    """Decide what is due; returns whether the node is to start again now."""
    state, configuring = turn.state, turn.state.configuring
    if configuring.is_leaving:
        return not needs_us(state) or _is_alert_stuck(state, turn.now_ms)
    if configuring.is_writing or (configuring.retry_ms or 0) > turn.now_ms:
        return False
    if configuring.kept.is_begun:
        _judge(turn)
    elif configuring.offered.serial:
        _begin(turn)
    return False


def needs_us(state: NodeState) -> str:
    """Why the node must not start again now; empty = it may."""
    own = (state.incidents.get(key) for key in state.recent)
    rows = (row.signed.frame for _, row in state.outbox.rows.oldest())
    if (
        # What was sent unsaved is among the rows until central has it. A disk that never takes it holds nothing up.
        any(draft.signed is None for draft in state.drafts)
        or any(press.phase not in _AT_REST for press in state.buttons.values())
        or any(incident is not None and incident.phase is not Phase.CLOSED for incident in own)
        or any(not isinstance(frame, PathTest) for frame in rows)
    ):
        return "an alert here is open"
    if state.neighbours:
        return "a neighbour's alert is on the panel"
    return "the radio is on the air" if state.radio.over is not None else ""


def may_restart(state: NodeState) -> bool:
    """Whether the machine may start again: nobody needs the node, and no settings are on trial."""
    configuring = state.configuring
    return not (needs_us(state) or configuring.kept.is_on_trial or configuring.is_leaving)


def timers(state: NodeState) -> Iterator[Timer]:
    """When a trial may be passed, and when its time is over; when the disk is asked again."""
    configuring = state.configuring
    if configuring.retry_ms is not None and configuring.retry_ms > state.now_ms:
        yield configuring.retry_ms, _nothing
    if configuring.kept.is_begun and not configuring.is_leaving and not configuring.is_writing:
        for moment_ms in (*_steady(state), _until_ms(state)):
            if moment_ms > state.now_ms:
                yield moment_ms, _nothing


def _nothing(_turn: Turn) -> None:
    """The machine settles after every timer."""


def _begin(turn: Turn) -> None:
    state, configuring = turn.state, turn.state.configuring
    waits_for = needs_us(state)
    if not waits_for and state.central.path is not PathPhase.PROVEN:
        waits_for = "no contact with central"
    if waits_for != configuring.waits_for:
        _keep(turn, waits_for=waits_for)
        parts.tell_soon(turn)
    if waits_for:
        return
    before = Before(
        tuple(sorted(MAY_FAIL & state.faults.keys())),
        radio_path(state, turn.now_ms) is RadioPath.READY,
        stuck_buttons(state.buttons),
    )
    _keep(turn, is_writing=True)
    turn.order(KeepSettings(configuring.kept.tried(configuring.offered, before)))


def _judge(turn: Turn) -> None:
    state, on_disk = turn.state, turn.state.configuring.kept
    steady_ms = turn.timing.settings_steady_ms
    broken = any(turn.now_ms - since_ms >= steady_ms for _, since_ms in _broken(state).values())
    missing, is_stuck = _missing(state, turn.now_ms), _is_alert_stuck(state, turn.now_ms)
    if broken or is_stuck or (missing and turn.now_ms >= _until_ms(state)):
        _keep(turn, is_writing=True, is_leaving=True)
        reason = _UNHEARD if is_stuck and not _broken(state) else missing
        turn.order(KeepSettings(on_disk.returned(reason)))
    elif not missing and turn.now_ms >= state.started_ms + steady_ms:
        _keep(turn, is_writing=True)
        turn.order(KeepSettings(on_disk.taken()))


def _missing(state: NodeState, now_ms: int) -> str:
    """What is not as it was before, in words; empty = all is."""
    for part, (detail, _) in _broken(state).items():
        return f"{part}: {detail}"
    if state.central.path is not PathPhase.PROVEN:
        return "no contact with central"
    radio = state.settings.radio
    if radio is not None and radio.has_key and Part.RADIO not in state.faults and not state.configuring.is_key_proven:
        return "the transmit key did not move"
    return "no path test came back by radio, as it did before" if _is_unproven(state, now_ms) else ""


def _is_unproven(state: NodeState, now_ms: int) -> bool:
    """Whether the radio path was proven before the trial, and is not with its settings, which let it transmit."""
    radio = state.settings.radio
    is_wanted = state.configuring.kept.before.is_radio_proven and radio is not None and bool(radio.licence)
    return is_wanted and radio_path(state, now_ms) is not RadioPath.READY


def _broken(state: NodeState) -> dict[Part, tuple[str, int]]:
    """Parts that fail now and did not before: what is wrong, and since when."""
    before, faults = state.configuring.kept.before, state.faults
    found = {part: (faults[part].detail, faults[part].since_ms) for part in sorted(MAY_FAIL & faults.keys())}
    stuck = [
        button
        for button in stuck_buttons(state.buttons)
        if button not in before.stuck and state.buttons[button].down_ms < state.started_ms + FOUND_MS
    ]
    if stuck:
        found.setdefault(Part.BUTTONS, (f"{', '.join(stuck)} down since the start", state.started_ms))
    return {part: wrong for part, wrong in found.items() if part not in before.faults}


def _is_alert_stuck(state: NodeState, now_ms: int) -> bool:
    """Whether a press has got no receipt, and the radio that should carry it does not work by the settings on trial."""
    if not state.configuring.is_trial or state.drafts or any(p.phase in _PRESSING for p in state.buttons.values()):
        return False
    timing = state.settings.timing
    if _RADIO & _broken(state).keys():
        wait_ms = timing.receipt_due_ms
    elif _is_unproven(state, now_ms) and state.radio.over is None:
        wait_ms = timing.settings_steady_ms
    else:
        return False
    return any(
        not isinstance(row.signed.frame, PathTest) and (row.pressed_ms is None or now_ms - row.pressed_ms >= wait_ms)
        for _, row in state.outbox.rows.oldest()
    )


def _steady(state: NodeState) -> tuple[int, ...]:
    steady_ms = state.settings.timing.settings_steady_ms
    return (state.started_ms + steady_ms, *(since_ms + steady_ms for _, since_ms in _broken(state).values()))


def _until_ms(state: NodeState) -> int:
    return state.started_ms + state.settings.timing.settings_trial_ms


def _tell(turn: Turn, word: str, serial: int) -> None:
    _keep(turn, since_ms=turn.now_ms)
    turn.fact("settings", None, state=word, serial=str(serial))
    parts.tell_soon(turn)


def _keep(turn: Turn, **changes: Any) -> None:  # noqa: ANN401 - fields of Configuring, checked by replace()
    turn.state.configuring = replace(turn.state.configuring, **changes)
