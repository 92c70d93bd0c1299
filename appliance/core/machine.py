"""The machine: an event in, the new state and orders out. docs/updates.md has its table.

It writes the system that does not run, asks for one restart into it, and keeps it only once it works as the old one
did. Whatever does not get that far falls back with the next restart, because nothing else changes what the card boots.
"""

from __future__ import annotations

from msgspec.structs import replace

from appliance.core import events, health
from appliance.core.effects import (
    AskRelease,
    CommitSlot,
    DropBundles,
    FetchBundle,
    InstallBundle,
    RestartBack,
    RestartOnTrial,
    SaveNotes,
)
from appliance.core.notes import Before, Notes, Trial
from appliance.core.slot import other
from appliance.core.state import (
    AGAIN_MS,
    ATTEMPTS_MAX,
    FAILURES_MAX,
    FIRST_ASK_MS,
    ON_AIR_MS,
    PROVEN_MS,
    RESTART_MS,
    RETURNS_MAX,
    ROOM_AGAIN_MS,
    TRIAL_MS,
    State,
    Step,
    Unit,
)
from wire.messages import UpdateReport
from wire.release import Bundle, Release, version_numbers


def begin(unit: Unit, notes: Notes, release: Release | None, now_ms: int) -> Step:
    """The program starts: what the boot says of a trial.

    Args:
        unit: in this boot.
        notes: as they are on the card.
        release: that the notes hold; ``None`` = none, or it can no longer be read.
        now_ms: since the machine started.
    """
    state = State(unit=unit, notes=notes, release=release, heard_ms=now_ms)
    state = replace(state, ask_ms=now_ms + state.within(int(FIRST_ASK_MS * (1 + unit.jitter))))
    trial = notes.trial
    if trial is None or not trial.asked_in or unit.booted is None or unit.primary is None:
        return Step(state)
    if state.kept:  # The power went after the card was told, and before that was noted.
        return _ended(state, trial, "taken")
    if unit.booted == trial.slot:
        if trial.has_begun:
            return Step(state)
        return _noted(state, replace(notes, trial=replace(trial, has_begun=True)))
    if trial.asked_in == unit.boot_id:  # The restart is still to come: this program was started anew.
        return Step(replace(state, notes=replace(notes, trial=replace(trial, asked_in=""))))
    return _came_back(state, trial)


def step(state: State, event: events.Event, now_ms: int) -> Step:
    """What follows from an event.

    Args:
        state: before it.
        event: what happened.
        now_ms: since the machine started.
    """
    taken = _take(state, event, now_ms)
    if isinstance(event, events.EffectFailed):
        return taken
    decided = _decide(taken.state, now_ms)
    return Step(decided.state, (*taken.effects, *decided.effects))


def report(state: State, now_ms: int) -> UpdateReport | None:
    """What became of the newest update that was for this unit; ``None`` = there has been none."""
    trial = state.on_trial or state.kept
    if trial is not None:
        return _report(trial, "trying" if state.on_trial else "taken", trial.reason)
    bundle, refusal = wanted(state)
    release = state.release
    if release is None or (bundle is None and not refusal):
        return state.notes.outcome
    if refusal:
        return _report(release, "refused", refusal)
    if not state.is_clock_proven:
        return _report(release, "waiting", "The time is not known yet.")
    if _is_ready(state, bundle) or state.doing == "restarting":
        return _report(release, "waiting", state.trouble or health.why_no_trial(state, now_ms))
    return _report(release, "fetching", state.trouble)


def wanted(state: State) -> tuple[Bundle | None, str]:
    """The bundle that this unit is to run and does not, or why it is refused; neither = there is nothing to do."""
    release, unit = state.release, state.unit
    if release is None or not release.applies_to(unit.node) or release.version == unit.version:
        return None, ""
    outcome = state.notes.outcome
    if outcome is not None and (outcome.serial, outcome.version) == (release.serial, release.version):
        return None, ""  # It was returned or refused. Another release may name it again.
    bundle = release.bundle_for(unit.compatible)
    refusal = _refusal(state, release)
    return (None, refusal) if refusal else (bundle, "")


def _refusal(state: State, release: Release) -> str:
    unit = state.unit
    if unit.booted is None or unit.booted != unit.primary:
        return "It is not clear which system this unit starts."  # What would be written over may be the good one.
    if state.card_fault or unit.why_no_trial:
        return state.card_fault or unit.why_no_trial
    if release.bundle_for(unit.compatible) is None:
        return "It holds nothing for this hardware."
    if _is_older(release.version, unit.version) and not release.is_rollback:
        return "It is older than what this unit runs."
    if state.notes.returns.get(release.version, 0) >= RETURNS_MAX:
        return f"This unit has gone back from it {RETURNS_MAX} times."
    return ""


def _take(state: State, event: events.Event, now_ms: int) -> Step:  # noqa: PLR0911 - one for each event
    match event:
        case events.ReleaseSeen(release, sealed):
            return _seen(_asked(state, now_ms), release, sealed)
        case events.NothingNew(again_s):
            asked = _asked(state, now_ms)
            return Step(replace(asked, ask_ms=max(asked.ask_ms, now_ms + again_s * 1000)))
        case events.VitalsRead(vitals):
            return Step(_with_vitals(replace(state, vitals=vitals), now_ms))
        case events.CardChecked(fault):
            return Step(replace(state, card_fault=fault))
        case events.ClockProven():
            return Step(replace(state, is_clock_proven=True))
        case events.EffectFailed():
            return Step(_refused_by_card(state, event, now_ms))
        case events.Ticked():
            is_over = state.doing == "restarting" and now_ms - state.doing_since_ms >= RESTART_MS
            return Step(replace(state, doing="") if is_over else state)
        case _:
            return _answered(replace(state, doing=""), event, now_ms)


def _answered(state: State, event: events.Answer, now_ms: int) -> Step:
    again_ms = now_ms + state.within(AGAIN_MS)
    match event:
        case events.BundleFetched(sha256):
            return _fetched(replace(state, trouble=""), sha256)
        case events.FetchFailed(why, reason, again_s):
            wait_ms = max(state.within(ROOM_AGAIN_MS if why == "no room" else AGAIN_MS), again_s * 1000)
            return _failed(state, reason, now_ms + wait_ms, is_counted=why == "corrupt")
        case events.InstallFailed(reason, is_final):
            return _failed(state, reason, again_ms, is_counted=True, is_final=is_final)
        case events.Installed(sha256):
            return _installed(replace(state, trouble=""), sha256)


def _refused_by_card(state: State, event: events.EffectFailed, now_ms: int) -> State:
    if isinstance(event.of, events.ReleaseSeen):
        # It counts until the next start, and is noted with whatever is noted next: if the card is full, only the
        # fetching says how much lacks.
        state = _seen(state, event.of.release, event.of.sealed).state
    again_ms = now_ms + state.within(AGAIN_MS)
    doing = "" if isinstance(event.of, events.Answer) else state.doing
    state = replace(state, trouble=event.reason, again_ms=again_ms, doing=doing)
    trial = state.on_trial
    if trial is None or now_ms < state.within(TRIAL_MS):
        return state
    # Given up all the same, though nobody will read why.
    return replace(state, notes=replace(state.notes, trial=replace(trial, reason=event.reason)))


def _asked(state: State, now_ms: int) -> State:
    return replace(state, ask_ms=now_ms + int(state.unit.ask_every_ms * (0.8 + 0.4 * state.unit.jitter)))


def _seen(state: State, release: Release, sealed: bytes) -> Step:
    if state.release is not None and release.serial <= state.release.serial:
        return Step(state)
    ends = state.notes.support_ends
    kept = {version: ends[version] for version in ends if version == state.unit.version}
    notes = replace(state.notes, sealed=sealed, support_ends=kept | {release.version: release.support_ends_at})
    return _noted(replace(state, release=release, failures=0, again_ms=0, trouble=""), notes)


def _failed(state: State, reason: str, again_ms: int, *, is_counted: bool, is_final: bool = False) -> Step:
    state = replace(state, trouble=reason, again_ms=again_ms, failures=state.failures + is_counted)
    release = state.release
    if release is None or not (is_final or state.failures >= FAILURES_MAX):
        return Step(state)
    outcome = _report(release, "refused", reason)
    return _noted(replace(state, trouble=""), replace(state.notes, outcome=outcome))


def _fetched(state: State, sha256: str) -> Step:
    bundle, _ = wanted(state)
    if bundle is None or bundle.sha256 != sha256:  # Another release has come.
        return Step(state)
    # What waited there is written over. And a card that takes no note of that is not written to again and again.
    noted = _noted(state, replace(state.notes, trial=None))
    return Step(replace(noted.state, doing="installing"), (*noted.effects, InstallBundle(bundle)))


def _installed(state: State, sha256: str) -> Step:
    release, booted = state.release, state.unit.booted
    bundle, _ = wanted(state)
    if release is None or bundle is None or booted is None or bundle.sha256 != sha256:
        return Step(state)
    trial = Trial(release.serial, release.version, bundle.sha256, other(booted))
    return _noted(state, replace(state.notes, trial=trial))


def _with_vitals(state: State, now_ms: int) -> State:
    vitals = health.fresh(state, now_ms)
    if vitals is None:
        return replace(state, quiet_since_ms=None)
    since_ms = state.quiet_since_ms
    return replace(
        state,
        heard_ms=now_ms,
        quiet_since_ms=(now_ms if since_ms is None else since_ms) if vitals.may_restart else None,
        was_linked=state.was_linked or vitals.is_linked,
    )


def _decide(state: State, now_ms: int) -> Step:
    """What is due. A system on trial comes first, and one whose notes are lost is left: nobody could keep it."""
    trial = state.on_trial
    if state.doing == "restarting":
        return Step(state)
    if trial is not None:
        return _return_when_quiet(state, now_ms) if trial.reason else _prove(state, trial, now_ms)
    if state.is_stranded and now_ms >= state.within(TRIAL_MS):
        return _return_when_quiet(state, now_ms)
    if state.is_clock_proven and now_ms >= state.ask_ms:
        return Step(_asked(state, now_ms), (AskRelease(),))
    if state.doing or now_ms < state.again_ms:
        return Step(state)
    return _update(state, now_ms) if state.kept is None else _ended(state, state.kept, "taken")


def _update(state: State, now_ms: int) -> Step:
    bundle, refusal = wanted(state)
    is_ready = _is_ready(state, bundle)
    if state.may_hold_bundle and (bundle is None or is_ready):
        return Step(replace(state, may_hold_bundle=False), (DropBundles(),))
    # Without a proven clock no certificate can be judged: not the service's, not the bundle's. And a trial that is not
    # noted for good would be made again and again.
    is_clear = state.unit.booted is not None and state.unit.booted == state.unit.primary
    if not (is_clear and state.is_clock_proven) or state.card_fault:
        return Step(state)
    if state.release is not None and refusal:
        outcome = _report(state.release, "refused", refusal)
        return _noted(state, replace(state.notes, outcome=outcome))
    if bundle is None:
        return Step(state)
    if is_ready:
        return _try(state, now_ms)
    doing = replace(state, doing="fetching", doing_since_ms=now_ms, may_hold_bundle=True)
    return Step(doing, (FetchBundle(bundle),))


def _try(state: State, now_ms: int) -> Step:
    """Restart into the system that was written, once the node lets it. Noted first: whoever wakes up must know why."""
    trial, release = state.notes.trial, state.release
    if trial is None or release is None or health.why_no_trial(state, now_ms):
        return Step(state)
    vitals = state.vitals
    before = Before() if vitals is None else Before(vitals.faulty, vitals.stuck)
    asked = replace(
        trial,
        serial=release.serial,
        asked_in=state.unit.boot_id,
        attempts=trial.attempts + 1,
        before=before,
        has_begun=False,
    )
    noted = _noted(state, replace(state.notes, trial=asked))
    doing = replace(noted.state, doing="restarting", doing_since_ms=now_ms)
    return Step(doing, (*noted.effects, RestartOnTrial()))


def _prove(state: State, trial: Trial, now_ms: int) -> Step:
    problem = health.problem(state, trial, now_ms)
    since_ms = None if problem else state.good_since_ms
    state = replace(state, good_since_ms=None if problem else now_ms if since_ms is None else since_ms)
    if since_ms is not None and now_ms - since_ms >= state.within(PROVEN_MS):
        # The card first, and then the notes: if the power goes between, the next start finds what the card boots.
        return Step(replace(state, unit=replace(state.unit, primary=trial.slot)), (CommitSlot(trial.slot),))
    if not problem or now_ms < state.within(TRIAL_MS):  # What works at the last moment is proven to its end.
        return Step(state)
    return _noted(state, replace(state.notes, trial=replace(trial, reason=problem)))


def _return_when_quiet(state: State, now_ms: int) -> Step:
    """Back to the old system. A press that nobody sees for a minute is worse than a part that does not work.

    But a system that has never reached central keeps an alert from it: then the old one is what the alert needs, once
    the radio has said it. And of a node that is silent nothing is interrupted.
    """
    since_ms = now_ms if state.leaving_since_ms is None else state.leaving_since_ms
    state, vitals = replace(state, leaving_since_ms=since_ms), health.fresh(state, now_ms)
    if vitals is not None and state.was_linked and not health.is_quiet(state, now_ms):
        return Step(state)
    if vitals is not None and vitals.is_on_air and now_ms - since_ms < state.within(ON_AIR_MS):
        return Step(state)
    return Step(replace(state, doing="restarting", doing_since_ms=now_ms), (RestartBack(),))


def _came_back(state: State, trial: Trial) -> Step:
    """The old system runs again after a trial."""
    if trial.reason:
        return _ended(state, trial, "returned", trial.reason)
    if trial.attempts < ATTEMPTS_MAX:
        return _noted(state, replace(state.notes, trial=replace(trial, asked_in="", has_begun=False)))
    reason = "It stopped before it was proven." if trial.has_begun else "It did not come up."
    return _ended(state, trial, "returned", reason)


def _ended(state: State, trial: Trial, how: str, reason: str = "") -> Step:
    outcome = _report(trial, how, reason)
    returns = state.notes.returns
    if how == "returned":
        returns = returns | {trial.version: returns.get(trial.version, 0) + 1}
    return _noted(state, replace(state.notes, trial=None, outcome=outcome, returns=returns))


def _noted(state: State, notes: Notes) -> Step:
    return Step(replace(state, notes=notes), (SaveNotes(notes),))


def _is_ready(state: State, bundle: Bundle | None) -> bool:
    trial = state.notes.trial
    return trial is not None and bundle is not None and trial.sha256 == bundle.sha256 and not trial.asked_in


def _is_older(version: str, than: str) -> bool:
    ours, theirs = version_numbers(than), version_numbers(version)
    return ours is not None and theirs is not None and theirs < ours


def _report(of: Release | Trial, state: str, reason: str = "") -> UpdateReport:
    return UpdateReport(serial=of.serial, version=of.version, state=state, reason=reason)
