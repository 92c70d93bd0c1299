from __future__ import annotations

from typing import get_args

import msgspec
import pytest

from office.exclusions.rules.life import (
    IN_FORCE,
    MOVES,
    OVER,
    TITLES,
    WATCHLINK,
    Case,
    MoveName,
    Mover,
    State,
    moves_open_to,
    why_not,
)

CO_ORDINATOR = Mover(1, frozenset({"co-ordinator"}))
DEPUTY = Mover(2, frozenset({"co-ordinator"}))
CONTACT = Mover(3, frozenset({"members-contact"}))
PCSO = Mover(4, frozenset({"pcso"}))
POLICE = Mover(5, frozenset({"police"}))
STATES: tuple[State, ...] = get_args(State)


def test_under_18_found_out_late_waits_for_the_second_approver_before_a_new_version() -> None:
    case = Case("served", checked_by=9, is_minor=True)
    assert why_not("reissue", case, CO_ORDINATOR, "new premises") is not None
    assert why_not("approve-minor", case, DEPUTY, "seen with the school") is None
    assert why_not("reissue", msgspec.structs.replace(case, minor_approved_by=8), CO_ORDINATOR, "new premises") is None


def test_every_move_and_state_is_in_the_tables() -> None:
    assert list(MOVES) == list(get_args(MoveName))
    assert set(TITLES) == set(STATES)


def test_whole_life_of_a_case() -> None:
    walked: list[State] = ["nominated"]
    moves: tuple[tuple[MoveName, Mover], ...] = (
        ("check", CO_ORDINATOR),
        ("open-vote", CO_ORDINATOR),
        ("accept", WATCHLINK),
        ("issue", CO_ORDINATOR),
        ("serve", PCSO),
        ("revoke", CO_ORDINATOR),
    )
    for name, person in moves:
        assert why_not(name, Case(walked[-1]), person, "a reason") is None
        walked.append(MOVES[name].after or walked[-1])

    assert walked == ["nominated", "checked", "voting", "decided", "issued", "served", "revoked"]


@pytest.mark.parametrize("state", sorted(OVER))
def test_nothing_moves_what_is_over(state: State) -> None:
    everybody = (CO_ORDINATOR, CONTACT, PCSO, WATCHLINK)

    assert [move.name for person in everybody for move in moves_open_to(Case(state), person)] == []


def test_every_state_that_is_not_over_is_left_and_reached() -> None:
    left = {state for move in MOVES.values() if move.after is not None for state in move.before}
    reached = {move.after for move in MOVES.values()} - {None}

    assert left == set(STATES) - OVER
    assert reached == set(STATES) - {"nominated"}


@pytest.mark.parametrize("person", [POLICE, Mover(6, frozenset({"cctv"})), Mover(7, frozenset())])
def test_advisers_and_strangers_move_nothing(person: Mover) -> None:
    assert [(state, move.name) for state in STATES for move in moves_open_to(Case(state), person)] == []


def test_nobody_but_watchlink_says_what_a_vote_came_to() -> None:
    """The members decide: no co-ordinator can accept or reject."""
    watchlinks: tuple[MoveName, ...] = ("accept", "reject", "find-no-quorum", "expire")
    for name in watchlinks:
        before = next(iter(MOVES[name].before))
        assert why_not(name, Case(before), CO_ORDINATOR) is not None
        assert why_not(name, Case(before), WATCHLINK) is None


def test_member_withdraws_only_its_own_nomination() -> None:
    assert why_not("withdraw", Case("nominated", nominated_by=CONTACT.account), CONTACT, "mistaken") is None
    assert why_not("withdraw", Case("nominated", nominated_by=99), CONTACT, "mistaken") is not None
    assert why_not("withdraw", Case("nominated", nominated_by=99), CO_ORDINATOR, "mistaken") is None


@pytest.mark.parametrize("name", [move.name for move in MOVES.values() if move.wants_reason])
def test_move_that_wants_a_reason_is_refused_without_one(name: MoveName) -> None:
    move = MOVES[name]
    case = Case(
        min(move.before),
        is_minor=name == "approve-minor",
        has_open_appeal=name == "dismiss-appeal",
        is_restricted=name == "lift-restriction",
    )

    assert why_not(name, case, CO_ORDINATOR, "  ") == "Say why, in a sentence."
    assert why_not(name, case, CO_ORDINATOR, "because") is None


def test_under_18_is_issued_only_after_a_second_approver() -> None:
    """G2: somebody who neither nominated nor checked."""
    case = Case("decided", is_minor=True, checked_by=CO_ORDINATOR.account, nominated_by=9)

    assert why_not("issue", case, CO_ORDINATOR) is not None
    assert why_not("approve-minor", case, CO_ORDINATOR, "seen with the school") is not None
    assert why_not("approve-minor", case, Mover(9, frozenset({"co-ordinator"})), "seen") is not None
    again = msgspec.structs.replace(DEPUTY, same_as=frozenset({CO_ORDINATOR.account}))
    assert why_not("approve-minor", case, again, "seen with the school") is not None
    assert why_not("approve-minor", case, DEPUTY, "seen with the school") is None
    approved = msgspec.structs.replace(case, minor_approved_by=DEPUTY.account)
    assert why_not("issue", approved, CO_ORDINATOR) is None
    assert why_not("approve-minor", approved, DEPUTY, "again") is not None


def test_adult_needs_no_second_approver() -> None:
    assert why_not("approve-minor", Case("decided", checked_by=9), DEPUTY, "why not") is not None
    assert why_not("issue", Case("decided"), CO_ORDINATOR) is None


@pytest.mark.parametrize("state", sorted(IN_FORCE))
def test_appeal_is_open_once_and_dismissed_once(state: State) -> None:
    open_appeal = Case(state, has_open_appeal=True)

    assert why_not("appeal", Case(state), CO_ORDINATOR, "says it was not him") is None
    assert why_not("appeal", open_appeal, CO_ORDINATOR, "again") is not None
    assert why_not("dismiss-appeal", open_appeal, CO_ORDINATOR, "the film shows him") is None
    assert why_not("dismiss-appeal", Case(state), CO_ORDINATOR, "which?") is not None


def test_nobody_dismisses_an_appeal_against_what_they_did_themselves_while_another_can() -> None:
    """Nobody judges their own cause: the person is heard by somebody whose work is not in question.

    Where a scheme has nobody else an appeal must still be answered. To give way to it is never refused.
    """
    who = CO_ORDINATOR.account
    shared = msgspec.structs.replace(CO_ORDINATOR, another_hears=True)
    for case in (Case("served", checked_by=who, has_open_appeal=True), Case("served", nominated_by=who)):
        appealed = msgspec.structs.replace(case, has_open_appeal=True)
        again = msgspec.structs.replace(DEPUTY, same_as=frozenset({who}), another_hears=True)
        assert "another co-ordinator hears" in (why_not("dismiss-appeal", appealed, shared, "no") or "")
        assert why_not("dismiss-appeal", appealed, again, "no") is not None
        assert why_not("dismiss-appeal", appealed, CO_ORDINATOR, "no") is None
        assert why_not("dismiss-appeal", appealed, msgspec.structs.replace(DEPUTY, another_hears=True), "no") is None
        assert why_not("revoke", appealed, shared, "they are right") is None
        assert why_not("shorten", appealed, shared, "half is enough") is None


def test_restriction_is_set_once_and_lifted_once() -> None:
    hidden = Case("served", is_restricted=True)

    assert why_not("restrict", Case("served"), CO_ORDINATOR, "contested") is None
    assert why_not("restrict", hidden, CO_ORDINATOR, "contested") is not None
    assert why_not("lift-restriction", hidden, CO_ORDINATOR, "film seen again") is None
    assert why_not("lift-restriction", Case("served"), CO_ORDINATOR, "film seen again") is not None


@pytest.mark.parametrize(("name", "state"), [("issue", "decided"), ("reissue", "served")])
def test_order_without_a_premises_is_not_issued(name: MoveName, state: State) -> None:
    assert why_not(name, Case(state, premises=0), CO_ORDINATOR, "r") is not None
    assert why_not(name, Case(state, premises=1), CO_ORDINATOR, "r") is None


def test_state_that_changed_meanwhile_is_named() -> None:
    assert "“Revoked”" in (why_not("serve", Case("revoked"), CO_ORDINATOR) or "")
