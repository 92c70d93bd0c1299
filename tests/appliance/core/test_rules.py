"""What an update waits for, and what it refuses (F4). The whole of it is played in test_simulated_unit.py."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from appliance.core import effects, events
from appliance.core.effects import Effect
from appliance.core.machine import begin, report, step
from appliance.core.notes import Before, Notes, Trial
from appliance.core.state import PROVEN_MS, TRIAL_MS, State, Unit
from wire.messages import UpdateReport
from wire.release import Bundle, Release
from wire.unit_files import Vitals

NODE = "00000007"
UNIT = Unit(node=NODE, version="1.0", compatible="watchlink-pc", booted="a", primary="a", boot_id="one")
BUNDLE = Bundle(compatible="watchlink-pc", sha256="ab" * 32, size_bytes=9)
AT = datetime(2026, 11, 28, tzinfo=UTC)
RELEASE = Release(serial=5, made_at=AT, version="1.1", state="open", bundles=(BUNDLE,), support_ends_at=AT, percent=100)
WRITTEN = Trial(serial=5, version="1.1", sha256=BUNDLE.sha256, slot="b")


class Played:
    """A unit to which things happen."""

    def __init__(self, unit: Unit = UNIT, notes: Notes | None = None, release: Release | None = None) -> None:
        self.now_ms = 30_000
        begun = begin(unit, notes or Notes(), release, self.now_ms)
        self.state: State = begun.state
        self.ordered: list[Effect] = list(begun.effects)

    def take(self, event: events.Event) -> list[Effect]:
        done = step(self.state, event, self.now_ms)
        self.state = done.state
        self.ordered += done.effects
        return list(done.effects)

    def pass_s(self, seconds: int, **vitals: object) -> list[Effect]:
        """Time passes, and the node says every ten seconds how it is; nothing if it is silent."""
        ordered = []
        for _ in range(seconds // 10):
            self.now_ms += 10_000
            if not vitals.get("silent"):
                ordered += self.take(events.VitalsRead(self.vitals(**vitals)))
            ordered += self.take(events.Ticked())
        return ordered

    def vitals(self, **how: object) -> Vitals:
        kind: dict[str, Any] = {"is_armed": True, "is_linked": True, "may_restart": True, **how}
        return Vitals(node=NODE, boot_id="run", written_at_ms=self.now_ms, **kind)

    @property
    def report(self) -> UpdateReport | None:
        return report(self.state, self.now_ms)

    @property
    def said(self) -> tuple[str, str]:
        said = self.report
        return (said.state, said.reason) if said else ("", "")


def waiting(**changes: object) -> Played:
    """Written, and about to be tried."""
    changed: dict[str, Any] = changes
    played = Played(notes=Notes(trial=WRITTEN), release=replace(RELEASE, **changed))
    played.take(events.ClockProven())
    return played


def on_trial(before: Before | None = None, unit: Unit | None = None) -> Played:
    trial = replace(WRITTEN, asked_in="zero", attempts=1, has_begun=True, before=before or Before())
    return Played(unit or replace(UNIT, version="1.1", booted="b"), Notes(trial=trial), RELEASE)


def seen(release: Release) -> Played:
    played = Played()
    played.take(events.ClockProven())
    played.take(events.ReleaseSeen(release, b"sealed"))
    return played


def test_release_is_on_the_card_before_anything_is_fetched() -> None:
    played = seen(RELEASE)

    _, noted, fetch = played.ordered
    assert isinstance(noted, effects.SaveNotes)
    assert b"sealed" == noted.notes.sealed
    assert effects.FetchBundle(BUNDLE) == fetch


@pytest.mark.parametrize(
    "change",
    [
        {"state": "paused"},
        {"percent": 0},
        {"percent": 0, "canaries": ("00000008",)},
        {"version": "1.0"},
    ],
    ids=str,
)
def test_release_for_others_or_of_what_runs_asks_for_nothing(change: dict[str, Any]) -> None:
    played = seen(replace(RELEASE, **change))

    assert [effects.SaveNotes] == [type(one) for one in played.ordered if one != effects.DropBundles()]
    assert played.report is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"version": "0.9"}, "It is older than what this unit runs."),
        ({"bundles": (replace(BUNDLE, compatible="watchlink-pi"),)}, "It holds nothing for this hardware."),
    ],
    ids=["older", "hardware"],
)
def test_release_that_must_not_be_is_refused_once_and_told(change: dict[str, Any], reason: str) -> None:
    played = seen(replace(RELEASE, **change))
    played.pass_s(600)

    assert ("refused", reason) == played.said
    assert [effects.SaveNotes, effects.SaveNotes] == [
        type(one) for one in played.ordered if not isinstance(one, (effects.AskRelease, effects.DropBundles))
    ]


def test_refusal_that_the_card_does_not_note_asks_the_service_no_more_often() -> None:
    played = Played(release=replace(RELEASE, version="0.9"))
    played.take(events.ClockProven())
    asked = 0
    for _ in range(360):
        before = played.state
        if effects.SaveNotes in map(type, ordered := played.pass_s(10)):
            played.state = step(before, events.EffectFailed("The card refuses."), played.now_ms).state
        asked += ordered.count(effects.AskRelease())

    assert 3 <= asked <= 5
    assert ("refused", "It is older than what this unit runs.") == played.said


@pytest.mark.parametrize("change", [{"state": "paused"}, {"version": "0.9"}, {"percent": 0}], ids=str)
def test_what_was_fetched_of_a_release_that_is_wanted_no_more_makes_room(change: dict[str, Any]) -> None:
    played = seen(RELEASE)
    played.take(events.FetchFailed("cut", "The connection broke off."))
    played.ordered.clear()
    played.take(events.ReleaseSeen(replace(RELEASE, serial=6, **change), b"sealed"))
    played.pass_s(600)

    assert 1 == played.ordered.count(effects.DropBundles())


def test_bundle_that_is_written_makes_room_once_that_is_noted() -> None:
    """And once more after a power cut in between."""
    played = seen(RELEASE)
    played.take(events.BundleFetched(BUNDLE.sha256))
    noted, dropped = played.take(events.Installed(BUNDLE.sha256))

    assert isinstance(noted, effects.SaveNotes)
    assert effects.DropBundles() == dropped
    assert 1 == waiting().ordered.count(effects.DropBundles())


@pytest.mark.parametrize("notes", [Notes(), Notes(trial=WRITTEN)], ids=["new", "written already"])
def test_card_that_forgets_takes_no_update_and_says_so(notes: Notes) -> None:
    """A trial that nobody remembers would be made for ever."""
    played = Played(notes=notes, release=RELEASE)
    played.take(events.CardChecked("It can only be read."))
    played.take(events.ClockProven())
    played.pass_s(7_200)

    assert {effects.AskRelease, effects.DropBundles} == {type(one) for one in played.ordered}
    assert ("refused", "It can only be read.") == played.said
    played.take(events.CardChecked(""))
    played.pass_s(60)
    assert {effects.FetchBundle, effects.RestartOnTrial} & {type(one) for one in played.ordered}


def test_older_one_is_fetched_if_the_fleet_says_that_it_goes_back() -> None:
    assert effects.FetchBundle(BUNDLE) in seen(replace(RELEASE, version="0.9", is_rollback=True)).ordered


@pytest.mark.parametrize("serial", [4, 5])
def test_release_that_is_not_newer_than_the_one_held_counts_for_nothing(serial: int) -> None:
    """Whoever keeps an old one, and shows it again, leads no unit back."""
    played = Played(release=replace(RELEASE, state="paused"))
    played.take(events.ClockProven())

    assert [] == played.take(events.ReleaseSeen(replace(RELEASE, serial=serial), b"sealed"))


def test_nothing_is_asked_or_fetched_before_the_time_is_known() -> None:
    played = Played(release=RELEASE)

    assert [] == played.pass_s(3_600)
    assert ("waiting", "The time is not known yet.") == played.said
    assert [effects.AskRelease(), effects.FetchBundle(BUNDLE)] == [
        *played.take(events.ClockProven()),
        *played.pass_s(10),
    ]


def test_service_is_asked_every_quarter_of_an_hour_and_later_if_it_says_so() -> None:
    played = Played()
    played.take(events.ClockProven())
    times = []
    for _ in range(720):
        if effects.AskRelease() in played.pass_s(10):
            times.append(played.now_ms)
            played.take(events.NothingNew(again_s=3_600 if len(times) == 4 else 0))

    gaps_min = [(after - before) / 60_000 for before, after in itertools.pairwise(times)]
    assert times[0] <= 150_000
    assert 60 <= gaps_min.pop(3) <= 61
    assert all(14 <= gap <= 16 for gap in gaps_min)


def test_unit_restarts_once_nobody_has_needed_it_for_half_a_minute_and_says_why_first() -> None:
    played = waiting()
    assert not [one for one in played.pass_s(600, may_restart=False) if isinstance(one, effects.RestartOnTrial)]
    assert ("waiting", "The unit is in use, or an alert is open.") == played.said

    played.pass_s(20, faulty=("sounder",), stuck=("assist",))
    assert effects.RestartOnTrial() not in played.ordered
    *_, noted, restarted = (*played.pass_s(20, faulty=("sounder",), stuck=("assist",)),)
    assert effects.RestartOnTrial() == restarted
    assert isinstance(noted, effects.SaveNotes)
    trial = noted.notes.trial
    assert trial is not None
    assert ("one", 1, Before(("sounder",), ("assist",))) == (trial.asked_in, trial.attempts, trial.before)


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ({"is_linked": False}, "Central does not answer, so nothing could be proven."),
        ({"silent": True}, "The node says nothing."),
    ],
    ids=str,
)
def test_what_could_not_be_proven_is_not_tried(how: dict[str, Any], reason: str) -> None:
    played = waiting()
    played.pass_s(300, **how)

    assert effects.RestartOnTrial() not in played.ordered
    assert ("waiting", reason) == played.said


def test_node_that_is_dead_is_updated_all_the_same() -> None:
    """An update may be what it needs."""
    assert effects.RestartOnTrial() in waiting().pass_s(620, silent=True)


def test_pause_keeps_what_is_written_and_tries_nothing() -> None:
    played = waiting(state="paused")
    played.pass_s(3_600)
    assert effects.RestartOnTrial() not in played.ordered

    played.take(events.ReleaseSeen(replace(RELEASE, serial=6), b"sealed"))
    assert effects.RestartOnTrial() in played.ordered
    assert not [one for one in played.ordered if isinstance(one, effects.FetchBundle)]


def test_bundle_that_comes_wrong_three_times_is_refused() -> None:
    played = seen(RELEASE)
    for _ in range(3):
        played.take(events.FetchFailed("corrupt", "It is another."))
        played.pass_s(600)

    assert 3 == len([one for one in played.ordered if isinstance(one, effects.FetchBundle)])
    assert ("refused", "It is another.") == played.said


def test_full_card_is_told_and_looked_at_again_in_an_hour() -> None:
    played = seen(RELEASE)
    played.take(events.FetchFailed("no room", "The card lacks 9 MB."))
    assert ("fetching", "The card lacks 9 MB.") == played.said

    assert not [one for one in played.pass_s(3_500) if isinstance(one, effects.FetchBundle)]
    assert [one for one in played.pass_s(200) if isinstance(one, effects.FetchBundle)]


def test_bundle_that_rauc_does_not_believe_is_refused_at_once_with_its_words() -> None:
    played = seen(RELEASE)
    played.take(events.BundleFetched(BUNDLE.sha256))
    played.take(events.InstallFailed("RAUC: signature verification failed", is_final=True))
    played.pass_s(3_600)

    assert ("refused", "RAUC: signature verification failed") == played.said
    assert 1 == len([one for one in played.ordered if isinstance(one, effects.InstallBundle)])
    assert effects.DropBundles() in played.ordered


def test_release_that_comes_while_another_is_fetched_is_the_one_that_counts() -> None:
    played = seen(RELEASE)
    newer = replace(BUNDLE, sha256="cd" * 32)
    played.take(events.ReleaseSeen(replace(RELEASE, serial=6, version="1.2", bundles=(newer,)), b"sealed"))

    assert [effects.FetchBundle(newer)] == played.take(events.BundleFetched(BUNDLE.sha256))


def test_what_waits_in_the_other_system_is_forgotten_before_that_is_written_over() -> None:
    played = Played(notes=Notes(trial=replace(WRITTEN, sha256="ee" * 32)), release=RELEASE)
    played.take(events.ClockProven())
    noted, install = played.take(events.BundleFetched(BUNDLE.sha256))

    assert isinstance(noted, effects.SaveNotes)
    assert noted.notes.trial is None
    assert effects.InstallBundle(BUNDLE) == install


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
            played.state = step(before, events.EffectFailed("The card refuses."), played.now_ms).state

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
        before = step(before, events.EffectFailed("The card refuses."), played.now_ms).state
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
