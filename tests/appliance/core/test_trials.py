"""How a system on trial is proven, kept, left and told of (F4)."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from appliance.core import effects, events
from appliance.core.machine import step
from appliance.core.notes import Before, Notes
from appliance.core.state import PROVEN_MS, TRIAL_MS
from tests.support.played_unit import AT, BUNDLE, RELEASE, UNIT, WRITTEN, Played, on_trial
from wire.messages import UpdateReport


def test_system_is_kept_after_three_minutes_without_a_fault_and_not_before() -> None:
    played = on_trial()
    assert [] == played.pass_s(PROVEN_MS // 1000)

    commit, noted = played.pass_s(10)
    assert effects.CommitSlot("b") == commit
    assert isinstance(noted, effects.SaveNotes)
    assert (None, "taken") == (noted.notes.trial, noted.notes.outcome and noted.notes.outcome.state)
    assert [effects.DropBundles()] == played.pass_s(3_600, is_linked=False)


def test_system_that_is_kept_stays_though_the_card_takes_no_note_of_it() -> None:
    played = on_trial()
    played.pass_s(PROVEN_MS // 1000)
    played.now_ms += 10_000
    assert [effects.CommitSlot("b")] == played.take(events.VitalsRead(played.vitals()))
    played.ordered.clear()
    while played.now_ms < 2 * TRIAL_MS:
        before = played.state
        if played.pass_s(10):
            played.state = step(before, events.EffectFailed("The card refuses.", events.Ticked()), played.now_ms).state

    assert effects.RestartBack() not in played.ordered
    assert ("taken", "") == played.said
    assert "taken" == (played.pass_s(600) and played.state.notes.outcome and played.state.notes.outcome.state)


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ({"faulty": ("oled", "sounder")}, "Did not work: oled."),
        ({"stuck": ("attack",)}, "Held down: attack."),
        ({"is_armed": False}, "The node did not start."),
        ({"is_linked": False}, "Central was not reached."),
        ({"silent": True}, "The node did not start."),
    ],
    ids=str,
)
def test_what_worked_before_must_work_or_the_unit_goes_back(how: dict[str, Any], reason: str) -> None:
    """Each fault begins the three minutes anew; what was broken before is nobody's fault."""
    played = on_trial(Before(("sounder",), ("assist",)))
    played.pass_s(140, faulty=("sounder",), stuck=("assist",))
    played.pass_s(TRIAL_MS // 1000, **how)

    assert effects.CommitSlot("b") not in played.ordered
    noted, back = played.ordered[-2:]
    assert isinstance(noted, effects.SaveNotes)
    assert reason == (noted.notes.trial and noted.notes.trial.reason)
    assert effects.RestartBack() == back
    assert ("trying", reason) == played.said


def test_system_that_works_again_in_the_last_moment_is_proven_to_its_end() -> None:
    played = on_trial()
    played.pass_s(500, is_linked=False)
    played.pass_s(200)

    assert effects.CommitSlot("b") in played.ordered


def test_unit_goes_back_only_when_nobody_needs_it() -> None:
    played = on_trial()
    played.pass_s(60)
    played.pass_s(3_600, faulty=("oled",), may_restart=False)
    assert effects.RestartBack() not in played.ordered

    assert effects.RestartBack() in played.pass_s(60, faulty=("oled",))


def test_alert_that_the_new_system_never_brought_to_central_holds_no_return_up() -> None:
    played = on_trial()

    assert effects.RestartBack() in played.pass_s(TRIAL_MS // 1000, is_linked=False, may_restart=False)


def test_return_waits_for_the_end_of_a_burst_and_not_for_ever() -> None:
    """The radio is then the only way that the alert has."""
    how: dict[str, Any] = {"is_linked": False, "may_restart": False}
    back = []
    for on_air_s in (70, 250):
        played = on_trial()
        played.pass_s(TRIAL_MS // 1000 - 40, **how)
        played.pass_s(on_air_s, is_on_air=True, **how)
        played.pass_s(60, **how)
        back.append(played.state.doing_since_ms - TRIAL_MS)

    assert [70_000, 90_000] == back


def test_image_that_calls_itself_otherwise_than_its_release_is_returned() -> None:
    """Or the unit would update itself for ever."""
    played = on_trial(unit=replace(UNIT, version="1.0.5", booted="b"))
    played.pass_s(TRIAL_MS // 1000)

    assert effects.CommitSlot("b") not in played.ordered
    assert ("trying", "It calls itself 1.0.5.") == played.said


def test_card_that_does_not_take_the_new_system_is_given_up_even_if_it_takes_no_note() -> None:
    played = on_trial()
    played.pass_s(PROVEN_MS // 1000)
    before = played.state
    while played.now_ms < TRIAL_MS:
        played.state = before
        played.now_ms += 10_000
        before = step(before, events.EffectFailed("The card refuses.", events.Ticked()), played.now_ms).state
    played.state = before

    assert ("trying", "The card refuses.") == played.said
    assert effects.RestartBack() in played.pass_s(60)


@pytest.mark.parametrize(
    ("unit", "trial", "state", "reason"),
    [
        ({"booted": "b", "primary": "b"}, {}, "taken", ""),
        ({}, {"reason": "Did not work: oled."}, "returned", "Did not work: oled."),
        ({}, {"attempts": 2}, "returned", "It did not come up."),
        ({}, {"attempts": 2, "has_begun": True}, "returned", "It stopped before it was proven."),
    ],
    ids=str,
)
def test_start_after_a_trial_says_how_it_ended(
    unit: dict[str, Any], trial: dict[str, Any], state: str, reason: str
) -> None:
    noted = replace(WRITTEN, asked_in="zero", attempts=1)
    played = Played(replace(UNIT, **unit), Notes(trial=replace(noted, **trial)), RELEASE)

    assert (state, reason) == played.said
    assert played.state.notes.trial is None
    assert [effects.SaveNotes(played.state.notes)] == played.ordered


def test_system_of_which_nothing_was_heard_is_tried_once_more() -> None:
    """The power may have gone. A second time it is the system's own fault."""
    played = Played(notes=Notes(trial=replace(WRITTEN, asked_in="zero", attempts=1)), release=RELEASE)
    played.take(events.ClockProven())

    assert effects.RestartOnTrial() in played.pass_s(60)
    assert 2 == (played.state.notes.trial and played.state.notes.trial.attempts)


def test_program_that_starts_anew_between_note_and_restart_asks_again() -> None:
    played = Played(notes=Notes(trial=replace(WRITTEN, asked_in="one", attempts=1)), release=RELEASE)
    played.take(events.ClockProven())

    assert [] == [one for one in played.ordered if isinstance(one, effects.SaveNotes)]
    assert effects.RestartOnTrial() in played.pass_s(60)


def test_version_that_was_taken_back_is_tried_again_only_if_named_anew_and_three_times_at_most() -> None:
    outcome = UpdateReport(serial=5, version="1.1", state="returned", reason="It did not come up.")
    played = Played(notes=Notes(outcome=outcome, returns={"1.1": 1}), release=RELEASE)
    played.take(events.ClockProven())
    played.pass_s(3_600)
    assert not [one for one in played.ordered if isinstance(one, effects.FetchBundle)]
    assert outcome == played.report

    assert effects.FetchBundle(BUNDLE) in played.take(events.ReleaseSeen(replace(RELEASE, serial=6), b""))
    third = Played(notes=Notes(outcome=outcome, returns={"1.1": 3}), release=replace(RELEASE, serial=7))
    third.take(events.ClockProven())
    assert ("refused", "This unit has gone back from it 3 times.") == third.said


@pytest.mark.parametrize("unit", [{"booted": None}, {"primary": None}], ids=str)
def test_unit_that_does_not_know_what_it_starts_writes_nothing_over(unit: dict[str, Any]) -> None:
    played = Played(replace(UNIT, **unit), release=RELEASE)
    played.take(events.ClockProven())
    played.pass_s(3_600)

    assert {effects.AskRelease, effects.DropBundles} == {type(one) for one in played.ordered}
    assert "It is not clear which system this unit starts." in played.said


def test_system_on_trial_whose_notes_are_lost_is_left_once_nobody_needs_it() -> None:
    """Nobody could keep it, and while it runs nothing is written over."""
    played = Played(replace(UNIT, booted="b"), release=RELEASE)
    played.take(events.ClockProven())
    played.pass_s((TRIAL_MS - played.now_ms) // 1000 - 10)
    assert "It is not clear which system this unit starts." in played.said
    played.pass_s(3_600, may_restart=False)
    assert {effects.AskRelease, effects.DropBundles} == {type(one) for one in played.ordered}

    assert [effects.RestartBack()] == played.pass_s(60)


def test_system_without_notes_whose_node_never_starts_is_left() -> None:
    played = Played(replace(UNIT, booted="b"))

    assert effects.RestartBack() in played.pass_s(TRIAL_MS // 1000, is_armed=False, is_linked=False)
    assert effects.RestartBack() in Played(replace(UNIT, booted="b")).pass_s(TRIAL_MS // 1000, silent=True)


def test_end_of_support_is_known_of_what_runs_and_of_what_comes() -> None:
    notes = Notes(support_ends={"1.0": AT, "0.9": AT})
    played = Played(notes=notes)
    played.take(events.ReleaseSeen(RELEASE, b"sealed"))

    assert {"1.0": AT, "1.1": AT} == played.state.notes.support_ends


def test_tests_of_an_image_may_hurry() -> None:
    played = on_trial(unit=replace(UNIT, version="1.1", booted="b", hurry=6))

    assert effects.CommitSlot("b") in played.pass_s(50)
