"""What the disk knows of settings on trial, whatever cuts a step short (ADR 0032)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from node.core.trial import CUT_SHORT, Before, Kept, Settled

OLD, NEW = Settled(4, b"old"), Settled(7, b"new")
GOOD = Kept(good=OLD, newest=4, state="taken")
TRIED = GOOD.tried(NEW, Before(is_radio_proven=True))
BEGUN = TRIED.at_start()


@pytest.mark.parametrize(
    ("kept", "in_force", "report"),
    [
        (Kept(), Settled(), None),
        (GOOD, OLD, ("taken", 4, 4)),
        (GOOD.refused(7, "no such profile"), OLD, ("refused", 7, 4)),
        (TRIED, OLD, ("trial", 7, 4)),
        (BEGUN, NEW, ("trial", 7, 4)),
        (BEGUN.taken(), NEW, ("taken", 7, 7)),
        (BEGUN.returned("radio"), OLD, ("returned", 7, 4)),
        (Kept().tried(NEW, Before()).at_start().returned("radio"), Settled(), ("returned", 7, 0)),
    ],
    ids=["none", "good", "refused", "tried", "begun", "taken", "returned", "returned to the node's own file"],
)
def test_kept_says_which_settings_count_and_what_became_of_the_newest(
    kept: Kept, in_force: Settled, report: tuple[str, int, int] | None
) -> None:
    said = kept.report()

    assert in_force == kept.in_force
    assert report == (None if said is None else (said.state, said.serial, said.in_force))


@pytest.mark.parametrize(
    ("on_disk", "in_force", "state"),
    [
        (GOOD, OLD, "taken"),
        (GOOD.refused(7, "no"), OLD, "refused"),
        (TRIED, NEW, "trial"),
        (BEGUN, OLD, "returned"),
        (BEGUN.taken(), NEW, "taken"),
        (BEGUN.returned("radio"), OLD, "returned"),
    ],
    ids=["good", "refused", "before the trial begins", "in the trial", "taken", "returned"],
)
def test_power_cut_with_this_on_the_disk_is_followed_by(on_disk: Kept, in_force: Settled, state: str) -> None:
    after = on_disk.at_start()

    assert (in_force, state) == (after.in_force, after.state)


@pytest.mark.parametrize(
    "step",
    [
        lambda kept: kept.tried(NEW, Before()),
        Kept.at_start,
        Kept.taken,
        lambda kept: kept.returned("radio"),
    ],
    ids=["tried", "begun", "taken", "returned"],
)
def test_step_that_never_reached_the_disk_leaves_a_start_that_works(step: Callable[[Kept], Kept]) -> None:
    """Whatever the last step was, the disk has the one before: one more start, or two, and nothing loops."""
    path = [GOOD, GOOD.tried(NEW, Before()), BEGUN, BEGUN.taken()]
    for on_disk in path:
        step(on_disk)  # It was on its way when the power went: what is on the disk is unchanged.
        first = on_disk.at_start()
        assert first.at_start() in (first, first.returned(CUT_SHORT))
        assert first.at_start().at_start() == first.at_start()


def test_trial_that_was_cut_short_never_begins_again() -> None:
    after = BEGUN.at_start()

    assert CUT_SHORT == after.reason
    assert not after.is_on_trial
    assert after == after.at_start()


def test_settings_given_up_are_remembered_for_their_transmit_key() -> None:
    assert NEW == BEGUN.returned("radio").left
