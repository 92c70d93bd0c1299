"""What an update waits for, and what it refuses (F4). The whole of it is played in test_simulated_unit.py."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from msgspec.structs import replace

from appliance.core import effects, events
from appliance.core.machine import step
from appliance.core.notes import Before, Notes
from tests.support.played_unit import BUNDLE, RELEASE, WRITTEN, Played, seen, waiting
from wire.messages import UpdateReport


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


def test_what_was_refused_is_looked_at_again_once_it_is_signed_anew() -> None:
    outcome = UpdateReport(serial=RELEASE.serial, version=RELEASE.version, state="refused", reason="RAUC: damaged")
    played = Played(notes=Notes(outcome=outcome), release=RELEASE)
    played.take(events.ClockProven())
    played.pass_s(3_600)
    assert not [one for one in played.ordered if isinstance(one, effects.FetchBundle)]

    assert effects.FetchBundle(BUNDLE) in played.take(events.ReleaseSeen(replace(RELEASE, serial=6), b""))


def test_refusal_that_the_card_does_not_note_asks_the_service_no_more_often() -> None:
    played = Played(release=replace(RELEASE, version="0.9"))
    played.take(events.ClockProven())
    asked = 0
    for _ in range(360):
        before = played.state
        if effects.SaveNotes in map(type, ordered := played.pass_s(10)):
            played.state = step(before, events.EffectFailed("The card refuses.", events.Ticked()), played.now_ms).state
        asked += ordered.count(effects.AskRelease())

    assert 3 <= asked <= 5
    assert ("refused", "It is older than what this unit runs.") == played.said


def test_release_that_a_full_card_does_not_note_counts_and_is_told_with_what_lacks() -> None:
    played = Played(release=replace(RELEASE, state="paused"))
    played.take(events.ClockProven())
    newer = events.ReleaseSeen(replace(RELEASE, serial=6), b"sealed")
    played.state = step(played.state, events.EffectFailed("No space left on device", newer), played.now_ms).state
    assert ("fetching", "No space left on device") == played.said

    assert effects.FetchBundle(BUNDLE) in played.pass_s(600)
    played.take(events.FetchFailed("no room", "The card lacks 24 MB."))
    assert ("fetching", "The card lacks 24 MB.") == played.said

    # Later there is room: the release is noted with what was written.
    assert effects.FetchBundle(BUNDLE) in played.pass_s(3_700)
    played.take(events.BundleFetched(BUNDLE.sha256))
    noted = played.take(events.Installed(BUNDLE.sha256))[0]
    assert isinstance(noted, effects.SaveNotes)
    assert b"sealed" == noted.notes.sealed


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
